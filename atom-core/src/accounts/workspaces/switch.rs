//! Entering another workspace.

use super::Workspaces;
use crate::accounts::sessions::{self, NewSession};
use crate::accounts::{Session, step_up, store as people};
use crate::audit::{self, Actor, AuditAction, Entry};
use crate::events::{self, SessionStarted};
use crate::{Error, Result, WorkspaceId};

pub(super) async fn run(workspaces: &Workspaces, to: WorkspaceId) -> Result<Session> {
    let (inner, db, now) = (&workspaces.inner, workspaces.inner.db()?, workspaces.inner.now());
    let standing = step_up::standing(inner, &workspaces.principal).await?;
    let id = standing.principal.user_id;
    let unknown = || Error::not_found("workspace");
    let (workspace, role) = people::membership(db, id, Some(to)).await?.ok_or_else(unknown)?;
    let user = people::user(db, id).await?.ok_or_else(unknown)?.into_user();
    let device = sessions::list(inner, &standing.principal).await?.into_iter().find(|session| session.is_current);

    let session = NewSession::beside(&standing, device.and_then(|session| session.client))?;
    let sealed = session.seal(inner, workspace.id).await?;
    let mut tx = db.begin_durable().await?;
    sessions::hold(&mut tx, &standing.principal).await?;
    session.insert(inner, &mut tx, workspace.id, user.id, &sealed, now).await?;
    let actor = Actor { user: user.id, session: Some(session.id) };
    let subject = Some(user.id.to_string());
    let entry = Entry { workspace: workspace.id, actor, action: AuditAction::WorkspaceEntered, subject, details: &[] };
    audit::append(&mut tx, entry, now).await?;
    events::append(&mut tx, workspace.id, SessionStarted { session_id: session.id, user_id: user.id }, now).await?;
    tx.commit().await?;
    session.tokens(inner, user, workspace, role, now).await
}
