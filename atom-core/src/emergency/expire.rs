//! What comes with time: requests that nobody approved or used end, and those that ended long ago are forgotten.

use super::store;
use crate::atom::Inner;
use crate::audit::{self, Actor, AuditAction, Entry};
use crate::events::{self, EmergencyExpired};
use crate::jobs::Chore;
use crate::storage::Topic;
use crate::{EmergencyRequestId, Result, UserId, WorkspaceId};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How many requests are read at once.
const BATCH: i64 = 100;
/// How long a request is kept with its reason after it ended. The audit log keeps what was done.
const KEPT: TimeDelta = TimeDelta::days(90);

/// What a worker does for emergency requests.
pub(crate) const CHORE: Chore = Chore {
    name: "emergency requests",
    every: Duration::from_secs(60),
    topic: Some(Topic::Schedules),
    run: |inner| Box::pin(async move { expire(&inner).await }),
};

/// Ends what is due, and returns when something will be due.
pub(crate) async fn expire(inner: &Arc<Inner>) -> Result<Option<DateTime<Utc>>> {
    let db = inner.db()?;
    loop {
        let now = inner.now();
        let due = store::due(db, now, BATCH).await?;
        if due.is_empty() {
            store::forget(db, now - KEPT).await?;
            return store::next(db).await;
        }
        for (workspace, id) in due {
            expire_one(inner, WorkspaceId(workspace), EmergencyRequestId(id), now).await?;
        }
    }
}

async fn expire_one(inner: &Inner, workspace: WorkspaceId, id: EmergencyRequestId, now: DateTime<Utc>) -> Result<()> {
    let mut tx = inner.db()?.begin().await?;
    let Some(row) = store::expire(&mut tx, workspace, id, now).await? else { return Ok(()) };
    let actor = Actor { user: UserId(Uuid::nil()), session: None };
    let entry = Entry { workspace, actor, action: AuditAction::EmergencyExpired, subject: Some(id.to_string()), details: &[] };
    audit::append(&mut tx, entry, now).await?;
    let expired = EmergencyExpired { request_id: id, requester_id: row.requester(), user_id: row.owner() };
    events::append(&mut tx, workspace, expired, now).await?;
    tx.commit().await
}
