//! What is particular to each built-in provider, against a vendor that says what the test has written down.

mod asana;
mod r#box;
mod dropbox;
mod github;
mod hubspot;
mod jira;
mod linear;
mod microsoft;
mod notion;
mod salesforce;
mod shopify;
mod slack;
mod stripe;
mod trello;
mod zoho;

use crate::receiver::{Received, Receiver};
use crate::support::*;
use atom_core::*;
use serde_json::{Value, json};

/// A vendor that is told what to say, and someone who has an account there.
struct Vendor {
    provider: &'static str,
    receiver: Receiver,
    scope: Scope,
    _atom: Atom,
}

impl Vendor {
    async fn new(database: &Database, provider: &'static str) -> Self {
        let receiver = Receiver::start().await;
        let app = ProviderApp {
            provider: provider.into(),
            client_id: "client".into(),
            client_secret: Some("secret".into()),
            redirect_uri: "https://app.example.com/callback".into(),
            development_endpoint: Some(receiver.url("")),
            ..Default::default()
        };
        let atom = database.builder().provider(app).open().await.unwrap();
        let (_, scope) = sign_up(&atom, "ada@example.com").await;
        Self { provider, receiver, scope, _atom: atom }
    }

    /// The next answer.
    fn says(&self, body: &Value) {
        self.answers(200, "", &body.to_string());
    }

    fn answers(&self, status: u16, headers: &str, body: &str) {
        self.receiver.once(status, headers, body);
    }

    /// Connects by a credential that stays as it is. The answers are to what is asked meanwhile.
    async fn connect(&self, method: &str, fields: &[(&str, &str)], answers: &[Value]) -> Connection {
        answers.iter().for_each(|answer| self.says(answer));
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), Secret::from(*value))).collect();
        let with = ConnectWith { provider: self.provider.into(), method: Some(method.into()), fields, ..Default::default() };
        self.scope.connections().connect(with).await.unwrap()
    }

    /// Connects through the browser; returns where the browser was sent, too.
    async fn consent(&self, answers: &[Value]) -> (Connection, String) {
        let authorization = self.scope.connections().start(start(self.provider)).await.unwrap();
        answers.iter().for_each(|answer| self.says(answer));
        let (_, rest) = authorization.url.split_once("state=").unwrap();
        let state = rest.split('&').next().unwrap();
        let callback = format!("https://app.example.com/callback?code=c0de&state={state}");
        (self.scope.connections().complete(callback).await.unwrap(), authorization.url)
    }

    /// The last request.
    fn asked(&self) -> Received {
        self.receiver.received().pop().unwrap()
    }

    /// The last request's method and address.
    fn asked_for(&self) -> String {
        let asked = self.asked();
        format!("{} {}", asked.method, asked.path)
    }
}

async fn call(connection: &Connection, operation: &str, input: Value) -> Value {
    connection.call(operation.into(), Json(input)).await.unwrap().0
}

async fn refusal(connection: &Connection, operation: &str, input: Value) -> Error {
    connection.call(operation.into(), Json(input)).await.expect_err("refused")
}

/// A private key, as PEM: that of the stand-in's service account.
fn private_key() -> String {
    let file = std::thread::spawn(|| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async { testing::GoogleStandIn::start().await.unwrap().service_account() })
    });
    let file: Value = serde_json::from_str(file.join().unwrap().expose()).unwrap();
    file["private_key"].as_str().unwrap().to_owned()
}

fn text(received: &Received) -> String {
    String::from_utf8(received.body.clone()).unwrap()
}
