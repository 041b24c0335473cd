//! Handing an ownership on.

use super::{Workspaces, hold, members, rights};
use crate::accounts::{Role, step_up};
use crate::{Result, UserId};

pub(super) async fn run(workspaces: &Workspaces, user: UserId) -> Result<()> {
    let (inner, now) = (&workspaces.inner, workspaces.inner.now());
    let principal = step_up::require(inner, &workspaces.principal).await?;
    let mut tx = inner.db()?.begin_durable().await?;
    hold(&mut tx, principal.workspace_id).await?;
    let principal = rights::acting(&mut tx, &principal).await?;
    principal.check_owner("hand it on")?;
    if user == principal.user_id {
        return Ok(());
    }
    members::give(&mut tx, &principal, user, Role::Owner, now).await?;
    members::give(&mut tx, &principal, principal.user_id, Role::Admin, now).await?;
    tx.commit().await
}
