//! The SQL of sessions.

use super::begin::Sealed;
use crate::accounts::{SignInMethod, store as people};
use crate::audit::AuditAction;
use crate::storage::{Db, Timestamp, Tx, on, row};
use crate::{Result, SessionId, UserId, WorkspaceId};
use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

row! {
    /// A session, sealed refresh key included.
    pub(super) struct SessionRow {
        user_id: Uuid,
        refresh_key: Vec<u8>,
        refresh_counter: i64,
        /// When the tokens before the newest were first used, in microseconds, newest first.
        recent_uses: Json<Vec<i64>>,
        client_revision: i64,
        refreshed_at: Timestamp,
        expires_at: Timestamp,
        revoked_at: Option<Timestamp>,
        revoked_because: Option<String>,
    }
}

impl SessionRow {
    /// Whether it has not ended, or as every session does.
    pub(super) fn is_innocent(&self) -> bool {
        self.revoked_because.as_deref().is_none_or(|because| because == AuditAction::SignedOut.as_str())
    }
}

row! {
    /// A session in a list.
    pub(super) struct ListedRow {
        workspace_id: Uuid,
        id: Uuid,
        client: Option<Vec<u8>>,
        client_revision: i64,
        created_at: Timestamp,
        refreshed_at: Timestamp,
        expires_at: Timestamp,
    }
}

row! {
    /// A session with all that may be told of it.
    pub(super) struct KeptRow {
        workspace_id: Uuid,
        id: Uuid,
        client: Option<Vec<u8>>,
        client_revision: i64,
        methods: Json<Vec<SignInMethod>>,
        created_at: Timestamp,
        refreshed_at: Timestamp,
        expires_at: Timestamp,
        revoked_at: Option<Timestamp>,
        revoked_because: Option<String>,
    }
}

row! {
    /// How a session stands that was not ended, of a user who is active and a member.
    pub(super) struct StandingRow {
        refreshed_at: Timestamp,
        expires_at: Timestamp,
        role: String,
        /// How the user proved who they are, and when last.
        methods: Json<Vec<SignInMethod>>,
        proved_at: Timestamp,
    }
}

/// Which sessions of a user.
pub(in crate::accounts) enum Which {
    One(SessionId),
    Others(SessionId),
    /// Those in one workspace.
    In(WorkspaceId),
    All,
}

/// A session that begins.
pub(super) struct Begun<'a> {
    pub(super) workspace: WorkspaceId,
    pub(super) id: SessionId,
    pub(super) user: UserId,
    pub(super) sealed: &'a Sealed,
    pub(super) methods: &'a [SignInMethod],
    pub(super) proved_at: DateTime<Utc>,
    pub(super) ends_at: DateTime<Utc>,
}

