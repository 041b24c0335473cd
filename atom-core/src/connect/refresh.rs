//! A valid token, whatever it takes.
//!
//! Of all callers in all processes one asks the provider: it has the flight in its process and the lease in the database. Before it asks
//! it stores that it asks, and what it gets it stores before anybody sees it. So a process that dies on the way leaves either the old
//! token set, which works, or a set that is known to be in doubt, which is tried once more.

use super::methods::{self, Ask, Way};
use super::{Connection, ConnectionState, introspection, revoke, store};
use crate::audit::{self, AuditAction};
use crate::crypto::random;
use crate::events::{self, ConnectionReauthRequired, ConnectionRefreshed};
use crate::providers::Facts;
use crate::vault::{self, Failure, Lease, Stored, TokenSet};
use crate::{ConnectionId, Error, ErrorKind, Result, Secret};
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
/// How long a provider is not asked again for a token set that it refuses for the account.
const REFUSED: TimeDelta = TimeDelta::days(1);

/// One of the stored token sets, refreshed if it is about to expire.
pub(super) async fn valid_tokens(connection: &Connection, set: &str) -> Result<Stored> {
    let Some(stored) = connection.recent(set).await? else { return refresh(connection, set, None).await };
    let Some(expires_at) = stored.tokens.expires_at else { return Ok(stored) };
    let now = connection.inner.now();
    let (left, life) = (expires_at - now, expires_at - stored.obtained_at);
    if left > EARLY.min(life / 10) {
        // Only a process that stays: one that ends on the way would lose the answer.
        if left < ahead(connection.id, life) && stored.retry_at.is_none_or(|at| at <= now) && connection.inner.has_worker() {
            let exchange = exchange(connection.clone(), set.to_owned(), Some(Seen::of(&stored)));
            connection.inner.flights.start((connection.id, set.to_owned()), exchange);
        }
        return Ok(stored);
    }
    match refresh(connection, set, Some(&stored)).await {
        // The old token still serves while the provider has a fault.
        Err(error) if error.is_retryable() && left > TimeDelta::zero() => Ok(stored),
        refreshed => refreshed,
    }
}

/// What a caller has seen of a token set.
struct Seen {
    revision: i64,
    access_token: Option<Secret>,
    expires_at: Option<DateTime<Utc>>,
    /// The provider answered a request that it authenticated with a 401.
    is_refused: bool,
}

impl Seen {
    fn of(stored: &Stored) -> Self {
        let TokenSet { access_token, expires_at, .. } = stored.tokens.clone();
        Self { revision: stored.revision, access_token, expires_at, is_refused: false }
    }

    fn refused(stored: &Stored) -> Self {
        Self { is_refused: true, ..Self::of(stored) }
    }

    /// Whether a stored set is a newer one. A new revision alone may come of another set that is made of the same grant.
    fn is_older_than(&self, stored: &Stored) -> bool {
        let same = self.access_token == stored.tokens.access_token && self.expires_at == stored.tokens.expires_at;
        stored.revision != self.revision && !same
    }
}

/// How long before its end a token is refreshed ahead. Connections that were made together differ, lest they come together for ever.
fn ahead(id: ConnectionId, life: TimeDelta) -> TimeDelta {
    let window = AHEAD.min(life / 5);
    let chance = i32::from(id.0.as_bytes()[15]);
    window / 2 + window / 2 * chance / 255
}

/// A token set newer than the one that was seen: of all callers in all processes, one asks the provider.
pub(super) async fn refresh(connection: &Connection, set: &str, seen: Option<&Stored>) -> Result<Stored> {
    join(connection, set, seen.map(Seen::of)).await
}

/// The same after a 401; none if the provider says that the token is good, so that a newer one would be refused as well.
pub(super) async fn after_refusal(connection: &Connection, set: &str, seen: &Stored) -> Result<Option<Stored>> {
    let newer = join(connection, set, Some(Seen::refused(seen))).await?;
    Ok(Some(newer).filter(|newer| newer.revision != seen.revision))
}

async fn join(connection: &Connection, set: &str, seen: Option<Seen>) -> Result<Stored> {
    // What expired, or was refused by the provider, is not to be given out again.
    connection.forget();
    let exchange = exchange(connection.clone(), set.to_owned(), seen);
    let landed = connection.inner.flights.join((connection.id, set.to_owned()), exchange, PATIENCE).await;
    landed.unwrap_or_else(|| Err(busy(connection)))
}

fn busy(connection: &Connection) -> Error {
    let text = "this token has been in refreshing for too long: call again";
    Error::unavailable("refresh_busy", text).with_provider(&connection.app.manifest.name)
}

