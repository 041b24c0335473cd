use super::*;

async fn bot(vendor: &Vendor) -> Connection {
    let who =
        json!({"object": "user", "id": "b1", "type": "bot", "bot": {"owner": {"type": "workspace"}, "workspace_name": "Acme"}});
    vendor.connect("integration_token", &[("token", "ntn_1")], &[who]).await
}

fn page(property: &str) -> Value {
    let title = json!({"id": "title", "type": "title", "title": [{"plain_text": "Ada's "}, {"plain_text": "notes"}]});
    json!({
        "object": "page", "id": "p1", "parent": {"type": "page_id", "page_id": "p0"}, "archived": false, "in_trash": false,
        "properties": {"Done": {"id": "x", "type": "checkbox", "checkbox": true}, property: title}, "url": "https://www.notion.so/p1"
    })
}

on_both!(a_title_is_found_whatever_its_property_is_called, |database| async move {
    let vendor = Vendor::new(&database, "notion").await;
    let connection = bot(&vendor).await;
    vendor.says(&json!({"object": "list", "results": [page("title"), page("Name")], "has_more": true, "next_cursor": "c2"}));
    let listed = call(&connection, "documents.list", json!({"search": "notes"})).await;
    let asked = vendor.asked();
    assert_eq!(asked.json(), json!({"query": "notes", "filter": {"property": "object", "value": "page"}}));
    assert_eq!(asked.headers["notion-version"], "2025-09-03");
    for item in listed["items"].as_array().unwrap() {
        assert_eq!((&item["title"], &item["parent_id"]), (&json!("Ada's notes"), &json!("p0")));
    }
    assert!(listed["next_cursor"].is_string());
});

on_both!(a_page_is_written_with_its_title_and_its_paragraphs, |database| async move {
    let vendor = Vendor::new(&database, "notion").await;
    let connection = bot(&vendor).await;
    let title = |text: &str| json!({"title": {"title": [{"type": "text", "text": {"content": text}}]}});
    let paragraph =
        |text: &str| json!({"type": "paragraph", "paragraph": {"rich_text": [{"type": "text", "text": {"content": text}}]}});
    vendor.says(&page("title"));
    call(&connection, "documents.create", json!({"title": "Notes", "text": "one\ntwo", "parent_id": "p0"})).await;
    let written =
        json!({"parent": {"page_id": "p0"}, "properties": title("Notes"), "children": [paragraph("one"), paragraph("two")]});
    assert_eq!(vendor.asked().json(), written);

    vendor.says(&page("title"));
    call(&connection, "documents.update", json!({"id": "p1", "title": "More notes"})).await;
    assert_eq!(
        (vendor.asked_for().as_str(), vendor.asked().json()),
        ("PATCH /v1/pages/p1", json!({"properties": title("More notes")}))
    );

    vendor.says(&json!({"object": "list", "results": []}));
    call(&connection, "documents.append", json!({"id": "p1", "text": "three"})).await;
    let asked = vendor.asked();
    assert_eq!(
        (vendor.asked_for().as_str(), asked.json()),
        ("PATCH /v1/blocks/p1/children", json!({"children": [paragraph("three")]}))
    );
});

on_both!(the_text_of_a_page_comes_from_the_newer_version, |database| async move {
    let vendor = Vendor::new(&database, "notion").await;
    let connection = bot(&vendor).await;
    vendor.says(&json!({"object": "page_markdown", "id": "p1", "markdown": "# Notes\n", "truncated": false}));
    let read = call(&connection, "documents.get_text", json!({"id": "p1"})).await;
    assert_eq!((&read["text"], &*vendor.asked().headers["notion-version"]), (&json!("# Notes\n"), "2026-03-11"));
});
