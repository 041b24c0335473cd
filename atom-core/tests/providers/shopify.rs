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
