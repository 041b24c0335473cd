//! The ways to connect, against a vendor that takes every kind of credential.

mod device;
mod fields;
mod introspection;
mod renewal;
mod revoking;
mod signed;
mod token_sets;

use crate::support::*;
use atom_core::testing::VendorStandIn;
use atom_core::*;

/// A method, what is given, and the reason why that is refused.
type Refused = (&'static str, Vec<(&'static str, Secret)>, &'static str);

/// Ada, at a vendor.
struct Place {
    atom: Atom,
    vendor: VendorStandIn,
    clock: TestClock,
    session: Session,
    scope: Scope,
}

impl Place {
    async fn new(database: &Database) -> Self {
        let (vendor, clock) = (VendorStandIn::start().await.unwrap(), TestClock::new());
        let atom = database.builder().clock(clock.clone()).provider(vendor.app()).open().await.unwrap();
        let (session, scope) = sign_up(&atom, "ada@example.com").await;
        Self { atom, vendor, clock, session, scope }
    }

    /// What Ada gives, by a method.
    async fn connect<'a>(&self, method: &str, fields: impl IntoIterator<Item = (&'a str, Secret)>) -> Result<Connection> {
        self.scope.connections().connect(with(method, fields)).await
    }

    /// Ada agrees in her browser.
    async fn agree(&self, method: &str, user: &str) -> Result<Connection> {
        let start = StartConnection { method: Some(method.into()), ..start("vendor") };
        let authorization = self.scope.connections().start(start).await?;
        let callback = self.vendor.decide(&authorization.url, Some(user)).unwrap();
        self.scope.connections().complete(callback).await
    }

    /// A request for who asks.
    fn get(&self, path: &str) -> RawRequest {
        RawRequest { method: "GET".into(), url: format!("{}{path}", self.vendor.url()), ..Default::default() }
    }

    /// As whom, and by what, the vendor knows a connection.
    async fn seen(&self, connection: &Connection) -> (String, String) {
        let answer = connection.request(self.get("/me")).await.unwrap();
        assert_eq!(answer.status, 200);
        let person = answer.json.unwrap().0;
        (person["id"].as_str().unwrap().into(), person["via"].as_str().unwrap().into())
    }

    async fn nothing_is_stored(&self) {
        assert!(self.scope.connections().list().await.unwrap().is_empty());
    }
}

fn with<'a>(method: &str, fields: impl IntoIterator<Item = (&'a str, Secret)>) -> ConnectWith {
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    ConnectWith { provider: "vendor".into(), method: Some(method.into()), fields, ..Default::default() }
}

fn reason<T>(result: Result<T>) -> &'static str {
    result.err().expect("refused").reason()
}
