//! Make: <https://developers.make.com/api-documentation/api-reference/scenarios>.

use super::*;

pub(super) const MANIFEST: &str = include_str!("make.toml");

on_both!(the_scenarios_of_make_are_those_of_a_team_and_are_started_and_stopped, |database| async move {
    let stage = Stage::new(&database, MANIFEST, "", |asked| {
        let scenario = |id: i64| json!({
            "id": id, "name": "Invoices", "teamId": 5, "description": "", "folderId": null, "isActive": true, "isPaused": false, "isinvalid": false, "islocked": false,
            "lastEdit": "2026-11-01T06:18:18.851Z", "created": "2026-10-01T06:18:18.851Z", "nextExec": "2026-12-01T06:18:18.851Z",
            "scheduling": {"type": "indefinitely", "interval": 900}, "usedPackages": ["http"]
        });
        let paged = json!({"sortBy": "id", "sortDir": "asc", "limit": 2, "offset": 0});
        match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/api/v2/scenarios") if asked.query("pg[offset]") == Some("0") => reply(json!({"scenarios": [scenario(1), scenario(2)], "pg": paged})),
            ("GET", "/api/v2/scenarios") => reply(json!({"scenarios": [scenario(3)], "pg": paged})),
            ("GET", "/api/v2/scenarios/9") => reply(json!({"detail": "Not found", "message": "no", "code": "SC404"})).status(404),
            ("GET", "/api/v2/scenarios/8") => reply(json!({"detail": "Access denied", "message": "no", "code": "SC403"})).status(403),
            ("GET", _) => reply(json!({"scenario": scenario(1)})),
            (_, path) => reply(json!({"scenario": {"id": 1, "isActive": path.ends_with("/start")}})),
        }
    })
    .await;
    let automation = stage.connection.automation();
    let filter = ListWorkflows { folder_id: Some("5".into()), page_size: Some(2), ..Default::default() };
    let first = automation.list_workflows(filter.clone()).await.unwrap();
    assert_eq!((first.items[0].folder_id.as_deref(), first.items[0].is_enabled), (Some("5"), true));
    assert!(first.items[0].next_run_at > first.items[0].updated_at);
    let last = automation.list_workflows(ListWorkflows { cursor: first.next_cursor, ..filter }).await.unwrap();
    assert_eq!((last.items[0].id.as_str(), last.next_cursor), ("3", None));
    assert_eq!(automation.get_workflow("1".into()).await.unwrap().name.as_deref(), Some("Invoices"));
    assert!(automation.enable_workflow("1".into()).await.unwrap().is_enabled);
    assert!(!automation.disable_workflow("1".into()).await.unwrap().is_enabled);
    assert_eq!(stage.server.asked().pop().unwrap().path, "/api/v2/scenarios/1/stop");
    assert_eq!(automation.get_workflow("9".into()).await.unwrap_err().reason(), "not_found_at_provider");
    assert_eq!(automation.get_workflow("8".into()).await.unwrap_err().reason(), "forbidden_at_provider");
});

on_both!(a_scenario_of_make_is_run_and_its_runs_are_looked_up, |database| async move {
    let stage = Stage::new(&database, MANIFEST, "", |asked| {
        let log = json!({"imtId": "i1", "id": "cc1c", "duration": 1250, "operations": 3, "transfer": 900, "organizationId": 1, "teamId": 5, "type": "auto",
            "authorId": 1, "instant": false, "status": 3, "timestamp": "2026-11-01T06:18:18.851Z"});
        match asked.path.rsplit('/').next().unwrap() {
            "run" => reply(json!({"executionId": "cc1c"})),
            "logs" => reply(json!({"scenarioLogs": [log], "pg": {"limit": 50, "offset": 0}})),
            _ => reply(json!({ "scenarioLogs": log })),
        }
    })
    .await;
    let automation = stage.connection.automation();
    let run = NewAutomationRun { workflow_id: "1".into(), input: Some(Json(json!({"name": "Ada"}))) };
    let started = automation.start_run(run).await.unwrap();
    assert!(matches!(started.status, Some(AutomationRunStatus::Running)));
    assert_eq!((started.id.as_str(), started.workflow_id.as_deref()), ("cc1c", Some("1")));
    assert_eq!(stage.server.asked()[0].json(), json!({"data": {"name": "Ada"}, "responsive": false}));
    let filter = ListRuns { workflow_id: Some("1".into()), status: Some(AutomationRunStatus::Failed), ..Default::default() };
    let page = automation.list_runs(filter).await.unwrap();
    assert!(matches!(page.items[0].status, Some(AutomationRunStatus::Failed)) && page.next_cursor.is_none());
    assert_eq!(stage.server.asked().pop().unwrap().query("status"), Some("3"));
    let run = automation.get_run("cc1c".into(), Some("1".into())).await.unwrap();
    assert_eq!((run.duration_ms, run.trigger.as_deref()), (Some(1250), Some("auto")));
    assert_eq!(automation.get_run("cc1c".into(), None).await.unwrap_err().reason(), "missing_input");
});
