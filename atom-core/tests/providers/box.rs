use super::*;

async fn service_account(vendor: &Vendor) -> Connection {
    let tokens = json!({"access_token": "b1", "token_type": "bearer", "expires_in": 3600, "restricted_to": []});
    let who = json!({"type": "user", "id": "7", "name": "App", "login": "app@boxdevedition.com"});
    let fields = [("client_id", "c"), ("client_secret", "s"), ("enterprise_id", "42")];
    let connection = vendor.connect("client_credentials", &fields, &[tokens, who]).await;
    let asked = vendor.receiver.received();
    let form = text(&asked[asked.len() - 2]);
    assert!(form.contains("box_subject_type=enterprise") && form.contains("box_subject_id=42"), "{form}");
    connection
}

fn file(kind: &str, id: &str) -> Value {
    json!({"type": kind, "id": id, "name": "Notes", "size": 3, "sha1": "a9", "parent": {"type": "folder", "id": "0"}, "item_status": "active",
        "owned_by": {"type": "user", "id": "7", "name": "Ada", "login": "ada@example.com"}, "modified_at": "2026-11-21T09:00:00+01:00"})
}

on_both!(an_id_says_whether_it_is_a_file_or_a_folder, |database| async move {
    let vendor = Vendor::new(&database, "box").await;
    let connection = service_account(&vendor).await;
    vendor.says(
        &json!({"entries": [file("folder", "1"), file("file", "1"), file("web_link", "1")], "limit": 100, "next_marker": "m2"}),
    );
    let page = call(&connection, "files.list", json!({})).await;
    assert!(vendor.asked_for().starts_with("GET /2.0/folders/0/items?"), "{}", vendor.asked_for());
    let items = page["items"].as_array().unwrap();
    assert_eq!(
        items.iter().map(|i| (&i["id"], &i["is_folder"])).collect::<Vec<_>>(),
        [(&json!("folders/1"), &json!(true)), (&json!("files/1"), &json!(false)), (&json!("web_links/1"), &json!(false))]
    );
    assert_eq!((&items[0]["folder_id"], &items[1]["web_url"]), (&json!("folders/0"), &json!("https://app.box.com/file/1")));
    assert_eq!((&items[1]["owner"]["email"], &items[1]["deleted"]), (&json!("ada@example.com"), &json!(false)));

    vendor.says(&file("folder", "1"));
    call(&connection, "files.update", json!({"id": "folders/1", "folder_id": "folders/9"})).await;
    assert_eq!((vendor.asked_for().as_str(), vendor.asked().json()), ("PUT /2.0/folders/1", json!({"parent": {"id": "9"}})));
    let error = refusal(&connection, "files.delete", json!({"id": "users/7"})).await;
    assert_eq!(error.kind(), ErrorKind::Invalid);
});

on_both!(a_search_goes_on_by_whole_pages, |database| async move {
    let vendor = Vendor::new(&database, "box").await;
    let connection = service_account(&vendor).await;
    vendor.says(&json!({"total_count": 3, "entries": [file("file", "1"), file("file", "2")], "limit": 2, "offset": 0}));
    let page = call(&connection, "files.list", json!({"search": "notes", "folder_id": "folders/5", "page_size": 2})).await;
    let asked = vendor.asked_for();
    assert!(asked.contains("ancestor_folder_ids=5") && asked.contains("offset=0") && asked.contains("query=notes"), "{asked}");
    vendor.says(&json!({"total_count": 3, "entries": [file("file", "3")], "limit": 2, "offset": 2}));
    let next = json!({"search": "notes", "folder_id": "folders/5", "page_size": 2, "cursor": page["next_cursor"]});
    let last = call(&connection, "files.list", next).await;
    assert!(vendor.asked_for().contains("offset=2"), "{}", vendor.asked_for());
    assert_eq!(last["next_cursor"], Value::Null);
});

on_both!(a_file_is_uploaded_as_a_form_and_read_through_a_redirect, |database| async move {
    let vendor = Vendor::new(&database, "box").await;
    let connection = service_account(&vendor).await;
    vendor.says(&json!({"total_count": 1, "entries": [file("file", "8")]}));
    let stored = call(&connection, "files.upload", json!({"name": "Notes", "content": "YWJj", "mime_type": "text/plain"})).await;
    let asked = vendor.asked();
    let form = text(&asked);
    let (attributes, content) = (form.find(r#"name="attributes""#).unwrap(), form.find(r#"name="file""#).unwrap());
    assert!(attributes < content && form.contains(r#""parent":{"id":"0"}"#), "{form}");
    assert!(form.contains("text/plain") && form.contains("\r\n\r\nabc\r\n"), "{form}");
    assert_eq!((asked.path.as_str(), &stored["id"]), ("/api/2.0/files/content", &json!("files/8")));

    vendor.answers(302, "location: https://dl.boxcloud.com/1/content?sig=x\r\n", "");
    vendor.answers(200, "", "abc");
    let read = call(&connection, "files.download", json!({"id": "files/8"})).await;
    let asked = vendor.asked();
    assert_eq!((&read["content"], asked.path.as_str()), (&json!("YWJj"), "/1/content?sig=x"));
    assert!(!asked.headers.contains_key("authorization"), "the address is the credential");

    vendor.answers(302, "location: https://evil.example.com/x\r\n", "");
    let error = refusal(&connection, "files.download", json!({"id": "files/8"})).await;
    assert_eq!(error.reason(), "host_not_allowed");
});

on_both!(an_app_with_a_key_pair_signs_as_its_service_account, |database| async move {
    let vendor = Vendor::new(&database, "box").await;
    let tokens = json!({"access_token": "b1", "token_type": "bearer", "expires_in": 3600});
    let who = json!({"type": "user", "id": "7", "name": "App", "login": "app@boxdevedition.com"});
    let key = private_key();
    let fields =
        [("client_id", "c"), ("client_secret", "s"), ("enterprise_id", "42"), ("key_id", "k1"), ("private_key", key.as_str())];
    vendor.connect("jwt", &fields, &[tokens, who]).await;
    let asked = vendor.receiver.received();
    let form: std::collections::HashMap<String, String> =
        url::form_urlencoded::parse(&asked[asked.len() - 2].body).into_owned().collect();
    assert_eq!((form["client_id"].as_str(), form["client_secret"].as_str()), ("c", "s"));
    let part = |at: usize| -> Value {
        let text = form["assertion"].split('.').nth(at).unwrap().to_owned();
        serde_json::from_slice(&base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, text).unwrap()).unwrap()
    };
    let (header, claims) = (part(0), part(1));
    assert_eq!((&header["kid"], &claims["sub"], &claims["box_sub_type"]), (&json!("k1"), &json!("42"), &json!("enterprise")));
    assert!(claims["exp"].as_i64().unwrap() <= chrono::Utc::now().timestamp() + 60 && claims["jti"].is_string());
});
