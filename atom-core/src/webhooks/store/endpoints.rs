//! Endpoints, and the keys that sign for them.

use super::super::decide::Health;
use super::super::{WebhookDisabled, WebhookEndpoint};
use crate::storage::{Db, Timestamp, Tx, on, row};
use crate::{Error, Result, UserId, WebhookEndpointId, WorkspaceId};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::types::Json;
use uuid::Uuid;

/// How old the last noted success may be.
const NEWS: TimeDelta = TimeDelta::minutes(1);

row! {
    struct EndpointRow {
        id: Uuid,
        url: String,
        event_names: Json<Vec<String>>,
        description: Option<String>,
        signing: String,
        enabled: bool,
        disabled_because: Option<String>,
        failing_since: Option<Timestamp>,
        last_failure_at: Option<Timestamp>,
        last_success_at: Option<Timestamp>,
        paused_until: Option<Timestamp>,
        sequence: i64,
        created_by: Uuid,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
}

/// An endpoint, and what only Atom needs to know of it.
pub(in super::super) struct Stored {
    pub(in super::super) endpoint: WebhookEndpoint,
    pub(in super::super) health: Health,
    /// Up to which event its deliveries have been made.
    pub(in super::super) sequence: i64,
    pub(in super::super) created_by: UserId,
}

impl EndpointRow {
    fn into_stored(self) -> Result<Stored> {
        let moment = |at: Option<Timestamp>| at.map(|at| at.0);
        Ok(Stored {
            health: Health {
                failing_since: moment(self.failing_since),
                last_failure_at: moment(self.last_failure_at),
                paused_until: moment(self.paused_until),
            },
            sequence: self.sequence,
            created_by: UserId(self.created_by),
            endpoint: WebhookEndpoint {
                id: WebhookEndpointId(self.id),
                url: self.url,
                event_names: self.event_names.0,
                description: self.description,
                signing: self.signing.parse()?,
                is_enabled: self.enabled,
                disabled_because: self.disabled_because.as_deref().map(str::parse).transpose()?,
                failing_since: moment(self.failing_since),
                last_success_at: moment(self.last_success_at),
                created_at: self.created_at.0,
                updated_at: self.updated_at.0,
            },
        })
    }
}

/// The endpoints of a workspace, oldest first: all, or the one with an id.
pub(in super::super) async fn endpoints(db: &Db, workspace: WorkspaceId, id: Option<WebhookEndpointId>) -> Result<Vec<Stored>> {
    let rows = on!(db, c => sqlx::query_as::<_, EndpointRow>(
        "SELECT e.id, e.url, e.event_names, e.description, e.enabled, e.disabled_because, e.failing_since, e.last_failure_at,
                e.last_success_at, e.paused_until, e.sequence, e.created_by, e.created_at, e.updated_at,
                (SELECT k.signing FROM atom_webhook_keys k
                  WHERE k.workspace_id = e.workspace_id AND k.endpoint_id = e.id ORDER BY k.number DESC LIMIT 1) AS signing
           FROM atom_webhook_endpoints e
          WHERE e.workspace_id = $1 AND ($2 IS NULL OR e.id = $2)
          ORDER BY e.created_at, e.id")
        .bind(workspace.0).bind(id.map(|id| id.0)).fetch_all(c).await)?;
    rows.into_iter().map(EndpointRow::into_stored).collect()
}

pub(in super::super) async fn endpoint(db: &Db, workspace: WorkspaceId, id: WebhookEndpointId) -> Result<Stored> {
    endpoints(db, workspace, Some(id)).await?.pop().ok_or_else(|| Error::not_found("webhook endpoint"))
}

/// Stores a new endpoint, which gets what happens after event number `sequence`.
pub(in super::super) async fn insert_endpoint(
    tx: &mut Tx,
    workspace: WorkspaceId,
    endpoint: &WebhookEndpoint,
    sequence: i64,
    by: UserId,
) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query(
        "INSERT INTO atom_webhook_endpoints
            (workspace_id, id, url, event_names, description, enabled, sequence, created_by, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)")
        .bind(workspace.0).bind(endpoint.id.0).bind(&endpoint.url).bind(Json(&endpoint.event_names)).bind(&endpoint.description)
        .bind(endpoint.is_enabled).bind(sequence).bind(by.0).bind(Timestamp::from(endpoint.created_at)).execute(c).await.map(drop))?)
}

