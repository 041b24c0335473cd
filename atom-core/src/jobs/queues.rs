//! The queues and workers of the installation, over all workspaces.

use super::{QueueStatus, WorkerStatus, kinds, store};
use crate::Result;
use crate::atom::Inner;
use crate::storage::Topic;
use atom_macros::{api, handle};
use std::sync::Arc;

/// The queues of the installation, for whoever operates it.
#[handle]
pub struct Queues {
    pub(crate) inner: Arc<Inner>,
}

#[api]
impl Queues {
    /// All queues that have jobs or were paused.
    pub async fn list(&self) -> Result<Vec<QueueStatus>> {
        store::queues(self.inner.db()?, self.inner.now()).await
    }

    /// The workers that live, or did a moment ago.
    pub async fn workers(&self) -> Result<Vec<WorkerStatus>> {
        store::workers(self.inner.db()?).await
    }

    /// Holds the jobs of a queue back, in every process. Those that run go on. Fails with `invalid` (`malformed_queue`).
    pub async fn pause(&self, queue: String) -> Result<()> {
        kinds::check_queue(Some(&queue))?;
        store::pause(self.inner.db()?, &queue, self.inner.now()).await
    }

    /// Lets the jobs of a queue run again. Fails with `invalid` (`malformed_queue`).
    pub async fn resume(&self, queue: String) -> Result<()> {
        kinds::check_queue(Some(&queue))?;
        let mut tx = self.inner.db()?.begin().await?;
        store::resume(&mut tx, &queue).await?;
        tx.wakes(Topic::Jobs);
        tx.commit().await
    }
}
