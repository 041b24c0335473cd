//! What the tasks API takes and returns.

use crate::integrations::shared::Person;
use crate::{Json, RawRecord};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// How far a task is.
#[model]
pub enum TaskStatus {
    /// Not begun.
    Open,
    /// Being worked on.
    InProgress,
    /// Waiting.
    OnHold,
    /// Finished.
    Done,
    /// Given up.
    Cancelled,
    /// A state of the provider's own: see `provider_status`.
    #[serde(other)]
    Other,
}

/// How urgent a task is.
#[model]
pub enum TaskPriority {
    /// Not said.
    None,
    /// It can wait.
    Low,
    /// As usual.
    Normal,
    /// Before others.
    High,
    /// At once.
    Urgent,
    /// A priority of the provider's own: see `raw`.
    #[serde(other)]
    Other,
}

/// A project, board or list of tasks at a provider.
#[model]
pub struct RemoteProject {
    /// The provider's id: pass it as `project_id`.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// More about it.
    pub description: Option<String>,
    /// Whether it is put away.
    #[serde(default)]
    pub is_archived: bool,
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
pub struct RemoteProjectPage {
    /// The projects.
    pub items: Vec<RemoteProject>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which projects to list.
#[model(default)]
pub struct ListProjects {
    /// Only those whose name has this text.
    pub search: Option<String>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A task, issue, ticket or card at a provider.
#[model]
pub struct RemoteTask {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// What is to be done.
    #[serde(default)]
    pub title: String,
    /// More about it, as plain text or Markdown.
    pub description: Option<String>,
    /// How far it is.
    pub status: Option<TaskStatus>,
    /// The provider's own state: its name or id.
    pub provider_status: Option<String>,
    /// How urgent it is.
    pub priority: Option<TaskPriority>,
    /// The provider's own type: `Bug`, `Story`.
    pub kind: Option<String>,
    /// Who does it.
    #[serde(default)]
    pub assignees: Vec<Person>,
    /// Who made it.
    pub creator: Option<Person>,
    /// The project it is in.
    pub project_id: Option<String>,
    /// The task it is a part of.
    pub parent_id: Option<String>,
    /// When it starts.
    pub starts_at: Option<DateTime<Utc>>,
    /// When it is due. Where the provider knows days only: midnight UTC.
    pub due_at: Option<DateTime<Utc>>,
    /// When it was finished.
    pub completed_at: Option<DateTime<Utc>>,
    /// Its labels.
    #[serde(default)]
    pub tags: Vec<String>,
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

/// A page of tasks.
#[model]
pub struct RemoteTaskPage {
    /// The tasks.
    pub items: Vec<RemoteTask>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which tasks to list.
#[model(default)]
pub struct ListTasks {
    /// Only those of this project. Some providers need it.
    pub project_id: Option<String>,
    /// Only those of this person.
    pub assignee_id: Option<String>,
    /// Only those in this state.
    pub status: Option<TaskStatus>,
    /// Only those that have this text.
    pub search: Option<String>,
    /// Only those that changed after this moment.
    pub updated_after: Option<DateTime<Utc>>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A task to create.
#[model(default)]
pub struct NewTask {
    /// What is to be done.
    pub title: String,
    /// More about it.
    pub description: Option<String>,
    /// How far it is. Default: as the provider does.
    pub status: Option<TaskStatus>,
    /// The provider's own state instead, as a task shows it.
    pub provider_status: Option<String>,
    /// How urgent it is.
    pub priority: Option<TaskPriority>,
    /// Who does it: ids of people. Providers with one assignee take the first.
    pub assignee_ids: Option<Vec<String>>,
    /// The project to put it in. Most providers need it.
    pub project_id: Option<String>,
    /// The task it is a part of.
    pub parent_id: Option<String>,
    /// When it starts.
    pub starts_at: Option<DateTime<Utc>>,
    /// When it is due.
    pub due_at: Option<DateTime<Utc>>,
    /// Its labels.
    pub tags: Option<Vec<String>>,
    /// The provider's own type. Some providers need it.
    pub kind: Option<String>,
}

/// What to change of a task. What is left out stays as it is.
#[model(default)]
pub struct TaskPatch {
    /// What is to be done.
    pub title: Option<String>,
    /// More about it.
    pub description: Option<String>,
    /// How far it is.
    pub status: Option<TaskStatus>,
    /// The provider's own state instead.
    pub provider_status: Option<String>,
    /// How urgent it is.
    pub priority: Option<TaskPriority>,
    /// Who does it, instead of those who do.
    pub assignee_ids: Option<Vec<String>>,
    /// The project to move it to.
    pub project_id: Option<String>,
    /// The task it is a part of.
    pub parent_id: Option<String>,
    /// When it starts.
    pub starts_at: Option<DateTime<Utc>>,
    /// When it is due.
    pub due_at: Option<DateTime<Utc>>,
    /// Its labels, instead of those it has.
    pub tags: Option<Vec<String>>,
    /// The provider's own type.
    pub kind: Option<String>,
}

/// What somebody wrote to a task.
#[model]
pub struct TaskComment {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// The task.
    pub task_id: Option<String>,
    /// What was written.
    pub text: Option<String>,
    /// Who wrote it.
    pub author: Option<Person>,
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
pub struct TaskCommentPage {
    /// The comments.
    pub items: Vec<TaskComment>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which comments to list.
#[model(default)]
pub struct ListComments {
    /// The task.
    pub task_id: String,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}
