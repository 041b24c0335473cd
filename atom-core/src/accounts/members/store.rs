//! The SQL of members.

use super::{Member, MemberFilter, MemberPage};
use crate::accounts::Role;
use crate::storage::{Db, Timestamp, Tx, on, row};
use crate::{Error, Result, UserId, WorkspaceId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

row! {
    struct MemberRow { user_id: Uuid, email: String, display_name: Option<String>, role: String, joined_at: Timestamp }
}

row! {
    struct StandingRow { role: String, leaving_at: Option<Timestamp> }
}

/// How a membership stands.
pub(in crate::accounts) struct Standing {
    pub(in crate::accounts) role: Role,
    pub(in crate::accounts) is_leaving: bool,
}

impl MemberRow {
    fn into_member(self) -> Result<Member> {
        Ok(Member {
            user_id: UserId(self.user_id),
            email: self.email,
            display_name: self.display_name,
            role: self.role.parse()?,
            joined_at: self.joined_at.0,
        })
    }
}

/// Members of the workspace `$1`.
macro_rules! members {
    () => {
        "SELECT m.user_id, u.email, u.display_name, m.role, m.created_at AS joined_at
           FROM atom_memberships m JOIN atom_users u ON u.id = m.user_id
          WHERE m.workspace_id = $1 AND m.leaving_at IS NULL"
    };
}

pub(super) async fn list(db: &Db, workspace: WorkspaceId, filter: &MemberFilter) -> Result<MemberPage> {
    let size = filter.page_size.unwrap_or(100);
    if !(1..=1000).contains(&size) {
        return Err(Error::invalid("malformed_page_size", "page_size is between 1 and 1000"));
    }
    let malformed = |_| Error::invalid("malformed_cursor", "pass the cursor as the last page returned it");
    let after: Option<UserId> = filter.cursor.as_deref().map(str::parse).transpose().map_err(malformed)?;
    let rows: Vec<MemberRow> = on!(db, c => sqlx::query_as(concat!(members!(),
        " AND ($2 IS NULL OR m.user_id > $2) AND ($3 IS NULL OR m.role = $3) ORDER BY m.user_id LIMIT $4"))
        .bind(workspace.0).bind(after.map(|id| id.0)).bind(filter.role.map(|role| role.as_str())).bind(i64::from(size) + 1)
        .fetch_all(c).await)?;
    let more = rows.len() > usize::try_from(size).unwrap_or_default();
    let mut items = rows.into_iter().map(MemberRow::into_member).collect::<Result<Vec<_>>>()?;
    if more {
        items.pop();
    }
    let next_cursor = items.last().filter(|_| more).map(|last| last.user_id.to_string());
    Ok(MemberPage { items, next_cursor })
}

pub(super) async fn get(db: &Db, workspace: WorkspaceId, user: UserId) -> Result<Member> {
    let row: Option<MemberRow> = on!(db, c => sqlx::query_as(concat!(members!(), " AND m.user_id = $2"))
        .bind(workspace.0).bind(user.0).fetch_optional(c).await)?;
    row.ok_or_else(|| Error::not_found("member"))?.into_member()
}

/// How somebody's membership stands, in a workspace that is held.
///
/// Fails with `not_found`.
pub(in crate::accounts) async fn standing(tx: &mut Tx, workspace: WorkspaceId, user: UserId) -> Result<Standing> {
    let row: Option<StandingRow> = on!(tx: tx, c => sqlx::query_as(
        "SELECT role, leaving_at FROM atom_memberships WHERE workspace_id = $1 AND user_id = $2")
        .bind(workspace.0).bind(user.0).fetch_optional(c).await)?;
    let row = row.ok_or_else(|| Error::not_found("member"))?;
    Ok(Standing { role: row.role.parse()?, is_leaving: row.leaving_at.is_some() })
}

pub(in crate::accounts) async fn set_role(tx: &mut Tx, workspace: WorkspaceId, user: UserId, role: Role) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query("UPDATE atom_memberships SET role = $3 WHERE workspace_id = $1 AND user_id = $2")
        .bind(workspace.0).bind(user.0).bind(role.as_str()).execute(c).await.map(drop))?)
}

/// How many active owners a workspace has beside somebody.
pub(super) async fn other_owners(tx: &mut Tx, workspace: WorkspaceId, user: UserId) -> Result<i64> {
    let (count,): (i64,) = on!(tx: tx, c => sqlx::query_as(
        "SELECT count(*) FROM atom_memberships m JOIN atom_users u ON u.id = m.user_id
          WHERE m.workspace_id = $1 AND m.user_id <> $2 AND m.role = 'owner' AND m.leaving_at IS NULL AND u.disabled_at IS NULL")
        .bind(workspace.0).bind(user.0).fetch_one(c).await)?;
    Ok(count)
}

/// How many members a workspace has beside somebody, active or not.
pub(in crate::accounts) async fn others(tx: &mut Tx, workspace: WorkspaceId, user: UserId) -> Result<i64> {
    let (count,): (i64,) = on!(tx: tx, c => sqlx::query_as(
        "SELECT count(*) FROM atom_memberships WHERE workspace_id = $1 AND user_id <> $2 AND leaving_at IS NULL")
        .bind(workspace.0).bind(user.0).fetch_one(c).await)?;
    Ok(count)
}

pub(in crate::accounts) async fn set_leaving(
    tx: &mut Tx,
    workspace: WorkspaceId,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query("UPDATE atom_memberships SET leaving_at = $3 WHERE workspace_id = $1 AND user_id = $2")
        .bind(workspace.0).bind(user.0).bind(Timestamp::from(now)).execute(c).await.map(drop))?)
}

/// Deletes the membership of somebody who is leaving, and with it whatever hangs on its row. False if they have a connection that is not ended.
pub(super) async fn delete_leaving(db: &Db, workspace: WorkspaceId, user: UserId) -> Result<bool> {
    on!(write: db, c => sqlx::query(
        "DELETE FROM atom_memberships WHERE workspace_id = $1 AND user_id = $2 AND leaving_at IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM atom_connections WHERE workspace_id = $1 AND user_id = $2 AND state <> 'revoked')")
        .bind(workspace.0).bind(user.0).execute(c).await.map(drop))?;
    Ok(!is_leaving(db, workspace, user).await?)
}

/// The members who are leaving and not gone yet.
pub(super) async fn leaving(db: &Db) -> Result<Vec<(WorkspaceId, UserId)>> {
    let rows: Vec<(Uuid, Uuid)> = on!(db, c => sqlx::query_as(
        "SELECT workspace_id, user_id FROM atom_memberships WHERE leaving_at IS NOT NULL ORDER BY leaving_at LIMIT 100")
        .fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(workspace, user)| (WorkspaceId(workspace), UserId(user))).collect())
}

/// Whether somebody is leaving and not gone yet.
pub(super) async fn is_leaving(db: &Db, workspace: WorkspaceId, user: UserId) -> Result<bool> {
    let found: Option<(Uuid,)> = on!(db, c => sqlx::query_as(
        "SELECT user_id FROM atom_memberships WHERE workspace_id = $1 AND user_id = $2 AND leaving_at IS NOT NULL")
        .bind(workspace.0).bind(user.0).fetch_optional(c).await)?;
    Ok(found.is_some())
}
