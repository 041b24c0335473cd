//! Forgetting old events.

use super::store;
use crate::Result;
use crate::storage::Db;
use chrono::{DateTime, Utc};

/// How many events are deleted in one transaction.
const BITE: i64 = 1000;
/// How many transactions one sweep makes.
const BITES: usize = 10;

/// Deletes events from before this moment, ten thousand at most, and says whether there may be more. A log is only cut from its
/// beginning, so that what is kept has no gaps.
pub(crate) async fn sweep(db: &Db, before: DateTime<Utc>) -> Result<bool> {
    for _ in 0..BITES {
        let Some(workspace) = store::overdue(db, before).await? else { return Ok(false) };
        let oldest = store::oldest(db, workspace, BITE).await?;
        let kept = oldest.iter().find(|(_, at)| *at >= before).map(|(sequence, _)| *sequence);
        let after = oldest.last().map_or(0, |(sequence, _)| sequence + 1);
        store::cut(db, workspace, kept.unwrap_or(after)).await?;
    }
    Ok(true)
}
