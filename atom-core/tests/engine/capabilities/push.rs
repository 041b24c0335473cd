//! Vendors of push notifications: of all devices at once, or of one at a time.

use super::*;

/// OneSignal: <https://documentation.onesignal.com/reference/create-message>. `errors` is a list of texts or an object, with a 200 either way.
pub(super) const ONESIGNAL: &str = r#"
[inputs.app_id]
title = "App id"
pattern = "[0-9a-f-]{36}"
default = "11111111-2222-3333-4444-555555555555"

[services.main.records.sent]
id = "id"
invalid_targets = { first = ["errors.invalid_player_ids", "errors.invalid_external_user_ids", "errors.invalid_aliases.external_id"] }

[services.main.operations."push.send"]
vendor_op = "createNotification"
path = "/notifications"
effect = "once"
record = "sent"
[services.main.operations."push.send".body]
encoding = "json"
json = { app_id = "{app_id}", target_channel = "push", include_subscription_ids = "{tokens}", include_aliases = { external_id = "{user_ids}" }, included_segments = ["{topic}"], headings = { en = "{title}" }, contents = { en = "{body}" }, url = "{open_url}", data = "{data}", ttl = "{ttl_seconds}", collapse_id = "{collapse_key}", idempotency_key = "{idempotency_key}" }
"#;

/// Firebase, of one device at a time, or of a topic: <https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages>.
pub(super) const FIREBASE: &str = r#"
[inputs.project_id]
title = "Project"
pattern = "[a-z0-9-]+"
default = "engine-1"

# https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode: a 404 is of the token only where it says so.
[errors]
code = ["error.details[0].errorCode", "error.status"]
rules = [
    { status = 404, codes = ["UNREGISTERED"], kind = "not_found" },
    { status = 404, kind = "invalid" },
    { codes = ["QUOTA_EXCEEDED"], kind = "rate_limited" },
]

[services.main.enums.priority]
NORMAL = "normal"
HIGH = "high"

[services.main.records.sent]
id = "name"

[services.main.operations."push.send"]
vendor_op = "fcm.projects.messages.send"
path = "/v1/projects/{project_id}/messages:send"
effect = "once"
record = "sent"
[services.main.operations."push.send".body]
encoding = "json"
json = { message = { topic = "{topic}", notification = { title = "{title}", body = "{body}", image = "{image_url}" }, data = "{data}", android = { ttl = "{ttl_seconds}s", priority = "{priority|priority}", collapse_key = "{collapse_key}" } } }

[services.main.operations."push.send_to_token"]
vendor_op = "fcm.projects.messages.send"
path = "/v1/projects/{project_id}/messages:send"
effect = "once"
record = "sent"
[services.main.operations."push.send_to_token".body]
encoding = "json"
json = { message = { token = "{token}", notification = { title = "{title}", body = "{body}", image = "{image_url}" }, data = "{data}", android = { ttl = "{ttl_seconds}s", priority = "{priority|priority}", collapse_key = "{collapse_key}" } } }
"#;

/// Expo, which gives each device a ticket: <https://docs.expo.dev/push-notifications/sending-notifications/>.
pub(super) const EXPO: &str = r#"
[services.main.records.sent.tickets]
path = "data"
list = true
[services.main.records.sent.tickets.each]
id = "id"
outcome = { path = "details.error", enum = { DeviceNotRegistered = "invalid_target", "*" = "failed" }, default = "accepted" }
reason = { path = "details.error", enum = { MessageRateExceeded = "provider_rate_limit", MessageTooBig = "input_refused", "*" = "provider_refused" } }

[services.main.operations."push.send"]
vendor_op = "POST /--/api/v2/push/send"
path = "/--/api/v2/push/send"
effect = "once"
body = { encoding = "json", json = [{ to = ["{tokens}"], title = "{title}", body = "{body}", data = "{data}", ttl = "{ttl_seconds}", priority = "{priority}" }] }
record = "sent"
"#;

/// Apple's own, of one device at a time, whose answer is a header: <https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns>.
pub(super) const APNS: &str = r#"
[inputs.bundle]
title = "Bundle id"
pattern = "[A-Za-z0-9.-]+"
default = "com.example.engine"

[errors]
code = ["reason"]
rules = [
    { status = 400, codes = ["BadDeviceToken", "DeviceTokenNotForTopic"], kind = "not_found" },
    { status = 410, kind = "not_found" },
    { status = 403, codes = ["ExpiredProviderToken"], kind = "unauthenticated" },
    { status = 400, kind = "invalid" },
]

[services.main.enums.priority]
5 = "normal"
10 = "high"

[services.main.records.sent]
id = "id"

