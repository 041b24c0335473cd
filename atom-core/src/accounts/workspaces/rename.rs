//! Renaming a workspace.

use super::{Workspaces, checked_name, hold, rights, store};
use crate::Result;
use crate::accounts::Workspace;
use crate::audit::{self, AuditAction, Entry};
use crate::events::{self, WorkspaceRenamed};

pub(super) async fn run(workspaces: &Workspaces, name: String) -> Result<Workspace> {
    let (inner, now) = (&workspaces.inner, workspaces.inner.now());
    let name = checked_name(&name)?;
    let principal = rights::standing(inner, &workspaces.principal).await?;
    let workspace = principal.workspace_id;
    let mut tx = inner.db()?.begin_durable().await?;
    hold(&mut tx, workspace).await?;
    rights::acting(&mut tx, &principal).await?.check_admin("rename it")?;
    store::rename(&mut tx, workspace, &name).await?;
    let (actor, subject) = (principal.actor(), Some(workspace.to_string()));
    audit::append(&mut tx, Entry { workspace, actor, action: AuditAction::WorkspaceRenamed, subject, details: &[] }, now).await?;
    events::append(&mut tx, workspace, WorkspaceRenamed { workspace_id: workspace, name }, now).await?;
    tx.commit().await?;
    store::get(inner.db()?, workspace).await
}
