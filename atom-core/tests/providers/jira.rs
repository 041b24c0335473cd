use super::*;

const CLOUD: &str = "11223344-a1b2-3b33-c444-def123456789";

async fn ada(vendor: &Vendor) -> Connection {
    let who = json!({"accountId": "5b10", "emailAddress": "ada@example.com", "displayName": "Ada"});
    let connection =
        vendor.connect("api_token", &[("email", "ada@example.com"), ("token", "t"), ("cloud_id", CLOUD)], &[who]).await;
    assert_eq!(vendor.asked_for(), format!("GET /ex/jira/{CLOUD}/rest/api/3/myself"));
    connection
}

on_both!(jira_issues_are_asked_for_in_its_language_and_read_out_of_its_documents, |database| async move {
    let vendor = Vendor::new(&database, "jira").await;
    let tasks = ada(&vendor).await.tasks();
    let paragraph = json!({"type": "paragraph", "content": [{"type": "text", "text": "of brass"}]});
    let fields = json!({
        "summary": "Engine", "description": {"type": "doc", "version": 1, "content": [paragraph]},
        "status": {"name": "Doing", "statusCategory": {"key": "indeterminate"}}, "priority": {"name": "Highest"},
        "assignee": {"accountId": "5b10", "displayName": "Ada"}, "created": "2026-11-21T09:00:00.000+0100", "duedate": "2026-12-01"
    });
    vendor.says(&json!({"issues": [{"id": "1", "key": "E-1", "fields": fields}], "isLast": true}));
    let filter = ListTasks {
        project_id: Some("10000".into()),
        status: Some(TaskStatus::InProgress),
        search: Some("a \"b\"".into()),
        ..Default::default()
    };
    let page = tasks.list(filter).await.unwrap();
    let asked = vendor.asked().path;
    let url = format!("http://x{asked}");
    let query: Vec<_> = url.split_once('?').unwrap().1.split('&').filter(|pair| pair.starts_with("jql=")).collect();
    let jql = query[0]
        .replace('+', " ")
        .replace("%20", " ")
        .replace("%22", "\"")
        .replace("%3E", ">")
        .replace("%3D", "=")
        .replace("%5C", "\\")
        .replace("%7E", "~");
    assert_eq!(
        jql,
        r#"jql=created >= "2000-01-01" AND project = "10000" AND statusCategory = "In Progress" AND text ~ "a \"b\"""#
    );
    let task = &page.items[0];
    assert_eq!(
        (task.description.as_deref(), task.status, task.priority),
        (Some("of brass"), Some(TaskStatus::InProgress), Some(TaskPriority::Urgent))
    );
    assert_eq!(
        (task.created_at, task.due_at),
        (Some("2026-11-21T08:00:00Z".parse().unwrap()), Some("2026-12-01T00:00:00Z".parse().unwrap()))
    );
    assert_eq!(page.next_cursor, None);
});

on_both!(a_jira_issue_is_changed_and_read_again, |database| async move {
    let vendor = Vendor::new(&database, "jira").await;
    let tasks = ada(&vendor).await.tasks();
    vendor.answers(204, "", "");
    vendor.says(&json!({"id": "1", "key": "E-1", "fields": {"summary": "Two engines"}}));
    let changes = TaskPatch { title: Some("Two engines".into()), priority: Some(TaskPriority::Low), ..Default::default() };
    assert_eq!(tasks.update("1".into(), changes).await.unwrap().title, "Two engines");
    let written = vendor.receiver.received().iter().rev().nth(1).unwrap().json();
    assert_eq!(written, json!({"fields": {"summary": "Two engines", "priority": {"name": "Low"}}}));
    let done = TaskPatch { status: Some(TaskStatus::Done), ..Default::default() };
    assert_eq!(
        tasks.update("1".into(), done).await.err().unwrap().reason(),
        "unsupported_input",
        "a state is changed by a transition"
    );
});
