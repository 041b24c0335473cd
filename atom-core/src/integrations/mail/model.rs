//! What the mail API takes and returns.

use crate::{Json, RawRecord};
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

/// A file that came with a message.
#[model]
pub struct MailAttachment {
    /// The provider's id, which names it within its message.
    pub id: Option<String>,
    /// The file's name.
    pub name: Option<String>,
    /// Its MIME type.
    pub mime_type: Option<String>,
    /// Its size in bytes.
    pub size: Option<i64>,
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
    /// The provider's labels or categories.
    #[serde(default)]
    pub labels: Vec<String>,
    /// The folder it lies in, where the provider has folders.
    pub folder_id: Option<String>,
    /// The files that came with it.
    #[serde(default)]
    pub attachments: Vec<MailAttachment>,
    /// Whether it is a draft.
    #[serde(default)]
    pub is_draft: bool,
    /// Whether it has not been read.
    #[serde(default)]
    pub unread: bool,
    /// Whether it is in the bin.
    #[serde(default)]
    pub deleted: bool,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// Where a person opens it.
    pub web_url: Option<String>,
    /// Fields that the account's owner or an app has added.
    pub custom_fields: Option<Json>,
    /// The provider's own record.
    pub raw: RawRecord,
}

/// Which messages to list.
#[model(default)]
pub struct ListMessages {
    /// Only those that match, in the provider's own search words.
    pub search: Option<String>,
    /// Only those with this label or in this folder: an id of `list_folders`, such as `INBOX`.
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

/// What to change of a message. What is left out stays as it is.
#[model(default)]
pub struct MailMessagePatch {
    /// Whether it has not been read.
    pub unread: Option<bool>,
    /// Labels to put on it.
    pub add_labels: Option<Vec<String>>,
    /// Labels to take off.
    pub remove_labels: Option<Vec<String>>,
    /// The folder to move it to.
    pub folder_id: Option<String>,
}

/// A folder or label of a mailbox.
#[model]
pub struct MailFolder {
    /// The provider's id: pass it as `label` or `folder_id`.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// How many messages in it are unread, where the provider says so in a list.
    pub unread_count: Option<i64>,
    /// How many there are, likewise.
    pub total_count: Option<i64>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// Where a person opens it.
    pub web_url: Option<String>,
    /// Whether it is deleted or in the bin.
    #[serde(default)]
    pub deleted: bool,
    /// Fields that the account's owner or an app has added.
    pub custom_fields: Option<Json>,
    /// The provider's own record.
    pub raw: RawRecord,
}

/// A page of folders.
#[model]
pub struct MailFolderPage {
    /// The folders.
    pub items: Vec<MailFolder>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}
