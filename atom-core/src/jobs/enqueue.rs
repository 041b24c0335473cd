//! Storing jobs.

use super::store::{self, NewRun};
use super::{Batch, EnqueuedJob, HostTransaction, JobState, Jobs, NewBatch, NewJob, kinds};
use crate::storage::{CHANNEL, Conn, Topic, Tx};
use crate::{Error, JobId, Result};
use std::collections::BTreeMap;

impl Jobs {
    /// Stores a job in the host's own transaction: it is there if that commits, and not if it does not.
    ///
    /// Fails as [`enqueue`](Jobs::enqueue) does.
    pub async fn enqueue_in(&self, transaction: impl Into<HostTransaction<'_>>, job: NewJob) -> Result<EnqueuedJob> {
        let HostTransaction(mut conn) = transaction.into();
        let run = self.row(job)?;
        let enqueued = store_one(conn.again(), &run).await?;
        // Sent when the host commits. On SQLite other connections notice the commit by themselves.
        if let Conn::Pg(c) = conn {
            sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(format!("{}:", Topic::Jobs as u8)).execute(c).await?;
        }
        Ok(enqueued)
    }

    /// Stores a job in one of our own transactions.
    pub(crate) async fn enqueue_with(&self, tx: &mut Tx, job: NewJob) -> Result<EnqueuedJob> {
        let run = self.row(job)?;
        tx.wakes(Topic::Jobs);
        store_one(tx.conn(), &run).await
    }

    pub(super) fn row(&self, job: NewJob) -> Result<NewRun> {
        Ok(kinds::row(self.workspace, self.user, self.inner.kinds.filled(job)?, self.inner.now()))
    }

    /// Stores a job that was checked and got its defaults before, perhaps by another process.
    pub(crate) async fn enqueue_filled(&self, tx: &mut Tx, job: NewJob) -> Result<EnqueuedJob> {
        tx.wakes(Topic::Jobs);
        store_one(tx.conn(), &kinds::row(self.workspace, self.user, job, self.inner.now())).await
    }

    pub(super) async fn store_one(&self, job: NewJob) -> Result<EnqueuedJob> {
        let (run, db) = (self.row(job)?, self.inner.db()?);
        if run.limit.is_some() || run.unique.is_some() {
            let mut tx = db.begin().await?;
            tx.wakes(Topic::Jobs);
            let enqueued = store_one(tx.conn(), &run).await?;
            tx.commit().await?;
            return Ok(enqueued);
        }
        let mut single = db.single().await?;
        store::insert_all(single.conn(), &[&run]).await?;
        single.keep();
        db.announce(Topic::Jobs);
        Ok(EnqueuedJob { id: run.id, is_duplicate: false })
    }

    pub(super) async fn store(&self, jobs: Vec<NewJob>) -> Result<Vec<EnqueuedJob>> {
        let runs = jobs.into_iter().map(|job| self.row(job)).collect::<Result<Vec<_>>>()?;
        let mut tx = self.inner.db()?.begin().await?;
        tx.wakes(Topic::Jobs);
        let enqueued = store_all(&mut tx, &runs).await?;
        tx.commit().await?;
        Ok(enqueued)
    }

    pub(super) async fn store_batch(&self, batch: NewBatch) -> Result<Batch> {
        let total = i32::try_from(batch.jobs.len()).unwrap_or(i32::MAX);
        if total == 0 {
            return Err(Error::invalid("empty_batch", "a batch has at least one job"));
        }
        let mut parent = match batch.then {
            Some(job) if job.unique.is_some() => {
                return Err(Error::invalid(
                    "malformed_batch",
                    "the job after a batch cannot be unique: make the batch's first job so",
                ));
            }
            Some(job) => self.row(job)?,
            None => self.bare_batch(),
        };
        (parent.state, parent.children) = (JobState::Held, Some(total));
        let mut runs = batch.jobs.into_iter().map(|job| self.row(job)).collect::<Result<Vec<_>>>()?;
        if runs.iter().any(|run| run.unique.is_some()) {
            return Err(Error::invalid(
                "malformed_batch",
                "a job of a batch cannot be unique: it might belong to another batch already",
            ));
        }
        runs.iter_mut().for_each(|run| run.parent = Some(parent.id));
        let id = parent.id;
        runs.push(parent);
        let mut tx = self.inner.db()?.begin().await?;
        tx.wakes(Topic::Jobs);
        store_all(&mut tx, &runs).await?;
        tx.commit().await?;
        Ok(Batch { id, total: i64::from(total), pending: i64::from(total), succeeded: 0, failed: 0, cancelled: 0 })
    }

    /// A run that does nothing but wait for its batch.
    fn bare_batch(&self) -> NewRun {
        let now = self.inner.now();
        NewRun {
            workspace: self.workspace,
            id: JobId::generate(),
            shape: "batch",
            kind: "atom.batch".into(),
            queue: "atom".into(),
            lane: 0,
            limit: None,
            state: JobState::Held,
            priority: 0,
            run_at: now,
            input: Default::default(),
            max_attempts: 1,
            retry: None,
            timeout_ms: None,
            keep_seconds: kinds::KEPT,
            announce: false,
            unique: None,
            parent: None,
            children: None,
            user: self.user,
            created_at: now,
        }
    }
}

async fn store_one(mut conn: Conn<'_>, run: &NewRun) -> Result<EnqueuedJob> {
    if let Some(limit) = &run.limit {
        store::open_limit(conn.again(), run.workspace, run.lane, limit).await?;
    }
    let (id, is_duplicate) = store::insert(conn, run).await?;
    Ok(EnqueuedJob { id, is_duplicate })
}

/// Takes the rows of limits and of unique keys in one order: two transactions that took them in different orders would wait for each
/// other.
async fn store_all(tx: &mut Tx, runs: &[NewRun]) -> Result<Vec<EnqueuedJob>> {
    // Of several limits for one key, the last holds.
    let opened: BTreeMap<i64, _> = runs.iter().filter_map(|run| Some((run.lane, (run.workspace, run.limit.as_ref()?)))).collect();
    for (lane, (workspace, limit)) in opened {
        store::open_limit(tx.conn(), workspace, lane, limit).await?;
    }
    let plain: Vec<&NewRun> = runs.iter().filter(|run| run.unique.is_none()).collect();
    store::insert_all(tx.conn(), &plain).await?;
    let mut enqueued: Vec<_> = runs.iter().map(|run| EnqueuedJob { id: run.id, is_duplicate: false }).collect();
    let mut unique: Vec<_> = runs.iter().enumerate().filter_map(|(i, run)| Some((run.unique.as_ref()?.key, i))).collect();
    unique.sort_unstable();
    for (_, i) in unique {
        let (id, is_duplicate) = store::insert(tx.conn(), &runs[i]).await?;
        enqueued[i] = EnqueuedJob { id, is_duplicate };
    }
    Ok(enqueued)
}