/// Stores what somebody changed of an endpoint, if it is still there.
pub(in super::super) async fn update_endpoint(tx: &mut Tx, workspace: WorkspaceId, endpoint: &WebhookEndpoint) -> Result<()> {
    let done: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_webhook_endpoints SET url = $3, event_names = $4, description = $5, updated_at = $6
          WHERE workspace_id = $1 AND id = $2 RETURNING id")
        .bind(workspace.0).bind(endpoint.id.0).bind(&endpoint.url).bind(Json(&endpoint.event_names)).bind(&endpoint.description)
        .bind(Timestamp::from(endpoint.updated_at)).fetch_optional(c).await)?;
    done.map(drop).ok_or_else(|| Error::not_found("webhook endpoint"))
}

/// Enables an endpoint as if it were new, and says whether it was disabled.
pub(in super::super) async fn enable(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: WebhookEndpointId,
    sequence: i64,
    now: DateTime<Utc>,
) -> Result<bool> {
    let done: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_webhook_endpoints
            SET enabled = TRUE, disabled_because = NULL, failing_since = NULL, last_failure_at = NULL, paused_until = NULL, sequence = $3,
                updated_at = $4
          WHERE workspace_id = $1 AND id = $2 AND NOT enabled RETURNING id")
        .bind(workspace.0).bind(id.0).bind(sequence).bind(Timestamp::from(now)).fetch_optional(c).await)?;
    Ok(done.is_some())
}

/// Disables an endpoint, and says whether it was enabled.
pub(in super::super) async fn disable(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: WebhookEndpointId,
    because: Option<WebhookDisabled>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let done: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_webhook_endpoints SET enabled = FALSE, disabled_because = $3, updated_at = $4
          WHERE workspace_id = $1 AND id = $2 AND enabled RETURNING id")
        .bind(workspace.0).bind(id.0).bind(because.map(|because| because.as_str())).bind(Timestamp::from(now)).fetch_optional(c).await)?;
    Ok(done.is_some())
}

/// Removes an endpoint with its keys and deliveries, and says whether it was there.
pub(in super::super) async fn delete_endpoint(tx: &mut Tx, workspace: WorkspaceId, id: WebhookEndpointId) -> Result<bool> {
    let done: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "DELETE FROM atom_webhook_endpoints WHERE workspace_id = $1 AND id = $2 RETURNING id")
        .bind(workspace.0).bind(id.0).fetch_optional(c).await)?;
    Ok(done.is_some())
}

row! {
    struct HealthRow { failing_since: Option<Timestamp>, last_failure_at: Option<Timestamp>, paused_until: Option<Timestamp> }
}

/// How an endpoint has been doing. Its row is held until the transaction ends.
pub(in super::super) async fn hold_health(tx: &mut Tx, workspace: WorkspaceId, id: WebhookEndpointId) -> Result<Health> {
    let row = on!(tx: tx, c => sqlx::query_as::<_, HealthRow>(
        "UPDATE atom_webhook_endpoints SET enabled = enabled WHERE workspace_id = $1 AND id = $2
          RETURNING failing_since, last_failure_at, paused_until")
        .bind(workspace.0).bind(id.0).fetch_optional(c).await)?;
    let row = row.ok_or_else(|| Error::not_found("webhook endpoint"))?;
    let moment = |at: Option<Timestamp>| at.map(|at| at.0);
    Ok(Health {
        failing_since: moment(row.failing_since),
        last_failure_at: moment(row.last_failure_at),
        paused_until: moment(row.paused_until),
    })
}

/// Notes that an endpoint fails.
pub(in super::super) async fn set_ill(tx: &mut Tx, workspace: WorkspaceId, id: WebhookEndpointId, health: &Health) -> Result<()> {
    let moment = |at: Option<DateTime<Utc>>| at.map(Timestamp::from);
    Ok(on!(tx: tx, c => sqlx::query(
        "UPDATE atom_webhook_endpoints SET failing_since = $3, last_failure_at = $4, paused_until = $5 WHERE workspace_id = $1 AND id = $2")
        .bind(workspace.0).bind(id.0).bind(moment(health.failing_since)).bind(moment(health.last_failure_at))
        .bind(moment(health.paused_until)).execute(c).await.map(drop))?)
}

/// Notes that an endpoint is well. Where that is no news, its row is not held: deliveries would wait for each other.
pub(in super::super) async fn set_well(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: WebhookEndpointId,
    now: DateTime<Utc>,
) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query(
        "UPDATE atom_webhook_endpoints SET failing_since = NULL, last_failure_at = NULL, paused_until = NULL, last_success_at = $3
          WHERE workspace_id = $1 AND id = $2 AND (last_failure_at IS NOT NULL OR last_success_at IS NULL OR last_success_at < $4)")
        .bind(workspace.0).bind(id.0).bind(Timestamp::from(now)).bind(Timestamp::from(now - NEWS)).execute(c).await.map(drop))?)
}

