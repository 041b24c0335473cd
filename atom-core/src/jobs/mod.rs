//! Durable jobs: work that is stored before it is done, and done by any process of the installation.
//!
//! A job is a row. [`enqueue`] stores it, in the transaction of what it belongs to; [`claim`] gives it to a worker, which holds a lease;
//! whatever the worker writes about it is fenced, so that a worker that lost its lease writes nothing; [`ended`] is what follows from
//! its end. A job is run at least once; what its handler does in a step, or in the transaction that completes it, happens once.

mod claim;
mod ended;
mod enqueue;
mod handler;
mod host;
mod kinds;
mod model;
mod queues;
mod rate;
mod retry;
mod running;
mod store;
mod worker;

pub use handler::{Handler, JobFailure};
pub use host::HostTransaction;
pub(crate) use kinds::Kinds;
pub use model::{
    Batch, EnqueuedJob, JobCount, JobFilter, JobKind, JobLimit, JobPage, JobProgress, JobState, NewBatch, NewJob, OnDuplicate,
    QueueStatus, RetryPolicy, StoredJob, UniqueJob, UniqueUntil, WorkerOptions, WorkerStatus,
};
pub use queues::Queues;
pub use running::{Effect, RecordedStep, RunningJob};
pub(crate) use running::{Run, Stop};
pub(crate) use store::{forget_user, forget_workspace, of_user};
pub use worker::Worker;
pub(crate) use worker::{Chore, WeakWorker, start};

use crate::atom::Inner;
use crate::storage::{Engine, Topic};
use crate::{Error, ErrorKind, JobId, Json, Result, UserId, WorkspaceId};
use atom_macros::{api, handle};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Whether any job of these kinds runs or could.
#[cfg(feature = "testing")]
pub(crate) async fn has_work(inner: &Inner, kinds: &[String]) -> Result<bool> {
    store::has_work(inner.db()?, kinds, inner.now()).await
}

/// The jobs of a workspace, or of the installation itself.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// use atom_core::{Atom, Handler, JobFailure, JobKind, JobState, Json, LocalKey, NewJob, WorkerOptions};
///
/// let greet = JobKind { name: "greet".into(), ..Default::default() };
/// let atom = Atom::builder(url).key(LocalKey::generate()?).job_kind(greet).open().await?;
/// let handler = Handler::new(|job| async move { Ok::<_, JobFailure>(Json(format!("Hello {}", job.input().0).into())) });
/// let worker = atom.start_worker([("greet".into(), handler)].into(), None).await?;
///
/// let new = NewJob { kind: "greet".into(), input: Some(Json("Ada".into())), ..Default::default() };
/// let job = atom.jobs().enqueue(new).await?;
/// let job = atom.jobs().wait(job.id, Some(5.0)).await?;
/// assert_eq!(job.state, JobState::Succeeded);
/// worker.stop().await?;
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Jobs {
    pub(crate) inner: Arc<Inner>,
    pub(crate) workspace: WorkspaceId,
    pub(crate) user: Option<UserId>,
}

#[api]
impl Jobs {
    /// Stores a job, to be run as soon as a worker is free.
    ///
    /// Fails with `invalid`: `unknown_job_kind`, `malformed_job`, `malformed_limit`, `malformed_retry`, `malformed_unique_key`,
    /// `job_too_large`.
    pub async fn enqueue(&self, job: NewJob) -> Result<EnqueuedJob> {
        self.store_one(job).await
    }

    /// Stores many jobs in one transaction: all of them or none. The answers are in the same order.
    ///
    /// Fails as `enqueue` does.
    pub async fn enqueue_many(&self, jobs: Vec<NewJob>) -> Result<Vec<EnqueuedJob>> {
        self.store(jobs).await
    }

    /// Stores jobs that belong together, and the job that runs after the last of them.
    ///
    /// Fails as `enqueue` does, and with `invalid` (`empty_batch`, `malformed_batch`).
    pub async fn enqueue_batch(&self, batch: NewBatch) -> Result<Batch> {
        self.store_batch(batch).await
    }

    /// How far a batch has come. Fails with `not_found`.
    pub async fn batch(&self, id: JobId) -> Result<Batch> {
        store::batch(self.inner.db()?, self.workspace, id).await
    }

    /// The SQL statement that stores a job, for the host's own transaction on the same database, in any language and with any driver. It
    /// has no parameters, and changes no row if a unique job is there already. Workers notice the job when they look next (`poll_seconds`), or
    /// when something else wakes them.
    ///
    /// Fails as `enqueue` does, and with `invalid` (`unsupported_in_statement`) for a job with a limit, one that replaces others or one that
    /// is the only one `for_seconds`.
    pub async fn statement(&self, job: NewJob) -> Result<String> {
        let postgres = matches!(self.inner.db()?.engine, Engine::Pg(_));
        store::statement(&self.row(job)?, postgres)
    }

    /// A job. Fails with `not_found`, also once it is no longer kept.
    pub async fn get(&self, id: JobId) -> Result<StoredJob> {
        store::get(self.inner.db()?, self.workspace, id).await
    }

