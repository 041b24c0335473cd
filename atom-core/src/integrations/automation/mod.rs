//! Automation: one shape for workflows at other services, and their runs.

mod model;

pub use model::{
    AutomationRun, AutomationRunPage, AutomationRunStatus, AutomationWorkflow, AutomationWorkflowPage, ListRuns, ListWorkflows,
    NewAutomationRun,
};

use super::engine;
use super::shared::MAX_PAGE;
use crate::Result;
use crate::connect::Connection;
use atom_macros::{api, handle};
use serde_json::json;

/// The workflows of a connected account.
///
/// Where the provider lacks an operation or an input, a call fails with `unsupported` before anything is sent. `not_found`,
/// `conflict`, `rate_limited` (wait for `retry_after`), `reauth_required` (connect the account again), `unavailable` (call again
/// later) and `provider` (change the input) are what the provider itself says.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let (_atom, connection) = atom_core::testing::example().await?;
/// use atom_core::{AutomationRunStatus, ListRuns, NewAutomationRun};
///
/// let automation = connection.automation();
/// assert!(automation.enable_workflow("invoices".into()).await?.is_enabled);
/// let run = NewAutomationRun { workflow_id: "invoices".into(), ..Default::default() };
/// let run = automation.start_run(run).await?;
///
/// let runs = ListRuns { workflow_id: Some("invoices".into()), ..Default::default() };
/// let runs = automation.list_runs(runs).await?;
/// assert_eq!(runs.items[0].id, run.id);
/// assert!(matches!(runs.items[0].status, Some(AutomationRunStatus::Running)));
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Automation {
    pub(crate) connection: Connection,
}

#[api]
impl Automation {
    /// Lists workflows, a page at a time.
    pub async fn list_workflows(&self, filter: ListWorkflows) -> Result<AutomationWorkflowPage> {
        let page = engine::list(&self.connection, "automation.list_workflows", MAX_PAGE, &filter).await?;
        Ok(AutomationWorkflowPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One workflow.
    pub async fn get_workflow(&self, id: String) -> Result<AutomationWorkflow> {
        engine::one(&self.connection, "automation.get_workflow", &json!({ "id": id })).await
    }

    /// Lets a workflow run when its trigger says so.
    pub async fn enable_workflow(&self, id: String) -> Result<AutomationWorkflow> {
        engine::one(&self.connection, "automation.enable_workflow", &json!({ "id": id })).await
    }

    /// Keeps a workflow from running.
    pub async fn disable_workflow(&self, id: String) -> Result<AutomationWorkflow> {
        engine::one(&self.connection, "automation.disable_workflow", &json!({ "id": id })).await
    }

    /// Lists runs, a page at a time.
    pub async fn list_runs(&self, filter: ListRuns) -> Result<AutomationRunPage> {
        let page = engine::list(&self.connection, "automation.list_runs", MAX_PAGE, &filter).await?;
        Ok(AutomationRunPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One run of a workflow.
    pub async fn get_run(&self, id: String, workflow_id: Option<String>) -> Result<AutomationRun> {
        engine::one(&self.connection, "automation.get_run", &json!({ "id": id, "workflow_id": workflow_id })).await
    }

    /// Runs a workflow now. Repeating the call runs it again.
    pub async fn start_run(&self, run: NewAutomationRun) -> Result<AutomationRun> {
        engine::one(&self.connection, "automation.start_run", &run).await
    }
}
