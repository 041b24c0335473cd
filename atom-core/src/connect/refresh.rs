//! A valid token, whatever it takes.
//!
//! Of all callers in all processes one asks the provider: it has the flight in its process and the lease in the database. Before it asks
//! it stores that it asks, and what it gets it stores before anybody sees it. So a process that dies on the way leaves either the old
//! token set, which works, or a set that is known to be in doubt, which is tried once more.

use super::oauth::OAuth;
use super::{Connection, ConnectionState, revoke, store};
use crate::audit::{self, AuditAction};
use crate::crypto::random;
use crate::events::{self, ConnectionReauthRequired, ConnectionRefreshed};
use crate::vault::{self, Failure, Lease, Stored, TokenSet};
use crate::{ConnectionId, Error, ErrorKind, Result};
use chrono::{DateTime, TimeDelta, Utc};
use std::time::{Duration, Instant};

/// A token is refreshed this long before it expires, so that it does not expire on the way; a short-lived one in its last tenth.
const EARLY: TimeDelta = TimeDelta::seconds(60);
/// Where workers run, a token is refreshed up to this long before, while it still serves; a short-lived one in its last fifth.
const AHEAD: TimeDelta = TimeDelta::minutes(5);
/// How long a caller waits: longer than a lease, so that it sees what becomes of a holder that died.
pub(super) const PATIENCE: Duration = Duration::from_secs(40);
const POLL: Duration = Duration::from_millis(50);
/// How long a new token set that cannot be stored is kept in memory for another attempt.
const SAVING: Duration = Duration::from_secs(600);
/// How long the provider is left alone after a failure: so long after the first, at most so long after many.
const PAUSE: (TimeDelta, TimeDelta) = (TimeDelta::seconds(1), TimeDelta::minutes(5));
/// How long a provider may ask to be left alone.
const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(1);

/// The stored tokens, refreshed if they are about to expire.
pub(super) async fn valid_tokens(connection: &Connection) -> Result<Stored> {
    let stored = connection.recent().await?;
    let Some(expires_at) = stored.tokens.expires_at else { return Ok(stored) };
    let now = connection.inner.now();
    let (left, life) = (expires_at - now, expires_at - stored.obtained_at);
    if left > EARLY.min(life / 10) {
        // Only a process that stays: one that ends on the way would lose the answer.
        if left < ahead(connection.id, life) && stored.retry_at.is_none_or(|at| at <= now) && connection.inner.has_worker() {
            connection.inner.flights.start(connection.id, exchange(connection.clone(), stored.revision));
        }
        return Ok(stored);
    }
    match refresh(connection, stored.revision).await {
        // The old token still serves while the provider has a fault.
        Err(error) if error.is_retryable() && left > TimeDelta::zero() => Ok(stored),
        refreshed => refreshed,
    }
}

/// How long before its end a token is refreshed ahead. Connections that were made together differ, lest they come together for ever.
fn ahead(id: ConnectionId, life: TimeDelta) -> TimeDelta {
    let window = AHEAD.min(life / 5);
    let chance = i32::from(id.0.as_bytes()[15]);
    window / 2 + window / 2 * chance / 255
}

/// Tokens newer than `revision`: of all callers in all processes, one asks the provider.
pub(super) async fn refresh(connection: &Connection, revision: i64) -> Result<Stored> {
    let flights = &connection.inner.flights;
    // What expired, or was refused by the provider, is not to be given out again.
    connection.forget();
    flights.join(connection.id, exchange(connection.clone(), revision), PATIENCE).await.unwrap_or_else(|| Err(busy(connection)))
}

fn busy(connection: &Connection) -> Error {
    let text = "this token has been in refreshing for too long: call again";
    Error::unavailable("refresh_busy", text).with_provider(&connection.app.manifest.name)
}

