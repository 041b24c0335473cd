//! Who may use which secret for what: purposes, policies, and what they refuse.

mod borders;
mod cache;
mod denials;
mod managing;
mod purposes;
mod rule;

use crate::receiver::Receiver;
use crate::support::*;
use atom_core::testing::GoogleStandIn;
use atom_core::*;

/// What is looked for where it must not be.
const CANARY: &str = "sk-canary/0a1b2c3d4e5f+67890-wxyz";

/// Ada, who owns a workspace with a service key that may be shown, and has an account at a provider whose tokens may leave.
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
        Self::with_cache(database, 60.0).await
    }

    async fn with_cache(database: &Database, seconds: f64) -> Self {
        let (google, service, clock) = (GoogleStandIn::start().await.unwrap(), Receiver::start().await, TestClock::new());
        service.always(200);
        let builder = database.builder().loopback_webhooks(true).clock(clock.clone()).provider(google.app());
        let atom = builder.token_cache_seconds(seconds).open().await.unwrap();
        let (session, scope) = sign_up(&atom, "ada@example.com").await;
        let connection = connect(&scope, &google, "ada@gmail.example").await;
        let new = NewServiceKey {
            service: "openai".into(),
            value: CANARY.into(),
            owner: Some(ServiceKeyOwner::Workspace),
            hosts: Some(vec![service.host()]),
            exportable: Some(true),
            ..Default::default()
        };
        let key = scope.service_keys().create(new).await.unwrap();
        Self { atom, clock, google, service, session, scope, connection, key }
    }

    /// The same installation in what could be another process.
    async fn elsewhere(&self, database: &Database, seconds: f64) -> Scope {
        let builder = database.builder().loopback_webhooks(true).clock(self.clock.clone()).provider(self.google.app());
        let atom = builder.token_cache_seconds(seconds).open().await.unwrap();
        atom.act_as(self.session.user.id, self.session.workspace.id).await.unwrap()
    }

    async fn put(&self, policy: NewSecretPolicy) -> SecretPolicy {
        self.scope.secret_policies().put(policy).await.unwrap()
    }

    async fn remove(&self, name: &str) {
        assert!(self.scope.secret_policies().remove(name.into()).await.unwrap());
    }

    /// A call with the service key.
    fn call(&self, method: &str) -> RawRequest {
        RawRequest { method: method.into(), url: self.service.url("/v1"), ..Default::default() }
    }

    /// What was written to the log of one kind, oldest first.
    async fn entries(&self, action: AuditAction) -> Vec<AuditEntry> {
        let filter = AuditFilter { action: Some(action), ..Default::default() };
        let mut items = self.scope.audit().list(filter).await.unwrap().items;
        items.reverse();
        items
    }
}

/// A call with the connection.
fn listing(method: &str) -> RawRequest {
    RawRequest { method: method.into(), url: "https://www.googleapis.com/drive/v3/files".into(), ..Default::default() }
}

fn deny(name: &str) -> NewSecretPolicy {
    NewSecretPolicy { name: name.into(), effect: SecretEffect::Deny, ..Default::default() }
}

fn allow(name: &str) -> NewSecretPolicy {
    NewSecretPolicy { name: name.into(), effect: SecretEffect::Allow, ..Default::default() }
}

fn purpose(name: &str, tool: Option<&str>) -> Purpose {
    Purpose { purpose: name.into(), tool: tool.map(str::to_owned) }
}

fn words(words: &[&str]) -> Option<Vec<String>> {
    Some(words.iter().map(|word| (*word).to_owned()).collect())
}

fn reason<T>(result: Result<T, Error>) -> &'static str {
    result.err().expect("refused").reason()
}

const DENIED: &str = "secret_policy_denied";