    /// The jobs that fit, newest first. Fails with `invalid` (`malformed_page_size`, `malformed_cursor`).
    pub async fn list(&self, filter: JobFilter) -> Result<JobPage> {
        store::list(self.inner.db()?, self.workspace, &filter).await
    }

    /// How many jobs stand where.
    pub async fn counts(&self) -> Result<Vec<JobCount>> {
        store::counts(self.inner.db()?, self.workspace).await
    }

    /// Waits until a job has ended for good, at most so many seconds. Default: 60.
    ///
    /// Fails with `not_found`, also for a job that is deleted as soon as it succeeds, and with `unavailable` (`job_not_ended`).
    pub async fn wait(&self, id: JobId, timeout_seconds: Option<f64>) -> Result<StoredJob> {
        let db = self.inner.db()?;
        let patience = Duration::try_from_secs_f64(timeout_seconds.unwrap_or(60.0).clamp(0.0, 1e8)).unwrap_or_default();
        let deadline = Instant::now() + patience;
        let mut ends = db.subscribe(Topic::Ended);
        // The end of a job in another process is not announced.
        let mut pause = Duration::from_millis(20);
        loop {
            ends.mark_unchanged();
            match store::has_ended(db, self.workspace, id).await? {
                None => return Err(Error::not_found("job")),
                Some(true) => return self.get(id).await,
                Some(false) if Instant::now() >= deadline => {
                    let text = "the job has not ended in this time: wait again, or look at what it does";
                    return Err(Error::new(ErrorKind::Unavailable, "job_not_ended", text));
                }
                Some(false) => {}
            }
            let look = tokio::time::sleep_until(deadline.min(Instant::now() + pause));
            tokio::select! {
                _ = ends.changed() => {}
                () = look => pause = (pause * 2).min(Duration::from_secs(1)),
            }
        }
    }

    /// Cancels a job: at once if it waits; a running one is told, and ends as soon as its handler does. True if it had not ended.
    ///
    /// Fails with `not_found`.
    pub async fn cancel(&self, id: JobId) -> Result<bool> {
        let db = self.inner.db()?;
        let now = self.inner.now();
        let mut tx = db.begin().await?;
        let Some(cancelled) = store::cancel(tx.conn(), self.workspace, id, now, ended::keep_until(now)).await? else {
            drop(tx);
            return store::has_ended(db, self.workspace, id).await?.map(|_| false).ok_or_else(|| Error::not_found("job"));
        };
        ended::follow(&mut tx, &[cancelled], now).await?;
        // A worker of this or another process may be running it.
        tx.wakes(Topic::Jobs);
        tx.commit().await?;
        Ok(true)
    }

    /// Has a dead letter or a cancelled job run again, with all its attempts.
    ///
    /// Fails with `not_found`, and with `conflict` (`job_not_ended`) for a job that neither failed nor was cancelled.
    pub async fn replay(&self, id: JobId) -> Result<()> {
        let db = self.inner.db()?;
        let mut tx = db.begin().await?;
        if !store::replay(tx.conn(), self.workspace, id, self.inner.now()).await? {
            drop(tx);
            self.get(id).await?;
            let text = "only a job that failed or was cancelled can be replayed: enqueue a new one";
            return Err(Error::new(ErrorKind::Conflict, "job_not_ended", text));
        }
        tx.wakes(Topic::Jobs);
        tx.commit().await
    }

    /// Has all dead letters run again: of one kind, or of all. Returns how many.
    pub async fn replay_all(&self, kind: Option<String>) -> Result<i64> {
        let mut tx = self.inner.db()?.begin().await?;
        let count = store::replay_all(tx.conn(), self.workspace, kind.as_deref(), self.inner.now()).await?;
        tx.wakes(Topic::Jobs);
        tx.commit().await?;
        Ok(count)
    }

    /// Settles a job that is in doubt, by somebody who found out what became of its step: it was done, with this outcome; or, without
    /// one, it was not done. Then the job goes on.
    ///
    /// Fails with `conflict` (`step_not_in_doubt`) and `invalid` (`malformed_job`, `job_too_large`).
    pub async fn settle(&self, id: JobId, step: String, outcome: Option<Json>) -> Result<()> {
        outcome.as_ref().map_or(Ok(()), |outcome| kinds::check_value(outcome, "outcome of a step"))?;
        let now = self.inner.now();
        let mut tx = self.inner.db()?.begin_durable().await?;
        // No step has such a name, and PostgreSQL would take it for an error of ours.
        if step.contains('\0') || !store::settle_step(tx.conn(), (self.workspace.0, id.0), &step, outcome.as_ref(), now).await? {
            let text = "this step of the job is not in doubt: read the job again";
            return Err(Error::new(ErrorKind::Conflict, "step_not_in_doubt", text));
        }
        store::go_on(tx.conn(), self.workspace, id, now).await?;
        tx.wakes(Topic::Jobs);
        tx.commit().await
    }
}
