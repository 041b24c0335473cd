//! A valid token, whatever it takes.

use super::oauth::OAuth;
use super::{Connection, store};
use crate::vault::{self, Stored};
use crate::{ErrorKind, Result};
use chrono::TimeDelta;

/// A token is refreshed this long before it expires, so that it does not expire on the way; a short-lived one in its last tenth.
const EARLY: TimeDelta = TimeDelta::seconds(60);

/// The stored tokens, refreshed if they are about to expire.
pub(super) async fn valid_tokens(connection: &Connection) -> Result<Stored> {
    let stored = connection.stored().await?;
    let Some(expires_at) = stored.tokens.expires_at else { return Ok(stored) };
    let left = expires_at - connection.inner.now();
    if left > EARLY.min((expires_at - stored.obtained_at) / 10) {
        return Ok(stored);
    }
    match refresh(connection, stored.revision).await {
        // The old token still serves while the provider has a fault.
        Err(error) if error.is_retryable() && left > TimeDelta::zero() => Ok(stored),
        refreshed => refreshed,
    }
}

/// Tokens newer than `revision`: of all callers in this process, one asks the provider.
pub(super) async fn refresh(connection: &Connection, revision: i64) -> Result<Stored> {
    let work = {
        let connection = connection.clone();
        async move { exchange(&connection, revision).await }
    };
    connection.inner.flights.join(connection.id, work).await
}

async fn exchange(connection: &Connection, revision: i64) -> Result<Stored> {
    let (inner, workspace) = (&connection.inner, connection.principal.workspace_id);
    let stored = connection.stored().await?;
    if stored.revision != revision {
        // Someone else refreshed between the caller's read and this one.
        return Ok(stored);
    }
    let Some(refresh_token) = &stored.tokens.refresh_token else {
        mark(connection, "no_refresh_token").await?;
        return Err(connection.reauth(
            "no_refresh_token",
            "the token has expired and the provider gave none to renew it: connect the account again",
        ));
    };
    let account = store::get(inner.db()?, &connection.principal, connection.id).await?;
    if account.state == super::ConnectionState::ReauthRequired {
        return Err(connection.reauth("invalid_grant", "the provider no longer accepts this grant: connect the account again"));
    }
    let answer = OAuth::new(&connection.app, &inner.http)?.refresh(refresh_token, inner.now()).await;
    let tokens = match answer {
        Ok(tokens) => tokens.over(stored.tokens),
        Err(error) if error.kind() == ErrorKind::ReauthRequired => {
            // Another process may have rotated the token under us: then its result is the answer.
            let again = connection.stored().await?;
            if again.revision != revision {
                return Ok(again);
            }
            mark(connection, error.reason()).await?;
            return Err(error);
        }
        Err(error) => return Err(error),
    };
    let next = revision + 1;
    let stamped = tokens.stamp(inner, workspace, connection.id, next).await?;
    let mut tx = inner.db()?.begin_durable().await?;
    let now = inner.now();
    if vault::replace(&mut tx, workspace, connection.id, revision, stamped, now).await? {
        tx.commit().await?;
        tracing::debug!(connection.id = %connection.id, provider = %connection.app.manifest.name, "refreshed a token");
        return Ok(Stored { tokens, revision: next, obtained_at: now });
    }
    connection.stored().await
}

async fn mark(connection: &Connection, reason: &str) -> Result<()> {
    let inner = &connection.inner;
    tracing::warn!(connection.id = %connection.id, provider = %connection.app.manifest.name, reason, "a connection needs the user's consent again");
    store::set_state(
        inner.db()?,
        &connection.principal,
        connection.id,
        super::ConnectionState::ReauthRequired,
        Some(reason),
        inner.now(),
    )
    .await
}
