//! Intercom: <https://developers.intercom.com/docs/references/2.15/rest-api/api.intercom.io/tickets/ticket>.

use super::*;

pub(super) const MANIFEST: &str = r#"
[services.main.records.ticket]
id = "id"
subject = "ticket_attributes._default_title_"
description = "ticket_attributes._default_description_"
status = { path = "ticket_state.category", enum = { submitted = "new", in_progress = "open", waiting_on_customer = "pending", resolved = "solved" } }
kind = "category"
requester_id = "contacts.contacts[0].id"
# A number, which is 0 where nobody has it.
assignee_id = { path = "admin_assignee_id", as = "id_number" }
group_id = { path = "team_assignee_id", as = "id_number" }
created_at = { path = "created_at", as = "epoch" }
updated_at = { path = "updated_at", as = "epoch" }

[services.main.operations."support.get_ticket"]
vendor_op = "getTicket"
path = "/tickets/{id}"
effect = "read"
record = "ticket"
"#;

on_both!(a_ticket_of_intercom_has_its_title_among_its_attributes, |database| async move {
    let stage = Stage::new(&database, "", MANIFEST, |_| {
        reply(json!({
            "type": "ticket", "id": "1295", "ticket_id": "1390", "category": "Customer", "admin_assignee_id": 12, "team_assignee_id": 0,
            "created_at": 1_663_597_223, "updated_at": 1_663_597_260, "open": true, "is_shared": true,
            "ticket_attributes": {"_default_title_": "Help", "_default_description_": "It broke."},
            "ticket_state": {"type": "ticket_state", "id": "88", "category": "waiting_on_customer", "internal_label": "Waiting", "external_label": "Waiting"},
            "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": "c7", "external_id": "b16a"}]}
        }))
    })
    .await;
    let ticket = stage.connection.support().get_ticket("1295".into()).await.unwrap();
    assert_eq!((ticket.subject.as_deref(), ticket.requester_id.as_deref()), (Some("Help"), Some("c7")));
    assert_eq!((ticket.assignee_id.as_deref(), ticket.group_id.as_deref()), (Some("12"), None));
    assert!(matches!(ticket.status, Some(TicketStatus::Pending)) && ticket.created_at.is_some());
});
