use super::*;

async fn ada(vendor: &Vendor) -> Connection {
    vendor.connect("personal_token", &[("token", "ghp_1")], &[json!({"id": 1, "login": "ada", "email": null})]).await
}

fn issue(number: i64, more: &Value) -> Value {
    let mut issue = json!({
        "url": format!("https://api.github.com/repos/ada/engine/issues/{number}"),
        "repository_url": "https://api.github.com/repos/ada/engine",
        "number": number, "title": "It stops", "state": "open", "labels": [{"name": "bug"}, {"name": "brass"}],
        "user": {"login": "ada"}, "assignees": [{"login": "bob"}], "created_at": "2026-11-21T08:00:00Z"
    });
    issue.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    issue
}

on_both!(issues_are_tasks_and_pull_requests_are_not, |database| async move {
    let vendor = Vendor::new(&database, "github").await;
    let connection = ada(&vendor).await;
    let closed = issue(3, &json!({"state": "closed", "state_reason": "not_planned"}));
    let answer = json!([issue(1, &json!({})), issue(2, &json!({"pull_request": {}})), closed]);
    let link = format!("link: <{}>; rel=\"next\"\r\n", "https://api.github.com/repositories/7/issues?page=2");
    vendor.answers(200, &link, &answer.to_string());
    let page = call(&connection, "tasks.list", json!({"project_id": "ada/engine", "assignee_id": "bob"})).await;
    assert_eq!(vendor.asked_for(), "GET /repos/ada/engine/issues?assignee=bob&per_page=100&state=all");
    let headers = vendor.asked().headers;
    assert_eq!((&*headers["accept"], &*headers["x-github-api-version"]), ("application/vnd.github+json", "2022-11-28"));
    let items = page["items"].as_array().unwrap();
    assert_eq!(
        items.iter().map(|i| (&i["id"], &i["status"])).collect::<Vec<_>>(),
        [(&json!("ada/engine/issues/1"), &json!("open")), (&json!("ada/engine/issues/3"), &json!("cancelled"))]
    );
    assert_eq!((&items[0]["project_id"], &items[0]["tags"]), (&json!("ada/engine"), &json!(["bug", "brass"])));
    assert_eq!(items[0]["assignees"][0]["id"], "bob");
    vendor.says(&json!([]));
    let next = json!({"project_id": "ada/engine", "assignee_id": "bob", "cursor": page["next_cursor"]});
    let last = call(&connection, "tasks.list", next).await;
    assert_eq!(vendor.asked_for(), "GET /repositories/7/issues?page=2");
    assert_eq!((&last["items"], &last["next_cursor"]), (&json!([]), &Value::Null));
});

on_both!(the_status_of_an_issue_is_a_state_with_its_reason, |database| async move {
    let vendor = Vendor::new(&database, "github").await;
    let connection = ada(&vendor).await;
    for (status, state, reason) in
        [("done", "closed", "completed"), ("cancelled", "closed", "not_planned"), ("open", "open", "reopened")]
    {
        vendor.says(&issue(1, &json!({})));
        call(&connection, "tasks.update", json!({"id": "ada/engine/issues/1", "status": status})).await;
        assert_eq!(vendor.asked().json(), json!({"state": state, "state_reason": reason}));
    }
    let asked = vendor.receiver.received().len();
    let error = refusal(&connection, "tasks.update", json!({"id": "ada/engine/issues/1", "status": "on_hold"})).await;
    assert_eq!((error.kind(), vendor.receiver.received().len()), (ErrorKind::Unsupported, asked));
});

on_both!(an_id_addresses_nothing_but_what_it_is_of, |database| async move {
    let vendor = Vendor::new(&database, "github").await;
    let connection = ada(&vendor).await;
    let asked = vendor.receiver.received().len();
    for (operation, input) in [
        ("tasks.get", json!({"id": "ada/engine"})),
        ("tasks.get", json!({"id": "ada/engine/issues/1/comments"})),
        ("tasks.get", json!({"id": "../user/issues/1"})),
        ("code.get_pull_request", json!({"id": "ada/engine/issues/1"})),
        ("code.create_release", json!({"repository_id": "ada", "tag": "v1"})),
    ] {
        let error = refusal(&connection, operation, input.clone()).await;
        assert_eq!(error.kind(), ErrorKind::Invalid, "{operation} {input}");
    }
    assert_eq!(vendor.receiver.received().len(), asked, "nothing was sent");
});

on_both!(a_limit_is_told_from_a_refusal_by_its_text, |database| async move {
    let vendor = Vendor::new(&database, "github").await;
    let connection = ada(&vendor).await;
    vendor.answers(403, "", &json!({"message": "Resource not accessible by personal access token"}).to_string());
    let error = refusal(&connection, "code.get_repository", json!({"id": "ada/engine"})).await;
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    let said = json!({"message": "You have exceeded a secondary rate limit. Please wait"}).to_string();
    vendor.answers(403, "retry-after: 60\r\n", &said);
    let error = refusal(&connection, "code.get_repository", json!({"id": "ada/engine"})).await;
    assert_eq!((error.kind(), error.retry_after().map(|wait| wait.as_secs())), (ErrorKind::RateLimited, Some(60)));
});
