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

/// The session in which a principal acts, and where.
pub(in crate::accounts) fn acting(principal: &Principal) -> Option<(WorkspaceId, SessionId)> {
    principal.session_id.map(|session| (principal.workspace_id, session))
}

/// Ends sessions in the transaction of an act that ends them, with what tells of both.
pub(in crate::accounts) async fn end_for(
    tx: &mut Tx,
    user: UserId,
    which: Which,
    by: Option<(WorkspaceId, SessionId)>,
    act: Vec<(Entry<'_>, Draft)>,
    now: DateTime<Utc>,
) -> Result<()> {
    end(tx, user, which, AuditAction::SessionRevoked, by, act, now).await.map(drop)
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
    let ended = end(&mut tx, user, which, action, by, Vec::new(), now).await?;
    tx.commit().await?;
    Ok(ended)
}

async fn end(
    tx: &mut Tx,
    user: UserId,
    which: Which,
    action: AuditAction,
    by: Option<(WorkspaceId, SessionId)>,
    act: Vec<(Entry<'_>, Draft)>,
    now: DateTime<Utc>,
) -> Result<i64> {
    let mut ended = store::end(tx, user, which, action, now).await?;
    ended.sort();
    let (mut entries, mut told) = (Vec::new(), Vec::new());
    for (entry, event) in act {
        told.push((entry.workspace, event));
        entries.push(entry);
    }
    for (workspace, id) in &ended {
        // What is done in one workspace does not name the sessions of another.
        let session = by.filter(|(at, _)| at == workspace).map(|(_, session)| session);
        let (actor, subject) = (Actor { user, session }, Some(id.to_string()));
        entries.push(Entry { workspace: *workspace, actor, action, subject, details: &[] });
        let event = SessionEnded { session_id: *id, user_id: user, reason: action.as_str().to_owned() };
        told.push((*workspace, Draft::of(&event)?));
    }
    // In the order in which everyone takes the logs of several workspaces.
    entries.sort_by_key(|entry| entry.workspace);
    for entry in entries {
        audit::append(tx, entry, now).await?;
    }
    events::append_all(tx, told, now).await?;
    Ok(i64::try_from(ended.len()).unwrap_or(i64::MAX))
}

/// Ends a user's sessions in one workspace, in the transaction that ends their membership. `actor` is who ends it.
pub(in crate::accounts) async fn with_membership(
    tx: &mut Tx,
    workspace: WorkspaceId,
    user: UserId,
    actor: Actor,
    now: DateTime<Utc>,
) -> Result<()> {
    let action = AuditAction::SessionRevoked;
    let ended = store::end(tx, user, Which::In(workspace), action, now).await?;
    let mut told = Vec::with_capacity(ended.len());
    for (_, id) in ended {
        audit::append(tx, Entry { workspace, actor, action, subject: Some(id.to_string()), details: &[] }, now).await?;
        let event = SessionEnded { session_id: id, user_id: user, reason: action.as_str().to_owned() };
        told.push((workspace, Draft::of(&event)?));
    }
    events::append_all(tx, told, now).await
}

/// Ends the sessions of everybody in a workspace that is about to go, with its logs.
pub(in crate::accounts) async fn with_workspace(tx: &mut Tx, workspace: WorkspaceId, now: DateTime<Utc>) -> Result<()> {
    store::end_everyones(tx, workspace, now).await
}
