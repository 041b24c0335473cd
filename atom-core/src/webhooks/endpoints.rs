//! Adding, changing and removing endpoints. What is done is in the audit log, or is not done.

use super::{NewWebhookEndpoint, WebhookEndpoint, WebhookEndpointPatch, Webhooks, keys, store};
use crate::audit::{self, AuditAction, Entry};
use crate::events::{self, Names};
use crate::storage::Tx;
use crate::{Error, Result, Secret, WebhookEndpointId};
use chrono::{DateTime, TimeDelta, Utc};

/// The most endpoints of one workspace: each of them multiplies the events that are sent.
const MOST: usize = 50;
const LONGEST_DESCRIPTION: usize = 500;
/// How long an old key goes on signing beside its successor, in seconds.
const OVERLAP: i64 = 24 * 3600;
const LONGEST_OVERLAP: i64 = 30 * 24 * 3600;

pub(super) async fn create(webhooks: &Webhooks, new: NewWebhookEndpoint) -> Result<WebhookEndpoint> {
    let (inner, workspace, now) = (&webhooks.inner, webhooks.principal.workspace_id, webhooks.inner.now());
    let url = inner.egress.check(&new.url)?;
    let key = keys::choose(new.signing, new.key.as_ref())?;
    if store::endpoints(inner.db()?, workspace, None).await?.len() >= MOST {
        let text = format!("a workspace has at most {MOST} webhook endpoints: remove one, or send more events to one of them");
        return Err(Error::invalid("too_many_webhook_endpoints", text));
    }
    let endpoint = WebhookEndpoint {
        id: WebhookEndpointId::generate(),
        url: url.into(),
        event_names: check_names(new.event_names.unwrap_or_default())?,
        description: check_description(new.description)?,
        signing: key.signing(),
        is_enabled: true,
        disabled_because: None,
        failing_since: None,
        last_success_at: None,
        created_at: now,
        updated_at: now,
    };
    let sealed = keys::seal(inner, workspace, endpoint.id, 1, &key).await?;
    let sequence = events::head(inner.db()?, workspace).await?;
    let mut tx = inner.db()?.begin_durable().await?;
    store::insert_endpoint(&mut tx, workspace, &endpoint, sequence, webhooks.principal.user_id).await?;
    keys::insert(&mut tx, &sealed, now, now).await?;
    log(webhooks, &mut tx, AuditAction::WebhookAdded, endpoint.id, &[("host", &host(&endpoint.url))], now).await?;
    tx.commit().await?;
    store::endpoint(inner.db()?, workspace, endpoint.id).await.map(|stored| stored.endpoint)
}

pub(super) async fn update(webhooks: &Webhooks, id: WebhookEndpointId, patch: WebhookEndpointPatch) -> Result<WebhookEndpoint> {
    let (inner, workspace, now) = (&webhooks.inner, webhooks.principal.workspace_id, webhooks.inner.now());
    let before = store::endpoint(inner.db()?, workspace, id).await?.endpoint;
    let mut endpoint = WebhookEndpoint { updated_at: now, ..before.clone() };
    if let Some(url) = patch.url {
        endpoint.url = inner.egress.check(&url)?.into();
    }
    if let Some(event_names) = patch.event_names {
        endpoint.event_names = check_names(event_names)?;
    }
    if patch.description.is_some() {
        endpoint.description = check_description(patch.description)?;
    }
    if (WebhookEndpoint { updated_at: before.updated_at, ..endpoint.clone() }) == before {
        return Ok(before);
    }
    let mut tx = inner.db()?.begin_durable().await?;
    store::update_endpoint(&mut tx, workspace, &endpoint).await?;
    log(webhooks, &mut tx, AuditAction::WebhookChanged, id, &[("host", &host(&endpoint.url))], now).await?;
    tx.commit().await?;
    store::endpoint(inner.db()?, workspace, id).await.map(|stored| stored.endpoint)
}

