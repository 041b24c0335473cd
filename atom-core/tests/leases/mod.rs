//! The right to make calls with a secret, handed on: what it opens, what it does not, and when it ends.

mod ending;
mod granting;
mod holder;
mod limits;
mod race;

use crate::receiver::Receiver;
use crate::support::*;
use atom_core::testing::GoogleStandIn;
use atom_core::*;
use chrono::TimeDelta;
use std::time::{Duration, Instant};

/// What is looked for where it must not be.
const CANARY: &str = "sk-canary/0a1b2c3d4e5f+67890-wxyz";

/// Ada, with a service key and a connected account to lend.
struct Place {
    atom: Atom,
    clock: TestClock,
    google: GoogleStandIn,
    service: Receiver,
    session: Session,
    scope: Scope,
    connection: Connection,
    key: ServiceKey,
}

impl Place {
    async fn open(database: &Database) -> Self {
        let (google, service, clock) = (GoogleStandIn::start().await.unwrap(), Receiver::start().await, TestClock::new());
        service.always(200);
        let builder = database.builder().loopback_webhooks(true).clock(clock.clone()).provider(google.app());
        let atom = builder.open().await.unwrap();
        let (session, scope) = sign_up(&atom, "ada@example.com").await;
        let connection = connect(&scope, &google, "ada@gmail.example").await;
        let new = NewServiceKey {
            service: "openai".into(),
            value: CANARY.into(),
            hosts: Some(vec![service.host()]),
            exportable: Some(true),
            ..Default::default()
        };
        let key = scope.service_keys().create(new).await.unwrap();
        Self { atom, clock, google, service, session, scope, connection, key }
    }

    /// The same installation in what could be another process.
    async fn elsewhere(&self, database: &Database) -> Atom {
        let builder = database.builder().loopback_webhooks(true).clock(self.clock.clone()).provider(self.google.app());
        builder.open().await.unwrap()
    }

    /// A lease on the service key.
    fn on_key(&self) -> NewSecretLease {
        let purpose = Purpose { purpose: "sync".into(), tool: Some("crm.search".into()) };
        NewSecretLease { service_key_id: Some(self.key.id), purpose, ..Default::default() }
    }

    /// A lease on the connection.
    fn on_connection(&self) -> NewSecretLease {
        NewSecretLease { service_key_id: None, connection_id: Some(self.connection.id()), ..self.on_key() }
    }

    async fn grant(&self, new: NewSecretLease) -> GrantedSecretLease {
        self.scope.secret_leases().create(new).await.unwrap()
    }

    /// A lease, in the hands of its holder.
    async fn lent(&self, new: NewSecretLease) -> (SecretLease, LeasedSecret) {
        let granted = self.grant(new).await;
        (granted.lease, self.atom.use_lease(granted.token).await.unwrap())
    }

    /// A call to the service.
    fn call(&self, method: &str, path: &str) -> RawRequest {
        RawRequest { method: method.into(), url: self.service.url(path), ..Default::default() }
    }

    fn calls(&self) -> usize {
        self.service.received().len()
    }

    async fn actions(&self, id: SecretLeaseId) -> Vec<AuditEntry> {
        let filter = AuditFilter { subject: Some(id.to_string()), ..Default::default() };
        let mut items = self.scope.audit().list(filter).await.unwrap().items;
        items.reverse();
        items
    }

    async fn told(&self) -> Vec<Event> {
        let filter = EventFilter { names: Some(vec!["secret_lease.*".into()]), ..Default::default() };
        self.scope.events().list(filter).await.unwrap().items
    }
}

fn google(method: &str, url: &str) -> RawRequest {
    RawRequest { method: method.into(), url: url.into(), ..Default::default() }
}

fn words(words: &[&str]) -> Option<Vec<String>> {
    Some(words.iter().map(|word| (*word).to_owned()).collect())
}

fn reason<T>(result: Result<T, Error>) -> &'static str {
    result.err().expect("refused").reason()
}

const FILES: &str = "https://www.googleapis.com/drive/v3/files";