/// Takes the lease and refreshes, or waits for the process that has it. No transaction is open while the provider is asked.
async fn exchange(connection: Connection, revision: i64) -> Result<Stored> {
    let (db, workspace) = (connection.inner.db()?, connection.principal.workspace_id);
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        let stored = connection.stored().await?;
        if stored.revision != revision {
            // Someone else refreshed between the caller's read and this one.
            return Ok(stored);
        }
        check(&connection, &stored).await?;
        if let Some(lease) = Lease::take(db, workspace, connection.id, revision).await? {
            let renewed = renew(&connection, stored, lease).await;
            // A failure too is part of what is stored.
            connection.forget();
            return renewed;
        }
        tokio::time::sleep(POLL).await;
    }
    Err(busy(&connection))
}

/// Whether the provider may be asked at all.
async fn check(connection: &Connection, stored: &Stored) -> Result<()> {
    let account = store::get(connection.inner.db()?, &connection.principal, connection.id).await?;
    if account.state == ConnectionState::ReauthRequired {
        return Err(connection.dead(account.state_reason.as_deref()));
    }
    let wait = stored.retry_at.map(|at| at - connection.inner.now()).filter(|wait| *wait > TimeDelta::zero());
    wait.map_or(Ok(()), |wait| {
        let because = account.health.failed_because.unwrap_or_default();
        let text = format!("the last attempt to refresh this token failed (`{because}`): wait and call again");
        let error = Error::unavailable("refresh_paused", text).with_provider(&connection.app.manifest.name);
        Err(error.with_retry_after(wait.to_std().ok()))
    })
}

/// One exchange, by the holder of the lease.
async fn renew(connection: &Connection, stored: Stored, lease: Lease) -> Result<Stored> {
    let (inner, db) = (&connection.inner, connection.inner.db()?);
    let Some(refresh_token) = stored.tokens.refresh_token.clone() else {
        return refuse(connection, &lease, "no_refresh_token").await;
    };
    let oauth = match OAuth::new(&connection.app, &inner.http) {
        Ok(oauth) => oauth,
        Err(error) => {
            lease.release(db).await?;
            return Err(error);
        }
    };
    if !lease.ask(db, inner.now()).await? {
        return connection.stored().await;
    }
    match oauth.refresh(&refresh_token, inner.now()).await {
        Ok(tokens) => save(connection, tokens.over(stored.tokens), &lease, stored.revision + 1).await,
        Err(error) if error.kind() == ErrorKind::ReauthRequired => {
            // An exchange whose answer was lost has spent the token, so this refusal says nothing about the user's will.
            refuse(connection, &lease, if lease.in_doubt { "refresh_lost" } else { "invalid_grant" }).await
        }
        Err(error) => {
            let now = inner.now();
            let retry_at = Some(now + pause(lease.failures, error.retry_after())?);
            let mut tx = db.begin_durable().await?;
            let failure = Failure { at: now, because: error.reason(), is_certain: is_certain(&error), retry_at };
            lease.fail(&mut tx, &failure).await?;
            tx.commit().await?;
            tracing::warn!(connection.id = %connection.id, provider = %connection.app.manifest.name, reason = error.reason(), "a refresh failed");
            Err(error)
        }
    }
}

/// Whether a failure proves that the provider made no new token set: it was not reached, or it said no.
fn is_certain(error: &Error) -> bool {
    matches!(error.reason(), "unreachable" | "token_refused") || error.status().is_some_and(|status| status < 500)
}

/// How long to wait after a failure, when so many came before it.
fn pause(failures: i64, asked: Option<Duration>) -> Result<TimeDelta> {
    let doubled = PAUSE.0 * (1 << failures.clamp(0, 20));
    let chance = i32::from(random::<1>()?[0]);
    let jittered = doubled.min(PAUSE.1) * (192 + chance / 2) / 256;
    let asked = asked.and_then(|wait| TimeDelta::from_std(wait).ok()).unwrap_or_default().min(LONGEST_PAUSE);
    Ok(jittered.max(asked))
}

