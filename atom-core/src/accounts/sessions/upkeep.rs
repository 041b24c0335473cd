//! What comes with time: sessions that ended long ago, and attempts of yesterday, are deleted.

use super::store;
use crate::Result;
use crate::accounts::{email_proof, invitations, passwords, store as people};
use crate::jobs::Chore;
use crate::storage::Db;
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// How long a session is kept after its last day, so that a token of it is told what became of it, and its device is known.
const KEPT: TimeDelta = TimeDelta::days(30);

/// What a worker does for accounts.
pub(crate) const CHORE: Chore = Chore {
    name: "sessions",
    every: Duration::from_secs(3600),
    topic: None,
    run: |inner| {
        Box::pin(async move {
            sweep(inner.db()?, inner.now()).await?;
            Ok(None)
        })
    },
};

/// Deletes what nobody needs any more.
pub(crate) async fn sweep(db: &Db, now: DateTime<Utc>) -> Result<()> {
    people::sweep_attempts(db, now).await?;
    passwords::sweep(db, now).await?;
    email_proof::sweep(db, now).await?;
    invitations::store::sweep(db, now - KEPT).await?;
    store::delete_ended(db, now - KEPT).await
}
