//! What callers give: used, or refused.

use super::server::json as reply;
use super::*;

const OPERATIONS: &str = r#"
[services.main.enums.state]
open = "open"
reopened = "open"
closed = "done"

[services.main.records.issue]
id = { path = "id", read_only = true }
title = "title"
status = { path = "state", enum = "state" }

[services.main.operations."tasks.list"]
vendor_op = "list"
path = "/list"
effect = "read"
items = ""
query = { state = "{status|state}", size = "{page_size}", tag = "{tags}" }
max_page_size = 50
headers = { X-Trace = "{trace}" }

[services.main.operations."tasks.list+search"]
vendor_op = "search"
path = "/search"
effect = "read"
items = ""
query = { q = "{search}" }

[services.main.operations."tasks.list+search+status"]
vendor_op = "search both"
path = "/search-by-state"
effect = "read"
items = ""
query = { q = "{search}", state = "{status|state}" }

[services.main.operations."tasks.update"]
vendor_op = "update"
method = "PATCH"
path = "/repos/{id|path}"
effect = "idempotent"
record = "issue"
headers = { Dropbox-API-Arg = { path = "{id}", mode = "update" } }
body = { encoding = "json", record = "issue", wrap = "issue" }
ignore = ["mime"]
"#;

async fn stage(database: &Database) -> Stage {
    Stage::new(database, "[headers]\nStage-Version = \"7\"\n", OPERATIONS, |asked| {
        if asked.method == "PATCH" { reply(json!({"id": "1", "title": "x", "state": "new kind"})) } else { reply(json!([])) }
    })
    .await
}

on_both!(the_variant_with_the_most_given_names_is_used_and_is_no_operation_of_its_own, |database| async move {
    let stage = stage(&database).await;
    for (input, path) in [
        (json!({}), "/list"),
        (json!({"status": "done"}), "/list"),
        (json!({"search": "x"}), "/search"),
        (json!({"search": "x", "status": "open"}), "/search-by-state"),
        (json!({"search": null, "status": "open"}), "/list"),
    ] {
        stage.call("tasks.list", input.clone()).await.unwrap();
        assert_eq!(stage.server.asked().last().unwrap().path, path, "{input}");
    }
    assert_eq!(stage.server.asked().last().unwrap().query("state"), Some("open"), "the first of two vendor values");
    let provider = stage.atom.providers().remove(0);
    assert_eq!(provider.operations, ["tasks.list", "tasks.update"]);
    assert_eq!(provider.capabilities[0].operations[0].filters, ["search", "status", "tags", "trace"]);
    assert_eq!(stage.refused("tasks.list+search", json!({})).await.reason(), "unsupported_operation");
});

on_both!(an_input_that_nothing_would_use_is_refused_before_the_call, |database| async move {
    let stage = stage(&database).await;
    for (operation, input, name) in [
        ("tasks.list", json!({"assignee_id": "u1"}), "assignee_id"),
        ("tasks.list", json!({"search": "x", "tags": ["a"]}), "tags"),
        ("tasks.list", json!({"status": "on_hold"}), "status"),
        ("tasks.update", json!({"id": "1", "status": "on_hold"}), "status"),
        ("tasks.update", json!({"id": "1", "priority": "high"}), "priority"),
    ] {
        let error = stage.refused(operation, input).await;
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Unsupported, "unsupported_input"));
        assert!(error.to_string().contains(&format!("`{name}`")), "{error}");
    }
    assert_eq!(stage.refused("tasks.update", json!({"title": "x"})).await.reason(), "missing_input");
    assert_eq!(stage.refused("tasks.list", json!([1])).await.reason(), "malformed_input");
    assert_eq!(stage.refused("tasks.nothing", json!({})).await.reason(), "unsupported_operation");
    assert!(stage.server.asked().is_empty());
});

on_both!(paths_headers_lists_and_sizes_are_written_as_the_vendor_wants_them, |database| async move {
    let stage = stage(&database).await;
    stage.call("tasks.list", json!({"page_size": 200, "tags": ["a", "b,c"]})).await.unwrap();
    let asked = stage.server.asked().pop().unwrap();
    assert_eq!((asked.query("size"), asked.query("tag")), (Some("50"), Some("a,b,c")));
    let record =
        stage.call("tasks.update", json!({"id": "ada/ü 1", "title": "x", "status": "done", "mime": "ignored"})).await.unwrap();
    assert_eq!(record["status"], "other", "a value that the table does not know");
    let asked = stage.server.asked().pop().unwrap();
    assert_eq!(asked.path, "/repos/ada/%C3%BC%201");
    assert_eq!(asked.headers["stage-version"], "7");
    let argument = &asked.headers["dropbox-api-arg"];
    assert!(argument.is_ascii() && argument.contains(r#""path":"ada/\u00fc 1""#), "{argument}");
    assert_eq!(serde_json::from_str::<Value>(argument).unwrap(), json!({"mode": "update", "path": "ada/ü 1"}));
    assert_eq!(asked.json(), json!({"issue": {"title": "x", "state": "closed"}}));
    for id in ["a/../b", "..", "a//b", "/a", ""] {
        let error = stage.refused("tasks.update", json!({ "id": id })).await;
        assert_eq!(error.reason(), "missing_input", "{id}");
    }
    let smuggled = stage.refused("tasks.list", json!({"trace": "a\r\nx: y"})).await;
    assert_eq!(smuggled.reason(), "malformed_header");
});

on_both!(an_override_changes_a_built_in_manifest_and_is_shown, |database| async move {
    let google = testing::GoogleStandIn::start().await.unwrap();
    let changes = "[services.drive.operations.\"files.list\".defaults]\npage_size = 2\n";
    let app = ProviderApp { override_manifest: Some(changes.into()), ..google.app() };
    let atom = database.builder().provider(app).open().await.unwrap();
    let provider = atom.providers().remove(0);
    let change = &provider.overrides[0];
    assert_eq!(change.path, "services.drive.operations.\"files.list\".defaults.page_size");
    assert_eq!((change.before.clone(), change.after.clone()), (Some(Json(json!(100))), Some(Json(json!(2)))));
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let files = connect(&scope, &google, "ada@gmail.example").await.files();
    for name in ["a", "b", "c"] {
        files.upload(NewFile { name: name.into(), content: Bytes::from(&b"x"[..]), ..Default::default() }).await.unwrap();
    }
    assert_eq!(files.list(ListFiles::default()).await.unwrap().items.len(), 2);
    let entry = atom.catalogue(Some("google".into())).await.unwrap().remove(0);
    assert!(entry.is_configured);
});
