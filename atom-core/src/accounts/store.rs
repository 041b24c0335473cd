//! The SQL of accounts.

use super::{Role, User, Workspace};
use crate::audit::{self, Actor, AuditAction, Entry};
use crate::events::{self, SessionEnded};
use crate::storage::{Db, Timestamp, Tx, on, row};
use crate::{Result, SessionId, UserId, WorkspaceId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

row! {
    /// A user with the password hash.
    pub(super) struct UserRow { id: Uuid, email: String, display_name: Option<String>, password_hash: Option<String>, created_at: Timestamp }
}

impl UserRow {
    pub(super) fn into_user(self) -> User {
        User { id: UserId(self.id), email: self.email, display_name: self.display_name, created_at: self.created_at.0 }
    }
}

row! {
    struct MemberRow { workspace_id: Uuid, name: String, created_at: Timestamp, role: String }
}

row! {
    /// A session, sealed refresh key included.
    pub(super) struct SessionRow {
        user_id: Uuid,
        refresh_key: Vec<u8>,
        refresh_counter: i64,
        refreshed_at: Timestamp,
        expires_at: Timestamp,
        revoked_at: Option<Timestamp>,
    }
}

pub(super) async fn insert_user(tx: &mut Tx, user: &User, canonical: &str, password_hash: &str) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query(
        "INSERT INTO atom_users (id, email, email_canonical, display_name, password_hash, created_at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(user.id.0).bind(&user.email).bind(canonical).bind(&user.display_name).bind(password_hash)
        .bind(Timestamp::from(user.created_at)).execute(c).await.map(drop))?)
}

pub(super) async fn insert_workspace(tx: &mut Tx, workspace: &Workspace) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query("INSERT INTO atom_workspaces (id, name, created_at) VALUES ($1, $2, $3)")
        .bind(workspace.id.0).bind(&workspace.name).bind(Timestamp::from(workspace.created_at)).execute(c).await.map(drop))?)
}

pub(super) async fn insert_membership(
    tx: &mut Tx,
    workspace: WorkspaceId,
    user: UserId,
    role: Role,
    now: DateTime<Utc>,
) -> Result<()> {
    Ok(
        on!(tx: tx, c => sqlx::query("INSERT INTO atom_memberships (workspace_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)")
        .bind(workspace.0).bind(user.0).bind(role.as_str()).bind(Timestamp::from(now)).execute(c).await.map(drop))?,
    )
}

pub(super) async fn user_by_email(db: &Db, canonical: &str) -> Result<Option<UserRow>> {
    Ok(on!(db, c => sqlx::query_as::<_, UserRow>(
        "SELECT id, email, display_name, password_hash, created_at FROM atom_users WHERE email_canonical = $1 AND disabled_at IS NULL")
        .bind(canonical).fetch_optional(c).await)?)
}

pub(super) async fn user(db: &Db, id: UserId) -> Result<Option<UserRow>> {
    Ok(on!(db, c => sqlx::query_as::<_, UserRow>(
        "SELECT id, email, display_name, password_hash, created_at FROM atom_users WHERE id = $1 AND disabled_at IS NULL")
        .bind(id.0).fetch_optional(c).await)?)
}

