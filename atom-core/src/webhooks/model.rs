//! What the webhooks API takes and returns.

use crate::{EventId, Secret, WebhookDeliveryId, WebhookEndpointId};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// How the webhooks of an endpoint are signed.
#[model]
pub enum WebhookSigning {
    /// HMAC-SHA256 (`v1`): the receiver holds the same secret, and every library knows it.
    Hmac,
    /// Ed25519 (`v1a`): the receiver holds the public key only, and can forge nothing with it.
    KeyPair,
}

/// An address to send events to.
#[model(secret, default)]
pub struct NewWebhookEndpoint {
    /// Where to: `https://host/path`, on the public internet. Any port may be named; a user name may not.
    pub url: String,
    /// Which events: names (`connection.created`) and prefixes (`connection.*`). Default: all of them.
    pub event_names: Option<Vec<String>>,
    /// What it is for, at most 500 characters.
    pub description: Option<String>,
    /// How to sign. Default: `hmac`, or what `key` is for.
    pub signing: Option<WebhookSigning>,
    /// A key to sign with that receivers know already: `whsec_…` or `whsk_…`. Default: a fresh one.
    pub key: Option<Secret>,
}

/// What to change of an endpoint; what is absent stays.
#[model(default)]
pub struct WebhookEndpointPatch {
    /// Where to.
    pub url: Option<String>,
    /// Which events. An empty list means all of them.
    pub event_names: Option<Vec<String>>,
    /// What it is for. An empty text removes it.
    pub description: Option<String>,
}

/// Why Atom disabled an endpoint.
#[model]
pub enum WebhookDisabled {
    /// The receiver answered 410 Gone.
    Gone,
    /// It failed for five days without one success.
    Failing,
}

/// An address that events are sent to.
#[model]
pub struct WebhookEndpoint {
    /// Its id.
    pub id: WebhookEndpointId,
    /// Where to.
    pub url: String,
    /// Which events: names and prefixes. An empty list means all of them.
    pub event_names: Vec<String>,
    /// What it is for.
    pub description: Option<String>,
    /// How its newest key signs.
    pub signing: WebhookSigning,
    /// Whether events are sent to it.
    pub is_enabled: bool,
    /// Why Atom disabled it; none while it is enabled, or if somebody disabled it.
    pub disabled_because: Option<WebhookDisabled>,
    /// Since when every attempt has failed; none while all is well.
    pub failing_since: Option<DateTime<Utc>>,
    /// When it last accepted an event, to the minute.
    pub last_success_at: Option<DateTime<Utc>>,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When somebody last changed it.
    pub updated_at: DateTime<Utc>,
}

/// Where a delivery stands.
#[model]
pub enum WebhookDeliveryState {
    /// It waits for its first or its next attempt.
    Pending,
    /// The receiver accepted it.
    Delivered,
    /// It will not be tried again, unless somebody sends it again.
    Failed,
}

/// One event on its way to one endpoint.
#[model]
pub struct WebhookDelivery {
    /// Its id.
    pub id: WebhookDeliveryId,
    /// Where to.
    pub endpoint_id: WebhookEndpointId,
    /// The event's id: the `webhook-id` that the receiver sees, the same however often it is sent.
    pub event_id: EventId,
    /// The event's name: the `type` that the receiver sees.
    pub event_name: String,
    /// Where it stands.
    pub state: WebhookDeliveryState,
    /// Why it failed for good: `no_more_attempts`, `endpoint_disabled`, `not_repeated` (a ping).
    pub reason: Option<String>,
    /// How many attempts were made.
    pub attempts: i32,
    /// When the next attempt is due.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was accepted or given up.
    pub finished_at: Option<DateTime<Utc>>,
}

/// Which deliveries to list, newest first.
#[model(default)]
pub struct WebhookDeliveryFilter {
    /// Only to this endpoint.
    pub endpoint_id: Option<WebhookEndpointId>,
    /// Only those that stand here.
    pub state: Option<WebhookDeliveryState>,
    /// Only events of this name.
    pub event_name: Option<String>,
    /// How many at most on a page, 1 to 1000. Default: 100.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A page of deliveries.
#[model]
pub struct WebhookDeliveryPage {
    /// The deliveries, newest first.
    pub items: Vec<WebhookDelivery>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// One attempt of a delivery.
#[model]
pub struct WebhookAttempt {
    /// Which attempt it was: 1, 2, 3, …
    pub number: i32,
    /// When it was made.
    pub at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
    /// The HTTP status that came back, if the receiver answered.
    pub status: Option<i32>,
    /// Why it failed: `refused` (the status says so), `timeout`, `unreachable`, `broken_answer`, `address_not_public`, …
    pub reason: Option<String>,
    /// The beginning of the answer, at most 1024 bytes.
    pub answer: Option<String>,
}
