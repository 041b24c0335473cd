//! Outgoing webhooks: a workspace's events, sent to the addresses that it names, as the Standard Webhooks specification has them.
//!
//! [`relay`] makes a delivery of each event that an endpoint wants, in the transaction that notes how far the endpoint has come: no event is left
//! out or delivered for nothing. A delivery is a row; each of its attempts is a job ([`deliver`]), and the rules of what follows an
//! attempt are in [`decide`]. A receiver may get an event twice (its answer may be lost), always under the same id.

mod decide;
mod deliver;
mod endpoints;
mod keys;
mod model;
mod relay;
mod sign;
mod store;
mod verify;

pub use model::{
    NewWebhookEndpoint, WebhookAttempt, WebhookDelivery, WebhookDeliveryFilter, WebhookDeliveryPage, WebhookDeliveryState,
    WebhookDisabled, WebhookEndpoint, WebhookEndpointPatch, WebhookSigning,
};
pub(crate) use store::forget_events;
pub use verify::WebhookVerifier;

use crate::accounts::Principal;
use crate::atom::Inner;
use crate::jobs::{Chore, Handler, JobFailure, JobKind, JobLimit, Jobs, NewJob};
use crate::storage::{Topic, Tx};
use crate::{Json, Result, Secret, WebhookDeliveryId, WebhookEndpointId, WorkspaceId};
use atom_macros::{api, handle};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// The name of the event that a ping sends.
const PING: &str = "webhook.ping";
/// The kind of the jobs that make attempts.
const KIND: &str = "atom.webhook";
/// How many attempts are made at once to one endpoint: a slow one must not take all the workers.
const AT_ONCE: i32 = 4;
/// How often the log is cleared of what is old.
const SWEEP: Duration = Duration::from_secs(3600);
/// How often events are looked for that nobody announced.
const LOOK: Duration = Duration::from_secs(5);

/// Where a workspace's events are sent.
///
/// Its owners and admins may see and change it; everyone else gets `forbidden`. A worker must run somewhere for events to be sent.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// # use atom_core::{Atom, LocalKey, NewAccount, NewWebhookEndpoint};
/// # let atom = Atom::builder(url).key(LocalKey::generate()?).open().await?;
/// # let account = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
/// let session = atom.accounts().sign_up(account).await?;
/// let webhooks = atom.authenticate(session.access_token).await?.webhooks();
///
/// let new = NewWebhookEndpoint {
///     url: "https://hooks.example.com/atom".into(),
///     event_names: Some(vec!["connection.*".into()]),
///     ..Default::default()
/// };
/// let endpoint = webhooks.create(new).await?;
/// let secret = webhooks.verification_key(endpoint.id).await?; // give it to the receiver
/// assert!(secret.expose().starts_with("whsec_"));
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Webhooks {
    pub(crate) inner: Arc<Inner>,
    pub(crate) principal: Principal,
}

#[api]
impl Webhooks {
    /// Adds an address. It gets the events that happen from now on.
    ///
    /// Fails with `invalid`: `malformed_webhook_url` (https only, no user name), `address_not_public`, `malformed_event_name`,
    /// `malformed_webhook_secret`, `malformed_description`, `too_many_webhook_endpoints` (50 are the most).
    pub async fn create(&self, endpoint: NewWebhookEndpoint) -> Result<WebhookEndpoint> {
        self.check_role()?;
        endpoints::create(self, endpoint).await
    }

    /// The workspace's endpoints, oldest first.
    pub async fn list(&self) -> Result<Vec<WebhookEndpoint>> {
        self.check_role()?;
        let stored = store::endpoints(self.inner.db()?, self.principal.workspace_id, None).await?;
        Ok(stored.into_iter().map(|stored| stored.endpoint).collect())
    }

    /// One endpoint. Fails with `not_found`.
    pub async fn get(&self, id: WebhookEndpointId) -> Result<WebhookEndpoint> {
        self.check_role()?;
        Ok(store::endpoint(self.inner.db()?, self.principal.workspace_id, id).await?.endpoint)
    }

    /// Changes an endpoint. Deliveries that are on their way go to the new address.
    ///
    /// Fails as `create` does, and with `not_found`.
    pub async fn update(&self, id: WebhookEndpointId, patch: WebhookEndpointPatch) -> Result<WebhookEndpoint> {
        self.check_role()?;
        endpoints::update(self, id, patch).await
    }

    /// Sends to an endpoint again: what happens from now on. For what happened meanwhile call `replay`.
    ///
    /// Fails with `not_found`.
    pub async fn enable(&self, id: WebhookEndpointId) -> Result<WebhookEndpoint> {
        self.check_role()?;
        endpoints::set_enabled(self, id, true).await
    }

    /// Stops sending to an endpoint. Deliveries that are on their way fail when their next attempt is due.
    ///
    /// Fails with `not_found`.
    pub async fn disable(&self, id: WebhookEndpointId) -> Result<WebhookEndpoint> {
        self.check_role()?;
        endpoints::set_enabled(self, id, false).await
    }

    /// Removes an endpoint with its keys and its delivery log. Removing it twice is no error.
    pub async fn remove(&self, id: WebhookEndpointId) -> Result<()> {
        self.check_role()?;
        endpoints::remove(self, id).await
    }

    /// What the receiver verifies with: the secret (`whsec_…`) or the public key (`whpk_…`), according to how the endpoint signs. That
    /// somebody looked at it is written to the audit log.
    ///
    /// Fails with `not_found`.
    pub async fn verification_key(&self, id: WebhookEndpointId) -> Result<Secret> {
        self.check_role()?;
        endpoints::verification_key(self, id).await
    }

