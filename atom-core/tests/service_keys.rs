//! API keys of other services: kept, used on somebody's behalf, and shown to nobody who may not see them.

mod brokered;
mod leaks;
mod managing;
mod rotation;
mod sharing;
mod upkeep;
mod usage;

use crate::receiver::Receiver;
use crate::support::*;
use atom_core::*;
use chrono::{DateTime, TimeDelta, Utc};
use std::time::{Duration, Instant};

/// What is looked for where it must not be.
const CANARY: &str = "sk-canary/0a1b2c3d4e5f+67890-wxyz";
const NEXT: &str = "sk-canary/next0a1b2c3d4e5f+678-abcd";

/// An installation that may send to this machine, with a clock that the test moves; Ada, who owns a workspace; and a service.
struct Place {
    atom: Atom,
    clock: TestClock,
    scope: Scope,
    session: Session,
    service: Receiver,
}

impl Place {
    async fn open(database: &Database) -> Self {
        let clock = TestClock::new();
        let atom = database.builder().loopback_webhooks(true).keep_events_days(3650).clock(clock.clone()).open().await.unwrap();
        let (session, scope) = sign_up(&atom, "ada@example.com").await;
        let service = Receiver::start().await;
        service.always(200);
        Self { atom, clock, scope, session, service }
    }

    /// The same installation in what could be another process.
    async fn elsewhere(&self, database: &Database) -> (Atom, ServiceKeys) {
        let atom =
            database.builder().loopback_webhooks(true).keep_events_days(3650).clock(self.clock.clone()).open().await.unwrap();
        let scope = atom.act_as(self.session.user.id, self.session.workspace.id).await.unwrap();
        (atom, scope.service_keys())
    }

    /// Bob, in Ada's workspace, with a role there.
    async fn bob(&self, database: &Database, role: Role) -> ServiceKeys {
        member(database, &self.atom, &self.session, "bob@example.com", role).await.service_keys()
    }

    fn keys(&self) -> ServiceKeys {
        self.scope.service_keys()
    }

    /// A key that goes to the service of the test.
    fn key(&self) -> NewServiceKey {
        NewServiceKey {
            service: "openai".into(),
            value: CANARY.into(),
            hosts: Some(vec![self.service.host()]),
            ..Default::default()
        }
    }

    async fn stored(&self) -> ServiceKey {
        self.keys().create(self.key()).await.unwrap()
    }

    fn get(&self, path: &str) -> RawRequest {
        RawRequest { method: "GET".into(), url: self.service.url(path), ..Default::default() }
    }

    async fn worker(&self) -> Worker {
        self.atom.start_worker(Default::default(), None).await.unwrap()
    }

    /// The names of the events of service keys, in order.
    async fn told(&self) -> Vec<String> {
        let filter = EventFilter { names: Some(vec!["service_key.*".into()]), ..Default::default() };
        let events = self.scope.events().list(filter).await.unwrap().items;
        events.iter().map(|event| event.name.strip_prefix("service_key.").unwrap().to_owned()).collect()
    }

    /// Waits for so many of them.
    async fn told_after(&self, count: usize) -> Vec<String> {
        let start = Instant::now();
        loop {
            let told = self.told().await;
            if told.len() >= count {
                return told;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "{told:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The audit entries of a key, in order.
    async fn entries(&self, id: ServiceKeyId) -> Vec<AuditEntry> {
        let filter = AuditFilter { subject: Some(id.to_string()), ..Default::default() };
        let mut items = self.scope.audit().list(filter).await.unwrap().items;
        items.reverse();
        items
    }

    async fn actions(&self, id: ServiceKeyId) -> Vec<AuditAction> {
        self.entries(id).await.into_iter().map(|entry| entry.action).collect()
    }
}

fn reason<T>(result: Result<T, Error>) -> &'static str {
    result.err().expect("refused").reason()
}

fn patch(key: &ServiceKey) -> ServiceKeyPatch {
    ServiceKeyPatch { revision: key.revision, ..Default::default() }
}

fn next(key: &ServiceKey, grace_seconds: i64) -> ServiceKeyRotation {
    let grace_seconds = Some(grace_seconds);
    ServiceKeyRotation { revision: key.revision, value: NEXT.into(), grace_seconds, ..Default::default() }
}
