use super::*;

async fn shop(vendor: &Vendor) -> Connection {
    let who = json!({"data": {"shop": {"id": "gid://shopify/Shop/1", "name": "Acme", "email": "ada@example.com", "myshopifyDomain": "acme.myshopify.com", "currencyCode": "EUR"}}});
    let connection = vendor.connect("access_token", &[("token", "shpat_1"), ("shop", "acme")], &[who]).await;
    assert_eq!(vendor.asked().headers["x-shopify-access-token"], "shpat_1");
    assert_eq!(vendor.asked_for(), "POST /admin/api/2026-10/graphql.json");
    connection
}

on_both!(shopify_orders_have_lines_and_their_state_is_put_together, |database| async move {
    let vendor = Vendor::new(&database, "shopify").await;
    let commerce = shop(&vendor).await.commerce();
    let price = |amount: &str| json!({"shopMoney": {"amount": amount, "currencyCode": "EUR"}});
    let order = json!({
        "id": "gid://shopify/Order/1", "name": "#1001", "closed": false, "cancelledAt": null, "displayFinancialStatus": "PAID",
        "displayFulfillmentStatus": "IN_PROGRESS", "totalPriceSet": price("19.99"),
        "lineItems": {"nodes": [{"title": "Engine", "quantity": 2, "originalUnitPriceSet": price("9.995"), "product": {"id": "p1"}}]}
    });
    vendor.says(&json!({"data": {"orders": {"nodes": [order], "pageInfo": {"hasNextPage": false, "endCursor": null}}}}));
    let after = Some("2026-11-21T08:00:00Z".parse().unwrap());
    let page = commerce
        .list_orders(ListOrders { status: Some(OrderStatus::Open), updated_after: after, ..Default::default() })
        .await
        .unwrap();
    assert_eq!(vendor.asked().json()["variables"]["query"], "status:open AND updated_at:>'2026-11-21T08:00:00Z'");
    let order = &page.items[0];
    assert_eq!(
        (order.status, order.payment_status, order.fulfilment_status),
        (Some(OrderStatus::Open), Some(OrderPaymentStatus::Paid), Some(FulfilmentStatus::Partial))
    );
    assert_eq!(order.total, Some(Money { minor_units: 1999, currency: "EUR".into() }));
    assert_eq!((order.lines[0].quantity, order.lines[0].price.as_ref().map(|price| price.minor_units)), (Some(2), Some(999)));
});

on_both!(a_refusal_of_shopify_stands_among_the_users_errors, |database| async move {
    let vendor = Vendor::new(&database, "shopify").await;
    let commerce = shop(&vendor).await.commerce();
    vendor.says(&json!({"data": {"productCreate": {"product": null, "userErrors": [{"field": ["title"], "message": "Title can't be blank"}]}}}));
    let error = commerce
        .create_product(NewShopProduct { title: " ".into(), status: Some(ProductStatus::Draft), ..Default::default() })
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind(), ErrorKind::Provider);
    assert_eq!(vendor.asked().json()["variables"], json!({"product": {"title": " ", "status": "DRAFT"}}));
    vendor.says(&json!({"data": {"product": null}}));
    assert_eq!(commerce.get_product("gid://shopify/Product/1".into()).await.err().unwrap().kind(), ErrorKind::NotFound);
});

on_both!(a_callback_that_shopify_did_not_sign_is_refused_before_the_code_is_sent, |database| async move {
    let vendor = Vendor::new(&database, "shopify").await;
    let connections = vendor.scope.connections();
    let callback = |state: &str, secret: &str| {
        let mut pairs =
            vec![("code", "c0de"), ("host", "YWRtaW4="), ("shop", "acme.myshopify.com"), ("state", state), ("timestamp", "1")];
        let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        let tag = ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes()), text.as_bytes());
        let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        pairs.insert(1, ("hmac", &hex));
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        format!("https://app.example.com/callback?{query}")
    };
    let begin = || async {
        let inputs = Some([("shop".to_owned(), "acme".to_owned())].into());
        let url = connections.start(StartConnection { inputs, ..start("shopify") }).await.unwrap().url;
        url.split_once("state=").unwrap().1.split('&').next().unwrap().to_owned()
    };
    let asked = vendor.receiver.received().len();
    let state = begin().await;
    let unsigned = format!("https://app.example.com/callback?code=c0de&state={state}");
    for wrong in [unsigned, callback(&begin().await, "other"), callback(&begin().await, "secret").replace("c0de", "c1de")] {
        assert_eq!(connections.complete(wrong).await.err().unwrap().reason(), "callback_signature_wrong");
    }
    assert_eq!(vendor.receiver.received().len(), asked, "the code was sent nowhere");
    vendor.says(&json!({"access_token": "t1", "refresh_token": "r1", "expires_in": 3600, "scope": "read_products"}));
    vendor.says(&json!({"data": {"shop": {"id": "gid://shopify/Shop/1", "name": "Acme", "email": "ada@example.com", "myshopifyDomain": "acme.myshopify.com", "currencyCode": "EUR"}}}));
    connections.complete(callback(&begin().await, "secret")).await.unwrap();
});
