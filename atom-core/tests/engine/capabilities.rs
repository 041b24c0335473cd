//! The capabilities that no built-in provider has yet, in the shapes in which two vendors each answer.

use super::server::{json as reply, status};
use super::*;

/// Xero: <https://developer.xero.com/documentation/api/accounting/invoices>.
const XERO: &str = r#"
[services.main.records.invoice]
id = { path = "InvoiceID", read_only = true }
number = "InvoiceNumber"
status = { path = "Status", enum = { DRAFT = "draft", SUBMITTED = "submitted", AUTHORISED = "open", PAID = "paid", VOIDED = "void" }, read_only = true }
contact_id = "Contact.ContactID"
contact_name = { path = "Contact.Name", read_only = true }
issued_at = { path = "DateString", as = "datetime", read_only = true }
due_at = { path = "DueDate", as = "date", write_only = true }
currency = "CurrencyCode"
total = { path = "Total", money = "decimal_number", currency = "CurrencyCode", read_only = true }
balance = { path = "AmountDue", money = "decimal_number", currency = "CurrencyCode", read_only = true }
lines = { path = "LineItems", each = { id = { path = "LineItemID", read_only = true }, description = "Description", quantity = "Quantity", unit_price = { path = "UnitAmount", money = "decimal_number", currency_is = "EUR" }, account_id = "AccountCode", tax_rate_id = "TaxType" } }

[services.main.operations."accounting.list_invoices"]
vendor_op = "getInvoices"
path = "/Invoices"
effect = "read"
items = "Invoices"
record = "invoice"
query = { page = "{page}", ContactIDs = "{contact_id}" }
pages = { by = "page", pages = "pagination.pageCount" }

[services.main.operations."accounting.create_invoice"]
vendor_op = "createInvoices"
path = "/Invoices"
effect = "once"
idempotency = "Idempotency-Key"
body = { encoding = "json", record = "invoice", json = { Type = "ACCREC" } }
item = "Invoices"
record = "invoice"
"#;

on_both!(an_invoice_of_xero_has_its_sums_and_lines_and_is_written_with_them, |database| async move {
    let stage = Stage::new(&database, "", XERO, |_| {
        reply(json!({"pagination": {"page": 1, "pageCount": 1}, "Invoices": [{
            "InvoiceID": "i-1", "InvoiceNumber": "INV-7", "Type": "ACCREC", "Status": "AUTHORISED", "Contact": {"ContactID": "c-1", "Name": "Babbage"},
            "DateString": "2026-11-01T00:00:00", "CurrencyCode": "EUR", "Total": 119.0, "AmountDue": 19.99,
            "LineItems": [{"LineItemID": "l-1", "Description": "Wheels", "Quantity": 4.0, "UnitAmount": 25.0, "AccountCode": "200", "TaxType": "OUTPUT"}]
        }]}))
    })
    .await;
    let books = stage.connection.accounting();
    let page =
        books.list_invoices(ListAccountingInvoices { contact_id: Some("c-1".into()), ..Default::default() }).await.unwrap();
    let euros = |minor_units| Some(Money { minor_units, currency: "EUR".into() });
    let invoice = &page.items[0];
    assert_eq!((invoice.total.clone(), invoice.balance.clone(), page.next_cursor), (euros(11_900), euros(1999), None));
    assert!(matches!(invoice.status, Some(AccountingInvoiceStatus::Open)));
    assert_eq!((invoice.lines[0].unit_price.clone(), invoice.lines[0].quantity), (euros(2500), Some(4.0)));
    let line =
        AccountingLine { description: Some("Wheels".into()), quantity: Some(4.0), unit_price: euros(2500), ..Default::default() };
    let new = NewAccountingInvoice { contact_id: "c-1".into(), lines: vec![line], ..Default::default() };
    books.create_invoice(new).await.unwrap();
    let asked = stage.server.asked().pop().unwrap();
    assert_eq!(
        asked.json(),
        json!({"Type": "ACCREC", "Contact": {"ContactID": "c-1"}, "LineItems": [{"Description": "Wheels", "Quantity": 4.0, "UnitAmount": 25.00}]})
    );
    assert!(asked.headers.contains_key("idempotency-key"));
    assert_eq!(books.list_bills(ListAccountingBills::default()).await.unwrap_err().reason(), "unsupported_operation");
});

/// Zendesk: <https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/>.
const ZENDESK: &str = r#"
[services.main.records.ticket]
id = { template = "{id}", read_only = true }
subject = "subject"
description = { path = "description", write = "comment.body" }
requester_id = { template = "{requester_id}", read_only = true }
status = { path = "status", enum = { new = "new", open = "open", pending = "pending", hold = "on_hold", solved = "solved", closed = "closed" } }
priority = { path = "priority", enum = { low = "low", normal = "normal", high = "high", urgent = "urgent" } }
tags = "tags"
created_at = { path = "created_at", read_only = true }

[services.main.operations."support.list_tickets"]
vendor_op = "ListTickets"
path = "/tickets"
effect = "read"
items = "tickets"
record = "ticket"
pages = { by = "cursor", next = "meta.after_cursor", more = { path = "meta.has_more", equals = true } }

[services.main.operations."support.update_ticket"]
vendor_op = "UpdateTicket"
method = "PUT"
path = "/tickets/{id}"
effect = "idempotent"
body = { encoding = "json", record = "ticket", wrap = "ticket" }
item = "ticket"
record = "ticket"
"#;