    /// Gives an endpoint a new key, or the one that is passed, and returns what the receiver verifies with. The old one signs too for
    /// `overlap_seconds` (a day by default, 30 days at most), so that the receiver can change over in peace; after a leak pass 0.
    ///
    /// Fails with `not_found`, `conflict` (two rotations at once) or `invalid` (`malformed_overlap`, `malformed_webhook_secret`).
    pub async fn rotate_key(&self, id: WebhookEndpointId, overlap_seconds: Option<i64>, key: Option<Secret>) -> Result<Secret> {
        self.check_role()?;
        endpoints::rotate_key(self, id, overlap_seconds, key).await
    }

    /// Sends a test event (`webhook.ping`) right now, once, even to a disabled endpoint, and returns what became of it; `attempts` has the
    /// details.
    ///
    /// Fails with `not_found`. A receiver that refuses is an outcome, not an error.
    pub async fn ping(&self, id: WebhookEndpointId) -> Result<WebhookDelivery> {
        self.check_role()?;
        relay::ping(&self.inner, self.principal.workspace_id, id).await
    }

    /// The delivery log, newest first, a page at a time. Deliveries are kept for 30 days after their end.
    ///
    /// Fails with `invalid` (`malformed_page_size`, `malformed_cursor`).
    pub async fn deliveries(&self, filter: WebhookDeliveryFilter) -> Result<WebhookDeliveryPage> {
        self.check_role()?;
        store::deliveries(self.inner.db()?, self.principal.workspace_id, &filter).await
    }

    /// The attempts of a delivery, in order. Fails with `not_found`.
    pub async fn attempts(&self, id: WebhookDeliveryId) -> Result<Vec<WebhookAttempt>> {
        self.check_role()?;
        let (db, workspace) = (self.inner.db()?, self.principal.workspace_id);
        store::delivery(db, workspace, id).await?;
        store::attempts(db, workspace, id).await
    }

    /// Sends the event of a delivery once more, as a new delivery under the same event id, whatever became of the first.
    ///
    /// Fails with `not_found` or `conflict` (`endpoint_disabled`).
    pub async fn resend(&self, id: WebhookDeliveryId) -> Result<WebhookDelivery> {
        self.check_role()?;
        relay::resend(&self.inner, self.principal.workspace_id, id).await
    }

    /// Sends every event since a moment that an endpoint wants and has neither got nor is about to get: after an outage, or to a new
    /// endpoint. Returns how many there are. Events are kept for a while only: earlier ones are left out.
    ///
    /// Fails with `not_found` or `conflict` (`endpoint_disabled`).
    pub async fn replay(&self, id: WebhookEndpointId, since: DateTime<Utc>) -> Result<i64> {
        self.check_role()?;
        relay::replay(&self.inner, self.principal.workspace_id, id, since).await
    }
}

impl Webhooks {
    fn check_role(&self) -> Result<()> {
        self.principal.check_admin("manage its webhooks")
    }
}

/// What a job of [`KIND`] is enqueued with: the delivery, and which attempt to make.
#[derive(Serialize, Deserialize)]
struct Due {
    delivery: WebhookDeliveryId,
    attempt: i32,
}

/// The kind of job that makes attempts. How often and when is for [`decide`] to say: what the job repeats is its own mishaps.
pub(crate) fn kind() -> JobKind {
    JobKind {
        name: KIND.into(),
        queue: Some("atom".into()),
        max_attempts: Some(10),
        timeout_seconds: Some(60.0),
        keep_seconds: Some(0),
        ..Default::default()
    }
}

/// The handler of that kind, for every worker.
pub(crate) fn handler(inner: Arc<Inner>) -> (String, Handler) {
    let run = move |job: crate::jobs::RunningJob| {
        let inner = Arc::clone(&inner);
        async move {
            let due: Due = serde_json::from_value(job.input().0)
                .map_err(|e| JobFailure::fatal("malformed_input", format!("the input is not of a webhook: {e}")))?;
            deliver::run(&inner, job.workspace_id(), due.delivery, due.attempt).await?;
            Ok::<_, JobFailure>(Json::default())
        }
    };
    (KIND.into(), Handler::new(run))
}

/// What every worker looks after.
pub(crate) fn chores() -> [Chore; 2] {
    [
        Chore { name: "webhooks", every: LOOK, topic: Some(Topic::Events), run: |inner| Box::pin(relay::relay(inner)) },
        Chore { name: "webhook log", every: SWEEP, topic: None, run: |inner| Box::pin(relay::sweep(inner)) },
    ]
}

/// Has the next attempt of a delivery made, now or at a moment.
async fn schedule(
    inner: &Arc<Inner>,
    tx: &mut Tx,
    workspace: WorkspaceId,
    delivery: &WebhookDelivery,
    at: Option<DateTime<Utc>>,
) -> Result<()> {
    let due = Due { delivery: delivery.id, attempt: delivery.attempts + 1 };
    let input = serde_json::to_value(due).map(Json);
    let limit = JobLimit { key: format!("{KIND}:{}", delivery.endpoint_id), max_running: Some(AT_ONCE), ..Default::default() };
    let job = NewJob {
        kind: KIND.into(),
        input: Some(input.map_err(|e| crate::Error::internal("webhook_job", "a delivery cannot be scheduled").with_source(e))?),
        run_at: at,
        limit: Some(limit),
        ..Default::default()
    };
    let jobs = Jobs { inner: Arc::clone(inner), workspace, user: None };
    jobs.enqueue_with(tx, job).await.map(drop)
}
