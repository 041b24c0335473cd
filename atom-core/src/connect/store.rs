//! The SQL of connections.

use super::identity::Identity;
use super::{ConnectedAccount, ConnectionHealth, ConnectionState};
use crate::accounts::Principal;
use crate::storage::{Db, Timestamp, Tx, on, row};
use crate::{ConnectionId, DeviceFlowId, Error, Result, WorkspaceId, WorkspaceProviderId};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::types::Json;
use std::collections::HashMap;
use uuid::Uuid;

row! {
    struct AccountRow {
        id: Uuid,
        provider: String,
        provider_id: Option<Uuid>,
        method: String,
        account_id: String,
        email: Option<String>,
        label: Option<String>,
        state: String,
        state_reason: Option<String>,
        facts: Json<HashMap<String, String>>,
        scopes: Option<Json<Vec<String>>>,
        expires_at: Option<Timestamp>,
        refreshed_at: Option<Timestamp>,
        failures: Option<i64>,
        failed_at: Option<Timestamp>,
        failed_because: Option<String>,
        retry_at: Option<Timestamp>,
        use_count: i64,
        last_used_at: Option<Timestamp>,
        connected_at: Timestamp,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
}

impl AccountRow {
    fn into_account(self) -> Result<ConnectedAccount> {
        Ok(ConnectedAccount {
            id: ConnectionId(self.id),
            provider: self.provider,
            provider_id: self.provider_id.map(WorkspaceProviderId),
            method: self.method,
            account_id: self.account_id,
            email: self.email,
            label: self.label,
            state: self.state.parse()?,
            state_reason: self.state_reason,
            scopes: self.scopes.map(|s| s.0).unwrap_or_default(),
            facts: self.facts.0,
            expires_at: self.expires_at.map(|at| at.0),
            health: ConnectionHealth {
                refreshed_at: self.refreshed_at.map(|at| at.0),
                failures: self.failures.unwrap_or_default(),
                failed_at: self.failed_at.map(|at| at.0),
                failed_because: self.failed_because,
                retry_at: self.retry_at.map(|at| at.0),
            },
            use_count: self.use_count,
            last_used_at: self.last_used_at.map(|at| at.0),
            connected_at: self.connected_at.0,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
        })
    }
}

async fn select(db: &Db, principal: &Principal, id: Option<ConnectionId>) -> Result<Vec<ConnectedAccount>> {
    let rows = on!(db, c => sqlx::query_as::<_, AccountRow>(
        "SELECT c.id, c.provider, c.provider_id, c.method, c.account_id, c.email, c.label, c.state, c.state_reason, c.facts, t.scopes, t.expires_at, t.updated_at AS refreshed_at,
                t.failures, t.failed_at, t.failed_because, t.retry_at, c.use_count, c.last_used_at, c.connected_at, c.created_at,
                CASE WHEN t.updated_at > c.updated_at THEN t.updated_at ELSE c.updated_at END AS updated_at
           FROM atom_connections c
           LEFT JOIN atom_token_sets t ON t.workspace_id = c.workspace_id AND t.connection_id = c.id AND t.name = 'default'
          WHERE c.workspace_id = $1 AND c.user_id = $2 AND ($3 IS NULL OR c.id = $3)
          ORDER BY c.created_at, c.id")
        .bind(principal.workspace_id.0).bind(principal.user_id.0).bind(id.map(|id| id.0)).fetch_all(c).await)?;
    rows.into_iter().map(AccountRow::into_account).collect()
}

pub(super) async fn list(db: &Db, principal: &Principal) -> Result<Vec<ConnectedAccount>> {
    select(db, principal, None).await
}

pub(super) async fn get(db: &Db, principal: &Principal, id: ConnectionId) -> Result<ConnectedAccount> {
    select(db, principal, Some(id)).await?.pop().ok_or_else(|| Error::not_found("connection"))
}

row! {
    /// A connection that the user had before, at a provider of the same name.
    pub(super) struct Found { id: Uuid, provider_id: Option<Uuid>, state: String }
}

/// The connection of this account, if the user connected it before.
pub(super) async fn find(db: &Db, principal: &Principal, provider: &str, account_id: &str) -> Result<Option<Found>> {
    Ok(on!(db, c => sqlx::query_as(
        "SELECT id, provider_id, state FROM atom_connections WHERE workspace_id = $1 AND user_id = $2 AND provider = $3 AND account_id = $4")
        .bind(principal.workspace_id.0).bind(principal.user_id.0).bind(provider).bind(account_id).fetch_optional(c).await)?)
}

/// Stores the account as active and returns the id it has: an older one, if another process was faster. None where a connection at another provider of
/// this name has it, and has not ended.
pub(super) async fn upsert(
    tx: &mut Tx,
    principal: &Principal,
    id: ConnectionId,
    (provider, provider_id): (&str, Option<Uuid>),
    method: &str,
    identity: &Identity,
    now: DateTime<Utc>,
) -> Result<Option<ConnectionId>> {
    let stored: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "INSERT INTO atom_connections (workspace_id, id, user_id, provider, account_id, email, label, state, facts, connected_at, created_at, updated_at, method, provider_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'active', $8, $9, $9, $9, $10, $11)
         ON CONFLICT (workspace_id, user_id, provider, account_id) DO UPDATE SET
            email = excluded.email, label = excluded.label, facts = excluded.facts, state = 'active', state_reason = NULL,
            connected_at = excluded.connected_at, updated_at = excluded.updated_at, method = excluded.method, provider_id = excluded.provider_id
          WHERE atom_connections.state = 'revoked' OR atom_connections.provider_id IS NOT DISTINCT FROM excluded.provider_id
         RETURNING id")
        .bind(principal.workspace_id.0).bind(id.0).bind(principal.user_id.0).bind(provider).bind(&identity.account_id)
        .bind(&identity.email).bind(&identity.label).bind(Json(&identity.facts)).bind(Timestamp::from(now)).bind(method)
        .bind(provider_id).fetch_optional(c).await)?;
    Ok(stored.map(|(id,)| ConnectionId(id)))
}

/// What is known of an account.
pub(super) async fn facts(db: &Db, principal: &Principal, id: ConnectionId) -> Result<HashMap<String, String>> {
    let facts: Option<(Json<HashMap<String, String>>,)> = on!(db, c => sqlx::query_as(
        "SELECT facts FROM atom_connections WHERE workspace_id = $1 AND id = $2")
        .bind(principal.workspace_id.0).bind(id.0).fetch_optional(c).await)?;
    facts.map(|(facts,)| facts.0).ok_or_else(|| Error::not_found("connection"))
}

/// Changes what is known of an account.
pub(super) async fn set_facts(
    tx: &mut Tx,
    principal: &Principal,
    id: ConnectionId,
    facts: &HashMap<String, String>,
    now: DateTime<Utc>,
) -> Result<()> {
    Ok(
        on!(tx: tx, c => sqlx::query("UPDATE atom_connections SET facts = $3, updated_at = $4 WHERE workspace_id = $1 AND id = $2")
        .bind(principal.workspace_id.0).bind(id.0).bind(Json(facts)).bind(Timestamp::from(now)).execute(c).await.map(drop))?,
    )
}

/// Changes the state of a connection, and says whether it was another one before.
pub(super) async fn set_state(
    tx: &mut Tx,
    principal: &Principal,
    id: ConnectionId,
    state: ConnectionState,
    reason: Option<&str>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let changed: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_connections SET state = $3, state_reason = $4, updated_at = $5
          WHERE workspace_id = $1 AND id = $2 AND state <> $3 RETURNING id")
        .bind(principal.workspace_id.0).bind(id.0).bind(state.as_str()).bind(reason).bind(Timestamp::from(now))
        .fetch_optional(c).await)?;
    Ok(changed.is_some())
}

