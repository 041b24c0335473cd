//! Xero: <https://developer.xero.com/documentation/api/accounting/invoices>. Invoices and bills are one kind of record, and so told apart by their type.

use super::*;

pub(super) const MANIFEST: &str = r#"
[errors]
code = ["ErrorNumber"]
rules = [{ codes = ["10", "14", "16"], kind = "invalid" }]

[services.main.enums.status]
DRAFT = "draft"
SUBMITTED = "submitted"
AUTHORISED = "open"
PAID = "paid"
VOIDED = "void"

[services.main.records.invoice]
id = { path = "InvoiceID", read_only = true }
number = "InvoiceNumber"
status = { path = "Status", enum = "status", read_only = true }
contact_id = "Contact.ContactID"
contact_name = { path = "Contact.Name", read_only = true }
issued_at = { path = "DateString", as = "datetime", read_only = true }
due_at = { path = "DueDateString", as = "datetime", read_only = true }
paid_at = { path = "FullyPaidOnDate", as = "datetime", read_only = true }
currency = "CurrencyCode"
exchange_rate = { path = "CurrencyRate", read_only = true }
subtotal = { path = "SubTotal", money = "decimal_number", currency = "CurrencyCode", read_only = true }
discount = { path = "TotalDiscount", money = "decimal_number", currency = "CurrencyCode", read_only = true }
tax = { path = "TotalTax", money = "decimal_number", currency = "CurrencyCode", read_only = true }
total = { path = "Total", money = "decimal_number", currency = "CurrencyCode", read_only = true }
balance = { path = "AmountDue", money = "decimal_number", currency = "CurrencyCode", read_only = true }
payment_ids = { path = "Payments", each_value = "PaymentID", read_only = true }
updated_at = { path = "UpdatedDateUTCString", as = "datetime", read_only = true }
deleted = { path = "Status", equals = "DELETED", read_only = true }
lines = { path = "LineItems", each = { id = "LineItemID", description = "Description", quantity = "Quantity", unit_price = { path = "UnitAmount", money = "decimal_number", currency_of = "CurrencyCode" }, total = { path = "LineAmount", money = "decimal_number", currency_of = "CurrencyCode" }, item_id = "ItemCode", account_id = "AccountCode", tax_rate_id = "TaxType", tracking_ids = { path = "Tracking", each_value = "TrackingOptionID" } } }

[services.main.records.payment]
id = "PaymentID"
amount = { path = "Amount", money = "decimal_number", currency = "Invoice.CurrencyCode" }
paid_at = { path = "Date", as = "datetime" }
contact_id = "Invoice.Contact.ContactID"
invoice_id = { path = "Invoice.InvoiceID", only = { "Invoice.Type" = "ACCREC" } }
bill_id = { path = "Invoice.InvoiceID", only = { "Invoice.Type" = "ACCPAY" } }
account_id = "Account.AccountID"
reference = "Reference"
exchange_rate = "CurrencyRate"
updated_at = { path = "UpdatedDateUTC", as = "datetime" }
deleted = { path = "Status", equals = "DELETED" }

[services.main.operations."accounting.list_invoices"]
vendor_op = "getInvoices"
path = "/Invoices"
effect = "read"
items = "Invoices"
record = "invoice"
query = { page = "{page}", pageSize = "{page_size}", ContactIDs = "{contact_id}", Statuses = "{status|status}", where = 'Type=="ACCREC"' }
pages = { by = "page", pages = "pagination.pageCount" }

[services.main.operations."accounting.create_invoice"]
vendor_op = "createInvoices"
path = "/Invoices"
effect = "once"
idempotency = "Idempotency-Key"
body = { encoding = "json", record = "invoice", json = { Type = "ACCREC", Date = "{issued_at|date}", DueDate = "{due_at|date}" } }
item = "Invoices"
record = "invoice"

[services.main.operations."accounting.list_payments"]
vendor_op = "getPayments"
path = "/Payments"
effect = "read"
items = "Payments"
record = "payment"
query = { page = "{page}", pageSize = "{page_size}" }
pages = { by = "page", pages = "pagination.pageCount" }
"#;

fn euros(minor_units: i64) -> Option<Money> {
    Some(Money { minor_units, currency: "EUR".into() })
}

