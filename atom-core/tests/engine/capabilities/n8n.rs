//! n8n: <https://docs.n8n.io/api/api-reference/>.

use super::*;

pub(super) const MANIFEST: &str = include_str!("n8n.toml");

on_both!(the_workflows_of_n8n_are_listed_by_a_cursor_and_switched, |database| async move {
    let stage = Stage::new(&database, MANIFEST, "", |asked| {
        let workflow = |id: &str, active: bool| json!({
            "id": id, "name": "Invoices", "active": active, "createdAt": "2026-10-01T08:00:00.000Z", "updatedAt": "2026-11-01T08:00:00.000Z", "isArchived": false,
            "versionId": "v1", "triggerCount": 1, "nodes": [], "connections": {}, "settings": {}, "staticData": null,
            "tags": [{"id": "t1", "name": "Production", "createdAt": "2026-10-01T08:00:00.000Z", "updatedAt": "2026-10-01T08:00:00.000Z"}],
            "shared": [{"role": "workflow:owner", "workflowId": id, "projectId": "p1"}]
        });
        match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/api/v1/workflows") if asked.query("cursor").is_none() => reply(json!({"data": [workflow("w1", true)], "nextCursor": "MTIz"})),
            ("GET", "/api/v1/workflows") => reply(json!({"data": [workflow("w2", true)], "nextCursor": null})),
            ("POST", path) => reply(workflow("w1", path.ends_with("/activate"))),
            ("GET", "/api/v1/workflows/w9") => reply(json!({"message": "Not Found"})).status(404),
            _ => reply(workflow("w1", false)),
        }
    })
    .await;
    let automation = stage.connection.automation();
    let filter = ListWorkflows { is_enabled: Some(true), search: Some("Inv".into()), ..Default::default() };
    let first = automation.list_workflows(filter.clone()).await.unwrap();
    let one = &first.items[0];
    assert_eq!(
        (one.is_enabled, one.tags.as_slice(), one.folder_id.as_deref()),
        (true, ["Production".to_owned()].as_slice(), Some("p1"))
    );
    let last = automation.list_workflows(ListWorkflows { cursor: first.next_cursor, ..filter }).await.unwrap();
    assert_eq!((last.items[0].id.as_str(), last.next_cursor), ("w2", None));
    let asked = stage.server.asked().pop().unwrap();
    assert_eq!((asked.query("active"), asked.query("name"), asked.query("cursor")), (Some("true"), Some("Inv"), Some("MTIz")));
    assert!(automation.enable_workflow("w1".into()).await.unwrap().is_enabled);
    assert!(!automation.disable_workflow("w1".into()).await.unwrap().is_enabled);
    assert_eq!(stage.server.asked().pop().unwrap().path, "/api/v1/workflows/w1/deactivate");
    assert!(!automation.get_workflow("w1".into()).await.unwrap().deleted);
    assert_eq!(automation.get_workflow("w9".into()).await.unwrap_err().reason(), "not_found_at_provider");
    let run = NewAutomationRun { workflow_id: "w1".into(), input: None };
    assert_eq!(automation.start_run(run).await.unwrap_err().reason(), "unsupported_operation");
});

on_both!(the_runs_of_a_workflow_of_n8n_say_how_they_went, |database| async move {
    let stage = Stage::new(&database, MANIFEST, "", |asked| {
        let run = json!({
            "id": 1000, "workflowId": 12, "finished": false, "mode": "webhook", "status": "error", "retryOf": null, "waitTill": null,
            "startedAt": "2026-11-01T08:00:00.000Z", "stoppedAt": "2026-11-01T08:00:02.000Z", "data": {"resultData": {"error": {"message": "no"}}}
        });
        if asked.path == "/api/v1/executions" { reply(json!({"data": [run], "nextCursor": "MTIz"})) } else { reply(run) }
    })
    .await;
    let automation = stage.connection.automation();
    let filter = ListRuns { workflow_id: Some("12".into()), status: Some(AutomationRunStatus::Failed), ..Default::default() };
    let page = automation.list_runs(filter).await.unwrap();
    let run = &page.items[0];
    assert!(matches!(run.status, Some(AutomationRunStatus::Failed)) && run.finished_at > run.started_at);
    assert_eq!((run.id.as_str(), run.workflow_id.as_deref(), page.next_cursor.is_some()), ("1000", Some("12"), true));
    assert_eq!(stage.server.asked()[0].query("status"), Some("error"));
    let run = automation.get_run("1000".into(), Some("12".into())).await.unwrap();
    assert_eq!(run.output.unwrap().0["error"]["message"], "no");
});
