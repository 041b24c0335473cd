use super::*;

async fn ada(vendor: &Vendor) -> Connection {
    let who =
        json!({"data": {"gid": "1", "email": "ada@example.com", "name": "Ada", "workspaces": [{"gid": "90", "name": "Acme"}]}});
    vendor.connect("personal_token", &[("token", "1/2:3")], &[who]).await
}

on_both!(asana_tasks_come_out_of_an_envelope_and_dates_become_moments, |database| async move {
    let vendor = Vendor::new(&database, "asana").await;
    let connection = ada(&vendor).await;
    let task = json!({
        "gid": "7", "name": "Engine", "completed": false, "due_on": "2026-12-01", "due_at": null, "assignee": {"gid": "1", "name": "Ada"},
        "projects": [{"gid": "5"}], "tags": [{"gid": "8", "name": "brass"}], "created_at": "2026-11-21T08:00:00.000Z"
    });
    vendor.says(&json!({"data": [task], "next_page": {"offset": "o2", "path": "/x", "uri": "https://app.asana.com/x"}}));
    let page = connection.tasks().list(ListTasks { status: Some(TaskStatus::Open), ..Default::default() }).await.unwrap();
    let asked = vendor.asked_for();
    for part in ["/api/1.0/tasks?", "workspace=90", "assignee=me", "completed_since=now", "limit=100"] {
        assert!(asked.contains(part), "{part}: {asked}");
    }
    let task = &page.items[0];
    assert_eq!((task.status, task.due_at), (Some(TaskStatus::Open), Some("2026-12-01T00:00:00Z".parse().unwrap())));
    assert_eq!(
        (task.assignees[0].name.as_deref(), task.project_id.as_deref(), &task.tags[..]),
        (Some("Ada"), Some("5"), &["brass".to_owned()][..])
    );
    assert!(page.next_cursor.is_some());
});

on_both!(an_asana_task_is_created_in_a_project_or_else_in_the_workspace, |database| async move {
    let vendor = Vendor::new(&database, "asana").await;
    let tasks = ada(&vendor).await.tasks();
    for (project_id, place) in [(None, json!({"workspace": "90"})), (Some("5".to_owned()), json!({"projects": ["5"]}))] {
        vendor.says(&json!({"data": {"gid": "7"}}));
        vendor.says(&json!({"data": {"gid": "7", "name": "Engine", "completed": true}}));
        let new = NewTask {
            title: "Engine".into(),
            status: Some(TaskStatus::Done),
            project_id,
            assignee_ids: Some(vec!["1".into()]),
            ..Default::default()
        };
        assert_eq!(tasks.create(new).await.unwrap().status, Some(TaskStatus::Done));
        let written = vendor.receiver.received().iter().rev().nth(1).unwrap().json()["data"].clone();
        assert_eq!((&written["completed"], &written["assignee"]), (&json!(true), &json!("1")));
        for (name, value) in place.as_object().unwrap() {
            assert_eq!(&written[name], value);
        }
    }
});
