//! Files: one shape for every file service.

mod model;
mod upload;

pub use model::{FilePage, FilePatch, ListFiles, NewFile, NewFolder, RemoteFile};
pub use upload::{FileUpload, NewUpload};

use super::engine;
use super::shared::{MAX_PAGE, changed};
use crate::connect::Connection;
use crate::{Bytes, Error, Result};
use atom_macros::{api, handle};
use serde_json::json;

/// The files of a connected account.
///
/// Where the provider lacks an operation or an input, a call fails with `unsupported` before anything is sent. `not_found`,
/// `conflict`, `rate_limited` (wait for `retry_after`), `reauth_required` (connect the account again), `unavailable` (call again
/// later) and `provider` (change the input) are what the provider itself says.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// # let google = atom_core::testing::GoogleStandIn::start().await?;
/// # let atom = atom_core::Atom::builder(url).key(atom_core::LocalKey::generate()?).provider(google.app()).open().await?;
/// # let (email, password) = ("ada@example.com".into(), "an engine of brass".into());
/// # let account = atom_core::NewAccount { email, password, ..Default::default() };
/// # let scope = atom.authenticate(atom.accounts().sign_up(account).await?.access_token).await?;
/// # let start = atom_core::StartConnection { provider: "google".into(), ..Default::default() };
/// # let consent = scope.connections().start(start).await?;
/// # let callback = google.approve(consent.url, "ada@gmail.example".into()).await?;
/// # let connection = scope.connections().complete(callback).await?;
/// use atom_core::{FilePatch, ListFiles, NewFile, NewFolder};
///
/// let files = connection.files();
/// let letters = files.create_folder(NewFolder { name: "Letters".into(), ..Default::default() }).await?;
/// let new = NewFile {
///     name: "draft.txt".into(),
///     content: "Dear Bob".as_bytes().into(),
///     folder_id: Some(letters.id.clone()),
///     ..Default::default()
/// };
/// let stored = files.upload(new).await?;
/// files.update(stored.id, FilePatch { name: Some("to Bob.txt".into()), ..Default::default() }).await?;
///
/// let inside = files.list(ListFiles { folder_id: Some(letters.id), ..Default::default() }).await?.items;
/// assert_eq!(inside[0].name, "to Bob.txt");
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Files {
    pub(crate) connection: Connection,
}

#[api]
impl Files {
    /// Lists files, a page at a time: pass `next_cursor` back as `cursor` for the next one.
    pub async fn list(&self, filter: ListFiles) -> Result<FilePage> {
        let page = engine::list(&self.connection, "files.list", MAX_PAGE, &filter).await?;
        Ok(FilePage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One file's description.
    pub async fn get(&self, id: String) -> Result<RemoteFile> {
        engine::one(&self.connection, "files.get", &json!({ "id": id })).await
    }

    /// One file's content, at most 64 MiB.
    pub async fn download(&self, id: String) -> Result<Bytes> {
        engine::bytes(&self.connection, "files.download", &json!({ "id": id })).await.map(Bytes)
    }

    /// Stores a new file. Repeating the call stores it again. Content that is too long for one request goes in pieces.
    pub async fn upload(&self, file: NewFile) -> Result<RemoteFile> {
        if file.name.is_empty() {
            return Err(Error::invalid("missing_input", "a file needs a name"));
        }
        let NewFile { name, content, mime_type, folder_id } = file;
        let size = i64::try_from(content.0.len()).map_err(|e| Error::internal("size", "a file is shorter").with_source(e))?;
        let new = NewUpload { name: name.clone(), size, mime_type: mime_type.clone(), folder_id: folder_id.clone() };
        if engine::is_long(&self.connection, &new, content.0.len()).await? {
            let upload = self.begin_upload(new).await?;
            upload.write(content).await?;
            return upload.finish().await;
        }
        let file = NewFile { name, content, mime_type, folder_id };
        engine::one(&self.connection, "files.upload", &file).await
    }

    /// Begins to store a new file in pieces, of any size that the provider takes. The size is needed in advance.
    ///
    /// Fails with `invalid` (`malformed_size`, `missing_input`) or `unsupported` (`no_upload_session`: the provider takes files as a whole only).
    pub async fn begin_upload(&self, file: NewUpload) -> Result<FileUpload> {
        FileUpload::begin(&self.connection, file).await
    }

    /// Goes on with an upload that another process began, from what its `state` gave. Write on from `offset`.
    ///
    /// Fails with `invalid` (`malformed_upload_state`: of another connection, or altered) or `not_found` (`upload_expired`: begin again).
    pub async fn resume_upload(&self, state: String) -> Result<FileUpload> {
        Box::pin(engine::Upload::resume(&self.connection, &state)).await.map(FileUpload::of)
    }

    /// Creates a folder. Repeating the call creates another, where the provider allows two of the same name.
    pub async fn create_folder(&self, folder: NewFolder) -> Result<RemoteFile> {
        if folder.name.is_empty() {
            return Err(Error::invalid("missing_input", "a folder needs a name"));
        }
        engine::one(&self.connection, "files.create_folder", &folder).await
    }

    /// Gives a file or folder another name, or moves it to another folder.
    pub async fn update(&self, id: String, changes: FilePatch) -> Result<RemoteFile> {
        engine::one(&self.connection, "files.update", &changed(&id, &changes)?).await
    }

    /// Deletes a file, or a folder with all that is in it: into the bin, where the provider has one.
    pub async fn remove(&self, id: String) -> Result<()> {
        engine::done(&self.connection, "files.delete", &json!({ "id": id })).await
    }
}
