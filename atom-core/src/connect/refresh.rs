//! A valid token, whatever it takes.

use super::oauth::OAuth;
use super::{Connection, ConnectionState, store};
use crate::audit::{self, AuditAction};
use crate::events::{self, ConnectionReauthRequired};
use crate::vault::{self, Stored};
use crate::{Error, ErrorKind, Result};
use chrono::TimeDelta;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// A token is refreshed this long before it expires, so that it does not expire on the way; a short-lived one in its last tenth.
const EARLY: TimeDelta = TimeDelta::seconds(60);
/// How long one process may take: more than twice the time-out of its request, so that a living holder never loses it midway.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// How long another process waits for the holder.
const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);

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

/// Tokens newer than `revision`: of all callers in all processes, one asks the provider.
pub(super) async fn refresh(connection: &Connection, revision: i64) -> Result<Stored> {
    let work = {
        let connection = connection.clone();
        async move { exchange(&connection, revision).await }
    };
    connection.inner.flights.join(connection.id, work).await
}

/// Takes the lease and refreshes, or waits for the process that has it. No transaction is open while the provider is asked.
async fn exchange(connection: &Connection, revision: i64) -> Result<Stored> {
    let (inner, workspace, id) = (&connection.inner, connection.principal.workspace_id, connection.id);
    let owner = Uuid::now_v7();
    let started = Instant::now();
    loop {
        let stored = connection.stored().await?;
        if stored.revision != revision {
            // Someone else refreshed between the caller's read and this one.
            return Ok(stored);
        }
        if vault::lease(inner, workspace, id, revision, owner, inner.now() + LEASE).await? {
            let renewed = renew(connection, stored, owner).await;
            if renewed.is_err() {
                vault::release(inner, workspace, id, owner).await?;
            }
            return renewed;
        }
        if started.elapsed() > PATIENCE {
            let text = "another process has been refreshing this token for too long: call again";
            return Err(Error::unavailable("refresh_busy", text).with_provider(&connection.app.manifest.name));
        }
        tokio::time::sleep(POLL).await;
    }
}

/// One exchange, by the holder of the lease.
async fn renew(connection: &Connection, stored: Stored, owner: Uuid) -> Result<Stored> {
    let (inner, workspace) = (&connection.inner, connection.principal.workspace_id);
    let account = store::get(inner.db()?, &connection.principal, connection.id).await?;
    if account.state == ConnectionState::ReauthRequired {
        return Err(connection.reauth("invalid_grant", "the provider no longer accepts this grant: connect the account again"));
    }
    let Some(refresh_token) = &stored.tokens.refresh_token else {
        mark(connection, "no_refresh_token").await?;
        let text = "the token has expired and the provider gave none to renew it: connect the account again";
        return Err(connection.reauth("no_refresh_token", text));
    };
    let answer = OAuth::new(&connection.app, &inner.http)?.refresh(refresh_token, inner.now()).await;
    let tokens = match answer {
        Ok(tokens) => tokens.over(stored.tokens),
        Err(error) if error.kind() == ErrorKind::ReauthRequired => {
            // The user may have connected again meanwhile: then that is the answer.
            let again = connection.stored().await?;
            if again.revision != stored.revision {
                return Ok(again);
            }
            mark(connection, error.reason()).await?;
            return Err(error);
        }
        Err(error) => return Err(error),
    };
    let (revision, now) = (stored.revision + 1, inner.now());
    let stamped = tokens.stamp(inner, workspace, connection.id, revision).await?;
    let mut tx = inner.db()?.begin_durable().await?;
    if vault::replace(&mut tx, stamped, Some(owner), now).await? {
        tx.commit().await?;
        tracing::debug!(connection.id = %connection.id, provider = %connection.app.manifest.name, "refreshed a token");
        return Ok(Stored { tokens, revision, obtained_at: now });
    }
    connection.stored().await
}

async fn mark(connection: &Connection, reason: &str) -> Result<()> {
    let (inner, provider) = (&connection.inner, connection.app.manifest.name.as_str());
    tracing::warn!(connection.id = %connection.id, provider, reason, "a connection needs the user's consent again");
    let now = inner.now();
    let mut tx = inner.db()?.begin_durable().await?;
    if store::set_state(&mut tx, &connection.principal, connection.id, ConnectionState::ReauthRequired, Some(reason), now).await?
    {
        let details = [("provider", provider), ("reason", reason)];
        audit::append(&mut tx, connection.entry(AuditAction::ReauthRequired, &details), now).await?;
        let required = ConnectionReauthRequired {
            connection_id: connection.id,
            user_id: connection.principal.user_id,
            provider: provider.to_owned(),
            reason: reason.to_owned(),
        };
        events::append(&mut tx, connection.principal.workspace_id, required, now).await?;
    }
    tx.commit().await
}