/// Takes the lease and refreshes, or waits for the process that has it. No transaction is open while the provider is asked.
async fn exchange(connection: Connection, set: String, seen: Option<Seen>) -> Result<Stored> {
    let (db, workspace) = (connection.inner.db()?, connection.principal.workspace_id);
    let is_newer = |stored: &Stored| seen.as_ref().is_none_or(|seen| seen.is_older_than(stored));
    // A set that is made of another one's grant waits for whoever uses that grant.
    let source = methods::source(&connection.app, &set);
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        // Someone else may have refreshed between the caller's read and this one.
        let stored = connection.stored(&set).await?;
        if let Some(stored) = stored.clone().filter(is_newer) {
            return Ok(stored);
        }
        let grant = if source == set { stored } else { connection.stored(source).await? };
        let Some(grant) = grant else { return Err(no_set(&connection)) };
        check(&connection, &grant).await?;
        if source != set && vault::is_refused(db, workspace, connection.id, &set, connection.inner.now()).await? {
            return Err(insufficient(&connection));
        }
        if let Some(lease) = Lease::take(db, workspace, connection.id, source, grant.revision).await? {
            let older = if source == set { Some(grant.clone()) } else { connection.stored(&set).await? };
            // The holder before this one may have made it, and left the grant as it was.
            if let Some(stored) = older.clone().filter(|stored| source != set && is_newer(stored)) {
                lease.release(db).await?;
                return Ok(stored);
            }
            if seen.as_ref().is_some_and(|seen| seen.is_refused)
                && let Some(stored) = &older
                && introspection::is_active(&connection, &stored.tokens).await
            {
                lease.release(db).await?;
                return Ok(stored.clone());
            }
            let renewed = renew(&connection, &Sets { name: &set, older, grant }, lease).await;
            // A failure too is part of what is stored.
            connection.forget();
            return renewed;
        }
        tokio::time::sleep(POLL).await;
    }
    Err(busy(&connection))
}

fn insufficient(connection: &Connection) -> Error {
    let text = "the provider refuses this token set for the account: ask the user for what it stands for";
    Error::new(ErrorKind::ReauthRequired, "grant_insufficient", text).with_provider(&connection.app.manifest.name)
}

pub(super) fn no_set(connection: &Connection) -> Error {
    let text = "this connection has no such token set: name one of its provider's, and ask the user for what it stands for";
    Error::new(ErrorKind::NotConnected, "no_token_set", text).with_provider(&connection.app.manifest.name)
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

/// The set that is to be renewed, and what it is made of.
struct Sets<'a> {
    name: &'a str,
    older: Option<Stored>,
    /// The set itself or, where it has no grant of its own, the one that has it.
    grant: Stored,
}

impl Sets<'_> {
    fn is_made_of_another(&self, connection: &Connection) -> bool {
        methods::source(&connection.app, self.name) != self.name
    }
}

/// One exchange, by the holder of the lease.
async fn renew(connection: &Connection, sets: &Sets<'_>, lease: Lease) -> Result<Stored> {
    let (inner, db) = (&connection.inner, connection.inner.db()?);
    let way = match Way::find(&connection.app, &sets.grant.tokens.method) {
        Ok(way) => way,
        Err(error) => {
            lease.release(db).await?;
            return Err(error);
        }
    };
    let facts = match connection.facts().await {
        Ok(facts) => facts,
        Err(error) => {
            lease.release(db).await?;
            return Err(error);
        }
    };
    let ask = Ask { inner, app: &connection.app, facts: &facts };
    let Some(renewal) = way.how.renew(ask, sets.name, &sets.grant.tokens) else {
        return refuse(connection, sets, &lease, "no_refresh_token").await;
    };
    // What spends nothing may be asked for again, whatever became of the answer.
    let is_repeatable = way.how.is_repeatable();
    if !is_repeatable && !lease.ask(db, inner.now()).await? {
        return connection.stored(sets.name).await?.ok_or_else(|| no_set(connection));
    }
    match renewal.await {
        Ok(tokens) => {
            let stored = save(connection, tokens, sets, &lease).await?;
            Ok(introspection::learn(connection, sets.name, stored).await)
        }
        Err(error) if error.kind() == ErrorKind::ReauthRequired => {
            let reason = match error.reason() {
                // An exchange whose answer was lost has spent the token, so this refusal says nothing about the user's will.
                _ if lease.in_doubt && !is_repeatable => "refresh_lost",
                reason => reason,
            };
            refuse(connection, sets, &lease, reason).await
        }
        Err(error) => {
            let now = inner.now();
            let retry_at = Some(now + pause(lease.failures, error.retry_after())?);
            let is_certain = is_repeatable || is_certain(&error);
            let mut tx = db.begin_durable().await?;
            lease.fail(&mut tx, &Failure { at: now, because: error.reason(), is_certain, retry_at }).await?;
            tx.commit().await?;
            tracing::warn!(connection.id = %connection.id, provider = %connection.app.manifest.name, reason = error.reason(), "a refresh failed");
            Err(error)
        }
    }
}

