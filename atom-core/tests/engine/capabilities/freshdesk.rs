//! Freshdesk: <https://developers.freshdesk.com/api/>.

use super::*;

pub(super) const MANIFEST: &str = include_str!("freshdesk.toml");

on_both!(a_ticket_of_freshdesk_has_numbers_for_states_and_its_answers_are_html, |database| async move {
    let stage = Stage::new(&database, MANIFEST, "", |asked| {
        let ticket = json!({
            "id": 20, "subject": "Help", "description": "<div>It broke.</div>", "description_text": "It broke.", "status": 3, "priority": 4, "type": "Question", "source": 2,
            "requester_id": 51, "requester": {"id": 51, "name": "Ada", "email": "ada@example.com"}, "responder_id": null, "group_id": 7, "tags": [], "due_by": "2026-12-01T08:00:00Z",
            "stats": {"resolved_at": null}, "created_at": "2026-11-01T08:00:00Z", "updated_at": "2026-11-01T08:00:00Z", "custom_fields": {"category": "Primary"}
        });
        let comment = |private: bool| json!({
            "id": 3, "body_text": "Please reply.", "body": "<div>Please reply.</div>", "incoming": false, "private": private, "user_id": 1, "source": 2, "ticket_id": 20,
            "created_at": "2026-11-01T08:00:00Z", "updated_at": "2026-11-01T08:00:00Z",
            "attachments": [{"id": 9, "name": "a.jpg", "content_type": "image/jpeg", "size": 19127, "attachment_url": "https://freshdesk.example/a.jpg"}]
        });
        match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/api/v2/tickets") if asked.query("page").is_none() => {
                reply(json!([ticket])).with("link", "</api/v2/tickets?page=2&per_page=1>; rel=\"next\"")
            }
            ("GET", "/api/v2/tickets") => reply(json!([])),
            ("POST", "/api/v2/tickets") if asked.json()["subject"].is_null() => {
                reply(json!({"description": "Validation failed", "errors": [{"field": "subject", "message": "It should be a/an String", "code": "missing_field"}]})).status(400)
            }
            ("POST", "/api/v2/tickets") => reply(ticket).status(201),
            ("POST", path) => reply(comment(path.ends_with("/notes"))).status(201),
            ("GET", "/api/v2/agents") => reply(json!([{"id": 1, "available": true, "occasional": false, "ticket_scope": 1, "type": "support_agent",
                "contact": {"active": true, "name": "Bob", "email": "bob@example.com", "phone": null}}])),
            ("GET", "/api/v2/groups") => reply(json!([{"id": 7, "name": "First line", "description": "They answer", "agent_ids": [1, 2]}])),
            _ => reply(json!([comment(true)])),
        }
    })
    .await;
    let support = stage.connection.support();
    let sent = || stage.server.asked().pop().unwrap();
    let filter = ListTickets { requester_id: Some("51".into()), page_size: Some(1), ..Default::default() };
    let first = support.list_tickets(filter.clone()).await.unwrap();
    let one = &first.items[0];
    assert!(matches!(one.status, Some(TicketStatus::Pending)) && matches!(one.priority, Some(TicketPriority::Urgent)));
    assert_eq!((one.requester.as_ref().unwrap().email.as_deref(), one.assignee_id.as_deref()), (Some("ada@example.com"), None));
    assert!(support.list_tickets(ListTickets { cursor: first.next_cursor, ..filter }).await.unwrap().items.is_empty());
    let new = NewSupportTicket {
        subject: Some("Help".into()),
        description: Some("1 < 2".into()),
        requester_id: Some("51".into()),
        priority: Some(TicketPriority::High),
        ..Default::default()
    };
    support.create_ticket(new.clone()).await.unwrap();
    let written = sent().json();
    assert_eq!((&written["status"], &written["priority"], &written["requester_id"]), (&json!(2), &json!(3), &json!(51)));
    assert!(written["description"].as_str().unwrap().contains("1 &lt; 2"), "{written}");
    let nothing = NewSupportTicket { subject: None, ..new };
    assert_eq!(support.create_ticket(nothing).await.unwrap_err().reason(), "input_refused");

    let listed = support.list_comments(ListTicketComments { ticket_id: "20".into(), ..Default::default() }).await.unwrap();
    assert_eq!((listed.items[0].is_public, listed.items[0].attachments[0].size), (Some(false), Some(19127)));
    let answer = NewTicketComment { ticket_id: "20".into(), text: Some("Thanks".into()), ..Default::default() };
    assert_eq!(support.add_comment(answer.clone()).await.unwrap().is_public, Some(true));
    assert_eq!(sent().path, "/api/v2/tickets/20/reply");
    support.add_comment(NewTicketComment { is_public: Some(false), ..answer }).await.unwrap();
    assert_eq!((sent().path.as_str(), &sent().json()["private"]), ("/api/v2/tickets/20/notes", &json!(true)));
    let agent = support.list_agents(Paging::default()).await.unwrap().items.remove(0);
    assert_eq!((agent.name.as_deref(), agent.is_active), (Some("Bob"), Some(true)));
    assert_eq!(support.list_groups(Paging::default()).await.unwrap().items[0].agent_ids, ["1", "2"]);
});
