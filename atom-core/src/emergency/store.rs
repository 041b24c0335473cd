//! The SQL of emergency requests.

use super::{EmergencyFilter, EmergencyState};
use crate::accounts::Principal;
use crate::storage::{Db, Timestamp, Tx, on, row};
use crate::{EmergencyRequestId, Error, Result, UserId, WorkspaceId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

row! {
    /// A request as it is stored.
    pub(super) struct RequestRow {
        workspace_id: Uuid,
        id: Uuid,
        requester_id: Uuid,
        connection_id: Option<Uuid>,
        token_set: Option<String>,
        service_key_id: Option<Uuid>,
        user_id: Option<Uuid>,
        reason: Vec<u8>,
        minutes: i32,
        state: String,
        requested_at: Timestamp,
        expires_at: Timestamp,
        granted_at: Option<Timestamp>,
        ended_at: Option<Timestamp>,
    }
}

impl RequestRow {
    pub(super) fn id(&self) -> EmergencyRequestId {
        EmergencyRequestId(self.id)
    }

    pub(super) fn workspace(&self) -> WorkspaceId {
        WorkspaceId(self.workspace_id)
    }

    pub(super) fn requester(&self) -> UserId {
        UserId(self.requester_id)
    }

    /// Whose secret it is about.
    pub(super) fn owner(&self) -> Option<UserId> {
        self.user_id.map(UserId)
    }

    /// How it stands at a moment, whether or not somebody has noted that its time is over.
    pub(super) fn state_at(&self, now: DateTime<Utc>) -> Result<EmergencyState> {
        if self.ended_at.is_none() && self.expires_at.0 <= now { Ok(EmergencyState::Expired) } else { self.state.parse() }
    }
}

macro_rules! columns {
    () => {
        "workspace_id, id, requester_id, connection_id, token_set, service_key_id, user_id, reason, minutes, state, requested_at, expires_at, granted_at, ended_at"
    };
}

/// Requests that a principal may see: `$1` is the workspace, `$2` whether they run it, `$3` the user.
macro_rules! visible {
    () => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM atom_emergency_requests WHERE workspace_id = $1 AND ($2 OR requester_id = $3 OR user_id = $3)"
        )
    };
}

pub(super) async fn insert(tx: &mut Tx, row: &RequestRow) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query(concat!("INSERT INTO atom_emergency_requests (", columns!(), ")
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, NULL, NULL)"))
        .bind(row.workspace_id).bind(row.id).bind(row.requester_id).bind(row.connection_id).bind(&row.token_set)
        .bind(row.service_key_id).bind(row.user_id).bind(&row.reason).bind(row.minutes).bind(&row.state)
        .bind(row.requested_at).bind(row.expires_at).execute(c).await.map(drop))?)
}

pub(super) async fn get(db: &Db, principal: &Principal, id: EmergencyRequestId) -> Result<RequestRow> {
    let row: Option<RequestRow> = on!(db, c => sqlx::query_as(concat!(visible!(), " AND id = $4"))
        .bind(principal.workspace_id.0).bind(principal.is_admin()).bind(principal.user_id.0).bind(id.0)
        .fetch_optional(c).await)?;
    row.ok_or_else(|| Error::not_found("emergency request"))
}

