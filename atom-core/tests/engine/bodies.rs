//! Every encoding of a body, and every kind of answer.

use super::server::{bytes as raw, json as reply, status};
use super::*;

fn operation(name: &str, rest: &str) -> String {
    format!(
        "[services.main.operations.\"{name}\"]\nvendor_op = \"{name}\"\npath = \"/do\"\neffect = \"once\"\nrecord = \"task\"\n{rest}\n"
    )
}

async fn sent(database: &Database, rest: &str, input: Value) -> Asked {
    let stage = Stage::new(database, "", &operation("tasks.create", rest), |_| reply(json!({"id": "1"}))).await;
    let record = stage.call("tasks.create", input).await.unwrap();
    assert_eq!(record["id"], "1");
    stage.server.asked().remove(0)
}

on_both!(a_json_document_is_the_record_with_more_on_top, |database| async move {
    let body = "body = { encoding = \"json\", record = \"task\", wrap = \"data\", json = { data = { project = { id = \"{project}\" } }, notify = false } }";
    let asked = sent(&database, body, json!({"title": "x", "project": 3})).await;
    assert_eq!(asked.json(), json!({"data": {"name": "x", "project": {"id": 3}}, "notify": false}));
    assert_eq!((asked.method.as_str(), asked.headers["content-type"].as_str()), ("POST", "application/json"));
    assert_eq!(asked.headers["accept"], "application/json");
});

on_both!(a_form_has_brackets, |database| async move {
    let body = "body = { encoding = \"form\", record = \"task\", json = { metadata = { who = \"{who}\" }, items = [{ price = \"{price}\" }] } }";
    let asked = sent(&database, body, json!({"title": "a&b", "who": "ü", "price": "p1"})).await;
    assert_eq!(asked.text(), "items%5B0%5D%5Bprice%5D=p1&metadata%5Bwho%5D=%C3%BC&name=a%26b");
    assert_eq!(asked.headers["content-type"], "application/x-www-form-urlencoded");
});

on_both!(graphql_is_a_document_of_fragments_with_variables, |database| async move {
    let operations = format!(
        "[services.main.fragments]\ntask = \"fragment t on Task {{ id name }}\"\n{}item = \"data.create.task\"\n",
        operation(
            "tasks.create",
            "body = { encoding = \"graphql\", document = [\"@task\", \"mutation($input: In!) { create(input: $input) { task { ...t } } }\"], variables = { input = { teamId = \"{team}\" } }, record = \"task\", under = \"input\" }"
        )
    );
    let stage =
        Stage::new(&database, "", &operations, |_| reply(json!({"data": {"create": {"task": {"id": "1", "name": "x"}}}}))).await;
    let record = stage.call("tasks.create", json!({"title": "x", "team": "t"})).await.unwrap();
    assert_eq!((&record["title"], &record["raw"]), (&json!("x"), &json!({"id": "1", "name": "x"})));
    let asked = stage.server.asked().remove(0).json();
    assert_eq!(asked["variables"], json!({"input": {"teamId": "t", "name": "x"}}));
    let query = asked["query"].as_str().unwrap();
    assert!(query.starts_with("fragment t on Task { id name }\nmutation"), "{query}");
});

on_both!(a_form_of_parts_and_bytes_as_they_are, |database| async move {
    let parts = "body = { encoding = \"multipart\", parts = [{ name = \"attributes\", json = { name = \"{name}\" } }, { name = \"note\", text = \"{note}\" }, { name = \"file\", content = true, filename = \"{name}\", content_type = \"{mime_type}\" }] }";
    let asked = sent(&database, parts, json!({"name": "a\"b.txt", "content": "aGVsbG8=", "mime_type": "text/plain"})).await;
    let boundary = asked.headers["content-type"].strip_prefix("multipart/form-data; boundary=").unwrap();
    let expected = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"attributes\"\r\ncontent-type: application/json\r\n\r\n{{\"name\":\"a\\\"b.txt\"}}\r\n\
         --{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a%22b.txt\"\r\ncontent-type: text/plain\r\n\r\nhello\r\n--{boundary}--\r\n"
    );
    assert_eq!(asked.text(), expected);

    let asked = sent(
        &database,
        "body = { encoding = \"bytes\", content_type = \"{mime_type}\" }",
        json!({"content": "AAH/", "mime_type": "image/png"}),
    );
    let asked = asked.await;
    assert_eq!((&asked.body[..], asked.headers["content-type"].as_str()), (&[0, 1, 255][..], "image/png"));
});

on_both!(content_that_is_no_base64_and_a_mime_type_that_ends_a_line_are_refused, |database| async move {
    let body = "body = { encoding = \"bytes\", content_type = \"{mime_type}\" }";
    let stage = Stage::new(&database, "", &operation("tasks.create", body), |_| reply(json!({}))).await;
    for (input, reason) in [
        (json!({"content": "%%%", "mime_type": "a/b"}), "malformed_content"),
        (json!({"content": "", "mime_type": "a/b\r\nx: y"}), "malformed_mime_type"),
    ] {
        assert_eq!(stage.refused("tasks.create", input).await.reason(), reason);
    }
    assert!(stage.server.asked().is_empty());
});

on_both!(answers_are_records_bytes_texts_or_nothing, |database| async move {
    let operations = [
        operation("files.download", "method = \"GET\"\nanswer = \"bytes\""),
        operation("files.text", "method = \"GET\"\nanswer = \"text\""),
        operation("files.delete", "method = \"DELETE\"\nanswer = \"none\""),
        operation("files.get", "method = \"GET\"\nitem = \"file\""),
    ]
    .concat();
    let stage = Stage::new(&database, "", &operations, |asked| match asked.method.as_str() {
        "DELETE" => Reply::status(raw(Vec::new()), 204),
        _ => raw(b"{\"file\":null}".to_vec()),
    });
    let stage = stage.await;
    assert_eq!(stage.call("files.download", json!({})).await.unwrap(), json!({"content": "eyJmaWxlIjpudWxsfQ=="}));
    assert_eq!(stage.call("files.text", json!({})).await.unwrap(), json!({"text": "{\"file\":null}"}));
    assert_eq!(stage.call("files.delete", json!({})).await.unwrap(), json!({}));
    let gone = stage.refused("files.get", json!({})).await;
    assert_eq!((gone.kind(), gone.reason()), (ErrorKind::NotFound, "not_found_at_provider"));
    let no_list = stage.connection.records("files.get".into(), Json(json!({}))).await.err().unwrap();
    assert_eq!(no_list.reason(), "no_list");
    assert_eq!(stage.connection.download("files.get".into(), Json(json!({}))).await.err().unwrap().reason(), "no_bytes");
});

on_both!(a_download_of_any_length_comes_piece_by_piece, |database| async move {
    let operations = [operation("files.download", "method = \"GET\"\nanswer = \"bytes\"")].concat();
    let stage = Stage::new(&database, "", &operations, |asked| match asked.query("x") {
        None => raw(vec![7; 1024 * 1024]).times(70, std::time::Duration::ZERO),
        Some(_) => status(404),
    });
    let stage = stage.await;
    let stream = stage.connection.download("files.download".into(), Json(json!({}))).await.unwrap();
    let mut length = 0;
    while let Some(piece) = stream.next().await.unwrap() {
        length += piece.0.len();
    }
    assert_eq!(length, 70 * 1024 * 1024, "more than fits in memory at once");
    assert!(stream.next().await.unwrap().is_none());
    let whole = stage.refused("files.download", json!({})).await;
    assert_eq!((whole.kind(), whole.reason()), (ErrorKind::Provider, "answer_too_large"));
});
