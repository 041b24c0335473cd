//! What the files API takes and returns.

use crate::integrations::shared::Person;
use crate::{Bytes, Json, RawRecord};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// A file or folder at a provider.
#[model]
pub struct RemoteFile {
    /// The provider's id: pass it to `get` and `download`.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// The file's name.
    pub name: String,
    /// Its MIME type.
    pub mime_type: Option<String>,
    /// Its size in bytes; documents of the provider's own kind have none.
    pub size: Option<i64>,
    /// Whether it is a folder.
    #[serde(default)]
    pub is_folder: bool,
    /// The folder it is in.
    pub folder_id: Option<String>,
    /// A hash of its content, by the algorithm that the provider uses.
    pub checksum: Option<String>,
    /// Whose it is.
    pub owner: Option<Person>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// Where a person opens it.
    pub web_url: Option<String>,
    /// Whether it is in the bin.
    #[serde(default)]
    pub deleted: bool,
    /// Fields that the account's owner or an app has added.
    pub custom_fields: Option<Json>,
    /// The provider's own record.
    pub raw: RawRecord,
}

/// Which files to list.
#[model(default)]
pub struct ListFiles {
    /// Only those directly in this folder.
    pub folder_id: Option<String>,
    /// Only those whose name or content has this text.
    pub search: Option<String>,
    /// How many at most on a page, 1 to 1000. Default: 100.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A page of files.
#[model]
pub struct FilePage {
    /// The files.
    pub items: Vec<RemoteFile>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// A file to store.
#[model(default)]
pub struct NewFile {
    /// Its name.
    pub name: String,
    /// Its content.
    pub content: Bytes,
    /// Its MIME type. Default: `application/octet-stream`.
    pub mime_type: Option<String>,
    /// The folder to put it in. Default: the account's root.
    pub folder_id: Option<String>,
}

/// A folder to create.
#[model(default)]
pub struct NewFolder {
    /// Its name.
    pub name: String,
    /// The folder to put it in. Default: the account's root.
    pub folder_id: Option<String>,
}

/// What to change of a file. What is left out stays as it is.
#[model(default)]
pub struct FilePatch {
    /// Its name.
    pub name: Option<String>,
    /// The folder to move it to.
    pub folder_id: Option<String>,
}