# To one device only: there is nothing to send to several.
[services.main.operations."push.send_to_token"]
vendor_op = "POST /3/device/{device_token}"
method = "POST"
path = "/3/device/{token}"
effect = "once"
headers = { apns-topic = "{bundle}", apns-push-type = "alert", apns-priority = "{priority|priority}", apns-expiration = "{ttl_seconds|seconds_from_now}", apns-collapse-id = "{collapse_key}" }
body = { encoding = "json", json = { aps = { alert = { title = "{title}", body = "{body}" } }, data = "{data}" } }
answer_headers = { id = "apns-id" }
record = "sent"
"#;

fn words(words: &[&str]) -> Option<Vec<String>> {
    Some(words.iter().map(|word| (*word).to_owned()).collect())
}

fn outcomes(result: &PushResult) -> Vec<String> {
    let short = |target: &PushTarget| serde_json::to_value(target.outcome).unwrap().as_str().unwrap().to_owned();
    result.targets.iter().map(short).collect()
}

fn lunch() -> NewPush {
    NewPush { tokens: words(&["a", "b", "c"]), title: Some("Lunch".into()), ..Default::default() }
}

on_both!(onesignal_says_of_all_devices_at_once_what_became_of_them, |database| async move {
    let stage = Stage::new(&database, ONESIGNAL, "", |asked| match asked.json()["include_subscription_ids"][0].as_str() {
        Some("nobody") => reply(json!({"id": "", "errors": ["All included players are not subscribed"]})),
        Some(_) => reply(json!({"id": "n-1", "external_id": null, "errors": {"invalid_player_ids": ["b"]}})),
        None if asked.json()["include_aliases"].is_object() => {
            reply(json!({"id": "n-2", "errors": {"invalid_aliases": {"external_id": ["bob"]}}}))
        }
        None => reply(json!({"id": "n-3"})),
    })
    .await;
    let push = stage.connection.push();
    let given = NewPush { idempotency_key: Some("4f0e".into()), ttl_seconds: Some(60), ..lunch() };
    let result = push.send(given).await.unwrap();
    assert_eq!(outcomes(&result), ["accepted", "invalid_target", "accepted"]);
    assert_eq!((result.id.as_deref(), result.targets[0].id.as_deref()), (Some("n-1"), None));
    let sent = stage.server.asked().pop().unwrap().json();
    let app = "11111111-2222-3333-4444-555555555555";
    assert_eq!(
        sent,
        json!({"app_id": app, "target_channel": "push", "include_subscription_ids": ["a", "b", "c"], "headings": {"en": "Lunch"}, "ttl": 60, "idempotency_key": "4f0e"})
    );
    let nobody = push.send(NewPush { tokens: words(&["nobody"]), ..Default::default() }).await.unwrap();
    assert_eq!(
        (outcomes(&nobody), nobody.id, nobody.targets[0].reason.as_deref()),
        (vec!["failed".to_owned()], None, Some("nobody_reached"))
    );
    let users = push.send(NewPush { tokens: None, user_ids: words(&["ada", "bob"]), ..lunch() }).await.unwrap();
    assert_eq!(outcomes(&users), ["accepted", "invalid_target"]);
    let all = push.send(NewPush { tokens: None, topic: Some("news".into()), ..lunch() }).await.unwrap();
    assert_eq!((outcomes(&all), all.targets[0].target.as_str()), (vec!["accepted".to_owned()], "news"));
    assert_eq!(stage.server.asked().pop().unwrap().json()["included_segments"], json!(["news"]));
});

on_both!(firebase_is_asked_for_each_device_in_turn, |database| async move {
    let refusal = |status: u16, code: &str| {
        let details = json!([{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}]);
        reply(json!({"error": {"code": status, "message": "of a token", "status": "NOT_FOUND", "details": details}}))
            .status(status)
    };
    let stage = Stage::new(&database, FIREBASE, "", move |asked| match asked.json()["message"]["token"].as_str() {
        Some("b") => refusal(404, "UNREGISTERED"),
        Some("denied") => refusal(403, "SENDER_ID_MISMATCH"),
        Some("lost") => reply(json!({"error": {"code": 404, "message": "no project", "status": "NOT_FOUND"}})).status(404),
        _ => reply(json!({"name": "projects/engine-1/messages/0:1500415314455276%31bd1c9631bd1c96"})),
    })
    .await;
    let push = stage.connection.push();
    let urgent = NewPush { priority: Some(PushPriority::High), ttl_seconds: Some(3600), ..lunch() };
    let result = push.send(urgent).await.unwrap();
    assert_eq!(outcomes(&result), ["accepted", "invalid_target", "accepted"]);
    assert_eq!(
        (result.id, result.targets[0].id.as_deref()),
        (None, Some("projects/engine-1/messages/0:1500415314455276%31bd1c9631bd1c96"))
    );
    let asked = stage.server.asked().pop().unwrap();
    let message = json!({"token": "c", "notification": {"title": "Lunch"}, "android": {"ttl": "3600s", "priority": "HIGH"}});
    assert_eq!((asked.path.as_str(), asked.json()), ("/v1/projects/engine-1/messages:send", json!({ "message": message })));
    let part = push.send(NewPush { tokens: words(&["a", "denied", "c"]), ..lunch() }).await.unwrap();
    assert_eq!(outcomes(&part), ["accepted", "failed", "accepted"], "a 403 is of this token alone: another sender's");
    let wrong = push.send(NewPush { tokens: words(&["lost"]), ..lunch() }).await.unwrap_err();
    assert_eq!(wrong.reason(), "input_refused", "a project that is not there makes no token invalid");
    let topic = push.send(NewPush { tokens: None, topic: Some("news".into()), ..lunch() }).await.unwrap();
    assert_eq!((outcomes(&topic), topic.id.is_some()), (vec!["accepted".to_owned()], true));
    assert_eq!(stage.server.asked().pop().unwrap().json()["message"]["topic"], "news");
    let keyed = push.send(NewPush { idempotency_key: Some("4f0e".into()), ..lunch() }).await.unwrap_err();
    assert_eq!(keyed.reason(), "unsupported_input", "what a vendor does not recognize is not promised");
    for wrong in [NewPush { topic: Some("news".into()), ..lunch() }, NewPush { tokens: words(&[]), ..Default::default() }] {
        assert_eq!(push.send(wrong).await.unwrap_err().reason(), "push_targets");
    }
});

