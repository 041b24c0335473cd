use super::*;

on_both!(trello_cards_lie_in_lists_and_pages_end_before_the_last_card, |database| async move {
    let vendor = Vendor::new(&database, "trello").await;
    let who = json!({"id": "m1", "fullName": "Ada", "username": "ada", "email": "ada@example.com"});
    let (key, token) = ("0123456789abcdef0123456789abcdef", "a".repeat(64));
    let tasks = vendor.connect("api_token", &[("key", key), ("token", token.as_str())], &[who]).await.tasks();
    assert_eq!(vendor.asked().headers["authorization"], format!("OAuth oauth_consumer_key=\"{key}\", oauth_token=\"{token}\""));
    let card = json!({"id": "c2", "name": "Engine", "dueComplete": true, "idList": "l1", "idBoard": "b1", "members": [{"id": "m1", "fullName": "Ada"}], "labels": [{"name": "brass"}], "closed": false});
    vendor.says(&json!([card]));
    let filter = ListTasks { project_id: Some("b1".into()), page_size: Some(1), ..Default::default() };
    let page = tasks.list(filter.clone()).await.unwrap();
    let task = &page.items[0];
    assert_eq!(
        (task.status, task.provider_status.as_deref(), task.assignees[0].name.as_deref()),
        (Some(TaskStatus::Done), Some("l1"), Some("Ada"))
    );
    vendor.says(&json!([]));
    tasks.list(ListTasks { cursor: page.next_cursor, ..filter }).await.unwrap();
    assert!(vendor.asked_for().contains("before=c2"), "{}", vendor.asked_for());

    vendor.says(&card);
    let moved = TaskPatch { provider_status: Some("l2".into()), status: Some(TaskStatus::Open), ..Default::default() };
    tasks.update("c2".into(), moved).await.unwrap();
    assert_eq!(
        (vendor.asked_for().as_str(), vendor.asked().json()),
        ("PUT /1/cards/c2", json!({"idList": "l2", "dueComplete": false}))
    );
});
