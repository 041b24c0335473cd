//! QuickBooks Online: <https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/invoice>. Lists are queries, changes name the
//! version that they change, and a company with one currency never says it.

use super::*;

pub(super) const MANIFEST: &str = include_str!("quickbooks.toml");

fn invoice(id: &str, balance: f64) -> Value {
    json!({
        "Id": id, "SyncToken": "3", "DocNumber": "1037", "TxnDate": "2026-11-01", "DueDate": "2026-12-01", "TotalAmt": 362.07, "Balance": balance,
        "CustomerRef": {"value": "24", "name": "Sonnenschein"}, "CustomerMemo": {"value": "Thank you."}, "domain": "QBO", "sparse": false,
        "Line": [
            {"Id": "1", "LineNum": 1, "Description": "Rock fountain", "Amount": 335.25, "DetailType": "SalesItemLineDetail",
             "SalesItemLineDetail": {"ItemRef": {"value": "5", "name": "Rock fountain"}, "Qty": 1.5, "UnitPrice": 223.5, "TaxCodeRef": {"value": "TAX"}, "ClassRef": {"value": "c-9"}}},
            {"Amount": 335.25, "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}
        ],
        "TxnTaxDetail": {"TotalTax": 26.82}, "LinkedTxn": [{"TxnId": "100", "TxnType": "Estimate"}, {"TxnId": "120", "TxnType": "Payment"}],
        "MetaData": {"CreateTime": "2026-11-01T15:16:17-08:00", "LastUpdatedTime": "2026-11-02T10:00:00-08:00"}
    })
}

fn dollars(minor_units: i64) -> Option<Money> {
    Some(Money { minor_units, currency: "USD".into() })
}

fn refused(code: &str) -> Reply {
    reply(json!({"Fault": {"Error": [{"Message": "no", "Detail": "of ada@example.com", "code": code}], "type": "ValidationFault"}, "time": "2026-11-01T15:16:17-08:00"}))
        .status(400)
}

on_both!(invoices_of_quickbooks_are_queried_page_by_page_and_say_what_is_still_owed, |database| async move {
    let stage = Stage::new(&database, MANIFEST, "", |asked| {
        let query = asked.query("query").unwrap();
        let (from, size) = (query.contains("STARTPOSITION 1 "), query.contains("MAXRESULTS 2"));
        assert!(size && asked.path == "/v3/company/4620/query", "{query}");
        let found = if from { vec![invoice("1", 62.07), invoice("2", 0.0)] } else { vec![invoice("3", 362.07)] };
        reply(json!({"QueryResponse": {"Invoice": found, "startPosition": 1, "maxResults": 2}, "time": "2026-11-01T15:16:17-08:00"}))
    })
    .await;
    let books = stage.connection.accounting();
    let filter = ListAccountingInvoices { contact_id: Some("o'24".into()), page_size: Some(2), ..Default::default() };
    let first = books.list_invoices(filter.clone()).await.unwrap();
    let one = &first.items[0];
    assert_eq!((one.total.clone(), one.balance.clone(), one.tax.clone()), (dollars(36_207), dollars(6207), dollars(2682)));
    assert!(matches!(one.status, Some(AccountingInvoiceStatus::PartiallyPaid)));
    assert!(matches!(first.items[1].status, Some(AccountingInvoiceStatus::Paid)));
    assert_eq!((one.subtotal.clone(), one.payment_ids.as_slice()), (dollars(33_525), ["120".to_owned()].as_slice()));
    assert_eq!(one.lines.len(), 1, "the subtotal is no line");
    let line = &one.lines[0];
    assert_eq!((line.quantity, line.unit_price.clone(), line.total.clone()), (Some(1.5), dollars(22_350), dollars(33_525)));
    assert_eq!(line.tracking_ids.as_deref(), Some(["c-9".to_owned()].as_slice()));
    assert_eq!(one.updated_at.unwrap().to_rfc3339(), "2026-11-02T18:00:00+00:00");
    let rest = ListAccountingInvoices { cursor: first.next_cursor, ..filter };
    let last = books.list_invoices(rest).await.unwrap();
    assert_eq!((last.items[0].id.as_str(), last.next_cursor), ("3", None));
    let asked = stage.server.asked();
    assert_eq!(asked[1].query("query"), Some(r"SELECT * FROM Invoice WHERE CustomerRef = 'o\'24' STARTPOSITION 3 MAXRESULTS 2"));
    let draft = ListAccountingInvoices { status: Some(AccountingInvoiceStatus::Draft), ..Default::default() };
    assert_eq!(books.list_invoices(draft).await.unwrap_err().reason(), "unsupported_input", "QuickBooks has no drafts");
});

on_both!(an_invoice_of_quickbooks_is_written_with_its_lines_and_changed_in_the_version_that_was_read, |database| async move {
    let stage = Stage::new(&database, MANIFEST, "", |asked| match (asked.method.as_str(), asked.query("operation")) {
        ("GET", _) if asked.path.ends_with("/404") => refused("610"),
        ("GET", _) => reply(json!({"Invoice": invoice("130", 362.07)})),
        (_, Some("delete")) => reply(json!({"Invoice": {"status": "Deleted", "Id": "130"}})),
        _ if asked.json()["SyncToken"] == "2" => refused("5010"),
        _ => reply(json!({"Invoice": invoice("130", 362.07)})),
    })
    .await;
    let books = stage.connection.accounting();
    let line = AccountingLine {
        description: Some("Fountain".into()),
        quantity: Some(2.0),
        unit_price: dollars(1999),
        total: dollars(3998),
        item_id: Some("5".into()),
        ..Default::default()
    };
    let new = NewAccountingInvoice { contact_id: "24".into(), lines: vec![line.clone()], ..Default::default() };
    books.create_invoice(new.clone()).await.unwrap();
    let sold = json!({"ItemRef": {"value": "5"}, "Qty": 2.0, "UnitPrice": 19.99});
    let written =
        json!([{"Description": "Fountain", "Amount": 39.98, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": sold}]);
    assert_eq!(
        stage.server.asked().pop().unwrap().json(),
        json!({"CustomerRef": {"value": "24"}, "Line": written}),
        "a company with one currency does not say it"
    );
    let euros = Some(Money { minor_units: 1999, currency: "EUR".into() });
    let foreign = AccountingLine { unit_price: euros, total: None, ..line };
    let mixed = NewAccountingInvoice { lines: vec![foreign.clone()], ..new.clone() };
    assert_eq!(books.create_invoice(mixed).await.unwrap_err().reason(), "unsupported_input", "19.99 of what is not guessed");
    let abroad = NewAccountingInvoice { lines: vec![foreign], currency: Some("EUR".into()), ..new };
    books.create_invoice(abroad).await.unwrap();
    assert_eq!(stage.server.asked().pop().unwrap().json()["CurrencyRef"], json!({"value": "EUR"}));

    let note = |revision: Option<&str>| AccountingInvoicePatch {
        note: Some("Soon".into()),
        revision: revision.map(str::to_owned),
        ..Default::default()
    };
    books.update_invoice("130".into(), note(None)).await.unwrap();
    let changed = stage.server.asked().pop().unwrap().json();
    assert_eq!(changed, json!({"Id": "130", "SyncToken": "3", "sparse": true, "CustomerMemo": {"value": "Soon"}}));
    let stale = books.update_invoice("130".into(), note(Some("2"))).await.unwrap_err();
    assert_eq!(stale.reason(), "conflict_at_provider");
    assert!(!stale.to_string().contains('@'), "{stale}");
    books.delete_invoice("130".into()).await.unwrap();
    assert_eq!(stage.server.asked().pop().unwrap().json(), json!({"Id": "130", "SyncToken": "3"}));
    assert_eq!(books.get_invoice("404".into()).await.unwrap_err().reason(), "not_found_at_provider");
});

on_both!(bills_and_payments_of_quickbooks_go_both_ways, |database| async move {
    let bill = json!({
        "Id": "25", "SyncToken": "1", "DocNumber": "B-7", "TxnDate": "2026-11-01", "DueDate": "2026-11-15", "TotalAmt": 200.0, "Balance": 200.0,
        "VendorRef": {"value": "46", "name": "Norton"}, "APAccountRef": {"value": "33"}, "CurrencyRef": {"value": "USD"},
        "Line": [{"Id": "1", "Description": "Lumber", "Amount": 200.0, "DetailType": "AccountBasedExpenseLineDetail",
                  "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "64", "name": "Materials"}, "TaxCodeRef": {"value": "NON"}}}]
    });
    let payment = json!({
        "Id": "154", "SyncToken": "0", "TxnDate": "2026-11-20", "TotalAmt": 25.0, "UnappliedAmt": 0, "CustomerRef": {"value": "24"},
        "DepositToAccountRef": {"value": "4"}, "PaymentRefNum": "T-9",
        "Line": [{"Amount": 25.0, "LinkedTxn": [{"TxnId": "130", "TxnType": "Invoice"}]}]
    });
    let stage = Stage::new(&database, MANIFEST, "", move |asked| match asked.path.rsplit('/').next().unwrap() {
        "query" if asked.query("query").unwrap().contains("FROM Bill") => reply(json!({"QueryResponse": {"Bill": [bill]}})),
        "query" => reply(json!({"QueryResponse": {"Payment": [payment]}})),
        "bill" | "25" => reply(json!({ "Bill": bill })),
        "billpayment" => {
            reply(json!({"BillPayment": {"Id": "118", "TotalAmt": 200.0, "TxnDate": "2026-11-20", "VendorRef": {"value": "46"},
            "PayType": "Check", "Line": [{"Amount": 200.0, "LinkedTxn": [{"TxnId": "25", "TxnType": "Bill"}]}]}}))
        }
        _ => reply(json!({ "Payment": payment })),
    })
    .await;
    let books = stage.connection.accounting();
    let bills = books.list_bills(ListAccountingBills { contact_id: Some("46".into()), ..Default::default() }).await.unwrap();
    assert_eq!((bills.items[0].total.clone(), bills.items[0].lines[0].account_id.as_deref()), (dollars(20_000), Some("64")));
    let line = AccountingLine { total: dollars(500), account_id: Some("64".into()), ..Default::default() };
    let sold = AccountingLine { item_id: Some("5".into()), ..line.clone() };
    let new = |line| NewAccountingBill { contact_id: "46".into(), lines: vec![line], ..Default::default() };
    assert_eq!(books.create_bill(new(sold)).await.unwrap_err().reason(), "unsupported_input", "what is not mapped is not lost");
    assert_eq!(books.create_bill(new(line)).await.unwrap().contact_name.as_deref(), Some("Norton"));
    assert_eq!(books.get_bill("25".into()).await.unwrap().revision.as_deref(), Some("1"));
    let later = AccountingBillPatch { note: Some("Late".into()), ..Default::default() };
    books.update_bill("25".into(), later).await.unwrap();
    let whole = stage.server.asked().pop().unwrap().json();
    assert_eq!((&whole["PrivateNote"], &whole["Line"][0]["Amount"]), (&json!("Late"), &json!(200.0)), "the lines stay");
    books.delete_bill("25".into()).await.unwrap();

    let got = books.list_payments(ListAccountingPayments::default()).await.unwrap().items.remove(0);
    assert_eq!((got.amount, got.invoice_id.as_deref(), got.reference.as_deref()), (dollars(2500), Some("130"), Some("T-9")));
    assert_eq!(books.get_payment("154".into()).await.unwrap().paid_at.unwrap().to_rfc3339(), "2026-11-20T00:00:00+00:00");
    let paid = NewAccountingPayment { amount: dollars(2500).unwrap(), contact_id: Some("24".into()), ..Default::default() };
    books.create_payment(NewAccountingPayment { invoice_id: Some("130".into()), ..paid.clone() }).await.unwrap();
    let linked = json!([{"Amount": 25.0, "LinkedTxn": [{"TxnId": "130", "TxnType": "Invoice"}]}]);
    assert_eq!(
        stage.server.asked().pop().unwrap().json(),
        json!({"TotalAmt": 25.0, "CustomerRef": {"value": "24"}, "Line": linked})
    );
    let owed = NewAccountingPayment { bill_id: Some("25".into()), account_id: Some("35".into()), ..paid };
    assert_eq!(books.create_payment(owed).await.unwrap().bill_id.as_deref(), Some("25"));
    let asked = stage.server.asked().pop().unwrap();
    assert_eq!((asked.path.as_str(), &asked.json()["PayType"]), ("/v3/company/4620/billpayment", &json!("Check")));
    books.delete_payment("154".into()).await.unwrap();
    assert_eq!(stage.server.asked().pop().unwrap().json(), json!({"Id": "154", "SyncToken": "0"}));
});

on_both!(the_books_behind_the_invoices_of_quickbooks_are_read_and_written, |database| async move {
    let stage = Stage::new(&database, MANIFEST, "", |asked| {
        let customer = json!({"Id": "67", "SyncToken": "0", "DisplayName": "Babbage", "GivenName": "Charles", "Balance": 85.5, "Active": true,
            "PrimaryEmailAddr": {"Address": "charles@example.com"}, "PrimaryPhone": {"FreeFormNumber": "(415) 555-0100"}});
        let vendor = json!({"Id": "46", "SyncToken": "0", "DisplayName": "Norton", "TaxIdentifier": "99-5688293", "Active": true});
        let account = json!({"Id": "7", "Name": "Advertising", "Classification": "Expense", "AccountType": "Expense", "AccountSubType": "AdvertisingPromotional",
            "CurrentBalance": 12.5, "CurrencyRef": {"value": "USD"}, "Active": true});
        let side = |kind: &str| json!({"Amount": 15.0, "Description": "Rent", "DetailType": "JournalEntryLineDetail", "JournalEntryLineDetail":
            {"PostingType": kind, "AccountRef": {"value": "39"}, "Entity": {"Type": "Vendor", "EntityRef": {"value": "46"}}}});
        let journal = json!({"Id": "227", "DocNumber": "J-1", "TxnDate": "2026-11-30", "PrivateNote": "Rent", "Line": [side("Debit"), side("Credit")]});
        let item = json!({"Id": "5", "SyncToken": "2", "Name": "Fountain", "Sku": "F-1", "Type": "Inventory", "UnitPrice": 275, "PurchaseCost": 125,
            "IncomeAccountRef": {"value": "79"}, "QtyOnHand": 2, "Active": true});
        let rate = json!({"Id": "3", "Name": "California", "RateValue": 8, "Active": true});
        let query = asked.query("query").unwrap_or_default().to_owned();
        let of = |name: &str| query.contains(&format!("FROM {name}")) || asked.path.contains(&format!("/{}", name.to_lowercase()));
        let known = [("Customer", customer), ("Vendor", vendor), ("Account", account), ("JournalEntry", journal), ("Item", item), ("TaxRate", rate)];
        match known.into_iter().find(|(name, _)| of(name)) {
            Some((name, record)) if query.is_empty() => reply(json!({ name: record })),
            Some((name, record)) => reply(json!({"QueryResponse": { name: [record] }})),
            None => reply(json!({"CompanyInfo": {"Id": "1", "CompanyName": "Engines", "LegalName": "Engines Ltd", "Country": "US",
                "FiscalYearStartMonth": "April", "Email": {"Address": "books@example.com"}}})),
        }
    })
    .await;
    let books = stage.connection.accounting();
    let sent = || stage.server.asked().pop().unwrap();
    let company = books.company().await.unwrap();
    assert_eq!((company.fiscal_year_start_month, company.base_currency.as_deref()), (Some(4), Some("USD")));

    let everyone = ListAccountingContacts { search: Some("Bab".into()), ..Default::default() };
    let customer = books.list_contacts(everyone).await.unwrap().items.remove(0);
    assert!(customer.is_customer && !customer.is_vendor && !customer.deleted && customer.balance == dollars(8550));
    let vendors = ListAccountingContacts { is_vendor: Some(true), ..Default::default() };
    assert!(books.list_contacts(vendors).await.unwrap().items[0].is_vendor);
    assert_eq!(sent().query("query"), Some("SELECT * FROM Vendor STARTPOSITION 1 MAXRESULTS 100"));
    assert_eq!(books.get_contact("67".into()).await.unwrap().first_name.as_deref(), Some("Charles"));
    let new = NewAccountingContact { name: Some("Norton".into()), is_vendor: Some(true), ..Default::default() };
    assert_eq!(books.create_contact(new).await.unwrap().tax_number.as_deref(), Some("99-5688293"));
    let patch = AccountingContactPatch { phone: Some("1".into()), revision: Some("0".into()), ..Default::default() };
    books.update_contact("67".into(), patch).await.unwrap();
    assert_eq!(sent().json(), json!({"Id": "67", "SyncToken": "0", "sparse": true, "PrimaryPhone": {"FreeFormNumber": "1"}}));

    let account = books.list_accounts(ListLedgerAccounts::default()).await.unwrap().items.remove(0);
    assert!(matches!(account.classification, Some(AccountClass::Expense)) && account.balance == dollars(1250));
    assert_eq!(books.get_account("7".into()).await.unwrap().kind.as_deref(), Some("Expense"));

    let entry = books.list_journal_entries(ListJournalEntries::default()).await.unwrap().items.remove(0);
    let (debit, credit) = (&entry.lines[0], &entry.lines[1]);
    assert_eq!((debit.debit.clone(), debit.credit.clone(), credit.credit.clone()), (dollars(1500), None, dollars(1500)));
    assert!(entry.is_posted && debit.contact_id.as_deref() == Some("46"));
    books.get_journal_entry("227".into()).await.unwrap();
    let side = |debit, credit| JournalLine { account_id: Some("39".into()), debit, credit, ..Default::default() };
    let lines = vec![side(dollars(1500), None), side(None, dollars(1500))];
    books.create_journal_entry(NewJournalEntry { lines, ..Default::default() }).await.unwrap();
    let written = |kind: &str| {
        let detail = json!({"PostingType": kind, "AccountRef": {"value": "39"}});
        json!({"Amount": 15.0, "DetailType": "JournalEntryLineDetail", "JournalEntryLineDetail": detail})
    };
    assert_eq!(sent().json(), json!({"Line": [written("Debit"), written("Credit")]}));

    let item = books.list_items(ListAccountingItems::default()).await.unwrap().items.remove(0);
    assert_eq!(
        (item.unit_price.clone(), item.quantity_on_hand, item.kind.as_deref()),
        (dollars(27_500), Some(2.0), Some("Inventory"))
    );
    assert_eq!(books.get_item("5".into()).await.unwrap().revision.as_deref(), Some("2"));
    let new = NewAccountingItem { name: Some("Advice".into()), unit_price: dollars(5000), ..Default::default() };
    books.create_item(new).await.unwrap();
    assert_eq!(sent().json(), json!({"Name": "Advice", "Type": "Service", "UnitPrice": 50.0}));
    let patch = AccountingItemPatch { code: Some("A-1".into()), revision: item.revision, ..Default::default() };
    books.update_item("5".into(), patch).await.unwrap();
    assert_eq!(sent().json(), json!({"Id": "5", "SyncToken": "2", "sparse": true, "Sku": "A-1"}));
    assert_eq!(books.list_tax_rates(Paging::default()).await.unwrap().items[0].percent, Some(8.0));
});
