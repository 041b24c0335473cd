//! What the mail API takes and returns.

use crate::Json;
use atom_macros::model;
use chrono::{DateTime, Utc};

/// Someone's address.
#[model]
pub struct MailAddress {
    /// The e-mail address.
    pub email: String,
    /// The name beside it.
    pub name: Option<String>,
}

/// A message in a mailbox.
#[model]
pub struct MailMessage {
    /// The provider's id: pass it to `get`.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// The conversation it belongs to.
    pub thread_id: Option<String>,
    /// The subject line.
    pub subject: Option<String>,
    /// Who sent it.
    pub sender: Option<MailAddress>,
    /// To whom.
    #[serde(default)]
    pub to: Vec<MailAddress>,
    /// With a copy to whom.
    #[serde(default)]
    pub cc: Vec<MailAddress>,
    /// When the provider received it.
    pub sent_at: Option<DateTime<Utc>>,
    /// The beginning of its text.
    pub preview: Option<String>,
    /// Its plain text.
    pub text: Option<String>,
    /// Its HTML. It comes from a stranger: clean it before showing it.
    pub html: Option<String>,
    /// The provider's labels or folders.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Whether it has not been read.
    #[serde(default)]
    pub unread: bool,
    /// Whether it is in the bin.
    #[serde(default)]
    pub deleted: bool,
    /// Where a person opens it.
    pub web_url: Option<String>,
    /// The provider's own record.
    pub raw: Json,
}

/// Which messages to list.
#[model(default)]
pub struct ListMessages {
    /// Only those that match, in the provider's own search words.
    pub search: Option<String>,
    /// Only those with this label, such as `INBOX`.
    pub label: Option<String>,
    /// How many at most on a page, 1 to 100. Default: 25.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A page of messages.
#[model]
pub struct MailMessagePage {
    /// The messages.
    pub items: Vec<MailMessage>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// A message to send.
#[model(default)]
pub struct NewMessage {
    /// To whom: `ada@example.com` or `Ada <ada@example.com>`.
    pub to: Vec<String>,
    /// The subject line.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML.
    pub html: Option<String>,
    /// With a copy to whom.
    pub cc: Option<Vec<String>>,
    /// With a hidden copy to whom.
    pub bcc: Option<Vec<String>>,
    /// The conversation to answer in.
    pub thread_id: Option<String>,
}
