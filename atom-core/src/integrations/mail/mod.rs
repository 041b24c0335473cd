//! Mail: one shape for every mail service.

mod mime;
mod model;

pub use model::{
    ListMessages, MailAddress, MailAttachment, MailFolder, MailFolderPage, MailMessage, MailMessagePage, MailMessagePatch,
    NewMessage,
};

use super::engine;
use super::shared::{MAX_PAGE, Paging, changed};
use crate::Result;
use crate::connect::Connection;
use atom_macros::{api, handle};
use serde_json::json;

/// The mail of a connected account.
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
/// use atom_core::{ListMessages, MailMessagePatch, NewMessage};
///
/// let mail = connection.mail();
/// let letter = NewMessage {
///     to: vec!["Bob <bob@example.com>".into()],
///     subject: "Hi".into(),
///     text: "Hello".into(),
///     ..Default::default()
/// };
/// let sent = mail.send(letter).await?;
/// mail.update(sent.id, MailMessagePatch { add_labels: Some(vec!["STARRED".into()]), ..Default::default() }).await?;
///
/// let starred = mail.list(ListMessages { label: Some("STARRED".into()), ..Default::default() }).await?.items;
/// assert_eq!(starred[0].to[0].email, "bob@example.com");
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Mailbox {
    pub(crate) connection: Connection,
}

#[api]
impl Mailbox {
    /// Lists messages, newest first, a page at a time.
    pub async fn list(&self, filter: ListMessages) -> Result<MailMessagePage> {
        let page = engine::list(&self.connection, "mail.list", 100, &filter).await?;
        Ok(MailMessagePage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One message with its text.
    pub async fn get(&self, id: String) -> Result<MailMessage> {
        engine::one(&self.connection, "mail.get", &json!({ "id": id })).await
    }

    /// Sends a message from the account. Repeating the call sends it again.
    ///
    /// Fails with `invalid` (`malformed_address`, `missing_input`).
    pub async fn send(&self, email: NewMessage) -> Result<MailMessage> {
        let account = self.connection.account().await?;
        let mime = mime::build(&email, account.email.as_deref())?;
        engine::one(&self.connection, "mail.send", &json!({ "mime": mime, "thread_id": email.thread_id })).await
    }

    /// Marks a message as read or unread, labels it, or moves it to another folder.
    pub async fn update(&self, id: String, changes: MailMessagePatch) -> Result<MailMessage> {
        engine::one(&self.connection, "mail.update", &changed(&id, &changes)?).await
    }

    /// Puts a message into the bin.
    pub async fn remove(&self, id: String) -> Result<()> {
        engine::done(&self.connection, "mail.delete", &json!({ "id": id })).await
    }

    /// Lists folders and labels, a page at a time.
    pub async fn list_folders(&self, filter: Paging) -> Result<MailFolderPage> {
        let page = engine::list(&self.connection, "mail.list_folders", MAX_PAGE, &filter).await?;
        Ok(MailFolderPage { items: page.items, next_cursor: page.next_cursor })
    }
}
