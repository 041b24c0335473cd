use super::*;

async fn acme(vendor: &Vendor) -> Connection {
    let who = json!({"portalId": 62515, "uiDomain": "app.hubspot.com", "companyCurrency": "EUR"});
    vendor.connect("private_app", &[("token", "pat-eu1-00000000-0000-0000-0000-000000000000")], &[who]).await
}

on_both!(hubspot_contacts_are_found_by_filters_that_are_given_and_no_others, |database| async move {
    let vendor = Vendor::new(&database, "hubspot").await;
    let crm = acme(&vendor).await.crm();
    let contact = json!({"id": "51", "properties": {"firstname": "Ada", "lastname": "Lovelace", "email": "ada@example.com"}, "createdAt": "2026-11-21T08:00:00Z", "archived": false});
    vendor.says(&json!({"total": 2, "results": [contact], "paging": {"next": {"after": "1"}}}));
    let filter = ListContacts { email: Some("ada@example.com".into()), page_size: Some(1), ..Default::default() };
    let page = crm.list_contacts(filter).await.unwrap();
    assert_eq!(vendor.asked_for(), "POST /crm/v3/objects/contacts/search");
    let asked = vendor.asked().json();
    assert_eq!(
        asked["filterGroups"],
        json!([{"filters": [{"propertyName": "email", "operator": "EQ", "value": "ada@example.com"}]}])
    );
    assert_eq!((&asked["limit"], asked.get("query")), (&json!(1), None));
    assert_eq!((page.items[0].name.as_deref(), page.next_cursor.is_some()), (Some("Ada Lovelace"), true));
});

on_both!(a_hubspot_deal_is_in_the_accounts_currency_and_belongs_to_a_company, |database| async move {
    let vendor = Vendor::new(&database, "hubspot").await;
    let crm = acme(&vendor).await.crm();
    vendor.says(&json!({"id": "7", "properties": {}}));
    let properties = json!({"dealname": "Engine", "amount": "1999.5", "hs_is_closed": "true", "hs_is_closed_won": "true", "hs_deal_stage_probability": "1.0"});
    vendor.says(&json!({"id": "7", "properties": properties, "archived": false}));
    let amount = Money { minor_units: 199_950, currency: "EUR".into() };
    let new = NewCrmDeal {
        name: Some("Engine".into()),
        amount: Some(amount.clone()),
        company_id: Some("9".into()),
        ..Default::default()
    };
    let deal = crm.create_deal(new).await.unwrap();
    assert_eq!((deal.amount, deal.status, deal.probability), (Some(amount), Some(DealStatus::Won), Some(100.0)));
    let written = vendor.receiver.received().iter().rev().nth(1).unwrap().json();
    assert_eq!(written["properties"], json!({"dealname": "Engine", "amount": "1999.50"}), "the account knows no other currency");
    assert_eq!((&written["associations"][0]["to"]["id"], written["associations"].as_array().unwrap().len()), (&json!("9"), 1));
});
