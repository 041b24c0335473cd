//! Deliveries and their attempts.

use super::super::{WebhookAttempt, WebhookDelivery, WebhookDeliveryFilter, WebhookDeliveryPage};
use crate::storage::{Db, Timestamp, Tx, on, row};
use crate::{Error, EventId, Result, WebhookDeliveryId, WebhookEndpointId, WorkspaceId};
use chrono::{DateTime, Utc};
use std::collections::HashSet;
use uuid::Uuid;

row! {
    struct DeliveryRow {
        id: Uuid,
        endpoint_id: Uuid,
        event_id: Uuid,
        event_name: String,
        state: String,
        reason: Option<String>,
        attempts: i32,
        next_attempt_at: Option<Timestamp>,
        created_at: Timestamp,
        finished_at: Option<Timestamp>,
    }
}

impl DeliveryRow {
    fn into_delivery(self) -> Result<WebhookDelivery> {
        Ok(WebhookDelivery {
            id: WebhookDeliveryId(self.id),
            endpoint_id: WebhookEndpointId(self.endpoint_id),
            event_id: EventId(self.event_id),
            event_name: self.event_name,
            state: self.state.parse()?,
            reason: self.reason,
            attempts: self.attempts,
            next_attempt_at: self.next_attempt_at.map(|at| at.0),
            created_at: self.created_at.0,
            finished_at: self.finished_at.map(|at| at.0),
        })
    }
}

/// The deliveries that fit, newest first.
pub(in super::super) async fn deliveries(
    db: &Db,
    workspace: WorkspaceId,
    filter: &WebhookDeliveryFilter,
) -> Result<WebhookDeliveryPage> {
    let size = filter.page_size.unwrap_or(100);
    if !(1..=1000).contains(&size) {
        return Err(Error::invalid("malformed_page_size", "page_size is between 1 and 1000"));
    }
    let malformed = |_| Error::invalid("malformed_cursor", "pass the cursor as the last page returned it");
    let before: Option<Uuid> = filter.cursor.as_deref().map(Uuid::try_parse).transpose().map_err(malformed)?;
    // Ids sort by the time they were made.
    let rows = on!(db, c => sqlx::query_as::<_, DeliveryRow>(
        "SELECT id, endpoint_id, event_id, event_name, state, reason, attempts, next_attempt_at, created_at, finished_at
           FROM atom_webhook_deliveries
          WHERE workspace_id = $1 AND ($2 IS NULL OR id < $2) AND ($3 IS NULL OR endpoint_id = $3) AND ($4 IS NULL OR state = $4)
            AND ($5 IS NULL OR event_name = $5)
          ORDER BY id DESC LIMIT $6")
        .bind(workspace.0).bind(before).bind(filter.endpoint_id.map(|id| id.0)).bind(filter.state.map(|state| state.as_str()))
        .bind(&filter.event_name).bind(i64::from(size) + 1).fetch_all(c).await)?;
    let more = rows.len() > usize::try_from(size).unwrap_or_default();
    let mut items = rows.into_iter().map(DeliveryRow::into_delivery).collect::<Result<Vec<_>>>()?;
    if more {
        items.pop();
    }
    let next_cursor = items.last().filter(|_| more).map(|last| last.id.to_string());
    Ok(WebhookDeliveryPage { items, next_cursor })
}

pub(in super::super) async fn delivery(db: &Db, workspace: WorkspaceId, id: WebhookDeliveryId) -> Result<WebhookDelivery> {
    let row = on!(db, c => sqlx::query_as::<_, DeliveryRow>(
        "SELECT id, endpoint_id, event_id, event_name, state, reason, attempts, next_attempt_at, created_at, finished_at
           FROM atom_webhook_deliveries WHERE workspace_id = $1 AND id = $2")
        .bind(workspace.0).bind(id.0).fetch_optional(c).await)?;
    row.ok_or_else(|| Error::not_found("webhook delivery"))?.into_delivery()
}

/// What a delivery carries, to the byte.
pub(in super::super) async fn body(db: &Db, workspace: WorkspaceId, id: WebhookDeliveryId) -> Result<String> {
    let row: Option<(String,)> = on!(db, c => sqlx::query_as(
        "SELECT body FROM atom_webhook_deliveries WHERE workspace_id = $1 AND id = $2")
        .bind(workspace.0).bind(id.0).fetch_optional(c).await)?;
    row.map(|(body,)| body).ok_or_else(|| Error::not_found("webhook delivery"))
}

/// Stores a delivery that waits for its first attempt.
pub(in super::super) async fn insert_delivery(
    tx: &mut Tx,
    workspace: WorkspaceId,
    delivery: &WebhookDelivery,
    body: &str,
) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query(
        "INSERT INTO atom_webhook_deliveries
            (workspace_id, id, endpoint_id, event_id, event_name, body, state, attempts, next_attempt_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9)")
        .bind(workspace.0).bind(delivery.id.0).bind(delivery.endpoint_id.0).bind(delivery.event_id.0).bind(&delivery.event_name).bind(body)
        .bind(delivery.state.as_str()).bind(delivery.next_attempt_at.map(Timestamp::from)).bind(Timestamp::from(delivery.created_at))
        .execute(c).await.map(drop))?)
}

