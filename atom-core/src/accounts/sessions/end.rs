//! The end of sessions before their time: signed out of, ended by their user from another one, or because an old refresh token came back.

use super::store::{self, Which};
use crate::accounts::Principal;
use crate::atom::Inner;
use crate::audit::{self, Actor, AuditAction, Entry};
use crate::events::{self, Draft, SessionEnded};
use crate::storage::Tx;
use crate::{Error, Result, SessionId, UserId, WorkspaceId};
use chrono::{DateTime, Utc};

pub(super) async fn signed_out(
    inner: &Inner,
    workspace: WorkspaceId,
    id: SessionId,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<()> {
    run(inner, user, Which::One(id), AuditAction::SignedOut, Some((workspace, id)), now).await.map(drop)
}

pub(super) async fn reused(inner: &Inner, workspace: WorkspaceId, id: SessionId, user: UserId, now: DateTime<Utc>) -> Result<()> {
    run(inner, user, Which::One(id), AuditAction::RefreshTokenReused, Some((workspace, id)), now).await.map(drop)
}

/// Ends a session of the user's.
pub(super) async fn revoke(inner: &Inner, principal: &Principal, id: SessionId) -> Result<()> {
    let now = inner.now();
    let ended = run(inner, principal.user_id, Which::One(id), AuditAction::SessionRevoked, acting(principal), now).await?;
    if ended == 0 && !store::exists(inner.db()?, principal.user_id, id).await? {
        return Err(Error::not_found("session"));
    }
    Ok(())
}

/// Ends all sessions of the user, but for the one that asks.
pub(super) async fn revoke_others(inner: &Inner, principal: &Principal) -> Result<i64> {
    let current = principal.session_id.ok_or_else(|| {
        let text = "this scope is not of a session, so there are no others: use `revoke_all`, or the scope of an access token";
        Error::invalid("no_session", text)
    })?;
    run(inner, principal.user_id, Which::Others(current), AuditAction::SessionRevoked, acting(principal), inner.now()).await
}

/// Ends all sessions of the user.
pub(super) async fn revoke_all(inner: &Inner, principal: &Principal) -> Result<i64> {
    run(inner, principal.user_id, Which::All, AuditAction::SessionRevoked, acting(principal), inner.now()).await
}

/// Ends all sessions of a user in the transaction of another act, which tells of them, and returns them in the order in which everyone takes the logs of several
/// workspaces.
pub(in crate::accounts) async fn all_in(
    tx: &mut Tx,
    user: UserId,
    because: AuditAction,
    now: DateTime<Utc>,
) -> Result<Vec<(WorkspaceId, SessionId)>> {
    let mut ended = store::end(tx, user, Which::All, because, now).await?;
    ended.sort();
    Ok(ended)
}

fn acting(principal: &Principal) -> Option<(WorkspaceId, SessionId)> {
    principal.session_id.map(|session| (principal.workspace_id, session))
}

/// Ends sessions that have not ended yet, all in one transaction with what tells of it, and says how many. `by` is the session in which that is done.
async fn run(
    inner: &Inner,
    user: UserId,
    which: Which,
    action: AuditAction,
    by: Option<(WorkspaceId, SessionId)>,
    now: DateTime<Utc>,
) -> Result<i64> {
    let mut tx = inner.db()?.begin_durable().await?;
    let mut ended = store::end(&mut tx, user, which, action, now).await?;
    // In the order in which everyone takes the logs of several workspaces.
    ended.sort();
    let mut told = Vec::with_capacity(ended.len());
    for (workspace, id) in &ended {
        // What is done in one workspace does not name the sessions of another.
        let session = by.filter(|(at, _)| at == workspace).map(|(_, session)| session);
        let (actor, subject) = (Actor { user, session }, Some(id.to_string()));
        audit::append(&mut tx, Entry { workspace: *workspace, actor, action, subject, details: &[] }, now).await?;
        let event = SessionEnded { session_id: *id, user_id: user, reason: action.as_str().to_owned() };
        told.push((*workspace, Draft::of(&event)?));
    }
    events::append_all(&mut tx, told, now).await?;
    tx.commit().await?;
    Ok(i64::try_from(ended.len()).unwrap_or(i64::MAX))
}
