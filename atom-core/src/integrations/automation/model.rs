//! What the automation API takes and returns.

use crate::{Json, RawRecord};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// A workflow: a scenario, a zap.
#[model]
pub struct AutomationWorkflow {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// Its name.
    pub name: Option<String>,
    /// More about it.
    pub description: Option<String>,
    /// Whether it runs when its trigger says so.
    #[serde(default)]
    pub is_enabled: bool,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The folder, team or project it is in.
    pub folder_id: Option<String>,
    /// When it ran last, where the provider says so.
    pub last_run_at: Option<DateTime<Utc>>,
    /// When it will run next, where it has a schedule.
    pub next_run_at: Option<DateTime<Utc>>,
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

/// A page of workflows.
#[model]
pub struct AutomationWorkflowPage {
    /// The workflows.
    pub items: Vec<AutomationWorkflow>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which workflows to list.
#[model(default)]
pub struct ListWorkflows {
    /// Only those that are enabled, or not.
    pub is_enabled: Option<bool>,
    /// Only those that have this text.
    pub search: Option<String>,
    /// Only those in this folder, team or project. Some providers need it.
    pub folder_id: Option<String>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// How far a run is.
#[model]
pub enum AutomationRunStatus {
    /// It waits: for its turn, or for something it asked for.
    Waiting,
    /// It runs.
    Running,
    /// It did what it should.
    Succeeded,
    /// It did not.
    Failed,
    /// It was stopped.
    Cancelled,
    /// A state of the provider's own: see `raw`.
    #[serde(other)]
    Other,
}

/// One run of a workflow.
#[model]
pub struct AutomationRun {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// The workflow.
    pub workflow_id: Option<String>,
    /// How far it is.
    pub status: Option<AutomationRunStatus>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<i64>,
    /// What began it, in the provider's words: `webhook`.
    pub trigger: Option<String>,
    /// What went wrong, in the provider's words.
    pub error: Option<String>,
    /// What came out, where the provider tells.
    pub output: Option<Json>,
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

/// A page of runs.
#[model]
pub struct AutomationRunPage {
    /// The runs.
    pub items: Vec<AutomationRun>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which runs to list.
#[model(default)]
pub struct ListRuns {
    /// Only those of this workflow. Some providers need it.
    pub workflow_id: Option<String>,
    /// Only those in this state.
    pub status: Option<AutomationRunStatus>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A run to begin.
#[model(default)]
pub struct NewAutomationRun {
    /// The workflow.
    pub workflow_id: String,
    /// What it is given.
    pub input: Option<Json>,
}
