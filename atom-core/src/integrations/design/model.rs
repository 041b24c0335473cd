//! What the design API takes and returns.

use crate::integrations::shared::Person;
use crate::{Json, RawRecord};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// A design document.
#[model]
pub struct DesignFile {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// Its name.
    pub name: Option<String>,
    /// A small picture of it.
    pub thumbnail_url: Option<String>,
    /// The project it is in.
    pub project_id: Option<String>,
    /// Whose it is.
    pub owner: Option<Person>,
    /// Which version this is.
    pub version: Option<String>,
    /// How many pages it has.
    pub page_count: Option<i64>,
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

/// A page of files.
#[model]
pub struct DesignFilePage {
    /// The files.
    pub items: Vec<DesignFile>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which files to list.
#[model(default)]
pub struct ListDesignFiles {
    /// Only those of this project.
    pub project_id: Option<String>,
    /// Only those that have this text.
    pub search: Option<String>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A frame of a page: what is drawn together.
#[model]
pub struct DesignFrame {
    /// The provider's id within the file.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// What it is, in the provider's words: `FRAME`.
    pub kind: Option<String>,
}

/// A page of a design document.
#[model]
pub struct DesignPage {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// Its name.
    pub name: Option<String>,
    /// Its place among the pages, where the provider counts them.
    pub position: Option<i64>,
    /// A small picture of it.
    pub thumbnail_url: Option<String>,
    /// What is on it, at the top.
    #[serde(default)]
    pub frames: Vec<DesignFrame>,
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

/// A page of pages.
#[model]
pub struct DesignPagePage {
    /// The pages.
    pub items: Vec<DesignPage>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which pages to list.
#[model(default)]
pub struct ListDesignPages {
    /// The file.
    pub file_id: String,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A part that is made once and used often.
#[model]
pub struct DesignComponent {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// Its name.
    pub name: Option<String>,
    /// More about it.
    pub description: Option<String>,
    /// Where it is in its file.
    pub node_id: Option<String>,
    /// The file it is in.
    pub file_id: Option<String>,
    /// A small picture of it.
    pub thumbnail_url: Option<String>,
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

/// A page of components.
#[model]
pub struct DesignComponentPage {
    /// The components.
    pub items: Vec<DesignComponent>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which components to list.
#[model(default)]
pub struct ListDesignComponents {
    /// The file.
    pub file_id: String,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A remark on a design.
#[model]
pub struct DesignComment {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// The file.
    pub file_id: Option<String>,
    /// Its text.
    pub text: Option<String>,
    /// Who wrote it.
    pub author: Option<Person>,
    /// The comment it answers.
    pub parent_id: Option<String>,
    /// The part of the file that it is about.
    pub node_id: Option<String>,
    /// When it was settled.
    pub resolved_at: Option<DateTime<Utc>>,
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

/// A page of comments.
#[model]
pub struct DesignCommentPage {
    /// The comments.
    pub items: Vec<DesignComment>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which comments to list.
#[model(default)]
pub struct ListDesignComments {
    /// The file.
    pub file_id: String,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A comment to write.
#[model(default)]
pub struct NewDesignComment {
    /// The file.
    pub file_id: String,
    /// Its text.
    pub text: String,
    /// The comment it answers.
    pub parent_id: Option<String>,
    /// The part of the file that it is about.
    pub node_id: Option<String>,
}

/// A folder of design documents.
#[model]
pub struct DesignProject {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// Its name.
    pub name: Option<String>,
    /// The team it belongs to.
    pub team_id: Option<String>,
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

/// A page of projects.
#[model]
pub struct DesignProjectPage {
    /// The projects.
    pub items: Vec<DesignProject>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which projects to list.
#[model(default)]
pub struct ListDesignProjects {
    /// The team. Some providers need it.
    pub team_id: Option<String>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// People who share projects.
#[model]
pub struct DesignTeam {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// Its name.
    pub name: Option<String>,
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

/// A page of teams.
#[model]
pub struct DesignTeamPage {
    /// The teams.
    pub items: Vec<DesignTeam>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// What a design is exported as.
#[model]
pub enum DesignFormat {
    /// A picture without loss.
    Png,
    /// A picture that is smaller.
    Jpg,
    /// Shapes.
    Svg,
    /// A document.
    Pdf,
}

/// What to export.
#[model(default)]
pub struct NewDesignExport {
    /// The file.
    pub file_id: String,
    /// The part of it, such as a frame. Default: all of it, where the provider can.
    pub node_id: Option<String>,
    /// What to make of it. Default: as the provider does.
    pub format: Option<DesignFormat>,
    /// How large: 2 is twice as large.
    pub scale: Option<f64>,
}

/// How far an export is.
#[model]
pub enum DesignExportStatus {
    /// Being made: ask again.
    InProgress,
    /// Made.
    Succeeded,
    /// It could not be made.
    Failed,
    /// A state of the provider's own: see `raw`.
    #[serde(other)]
    Other,
}

/// What was made of a design.
#[model]
pub struct DesignExport {
    /// The provider's id, where it takes a while: pass it to `get_export`.
    pub id: Option<String>,
    /// The provider's name.
    pub provider: String,
    /// How far it is, where the provider says so.
    pub status: Option<DesignExportStatus>,
    /// Where the results are, page by page. The addresses work for a while only.
    #[serde(default)]
    pub urls: Vec<String>,
    /// Until when they work.
    pub expires_at: Option<DateTime<Utc>>,
    /// What went wrong, in the provider's words.
    pub error: Option<String>,
    /// The provider's own record.
    pub raw: RawRecord,
}
