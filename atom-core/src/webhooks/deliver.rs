//! One attempt of a delivery: it is made, recorded, and what follows from it is done, all of it or nothing.

use super::decide::{Decision, Health, Next, Outcome, decide};
use super::store::{self, Stored};
use super::{PING, WebhookAttempt, WebhookDelivery, WebhookDeliveryState, WebhookDisabled, keys, schedule, sign};
use crate::atom::Inner;
use crate::audit::{self, Actor, AuditAction, Entry};
use crate::crypto::random;
use crate::events::{self, WebhookEndpointDisabled};
use crate::http_client::read_retry_after;
use crate::storage::Tx;
use crate::{Error, ErrorKind, Result, WebhookDeliveryId, WorkspaceId};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use std::sync::Arc;
use std::time::Instant;

/// How much of an answer is kept, in bytes.
const KEPT: usize = 1024;

/// Makes attempt number `number` of a delivery, unless it has been made or is not wanted any more.
pub(super) async fn run(inner: &Arc<Inner>, workspace: WorkspaceId, id: WebhookDeliveryId, number: i32) -> Result<()> {
    let gone = |error: Error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) };
    let db = inner.db()?;
    let delivery = match store::delivery(db, workspace, id).await {
        Ok(delivery) => delivery,
        Err(error) => return gone(error),
    };
    if delivery.state != WebhookDeliveryState::Pending || delivery.attempts != number - 1 {
        return Ok(());
    }
    let stored = match store::endpoint(db, workspace, delivery.endpoint_id).await {
        Ok(stored) => stored,
        Err(error) => return gone(error),
    };
    let now = inner.now();
    if !stored.endpoint.is_enabled {
        let mut tx = db.begin().await?;
        store::advance(&mut tx, workspace, &delivery, &ended(&delivery, "endpoint_disabled", now)).await?;
        return tx.commit().await;
    }
    if let Some(until) = stored.health.paused_until.filter(|until| *until > now) {
        let mut tx = db.begin().await?;
        let later = WebhookDelivery { next_attempt_at: Some(until), ..delivery.clone() };
        if store::advance(&mut tx, workspace, &delivery, &later).await? {
            schedule(inner, &mut tx, workspace, &later, Some(until)).await?;
        }
        return tx.commit().await;
    }
    attempt(inner, workspace, &delivery, &stored).await.map(drop)
}

/// Makes an attempt now, whatever the state of the endpoint, and returns what became of the delivery.
pub(super) async fn attempt(
    inner: &Arc<Inner>,
    workspace: WorkspaceId,
    delivery: &WebhookDelivery,
    stored: &Stored,
) -> Result<WebhookDelivery> {
    let at = inner.now();
    let (attempt, outcome) = send(inner, workspace, delivery, &stored.endpoint.url, at).await?;
    let now = inner.now();
    let mut tx = inner.db()?.begin().await?;
    let health = match outcome {
        Outcome::Answered { status: 200..=299, .. } => Health::default(),
        // Held until the commit, so that failures that end together see each other.
        _ => store::hold_health(&mut tx, workspace, delivery.endpoint_id).await?,
    };
    let Decision { next, health, disable } = decide(attempt.number, outcome, health, now, chance()?);
    let is_ping = delivery.event_name == PING;
    let after = WebhookDelivery { attempts: attempt.number, ..delivery.clone() };
    let after = match next {
        Next::Delivered => {
            WebhookDelivery { state: WebhookDeliveryState::Delivered, next_attempt_at: None, finished_at: Some(now), ..after }
        }
        _ if is_ping => ended(&after, "not_repeated", now),
        Next::Retry(at) => WebhookDelivery { next_attempt_at: Some(at), ..after },
        Next::GivenUp if disable.is_some() => ended(&after, "endpoint_disabled", now),
        Next::GivenUp => ended(&after, "no_more_attempts", now),
    };
    if !store::advance(&mut tx, workspace, delivery, &after).await? {
        return store::delivery(inner.db()?, workspace, delivery.id).await;
    }
    store::insert_attempt(&mut tx, workspace, delivery.id, &attempt).await?;
    // A ping is a question, not a part of the service.
    if !is_ping {
        match next {
            Next::Delivered => store::set_well(&mut tx, workspace, delivery.endpoint_id, now).await?,
            _ => store::set_ill(&mut tx, workspace, delivery.endpoint_id, &health).await?,
        }
        if let Some(because) = disable {
            switch_off(&mut tx, workspace, stored, because, now).await?;
        }
        if let Next::Retry(at) = next {
            schedule(inner, &mut tx, workspace, &after, Some(at)).await?;
        }
    }
    tx.commit().await?;
    Ok(after)
}

