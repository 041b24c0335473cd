use super::*;

async fn ada(vendor: &Vendor) -> Connection {
    let authorization = vendor.scope.connections().start(start("zoho")).await.unwrap();
    vendor.says(&json!({"access_token": "1000.a", "refresh_token": "1000.r", "api_domain": "https://www.zohoapis.eu", "expires_in": 3600}));
    vendor.says(&json!({"ZUID": 7, "Email": "ada@example.com", "Display_Name": "Ada"}));
    vendor.says(&json!({"org": [{"iso_code": "EUR", "zgid": "90", "company_name": "Acme"}]}));
    let state = authorization.url.split_once("state=").unwrap().1.split('&').next().unwrap();
    let callback = format!(
        "https://app.example.com/callback?code=c0de&location=eu&accounts-server=https%3A%2F%2Faccounts.zoho.eu&state={state}"
    );
    let connection = vendor.scope.connections().complete(callback).await.unwrap();
    assert_eq!(
        (vendor.asked_for().as_str(), &*vendor.asked().headers["authorization"]),
        ("GET /crm/v8/org", "Zoho-oauthtoken 1000.a")
    );
    connection
}

on_both!(a_zoho_deal_is_written_into_a_list_and_read_again, |database| async move {
    let vendor = Vendor::new(&database, "zoho").await;
    let crm = ada(&vendor).await.crm();
    vendor.answers(201, "", &json!({"data": [{"code": "SUCCESS", "details": {"id": "7"}, "status": "success"}]}).to_string());
    vendor.says(&json!({"data": [{"id": "7", "Deal_Name": "Engine", "Amount": 1999.5, "Stage": "Closed Won", "Closing_Date": "2026-12-01"}]}));
    let amount = Money { minor_units: 199_950, currency: "EUR".into() };
    let new = NewCrmDeal {
        name: Some("Engine".into()),
        amount: Some(amount.clone()),
        company_id: Some("9".into()),
        ..Default::default()
    };
    let deal = crm.create_deal(new).await.unwrap();
    assert_eq!((deal.amount, deal.status), (Some(amount), Some(DealStatus::Won)));
    let written = vendor.receiver.received().iter().rev().nth(1).unwrap().json();
    assert_eq!(written, json!({"data": [{"Deal_Name": "Engine", "Amount": 1999.5, "Account_Name": {"id": "9"}}]}));
});

on_both!(zoho_has_nothing_to_say_where_nothing_is, |database| async move {
    let vendor = Vendor::new(&database, "zoho").await;
    let crm = ada(&vendor).await.crm();
    vendor.answers(204, "", "");
    assert!(crm.list_contacts(ListContacts { search: Some("x".into()), ..Default::default() }).await.unwrap().items.is_empty());
    vendor.answers(
        202,
        "",
        &json!({"data": [{"code": "INVALID_DATA", "details": {"api_name": "id"}, "status": "error"}]}).to_string(),
    );
    assert!(crm.delete_contact("none".into()).await.is_err());
});
