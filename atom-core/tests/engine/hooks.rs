//! Operations that are functions of the host.

use super::server::json as reply;
use super::*;
use std::sync::Arc;

const OPERATIONS: &str = r#"
[services.main.operations."tasks.list"]
vendor_op = "two requests"
effect = "read"
items = "found"
record = "task"
hook = "both_halves"
"#;

/// Asks twice and puts the answers together.
struct BothHalves;

impl OperationHook for BothHalves {
    fn run<'a>(&'a self, connection: &'a Connection, input: Json) -> BoxFuture<'a, Result<Json>> {
        Box::pin(async move {
            let mut found = Vec::new();
            for half in ["first", "second"] {
                let url = format!("{}/{half}", input.0["at"].as_str().unwrap());
                let answer = connection.request(RawRequest { method: "GET".into(), url, ..Default::default() }).await?;
                found.push(answer.json.unwrap().0);
            }
            Ok(Json(json!({ "found": found })))
        })
    }
}

on_both!(a_hook_carries_out_what_names_it_and_one_that_is_missing_is_refused_at_once, |database| async move {
    let server = Server::start(|asked| reply(json!({"id": asked.path, "name": asked.headers["x-key"]}))).await;
    let manifest = format!("{HEAD}{SERVICE}{OPERATIONS}").replace("$url", &server.url);
    let app = ProviderApp { provider: "stage".into(), manifest: Some(manifest), ..Default::default() };
    assert_eq!(database.builder().provider(app.clone()).open().await.err().unwrap().reason(), "unknown_hook");

    let atom = database.builder().hook("both_halves", Arc::new(BothHalves)).provider(app).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let fields = HashMap::from([("api_key".to_owned(), "k".into())]);
    let connection =
        scope.connections().connect(ConnectWith { provider: "stage".into(), fields, ..Default::default() }).await.unwrap();
    let page = connection.call("tasks.list".into(), Json(json!({ "at": server.url }))).await.unwrap().0;
    assert_eq!((&page["items"][0]["id"], &page["items"][1]["title"]), (&json!("/first"), &json!("k")));
});