/// Signs and posts, and reports what happened.
async fn send(
    inner: &Inner,
    workspace: WorkspaceId,
    delivery: &WebhookDelivery,
    url: &str,
    at: DateTime<Utc>,
) -> Result<(WebhookAttempt, Outcome)> {
    let (_, keys) = keys::load(inner, workspace, delivery.endpoint_id).await?;
    let body = store::body(inner.db()?, workspace, delivery.id).await?;
    let id = delivery.event_id.to_string();
    let signatures = sign::signatures(&keys, &id, at.timestamp(), body.as_bytes());
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    for (name, value) in [(sign::ID, &id), (sign::TIMESTAMP, &at.timestamp().to_string()), (sign::SIGNATURE, &signatures)] {
        let value = HeaderValue::from_str(value)
            .map_err(|e| Error::internal("webhook_header", "a webhook header cannot be written").with_source(e))?;
        headers.insert(HeaderName::from_static(name), value);
    }
    let start = Instant::now();
    let sent = inner.egress.post(url, headers, body.into_bytes()).await;
    let duration_ms = i64::try_from(start.elapsed().as_millis()).unwrap_or(i64::MAX);
    let attempt = WebhookAttempt { number: delivery.attempts + 1, at, duration_ms, status: None, reason: None, answer: None };
    Ok(match sent {
        Ok(answer) => {
            let wait = answer.retry_after.as_deref().and_then(|text| read_retry_after(text, inner.now()));
            let status = answer.status;
            let outcome = Outcome::Answered { status, wait: wait.and_then(|wait| TimeDelta::from_std(wait).ok()) };
            let reason = (!matches!(status, 200..=299)).then(|| "refused".to_owned());
            // PostgreSQL stores no NUL in a text.
            let kept = String::from_utf8_lossy(&answer.body[..answer.body.len().min(KEPT)]).replace('\0', "\u{fffd}");
            let answer = Some(kept).filter(|text| !text.is_empty());
            (WebhookAttempt { status: Some(status.into()), reason, answer, ..attempt }, outcome)
        }
        Err(error) => (WebhookAttempt { reason: Some(error.reason().to_owned()), ..attempt }, Outcome::Unanswered),
    })
}

/// Disables an endpoint that is gone or keeps failing, in the name of whoever added it.
async fn switch_off(
    tx: &mut Tx,
    workspace: WorkspaceId,
    stored: &Stored,
    because: WebhookDisabled,
    now: DateTime<Utc>,
) -> Result<()> {
    let id = stored.endpoint.id;
    if !store::disable(tx, workspace, id, Some(because), now).await? {
        return Ok(());
    }
    let actor = Actor { user: stored.created_by, session: None };
    let details = [("reason", because.as_str())];
    let entry =
        Entry { workspace, actor, action: AuditAction::WebhookDisabled, subject: Some(id.to_string()), details: &details };
    audit::append(tx, entry, now).await?;
    let event = WebhookEndpointDisabled { endpoint_id: id, reason: because.as_str().to_owned() };
    events::append(tx, workspace, event, now).await
}

/// A delivery that will not be tried again.
fn ended(delivery: &WebhookDelivery, reason: &str, now: DateTime<Utc>) -> WebhookDelivery {
    WebhookDelivery {
        state: WebhookDeliveryState::Failed,
        reason: Some(reason.to_owned()),
        next_attempt_at: None,
        finished_at: Some(now),
        ..delivery.clone()
    }
}

/// A number between 0 and 1.
fn chance() -> Result<f64> {
    Ok(f64::from(u32::from_be_bytes(random()?)) / f64::from(u32::MAX))
}
