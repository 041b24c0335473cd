//! Refusals, whatever their status.

use super::server::{json as reply, lost, status};
use super::*;

const PROVIDER: &str = r#"
[errors]
code = ["error", "errors[0].extensions.code"]
success = { not = { path = "ok", equals = false } }
failure = { path = "errors", exists = true }
rules = [
    { codes = ["ratelimited", "RATE_*"], kind = "rate_limited" },
    { codes = ["channel_not_found"], kind = "not_found" },
    { codes = ["token_revoked"], kind = "reauth_required" },
    { status = 403, codes = ["plan"], kind = "unsupported" },
    { status = 403, kind = "forbidden" },
    { status = 422, kind = "invalid" },
]
"#;

const OPERATIONS: &str = r#"
[services.main.operations."tasks.get"]
vendor_op = "get"
path = "/get"
effect = "read"
record = "task"
[services.main.operations."tasks.create"]
vendor_op = "create"
path = "/create"
effect = "once"
body = { encoding = "json", record = "task" }
record = "task"
[services.main.operations."tasks.create_safely"]
vendor_op = "create"
path = "/create"
effect = "once"
idempotency = "Idempotency-Key"
body = { encoding = "json", record = "task" }
record = "task"
[services.main.operations."tasks.delete"]
vendor_op = "delete"
method = "DELETE"
path = "/delete"
effect = "idempotent"
answer = "none"
"#;

async fn stage(database: &Database, script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Stage {
    Stage::new(database, PROVIDER, OPERATIONS, script).await
}

on_both!(p28_a_refusal_with_a_status_of_success_is_one, |database| async move {
    use ErrorKind::*;
    for (answer, kind) in [
        (json!({"ok": false, "error": "channel_not_found"}), NotFound),
        (json!({"ok": false, "error": "token_revoked"}), ReauthRequired),
        (json!({"ok": false, "error": "anything"}), Provider),
        (json!({"errors": [{"extensions": {"code": "RATE_LIMITED"}}], "data": null}), RateLimited),
    ] {
        let said = answer.clone();
        let stage = stage(&database, move |_| reply(said.clone()).with("retry-after", 9)).await;
        let error = stage.refused("tasks.get", json!({})).await;
        assert_eq!((error.kind(), error.status()), (kind, Some(200)), "{answer}");
        assert_eq!(stage.server.asked().len(), 1, "it asks for nine seconds, which are the caller's");
        let error = stage.refused("tasks.delete", json!({})).await;
        assert_eq!(error.kind(), kind, "though nothing of the answer is used");
    }
});

on_both!(every_kind_of_refusal_has_its_kind_and_the_vendors_text_stays_there, |database| async move {
    use ErrorKind::*;
    for (said, code, kind) in [
        (403, json!({"error": "not yours"}), Forbidden),
        (403, json!({"error": "plan"}), Unsupported),
        (422, json!({"error": "no name ada@example.com"}), Invalid),
        (404, json!({}), NotFound),
        (409, json!({}), Conflict),
        (418, json!({"error": "teapot"}), Provider),
    ] {
        let document = code.clone();
        let stage = stage(&database, move |_| reply(document.clone()).status(said)).await;
        let error = stage.refused("tasks.get", json!({})).await;
        assert_eq!((error.kind(), error.status()), (kind, Some(said)), "{code}");
        assert!(!format!("{error:?}").contains('@'), "{error:?}");
    }
});

on_both!(a_write_is_sent_once_unless_the_vendor_can_tell_it_again, |database| async move {
    let stage = stage(&database, |_| status(503)).await;
    assert_eq!(stage.refused("tasks.create", json!({"title": "x"})).await.kind(), ErrorKind::Unavailable);
    assert_eq!(stage.server.asked().len(), 1);
    assert_eq!(stage.refused("tasks.create_safely", json!({"title": "x"})).await.kind(), ErrorKind::Unavailable);
    let asked = stage.server.asked();
    assert_eq!(asked.len(), 4, "three more attempts");
    let keys: std::collections::HashSet<_> = asked[1..].iter().map(|asked| &asked.headers["idempotency-key"]).collect();
    assert_eq!(keys.len(), 1, "one call has one key");
    stage.refused("tasks.create_safely", json!({"title": "x"})).await;
    assert_ne!(stage.server.asked()[4].headers["idempotency-key"], asked[1].headers["idempotency-key"]);
});

on_both!(a_refusal_after_a_lost_answer_does_not_say_that_nothing_happened, |database| async move {
    let first = std::sync::atomic::AtomicBool::new(true);
    let stage = stage(&database, move |_| {
        let is_first = first.swap(false, std::sync::atomic::Ordering::SeqCst);
        if is_first { lost() } else { status(429).with("retry-after", 90) }
    });
    let stage = stage.await;
    let error = stage.refused("tasks.create_safely", json!({"title": "x"})).await;
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Unavailable, "broken_answer"));
    assert_eq!(stage.server.asked().len(), 2);
    // Nothing was sent of this one.
    assert_eq!(stage.refused("tasks.create_safely", json!({"title": "y"})).await.reason(), "local_budget");
});

on_both!(what_is_no_json_or_no_record_is_a_typed_error, |database| async move {
    for body in ["", "<html>", "{\"id\": 1", "[]"] {
        let stage = stage(&database, move |_| server::bytes(body.as_bytes().to_vec())).await;
        let error = stage.connection.files().get("x".into()).await.err().unwrap();
        assert_eq!(error.reason(), "unsupported_operation");
        let error = stage.call("tasks.get", json!({})).await;
        if matches!(body, "<html>" | "{\"id\": 1") {
            let error = error.err().unwrap();
            assert_eq!((error.kind(), error.reason(), error.status()), (ErrorKind::Provider, "answer_malformed", Some(200)));
        }
    }
});