pub(super) async fn set_enabled(webhooks: &Webhooks, id: WebhookEndpointId, enabled: bool) -> Result<WebhookEndpoint> {
    let (inner, workspace, now) = (&webhooks.inner, webhooks.principal.workspace_id, webhooks.inner.now());
    store::endpoint(inner.db()?, workspace, id).await?;
    let sequence = events::head(inner.db()?, workspace).await?;
    let mut tx = inner.db()?.begin_durable().await?;
    let changed = if enabled {
        store::enable(&mut tx, workspace, id, sequence, now).await?
    } else {
        store::disable(&mut tx, workspace, id, None, now).await?
    };
    if changed {
        log(webhooks, &mut tx, AuditAction::WebhookChanged, id, &[("enabled", if enabled { "true" } else { "false" })], now)
            .await?;
        tx.commit().await?;
    }
    store::endpoint(inner.db()?, workspace, id).await.map(|stored| stored.endpoint)
}

pub(super) async fn remove(webhooks: &Webhooks, id: WebhookEndpointId) -> Result<()> {
    let (inner, workspace, now) = (&webhooks.inner, webhooks.principal.workspace_id, webhooks.inner.now());
    let mut tx = inner.db()?.begin_durable().await?;
    if store::delete_endpoint(&mut tx, workspace, id).await? {
        log(webhooks, &mut tx, AuditAction::WebhookRemoved, id, &[], now).await?;
        tx.commit().await?;
    }
    Ok(())
}

pub(super) async fn verification_key(webhooks: &Webhooks, id: WebhookEndpointId) -> Result<Secret> {
    let (inner, workspace, now) = (&webhooks.inner, webhooks.principal.workspace_id, webhooks.inner.now());
    let (_, keys) = keys::load(inner, workspace, id).await?;
    let newest = keys.first().ok_or_else(|| Error::not_found("webhook endpoint"))?;
    let mut tx = inner.db()?.begin().await?;
    log(webhooks, &mut tx, AuditAction::WebhookKeyRevealed, id, &[("signing", newest.signing().as_str())], now).await?;
    tx.commit().await?;
    Ok(newest.verification_key())
}

pub(super) async fn rotate_key(
    webhooks: &Webhooks,
    id: WebhookEndpointId,
    overlap_seconds: Option<i64>,
    given: Option<Secret>,
) -> Result<Secret> {
    let (inner, workspace, now) = (&webhooks.inner, webhooks.principal.workspace_id, webhooks.inner.now());
    let overlap = overlap_seconds.unwrap_or(OVERLAP);
    if !(0..=LONGEST_OVERLAP).contains(&overlap) {
        return Err(Error::invalid("malformed_overlap", "the overlap is between 0 seconds and 30 days"));
    }
    let (number, old) = keys::load(inner, workspace, id).await?;
    let key = keys::choose(given.is_none().then(|| old.first().map(|key| key.signing())).flatten(), given.as_ref())?;
    let sealed = keys::seal(inner, workspace, id, number + 1, &key).await?;
    let mut tx = inner.db()?.begin_durable().await?;
    keys::insert(&mut tx, &sealed, now + TimeDelta::seconds(overlap), now).await?;
    let details = [("overlap_seconds", overlap.to_string())];
    log(webhooks, &mut tx, AuditAction::WebhookKeyRotated, id, &details.each_ref().map(|(k, v)| (*k, v.as_str())), now).await?;
    tx.commit().await?;
    Ok(key.verification_key())
}

async fn log(
    webhooks: &Webhooks,
    tx: &mut Tx,
    action: AuditAction,
    id: WebhookEndpointId,
    details: &[(&'static str, &str)],
    now: DateTime<Utc>,
) -> Result<()> {
    let (workspace, actor) = (webhooks.principal.workspace_id, webhooks.principal.actor());
    audit::append(tx, Entry { workspace, actor, action, subject: Some(id.to_string()), details }, now).await
}

/// All of a URL that goes into the log: paths and queries of webhooks often hold secrets.
fn host(url: &str) -> String {
    url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

/// An empty list is every name.
fn check_names(names: Vec<String>) -> Result<Vec<String>> {
    Names::parse(Some(names.clone()).filter(|names| !names.is_empty()))?;
    Ok(names)
}

fn check_description(description: Option<String>) -> Result<Option<String>> {
    let description = description.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if description.as_ref().is_some_and(|text| text.chars().count() > LONGEST_DESCRIPTION || text.contains('\0')) {
        let text = format!("the description has more than {LONGEST_DESCRIPTION} characters: write a shorter one");
        return Err(Error::invalid("malformed_description", text));
    }
    Ok(description)
}
