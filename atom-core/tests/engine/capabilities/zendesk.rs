//! Zendesk: <https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/>.

use super::*;

pub(super) const MANIFEST: &str = include_str!("zendesk.toml");

fn ticket(status: &str) -> Value {
    json!({
        "id": 35436, "requester_id": 20978, "assignee_id": 235_323, "group_id": null, "description": "It broke.", "subject": "Help", "status": status, "priority": "urgent",
        "type": "incident", "tags": ["vip"], "via": {"channel": "web"}, "created_at": "2026-11-01T08:00:00Z", "updated_at": "2026-11-02T08:00:00Z", "custom_fields": [{"id": 7, "value": "a"}]
    })
}

on_both!(a_ticket_of_zendesk_is_listed_by_a_cursor_opened_and_solved, |database| async move {
    let stage = Stage::new(&database, MANIFEST, "", |asked| match (asked.method.as_str(), asked.path.as_str()) {
        ("PUT", _) => reply(json!({"ticket": ticket("solved")})),
        ("POST", _) => reply(json!({"ticket": ticket("new")})).status(201),
        ("DELETE", _) => status(204).empty(),
        ("GET", "/api/v2/search") => reply(json!({"results": [ticket("open")], "count": 1, "next_page": null, "previous_page": null})),
        ("GET", "/api/v2/tickets") if asked.query("page[after]").is_none() => {
            reply(json!({"tickets": [ticket("hold")], "meta": {"has_more": true, "after_cursor": "xxx", "before_cursor": "yyy"}, "links": {}}))
        }
        ("GET", "/api/v2/tickets") => reply(json!({"tickets": [ticket("open")], "meta": {"has_more": false, "after_cursor": "zzz"}})),
        ("GET", "/api/v2/tickets/1") => reply(json!({"error": "RecordNotFound", "description": "Not found"})).status(404),
        _ => reply(json!({"ticket": ticket("hold")})),
    })
    .await;
    let support = stage.connection.support();
    let sent = || stage.server.asked().pop().unwrap();
    let first = support.list_tickets(ListTickets { page_size: Some(1), ..Default::default() }).await.unwrap();
    let one = &first.items[0];
    assert!(matches!(one.status, Some(TicketStatus::OnHold)) && matches!(one.priority, Some(TicketPriority::Urgent)));
    assert_eq!(
        (one.id.as_str(), one.requester_id.as_deref(), one.description.as_deref()),
        ("35436", Some("20978"), Some("It broke."))
    );
    assert_eq!((one.group_id.as_deref(), one.channel.as_deref()), (None, Some("web")));
    let last =
        support.list_tickets(ListTickets { page_size: Some(1), cursor: first.next_cursor, ..Default::default() }).await.unwrap();
    assert_eq!((sent().query("page[after]"), last.next_cursor), (Some("xxx"), None));
    let mine = ListTickets { status: Some(TicketStatus::OnHold), assignee_id: Some("235323".into()), ..Default::default() };
    support.list_tickets(mine).await.unwrap();
    assert_eq!(sent().query("query"), Some("type:ticket status:hold assignee:235323"));
    assert_eq!(support.get_ticket("35436".into()).await.unwrap().kind.as_deref(), Some("incident"));
    assert_eq!(support.get_ticket("1".into()).await.unwrap_err().reason(), "not_found_at_provider");

    let new = NewSupportTicket {
        subject: Some("Help".into()),
        description: Some("It broke.".into()),
        requester_id: Some("20978".into()),
        ..Default::default()
    };
    support.create_ticket(new.clone()).await.unwrap();
    assert_eq!(sent().json(), json!({"ticket": {"subject": "Help", "comment": {"body": "It broke."}, "requester_id": 20978}}));
    assert!(sent().headers.contains_key("idempotency-key"));
    let wrong = NewSupportTicket { requester_id: Some("ada@example.com".into()), ..new };
    assert_eq!(support.create_ticket(wrong).await.unwrap_err().reason(), "unsupported_input", "Zendesk's ids are numbers");
    let changes = SupportTicketPatch { status: Some(TicketStatus::Solved), ..Default::default() };
    assert!(matches!(support.update_ticket("35436".into(), changes).await.unwrap().status, Some(TicketStatus::Solved)));
    assert_eq!(sent().json(), json!({"ticket": {"status": "solved"}}));
    support.delete_ticket("35436".into()).await.unwrap();
    assert_eq!((sent().method.as_str(), sent().path.as_str()), ("DELETE", "/api/v2/tickets/35436"));
});

