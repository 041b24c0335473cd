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

/// Ada's account where this hook carries out the operation.
async fn connected(database: &Database, app: ProviderApp, hook: impl OperationHook) -> (Atom, Scope, Connection) {
    let atom = database.builder().hook("both_halves", Arc::new(hook)).provider(app).open().await.unwrap();
    let (_, scope) = sign_up(&atom, &format!("ada-{}@example.com", uuid::Uuid::now_v7())).await;
    let fields = HashMap::from([("api_key".to_owned(), "k".into())]);
    let with = ConnectWith { provider: "stage".into(), fields, ..Default::default() };
    let connection = scope.connections().connect(with).await.unwrap();
    (atom, scope, connection)
}

fn app(server: &Server) -> ProviderApp {
    let manifest = format!("{HEAD}{SERVICE}{OPERATIONS}").replace("$url", &server.url);
    ProviderApp { provider: "stage".into(), manifest: Some(manifest), ..Default::default() }
}

on_both!(a_hook_carries_out_what_names_it_and_one_that_is_missing_is_refused_at_once, |database| async move {
    let server = Server::start(|asked| reply(json!({"id": asked.path, "name": asked.headers["x-key"]}))).await;
    let app = app(&server);
    let error = database.builder().provider(app.clone()).open().await.err().unwrap();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Invalid, "unknown_hook"));
    for name in ["`stage`", "`tasks.list`", "`both_halves`"] {
        assert!(error.to_string().contains(name), "{error}");
    }

    let (_, _, connection) = connected(&database, app, BothHalves).await;
    let page = connection.call("tasks.list".into(), Json(json!({ "at": server.url }))).await.unwrap().0;
    assert_eq!((&page["items"][0]["id"], &page["items"][1]["title"]), (&json!("/first"), &json!("k")));
});

on_both!(requests_of_a_hook_are_counted_and_subject_to_policies_like_any_other, |database| async move {
    let server = Server::start(|asked| reply(json!({"id": asked.path, "name": "x"}))).await;
    let (_atom, scope, connection) = connected(&database, app(&server), BothHalves).await;
    for _ in 0..3 {
        connection.call("tasks.list".into(), Json(json!({ "at": server.url }))).await.unwrap();
    }
    assert_eq!(connection.usage(UsageQuery::default()).await.unwrap().totals.calls, 6, "two requests for each call");

    let denied = NewSecretPolicy {
        name: "no-requests".into(),
        effect: SecretEffect::Deny,
        actions: Some(vec![SecretAction::Request]),
        ..Default::default()
    };
    scope.secret_policies().put(denied).await.unwrap();
    let error = connection.call("tasks.list".into(), Json(json!({ "at": server.url }))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert_eq!(server.asked().len(), 6, "what is denied is not sent");
});

/// Does something wrong.
struct Wrong(&'static str);

impl OperationHook for Wrong {
    fn run<'a>(&'a self, _: &'a Connection, _: Json) -> BoxFuture<'a, Result<Json>> {
        match self.0 {
            "at once" => panic!("a canary"),
            "later" => Box::pin(async {
                tokio::task::yield_now().await;
                panic!("a canary")
            }),
            "no list" => Box::pin(async { Ok(Json(json!({"found": 5}))) }),
            _ => Box::pin(async { Err(Error::new(ErrorKind::Conflict, "album_exists", "there is one")) }),
        }
    }
}

on_both!(a_hook_that_panics_or_fails_is_a_typed_error, |database| async move {
    let server = Server::start(|_| reply(json!({}))).await;
    for (wrong, kind, reason) in [
        ("at once", ErrorKind::Provider, "hook_failed"),
        ("later", ErrorKind::Provider, "hook_failed"),
        ("no list", ErrorKind::Provider, "answer_malformed"),
        ("its own", ErrorKind::Conflict, "album_exists"),
    ] {
        let (_atom, _, connection) = connected(&database, app(&server), Wrong(wrong)).await;
        let error = connection.call("tasks.list".into(), Json(json!({}))).await.unwrap_err();
        assert_eq!((error.kind(), error.reason()), (kind, reason), "{wrong}");
        assert!(!error.to_string().contains("canary"));
    }
});

/// Tells when it is dropped.
struct Waits(tokio::sync::mpsc::UnboundedSender<&'static str>);

impl OperationHook for Waits {
    fn run<'a>(&'a self, _: &'a Connection, _: Json) -> BoxFuture<'a, Result<Json>> {
        struct Ends<'a>(&'a Waits);
        impl Drop for Ends<'_> {
            fn drop(&mut self) {
                let _ = self.0.0.send("ended");
            }
        }
        Box::pin(async move {
            let _ends = Ends(self);
            let _ = self.0.send("begun");
            std::future::pending().await
        })
    }
}

on_both!(a_caller_that_goes_away_takes_its_hook_with_it, |database| async move {
    let server = Server::start(|_| reply(json!({}))).await;
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let (_atom, _, connection) = connected(&database, app(&server), Waits(tell)).await;
    let call = tokio::spawn(async move { connection.call("tasks.list".into(), Json(json!({}))).await });
    assert_eq!(told.recv().await, Some("begun"));
    call.abort();
    assert_eq!(told.recv().await, Some("ended"));
});

/// The hooks that manifests of the catalogue name, and those that the README gives a reason for, are the same.
#[test]
fn every_built_in_hook_is_in_the_readme_with_its_reason() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("providers");
    let (mut named, mut manifests) = (std::collections::BTreeSet::new(), 0);
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "toml") {
            continue;
        }
        manifests += 1;
        let manifest: toml::Table = std::fs::read_to_string(&path).unwrap().parse().unwrap();
        named.extend(hooks_in(&toml::Value::Table(manifest)));
    }
    assert!(manifests >= 10, "{manifests}");
    let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let (_, section) = readme.split_once("\n### Built-in hooks\n").expect("the list");
    let section = section.split("\n#").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let mut listed = std::collections::BTreeSet::new();
    for (name, reason) in rows {
        assert!(reason.trim_end_matches('|').trim().len() > 20, "`{name}` has a reason");
        listed.insert(name.to_owned());
    }
    assert_eq!(named, listed);
    assert_eq!(listed.is_empty(), section.contains("There are none."));
}

/// Every `hook = "name"`, however deep.
fn hooks_in(value: &toml::Value) -> Vec<String> {
    match value {
        toml::Value::Table(table) => {
            let own = table.get("hook").and_then(|name| name.as_str()).map(str::to_owned);
            table.values().flat_map(hooks_in).chain(own).collect()
        }
        toml::Value::Array(items) => items.iter().flat_map(hooks_in).collect(),
        _ => Vec::new(),
    }
}
