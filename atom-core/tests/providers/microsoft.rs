use super::*;

async fn ada(vendor: &Vendor) -> Connection {
    let tokens = json!({"access_token": "m1", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "r1", "scope": "Mail.ReadWrite User.Read"});
    let who = json!({"id": "u1", "displayName": "Ada", "mail": "ada@example.com", "userPrincipalName": "ada@acme.example.com"});
    let (connection, url) = vendor.consent(&[tokens, who]).await;
    assert!(
        url.contains("/common/oauth2/v2.0/authorize") && url.contains("code_challenge=") && url.contains("offline_access"),
        "{url}"
    );
    connection
}

fn message(id: &str) -> Value {
    let recipient = |email: &str| json!({"emailAddress": {"address": email, "name": email}});
    json!({"id": id, "subject": "Hi", "from": recipient("ada@example.com"), "toRecipients": [recipient("bob@example.com")], "isRead": true,
        "body": {"contentType": "html", "content": "<p>Hello &amp; welcome</p>"}, "receivedDateTime": "2026-11-21T08:00:00Z", "parentFolderId": "f1"})
}

on_both!(mail_is_listed_in_the_pages_that_the_answer_names, |database| async move {
    let vendor = Vendor::new(&database, "microsoft").await;
    let connection = ada(&vendor).await;
    let next = "https://graph.microsoft.com/v1.0/me/messages?%24top=25&%24skip=25";
    vendor.says(&json!({"value": [message("m1")], "@odata.nextLink": next}));
    let page = call(&connection, "mail.list", json!({"search": "say \"hi\""})).await;
    let asked = vendor.asked();
    assert!(asked.path.contains("%24search=%22say+%5C%22hi%5C%22%22") && !asked.path.contains("orderby"), "{}", asked.path);
    assert_eq!(asked.headers["prefer"], r#"IdType="ImmutableId""#);
    let mail = &page["items"][0];
    assert_eq!((&mail["text"], &mail["html"]), (&json!("Hello & welcome"), &json!("<p>Hello &amp; welcome</p>")));
    assert_eq!(
        (&mail["sender"]["email"], &mail["to"][0]["email"], &mail["unread"]),
        (&json!("ada@example.com"), &json!("bob@example.com"), &json!(false))
    );
    vendor.says(&json!({"value": []}));
    call(&connection, "mail.list", json!({"search": "say \"hi\"", "cursor": page["next_cursor"]})).await;
    assert_eq!(vendor.asked().path, "/v1.0/me/messages?%24top=25&%24skip=25");
});

on_both!(a_draft_is_made_and_sent, |database| async move {
    let vendor = Vendor::new(&database, "microsoft").await;
    let connection = ada(&vendor).await;
    vendor.answers(201, "", &message("d1").to_string());
    vendor.answers(202, "", "");
    let new = NewMessage { to: vec!["bob@example.com".into()], subject: "Hi".into(), text: "Hello".into(), ..Default::default() };
    let sent = connection.mail().send(new).await.unwrap();
    assert_eq!((sent.id.as_str(), vendor.asked_for().as_str()), ("d1", "POST /v1.0/me/messages/d1/send"));
    let asked = vendor.receiver.received();
    let draft = &asked[asked.len() - 2];
    assert_eq!((draft.path.as_str(), &*draft.headers["content-type"]), ("/v1.0/me/messages", "text/plain"));
    assert!(text(draft).chars().all(|c| c.is_ascii_alphanumeric() || "+/=".contains(c)), "MIME in base64");
});

on_both!(a_message_is_marked_moved_and_put_into_the_bin, |database| async move {
    let vendor = Vendor::new(&database, "microsoft").await;
    let connection = ada(&vendor).await;
    for (input, asked, body) in [
        (json!({"id": "m1", "unread": true}), "PATCH /v1.0/me/messages/m1", json!({"isRead": false})),
        (json!({"id": "m1", "folder_id": "archive"}), "POST /v1.0/me/messages/m1/move", json!({"destinationId": "archive"})),
    ] {
        vendor.says(&message("m1"));
        call(&connection, "mail.update", input).await;
        assert_eq!((vendor.asked_for().as_str(), vendor.asked().json()), (asked, body));
    }
    let error = refusal(&connection, "mail.update", json!({"id": "m1", "folder_id": "archive", "unread": true})).await;
    assert_eq!(error.reason(), "unsupported_input", "one request does not do both");
    vendor.says(&message("m1"));
    call(&connection, "mail.delete", json!({"id": "m1"})).await;
    assert_eq!(vendor.asked().json(), json!({"destinationId": "deleteditems"}));
});

on_both!(events_are_moments_or_days, |database| async move {
    let vendor = Vendor::new(&database, "microsoft").await;
    let connection = ada(&vendor).await;
    let time = |at: &str| json!({"dateTime": at, "timeZone": "UTC"});
    for (all_day, theirs, ours) in [
        (false, "2026-11-21T09:00:00", json!({"type": "moment", "at": "2026-11-21T09:00:00Z", "time_zone": null})),
        (true, "2026-11-21T00:00:00", json!({"type": "day", "date": "2026-11-21"})),
    ] {
        let event = json!({"id": "e1", "subject": "Lunch", "isAllDay": all_day, "start": time(&format!("{theirs}.0000000")), "end": time(theirs),
            "attendees": [{"emailAddress": {"address": "bob@example.com", "name": "Bob"}, "status": {"response": "none"}}], "isCancelled": false});
        vendor.answers(201, "", &event.to_string());
        let input =
            json!({"title": "Lunch", "starts": ours, "ends": ours, "attendees": [{"email": "bob@example.com", "name": "Bob"}]});
        let made = call(&connection, "calendar.create_event", input).await;
        let written = json!({"subject": "Lunch", "isAllDay": all_day, "start": time(theirs), "end": time(theirs),
            "attendees": [{"emailAddress": {"address": "bob@example.com", "name": "Bob"}}]});
        assert_eq!(vendor.asked().json(), written);
        assert_eq!((&made["starts"], &made["ends"], &made["status"]), (&ours, &ours, &json!("confirmed")));
        assert_eq!(made["attendees"][0]["response"], "waiting");
    }
});

on_both!(a_range_of_a_calendar_has_each_occurrence, |database| async move {
    let vendor = Vendor::new(&database, "microsoft").await;
    let connection = ada(&vendor).await;
    vendor.says(&json!({"value": []}));
    let range = json!({"starts_after": "2026-11-21T00:00:00Z", "starts_before": "2026-11-28T00:00:00Z", "calendar_id": "c1", "search": "o'clock"});
    call(&connection, "calendar.list_events", range).await;
    let asked = vendor.asked().path;
    assert!(asked.starts_with("/v1.0/me/calendars/c1/calendarView?") && asked.contains("o%27%27clock"), "{asked}");
});

on_both!(an_item_is_named_by_its_drive_wherever_it_is, |database| async move {
    let vendor = Vendor::new(&database, "microsoft").await;
    let connection = ada(&vendor).await;
    let item = json!({"id": "i1", "name": "a.txt", "size": 3, "file": {"mimeType": "text/plain"}, "parentReference": {"driveId": "d1", "id": "i0"}});
    vendor.says(&json!({"value": [item]}));
    let page = call(&connection, "files.list", json!({})).await;
    assert_eq!(vendor.asked().path, "/v1.0/me/drive/items/root/children?%24top=200");
    let file = &page["items"][0];
    assert_eq!(
        (&file["id"], &file["folder_id"], &file["is_folder"]),
        (&json!("drives/d1/items/i1"), &json!("drives/d1/items/i0"), &json!(false))
    );

    vendor.answers(302, "location: https://acme.sharepoint.com/download?tempauth=x\r\n", "");
    vendor.answers(200, "", "abc");
    let read = call(&connection, "files.download", json!({"id": file["id"]})).await;
    assert_eq!((&read["content"], vendor.asked().path.as_str()), (&json!("YWJj"), "/download?tempauth=x"));
    assert!(!vendor.asked().headers.contains_key("authorization"));

    vendor.says(&json!({"value": [{"id": "d2", "name": "Documents"}]}));
    let drives = call(&connection, "microsoft.list_drives", json!({"site_id": "acme.sharepoint.com,1,2"})).await;
    vendor.answers(201, "", &item.to_string());
    let input = json!({"name": "a.txt", "content": "YWJj", "folder_id": drives["items"][0]["id"]});
    call(&connection, "files.upload", input).await;
    assert_eq!(vendor.asked_for(), "PUT /v1.0/drives/d2/items/root:/a.txt:/content?%40microsoft.graph.conflictBehavior=rename");
});

on_both!(a_changed_chat_message_is_read_again_because_the_answer_is_empty, |database| async move {
    let vendor = Vendor::new(&database, "microsoft").await;
    let connection = ada(&vendor).await;
    vendor.answers(204, "", "");
    vendor.says(&json!({"id": "1", "body": {"contentType": "text", "content": "new"}, "from": {"user": {"id": "u1", "displayName": "Ada"}},
        "createdDateTime": "2026-11-21T08:00:00Z"}));
    let message = call(&connection, "chat.update_message", json!({"channel_id": "chats/19:x", "id": "1", "text": "new"})).await;
    assert_eq!(vendor.asked_for(), "GET /v1.0/chats/19%3Ax/messages/1");
    assert_eq!(
        (&message["text"], &message["channel_id"], &message["author"]["name"]),
        (&json!("new"), &json!("chats/19:x"), &json!("Ada"))
    );
    let error = refusal(&connection, "chat.send_message", json!({"channel_id": "me/mailFolders", "text": "x"})).await;
    assert_eq!(error.kind(), ErrorKind::Invalid);
});
