//! Tasks: one shape for issues, tickets and cards of every tracker.

mod model;

pub use model::{
    ListComments, ListProjects, ListTasks, NewTask, RemoteProject, RemoteProjectPage, RemoteTask, RemoteTaskPage, TaskComment,
    TaskCommentPage, TaskPatch, TaskPriority, TaskStatus,
};

use super::engine;
use super::shared::{MAX_PAGE, changed};
use crate::Result;
use crate::connect::Connection;
use atom_macros::{api, handle};
use serde_json::json;

/// The tasks of a connected account.
///
/// Where the provider lacks an operation or an input, a call fails with `unsupported` before anything is sent. `not_found`,
/// `conflict`, `rate_limited` (wait for `retry_after`), `reauth_required` (connect the account again), `unavailable` (call again
/// later) and `provider` (change the input) are what the provider itself says.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let (_atom, connection) = atom_core::testing::example().await?;
/// use atom_core::{ListTasks, NewTask, TaskPatch, TaskStatus};
///
/// let tasks = connection.tasks();
/// let task = tasks.create(NewTask { title: "Punch the cards".into(), ..Default::default() }).await?;
/// tasks.update(task.id, TaskPatch { status: Some(TaskStatus::Done), ..Default::default() }).await?;
///
/// let done = tasks.list(ListTasks { status: Some(TaskStatus::Done), ..Default::default() }).await?;
/// assert_eq!(done.items[0].title, "Punch the cards");
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct RemoteTasks {
    pub(crate) connection: Connection,
}

#[api]
impl RemoteTasks {
    /// Lists projects, a page at a time.
    pub async fn list_projects(&self, filter: ListProjects) -> Result<RemoteProjectPage> {
        let page = engine::list(&self.connection, "tasks.list_projects", MAX_PAGE, &filter).await?;
        Ok(RemoteProjectPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One project.
    pub async fn get_project(&self, id: String) -> Result<RemoteProject> {
        engine::one(&self.connection, "tasks.get_project", &json!({ "id": id })).await
    }

    /// Lists tasks, a page at a time: pass `next_cursor` back as `cursor` for the next one.
    pub async fn list(&self, filter: ListTasks) -> Result<RemoteTaskPage> {
        let page = engine::list(&self.connection, "tasks.list", MAX_PAGE, &filter).await?;
        Ok(RemoteTaskPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One task.
    pub async fn get(&self, id: String) -> Result<RemoteTask> {
        engine::one(&self.connection, "tasks.get", &json!({ "id": id })).await
    }

    /// Creates a task. Repeating the call creates another, unless the provider recognizes the repetition.
    pub async fn create(&self, task: NewTask) -> Result<RemoteTask> {
        engine::one(&self.connection, "tasks.create", &task).await
    }

    /// Changes a task: only what is given.
    pub async fn update(&self, id: String, changes: TaskPatch) -> Result<RemoteTask> {
        engine::one(&self.connection, "tasks.update", &changed(&id, &changes)?).await
    }

    /// Deletes a task.
    pub async fn remove(&self, id: String) -> Result<()> {
        engine::done(&self.connection, "tasks.delete", &json!({ "id": id })).await
    }

    /// Lists a task's comments, a page at a time.
    pub async fn list_comments(&self, filter: ListComments) -> Result<TaskCommentPage> {
        let page = engine::list(&self.connection, "tasks.list_comments", MAX_PAGE, &filter).await?;
        Ok(TaskCommentPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// Writes a comment to a task. Repeating the call writes another.
    pub async fn add_comment(&self, task_id: String, text: String) -> Result<TaskComment> {
        engine::one(&self.connection, "tasks.add_comment", &json!({ "task_id": task_id, "text": text })).await
    }
}
