//! Every way that vendors cut a list into pages, read to its end.

use super::server::json as reply;
use super::*;

/// How many tasks the vendor has, and how many are on a page.
const ALL: usize = 7;
const SIZE: usize = 3;

fn all() -> Vec<String> {
    (0..ALL).map(|n| format!("t{n}")).collect()
}

fn list(rest: &str) -> String {
    format!(
        "[services.main.operations.\"tasks.list\"]\nvendor_op = \"list\"\npath = \"/tasks\"\neffect = \"read\"\nrecord = \"task\"\nitems = \"items\"\ndefaults = {{ page_size = {SIZE} }}\n{rest}"
    )
}

/// The tasks from one on, as many as fit on a page.
fn from(start: usize) -> Vec<Value> {
    tasks(start..(start + SIZE).min(ALL))
}

on_both!(a_cursor_in_the_answer, |database| async move {
    let operation =
        list("query = { limit = \"{page_size}\", after = \"{cursor}\" }\npages = { by = \"cursor\", next = \"meta.next\" }");
    let stage = Stage::new(&database, "", &operation, |asked| {
        let start = asked.query("after").map_or(0, |after| after.trim_start_matches("c-").parse().unwrap());
        let next = if start + SIZE < ALL { json!(format!("c-{}", start + SIZE)) } else { json!("") };
        reply(json!({"items": from(start), "meta": {"next": next}}))
    });
    let stage = stage.await;
    assert_eq!(stage.ids("tasks.list", json!({})).await, all());
    let page = stage.call("tasks.list", json!({})).await.unwrap();
    assert_eq!(
        page["items"][0],
        json!({"id": "t0", "title": "Task 0", "provider": "stage", "raw": {"id": "t0", "name": "Task 0"}})
    );
    assert!(!page["next_cursor"].as_str().unwrap().contains("c-3"), "the vendor's cursor is not the caller's");
});

on_both!(a_cursor_that_goes_on_only_where_the_answer_says_so, |database| async move {
    let operation = list(
        "pages = { by = \"cursor\", next = \"end\", more = { path = \"has_more\", equals = true } }\nquery = { after = \"{cursor}\" }",
    );
    let stage = Stage::new(&database, "", &operation, |asked| {
        let start = asked.number("after", 0);
        reply(json!({"items": from(start), "end": start + SIZE, "has_more": start + SIZE < ALL}))
    });
    assert_eq!(stage.await.ids("tasks.list", json!({})).await, all());
});

on_both!(a_link_in_the_header, |database| async move {
    let operation = list("pages = { by = \"link\" }\nquery = { per_page = \"{page_size}\" }");
    let stage = Stage::new(&database, "", &operation, |asked| {
        let start = asked.number("from", 0);
        let answer = reply(json!({"items": from(start)}));
        // Relative to where the request went, as the RFC lets it.
        if start + SIZE < ALL { answer.with("link", format!("</tasks?from={}>; rel=\"next\"", start + SIZE)) } else { answer }
    });
    let stage = stage.await;
    assert_eq!(stage.ids("tasks.list", json!({})).await, all());
    let asked = stage.server.asked();
    assert_eq!(
        (asked[0].query("per_page"), asked[1].query("per_page")),
        (Some("3"), None),
        "the vendor's address is used as it is"
    );
    assert!(asked.iter().all(|asked| asked.headers["x-key"] == "k"));
});

on_both!(a_url_in_the_answer_and_one_that_leads_elsewhere_is_not_followed, |database| async move {
    let (elsewhere, url) =
        (Server::start(|_| reply(json!({"items": []}))).await, std::sync::Arc::new(std::sync::Mutex::new(String::new())));
    let known = url.clone();
    let operation = list("pages = { by = \"url\", next = '\"@odata.nextLink\"' }\nquery = { top = \"{page_size}\" }");
    let stage = Stage::new(&database, "", &operation, move |asked| {
        let start = asked.number("from", 0);
        let next = format!("{}/tasks?from={}", known.lock().unwrap(), start + SIZE);
        let next = if start + SIZE < ALL { json!(next) } else { Value::Null };
        reply(json!({"items": from(start), "@odata.nextLink": next}))
    });
    let stage = stage.await;
    url.lock().unwrap().clone_from(&stage.server.url);
    assert_eq!(stage.ids("tasks.list", json!({})).await, all());

    for foreign in ["https://evil.example", "http://user@127.0.0.1:1", &elsewhere.url.replace("127.0.0.1", "localhost")] {
        *url.lock().unwrap() = foreign.to_owned();
        let cursor = stage.call("tasks.list", json!({})).await.unwrap()["next_cursor"].clone();
        let error = stage.refused("tasks.list", json!({ "cursor": cursor })).await;
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Invalid, "host_not_allowed"), "{foreign}");
    }
    assert!(elsewhere.asked().is_empty(), "the key stayed here");
});

on_both!(an_offset_by_items_to_a_total, |database| async move {
    let operation =
        list("pages = { by = \"offset\", total = \"total\" }\nquery = { offset = \"{offset}\", limit = \"{page_size}\" }");
    let stage =
        Stage::new(&database, "", &operation, |asked| reply(json!({"items": from(asked.number("offset", 99)), "total": ALL})))
            .await;
    assert_eq!(stage.ids("tasks.list", json!({})).await, all());
    let offsets: Vec<_> = stage.server.asked().iter().map(|asked| asked.number("offset", 99)).collect();
    assert_eq!(offsets, [0, 3, 6]);
});

