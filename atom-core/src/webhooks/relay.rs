//! From events to deliveries.

use super::store::Stored;
use super::{PING, WebhookDelivery, WebhookDeliveryState, WebhookEndpoint, deliver, schedule, store};
use crate::atom::Inner;
use crate::events::{self, Event, EventFilter, EventPage, Sight};
use crate::storage::Tx;
use crate::{Error, ErrorKind, EventId, Json, Result, WebhookDeliveryId, WebhookEndpointId, WorkspaceId};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Serialize;
use std::sync::Arc;

/// How many events are handled in one transaction.
const BATCH: i32 = 200;
/// How long a delivery is kept.
const KEPT: TimeDelta = TimeDelta::days(30);
/// How far apart the clocks of processes that append events may be.
const CLOCKS: TimeDelta = TimeDelta::minutes(10);

/// Makes the deliveries of all events that have not got any.
pub(super) async fn relay(inner: Arc<Inner>) -> Result<Option<DateTime<Utc>>> {
    for (workspace, endpoint) in store::behind(inner.db()?).await? {
        while catch_up(&inner, workspace, endpoint).await? {}
    }
    Ok(None)
}

/// Makes the deliveries of one batch of events, and says whether there are more.
async fn catch_up(inner: &Arc<Inner>, workspace: WorkspaceId, id: WebhookEndpointId) -> Result<bool> {
    let stored = match store::endpoint(inner.db()?, workspace, id).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        stored => stored?,
    };
    let page = page(inner, workspace, &stored.endpoint, Some(stored.sequence)).await;
    let page = match page {
        Err(error) if error.reason() == "events_expired" => {
            tracing::warn!(webhook.endpoint = %id, "events were deleted before they were sent to a webhook endpoint");
            self::page(inner, workspace, &stored.endpoint, None).await?
        }
        page => page?,
    };
    let mut tx = inner.db()?.begin().await?;
    if !store::move_on(&mut tx, workspace, id, stored.sequence, page.cursor).await? {
        return Ok(false);
    }
    for event in &page.items {
        send(inner, &mut tx, workspace, id, event).await?;
    }
    tx.commit().await?;
    Ok(page.has_more)
}

/// The events that an endpoint wants, after a place or from the oldest that is kept.
async fn page(inner: &Inner, workspace: WorkspaceId, endpoint: &WebhookEndpoint, after: Option<i64>) -> Result<EventPage> {
    let names = Some(endpoint.event_names.clone()).filter(|names| !names.is_empty());
    let filter = EventFilter { after, names, page_size: Some(BATCH), ..Default::default() };
    // Whoever may add an endpoint may see everything.
    events::list(inner.db()?, workspace, Sight { user: None, common: true }, filter).await
}

/// Stores the delivery of an event and has it made.
async fn send(inner: &Arc<Inner>, tx: &mut Tx, workspace: WorkspaceId, endpoint: WebhookEndpointId, event: &Event) -> Result<()> {
    let delivery = pending(endpoint, event.id, &event.name, inner.now());
    store::insert_delivery(tx, workspace, &delivery, &body(&event.name, event.at, &event.data)?).await?;
    schedule(inner, tx, workspace, &delivery, None).await
}

fn pending(endpoint_id: WebhookEndpointId, event_id: EventId, name: &str, now: DateTime<Utc>) -> WebhookDelivery {
    WebhookDelivery {
        id: WebhookDeliveryId::generate(),
        endpoint_id,
        event_id,
        event_name: name.to_owned(),
        state: WebhookDeliveryState::Pending,
        reason: None,
        attempts: 0,
        next_attempt_at: Some(now),
        created_at: now,
        finished_at: None,
    }
}

/// The body of a webhook: it is stored as it is signed.
fn body(name: &str, at: DateTime<Utc>, data: &Json) -> Result<String> {
    #[derive(Serialize)]
    struct Body<'a> {
        r#type: &'a str,
        timestamp: String,
        data: &'a Json,
    }
    let body = Body { r#type: name, timestamp: at.to_rfc3339_opts(SecondsFormat::Micros, true), data };
    serde_json::to_string(&body).map_err(|e| Error::internal("webhook_body", "an event cannot be written").with_source(e))
}

