use super::*;

async fn bot(vendor: &Vendor) -> Connection {
    let who =
        json!({"ok": true, "url": "https://acme.slack.com/", "team": "Acme", "team_id": "T1", "user": "bot", "user_id": "U0"});
    vendor.connect("bot_token", &[("token", "xoxb-1")], &[who]).await
}

on_both!(a_refusal_inside_a_200_is_a_typed_error, |database| async move {
    let vendor = Vendor::new(&database, "slack").await;
    let connection = bot(&vendor).await;
    for (code, kind) in [
        ("channel_not_found", ErrorKind::NotFound),
        ("missing_scope", ErrorKind::ReauthRequired),
        ("is_archived", ErrorKind::Conflict),
        ("restricted_action_read_only_channel", ErrorKind::Forbidden),
        ("no_text", ErrorKind::Invalid),
    ] {
        vendor.says(&json!({"ok": false, "error": code}));
        let error = refusal(&connection, "chat.send_message", json!({"channel_id": "C1", "text": "hi"})).await;
        assert_eq!(error.kind(), kind, "{code}");
    }
    vendor.says(&json!({"ok": false, "error": "message_not_found"}));
    let input = json!({"channel_id": "C1", "id": "1.0"});
    let error = refusal(&connection, "chat.delete_message", input).await;
    assert_eq!(error.kind(), ErrorKind::NotFound, "also where nothing of the answer is read");
});

on_both!(a_message_has_its_channel_its_time_and_its_text, |database| async move {
    let vendor = Vendor::new(&database, "slack").await;
    let connection = bot(&vendor).await;
    let message = json!({"type": "message", "user": "U1", "text": "a &lt;b&gt;", "ts": "1700000000.000100", "thread_ts": "1699999999.000000"});
    vendor.says(&json!({"ok": true, "messages": [message], "response_metadata": {"next_cursor": "more"}}));
    let page = call(&connection, "chat.list_messages", json!({"channel_id": "C1", "after": "2023-11-14T00:00:00Z"})).await;
    assert_eq!(vendor.asked_for(), "GET /api/conversations.history?channel=C1&limit=100&oldest=1699920000.000000");
    let message = &page["items"][0];
    assert_eq!(
        (
            &message["id"],
            &message["channel_id"],
            &message["text"],
            &message["author"]["id"],
            &message["thread_id"],
            &message["sent_at"]
        ),
        (
            &json!("1700000000.000100"),
            &json!("C1"),
            &json!("a <b>"),
            &json!("U1"),
            &json!("1699999999.000000"),
            &json!("2023-11-14T22:13:20.000100Z")
        )
    );
    vendor.says(&json!({"ok": true, "messages": [], "response_metadata": {"next_cursor": ""}}));
    let last = call(&connection, "chat.list_messages", json!({"channel_id": "C1", "cursor": page["next_cursor"]})).await;
    assert_eq!(
        (vendor.asked_for().as_str(), &last["next_cursor"]),
        ("GET /api/conversations.history?channel=C1&cursor=more&limit=100", &Value::Null)
    );
    vendor.says(&json!({"ok": true, "messages": []}));
    call(&connection, "chat.list_messages", json!({"channel_id": "C1", "thread_id": "1.0"})).await;
    assert_eq!(vendor.asked_for(), "GET /api/conversations.replies?channel=C1&limit=100&ts=1.0");
});

on_both!(what_is_sent_is_plain_text, |database| async move {
    let vendor = Vendor::new(&database, "slack").await;
    let connection = bot(&vendor).await;
    vendor.says(
        &json!({"ok": true, "channel": "C1", "ts": "1.000200", "message": {"text": "&lt;!channel&gt; &amp; co", "user": "U0"}}),
    );
    let sent = call(&connection, "chat.send_message", json!({"channel_id": "C1", "text": "<!channel> & co"})).await;
    assert_eq!(text(&vendor.asked()), "channel=C1&text=%26lt%3B%21channel%26gt%3B+%26amp%3B+co");
    assert_eq!((&sent["id"], &sent["text"]), (&json!("1.000200"), &json!("<!channel> & co")));
});

on_both!(a_person_and_a_bot_have_a_token_each, |database| async move {
    let vendor = Vendor::new(&database, "slack").await;
    let tokens = json!({"ok": true, "access_token": "xoxb-1", "scope": "chat:write,users:read", "token_type": "bot",
        "authed_user": {"id": "U1", "access_token": "xoxp-1", "scope": "search:read", "token_type": "user"}});
    let who = json!({"ok": true, "team": "Acme", "team_id": "T1", "user_id": "U0"});
    let (connection, url) = vendor.consent(&[tokens, who]).await;
    assert!(
        url.contains("user_scope=search%3Aread") && url.contains("chat%3Awrite%2C") && !url.contains("code_challenge"),
        "{url}"
    );
    let found = json!({"type": "message", "ts": "1.0", "text": "42", "channel": {"id": "C1"}, "user": "U1", "permalink": "https://acme.slack.com/x"});
    vendor
        .says(&json!({"ok": true, "messages": {"matches": [found], "paging": {"count": 20, "page": 1, "pages": 1, "total": 1}}}));
    let page = call(&connection, "slack.search_messages", json!({"search": "42"})).await;
    assert_eq!(vendor.asked().headers["authorization"], "Bearer xoxp-1");
    assert_eq!((&page["items"][0]["channel_id"], &page["next_cursor"]), (&json!("C1"), &Value::Null));
    vendor.says(&json!({"ok": true, "members": []}));
    call(&connection, "chat.list_users", json!({})).await;
    assert_eq!(vendor.asked().headers["authorization"], "Bearer xoxb-1");
});

on_both!(a_token_that_slack_refuses_inside_a_200_is_refreshed_once, |database| async move {
    let vendor = Vendor::new(&database, "slack").await;
    let token = |n: u8| json!({"ok": true, "access_token": format!("xoxe-{n}"), "refresh_token": format!("r{n}"), "token_type": "bot", "expires_in": 43200, "scope": "chat:write", "team": {"id": "T1", "name": "Acme"}});
    let who =
        json!({"ok": true, "url": "https://acme.slack.com/", "team": "Acme", "team_id": "T1", "user": "bot", "user_id": "U0"});
    let (connection, _) = vendor.consent(&[token(1), who]).await;
    let expired = json!({"ok": false, "error": "token_expired"});
    let sent = json!({"ok": true, "channel": "C1", "ts": "1.0", "message": {"type": "message", "text": "hi", "ts": "1.0"}});
    for answer in [&expired, &token(2), &sent] {
        vendor.says(answer);
    }
    call(&connection, "chat.send_message", json!({"channel_id": "C1", "text": "hi"})).await;
    assert_eq!(vendor.asked().headers["authorization"], "Bearer xoxe-2");

    for answer in [&expired, &token(3), &expired] {
        vendor.says(answer);
    }
    let before = vendor.receiver.received().len();
    let error = refusal(&connection, "chat.send_message", json!({"channel_id": "C1", "text": "hi"})).await;
    assert_eq!((error.kind(), vendor.receiver.received().len() - before), (ErrorKind::ReauthRequired, 3), "one retry");
    vendor.says(&json!({"ok": false, "error": "missing_scope"}));
    let before = vendor.receiver.received().len();
    refusal(&connection, "chat.send_message", json!({"channel_id": "C1", "text": "hi"})).await;
    assert_eq!(vendor.receiver.received().len() - before, 1, "a new token would have the same scopes");
});
