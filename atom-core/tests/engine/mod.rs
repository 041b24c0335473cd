//! The engine, with small manifests against a scripted vendor.

mod bodies;
mod capabilities;
mod connecting;
mod errors;
mod hooks;
mod hostility;
mod inputs;
mod limits;
mod paging;
mod server;
mod storm;
mod upload_memory;
mod uploads;

use crate::support::*;
use atom_core::*;
use serde_json::{Value, json};
use server::{Asked, Reply, Server};
use std::collections::HashMap;

/// What every manifest of these tests begins with. Whoever has a key is Ada.
const HEAD: &str = r#"
schema = 1
name = "stage"
title = "Stage"
docs = "https://stage.example/docs"
verified_at = "2026-11-28"
hosts = ["127.0.0.1"]

[methods.key]
type = "api_key"
title = "Key"
send = { headers = { X-Key = "{api_key}" } }

[identity]
url = "$url/me"
account_id = "id"
"#;

/// A service with one record type, and the operations of a test.
const SERVICE: &str = r#"
[services.main]
base_url = "$url"

[services.main.records.task]
id = "id"
title = "name"
"#;

/// Ada's account at a vendor that is described by a manifest.
struct Stage {
    server: Server,
    connection: Connection,
    #[allow(dead_code)] // it is what the connection lives in
    atom: Atom,
}

impl Stage {
    /// `operations` stand in the service `main`; `provider` stands before it.
    async fn new(
        database: &Database,
        provider: &str,
        operations: &str,
        script: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let server = Server::start(script).await;
        let manifest = format!("{HEAD}{provider}{SERVICE}{operations}").replace("$url", &server.url);
        let app = ProviderApp { provider: "stage".into(), manifest: Some(manifest), ..Default::default() };
        let atom = database.builder().provider(app).open().await.unwrap();
        // Several stages may share a database.
        let email = format!("ada-{}@example.com", uuid::Uuid::now_v7());
        let (_, scope) = sign_up(&atom, &email).await;
        let fields = HashMap::from([("api_key".to_owned(), "k".into())]);
        let with = ConnectWith { provider: "stage".into(), fields, ..Default::default() };
        let connection = scope.connections().connect(with).await.unwrap();
        Self { connection, server, atom }
    }

    async fn call(&self, operation: &str, input: Value) -> Result<Value> {
        self.connection.call(operation.into(), Json(input)).await.map(|json| json.0)
    }

    async fn refused(&self, operation: &str, input: Value) -> Error {
        self.call(operation, input).await.expect_err("refused")
    }

    /// The ids of a whole list, by its stream.
    async fn ids(&self, operation: &str, input: Value) -> Vec<String> {
        let stream = self.connection.records(operation.into(), Json(input)).await.unwrap();
        let mut ids = Vec::new();
        while let Some(record) = stream.next().await.unwrap() {
            ids.push(record.0["id"].as_str().unwrap().to_owned());
        }
        ids
    }
}

/// Tasks with these numbers.
fn tasks(numbers: impl IntoIterator<Item = usize>) -> Vec<Value> {
    numbers.into_iter().map(|n| json!({"id": format!("t{n}"), "name": format!("Task {n}")})).collect()
}