pub(super) async fn insert(tx: &mut Tx, begun: Begun<'_>, now: DateTime<Utc>) -> Result<()> {
    let Begun { workspace, id, user, sealed, methods, proved_at, ends_at } = begun;
    let revision = i64::from(sealed.client.is_some());
    Ok(on!(tx: tx, c => sqlx::query(
        "INSERT INTO atom_sessions
            (workspace_id, id, user_id, refresh_key, refresh_counter, refreshed_at, created_at, expires_at, client, client_revision,
             methods, proved_at)
         VALUES ($1, $2, $3, $4, 0, $5, $5, $6, $7, $8, $9, $10)")
        .bind(workspace.0).bind(id.0).bind(user.0).bind(&sealed.refresh_key).bind(Timestamp::from(now))
        .bind(Timestamp::from(ends_at)).bind(sealed.client.as_deref()).bind(revision).bind(Json(methods))
        .bind(Timestamp::from(proved_at)).execute(c).await.map(drop))?)
}

pub(super) async fn get(db: &Db, workspace: WorkspaceId, session: SessionId) -> Result<Option<SessionRow>> {
    Ok(on!(db, c => sqlx::query_as::<_, SessionRow>(
        "SELECT user_id, refresh_key, refresh_counter, recent_uses, client_revision, refreshed_at, expires_at, revoked_at, revoked_because
           FROM atom_sessions WHERE workspace_id = $1 AND id = $2")
        .bind(workspace.0).bind(session.0).fetch_optional(c).await)?)
}

/// Moves the counter on, for exactly one of several callers that saw the same value. `client` is what is now known of it, sealed, and its revision.
pub(super) async fn advance(
    db: &Db,
    workspace: WorkspaceId,
    session: SessionId,
    counter: i64,
    recent_uses: Vec<i64>,
    client: Option<(Vec<u8>, i64)>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let (client, revision) = client.unzip();
    let moved: Option<(i64,)> = on!(durable: db, c => sqlx::query_as(
        "UPDATE atom_sessions SET refresh_counter = refresh_counter + 1, refreshed_at = $4, recent_uses = $5,
                client = coalesce($6, client), client_revision = coalesce($7, client_revision)
          WHERE workspace_id = $1 AND id = $2 AND refresh_counter = $3 AND revoked_at IS NULL RETURNING refresh_counter")
        .bind(workspace.0).bind(session.0).bind(counter).bind(Timestamp::from(now)).bind(Json(recent_uses)).bind(client)
        .bind(revision).fetch_optional(c).await)?;
    Ok(moved.is_some())
}

/// Ends sessions that were not ended before, and returns them.
pub(super) async fn end(
    tx: &mut Tx,
    user: UserId,
    which: Which,
    action: AuditAction,
    now: DateTime<Utc>,
) -> Result<Vec<(WorkspaceId, SessionId)>> {
    let (one, but, workspace) = match which {
        Which::One(id) => (Some(id.0), None, None),
        Which::Others(id) => (None, Some(id.0), None),
        Which::In(workspace) => (None, None, Some(workspace.0)),
        Which::All => (None, None, None),
    };
    if one.is_none() {
        // Two statements that lock many rows in different orders would wait for each other.
        people::hold_user(tx, user).await?;
    }
    let ended: Vec<(Uuid, Uuid)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_sessions SET revoked_at = $2, revoked_because = $3
          WHERE user_id = $1 AND revoked_at IS NULL AND ($4 IS NULL OR id = $4) AND ($5 IS NULL OR id <> $5)
            AND ($6 IS NULL OR workspace_id = $6)
      RETURNING workspace_id, id")
        .bind(user.0).bind(Timestamp::from(now)).bind(action.as_str()).bind(one).bind(but).bind(workspace).fetch_all(c).await)?;
    Ok(ended.into_iter().map(|(workspace, id)| (WorkspaceId(workspace), SessionId(id))).collect())
}

/// Whether a user has, or had, this session.
pub(super) async fn exists(db: &Db, user: UserId, session: SessionId) -> Result<bool> {
    let found: Option<(Uuid,)> = on!(db, c => sqlx::query_as("SELECT id FROM atom_sessions WHERE user_id = $1 AND id = $2")
        .bind(user.0).bind(session.0).fetch_optional(c).await)?;
    Ok(found.is_some())
}

/// The sessions of a user in all their workspaces that have not ended, newest first.
pub(super) async fn list(db: &Db, user: UserId, now: DateTime<Utc>, idle_since: DateTime<Utc>) -> Result<Vec<ListedRow>> {
    Ok(on!(db, c => sqlx::query_as::<_, ListedRow>(
        "SELECT workspace_id, id, client, client_revision, created_at, refreshed_at, expires_at FROM atom_sessions
          WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2 AND refreshed_at > $3 ORDER BY id DESC")
        .bind(user.0).bind(Timestamp::from(now)).bind(Timestamp::from(idle_since)).fetch_all(c).await)?)
}

/// All sessions of a user that are kept, newest first.
pub(super) async fn all(db: &Db, user: UserId) -> Result<Vec<KeptRow>> {
    Ok(on!(db, c => sqlx::query_as::<_, KeptRow>(
        "SELECT workspace_id, id, client, client_revision, methods, created_at, refreshed_at, expires_at, revoked_at, revoked_because
           FROM atom_sessions WHERE user_id = $1 ORDER BY id DESC")
        .bind(user.0).fetch_all(c).await)?)
}

/// How a session stands, by three primary keys; none if it was ended, or its user is disabled or no member any more.
pub(super) async fn standing(db: &Db, workspace: WorkspaceId, session: SessionId, user: UserId) -> Result<Option<StandingRow>> {
    Ok(on!(db, c => sqlx::query_as::<_, StandingRow>(
        "SELECT s.refreshed_at, s.expires_at, m.role, s.methods, s.proved_at
           FROM atom_sessions s
           JOIN atom_memberships m ON m.workspace_id = s.workspace_id AND m.user_id = s.user_id
           JOIN atom_users u ON u.id = s.user_id
          WHERE s.workspace_id = $1 AND s.id = $2 AND s.user_id = $3 AND s.revoked_at IS NULL
            AND m.leaving_at IS NULL AND u.disabled_at IS NULL")
        .bind(workspace.0).bind(session.0).bind(user.0).fetch_optional(c).await)?)
}

/// Whether a session was not ended, as the transaction sees it.
pub(super) async fn stands(tx: &mut Tx, workspace: WorkspaceId, session: SessionId) -> Result<bool> {
    let found: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "SELECT id FROM atom_sessions WHERE workspace_id = $1 AND id = $2 AND revoked_at IS NULL")
        .bind(workspace.0).bind(session.0).fetch_optional(c).await)?;
    Ok(found.is_some())
}

/// Notes that the user of a session has proved once more who they are; false if it has ended.
pub(super) async fn prove(
    tx: &mut Tx,
    workspace: WorkspaceId,
    session: SessionId,
    methods: Vec<SignInMethod>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let proved: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_sessions SET methods = $3, proved_at = $4 WHERE workspace_id = $1 AND id = $2 AND revoked_at IS NULL RETURNING id")
        .bind(workspace.0).bind(session.0).bind(Json(methods)).bind(Timestamp::from(now)).fetch_optional(c).await)?;
    Ok(proved.is_some())
}

/// Deletes sessions whose last day was before a moment.
pub(super) async fn delete_ended(db: &Db, before: DateTime<Utc>) -> Result<()> {
    Ok(on!(write: db, c => sqlx::query("DELETE FROM atom_sessions WHERE expires_at < $1")
        .bind(Timestamp::from(before)).execute(c).await.map(drop))?)
}

/// Ends the sessions of everybody in a workspace.
pub(super) async fn end_everyones(tx: &mut Tx, workspace: WorkspaceId, now: DateTime<Utc>) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query(
        "UPDATE atom_sessions SET revoked_at = $2, revoked_because = $3 WHERE workspace_id = $1 AND revoked_at IS NULL")
        .bind(workspace.0).bind(Timestamp::from(now)).bind(AuditAction::SessionRevoked.as_str()).execute(c).await.map(drop))?)
}
