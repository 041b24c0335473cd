//! Storing what became of attempts: all that have ended since the last time in one transaction.

use super::{Crew, Phase};
use crate::jobs::store::{self, Claimed, Ended, Outcome};
use crate::jobs::{JobState, ended};
use crate::{JobId, Result};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc;

/// What became of an attempt.
pub(super) struct Finished {
    pub(super) outcome: Outcome,
    /// Whether the job is deleted instead of kept.
    pub(super) is_deleted: bool,
    pub(super) has_steps: bool,
    /// Whether the handler ended the job in a transaction of the host, if that was committed.
    pub(super) is_completed: bool,
}

/// How many outcomes go into one transaction.
const BATCH: usize = 2000;

impl Finished {
    /// A job that was taken and not started.
    pub(super) fn unstarted(job: &Claimed) -> Self {
        let outcome = Outcome {
            workspace: job.workspace,
            id: job.id,
            fence: job.fence,
            state: JobState::Waiting,
            run_at: None,
            output: None,
            error: None,
            keep_until: None,
            is_unspent: true,
        };
        Self { outcome, is_deleted: false, has_steps: false, is_completed: false }
    }

    fn key(&self) -> (JobId, i64) {
        (self.outcome.id, self.outcome.fence)
    }
}

/// Runs until the worker has stopped and everything is stored. `None` is the last message.
pub(super) async fn run(crew: Arc<Crew>, mut incoming: mpsc::UnboundedReceiver<Option<Finished>>) {
    let mut batch = Vec::new();
    let mut is_last = false;
    while !is_last && incoming.recv_many(&mut batch, BATCH).await > 0 {
        let count = batch.len();
        let finished: Vec<Finished> = batch.drain(..).flatten().collect();
        is_last = finished.len() < count;
        store_all(&crew, &finished).await;
        let mut held = super::lock(&crew.held);
        for finished in &finished {
            held.remove(&finished.key());
        }
        drop(held);
        crew.unstored.fetch_sub(finished.len(), Ordering::Relaxed);
        crew.freed.notify_one();
    }
}

/// Stores outcomes, however long the database does not answer: unless the worker is to end, or the jobs are no longer its own.
async fn store_all(crew: &Crew, finished: &[Finished]) {
    let mut pause = Duration::from_millis(20);
    loop {
        match flush(crew, finished).await {
            Ok(()) => return,
            Err(error) if error.is_retryable() => {
                if crew.phase() >= Phase::Draining && std::time::Instant::now() > crew.lease().until {
                    tracing::warn!(%error, jobs = finished.len(), "outcomes could not be stored: these jobs will be run again");
                    return;
                }
                tracing::debug!(%error, "outcomes cannot be stored yet; trying again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(1));
            }
            // One of them cannot be stored: the others still can.
            Err(_) if finished.len() > 1 => {
                for one in finished {
                    Box::pin(store_all(crew, std::slice::from_ref(one))).await;
                }
                return;
            }
            Err(error) => {
                tracing::error!(%error, reason = error.reason(), "an outcome cannot be stored: this job will be run again");
                return;
            }
        }
    }
}

async fn flush(crew: &Crew, finished: &[Finished]) -> Result<()> {
    if finished.is_empty() {
        return Ok(());
    }
    let now = crew.inner.now();
    let mut tx = crew.inner.db()?.begin().await?;
    let (deleted, kept): (Vec<_>, Vec<_>) = finished.iter().partition(|finished| finished.is_deleted);
    let outcomes: Vec<_> = kept.iter().map(|finished| &finished.outcome).collect();
    let mut done: Vec<Ended> = store::finish(&mut tx, &outcomes, now, ended::keep_until(now)).await?;
    let keys: Vec<_> = deleted.iter().map(|f| (f.outcome.workspace, f.outcome.id, f.outcome.fence)).collect();
    done.extend(store::delete(&mut tx, &keys, deleted.iter().any(|finished| finished.has_steps)).await?);
    for completed in finished.iter().filter(|finished| finished.is_completed) {
        let Outcome { workspace, id, fence, .. } = completed.outcome;
        // What followed from it was not the host's to do.
        done.extend(store::completed(&mut tx, workspace, id, fence).await?);
    }
    ended::follow(&mut tx, &done, now).await?;
    tx.commit().await?;
    if done.len() < finished.len() && tracing::enabled!(tracing::Level::DEBUG) {
        let stored: HashSet<_> = done.iter().map(|job| job.id).collect();
        let lost = finished.iter().filter(|finished| !stored.contains(&finished.outcome.id.0));
        lost.for_each(
            |finished| tracing::debug!(job.id = %finished.outcome.id, "an outcome came too late: the job was no longer ours"),
        );
    }
    Ok(())
}