/// The events of deliveries since a moment that have got to an endpoint, or are on their way.
pub(in super::super) async fn settled(
    db: &Db,
    workspace: WorkspaceId,
    endpoint: WebhookEndpointId,
    since: DateTime<Utc>,
) -> Result<HashSet<EventId>> {
    let rows: Vec<(Uuid,)> = on!(db, c => sqlx::query_as(
        "SELECT event_id FROM atom_webhook_deliveries
          WHERE workspace_id = $1 AND endpoint_id = $2 AND created_at >= $3 AND state <> 'failed'")
        .bind(workspace.0).bind(endpoint.0).bind(Timestamp::from(since)).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(id,)| EventId(id)).collect())
}

/// Moves a delivery on from `before` to `after`, for the one who made the attempt: a second one who made it too changes nothing.
pub(in super::super) async fn advance(
    tx: &mut Tx,
    workspace: WorkspaceId,
    before: &WebhookDelivery,
    after: &WebhookDelivery,
) -> Result<bool> {
    let done: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_webhook_deliveries SET attempts = $4, state = $5, reason = $6, next_attempt_at = $7, finished_at = $8
          WHERE workspace_id = $1 AND id = $2 AND state = 'pending' AND attempts = $3 RETURNING id")
        .bind(workspace.0).bind(before.id.0).bind(before.attempts).bind(after.attempts).bind(after.state.as_str()).bind(&after.reason)
        .bind(after.next_attempt_at.map(Timestamp::from)).bind(after.finished_at.map(Timestamp::from)).fetch_optional(c).await)?;
    Ok(done.is_some())
}

row! {
    struct AttemptRow {
        number: i32,
        at: Timestamp,
        duration_ms: i64,
        status: Option<i32>,
        reason: Option<String>,
        answer: Option<String>,
    }
}

/// The attempts of a delivery, in order.
pub(in super::super) async fn attempts(
    db: &Db,
    workspace: WorkspaceId,
    delivery: WebhookDeliveryId,
) -> Result<Vec<WebhookAttempt>> {
    let rows = on!(db, c => sqlx::query_as::<_, AttemptRow>(
        "SELECT number, at, duration_ms, status, reason, answer
           FROM atom_webhook_attempts WHERE workspace_id = $1 AND delivery_id = $2 ORDER BY number")
        .bind(workspace.0).bind(delivery.0).fetch_all(c).await)?;
    let attempt = |row: AttemptRow| WebhookAttempt {
        number: row.number,
        at: row.at.0,
        duration_ms: row.duration_ms,
        status: row.status,
        reason: row.reason,
        answer: row.answer,
    };
    Ok(rows.into_iter().map(attempt).collect())
}

pub(in super::super) async fn insert_attempt(
    tx: &mut Tx,
    workspace: WorkspaceId,
    delivery: WebhookDeliveryId,
    attempt: &WebhookAttempt,
) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query(
        "INSERT INTO atom_webhook_attempts (workspace_id, delivery_id, number, at, duration_ms, status, reason, answer)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
        .bind(workspace.0).bind(delivery.0).bind(attempt.number).bind(Timestamp::from(attempt.at)).bind(attempt.duration_ms)
        .bind(attempt.status).bind(&attempt.reason).bind(&attempt.answer).execute(c).await.map(drop))?)
}

/// Deletes deliveries from before a moment, with their attempts.
pub(in super::super) async fn sweep(tx: &mut Tx, before: DateTime<Utc>) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query("DELETE FROM atom_webhook_deliveries WHERE created_at < $1")
        .bind(Timestamp::from(before)).execute(c).await.map(drop))?)
}

/// Deletes the deliveries of events whose data was forgotten. An attempt that is under way finds none, and writes nothing.
pub(crate) async fn forget_events(tx: &mut Tx, events: &[(WorkspaceId, EventId)]) -> Result<()> {
    for (workspace, event) in events {
        on!(tx: tx, c => sqlx::query("DELETE FROM atom_webhook_deliveries WHERE workspace_id = $1 AND event_id = $2")
            .bind(workspace.0).bind(event.0).execute(c).await.map(drop))?;
    }
    Ok(())
}