/// OneSignal, of all devices at once: <https://documentation.onesignal.com/reference/create-message>.
const ONESIGNAL: &str = r#"
[services.main.records.sent]
id = "id"
invalid_targets = { first = ["errors.invalid_player_ids", "errors.invalid_aliases.external_id"] }

[services.main.operations."push.send"]
vendor_op = "createNotification"
path = "/notifications"
effect = "once"
body = { encoding = "json", json = { include_subscription_ids = "{tokens}", include_aliases = { external_id = "{user_ids}" }, included_segments = ["{topic}"], headings = { en = "{title}" }, contents = { en = "{body}" }, data = "{data}", ttl = "{ttl_seconds}", collapse_id = "{collapse_key}", idempotency_key = "{idempotency_key}" } }
record = "sent"
"#;

/// Firebase, of one device at a time: <https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages>.
const FIREBASE: &str = r#"
[services.main.records.sent]
id = "name"

[services.main.operations."push.send_to_token"]
vendor_op = "projects.messages.send"
path = "/messages:send"
effect = "once"
body = { encoding = "json", json = { message = { token = "{token}", notification = { title = "{title}", body = "{body}" }, data = "{data}" } } }
record = "sent"
"#;

on_both!(a_notification_says_of_each_device_what_became_of_it, |database| async move {
    let words = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
    let push = NewPush { tokens: words(&["a", "b", "c"]), title: Some("Lunch".into()), ..Default::default() };
    let outcomes = |result: &PushResult| {
        let short = |target: &PushTarget| serde_json::to_value(target.outcome).unwrap().as_str().unwrap().to_owned();
        result.targets.iter().map(short).collect::<Vec<_>>()
    };
    let all = Stage::new(&database, "", ONESIGNAL, |asked| match asked.json()["include_subscription_ids"][0].as_str() {
        Some("nobody") => reply(json!({"id": "", "errors": ["All included players are not subscribed"]})),
        _ => reply(json!({"id": "n-1", "errors": {"invalid_player_ids": ["b"]}})),
    })
    .await;
    let given = NewPush { idempotency_key: Some("4f0e".into()), ttl_seconds: Some(60), ..push.clone() };
    let result = all.connection.push().send(given).await.unwrap();
    assert_eq!(
        (outcomes(&result), result.id.as_deref()),
        (vec!["accepted".into(), "invalid_target".into(), "accepted".into()], Some("n-1"))
    );
    let sent = all.server.asked().pop().unwrap().json();
    let expected =
        json!({"include_subscription_ids": ["a", "b", "c"], "headings": {"en": "Lunch"}, "ttl": 60, "idempotency_key": "4f0e"});
    assert_eq!(sent, expected);
    let nobody = all.connection.push().send(NewPush { tokens: words(&["nobody"]), ..Default::default() }).await.unwrap();
    assert_eq!((outcomes(&nobody), nobody.id), (vec!["failed".to_owned()], None));

    let each = Stage::new(&database, "", FIREBASE, |asked| match asked.json()["message"]["token"].as_str() {
        Some("b") => status(404),
        Some("denied") => status(403),
        _ => reply(json!({"name": "projects/p/messages/1"})),
    })
    .await;
    let sender = each.connection.push();
    assert_eq!(outcomes(&sender.send(push.clone()).await.unwrap()), ["accepted", "invalid_target", "accepted"]);
    let part = sender.send(NewPush { tokens: words(&["a", "denied", "c"]), ..push.clone() }).await.unwrap();
    assert_eq!(outcomes(&part), ["accepted", "failed", "accepted"], "a 403 is of this token alone: another sender's");
    assert_eq!(each.server.asked().pop().unwrap().json()["message"]["token"], "c");
    let keyed = sender.send(NewPush { idempotency_key: Some("4f0e".into()), ..push.clone() }).await.unwrap_err();
    assert_eq!(keyed.reason(), "unsupported_input", "what a vendor does not recognize is not promised");
    for wrong in [NewPush { topic: Some("news".into()), ..push }, NewPush { tokens: words(&[]), ..Default::default() }] {
        assert_eq!(sender.send(wrong).await.unwrap_err().reason(), "push_targets");
    }
});

on_both!(a_ticket_of_zendesk_is_listed_by_a_cursor_and_solved, |database| async move {
    let ticket = |status: &str| json!({"id": 35436, "requester_id": 20978, "description": "It broke.", "subject": "Help", "status": status, "priority": "urgent", "tags": ["vip"], "created_at": "2026-11-01T08:00:00Z"});
    let (open, solved) = (ticket("hold"), ticket("solved"));
    let stage = Stage::new(&database, "", ZENDESK, move |asked| match asked.method.as_str() {
        "PUT" => reply(json!({ "ticket": solved })),
        _ => reply(json!({"tickets": [open], "meta": {"has_more": false, "after_cursor": "x"}})),
    })
    .await;
    let support = stage.connection.support();
    let page = support.list_tickets(ListTickets::default()).await.unwrap();
    assert!(matches!(page.items[0].status, Some(TicketStatus::OnHold)) && page.next_cursor.is_none());
    let (id, requester) = (page.items[0].id.as_str(), page.items[0].requester_id.as_deref());
    assert_eq!((id, requester, page.items[0].description.as_deref()), ("35436", Some("20978"), Some("It broke.")));
    let changes = SupportTicketPatch { status: Some(TicketStatus::Solved), ..Default::default() };
    let ticket = support.update_ticket("35436".into(), changes).await.unwrap();
    assert!(matches!(ticket.status, Some(TicketStatus::Solved)));
    assert_eq!(stage.server.asked().pop().unwrap().json(), json!({"ticket": {"status": "solved"}}));
});
