//! Outgoing webhooks: signed, repeated, logged, and sent nowhere they must not go.

mod delivery;
mod endpoints;
mod recovery;

use crate::receiver::{Received, Receiver};
use crate::support::*;
use atom_core::*;
use serde_json::json;
use std::time::{Duration, Instant};

/// An installation that may send to this machine, with a clock that the test moves, a worker, and Ada, who owns a workspace.
struct Place {
    atom: Atom,
    clock: TestClock,
    scope: Scope,
    session: Session,
    receiver: Receiver,
}

impl Place {
    async fn open(database: &Database) -> Self {
        let place = Self::without_a_worker(database).await;
        place.start_worker().await;
        place
    }

    async fn without_a_worker(database: &Database) -> Self {
        let clock = TestClock::new();
        let atom = database.builder().loopback_webhooks(true).clock(clock.clone()).open().await.unwrap();
        let (session, scope) = sign_up(&atom, "ada@example.com").await;
        Self { atom, clock, scope, session, receiver: Receiver::start().await }
    }

    async fn start_worker(&self) -> Worker {
        let options = WorkerOptions { poll_seconds: Some(0.02), ..Default::default() };
        self.atom.start_worker(Default::default(), Some(options)).await.unwrap()
    }

    fn webhooks(&self) -> Webhooks {
        self.scope.webhooks()
    }

    /// An endpoint at the receiver.
    async fn endpoint(&self) -> WebhookEndpoint {
        self.webhooks().create(endpoint(self.receiver.url("/hook"))).await.unwrap()
    }

    async fn publish(&self, name: &str) -> Event {
        let event = PublishEvent { name: name.into(), data: Some(Json(json!({ "total": 7 }))), ..Default::default() };
        self.scope.events().publish(event).await.unwrap()
    }

    /// All deliveries, oldest first.
    async fn deliveries(&self) -> Vec<WebhookDelivery> {
        let mut all = self.webhooks().deliveries(WebhookDeliveryFilter::default()).await.unwrap().items;
        all.reverse();
        all
    }

    /// Waits until the newest delivery is as wanted, and returns it.
    async fn newest(&self, wanted: impl Fn(&WebhookDelivery) -> bool) -> WebhookDelivery {
        let start = Instant::now();
        loop {
            let newest = self.deliveries().await.pop();
            if let Some(newest) = newest.clone().filter(&wanted) {
                return newest;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "{newest:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn get(&self, id: WebhookEndpointId) -> WebhookEndpoint {
        self.webhooks().get(id).await.unwrap()
    }

    async fn actions(&self) -> Vec<AuditAction> {
        let mut items = self.scope.audit().list(AuditFilter::default()).await.unwrap().items;
        items.reverse();
        items.into_iter().map(|entry| entry.action).collect()
    }
}

fn endpoint(url: String) -> NewWebhookEndpoint {
    NewWebhookEndpoint { url, ..Default::default() }
}

async fn genuine(keys: Vec<Secret>, received: &Received) -> bool {
    let verifier = WebhookVerifier::with_keys(keys).await.unwrap();
    verifier.verify(received.headers.clone(), received.body[..].into()).await.is_ok()
}