/// The requests that fit, newest first: at most one more than a page.
pub(super) async fn list(
    db: &Db,
    principal: &Principal,
    filter: &EmergencyFilter,
    before: Option<EmergencyRequestId>,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<Vec<RequestRow>> {
    Ok(on!(db, c => sqlx::query_as(concat!(visible!(),
        " AND ($4 IS NULL OR id < $4)
          AND ($5 IS NULL OR CASE WHEN ended_at IS NULL AND expires_at <= $6 THEN 'expired' ELSE state END = $5)
        ORDER BY id DESC LIMIT $7"))
        .bind(principal.workspace_id.0).bind(principal.is_admin()).bind(principal.user_id.0).bind(before.map(|id| id.0))
        .bind(filter.state.map(|state| state.as_str())).bind(Timestamp::from(now)).bind(limit).fetch_all(c).await)?)
}

/// Takes a pending request, so that whoever else decides about it waits until the transaction ends.
pub(super) async fn lock(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: EmergencyRequestId,
    now: DateTime<Utc>,
) -> Result<Option<RequestRow>> {
    Ok(on!(tx: tx, c => sqlx::query_as(concat!("UPDATE atom_emergency_requests SET state = state
          WHERE workspace_id = $1 AND id = $2 AND state = 'pending' AND expires_at > $3 RETURNING ", columns!()))
        .bind(workspace.0).bind(id.0).bind(Timestamp::from(now)).fetch_optional(c).await)?)
}

/// Grants a request that is locked.
pub(super) async fn grant(tx: &mut Tx, row: &RequestRow, now: DateTime<Utc>, until: DateTime<Utc>) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query(
        "UPDATE atom_emergency_requests SET state = 'granted', granted_at = $3, expires_at = $4
          WHERE workspace_id = $1 AND id = $2 AND state = 'pending'")
        .bind(row.workspace_id).bind(row.id).bind(Timestamp::from(now)).bind(Timestamp::from(until))
        .execute(c).await.map(drop))?)
}

/// Takes back a request that is pending or granted. Of all who end it, one gets it.
pub(super) async fn take_back(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: EmergencyRequestId,
    state: EmergencyState,
    now: DateTime<Utc>,
) -> Result<Option<RequestRow>> {
    Ok(on!(tx: tx, c => sqlx::query_as(concat!("UPDATE atom_emergency_requests SET state = $3, ended_at = $4
          WHERE workspace_id = $1 AND id = $2 AND ended_at IS NULL AND expires_at > $4 RETURNING ", columns!()))
        .bind(workspace.0).bind(id.0).bind(state.as_str()).bind(Timestamp::from(now)).fetch_optional(c).await)?)
}

/// Uses a grant, once and in its time, for whoever made the request.
pub(super) async fn consume(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: EmergencyRequestId,
    requester: UserId,
    now: DateTime<Utc>,
) -> Result<Option<RequestRow>> {
    Ok(on!(tx: tx, c => sqlx::query_as(concat!("UPDATE atom_emergency_requests SET state = 'revealed', ended_at = $4
          WHERE workspace_id = $1 AND id = $2 AND requester_id = $3 AND state = 'granted' AND expires_at > $4 RETURNING ", columns!()))
        .bind(workspace.0).bind(id.0).bind(requester.0).bind(Timestamp::from(now)).fetch_optional(c).await)?)
}

/// Notes that the time of a request is over. Of all processes that see it, one gets it.
pub(super) async fn expire(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: EmergencyRequestId,
    now: DateTime<Utc>,
) -> Result<Option<RequestRow>> {
    Ok(on!(tx: tx, c => sqlx::query_as(concat!("UPDATE atom_emergency_requests SET state = 'expired', ended_at = $3
          WHERE workspace_id = $1 AND id = $2 AND ended_at IS NULL AND expires_at <= $3 RETURNING ", columns!()))
        .bind(workspace.0).bind(id.0).bind(Timestamp::from(now)).fetch_optional(c).await)?)
}

/// Requests of all workspaces whose time is over.
pub(super) async fn due(db: &Db, now: DateTime<Utc>, limit: i64) -> Result<Vec<(Uuid, Uuid)>> {
    Ok(on!(db, c => sqlx::query_as(
        "SELECT workspace_id, id FROM atom_emergency_requests WHERE ended_at IS NULL AND expires_at <= $1 ORDER BY expires_at LIMIT $2")
        .bind(Timestamp::from(now)).bind(limit).fetch_all(c).await)?)
}

/// When the next request expires.
pub(super) async fn next(db: &Db) -> Result<Option<DateTime<Utc>>> {
    let (next,): (Option<Timestamp>,) = on!(db, c => sqlx::query_as(
        "SELECT min(expires_at) FROM atom_emergency_requests WHERE ended_at IS NULL").fetch_one(c).await)?;
    Ok(next.map(|at| at.0))
}

/// Deletes requests that ended long ago.
pub(super) async fn forget(db: &Db, before: DateTime<Utc>) -> Result<()> {
    Ok(on!(write: db, c => sqlx::query("DELETE FROM atom_emergency_requests WHERE ended_at < $1")
        .bind(Timestamp::from(before)).execute(c).await.map(drop))?)
}

/// Stores an approval; false if there is one of this approver.
pub(super) async fn approve(tx: &mut Tx, row: &RequestRow, approver: &str, now: DateTime<Utc>) -> Result<bool> {
    let stored: Option<(String,)> = on!(tx: tx, c => sqlx::query_as(
        "INSERT INTO atom_emergency_approvals (workspace_id, request_id, approver, at) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING RETURNING approver")
        .bind(row.workspace_id).bind(row.id).bind(approver).bind(Timestamp::from(now)).fetch_optional(c).await)?;
    Ok(stored.is_some())
}

/// Who has approved a request.
pub(super) async fn approvers(tx: &mut Tx, row: &RequestRow) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = on!(tx: tx, c => sqlx::query_as(
        "SELECT approver FROM atom_emergency_approvals WHERE workspace_id = $1 AND request_id = $2")
        .bind(row.workspace_id).bind(row.id).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(approver,)| approver).collect())
}

row! {
    pub(super) struct ApprovalRow { request_id: Uuid, approver: String, at: Timestamp }
}

/// The approvals of all requests between two ids, both included, in their order.
pub(super) async fn approvals(db: &Db, workspace: WorkspaceId, first: Uuid, last: Uuid) -> Result<Vec<ApprovalRow>> {
    Ok(on!(db, c => sqlx::query_as(
        "SELECT request_id, approver, at FROM atom_emergency_approvals
          WHERE workspace_id = $1 AND request_id >= $2 AND request_id <= $3 ORDER BY at, approver")
        .bind(workspace.0).bind(first).bind(last).fetch_all(c).await)?)
}

row! {
    /// The offline key of a workspace, and the one to come.
    pub(super) struct KeyRow { public_key: Option<String>, next_key: Option<String>, next_from: Option<Timestamp> }
}

pub(super) async fn key(db: &Db, workspace: WorkspaceId) -> Result<Option<KeyRow>> {
    Ok(on!(db, c => sqlx::query_as("SELECT public_key, next_key, next_from FROM atom_emergency_keys WHERE workspace_id = $1")
        .bind(workspace.0).fetch_optional(c).await)?)
}

/// The same as a transaction sees it.
pub(super) async fn key_in(tx: &mut Tx, workspace: WorkspaceId) -> Result<Option<KeyRow>> {
    Ok(on!(tx: tx, c => sqlx::query_as("SELECT public_key, next_key, next_from FROM atom_emergency_keys WHERE workspace_id = $1")
        .bind(workspace.0).fetch_optional(c).await)?)
}

/// Has a key take the place of the present one at a moment. The present one itself stays, and what was to take its place does not.
pub(super) async fn set_key(
    tx: &mut Tx,
    workspace: WorkspaceId,
    key: &str,
    now: DateTime<Utc>,
    from: DateTime<Utc>,
) -> Result<KeyRow> {
    /// The key that counts now.
    macro_rules! present {
        () => {
            "CASE WHEN k.next_from <= $3 THEN k.next_key ELSE k.public_key END"
        };
    }
    Ok(on!(tx: tx, c => sqlx::query_as(concat!(
        "INSERT INTO atom_emergency_keys AS k (workspace_id, next_key, next_from) VALUES ($1, $2, $4)
         ON CONFLICT (workspace_id) DO UPDATE SET
            public_key = ", present!(), ",
            next_key = CASE WHEN ", present!(), " = $2 THEN NULL ELSE $2 END,
            next_from = CASE WHEN ", present!(), " = $2 THEN NULL ELSE $4 END
         RETURNING public_key, next_key, next_from"))
        .bind(workspace.0).bind(key).bind(Timestamp::from(now)).bind(Timestamp::from(from)).fetch_one(c).await)?)
}

/// Removes the offline key and the one to come, and says whether there was one.
pub(super) async fn remove_key(tx: &mut Tx, workspace: WorkspaceId) -> Result<bool> {
    let removed: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "DELETE FROM atom_emergency_keys WHERE workspace_id = $1 RETURNING workspace_id")
        .bind(workspace.0).fetch_optional(c).await)?;
    Ok(removed.is_some())
}

/// Deletes the requests that a user has made, and those for what is theirs.
pub(crate) async fn forget_user(tx: &mut Tx, user: UserId) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query("DELETE FROM atom_emergency_requests WHERE requester_id = $1 OR user_id = $1")
        .bind(user.0).execute(c).await.map(drop))?)
}