row! {
    /// Whose connection it is, and where.
    pub(super) struct Owner { user_id: Uuid, provider: String, provider_id: Option<Uuid> }
}

row! {
    /// A connection that has not been ended.
    pub(super) struct Connected { id: Uuid, user_id: Uuid, provider: String, provider_id: Option<Uuid> }
}

/// The connections of a workspace or a member that have not been ended.
pub(super) async fn connected(db: &Db, workspace: WorkspaceId, user: Option<crate::UserId>) -> Result<Vec<Connected>> {
    Ok(on!(db, c => sqlx::query_as(
        "SELECT id, user_id, provider, provider_id FROM atom_connections
          WHERE workspace_id = $1 AND ($2 IS NULL OR user_id = $2) AND state <> 'revoked' ORDER BY id")
        .bind(workspace.0).bind(user.map(|user| user.0)).fetch_all(c).await)?)
}

/// The owner of a connection, whoever asks.
pub(super) async fn owner(db: &Db, workspace: WorkspaceId, id: ConnectionId) -> Result<Option<Owner>> {
    Ok(
        on!(db, c => sqlx::query_as("SELECT user_id, provider, provider_id FROM atom_connections WHERE workspace_id = $1 AND id = $2")
        .bind(workspace.0).bind(id.0).fetch_optional(c).await)?,
    )
}

row! {
    /// A grant that was ended here and is still to be withdrawn at its provider.
    pub(super) struct Revocation {
        id: Uuid,
        workspace_id: Uuid,
        connection_id: Uuid,
        user_id: Uuid,
        provider: String,
        sealed: Vec<u8>,
        created_at: Timestamp,
    }
}

pub(super) async fn insert_revocation(tx: &mut Tx, revocation: &Revocation) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query(
        "INSERT INTO atom_revocations (workspace_id, id, connection_id, user_id, provider, sealed, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)")
        .bind(revocation.workspace_id).bind(revocation.id).bind(revocation.connection_id).bind(revocation.user_id)
        .bind(&revocation.provider).bind(&revocation.sealed).bind(revocation.created_at).execute(c).await.map(drop))?)
}

