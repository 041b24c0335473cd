//! What follows from the end of a job, in the transaction that ends it.

use super::store::{self, Ended};
use super::{JobState, kinds};
use crate::events::{self, BatchFinished, Draft, JobCancelled, JobFailed, JobInDoubt, JobSucceeded};
use crate::storage::{Topic, Tx};
use crate::{JobId, Result, UserId, WorkspaceId};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Until when a job that failed or was cancelled is kept.
pub(super) fn keep_until(now: DateTime<Utc>) -> DateTime<Utc> {
    now + TimeDelta::seconds(kinds::KEPT_FAILED)
}

/// Lets go on whatever waited for these jobs, and says in the workspaces' events what became of them.
pub(super) async fn follow(tx: &mut Tx, ended: &[Ended], now: DateTime<Utc>) -> Result<()> {
    if ended.is_empty() {
        return Ok(());
    }
    tx.wakes(Topic::Ended);
    // A place under a limit is free again, or there is another attempt, now or at a moment that nobody waits for yet.
    let again = [JobState::Waiting.as_str(), JobState::Delayed.as_str()];
    if ended.iter().any(|job| job.lane != 0 || again.contains(&job.state.as_str())) {
        tx.wakes(Topic::Jobs);
    }
    let (mut parents, mut finished) = (BTreeSet::new(), Vec::new());
    for job in ended {
        if let Some(parent) = job.parent_id
            && job.state.parse::<JobState>()?.is_final()
        {
            parents.insert((job.workspace_id, parent));
        }
    }
    // In order, so that two workers that end jobs of the same batches do not wait for each other.
    for (workspace, parent) in parents {
        if let Some(batch) = store::release_parent(tx, workspace, parent, now, keep_until(now)).await? {
            tx.wakes(Topic::Jobs);
            finished.push((workspace, parent, batch));
        }
    }
    announce(tx, ended, finished, now).await
}

/// Lets a batch go on whose last job ended without anybody seeing to it.
pub(super) async fn release(tx: &mut Tx, workspace: Uuid, parent: Uuid, now: DateTime<Utc>) -> Result<()> {
    if let Some(user) = store::release_parent(tx, workspace, parent, now, keep_until(now)).await? {
        tx.wakes(Topic::Jobs);
        announce(tx, &[], vec![(workspace, parent, user)], now).await?;
    }
    Ok(())
}

/// Appends the events. The installation's own jobs have no readers, and what succeeds says so only if its kind announces it.
async fn announce(tx: &mut Tx, ended: &[Ended], finished: Vec<(Uuid, Uuid, Option<Uuid>)>, now: DateTime<Utc>) -> Result<()> {
    let mut news = Vec::new();
    for job in ended.iter().filter(|job| !job.workspace_id.is_nil()) {
        let (job_id, kind, user_id) = (JobId(job.id), job.kind.clone(), job.user_id.map(UserId));
        let draft = match job.state.parse()? {
            JobState::Succeeded if job.announce => Draft::of(&JobSucceeded { job_id, kind, user_id })?,
            JobState::Failed => {
                Draft::of(&JobFailed { job_id, kind, user_id, reason: job.error_reason.clone().unwrap_or_default() })?
            }
            JobState::Cancelled => Draft::of(&JobCancelled { job_id, kind, user_id })?,
            JobState::InDoubt => Draft::of(&JobInDoubt { job_id, kind, user_id })?,
            JobState::Succeeded | JobState::Held | JobState::Delayed | JobState::Waiting | JobState::Running => continue,
        };
        news.push((WorkspaceId(job.workspace_id), draft));
    }
    for (workspace, batch, user) in finished.into_iter().filter(|batch| !batch.0.is_nil()) {
        news.push((WorkspaceId(workspace), Draft::of(&BatchFinished { batch_id: JobId(batch), user_id: user.map(UserId) })?));
    }
    events::append_all(tx, news, now).await
}
