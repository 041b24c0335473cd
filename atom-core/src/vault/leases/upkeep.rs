//! What comes with time: leases that ended long ago are deleted.

use super::store;
use crate::Result;
use crate::atom::Inner;
use crate::jobs::Chore;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;
use std::time::Duration;

/// How long a lease can still be looked at when it has ended.
const KEPT: TimeDelta = TimeDelta::days(30);

/// What a worker does for leases.
pub(crate) const CHORE: Chore =
    Chore { name: "secret leases", every: Duration::from_secs(3600), topic: None, run: |inner| Box::pin(sweep(inner)) };

async fn sweep(inner: Arc<Inner>) -> Result<Option<DateTime<Utc>>> {
    store::delete_ended(inner.db()?, inner.now() - KEPT).await?;
    Ok(None)
}