/// Stores the tokens before anybody sees them. They exist nowhere else: a database that is locked or full is asked again and again.
async fn save(connection: &Connection, tokens: TokenSet, lease: &Lease, revision: i64) -> Result<Stored> {
    let (started, mut wait) = (Instant::now(), POLL);
    loop {
        let now = connection.inner.now();
        match try_save(connection, &tokens, lease, revision, now).await {
            Ok(true) => {
                tracing::debug!(connection.id = %connection.id, provider = %connection.app.manifest.name, "refreshed a token");
                return Ok(Stored { tokens, revision, obtained_at: now, retry_at: None });
            }
            Ok(false) => {
                let current = connection.stored().await;
                if current.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotConnected) {
                    // The user ended the connection meanwhile: what the provider just made is to end too.
                    revoke::withdraw(connection, &tokens).await?;
                }
                return current;
            }
            Err(error) if error.kind() != ErrorKind::Cancelled && started.elapsed() < SAVING => {
                tracing::error!(connection.id = %connection.id, reason = error.reason(), "a new token cannot be stored yet");
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(Duration::from_secs(2));
            }
            Err(error) => return Err(error),
        }
    }
}

async fn try_save(connection: &Connection, tokens: &TokenSet, lease: &Lease, revision: i64, now: DateTime<Utc>) -> Result<bool> {
    let (inner, workspace) = (&connection.inner, connection.principal.workspace_id);
    let mut stamped = tokens.stamp(inner, workspace, connection.id, revision).await?;
    stamped.keep_alive_at = connection.app.keep_alive_at(tokens, now);
    let mut tx = inner.db()?.begin_durable().await?;
    if !vault::replace(&mut tx, stamped, Some(lease), now).await? {
        return Ok(false);
    }
    let provider = connection.app.manifest.name.clone();
    audit::append(&mut tx, connection.entry(AuditAction::TokenRefreshed, &[("provider", &provider)]), now).await?;
    let refreshed = ConnectionRefreshed { connection_id: connection.id, user_id: connection.principal.user_id, provider };
    events::append(&mut tx, workspace, refreshed, now).await?;
    tx.commit().await?;
    Ok(true)
}

/// The grant is gone: marks the connection, unless the user has connected again meanwhile, which is the answer then.
async fn refuse(connection: &Connection, lease: &Lease, reason: &'static str) -> Result<Stored> {
    let (inner, provider) = (&connection.inner, connection.app.manifest.name.as_str());
    let now = inner.now();
    let mut tx = inner.db()?.begin_durable().await?;
    if !lease.fail(&mut tx, &Failure { at: now, because: reason, is_certain: true, retry_at: None }).await? {
        drop(tx);
        return connection.stored().await;
    }
    let to = ConnectionState::ReauthRequired;
    if store::set_state(&mut tx, &connection.principal, connection.id, to, Some(reason), now).await? {
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
    tx.commit().await?;
    tracing::warn!(connection.id = %connection.id, provider, reason, "a connection needs the user's consent again");
    Err(connection.dead(Some(reason)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p37_pauses_double_up_to_a_bound_and_respect_what_the_provider_asks() {
        for (failures, seconds) in [(0, 1), (1, 2), (5, 32), (9, 300), (i64::MAX, 300)] {
            let pause = pause(failures, None).expect("random bytes");
            assert!(pause <= TimeDelta::seconds(seconds) * 320 / 256 && pause >= TimeDelta::seconds(seconds) * 3 / 4, "{pause}");
        }
        assert_eq!(pause(0, Some(Duration::from_secs(90))).expect("random bytes"), TimeDelta::seconds(90));
        assert_eq!(pause(0, Some(Duration::from_secs(1_000_000))).expect("random bytes"), LONGEST_PAUSE);
    }

    #[test]
    fn p37_tokens_are_refreshed_ahead_at_moments_that_differ() {
        let moments: std::collections::HashSet<_> =
            (0..50).map(|_| ahead(ConnectionId(uuid::Uuid::now_v7()), TimeDelta::hours(1)).num_seconds()).collect();
        assert!(moments.len() > 10 && moments.iter().all(|left| (150..=300).contains(left)), "{moments:?}");
    }
}
