use super::*;

async fn ada(vendor: &Vendor) -> Connection {
    let tokens = json!({"access_token": "sl.1", "token_type": "bearer", "expires_in": 14400, "refresh_token": "r1", "scope": "files.content.read"});
    let who = json!({"account_id": "dbid:1", "email": "ada@example.com", "name": {"display_name": "Ada"}, "root_info": {"root_namespace_id": "3"}});
    let (connection, url) = vendor.consent(&[tokens, who]).await;
    assert!(url.contains("token_access_type=offline"), "{url}");
    connection
}

fn file(path: &str) -> Value {
    let name = path.rsplit('/').next().unwrap();
    json!({".tag": "file", "id": "id:1", "name": name, "path_display": path, "path_lower": path.to_lowercase(), "rev": "a1c10ce0dd78",
        "size": 3, "server_modified": "2026-11-21T08:00:00Z", "content_hash": "e3b0"})
}

on_both!(a_folder_is_read_to_its_end_by_another_method, |database| async move {
    let vendor = Vendor::new(&database, "dropbox").await;
    let connection = ada(&vendor).await;
    let folder = json!({".tag": "folder", "id": "id:2", "name": "Math", "path_display": "/Math", "path_lower": "/math"});
    vendor.says(&json!({"entries": [folder, file("/Notes.txt")], "cursor": "c1", "has_more": true}));
    let page = call(&connection, "files.list", json!({"folder_id": ""})).await;
    assert_eq!(
        (vendor.asked_for().as_str(), vendor.asked().json()),
        ("POST /2/files/list_folder", json!({"path": "", "limit": 500}))
    );
    let items = page["items"].as_array().unwrap();
    assert_eq!(
        items.iter().map(|i| (&i["id"], &i["is_folder"], &i["folder_id"])).collect::<Vec<_>>(),
        [(&json!("/Math"), &json!(true), &json!("")), (&json!("/Notes.txt"), &json!(false), &json!(""))]
    );
    vendor.says(&json!({"entries": [file("/Z.txt")], "cursor": "c2", "has_more": false}));
    let last = call(&connection, "files.list", json!({"folder_id": "", "cursor": page["next_cursor"]})).await;
    assert_eq!(
        (vendor.asked_for().as_str(), vendor.asked().json()),
        ("POST /2/files/list_folder/continue", json!({"cursor": "c1"}))
    );
    assert_eq!((&last["items"][0]["name"], &last["next_cursor"]), (&json!("Z.txt"), &Value::Null));
});

on_both!(what_is_found_stands_deep_in_a_match, |database| async move {
    let vendor = Vendor::new(&database, "dropbox").await;
    let connection = ada(&vendor).await;
    let found = json!({"metadata": {".tag": "metadata", "metadata": file("/Math/Primes.txt")}});
    vendor.says(&json!({"matches": [found], "has_more": false}));
    let page = call(&connection, "files.list", json!({"search": "primes", "folder_id": "/Math"})).await;
    assert_eq!(vendor.asked().json(), json!({"query": "primes", "options": {"path": "/Math"}}));
    assert_eq!((&page["items"][0]["id"], &page["items"][0]["folder_id"]), (&json!("/Math/Primes.txt"), &json!("/Math")));
});

on_both!(content_goes_with_its_argument_in_a_header, |database| async move {
    let vendor = Vendor::new(&database, "dropbox").await;
    let connection = ada(&vendor).await;
    vendor.says(&file("/Größe.txt"));
    let input = json!({"name": "Größe \"1\".txt", "content": "YWJj", "mime_type": "text/plain", "folder_id": ""});
    call(&connection, "files.upload", input).await;
    let asked = vendor.asked();
    let argument = &asked.headers["dropbox-api-arg"];
    assert!(argument.is_ascii(), "{argument}");
    let argument: Value = serde_json::from_str(argument).unwrap();
    assert_eq!(argument, json!({"path": "/Größe \"1\".txt", "mode": "add", "autorename": true}));
    assert_eq!((asked.body.as_slice(), &*asked.headers["content-type"]), (&b"abc"[..], "application/octet-stream"));

    vendor.answers(200, "", "abc");
    let read = call(&connection, "files.download", json!({"id": "/a.txt"})).await;
    assert_eq!((&read["content"], &*vendor.asked().headers["dropbox-api-arg"]), (&json!("YWJj"), r#"{"path":"/a.txt"}"#));
});

on_both!(a_file_is_renamed_or_moved_along_its_path, |database| async move {
    let vendor = Vendor::new(&database, "dropbox").await;
    let connection = ada(&vendor).await;
    for (change, to) in [
        (json!({"name": "b.txt"}), "/Math/b.txt"),
        (json!({"folder_id": "/Art"}), "/Art/a.txt"),
        (json!({"folder_id": "", "name": "b.txt"}), "/b.txt"),
    ] {
        vendor.says(&json!({"metadata": file(to)}));
        let mut input = change.clone();
        input["id"] = json!("/Math/a.txt");
        let moved = call(&connection, "files.update", input).await;
        assert_eq!(vendor.asked().json(), json!({"from_path": "/Math/a.txt", "to_path": to}));
        assert_eq!(moved["id"], to);
    }
});

on_both!(a_409_says_in_a_union_what_it_means, |database| async move {
    let vendor = Vendor::new(&database, "dropbox").await;
    let connection = ada(&vendor).await;
    for (error, kind) in [
        (json!({".tag": "path", "path": {".tag": "not_found"}}), ErrorKind::NotFound),
        (json!({".tag": "path_lookup", "path_lookup": {".tag": "not_found"}}), ErrorKind::NotFound),
        (json!({".tag": "to", "to": {".tag": "conflict", "conflict": {".tag": "file"}}}), ErrorKind::Conflict),
        (json!({".tag": "path", "reason": {".tag": "insufficient_space"}}), ErrorKind::Forbidden),
        (json!({".tag": "path", "path": {".tag": "malformed_path"}}), ErrorKind::Invalid),
    ] {
        vendor.answers(409, "", &json!({"error_summary": "…", "error": error}).to_string());
        let refused = refusal(&connection, "files.get", json!({"id": "/a.txt"})).await;
        assert_eq!(refused.kind(), kind, "{error}");
    }
});
