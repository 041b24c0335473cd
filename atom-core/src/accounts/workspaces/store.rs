//! The SQL of workspaces.

use super::{WorkspaceMembership, WorkspaceSeats};
use crate::accounts::Workspace;
use crate::storage::{Db, Timestamp, Tx, on, row};
use crate::{Error, Result, UserId, WorkspaceId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

row! {
    struct MembershipRow { id: Uuid, name: String, created_at: Timestamp, role: String, joined_at: Timestamp }
}

row! {
    /// A workspace that is held.
    pub(in crate::accounts) struct Held { name: String, seats: Option<i32>, created_at: Timestamp }
}

row! {
    struct CountRow { members: i64, invitations: i64 }
}

impl Held {
    pub(in crate::accounts) fn into_workspace(self, id: WorkspaceId) -> Workspace {
        Workspace { id, name: self.name, created_at: self.created_at.0 }
    }
}

/// Takes a workspace, so that whoever else changes who is in it waits until the transaction ends.
///
/// Fails with `not_found`.
pub(in crate::accounts) async fn hold(tx: &mut Tx, workspace: WorkspaceId) -> Result<Held> {
    let held: Option<Held> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_workspaces SET name = name WHERE id = $1 AND closing_at IS NULL RETURNING name, seats, created_at")
        .bind(workspace.0).fetch_optional(c).await)?;
    held.ok_or_else(|| Error::not_found("workspace"))
}

/// The workspaces of a user, in the order in which they joined them.
pub(in crate::accounts) async fn list(db: &Db, user: UserId) -> Result<Vec<WorkspaceMembership>> {
    let rows: Vec<MembershipRow> = on!(db, c => sqlx::query_as(
        "SELECT w.id, w.name, w.created_at, m.role, m.created_at AS joined_at
           FROM atom_memberships m JOIN atom_workspaces w ON w.id = m.workspace_id
          WHERE m.user_id = $1 AND m.leaving_at IS NULL AND w.closing_at IS NULL
          ORDER BY m.created_at, m.workspace_id")
        .bind(user.0).fetch_all(c).await)?;
    let into = |row: MembershipRow| {
        let workspace = Workspace { id: WorkspaceId(row.id), name: row.name, created_at: row.created_at.0 };
        Ok(WorkspaceMembership { workspace, role: row.role.parse()?, joined_at: row.joined_at.0 })
    };
    rows.into_iter().map(into).collect()
}

pub(in crate::accounts) async fn get(db: &Db, workspace: WorkspaceId) -> Result<Workspace> {
    let row: Option<Held> = on!(db, c => sqlx::query_as(
        "SELECT name, seats, created_at FROM atom_workspaces WHERE id = $1 AND closing_at IS NULL")
        .bind(workspace.0).fetch_optional(c).await)?;
    row.map(|row| row.into_workspace(workspace)).ok_or_else(|| Error::not_found("workspace"))
}

pub(super) async fn rename(tx: &mut Tx, workspace: WorkspaceId, name: &str) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query("UPDATE atom_workspaces SET name = $2 WHERE id = $1")
        .bind(workspace.0).bind(name).execute(c).await.map(drop))?)
}

pub(super) async fn set_seats(tx: &mut Tx, workspace: WorkspaceId, seats: Option<i32>) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query("UPDATE atom_workspaces SET seats = $2 WHERE id = $1")
        .bind(workspace.0).bind(seats).execute(c).await.map(drop))?)
}

/// How many members a workspace has, and how many invitations are open.
const COUNTS: &str = "SELECT
    (SELECT count(*) FROM atom_memberships WHERE workspace_id = $1 AND leaving_at IS NULL) AS members,
    (SELECT count(*) FROM atom_invitations
      WHERE workspace_id = $1 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $2) AS invitations";

/// How the seats of a workspace that is held are taken.
pub(in crate::accounts) async fn seats_of(
    tx: &mut Tx,
    workspace: WorkspaceId,
    held: &Held,
    now: DateTime<Utc>,
) -> Result<WorkspaceSeats> {
    let counts: CountRow =
        on!(tx: tx, c => sqlx::query_as(COUNTS).bind(workspace.0).bind(Timestamp::from(now)).fetch_one(c).await)?;
    Ok(counts.into_seats(held.seats))
}

/// The same for whoever only looks.
pub(super) async fn seats(db: &Db, workspace: WorkspaceId, now: DateTime<Utc>) -> Result<WorkspaceSeats> {
    let limit: Option<(Option<i32>,)> = on!(db, c => sqlx::query_as("SELECT seats FROM atom_workspaces WHERE id = $1 AND closing_at IS NULL")
        .bind(workspace.0).fetch_optional(c).await)?;
    let (limit,) = limit.ok_or_else(|| Error::not_found("workspace"))?;
    let counts: CountRow = on!(db, c => sqlx::query_as(COUNTS).bind(workspace.0).bind(Timestamp::from(now)).fetch_one(c).await)?;
    Ok(counts.into_seats(limit))
}

impl CountRow {
    fn into_seats(self, limit: Option<i32>) -> WorkspaceSeats {
        let count = |number: i64| i32::try_from(number).unwrap_or(i32::MAX);
        WorkspaceSeats { limit, members: count(self.members), invitations: count(self.invitations) }
    }
}

/// Closes a workspace that is held: nobody enters it any more.
pub(super) async fn close(tx: &mut Tx, workspace: WorkspaceId, now: DateTime<Utc>) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query("UPDATE atom_workspaces SET closing_at = $2 WHERE id = $1")
        .bind(workspace.0).bind(Timestamp::from(now)).execute(c).await.map(drop))?)
}

/// Whether a workspace is closed and not gone yet.
pub(super) async fn is_closing(db: &Db, workspace: WorkspaceId) -> Result<bool> {
    let found: Option<(Uuid,)> = on!(db, c => sqlx::query_as("SELECT id FROM atom_workspaces WHERE id = $1 AND closing_at IS NOT NULL")
        .bind(workspace.0).fetch_optional(c).await)?;
    Ok(found.is_some())
}

/// The workspaces that are closed and not gone yet.
pub(super) async fn closing(db: &Db) -> Result<Vec<WorkspaceId>> {
    let rows: Vec<(Uuid,)> = on!(db, c => sqlx::query_as(
        "SELECT id FROM atom_workspaces WHERE closing_at IS NOT NULL ORDER BY closing_at LIMIT 100").fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(id,)| WorkspaceId(id)).collect())
}

/// Deletes a closed workspace, and with it whatever hangs on its row.
pub(super) async fn delete(tx: &mut Tx, workspace: WorkspaceId) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query("DELETE FROM atom_workspaces WHERE id = $1 AND closing_at IS NOT NULL")
        .bind(workspace.0).execute(c).await.map(drop))?)
}