pub(super) async fn revocation(db: &Db, id: Uuid) -> Result<Option<Revocation>> {
    Ok(on!(db, c => sqlx::query_as(
        "SELECT id, workspace_id, connection_id, user_id, provider, sealed, created_at FROM atom_revocations WHERE id = $1")
        .bind(id).fetch_optional(c).await)?)
}

/// False if it was deleted before.
pub(super) async fn delete_revocation(tx: &mut Tx, id: Uuid) -> Result<bool> {
    let deleted: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as("DELETE FROM atom_revocations WHERE id = $1 RETURNING id")
        .bind(id).fetch_optional(c).await)?;
    Ok(deleted.is_some())
}

/// Whether a workspace is still there.
pub(super) async fn has_workspace(tx: &mut Tx, workspace: WorkspaceId) -> Result<bool> {
    let found: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as("SELECT id FROM atom_workspaces WHERE id = $1")
        .bind(workspace.0).fetch_optional(c).await)?;
    Ok(found.is_some())
}

row! {
    /// A code that the user types elsewhere, until it is used or over.
    pub(super) struct DeviceFlow {
        id: Uuid,
        provider: String,
        method: String,
        sealed: Vec<u8>,
        interval_seconds: i64,
        poll_at: Timestamp,
        expires_at: Timestamp,
        state: String,
        connection_id: Option<Uuid>,
    }
}

/// Stores a device flow, and forgets the user's old ones.
pub(super) async fn insert_device_flow(db: &Db, principal: &Principal, flow: &DeviceFlow, now: DateTime<Utc>) -> Result<()> {
    let before = Timestamp::from(now - TimeDelta::days(1));
    let mut tx = db.begin().await?;
    on!(tx: &mut tx, c => sqlx::query("DELETE FROM atom_device_flows WHERE workspace_id = $1 AND user_id = $2 AND expires_at < $3")
        .bind(principal.workspace_id.0).bind(principal.user_id.0).bind(before).execute(c).await.map(drop))?;
    on!(tx: &mut tx, c => sqlx::query(
        "INSERT INTO atom_device_flows (workspace_id, id, user_id, provider, method, sealed, interval_seconds, poll_at, expires_at, state, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
        .bind(principal.workspace_id.0).bind(flow.id).bind(principal.user_id.0).bind(&flow.provider).bind(&flow.method)
        .bind(&flow.sealed).bind(flow.interval_seconds).bind(flow.poll_at).bind(flow.expires_at).bind(&flow.state)
        .bind(Timestamp::from(now)).execute(c).await.map(drop))?;
    tx.commit().await
}

pub(super) async fn device_flow(db: &Db, principal: &Principal, id: DeviceFlowId) -> Result<Option<DeviceFlow>> {
    Ok(on!(db, c => sqlx::query_as(
        "SELECT id, provider, method, sealed, interval_seconds, poll_at, expires_at, state, connection_id FROM atom_device_flows
          WHERE workspace_id = $1 AND id = $2 AND user_id = $3")
        .bind(principal.workspace_id.0).bind(id.0).bind(principal.user_id.0).fetch_optional(c).await)?)
}

/// Takes the right to poll, for the one of those who saw the same moment for it that comes first.
pub(super) async fn claim_poll(db: &Db, principal: &Principal, seen: &DeviceFlow, until: Timestamp) -> Result<bool> {
    let claimed: Option<(Uuid,)> = on!(write: db, c => sqlx::query_as(
        "UPDATE atom_device_flows SET poll_at = $4
          WHERE workspace_id = $1 AND id = $2 AND poll_at = $3 AND state = 'pending' RETURNING id")
        .bind(principal.workspace_id.0).bind(seen.id).bind(seen.poll_at).bind(until).fetch_optional(c).await)?;
    Ok(claimed.is_some())
}

/// Notes how fast to poll, and when next.
pub(super) async fn put_off_poll(db: &Db, principal: &Principal, flow: &DeviceFlow) -> Result<()> {
    Ok(on!(write: db, c => sqlx::query(
        "UPDATE atom_device_flows SET interval_seconds = $3, poll_at = $4 WHERE workspace_id = $1 AND id = $2 AND state = 'pending'")
        .bind(principal.workspace_id.0).bind(flow.id).bind(flow.interval_seconds).bind(flow.poll_at).execute(c).await.map(drop))?)
}

/// Ends a device flow without a connection.
pub(super) async fn end_device_flow(db: &Db, principal: &Principal, flow: &DeviceFlow, state: &str) -> Result<()> {
    Ok(on!(write: db, c => sqlx::query(
        "UPDATE atom_device_flows SET state = $3 WHERE workspace_id = $1 AND id = $2 AND state = 'pending'")
        .bind(principal.workspace_id.0).bind(flow.id).bind(state).execute(c).await.map(drop))?)
}

/// Ends a device flow with its connection.
pub(super) async fn connect_device_flow(tx: &mut Tx, principal: &Principal, flow: Uuid, connection: ConnectionId) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query(
        "UPDATE atom_device_flows SET state = 'connected', connection_id = $3 WHERE workspace_id = $1 AND id = $2")
        .bind(principal.workspace_id.0).bind(flow).bind(connection.0).execute(c).await.map(drop))?)
}
