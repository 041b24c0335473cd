//! The SQL of invitations.

use super::token::Hash;
use super::{Invitation, InvitationFilter, InvitationPage, InvitationState};
use crate::accounts::Role;
use crate::storage::{Db, Timestamp, Tx, on, row};
use crate::{Error, InvitationId, Result, UserId, WorkspaceId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

row! {
    /// An invitation as it is stored.
    pub(super) struct InvitationRow {
        workspace_id: Uuid,
        id: Uuid,
        email: String,
        email_canonical: String,
        role: String,
        locale: Option<String>,
        invited_by: Uuid,
        created_at: Timestamp,
        sent_at: Timestamp,
        expires_at: Timestamp,
        accepted_at: Option<Timestamp>,
        accepted_by: Option<Uuid>,
        revoked_at: Option<Timestamp>,
    }
}

macro_rules! columns {
    () => {
        "workspace_id, id, email, email_canonical, role, locale, invited_by, created_at, sent_at, expires_at, accepted_at, accepted_by, revoked_at"
    };
}

/// How a row stands at `$2`.
macro_rules! state {
    () => {
        "CASE WHEN accepted_at IS NOT NULL THEN 'accepted' WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN expires_at <= $2 THEN 'expired' ELSE 'pending' END"
    };
}

impl InvitationRow {
    pub(super) fn workspace(&self) -> WorkspaceId {
        WorkspaceId(self.workspace_id)
    }

    pub(super) fn id(&self) -> InvitationId {
        InvitationId(self.id)
    }

    pub(super) fn role(&self) -> Result<Role> {
        self.role.parse()
    }

    pub(super) fn into_invitation(self, now: DateTime<Utc>) -> Result<Invitation> {
        let state = match (self.accepted_at, self.revoked_at) {
            (Some(_), _) => InvitationState::Accepted,
            (None, Some(_)) => InvitationState::Revoked,
            (None, None) if self.expires_at.0 <= now => InvitationState::Expired,
            (None, None) => InvitationState::Pending,
        };
        Ok(Invitation {
            id: InvitationId(self.id),
            email: self.email,
            role: self.role.parse()?,
            state,
            invited_by: UserId(self.invited_by),
            accepted_by: self.accepted_by.map(UserId),
            created_at: self.created_at.0,
            sent_at: self.sent_at.0,
            expires_at: self.expires_at.0,
        })
    }
}

pub(super) async fn insert(tx: &mut Tx, row: &InvitationRow, hash: &Hash) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query(
        "INSERT INTO atom_invitations
            (workspace_id, id, email, email_canonical, role, locale, token_hash, invited_by, created_at, sent_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
        .bind(row.workspace_id).bind(row.id).bind(&row.email).bind(&row.email_canonical).bind(&row.role).bind(&row.locale)
        .bind(&hash[..]).bind(row.invited_by).bind(row.created_at).bind(row.sent_at).bind(row.expires_at)
        .execute(c).await.map(drop))?)
}

pub(super) async fn get(db: &Db, workspace: WorkspaceId, id: InvitationId) -> Result<InvitationRow> {
    let row: Option<InvitationRow> = on!(db, c => sqlx::query_as(
        concat!("SELECT ", columns!(), " FROM atom_invitations WHERE workspace_id = $1 AND id = $2"))
        .bind(workspace.0).bind(id.0).fetch_optional(c).await)?;
    row.ok_or_else(|| Error::not_found("invitation"))
}

/// The invitations that fit, newest first.
pub(super) async fn list(
    db: &Db,
    workspace: WorkspaceId,
    filter: &InvitationFilter,
    now: DateTime<Utc>,
) -> Result<InvitationPage> {
    let size = filter.page_size.unwrap_or(100);
    if !(1..=1000).contains(&size) {
        return Err(Error::invalid("malformed_page_size", "page_size is between 1 and 1000"));
    }
    let malformed = |_| Error::invalid("malformed_cursor", "pass the cursor as the last page returned it");
    let before: Option<InvitationId> = filter.cursor.as_deref().map(str::parse).transpose().map_err(malformed)?;
    let rows: Vec<InvitationRow> = on!(db, c => sqlx::query_as(concat!("SELECT ", columns!(), " FROM atom_invitations
          WHERE workspace_id = $1 AND ($3 IS NULL OR id < $3) AND ($4 IS NULL OR ", state!(), " = $4) ORDER BY id DESC LIMIT $5"))
        .bind(workspace.0).bind(Timestamp::from(now)).bind(before.map(|id| id.0)).bind(filter.state.map(|state| state.as_str()))
        .bind(i64::from(size) + 1).fetch_all(c).await)?;
    let more = rows.len() > usize::try_from(size).unwrap_or_default();
    let mut items = rows.into_iter().map(|row| row.into_invitation(now)).collect::<Result<Vec<_>>>()?;
    if more {
        items.pop();
    }
    let next_cursor = items.last().filter(|_| more).map(|last| last.id.to_string());
    Ok(InvitationPage { items, next_cursor })
}

/// Whether somebody with an address is a member, in a workspace that is held.
pub(super) async fn is_member(tx: &mut Tx, workspace: WorkspaceId, canonical: &str) -> Result<bool> {
    let found: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "SELECT m.user_id FROM atom_memberships m JOIN atom_users u ON u.id = m.user_id
          WHERE m.workspace_id = $1 AND u.email_canonical = $2 AND m.leaving_at IS NULL")
        .bind(workspace.0).bind(canonical).fetch_optional(c).await)?;
    Ok(found.is_some())
}

/// Revokes what is open for an address.
pub(super) async fn revoke_for(tx: &mut Tx, workspace: WorkspaceId, canonical: &str, now: DateTime<Utc>) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query(
        "UPDATE atom_invitations SET revoked_at = $3
          WHERE workspace_id = $1 AND email_canonical = $2 AND accepted_at IS NULL AND revoked_at IS NULL")
        .bind(workspace.0).bind(canonical).bind(Timestamp::from(now)).execute(c).await.map(drop))?)
}

