//! The way out of a workspace, taken or shown.
//!
//! From the commit on somebody is no member any more, wherever that is asked. What they connected is ended at its providers after that, which takes
//! time and may fail, so the membership is a row until it is done: whoever calls again goes on with it, and so does a worker.

use super::{check_other_owner, rights, store};
use crate::accounts::{Principal, Role, sessions, store as people, workspaces};
use crate::atom::Inner;
use crate::audit::{self, AuditAction, Entry};
use crate::events::{self, MemberLeft};
use crate::{Error, Result, UserId, WorkspaceId};
use std::sync::Arc;

/// How often what was connected meanwhile is looked for.
const ROUNDS: usize = 10;

pub(in crate::accounts) async fn run(inner: &Arc<Inner>, principal: &Principal, user: UserId) -> Result<()> {
    let (workspace, now) = (principal.workspace_id, inner.now());
    let principal = rights::standing(inner, principal).await?;
    let mut tx = inner.db()?.begin_durable().await?;
    // Before the workspace and the logs, as everyone does: they may be signing in.
    people::hold_user(&mut tx, user).await?;
    workspaces::hold(&mut tx, workspace).await?;
    let principal = rights::acting(&mut tx, &principal).await?;
    let is_own = user == principal.user_id;
    if !is_own {
        principal.check_admin("remove its members")?;
    }
    let member = store::standing(&mut tx, workspace, user).await?;
    if !member.is_leaving {
        principal.check_covers(member.role)?;
        if member.role == Role::Owner {
            check_other_owner(&mut tx, workspace, user).await?;
        }
        store::set_leaving(&mut tx, workspace, user, now).await?;
        let (actor, subject) = (principal.actor(), Some(user.to_string()));
        let (action, reason) = if is_own { (AuditAction::MemberLeft, "left") } else { (AuditAction::MemberRemoved, "removed") };
        audit::append(&mut tx, Entry { workspace, actor, action, subject, details: &[] }, now).await?;
        sessions::end_with_membership(&mut tx, workspace, user, actor, now).await?;
        events::append(&mut tx, workspace, MemberLeft { user_id: user, reason: reason.to_owned() }, now).await?;
    }
    tx.commit().await?;
    finish(inner, workspace, user).await
}

/// Ends what somebody connected who is leaving, and then deletes what is left of their membership.
async fn finish(inner: &Arc<Inner>, workspace: WorkspaceId, user: UserId) -> Result<()> {
    for _ in 0..ROUNDS {
        (inner.farewell)(Arc::clone(inner), workspace, Some(user)).await?;
        // Whoever was connecting at that moment has added one more.
        if store::delete_leaving(inner.db()?, workspace, user).await? {
            return Ok(());
        }
    }
    Err(Error::unavailable("still_connecting", "the member goes on connecting accounts: call again"))
}

/// Finishes the departure of somebody who may come back, if there was one.
pub(in crate::accounts) async fn finish_leaving(inner: &Arc<Inner>, workspace: WorkspaceId, user: UserId) -> Result<()> {
    if store::is_leaving(inner.db()?, workspace, user).await? { finish(inner, workspace, user).await } else { Ok(()) }
}

/// Finishes what was begun: its process may have died.
pub(crate) async fn finish_all(inner: &Arc<Inner>) -> Result<()> {
    for (workspace, user) in store::leaving(inner.db()?).await? {
        finish(inner, workspace, user).await?;
    }
    Ok(())
}
