//! Capabilities that no built-in provider has yet, read from the answers of vendors.

use super::server::json as reply;
use super::*;

/// Figma: <https://github.com/figma/rest-api-spec>.
const FIGMA: &str = r#"
[services.main.records.comment]
id = "id"
file_id = "file_key"
text = "message"
parent_id = "parent_id"
node_id = "client_meta.node_id"
created_at = { path = "created_at", as = "datetime" }
resolved_at = { path = "resolved_at", as = "datetime" }

[services.main.records.export]
urls = { path = "images", as = "values" }

[services.main.operations."design.list_comments"]
vendor_op = "getComments"
path = "/files/{file_id}/comments"
effect = "read"
items = "comments"
record = "comment"

[services.main.operations."design.export"]
vendor_op = "getImages"
path = "/images/{file_id}"
effect = "read"
query = { ids = "{node_id}", format = "{format}", scale = "{scale}" }
record = "export"
"#;

on_both!(a_design_of_figma_is_rendered_and_its_comments_are_read, |database| async move {
    let stage = Stage::new(&database, "", FIGMA, |asked| match asked.path.as_str() {
        "/images/f1" => reply(json!({"err": null, "images": {"1:2": "https://images.example/a.png", "1:3": null}})),
        _ => reply(json!({"comments": [{
            "id": "77", "file_key": "f1", "parent_id": "", "message": "Larger", "created_at": "2026-11-01T08:00:00Z", "resolved_at": null,
            "order_id": "3", "client_meta": {"node_id": "1:2", "node_offset": {"x": 1, "y": 2}}, "user": {"id": "9", "handle": "Ada"}
        }]})),
    })
    .await;
    let design = stage.connection.design();
    let frame = NewDesignExport { file_id: "f1".into(), node_id: Some("1:2".into()), ..Default::default() };
    assert_eq!(design.render(frame).await.unwrap().urls, ["https://images.example/a.png"], "a part that failed has no address");
    let listed = design.list_comments(ListDesignComments { file_id: "f1".into(), ..Default::default() }).await.unwrap();
    let comment = &listed.items[0];
    assert_eq!((comment.text.as_deref(), comment.node_id.as_deref()), (Some("Larger"), Some("1:2")));
    assert!(comment.created_at.is_some() && comment.resolved_at.is_none());
});

/// n8n: <https://docs.n8n.io/connect/n8n-api/executions>.
const N8N: &str = r#"
[services.main.records.run]
id = { template = "{id}" }
workflow_id = { template = "{workflowId}" }
status = { path = "status", enum = { success = "succeeded", error = "failed", crashed = "failed", running = "running", waiting = "waiting", canceled = "cancelled" } }
trigger = "mode"
started_at = { path = "startedAt", as = "datetime" }
finished_at = { path = "stoppedAt", as = "datetime" }

[services.main.operations."automation.list_runs"]
vendor_op = "getExecutions"
path = "/executions"
effect = "read"
items = "data"
record = "run"
query = { workflowId = "{workflow_id}", limit = "{page_size}", cursor = "{cursor}" }
pages = { by = "cursor", next = "nextCursor" }
"#;

on_both!(the_runs_of_a_workflow_of_n8n_say_how_they_went, |database| async move {
    let stage = Stage::new(&database, "", N8N, |_| {
        reply(json!({"data": [{
            "id": 1000, "workflowId": "w1", "finished": false, "mode": "webhook", "status": "error",
            "startedAt": "2026-11-01T08:00:00.000Z", "stoppedAt": "2026-11-01T08:00:02.000Z"
        }], "nextCursor": "MTIz"}))
    })
    .await;
    let filter = ListRuns { workflow_id: Some("w1".into()), ..Default::default() };
    let page = stage.connection.automation().list_runs(filter).await.unwrap();
    let run = &page.items[0];
    assert!(matches!(run.status, Some(AutomationRunStatus::Failed)) && run.finished_at > run.started_at);
    assert_eq!((run.id.as_str(), run.trigger.as_deref(), page.next_cursor.is_some()), ("1000", Some("webhook"), true));
});

/// Intercom: <https://developers.intercom.com/docs/references/2.15/rest-api/api.intercom.io/tickets/ticket>.
const INTERCOM: &str = r#"
[services.main.records.ticket]
id = "id"
subject = "ticket_attributes._default_title_"
description = "ticket_attributes._default_description_"
status = { path = "ticket_state.category", enum = { submitted = "new", in_progress = "open", waiting_on_customer = "pending", resolved = "solved" } }
requester_id = "contacts.contacts[0].id"
assignee_id = "admin_assignee_id"
created_at = { path = "created_at", as = "epoch" }

[services.main.operations."support.get_ticket"]
vendor_op = "getTicket"
path = "/tickets/{id}"
effect = "read"
record = "ticket"
"#;

on_both!(a_ticket_of_intercom_has_its_title_among_its_attributes, |database| async move {
    let stage = Stage::new(&database, "", INTERCOM, |_| {
        reply(json!({
            "type": "ticket", "id": "1295", "ticket_id": "1390", "category": "Customer", "admin_assignee_id": "12", "created_at": 1_663_597_223,
            "ticket_attributes": {"_default_title_": "Help", "_default_description_": "It broke."},
            "ticket_state": {"id": "88", "category": "waiting_on_customer"}, "contacts": {"type": "contact.list", "contacts": [{"id": "c7"}]}
        }))
    })
    .await;
    let ticket = stage.connection.support().get_ticket("1295".into()).await.unwrap();
    assert_eq!((ticket.subject.as_deref(), ticket.requester_id.as_deref()), (Some("Help"), Some("c7")));
    assert!(matches!(ticket.status, Some(TicketStatus::Pending)) && ticket.created_at.is_some());
});
