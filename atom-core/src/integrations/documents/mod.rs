//! Documents: one shape for pages of wikis and workspaces.

mod model;

pub use model::{Document, DocumentPage, DocumentPatch, ListDocuments, NewDocument};

use super::engine;
use super::shared::{MAX_PAGE, changed};
use crate::Result;
use crate::connect::Connection;
use atom_macros::{api, handle};
use serde_json::json;

/// The documents of a connected account.
///
/// Where the provider lacks an operation or an input, a call fails with `unsupported` before anything is sent. `not_found`,
/// `conflict`, `rate_limited` (wait for `retry_after`), `reauth_required` (connect the account again), `unavailable` (call again
/// later) and `provider` (change the input) are what the provider itself says.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let (_atom, connection) = atom_core::testing::example().await?;
/// use atom_core::{ListDocuments, NewDocument};
///
/// let documents = connection.documents();
/// let notes = documents.create(NewDocument { title: "Notes".into(), ..Default::default() }).await?;
/// let note = NewDocument { title: "Note G".into(), text: Some("It weaves.".into()), parent_id: Some(notes.id.clone()) };
/// let note = documents.create(note).await?;
/// assert_eq!(documents.get_text(note.id).await?, "It weaves.");
///
/// let under_notes = ListDocuments { parent_id: Some(notes.id), ..Default::default() };
/// assert_eq!(documents.list(under_notes).await?.items[0].title, "Note G");
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Documents {
    pub(crate) connection: Connection,
}

#[api]
impl Documents {
    /// Lists documents, a page at a time.
    pub async fn list(&self, filter: ListDocuments) -> Result<DocumentPage> {
        let page = engine::list(&self.connection, "documents.list", MAX_PAGE, &filter).await?;
        Ok(DocumentPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One document.
    pub async fn get(&self, id: String) -> Result<Document> {
        engine::one(&self.connection, "documents.get", &json!({ "id": id })).await
    }

    /// Its text, as plain text.
    pub async fn get_text(&self, id: String) -> Result<String> {
        engine::text(&self.connection, "documents.get_text", &json!({ "id": id })).await
    }

    /// Creates a document. Repeating the call creates another, unless the provider recognizes the repetition.
    pub async fn create(&self, document: NewDocument) -> Result<Document> {
        engine::one(&self.connection, "documents.create", &document).await
    }

    /// Changes a document: only what is given.
    pub async fn update(&self, id: String, changes: DocumentPatch) -> Result<Document> {
        engine::one(&self.connection, "documents.update", &changed(&id, &changes)?).await
    }

    /// Adds text to the end of a document. Repeating the call adds it again.
    pub async fn append(&self, id: String, text: String) -> Result<()> {
        engine::done(&self.connection, "documents.append", &json!({ "id": id, "text": text })).await
    }

    /// Deletes a document: into the bin, where the provider has one.
    pub async fn remove(&self, id: String) -> Result<()> {
        engine::done(&self.connection, "documents.delete", &json!({ "id": id })).await
    }
}
