//! What comes with time: an old key gets its successor, and one whose tokens are over is retired. Whoever notices does it: a process that makes
//! a token, or a worker.

use super::rotate::{LEAD, follow};
use super::{retire, store};
use crate::atom::Inner;
use crate::jobs::Chore;
use crate::{Result, SigningKeyId};
use std::time::Duration;

/// What a worker does for signing keys.
pub(crate) const CHORE: Chore = Chore {
    name: "signing keys",
    every: Duration::from_secs(600),
    topic: None,
    run: |inner| {
        Box::pin(async move {
            inner.signing.look_again(inner.db()?, inner.now()).await?;
            tend(&inner).await;
            Ok(None)
        })
    },
};

/// Does what is due, which is nothing nearly always, and then costs a look into memory. Nothing fails because of it.
pub(crate) async fn tend(inner: &Inner) {
    let now = inner.now();
    if !inner.signing.is_worn(now) && inner.signing.over(now).is_empty() {
        return;
    }
    let Ok(_tending) = inner.signing.tending.try_lock() else { return };
    if let Err(error) = work(inner).await {
        tracing::warn!(%error, "the signing keys were not looked after: it is tried again");
    }
}

async fn work(inner: &Inner) -> Result<()> {
    let (db, now) = (inner.db()?, inner.now());
    if let Some((last, created_at)) = store::last(db).await?
        && inner.signing.is_too_old(created_at, now)
    {
        // Somebody else may have been faster.
        follow(inner, last, LEAD, now).await?;
    }
    inner.signing.look_again(db, now).await?;
    for key in inner.signing.over(now) {
        retire::retire(inner, SigningKeyId(key), now).await?;
    }
    Ok(())
}
