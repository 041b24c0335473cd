//! What follows from the end of a job, in the transaction that ends it.

use super::store::{self, Ended};
use super::{JobState, kinds};
use crate::Result;
use crate::storage::{Topic, Tx};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;

/// Until when a job that failed or was cancelled is kept.
pub(super) fn keep_until(now: DateTime<Utc>) -> DateTime<Utc> {
    now + TimeDelta::seconds(kinds::KEPT_FAILED)
}

/// Lets go on whatever waited for these jobs.
pub(super) async fn follow(tx: &mut Tx, ended: &[Ended], now: DateTime<Utc>) -> Result<()> {
    if ended.is_empty() {
        return Ok(());
    }
    tx.wakes(Topic::Ended);
    // A place under a limit is free again, or there is another attempt.
    if ended.iter().any(|job| job.lane != 0 || job.state == JobState::Waiting.as_str()) {
        tx.wakes(Topic::Jobs);
    }
    let mut parents = BTreeSet::new();
    for job in ended {
        if let Some(parent) = job.parent_id
            && job.state.parse::<JobState>()?.is_final()
        {
            parents.insert((job.workspace_id, parent));
        }
    }
    // In order, so that two workers that end jobs of the same batches do not wait for each other.
    for (workspace, parent) in parents {
        if store::release_parent(tx, workspace, parent, now, keep_until(now)).await?.is_some() {
            tx.wakes(Topic::Jobs);
        }
    }
    Ok(())
}
