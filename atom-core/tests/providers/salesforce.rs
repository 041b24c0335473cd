use super::*;

async fn ada(vendor: &Vendor) -> Connection {
    let tokens = json!({"access_token": "t1", "refresh_token": "r1", "instance_url": "https://acme.my.salesforce.com", "scope": "api refresh_token"});
    let who = json!({"user_id": "005", "organization_id": "00D", "email": "ada@example.com", "name": "Ada"});
    let (connection, url) = vendor.consent(&[tokens, who]).await;
    assert!(url.contains("/services/oauth2/authorize?"), "{url}");
    connection
}

on_both!(salesforce_contacts_are_asked_for_in_soql_and_go_on_at_a_path, |database| async move {
    let vendor = Vendor::new(&database, "salesforce").await;
    let crm = ada(&vendor).await.crm();
    let contact = json!({"Id": "003", "Name": "Ada Lovelace", "Account": {"Name": "Acme"}, "CreatedDate": "2026-11-21T08:00:00.000+0000", "IsDeleted": false});
    vendor.says(
        &json!({"totalSize": 2, "done": false, "nextRecordsUrl": "/services/data/v65.0/query/01g-2000", "records": [contact]}),
    );
    let filter = ListContacts { search: Some("O'Hara".into()), ..Default::default() };
    let page = crm.list_contacts(filter.clone()).await.unwrap();
    let asked = vendor.asked_for();
    assert!(asked.contains("/services/data/v65.0/query?q=SELECT"), "{asked}");
    assert!(asked.contains("O%5C%27Hara"), "a quote stays inside: {asked}");
    let contact = &page.items[0];
    assert_eq!(
        (contact.company_name.as_deref(), contact.web_url.as_deref()),
        (Some("Acme"), Some("https://acme.my.salesforce.com/003"))
    );
    vendor.says(&json!({"done": true, "records": []}));
    crm.list_contacts(ListContacts { cursor: page.next_cursor, ..filter }).await.unwrap();
    assert_eq!(vendor.asked_for(), "GET /services/data/v65.0/query/01g-2000");
});

on_both!(a_salesforce_record_is_changed_and_read_again, |database| async move {
    let vendor = Vendor::new(&database, "salesforce").await;
    let crm = ada(&vendor).await.crm();
    vendor.answers(204, "", "");
    vendor.says(&json!({"Id": "006", "Name": "Engine", "StageName": "Prospecting", "IsClosed": false, "IsWon": false, "CloseDate": "2026-12-01"}));
    let changes = CrmDealPatch { closes_at: Some("2026-12-01T10:00:00Z".parse().unwrap()), ..Default::default() };
    let deal = crm.update_deal("006".into(), changes).await.unwrap();
    assert_eq!((deal.status, deal.closes_at), (Some(DealStatus::Open), Some("2026-12-01T00:00:00Z".parse().unwrap())));
    let written = vendor.receiver.received().iter().rev().nth(1).unwrap().clone();
    assert_eq!((written.method.as_str(), written.json()), ("PATCH", json!({"CloseDate": "2026-12-01"})));

    vendor.answers(400, "", &json!([{"errorCode": "DUPLICATES_DETECTED", "message": "ada@example.com is there"}]).to_string());
    let error =
        crm.create_contact(NewCrmContact { last_name: Some("Lovelace".into()), ..Default::default() }).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(!error.to_string().contains("ada@"));
});

on_both!(a_signed_document_tells_where_the_organization_is, |database| async move {
    let vendor = Vendor::new(&database, "salesforce").await;
    let tokens = json!({"access_token": "t1", "instance_url": "https://acme.my.salesforce.com", "scope": "api"});
    let who = json!({"user_id": "005", "organization_id": "00D", "email": "ada@example.com", "name": "Ada"});
    let key = private_key();
    let fields = [("client_id", "c"), ("username", "ada@example.com"), ("private_key", key.as_str())];
    let connection = vendor.connect("jwt", &fields, &[tokens, who]).await;
    let account = connection.account().await.unwrap();
    assert_eq!(account.facts["instance_url"], "https://acme.my.salesforce.com");
    vendor.says(&json!({"done": true, "records": []}));
    connection.crm().list_contacts(ListContacts::default()).await.unwrap();
    assert!(vendor.asked_for().starts_with("GET /services/data/"), "{}", vendor.asked_for());
});
