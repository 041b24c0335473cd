//! What the documents API takes and returns.

use crate::integrations::shared::Person;
use crate::{Json, RawRecord};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// A page of a wiki or workspace.
#[model]
pub struct Document {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// Its title.
    #[serde(default)]
    pub title: String,
    /// The page it lies under.
    pub parent_id: Option<String>,
    /// Whether it is put away.
    #[serde(default)]
    pub is_archived: bool,
    /// Its text, where the provider gives it with the page; else there is `get_text`.
    pub text: Option<String>,
    /// Who made it.
    pub author: Option<Person>,
    /// Who changed it last.
    pub last_editor: Option<Person>,
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

/// A page of documents.
#[model]
pub struct DocumentPage {
    /// The documents.
    pub items: Vec<Document>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which documents to list.
#[model(default)]
pub struct ListDocuments {
    /// Only those that have this text.
    pub search: Option<String>,
    /// Only those that lie right under this page.
    pub parent_id: Option<String>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A document to create.
#[model(default)]
pub struct NewDocument {
    /// Its title.
    pub title: String,
    /// Its text.
    pub text: Option<String>,
    /// The page to put it under. Some providers need it.
    pub parent_id: Option<String>,
}

/// What to change of a document. What is left out stays as it is.
#[model(default)]
pub struct DocumentPatch {
    /// Its title.
    pub title: Option<String>,
}
