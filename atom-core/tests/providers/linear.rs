use super::*;

async fn ada(vendor: &Vendor) -> Connection {
    let organization = json!({"id": "o1", "name": "Acme", "urlKey": "acme"});
    let who = json!({"data": {"viewer": {"id": "u1", "name": "Ada", "email": "ada@example.com", "organization": organization}}});
    let connection = vendor.connect("api_key", &[("api_key", "lin_api_1")], &[who]).await;
    assert_eq!(vendor.asked().headers["authorization"], "lin_api_1");
    connection
}

on_both!(linear_issues_are_filtered_by_what_is_given, |database| async move {
    let vendor = Vendor::new(&database, "linear").await;
    let tasks = ada(&vendor).await.tasks();
    let issue = json!({"id": "i1", "title": "Engine", "priority": 1, "state": {"id": "s1", "type": "backlog"}, "assignee": null, "team": {"id": "t1"}, "labels": {"nodes": [{"name": "brass"}]}, "trashed": null});
    vendor.says(&json!({"data": {"issues": {"nodes": [issue], "pageInfo": {"hasNextPage": true, "endCursor": "c1"}}}}));
    let page = tasks
        .list(ListTasks { project_id: Some("t1".into()), status: Some(TaskStatus::Open), ..Default::default() })
        .await
        .unwrap();
    let asked = vendor.asked().json();
    let filter = json!({"team": {"id": {"eq": "t1"}}, "state": {"type": {"in": ["triage", "backlog", "unstarted"]}}});
    assert_eq!(asked["variables"], json!({"first": 50, "filter": filter}));
    assert!(asked["query"].as_str().unwrap().contains("fragment IssueFields"));
    let task = &page.items[0];
    assert_eq!(
        (task.status, task.priority, task.assignees.len(), task.deleted),
        (Some(TaskStatus::Open), Some(TaskPriority::Urgent), 0, false)
    );
    assert!(page.next_cursor.is_some());
});

on_both!(p28_linear_refuses_with_a_status_of_success_too, |database| async move {
    let vendor = Vendor::new(&database, "linear").await;
    let tasks = ada(&vendor).await.tasks();
    let error =
        |code: &str, text: &str| json!({"errors": [{"message": text, "extensions": {"code": code}}], "data": null}).to_string();
    vendor.answers(200, "", &error("INPUT_ERROR", "Entity not found: Issue"));
    assert_eq!(tasks.get("none".into()).await.err().unwrap().kind(), ErrorKind::NotFound);
    let reset = (chrono::Utc::now() + chrono::TimeDelta::hours(1)).timestamp_millis();
    vendor.answers(400, &format!("x-ratelimit-requests-reset: {reset}\r\n"), &error("RATELIMITED", "too many"));
    let limited = tasks.create(NewTask { title: "x".into(), ..Default::default() }).await.err().unwrap();
    assert_eq!((limited.kind(), limited.retry_after().is_some()), (ErrorKind::RateLimited, true));
});