/// Sends a test event, once and at once.
pub(super) async fn ping(inner: &Arc<Inner>, workspace: WorkspaceId, id: WebhookEndpointId) -> Result<WebhookDelivery> {
    let stored = store::endpoint(inner.db()?, workspace, id).await?;
    let now = inner.now();
    let delivery = pending(id, EventId::generate(), PING, now);
    let data = Json(serde_json::json!({ "endpoint_id": id }));
    let mut tx = inner.db()?.begin().await?;
    store::insert_delivery(&mut tx, workspace, &delivery, &body(PING, now, &data)?).await?;
    tx.commit().await?;
    deliver::attempt(inner, workspace, &delivery, &stored).await
}

/// Sends the event of a delivery once more.
pub(super) async fn resend(inner: &Arc<Inner>, workspace: WorkspaceId, id: WebhookDeliveryId) -> Result<WebhookDelivery> {
    let db = inner.db()?;
    let first = store::delivery(db, workspace, id).await?;
    enabled(inner, workspace, first.endpoint_id).await?;
    let again = pending(first.endpoint_id, first.event_id, &first.event_name, inner.now());
    let body = store::body(db, workspace, id).await?;
    let mut tx = db.begin().await?;
    store::insert_delivery(&mut tx, workspace, &again, &body).await?;
    schedule(inner, &mut tx, workspace, &again, None).await?;
    tx.commit().await?;
    Ok(again)
}

/// Sends what an endpoint has missed since a moment.
pub(super) async fn replay(
    inner: &Arc<Inner>,
    workspace: WorkspaceId,
    id: WebhookEndpointId,
    since: DateTime<Utc>,
) -> Result<i64> {
    let stored = enabled(inner, workspace, id).await?;
    let settled = store::settled(inner.db()?, workspace, id, since).await?;
    let (mut after, mut count) = (place_of(inner, workspace, &stored, since).await?, 0);
    loop {
        let page = page(inner, workspace, &stored.endpoint, after).await?;
        let mut tx = inner.db()?.begin().await?;
        // What is beyond the endpoint's place comes by itself.
        let missed = |event: &&Event| event.sequence <= stored.sequence && event.at >= since && !settled.contains(&event.id);
        for event in page.items.iter().filter(missed) {
            send(inner, &mut tx, workspace, id, event).await?;
            count += 1;
        }
        tx.commit().await?;
        if !page.has_more || page.cursor >= stored.sequence {
            return Ok(count);
        }
        after = Some(page.cursor);
    }
}

/// A place before the first event since a moment, found by halving: a long log must not be read through. None is its beginning.
async fn place_of(inner: &Inner, workspace: WorkspaceId, stored: &Stored, since: DateTime<Utc>) -> Result<Option<i64>> {
    let since = since - CLOCKS;
    let one = |after| async move {
        let filter = EventFilter { after, page_size: Some(1), ..Default::default() };
        Ok::<_, Error>(events::list(inner.db()?, workspace, Sight { user: None, common: true }, filter).await?.items.pop())
    };
    let Some(oldest) = one(None).await?.filter(|oldest| oldest.at < since) else { return Ok(None) };
    let (mut before, mut after) = (oldest.sequence, stored.sequence.max(oldest.sequence));
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        match one(Some(middle - 1)).await? {
            Some(event) if event.at < since => before = middle,
            _ => after = middle,
        }
    }
    Ok(Some(before))
}

async fn enabled(inner: &Inner, workspace: WorkspaceId, id: WebhookEndpointId) -> Result<Stored> {
    let stored = store::endpoint(inner.db()?, workspace, id).await?;
    if stored.endpoint.is_enabled {
        return Ok(stored);
    }
    let text = "the webhook endpoint is disabled: enable it first";
    Err(Error::new(ErrorKind::Conflict, "endpoint_disabled", text))
}

/// Clears the log of what is old.
pub(super) async fn sweep(inner: Arc<Inner>) -> Result<Option<DateTime<Utc>>> {
    let mut tx = inner.db()?.begin().await?;
    store::sweep(&mut tx, inner.now() - KEPT).await?;
    tx.commit().await?;
    Ok(None)
}