/// Revokes an invitation that is open. Of all who end it, one gets true.
pub(super) async fn revoke(tx: &mut Tx, workspace: WorkspaceId, id: InvitationId, now: DateTime<Utc>) -> Result<bool> {
    let revoked: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_invitations SET revoked_at = $3
          WHERE workspace_id = $1 AND id = $2 AND accepted_at IS NULL AND revoked_at IS NULL RETURNING id")
        .bind(workspace.0).bind(id.0).bind(Timestamp::from(now)).fetch_optional(c).await)?;
    Ok(revoked.is_some())
}

/// Gives an invitation that is open another token and another end; the token before is good for nothing then.
pub(super) async fn renew(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: InvitationId,
    hash: &Hash,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<bool> {
    let renewed: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_invitations SET token_hash = $3, sent_at = $4, expires_at = $5
          WHERE workspace_id = $1 AND id = $2 AND accepted_at IS NULL AND revoked_at IS NULL RETURNING id")
        .bind(workspace.0).bind(id.0).bind(&hash[..]).bind(Timestamp::from(now)).bind(Timestamp::from(expires_at))
        .fetch_optional(c).await)?;
    Ok(renewed.is_some())
}

/// The invitation of a token, if it can be accepted.
pub(super) async fn by_token(db: &Db, hash: &Hash, now: DateTime<Utc>) -> Result<Option<InvitationRow>> {
    Ok(on!(db, c => sqlx::query_as(concat!("SELECT ", columns!(), " FROM atom_invitations
          WHERE token_hash = $1 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $2"))
        .bind(&hash[..]).bind(Timestamp::from(now)).fetch_optional(c).await)?)
}

/// Uses a token, once and in its time: true for exactly one of several callers.
pub(super) async fn accept(tx: &mut Tx, row: &InvitationRow, hash: &Hash, user: UserId, now: DateTime<Utc>) -> Result<bool> {
    let accepted: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_invitations SET accepted_at = $4, accepted_by = $5
          WHERE workspace_id = $1 AND id = $2 AND token_hash = $3 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $4
      RETURNING id")
        .bind(row.workspace_id).bind(row.id).bind(&hash[..]).bind(Timestamp::from(now)).bind(user.0).fetch_optional(c).await)?;
    Ok(accepted.is_some())
}

/// The invitations to an address, in all workspaces.
pub(in crate::accounts) async fn to_address(
    db: &Db,
    canonical: &str,
    now: DateTime<Utc>,
) -> Result<Vec<(WorkspaceId, Invitation)>> {
    let rows: Vec<InvitationRow> = on!(db, c => sqlx::query_as(
        concat!("SELECT ", columns!(), " FROM atom_invitations WHERE email_canonical = $1 ORDER BY id"))
        .bind(canonical).fetch_all(c).await)?;
    rows.into_iter().map(|row| Ok((row.workspace(), row.into_invitation(now)?))).collect()
}

/// Deletes the invitations to an address, and those that a user has accepted.
pub(in crate::accounts) async fn forget(tx: &mut Tx, canonical: &str, user: UserId) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query("DELETE FROM atom_invitations WHERE email_canonical = $1 OR accepted_by = $2")
        .bind(canonical).bind(user.0).execute(c).await.map(drop))?)
}

/// Deletes invitations that ended long ago.
pub(in crate::accounts) async fn sweep(db: &Db, before: DateTime<Utc>) -> Result<()> {
    Ok(on!(write: db, c => sqlx::query("DELETE FROM atom_invitations WHERE expires_at < $1")
        .bind(Timestamp::from(before)).execute(c).await.map(drop))?)
}