/// Whether a failure proves that the provider made no new token set: it was not reached, or it said no.
fn is_certain(error: &Error) -> bool {
    // An input that does not fit was never sent.
    matches!(error.reason(), "unreachable" | "token_refused")
        || error.kind() == ErrorKind::Invalid
        || error.status().is_some_and(|status| status < 500)
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
async fn save(connection: &Connection, tokens: TokenSet, sets: &Sets<'_>, lease: &Lease) -> Result<Stored> {
    let (started, mut wait) = (Instant::now(), POLL);
    loop {
        let now = connection.inner.now();
        match try_save(connection, &tokens, sets, lease, now).await {
            Ok(Some(stored)) => {
                tracing::debug!(connection.id = %connection.id, provider = %connection.app.manifest.name, "refreshed a token");
                return Ok(stored);
            }
            Ok(None) => {
                let current = connection.stored(sets.name).await;
                if current.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotConnected) {
                    // The user ended the connection meanwhile: what the provider just made is to end too.
                    revoke::withdraw(connection, &tokens).await?;
                }
                return current?.ok_or_else(|| no_set(connection));
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

/// Stores the tokens, unless somebody else has the lease or has made a newer set.
async fn try_save(
    connection: &Connection,
    tokens: &TokenSet,
    sets: &Sets<'_>,
    lease: &Lease,
    now: DateTime<Utc>,
) -> Result<Option<Stored>> {
    let (inner, workspace, id) = (&connection.inner, connection.principal.workspace_id, connection.id);
    let mut tokens = tokens.clone();
    // A grant has one home: a new refresh token goes to the set that the old one came from.
    let mut grant = None;
    if sets.is_made_of_another(connection)
        && let Some(refresh_token) =
            tokens.refresh_token.take().filter(|token| Some(token) != sets.grant.tokens.refresh_token.as_ref())
    {
        let renewed = TokenSet { refresh_token: Some(refresh_token), ..sets.grant.tokens.clone() };
        let source = methods::source(&connection.app, sets.name);
        let mut stamped = renewed.stamp(inner, workspace, id, source, sets.grant.revision + 1).await?;
        stamped.keep_alive_at = connection.app.keep_alive_at(&renewed, now);
        grant = Some(stamped);
    }
    if let Some(older) = &sets.older {
        tokens = tokens.over(older.tokens.clone());
    }
    let revision = sets.older.as_ref().map_or(0, |older| older.revision) + 1;
    let mut stamped = tokens.stamp(inner, workspace, id, sets.name, revision).await?;
    stamped.keep_alive_at = connection.app.keep_alive_at(&tokens, now);

    let told = std::mem::take(&mut tokens.captured);
    let facts = if told.is_empty() { None } else { Some(store::get(inner.db()?, &connection.principal, id).await?.facts) };

    let mut tx = inner.db()?.begin_durable().await?;
    let saved = if sets.is_made_of_another(connection) {
        let held = match grant {
            Some(grant) => vault::replace(&mut tx, grant, Some(lease), now).await?,
            None => lease.finish(&mut tx).await?,
        };
        // Whoever holds the grant's lease is the only one who writes a set that is made of it.
        held && match &sets.older {
            Some(_) => vault::replace(&mut tx, stamped, None, now).await?,
            None => vault::insert(&mut tx, stamped, now).await.map(|()| true)?,
        }
    } else {
        vault::replace(&mut tx, stamped, Some(lease), now).await?
    };
    if !saved {
        return Ok(None);
    }
    if let Some(known) = facts {
        let all: Facts = known.clone().into_iter().chain(told).collect();
        if all != known {
            store::set_facts(&mut tx, &connection.principal, id, &all, now).await?;
        }
    }
    let provider = connection.app.manifest.name.clone();
    let details = [("provider", provider.as_str()), ("token_set", sets.name)];
    audit::append(&mut tx, connection.entry(AuditAction::TokenRefreshed, &details), now).await?;
    let refreshed = ConnectionRefreshed { connection_id: id, user_id: connection.principal.user_id, provider };
    events::append(&mut tx, workspace, refreshed, now).await?;
    tx.commit().await?;
    Ok(Some(Stored { tokens, revision, obtained_at: now, retry_at: None }))
}

/// The grant is gone: marks the connection, unless the user has connected again meanwhile, which is the answer then.
async fn refuse(connection: &Connection, sets: &Sets<'_>, lease: &Lease, reason: &str) -> Result<Stored> {
    let (inner, provider) = (&connection.inner, connection.app.manifest.name.as_str());
    let now = inner.now();
    let mut tx = inner.db()?.begin_durable().await?;
    if !lease.fail(&mut tx, &Failure { at: now, because: reason, is_certain: true, retry_at: None }).await? {
        drop(tx);
        return connection.stored(sets.name).await?.ok_or_else(|| no_set(connection));
    }
    if sets.is_made_of_another(connection) && reason != "refresh_lost" {
        // The provider may refuse this use of the grant and no other: the first set's own refresh finds out.
        let workspace = connection.principal.workspace_id;
        vault::note_refusal(&mut tx, workspace, connection.id, sets.name, now + REFUSED).await?;
        tx.commit().await?;
        return Err(insufficient(connection));
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
