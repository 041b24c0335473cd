//! What becomes of counts: hours become days after a week, and days are forgotten after 400.

use super::store::{self, Bucket, Sums};
use crate::atom::Inner;
use crate::jobs::Chore;
use crate::{ConnectionId, Result, WorkspaceId};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// How long hours are kept, in days.
const HOURS_KEPT: i64 = 7;
/// How long days are kept.
pub(super) const DAYS_KEPT: i64 = 400;
/// How many hours are looked at together.
const BATCH: i64 = 200;

/// What a worker does for the counts.
pub(crate) const CHORE: Chore = Chore {
    name: "usage of connections",
    every: Duration::from_secs(3600),
    topic: None,
    run: |inner| Box::pin(async move { tidy(&inner).await.map(|()| None) }),
};

/// The first hour that is still one: what began earlier may be part of a day.
pub(super) fn hours_since(now: DateTime<Utc>) -> DateTime<Utc> {
    start_of_day(now - TimeDelta::days(HOURS_KEPT))
}

fn start_of_day(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::days(1)).unwrap_or(at)
}

async fn tidy(inner: &Arc<Inner>) -> Result<()> {
    let (db, now) = (inner.db()?, inner.now());
    loop {
        let hours = store::hours_before(db, hours_since(now), BATCH).await?;
        if hours.is_empty() {
            return store::delete_days(db, start_of_day(now - TimeDelta::days(DAYS_KEPT))).await;
        }
        // In one order, in every process.
        let days: BTreeSet<(WorkspaceId, ConnectionId, DateTime<Utc>)> = hours
            .iter()
            .map(|hour| (WorkspaceId(hour.workspace_id), ConnectionId(hour.connection_id), start_of_day(hour.starts_at.0)))
            .collect();
        let mut tx = db.begin().await?;
        for (workspace, connection, day) in days {
            let taken = store::take_hours(&mut tx, workspace, connection, (day, day + TimeDelta::days(1))).await?;
            let mut sums: BTreeMap<&str, Sums> = BTreeMap::new();
            for hour in &taken {
                sums.entry(&hour.operation).or_default().add(&hour.sums());
            }
            for (operation, sums) in sums {
                store::add(&mut tx, workspace, &Bucket::day(connection, day, operation), &sums).await?;
            }
        }
        tx.commit().await?;
    }
}
