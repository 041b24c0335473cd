//! A job that is being run, as its handler sees it.

use crate::{JobId, Json, Result, UserId, WorkspaceId};
use atom_macros::{api, handle};
use std::sync::Arc;
use tokio::sync::watch;

/// The job that a handler is running.
#[handle]
pub struct RunningJob {
    run: Arc<Run>,
}

/// One attempt.
pub(crate) struct Run {
    pub(crate) workspace: WorkspaceId,
    pub(crate) id: JobId,
    pub(crate) user: Option<UserId>,
    pub(crate) kind: String,
    pub(crate) input: Json,
    pub(crate) attempt: i32,
    /// Turns true when the attempt is to end.
    pub(crate) stop: watch::Receiver<bool>,
}

impl RunningJob {
    pub(crate) fn new(run: Run) -> Self {
        Self { run: Arc::new(run) }
    }
}

#[api]
impl RunningJob {
    /// The job's id.
    pub fn id(&self) -> JobId {
        self.run.id
    }

    /// What kind of job it is.
    pub fn kind(&self) -> String {
        self.run.kind.clone()
    }

    /// The workspace it belongs to.
    pub fn workspace_id(&self) -> WorkspaceId {
        self.run.workspace
    }

    /// On whose behalf it was enqueued, if on someone's.
    pub fn user_id(&self) -> Option<UserId> {
        self.run.user
    }

    /// What it was enqueued with.
    pub fn input(&self) -> Json {
        self.run.input.clone()
    }

    /// Which attempt this is: 1, 2, 3, …
    pub fn attempt(&self) -> i32 {
        self.run.attempt
    }

    /// Whether this attempt is to end: the job was cancelled, its time is over, the worker stops or has lost the job to another.
    pub fn is_cancelled(&self) -> bool {
        *self.run.stop.borrow()
    }

    /// Waits until this attempt is to end.
    pub async fn cancelled(&self) -> Result<()> {
        let mut stop = self.run.stop.clone();
        // An engine that is gone wants nothing any more.
        let _ = stop.wait_for(|stop| *stop).await;
        Ok(())
    }
}
