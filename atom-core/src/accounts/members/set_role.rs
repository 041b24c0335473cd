//! Changing what a member may do.

use super::{Member, Members, check_other_owner, rights, store};
use crate::accounts::{Principal, Role, workspaces};
use crate::audit::{self, AuditAction, Entry};
use crate::events::{self, MemberRoleChanged};
use crate::storage::Tx;
use crate::{Result, UserId};
use chrono::{DateTime, Utc};

pub(super) async fn run(members: &Members, user: UserId, role: Role) -> Result<Member> {
    let (inner, now) = (&members.inner, members.inner.now());
    let principal = rights::standing(inner, &members.principal).await?;
    let mut tx = inner.db()?.begin_durable().await?;
    workspaces::hold(&mut tx, principal.workspace_id).await?;
    let principal = rights::acting(&mut tx, &principal).await?;
    principal.check_admin("change the roles of its members")?;
    give(&mut tx, &principal, user, role, now).await?;
    tx.commit().await?;
    store::get(inner.db()?, principal.workspace_id, user).await
}

/// Gives a member a role, in a workspace that is held, on behalf of whoever acts there now.
pub(in crate::accounts) async fn give(
    tx: &mut Tx,
    principal: &Principal,
    user: UserId,
    role: Role,
    now: DateTime<Utc>,
) -> Result<()> {
    let workspace = principal.workspace_id;
    let member = store::standing(tx, workspace, user).await?;
    if member.is_leaving {
        return Err(crate::Error::not_found("member"));
    }
    principal.check_covers(member.role)?;
    principal.check_covers(role)?;
    if member.role == role {
        return Ok(());
    }
    if member.role == Role::Owner {
        check_other_owner(tx, workspace, user).await?;
    }
    store::set_role(tx, workspace, user, role).await?;
    let details = [("from", member.role.as_str()), ("to", role.as_str())];
    let (actor, subject) = (principal.actor(), Some(user.to_string()));
    audit::append(tx, Entry { workspace, actor, action: AuditAction::MemberRoleChanged, subject, details: &details }, now)
        .await?;
    let changed = MemberRoleChanged { user_id: user, from: member.role.as_str().to_owned(), role: role.as_str().to_owned() };
    events::append(tx, workspace, changed, now).await
}
