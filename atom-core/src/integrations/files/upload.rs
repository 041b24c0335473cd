//! A file that is stored in pieces.

use super::RemoteFile;
use crate::connect::Connection;
use crate::integrations::engine::Upload;
use crate::{Bytes, Error, Result};
use atom_macros::{api, handle, model};
use std::sync::Arc;
use tokio::sync::Mutex;

/// A file that will be stored in pieces.
#[model(default)]
pub struct NewUpload {
    /// Its name.
    pub name: String,
    /// Its size in bytes, at least 1: it is known before the first piece is sent.
    pub size: i64,
    /// Its MIME type. Default: `application/octet-stream`.
    pub mime_type: Option<String>,
    /// The folder to put it in. Default: the account's root.
    pub folder_id: Option<String>,
}

/// A file that is being stored in pieces, in memory of one piece at a time.
///
/// A piece that gets lost, or that the provider was too busy for, is sent again from wherever the provider came to. After a failure that lasted,
/// write on from `offset`; in another process, `Files.resume_upload` goes on from `state`.
///
/// ```
/// # #[cfg(feature = "testing")]
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// # use atom_core::{Atom, Bytes, LocalKey, NewAccount, NewUpload, StartConnection, testing::GoogleStandIn};
/// # let google = GoogleStandIn::start().await?;
/// # let atom = Atom::builder(url).key(LocalKey::generate()?).provider(google.app()).open().await?;
/// # let account = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
/// # let session = atom.accounts().sign_up(account).await?;
/// # let scope = atom.authenticate(session.access_token).await?;
/// # let start = StartConnection { provider: "google".into(), ..Default::default() };
/// # let authorization = scope.connections().start(start).await?;
/// # let callback = google.approve(authorization.url, "ada@example.com".into()).await?;
/// # let connection = scope.connections().complete(callback).await?;
/// let new = NewUpload { name: "film.mp4".into(), size: 11, ..Default::default() };
/// let upload = connection.files().begin_upload(new).await?;
/// upload.write(Bytes::from("hello ".as_bytes())).await?;
/// upload.write(Bytes::from("world".as_bytes())).await?;
/// let file = upload.finish().await?;
/// assert_eq!(file.size, Some(11));
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct FileUpload {
    shared: Arc<Mutex<Upload>>,
}

impl FileUpload {
    pub(super) fn of(upload: Upload) -> Self {
        Self { shared: Arc::new(Mutex::new(upload)) }
    }

    pub(super) async fn begin(connection: &Connection, new: NewUpload) -> Result<Self> {
        if new.name.is_empty() {
            return Err(Error::invalid("missing_input", "a file needs a name"));
        }
        Box::pin(Upload::begin(connection, &new, new.size)).await.map(Self::of)
    }
}

#[api]
impl FileUpload {
    /// Takes the next bytes, of any length, and sends what makes a whole piece.
    ///
    /// Fails with `invalid` (`upload_too_long`), `not_found` (`upload_expired`: the provider forgot the upload, begin again), and as every call of
    /// the provider does. What was given to a call that failed is not kept: write on from `offset`.
    pub async fn write(&self, content: Bytes) -> Result<()> {
        Box::pin(self.shared.lock().await.write(&content.0)).await
    }

    /// How many bytes the provider has, as far as is known: where to write on after a failure, or in another process.
    pub async fn offset(&self) -> Result<i64> {
        let offset = self.shared.lock().await.offset();
        i64::try_from(offset).map_err(|e| Error::internal("offset", "a file is shorter").with_source(e))
    }

    /// What another process needs to go on, as a sealed text that is of use to this connection only. Bytes that were written since the last piece
    /// are not in it. It is good for as long as the provider keeps the upload: hours, or a week.
    pub async fn state(&self) -> Result<String> {
        self.shared.lock().await.state().await
    }

    /// Stores what was written as a file. Calling it again after a failure is safe.
    ///
    /// Fails with `invalid` (`upload_incomplete`: fewer bytes than the size that was said), and as `write` does.
    pub async fn finish(&self) -> Result<RemoteFile> {
        Box::pin(self.shared.lock().await.finish()).await
    }

    /// Has the provider forget what it got, where it can be told.
    pub async fn abort(&self) -> Result<()> {
        Box::pin(self.shared.lock().await.abort()).await
    }
}