on_both!(an_invoice_of_xero_has_its_sums_and_lines_and_is_written_with_them, |database| async move {
    let stage = Stage::new(&database, "", MANIFEST, |asked| {
        if asked.method == "POST" && asked.json()["InvoiceNumber"] == "INV-7" {
            let element = json!({"InvoiceID": "i-1", "ValidationErrors": [{"Message": "Invoice # must be unique."}]});
            return reply(json!({"ErrorNumber": 10, "Type": "ValidationException", "Message": "A validation exception occurred", "Elements": [element]})).status(400);
        }
        reply(json!({"pagination": {"page": 1, "pageSize": 100, "pageCount": 1, "itemCount": 1}, "Invoices": [{
            "InvoiceID": "i-1", "InvoiceNumber": "INV-7", "Type": "ACCREC", "Status": "AUTHORISED", "Contact": {"ContactID": "c-1", "Name": "Babbage"},
            "DateString": "2026-11-01T00:00:00", "Date": "/Date(1793491200000+0000)/", "DueDateString": "2026-12-01T00:00:00", "CurrencyCode": "EUR", "CurrencyRate": 1.0,
            "SubTotal": 100.0, "TotalTax": 19.0, "Total": 119.0, "AmountDue": 19.99, "AmountPaid": 99.01, "Payments": [{"PaymentID": "p-1", "Amount": 99.01}],
            "LineItems": [{"LineItemID": "l-1", "Description": "Wheels", "Quantity": 4.0, "UnitAmount": 25.0, "LineAmount": 100.0, "AccountCode": "200", "TaxType": "OUTPUT",
                "Tracking": [{"TrackingCategoryID": "t-1", "TrackingOptionID": "o-1", "Name": "Region", "Option": "North"}]}],
            "UpdatedDateUTC": "/Date(1541176290160+0000)/", "UpdatedDateUTCString": "2026-11-02T16:31:30Z"
        }]}))
    })
    .await;
    let books = stage.connection.accounting();
    let filter = ListAccountingInvoices {
        contact_id: Some("c-1".into()),
        status: Some(AccountingInvoiceStatus::Open),
        ..Default::default()
    };
    let page = books.list_invoices(filter).await.unwrap();
    let asked = stage.server.asked().pop().unwrap();
    assert_eq!((asked.query("where"), asked.query("Statuses")), (Some("Type==\"ACCREC\""), Some("AUTHORISED")));
    let invoice = &page.items[0];
    assert_eq!((invoice.total.clone(), invoice.balance.clone(), page.next_cursor), (euros(11_900), euros(1999), None));
    assert_eq!((invoice.tax.clone(), invoice.payment_ids.as_slice()), (euros(1900), ["p-1".to_owned()].as_slice()));
    assert!(matches!(invoice.status, Some(AccountingInvoiceStatus::Open)) && invoice.due_at > invoice.issued_at);
    let line = &invoice.lines[0];
    assert_eq!((line.unit_price.clone(), line.quantity), (euros(2500), Some(4.0)));
    assert_eq!(line.tracking_ids.as_deref(), Some(["o-1".to_owned()].as_slice()));

    let line =
        AccountingLine { description: Some("Wheels".into()), quantity: Some(4.0), unit_price: euros(2500), ..Default::default() };
    let new =
        NewAccountingInvoice { contact_id: "c-1".into(), issued_at: invoice.issued_at, lines: vec![line], ..Default::default() };
    books.create_invoice(new.clone()).await.unwrap();
    let asked = stage.server.asked().pop().unwrap();
    let written = json!([{"Description": "Wheels", "Quantity": 4.0, "UnitAmount": 25.00}]);
    assert_eq!(
        asked.json(),
        json!({"Type": "ACCREC", "Contact": {"ContactID": "c-1"}, "Date": "2026-11-01", "CurrencyCode": "EUR", "LineItems": written}),
        "what the lines are in is what the invoice is in"
    );
    assert!(asked.headers.contains_key("idempotency-key"));
    let again = NewAccountingInvoice { number: Some("INV-7".into()), ..new };
    assert_eq!(books.create_invoice(again).await.unwrap_err().reason(), "input_refused");
    assert_eq!(books.list_bills(ListAccountingBills::default()).await.unwrap_err().reason(), "unsupported_operation");
});

on_both!(a_payment_of_xero_is_for_an_invoice_or_a_bill, |database| async move {
    let stage = Stage::new(&database, "", MANIFEST, |asked| {
        let payment = |kind: &str| {
            let invoice = json!({"Type": kind, "InvoiceID": "i-1", "CurrencyCode": "EUR", "Contact": {"ContactID": "c-1", "Name": "Babbage"}});
            json!({"PaymentID": "p-1", "Date": "/Date(1543449600000+0000)/", "Amount": 46.0, "CurrencyRate": 1.0, "PaymentType": "ACCRECPAYMENT", "Status": "AUTHORISED",
                "Reference": "T-9", "Account": {"AccountID": "a-1", "Code": "090"}, "Invoice": invoice, "UpdatedDateUTC": "/Date(1541176592690+0000)/"})
        };
        let payments = if asked.query("page") == Some("1") { vec![payment("ACCREC")] } else { vec![payment("ACCPAY")] };
        reply(json!({"pagination": {"page": 1, "pageSize": 100, "pageCount": 2, "itemCount": 2}, "Payments": payments}))
    })
    .await;
    let books = stage.connection.accounting();
    let first = books.list_payments(ListAccountingPayments::default()).await.unwrap();
    let one = &first.items[0];
    assert_eq!((one.amount.clone(), one.invoice_id.as_deref(), one.bill_id.as_deref()), (euros(4600), Some("i-1"), None));
    assert_eq!(one.paid_at.unwrap().to_rfc3339(), "2018-11-29T00:00:00+00:00");
    let rest = ListAccountingPayments { cursor: first.next_cursor, ..Default::default() };
    let last = books.list_payments(rest).await.unwrap();
    assert_eq!(
        (last.items[0].bill_id.as_deref(), last.items[0].invoice_id.as_deref(), last.next_cursor),
        (Some("i-1"), None, None)
    );
});
