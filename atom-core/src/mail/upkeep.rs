//! What comes with time: mails of processes that died are tried by others, those whose time is over fail, and what became of the others is forgotten.

use super::{deliver, store};
use crate::Result;
use crate::atom::Inner;
use crate::jobs::Chore;
use crate::storage::Db;
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::time::Duration;

/// How many mails are handled in one transaction.
const BATCH: i64 = 100;

/// What a worker does for mail.
pub(crate) const CHORE: Chore =
    Chore { name: "mail", every: Duration::from_secs(5), topic: None, run: |inner| Box::pin(look_after(inner)) };

async fn look_after(inner: Arc<Inner>) -> Result<Option<DateTime<Utc>>> {
    while rescue(&inner).await? {}
    while expire(&inner).await? {}
    sweep(inner.db()?, inner.now() - inner.mail.keep()).await?;
    Ok(None)
}

/// Makes jobs of mails that nobody tries, and says whether there may be more.
async fn rescue(inner: &Arc<Inner>) -> Result<bool> {
    if !store::has_abandoned(inner.db()?).await? {
        return Ok(false);
    }
    let mut tx = inner.db()?.begin().await?;
    let abandoned = store::adopt(&mut tx, BATCH).await?;
    for (id, workspace) in &abandoned {
        deliver::enqueue(inner, &mut tx, *id, *workspace, Duration::ZERO).await?;
    }
    tx.commit().await?;
    Ok(!abandoned.is_empty())
}

/// Fails mails whose time is over, and says whether there may be more.
async fn expire(inner: &Arc<Inner>) -> Result<bool> {
    let now = inner.now();
    let late = store::expired(inner.db()?, now, BATCH).await?;
    for claim in &late {
        let mut tx = inner.db()?.begin().await?;
        deliver::fail(&mut tx, claim, &deliver::expired(), now).await?;
        tx.commit().await?;
    }
    Ok(!late.is_empty())
}

/// Forgets mails from before a moment.
pub(crate) async fn sweep(db: &Db, before: DateTime<Utc>) -> Result<()> {
    store::delete_old(db, before).await
}
