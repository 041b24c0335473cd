//! What comes with time: notices of expiry and rotation, and the end of old values.

use super::{ServiceKey, store};
use crate::atom::Inner;
use crate::events::{self, ServiceKeyExpired, ServiceKeyExpiring, ServiceKeyRotationDue};
use crate::jobs::Chore;
use crate::storage::{Topic, Tx};
use crate::{Result, ServiceKeyId, UserId, WorkspaceId};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;
use std::time::Duration;

/// How long before its end a key is said to expire.
const WARNING: TimeDelta = TimeDelta::days(7);
/// How many notices are read at once.
const BATCH: i64 = 100;

const EXPIRING: &str = "expiring";
const EXPIRED: &str = "expired";
const ROTATION_DUE: &str = "rotation_due";

/// What a worker does for service keys.
pub(crate) const CHORE: Chore = Chore {
    name: "service keys",
    every: Duration::from_secs(60),
    topic: Some(Topic::Schedules),
    run: |inner| Box::pin(async move { tell(&inner).await }),
};

/// Plans what will be told of a key, where that differs from before. What was told is not told again.
pub(super) async fn plan(
    tx: &mut Tx,
    workspace: WorkspaceId,
    before: Option<&ServiceKey>,
    key: &ServiceKey,
    now: DateTime<Utc>,
) -> Result<()> {
    let is_new_value = before.is_none_or(|before| before.rotated_at != key.rotated_at);
    if is_new_value || before.is_none_or(|before| before.expires_at != key.expires_at) {
        store::set_notice(tx, workspace, key.id, EXPIRING, key.expires_at.map(|at| (at - WARNING).max(now))).await?;
        store::set_notice(tx, workspace, key.id, EXPIRED, key.expires_at).await?;
    }
    if is_new_value || before.is_none_or(|before| before.rotation_due_at != key.rotation_due_at) {
        store::set_notice(tx, workspace, key.id, ROTATION_DUE, key.rotation_due_at).await?;
    }
    tx.wakes(Topic::Schedules);
    Ok(())
}

/// Tells what is due and destroys what has served, and returns when something will be due.
pub(crate) async fn tell(inner: &Arc<Inner>) -> Result<Option<DateTime<Utc>>> {
    let db = inner.db()?;
    loop {
        let now = inner.now();
        let next = store::next(db).await?;
        if next.is_none_or(|at| at > now) {
            return Ok(next);
        }
        for row in store::due(db, now, BATCH).await? {
            tell_one(inner, &row, now).await?;
        }
        let mut tx = db.begin().await?;
        store::destroy_values(&mut tx, now).await?;
        tx.commit().await?;
    }
}

/// Of all processes that see a notice, one takes it, in the transaction of its event.
async fn tell_one(inner: &Inner, row: &store::NoticeRow, now: DateTime<Utc>) -> Result<()> {
    let mut tx = inner.db()?.begin().await?;
    if !store::take_notice(&mut tx, row).await? {
        return Ok(());
    }
    let (workspace, service_key_id) = (WorkspaceId(row.workspace_id), ServiceKeyId(row.key_id));
    let (service, user_id) = (row.service.clone(), row.user_id.map(UserId));
    let expires_at = row.expires_at.unwrap_or(row.at).0;
    match row.notice.as_str() {
        EXPIRING => {
            let expiring = ServiceKeyExpiring { service_key_id, service, user_id, expires_at };
            events::append(&mut tx, workspace, expiring, now).await?;
        }
        EXPIRED => {
            let expired = ServiceKeyExpired { service_key_id, service, user_id, expired_at: expires_at };
            events::append(&mut tx, workspace, expired, now).await?;
        }
        // The third is `ROTATION_DUE`.
        _ => {
            let due = ServiceKeyRotationDue { service_key_id, service, user_id, due_at: row.at.0 };
            events::append(&mut tx, workspace, due, now).await?;
        }
    }
    tx.commit().await
}
