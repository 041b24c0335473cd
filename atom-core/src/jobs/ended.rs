//! What follows from the end of a job, in the transaction that ends it.

use super::store::{self, Ended};
use super::{JobState, kinds};
use crate::events::{self, BatchFinished, JobCancelled, JobFailed, JobInDoubt, JobSucceeded};
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
    // A place under a limit is free again, or there is another attempt.
    if ended.iter().any(|job| job.lane != 0 || job.state == JobState::Waiting.as_str()) {
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

/// Appends events, workspace by workspace in one order: two workers that took the logs of two workspaces in different orders would wait
/// for each other. The installation's own jobs have no readers.
async fn announce(tx: &mut Tx, ended: &[Ended], finished: Vec<(Uuid, Uuid, Option<Uuid>)>, now: DateTime<Utc>) -> Result<()> {
    let worth = |job: &&Ended| {
        !job.workspace_id.is_nil()
            && (job.announce || !matches!(job.state.as_str(), "succeeded" | "waiting" | "delayed" | "running"))
    };
    let mut told: Vec<&Ended> = ended.iter().filter(worth).collect();
    told.sort_by_key(|job| job.workspace_id);
    let workspaces: BTreeSet<Uuid> =
        told.iter().map(|job| job.workspace_id).chain(finished.iter().map(|batch| batch.0)).collect();
    for id in workspaces.into_iter().filter(|id| !id.is_nil()) {
        let workspace = WorkspaceId(id);
        for job in told.iter().filter(|job| job.workspace_id == id) {
            let (job_id, kind, user_id) = (JobId(job.id), job.kind.clone(), job.user_id.map(UserId));
            let reason = job.error_reason.clone().unwrap_or_default();
            match job.state.parse()? {
                JobState::Succeeded => events::append(tx, workspace, JobSucceeded { job_id, kind, user_id }, now).await?,
                JobState::Failed => events::append(tx, workspace, JobFailed { job_id, kind, user_id, reason }, now).await?,
                JobState::Cancelled => events::append(tx, workspace, JobCancelled { job_id, kind, user_id }, now).await?,
                JobState::InDoubt => events::append(tx, workspace, JobInDoubt { job_id, kind, user_id }, now).await?,
                JobState::Held | JobState::Delayed | JobState::Waiting | JobState::Running => {}
            }
        }
        for (_, batch, user) in finished.iter().filter(|batch| batch.0 == id) {
            events::append(tx, workspace, BatchFinished { batch_id: JobId(*batch), user_id: user.map(UserId) }, now).await?;
        }
    }
    Ok(())
}
