//! Deleting a workspace: closed in one transaction, and gone when what hangs on it elsewhere has been ended.

use super::{Workspaces, hold, rights, store};
use crate::accounts::{sessions, step_up};
use crate::atom::Inner;
use crate::audit::{self, Actor, AuditAction, Entry};
use crate::crypto::INSTALLATION;
use crate::events::{self, Draft, WorkspaceDeleted};
use crate::storage::Tx;
use crate::{Result, UserId, WorkspaceId, jobs, schedules};
use chrono::{DateTime, Utc};
use std::sync::Arc;

pub(super) async fn run(workspaces: &Workspaces) -> Result<()> {
    let (inner, now) = (&workspaces.inner, workspaces.inner.now());
    let principal = step_up::require(inner, &workspaces.principal).await?;
    let workspace = principal.workspace_id;
    let mut tx = inner.db()?.begin_durable().await?;
    hold(&mut tx, workspace).await?;
    rights::acting(&mut tx, &principal).await?.check_owner("delete it")?;
    close(&mut tx, workspace, principal.user_id, now).await?;
    tx.commit().await?;
    finish(inner, workspace).await
}

/// Closes a workspace that is held, and tells it.
pub(super) async fn close(tx: &mut Tx, workspace: WorkspaceId, user: UserId, now: DateTime<Utc>) -> Result<()> {
    shut(tx, workspace, now).await?;
    let (entry, draft) = told(workspace, Actor { user, session: None })?;
    audit::append(tx, entry, now).await?;
    events::append_all(tx, vec![(INSTALLATION, draft)], now).await
}

/// Closes a workspace that is held: nobody enters it any more.
pub(in crate::accounts) async fn shut(tx: &mut Tx, workspace: WorkspaceId, now: DateTime<Utc>) -> Result<()> {
    store::close(tx, workspace, now).await?;
    sessions::end_with_workspace(tx, workspace, now).await
}

/// What tells of it. The workspace's own log goes with it, so that of the installation says it.
pub(in crate::accounts) fn told(workspace: WorkspaceId, actor: Actor) -> Result<(Entry<'static>, Draft)> {
    let (action, subject) = (AuditAction::WorkspaceDeleted, Some(workspace.to_string()));
    let entry = Entry { workspace: INSTALLATION, actor, action, subject, details: &[] };
    Ok((entry, Draft::of(&WorkspaceDeleted { workspace_id: workspace })?))
}

/// Ends what was connected in a closed workspace, destroys its keys and deletes its rows. May be called again.
pub(in crate::accounts) async fn finish(inner: &Arc<Inner>, workspace: WorkspaceId) -> Result<()> {
    if !store::is_closing(inner.db()?, workspace).await? {
        return Ok(());
    }
    (inner.farewell)(Arc::clone(inner), workspace, None).await?;
    let mut tx = inner.db()?.begin_durable().await?;
    // What hangs on the row goes with it; these stand alone.
    store::delete(&mut tx, workspace).await?;
    jobs::forget_workspace(&mut tx, workspace).await?;
    schedules::forget_workspace(&mut tx, workspace).await?;
    audit::forget_workspace(&mut tx, workspace).await?;
    events::forget_workspace(&mut tx, workspace).await?;
    tx.commit().await
}