/// The workspace of a member and the role there: the named one, or the one joined first.
pub(super) async fn membership(db: &Db, user: UserId, workspace: Option<WorkspaceId>) -> Result<Option<(Workspace, Role)>> {
    let row = on!(db, c => sqlx::query_as::<_, MemberRow>(
        "SELECT m.workspace_id, w.name, w.created_at, m.role
           FROM atom_memberships m JOIN atom_workspaces w ON w.id = m.workspace_id
          WHERE m.user_id = $1 AND ($2 IS NULL OR m.workspace_id = $2)
          ORDER BY m.created_at, m.workspace_id LIMIT 1")
        .bind(user.0).bind(workspace.map(|w| w.0)).fetch_optional(c).await)?;
    let into = |row: MemberRow| {
        let workspace = Workspace { id: WorkspaceId(row.workspace_id), name: row.name, created_at: row.created_at.0 };
        Ok((workspace, row.role.parse()?))
    };
    row.map(into).transpose()
}

/// The role of an active member, as it is now.
pub(super) async fn role(tx: &mut Tx, workspace: WorkspaceId, user: UserId) -> Result<Option<Role>> {
    let row: Option<(String,)> = on!(tx: tx, c => sqlx::query_as(
        "SELECT m.role FROM atom_memberships m JOIN atom_users u ON u.id = m.user_id
          WHERE m.workspace_id = $1 AND m.user_id = $2 AND u.disabled_at IS NULL")
        .bind(workspace.0).bind(user.0).fetch_optional(c).await)?;
    row.map(|(role,)| role.parse()).transpose()
}

/// How many active owners and admins a workspace has beside somebody.
pub(super) async fn other_admins(tx: &mut Tx, workspace: WorkspaceId, user: UserId) -> Result<i64> {
    let (count,): (i64,) = on!(tx: tx, c => sqlx::query_as(
        "SELECT count(*) FROM atom_memberships m JOIN atom_users u ON u.id = m.user_id
          WHERE m.workspace_id = $1 AND m.user_id <> $2 AND m.role IN ('owner', 'admin') AND u.disabled_at IS NULL")
        .bind(workspace.0).bind(user.0).fetch_one(c).await)?;
    Ok(count)
}

pub(super) async fn insert_session(
    tx: &mut Tx,
    workspace: WorkspaceId,
    session: SessionId,
    user: UserId,
    refresh_key: &[u8],
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query(
        "INSERT INTO atom_sessions (workspace_id, id, user_id, refresh_key, refresh_counter, refreshed_at, created_at, expires_at)
         VALUES ($1, $2, $3, $4, 0, $5, $5, $6)")
        .bind(workspace.0).bind(session.0).bind(user.0).bind(refresh_key).bind(Timestamp::from(now)).bind(Timestamp::from(expires_at))
        .execute(c).await.map(drop))?)
}

pub(super) async fn session(db: &Db, workspace: WorkspaceId, session: SessionId) -> Result<Option<SessionRow>> {
    Ok(on!(db, c => sqlx::query_as::<_, SessionRow>(
        "SELECT user_id, refresh_key, refresh_counter, refreshed_at, expires_at, revoked_at
           FROM atom_sessions WHERE workspace_id = $1 AND id = $2")
        .bind(workspace.0).bind(session.0).fetch_optional(c).await)?)
}

/// Moves the counter on, for exactly one of several callers that saw the same value.
pub(super) async fn advance_session(
    db: &Db,
    workspace: WorkspaceId,
    session: SessionId,
    counter: i64,
    now: DateTime<Utc>,
) -> Result<bool> {
    let mut tx = db.begin_durable().await?;
    let moved: Option<(i64,)> = on!(tx: &mut tx, c => sqlx::query_as(
        "UPDATE atom_sessions SET refresh_counter = refresh_counter + 1, refreshed_at = $4
          WHERE workspace_id = $1 AND id = $2 AND refresh_counter = $3 AND revoked_at IS NULL RETURNING refresh_counter")
        .bind(workspace.0).bind(session.0).bind(counter).bind(Timestamp::from(now)).fetch_optional(c).await)?;
    tx.commit().await?;
    Ok(moved.is_some())
}

/// Ends a session that is not over yet; the act, its audit entry and its event are one transaction.
pub(super) async fn revoke_session(
    db: &Db,
    workspace: WorkspaceId,
    session: SessionId,
    user: UserId,
    action: AuditAction,
    now: DateTime<Utc>,
) -> Result<()> {
    let mut tx = db.begin_durable().await?;
    let ended: Option<(Uuid,)> = on!(tx: &mut tx, c => sqlx::query_as(
        "UPDATE atom_sessions SET revoked_at = $3, revoked_because = $4 WHERE workspace_id = $1 AND id = $2 AND revoked_at IS NULL RETURNING id")
        .bind(workspace.0).bind(session.0).bind(Timestamp::from(now)).bind(action.as_str()).fetch_optional(c).await)?;
    if ended.is_some() {
        let actor = Actor { user, session: Some(session) };
        audit::append(&mut tx, Entry { workspace, actor, action, subject: Some(session.to_string()), details: &[] }, now).await?;
        let ended = SessionEnded { session_id: session, user_id: user, reason: action.as_str().to_owned() };
        events::append(&mut tx, workspace, ended, now).await?;
    }
    tx.commit().await
}
