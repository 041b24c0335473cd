//! Making a workspace.

use super::{NewWorkspace, Workspaces, checked_name, rights};
use crate::accounts::{Role, Workspace, store as people};
use crate::audit::{self, Actor, AuditAction, Entry};
use crate::events::{self, WorkspaceCreated};
use crate::{Result, WorkspaceId};

pub(super) async fn run(workspaces: &Workspaces, new: NewWorkspace) -> Result<Workspace> {
    let (inner, now) = (&workspaces.inner, workspaces.inner.now());
    let user = rights::standing(inner, &workspaces.principal).await?.user_id;
    let workspace = Workspace { id: WorkspaceId::generate(), name: checked_name(&new.name)?, created_at: now };
    let data_key = inner.keys.new_key(workspace.id).await?;
    let mut tx = inner.db()?.begin_durable().await?;
    people::keep_active(&mut tx, user).await?;
    people::insert_workspace(&mut tx, &workspace).await?;
    people::insert_membership(&mut tx, workspace.id, user, Role::Owner, now).await?;
    data_key.insert(&mut tx, now).await?;
    // The log of one workspace does not name a session of another.
    let actor = Actor { user, session: None };
    let subject = Some(workspace.id.to_string());
    let entry = Entry { workspace: workspace.id, actor, action: AuditAction::WorkspaceCreated, subject, details: &[] };
    audit::append(&mut tx, entry, now).await?;
    events::append(&mut tx, workspace.id, WorkspaceCreated { workspace_id: workspace.id, creator_id: user }, now).await?;
    tx.commit().await?;
    Ok(workspace)
}