on_both!(an_offset_by_page_size_until_a_page_is_not_full, |database| async move {
    let operation = list(
        "pages = { by = \"offset\", step = \"page_size\", start = 1 }\nquery = { start = \"{offset}\", max = \"{page_size}\" }",
    );
    let stage = Stage::new(&database, "", &operation, |asked| reply(json!({"items": from(asked.number("start", 99) - 1)}))).await;
    assert_eq!(stage.ids("tasks.list", json!({})).await, all());
    assert_eq!(stage.server.asked().len(), 3, "the last page was not full, so nobody asked for another");
});

on_both!(pages_by_number_to_the_last, |database| async move {
    let operation =
        list("pages = { by = \"page\", pages = \"meta.pages\" }\nquery = { page = \"{page}\", per_page = \"{page_size}\" }");
    let stage = Stage::new(&database, "", &operation, |asked| {
        reply(json!({"items": from((asked.number("page", 99) - 1) * SIZE), "meta": {"pages": 3}}))
    });
    let stage = stage.await;
    assert_eq!(stage.ids("tasks.list", json!({})).await, all());
    assert_eq!(stage.server.asked().len(), 3);
});

on_both!(the_key_of_the_last_item, |database| async move {
    let operation = list(
        "pages = { by = \"last\", key = \"id\", more = { path = \"has_more\", equals = true } }\nquery = { starting_after = \"{cursor}\" }",
    );
    let stage = Stage::new(&database, "", &operation, |asked| {
        let start = asked.query("starting_after").map_or(0, |id| id[1..].parse::<usize>().unwrap() + 1);
        reply(json!({"items": from(start), "has_more": start + SIZE < ALL}))
    });
    assert_eq!(stage.await.ids("tasks.list", json!({})).await, all());
});

on_both!(a_page_that_is_followed_by_itself_is_an_error_and_no_endless_list, |database| async move {
    let operation = list("pages = { by = \"cursor\", next = \"next\" }\nquery = { after = \"{cursor}\" }");
    let stage = Stage::new(&database, "", &operation, |_| reply(json!({"items": tasks([1]), "next": "same"}))).await;
    let stream = stage.connection.records("tasks.list".into(), Json(json!({}))).await.unwrap();
    assert!(stream.next().await.unwrap().is_some());
    assert_eq!(stream.next().await.err().unwrap().reason(), "answer_malformed");
});

on_both!(a_cursor_is_bound_to_its_operation_and_no_other_text_is_one, |database| async move {
    let pages = "pages = { by = \"cursor\", next = \"next\" }\nquery = { after = \"{cursor}\" }\n";
    let both = format!("{}{}", list(pages), list(pages).replace("tasks.list", "tasks.list_more"));
    let stage = Stage::new(&database, "", &both, |_| reply(json!({"items": tasks([1]), "next": "n"}))).await;
    let cursor = stage.call("tasks.list", json!({})).await.unwrap()["next_cursor"].clone();
    for (operation, cursor) in
        [("tasks.list_more", cursor), ("tasks.list", json!("n")), ("tasks.list", json!(3)), ("tasks.list", json!(""))]
    {
        let error = stage.refused(operation, json!({ "cursor": cursor })).await;
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Invalid, "malformed_cursor"));
    }
});

on_both!(the_last_number_that_there_is_has_no_page_after_it, |database| async move {
    let operation = list("pages = { by = \"page\" }\nquery = { page = \"{page}\", per_page = \"{page_size}\" }");
    let stage = Stage::new(&database, "", &operation, |_| reply(json!({"items": from(0)}))).await;
    // `{"o":"tasks.list","a":{"n":9223372036854775807}}`: a cursor is no secret, and anybody can make one up.
    let cursor = "eyJvIjoidGFza3MubGlzdCIsImEiOnsibiI6OTIyMzM3MjAzNjg1NDc3NTgwN319";
    let page = stage.call("tasks.list", json!({ "cursor": cursor })).await.unwrap();
    assert_eq!((page["items"].as_array().unwrap().len(), &page["next_cursor"]), (SIZE, &Value::Null));
});

on_both!(items_that_are_not_meant_are_left_out, |database| async move {
    let operation = list("items_where = { not = { path = \"kind\", equals = \"folder\" } }");
    let stage = Stage::new(&database, "", &operation, |_| {
        reply(json!({"items": [{"id": "a"}, {"id": "b", "kind": "folder"}, {"id": "c", "kind": "file"}]}))
    });
    assert_eq!(stage.await.ids("tasks.list", json!({})).await, ["a", "c"]);
});

on_both!(a_list_of_ids_is_fetched_and_a_document_that_is_the_list_is_read, |database| async move {
    let operations = r#"
[services.main.operations."tasks.list"]
vendor_op = "list"
path = "/boards/{board}/tasks"
effect = "read"
items = ""
fetch = "tasks.get"
[services.main.operations."tasks.get"]
vendor_op = "get"
path = "/boards/{board}/tasks/{id}"
effect = "read"
record = "task"
item = "data"
"#;
    let stage = Stage::new(&database, "", operations, |asked| match asked.path.as_str() {
        "/boards/b/tasks" => reply(json!(["x", {"id": "y"}])),
        path => reply(json!({"data": [{"id": path.rsplit('/').next(), "name": "named"}]})),
    });
    let stage = stage.await;
    let page = stage.call("tasks.list", json!({"board": "b"})).await.unwrap();
    assert_eq!(page["items"][0]["title"], "named");
    assert_eq!(
        (page["items"].as_array().unwrap().len(), &page["items"][1]["id"], &page["next_cursor"]),
        (2, &json!("y"), &Value::Null)
    );
});