on_both!(a_comment_of_zendesk_is_part_of_a_change_of_its_ticket, |database| async move {
    let stage = Stage::new(&database, MANIFEST, "", |asked| match asked.method.as_str() {
        "GET" => reply(json!({"comments": [{
            "id": 1274, "type": "Comment", "author_id": 123_123, "body": "Thanks", "html_body": "<p>Thanks</p>", "plain_body": "Thanks", "public": true, "audit_id": 9,
            "attachments": [{"id": 498_483, "file_name": "crash.log", "content_type": "text/plain", "size": 2532, "content_url": "https://zendesk.example/crash.log", "thumbnails": []}],
            "created_at": "2026-11-01T08:00:00Z", "via": {"channel": "web"}
        }], "meta": {"has_more": false}})),
        _ => {
            let change = json!({"id": 1, "type": "Change", "field_name": "status", "value": "open"});
            let comment = json!({"id": 1275, "type": "Comment", "author_id": 123_123, "body": "Note", "html_body": "<p>Note</p>", "public": false, "attachments": []});
            reply(json!({"ticket": ticket("open"), "audit": {"id": 9, "ticket_id": 35436, "author_id": 123_123, "events": [change, comment]}}))
        }
    })
    .await;
    let support = stage.connection.support();
    let listed = support.list_comments(ListTicketComments { ticket_id: "35436".into(), ..Default::default() }).await.unwrap();
    let comment = &listed.items[0];
    assert_eq!(
        (comment.text.as_deref(), comment.html.as_deref(), comment.is_public),
        (Some("Thanks"), Some("<p>Thanks</p>"), Some(true))
    );
    let file = &comment.attachments[0];
    assert_eq!((file.id.as_deref(), file.size, file.mime_type.as_deref()), (Some("498483"), Some(2532), Some("text/plain")));
    assert_eq!((comment.ticket_id.as_deref(), comment.author.as_ref().unwrap().id.as_deref()), (Some("35436"), Some("123123")));
    let note = NewTicketComment { ticket_id: "35436".into(), text: Some("Note".into()), is_public: Some(false), html: None };
    let written = support.add_comment(note).await.unwrap();
    assert_eq!((written.id.as_str(), written.is_public), ("1275", Some(false)));
    assert_eq!(stage.server.asked().pop().unwrap().json(), json!({"ticket": {"comment": {"body": "Note", "public": false}}}));
});

on_both!(who_asks_and_who_answers_at_zendesk_are_users, |database| async move {
    let stage = Stage::new(&database, MANIFEST, "", |asked| {
        let user = json!({
            "id": 35436, "name": "Ada", "email": "ada@example.com", "phone": "+15551234", "external_id": "ada-1", "organization_id": 57_542, "tags": ["vip"], "active": true,
            "role": "agent", "suspended": true, "time_zone": "London", "created_at": "2026-11-01T08:00:00Z"
        });
        let done = json!({"has_more": false});
        match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/api/v2/groups") => reply(json!({"groups": [{"id": 211, "name": "First line", "description": "They answer", "deleted": false}], "meta": done})),
            ("GET", "/api/v2/users") => reply(json!({"users": [user], "meta": done})),
            ("GET", "/api/v2/users/search") => reply(json!({"users": [user], "next_page": null})),
            ("POST", _) => reply(json!({"error": "RecordInvalid", "description": "Record validation errors", "details": {"email": [{"description": "ada@example.com is taken"}]}})).status(422),
            _ => reply(json!({ "user": user })),
        }
    })
    .await;
    let support = stage.connection.support();
    let sent = || stage.server.asked().pop().unwrap();
    let contact = support.list_contacts(ListSupportContacts::default()).await.unwrap().items.remove(0);
    assert_eq!(
        (contact.organization_id.as_deref(), contact.is_suspended, sent().query("role")),
        (Some("57542"), true, Some("end-user"))
    );
    support.list_contacts(ListSupportContacts { email: Some("ada@example.com".into()), ..Default::default() }).await.unwrap();
    assert_eq!(sent().query("query"), Some("role:end-user email:ada@example.com"));
    assert_eq!(support.get_contact("35436".into()).await.unwrap().external_id.as_deref(), Some("ada-1"));
    let new = NewSupportContact { name: Some("Ada".into()), organization_id: Some("57542".into()), ..Default::default() };
    let taken = support.create_contact(new).await.unwrap_err();
    assert_eq!((taken.reason(), taken.to_string().contains("ada@")), ("input_refused", false));
    assert_eq!(sent().json(), json!({"user": {"name": "Ada", "organization_id": 57_542, "role": "end-user"}}));
    let patch = SupportContactPatch { tags: Some(vec!["new".into()]), ..Default::default() };
    support.update_contact("35436".into(), patch).await.unwrap();
    assert_eq!(sent().json(), json!({"user": {"tags": ["new"]}}));
    support.delete_contact("35436".into()).await.unwrap();
    let agent = support.list_agents(Paging::default()).await.unwrap().items.remove(0);
    assert_eq!((agent.role.as_deref(), agent.is_active, sent().query("role")), (Some("agent"), Some(true), Some("agent")));
    assert_eq!(support.get_agent("35436".into()).await.unwrap().id, "35436");
    assert_eq!(support.list_groups(Paging::default()).await.unwrap().items[0].name.as_deref(), Some("First line"));
});
