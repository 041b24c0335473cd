//! Vendors that mean no good, or have been taken over.

use super::server::{bytes as raw, json as reply};
use super::*;
use std::time::Duration;

const OPERATIONS: &str = r#"
[services.main.operations."tasks.get"]
vendor_op = "get"
path = "/get"
effect = "once"
record = "task"
"#;

async fn refused(database: &Database, script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Error {
    Stage::new(database, "", OPERATIONS, script).await.refused("tasks.get", json!({})).await
}

on_both!(json_that_is_too_deep_is_an_error_and_no_crash, |database| async move {
    let error = refused(&database, |_| raw([vec![b'['; 100_000], vec![b']'; 100_000]].concat())).await;
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Provider, "answer_malformed"));
    let objects = "{\"a\":".repeat(100_000);
    let error = refused(&database, move |_| raw(objects.clone().into_bytes())).await;
    assert_eq!(error.reason(), "answer_malformed");
});

on_both!(a_body_without_end_is_cut_off, |database| async move {
    // A gigabyte is announced and begun.
    let error = refused(&database, |_| raw(vec![b' '; 1024 * 1024]).times(1024, Duration::ZERO)).await;
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Provider, "answer_too_large"));
});

on_both!(a_small_answer_that_unpacks_to_a_gigabyte_is_cut_off, |database| async move {
    // A mebibyte of zeros as a block of deflate (RFC 1951) that may be followed by others.
    let block = [&b"\xec\xc1\x31\x01\0\0\0\xc2\xa0\xf5\x4f\x6d\x08\x5f\xa0"[..], &[0; 1016], b"\x3e\x03\0\0\xff\xff"].concat();
    let packed = [&b"\x1f\x8b\x08\0\0\0\0\0\0\xff"[..], &block.repeat(1024)].concat();
    let error = refused(&database, move |_| raw(packed.clone()).with("content-encoding", "gzip")).await;
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Provider, "answer_too_large"));
});

on_both!(content_that_leads_on_without_end_or_into_the_network_of_the_host_is_refused, |database| async move {
    let operations = r#"
[services.main.operations."files.content"]
vendor_op = "content"
path = "/{at}"
effect = "read"
answer = "bytes"
"#;
    let server = Server::start(|asked| {
        let target = if asked.path == "/loop" { "/loop" } else { "http://10.0.0.1/" };
        reply(json!({})).status(302).with("location", target)
    });
    let server = server.await;
    let manifest = format!("download_hosts = [\"127.0.0.1\"]\n{HEAD}{SERVICE}{operations}").replace("$url", &server.url);
    let app = ProviderApp { provider: "stage".into(), manifest: Some(manifest), ..Default::default() };
    let atom = database.builder().provider(app).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let fields = HashMap::from([("api_key".to_owned(), "k".into())]);
    let with = ConnectWith { provider: "stage".into(), fields, ..Default::default() };
    let connection = scope.connections().connect(with).await.unwrap();
    let refused = async |at: &str| connection.call("files.content".into(), Json(json!({ "at": at }))).await.unwrap_err();
    assert_eq!(refused("loop").await.status(), Some(302));
    assert_eq!(server.asked().len(), 2, "it is followed once");
    assert_eq!(refused("inside").await.reason(), "host_not_allowed");
});

on_both!(a_redirect_is_not_followed, |database| async move {
    let inside = Server::start(|_| reply(json!({"id": "secret"}))).await;
    let target = inside.url.clone();
    let error = refused(&database, move |_| reply(json!({})).status(302).with("location", &target)).await;
    assert_eq!((error.kind(), error.status()), (ErrorKind::Provider, Some(302)));
    assert!(inside.asked().is_empty());
});

on_both!(values_of_any_kind_where_others_are_expected_crash_nothing, |database| async move {
    let operations = r#"
[services.main.records.wild]
id = "id"
at = { path = "at", as = "epoch" }
day = { path = "at", as = "date" }
lines = { path = "at", as = "adf_text" }
rich = { path = "at", as = "notion_text" }
total = { path = "at", money = "decimal", currency = "currency" }
people = { path = "at", each = { name = "name" } }
tags = { path = "at", each_value = "name" }
number = { path = "at", after = "x" }
text = { template = "{at}/{id}" }
kind = { path = "at", enum = { a = "b" } }
[services.main.operations."tasks.list"]
vendor_op = "list"
path = "/list"
effect = "read"
items = "items"
record = "wild"
pages = { by = "cursor", next = "next" }
"#;
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e308),
        json!(18_446_744_073_709_551_615_u64),
        json!("x"),
        json!(""),
        json!("é"),
        json!([]),
        json!([1, null, {}]),
        json!({}),
        json!({"type": 1, "content": [{"type": []}]}),
        json!("9".repeat(400)),
    ];
    let items: Vec<_> = values.iter().map(|value| json!({"id": value, "at": value, "currency": value})).collect();
    let stage = Stage::new(&database, "", operations, move |_| reply(json!({"items": items, "next": {"odd": true}}))).await;
    let page = stage.call("tasks.list", json!({})).await.unwrap();
    assert_eq!(page["items"].as_array().unwrap().len(), values.len());
    assert_eq!(page["next_cursor"], Value::Null);
});
