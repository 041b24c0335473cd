//! Firing: of all workers that see a moment come, one enqueues its job, in the transaction that moves the schedule on.

use super::store::{self, ScheduleRow};
use super::{MissedRuns, ScheduleRule};
use crate::atom::Inner;
use crate::jobs::{Chore, Jobs};
use crate::storage::Topic;
use crate::{Result, UserId, WorkspaceId};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;
use std::time::Duration;

/// How many missed moments fire in one transaction.
const AT_ONCE: usize = 100;

/// What a worker does for schedules.
pub(crate) const CHORE: Chore = Chore {
    name: "schedules",
    every: Duration::from_secs(2),
    topic: Some(Topic::Schedules),
    run: |inner| Box::pin(async move { fire(&inner).await }),
};

/// Fires what is due, and returns when something will be.
pub(crate) async fn fire(inner: &Arc<Inner>) -> Result<Option<DateTime<Utc>>> {
    let db = inner.db()?;
    loop {
        let due = store::due(db, inner.now()).await?;
        if due.is_empty() {
            return store::next(db).await;
        }
        for row in due {
            let (workspace, name) = (row.workspace_id, row.name.clone());
            if let Err(error) = fire_one(inner, row).await {
                if error.is_retryable() {
                    return Err(error);
                }
                // It would be due for ever, and keep the others waiting.
                tracing::error!(schedule = name, %error, reason = error.reason(), "a schedule cannot fire and is paused");
                let mut tx = db.begin().await?;
                store::pause(&mut tx, WorkspaceId(workspace), &name, Some(inner.now())).await?;
                tx.commit().await?;
            }
        }
    }
}

async fn fire_one(inner: &Arc<Inner>, row: ScheduleRow) -> Result<()> {
    let now = inner.now();
    let rule = ScheduleRule::recurrence(&row.rule.0, row.created_at.0)?;
    let missed: MissedRuns = row.missed.parse()?;
    // The moment itself has not been dealt with.
    let before = row.next_at.map_or(now, |at| at.0) - TimeDelta::microseconds(1);
    let due = rule.due(before, now, missed, AT_ONCE);
    let mut tx = inner.db()?.begin().await?;
    if !store::advance(&mut tx, &row, due.occurrences.last().copied(), rule.next_after(due.through)).await? {
        return Ok(());
    }
    let jobs = Jobs { inner: Arc::clone(inner), workspace: WorkspaceId(row.workspace_id), user: row.user_id.map(UserId) };
    for moment in due.occurrences {
        let mut job = row.job.0.clone();
        job.run_at = Some(moment);
        jobs.enqueue_filled(&mut tx, job).await?;
    }
    tx.commit().await
}
