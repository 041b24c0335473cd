//! Mail: one shape for Gmail and, later, every other mail service.

mod mime;
mod model;

pub use model::{ListMessages, MailAddress, MailMessage, MailMessagePage, NewMessage};

use super::engine;
use crate::Result;
use crate::connect::Connection;
use atom_macros::{api, handle};
use serde_json::json;

/// The mail of a connected account.
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
}