on_both!(expo_gives_each_device_a_ticket, |database| async move {
    let stage = Stage::new(&database, EXPO, "", |asked| {
        let gone = json!({"status": "error", "message": "\"b\" is not a registered push notification recipient", "details": {"error": "DeviceNotRegistered"}});
        let late = json!({"status": "error", "message": "slower", "details": {"error": "MessageRateExceeded"}});
        match asked.json()[0]["to"].as_array().unwrap().len() {
            3 => reply(json!({"data": [{"status": "ok", "id": "T-1"}, gone, late]})),
            1 => reply(json!({"data": {"status": "ok", "id": "T-9"}})),
            _ => reply(json!({"data": []})),
        }
    })
    .await;
    let push = stage.connection.push();
    let result = push.send(NewPush { data: Some(Json(json!({"table": "4"}))), ..lunch() }).await.unwrap();
    assert_eq!(outcomes(&result), ["accepted", "invalid_target", "failed"]);
    assert_eq!(
        (result.targets[0].id.as_deref(), result.targets[2].reason.as_deref()),
        (Some("T-1"), Some("provider_rate_limit"))
    );
    let sent = stage.server.asked().pop().unwrap();
    assert_eq!(
        (sent.path.as_str(), sent.json()),
        ("/--/api/v2/push/send", json!([{"to": ["a", "b", "c"], "title": "Lunch", "data": {"table": "4"}}]))
    );
    let one = push.send(NewPush { tokens: words(&["a"]), ..lunch() }).await.unwrap();
    assert_eq!(one.targets[0].id.as_deref(), Some("T-9"), "a single ticket stands alone");
    let none = push.send(NewPush { tokens: words(&["a", "b"]), ..lunch() }).await.unwrap();
    assert_eq!((outcomes(&none), none.id), (vec!["failed".to_owned(); 2], None), "whoever has no ticket was not reached");
});

on_both!(apples_answer_is_a_header_and_a_dead_token_is_told_from_a_wrong_message, |database| async move {
    let stage = Stage::new(&database, APNS, "", |asked| match asked.path.as_str() {
        "/3/device/b" => reply(json!({"reason": "Unregistered", "timestamp": 1_762_000_000_000_i64})).status(410),
        "/3/device/c" => reply(json!({"reason": "BadDeviceToken"})).status(400),
        "/3/device/d" => reply(json!({"reason": "PayloadTooLarge"})).status(413),
        _ => status(200).with("apns-id", "EC1BF194-B3B2-424A-89D8-5A918A6E6B5D").empty(),
    })
    .await;
    let push = stage.connection.push();
    let urgent =
        NewPush { tokens: words(&["a", "b", "c", "d"]), priority: Some(PushPriority::High), ttl_seconds: Some(60), ..lunch() };
    let result = push.send(urgent).await.unwrap();
    assert_eq!(outcomes(&result), ["accepted", "invalid_target", "invalid_target", "failed"]);
    assert_eq!(result.targets[0].id.as_deref(), Some("EC1BF194-B3B2-424A-89D8-5A918A6E6B5D"));
    let asked = stage.server.asked().remove(0);
    assert_eq!((asked.headers["apns-topic"].as_str(), asked.headers["apns-priority"].as_str()), ("com.example.engine", "10"));
    let expires: i64 = asked.headers["apns-expiration"].parse().unwrap();
    assert!((0..=60).contains(&(expires - chrono::Utc::now().timestamp())), "60 is a moment in 1970");
    assert_eq!(asked.json(), json!({"aps": {"alert": {"title": "Lunch"}}}));
    let topic = push.send(NewPush { tokens: None, topic: Some("news".into()), ..lunch() }).await.unwrap_err();
    assert_eq!(topic.reason(), "unsupported_operation");
});
