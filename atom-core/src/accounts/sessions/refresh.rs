//! Refresh a session: retry-safe rotation, with the whole session ended when an old token comes back.

use super::begin::{Issue, client_place, key_place, plain};
use super::refresh_token::{RefreshToken, unknown};
use super::store::{self, SessionRow};
use super::{end, revoked};
use crate::accounts::{Client, Session, store as people};
use crate::atom::Inner;
use crate::storage::Timestamp;
use crate::{Error, ErrorKind, Result, Secret, SessionId, UserId};
use chrono::{DateTime, TimeDelta, Utc};

/// How many first uses are remembered within the grace. A client that refreshes more often has lost its way.
const REMEMBERED: usize = 32;

fn refused(reason: &'static str, text: &str) -> Error {
    Error::new(ErrorKind::Unauthenticated, reason, text)
}

pub(in crate::accounts) async fn run(inner: &Inner, refresh_token: Secret, client: Option<Client>) -> Result<Session> {
    let token = RefreshToken::parse(&refresh_token)?;
    let client = client.map(Client::canonical).transpose()?.flatten();
    // To the microsecond, as it is stored: an answer that is given again says the same.
    let (db, now) = (inner.db()?, Timestamp::from(inner.now()).0);
    loop {
        let row = store::get(db, token.workspace, token.session).await?.ok_or_else(unknown)?;
        let key = inner.keys.open_record(db, &key_place(token.workspace, &token.session), &row.refresh_key).await?;
        if !token.is_genuine(&key) {
            return Err(unknown());
        }
        if row.revoked_at.is_some() {
            return Err(revoked());
        }
        let user = UserId(row.user_id);
        if now >= inner.sessions.expires_at(row.refreshed_at.0, row.expires_at.0) {
            return Err(refused("session_expired", "the session has expired: sign in"));
        }
        let (counter, refreshed_at) = match row.refresh_counter - token.counter {
            0 if advance(inner, &token, &row, client.as_ref(), now).await? => (token.counter + 1, now),
            // Another caller with the same token was faster: look again and give the same answer.
            0 => continue,
            // The successor has never been used, so this caller may not have received it.
            1 => (row.refresh_counter, row.refreshed_at.0),
            // Two callers share the token, and one of them has gone on with the answer already.
            behind if is_in_grace(&row, behind, inner.sessions.grace, now) => (token.counter + 1, row.refreshed_at.0),
            _ => {
                end::reused(inner, token.workspace, token.session, user, now).await?;
                tracing::warn!(session.id = %token.session, "a used refresh token came back; the session was ended");
                return Err(refused(
                    "refresh_token_reused",
                    "an old refresh token was used again, so the session was ended: sign in",
                ));
            }
        };
        let (workspace, role) = people::membership(db, user, Some(token.workspace)).await?.ok_or_else(revoked)?;
        let user = people::user(db, user).await?.ok_or_else(revoked)?.into_user();
        let expires_at = inner.sessions.expires_at(refreshed_at, row.expires_at.0);
        let issue = Issue { user, workspace, role, session: token.session, counter, expires_at };
        return issue.tokens(inner, &key, now).await;
    }
}

/// Uses a token for the first time: true for exactly one of several callers that saw the same row.
async fn advance(
    inner: &Inner,
    token: &RefreshToken,
    row: &SessionRow,
    client: Option<&Client>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let db = inner.db()?;
    let remembered = row.recent_uses.0.iter().copied().filter(|at| is_fresh(*at, inner.sessions.grace, now));
    let uses: Vec<i64> = [now.timestamp_micros()].into_iter().chain(remembered).take(REMEMBERED).collect();
    let revision = row.client_revision + 1;
    let client = match client {
        Some(client) => {
            let place = client_place(token.workspace, &token.session, revision);
            Some((inner.keys.seal_record(db, &place, &plain(client)?).await?, revision))
        }
        None => None,
    };
    store::advance(db, token.workspace, token.session, token.counter, uses, client, now).await
}

/// Whether the token that is so far behind was first used within the grace.
fn is_in_grace(row: &SessionRow, behind: i64, grace: TimeDelta, now: DateTime<Utc>) -> bool {
    let first_use = usize::try_from(behind - 1).ok().and_then(|i| row.recent_uses.0.get(i));
    first_use.is_some_and(|at| is_fresh(*at, grace, now))
}

fn is_fresh(at: i64, grace: TimeDelta, now: DateTime<Utc>) -> bool {
    DateTime::from_timestamp_micros(at).is_some_and(|at| now < at + grace)
}

/// The session of a refresh token that a device shows to prove that it was signed in as this user: whether the session lives, has run out or was
/// signed out of. One that was ended for a reason proves nothing, and nor does any other text.
pub(in crate::accounts) async fn known_device(
    inner: &Inner,
    token: Option<&Secret>,
    user: Option<UserId>,
) -> Result<Option<SessionId>> {
    let (Some(token), Some(user)) = (token, user) else { return Ok(None) };
    let Ok(token) = RefreshToken::parse(token) else { return Ok(None) };
    let db = inner.db()?;
    let row = store::get(db, token.workspace, token.session).await?;
    let Some(row) = row.filter(|row| row.user_id == user.0 && row.is_innocent()) else { return Ok(None) };
    let key = inner.keys.open_record(db, &key_place(token.workspace, &token.session), &row.refresh_key).await?;
    Ok(token.is_genuine(&key).then_some(token.session))
}