/// The endpoints that wait for events which are there already. The heads of the logs belong to the events; asked workspace by workspace, the answer would
/// take as many statements.
pub(in super::super) async fn behind(db: &Db) -> Result<Vec<(WorkspaceId, WebhookEndpointId)>> {
    let rows: Vec<(Uuid, Uuid)> = on!(db, c => sqlx::query_as(
        "SELECT e.workspace_id, e.id FROM atom_webhook_endpoints e JOIN atom_event_heads h ON h.workspace_id = e.workspace_id
          WHERE e.enabled AND h.sequence > e.sequence")
        .fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(workspace, id)| (WorkspaceId(workspace), WebhookEndpointId(id))).collect())
}

/// Moves an endpoint from one event to a later one, for the one who saw it there: a second one changes nothing.
pub(in super::super) async fn move_on(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: WebhookEndpointId,
    from: i64,
    to: i64,
) -> Result<bool> {
    let done: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_webhook_endpoints SET sequence = $4 WHERE workspace_id = $1 AND id = $2 AND sequence = $3 AND enabled RETURNING id")
        .bind(workspace.0).bind(id.0).bind(from).bind(to).fetch_optional(c).await)?;
    Ok(done.is_some())
}

row! {
    /// A key as it is stored.
    pub(in super::super) struct KeyRow { number: i64, sealed: Vec<u8>, expires_at: Option<Timestamp> }
}

/// The keys of an endpoint, newest first.
pub(in super::super) async fn keys(db: &Db, workspace: WorkspaceId, endpoint: WebhookEndpointId) -> Result<Vec<KeyRow>> {
    Ok(on!(db, c => sqlx::query_as::<_, KeyRow>(
        "SELECT number, sealed, expires_at FROM atom_webhook_keys WHERE workspace_id = $1 AND endpoint_id = $2 ORDER BY number DESC")
        .bind(workspace.0).bind(endpoint.0).fetch_all(c).await)?)
}

/// Stores a key. Of two that are made at once, one is refused.
pub(in super::super) async fn insert_key(
    tx: &mut Tx,
    workspace: WorkspaceId,
    endpoint: WebhookEndpointId,
    number: i64,
    signing: &str,
    sealed: &[u8],
    now: DateTime<Utc>,
) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query(
        "INSERT INTO atom_webhook_keys (workspace_id, endpoint_id, number, signing, sealed, created_at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(workspace.0).bind(endpoint.0).bind(number).bind(signing).bind(sealed).bind(Timestamp::from(now)).execute(c).await.map(drop))?)
}

/// Lets the keys before a number sign until a moment at most, and destroys those that have expired.
pub(in super::super) async fn expire_keys(
    tx: &mut Tx,
    workspace: WorkspaceId,
    endpoint: WebhookEndpointId,
    before: i64,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    on!(tx: tx, c => sqlx::query("DELETE FROM atom_webhook_keys WHERE workspace_id = $1 AND endpoint_id = $2 AND expires_at <= $3")
        .bind(workspace.0).bind(endpoint.0).bind(Timestamp::from(now)).execute(c).await.map(drop))?;
    Ok(on!(tx: tx, c => sqlx::query(
        "UPDATE atom_webhook_keys SET expires_at = $4
          WHERE workspace_id = $1 AND endpoint_id = $2 AND number < $3 AND (expires_at IS NULL OR expires_at > $4)")
        .bind(workspace.0).bind(endpoint.0).bind(before).bind(Timestamp::from(until)).execute(c).await.map(drop))?)
}
