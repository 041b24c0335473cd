use super::*;

async fn acme(vendor: &Vendor) -> Connection {
    let who =
        json!({"id": "acct_1", "email": "ada@example.com", "country": "GB", "settings": {"dashboard": {"display_name": "Acme"}}});
    vendor.connect("secret_key", &[("key", "sk_test_1")], &[who]).await
}

on_both!(a_stripe_payment_is_a_form_with_a_key_that_makes_it_repeatable, |database| async move {
    let vendor = Vendor::new(&database, "stripe").await;
    let payments = acme(&vendor).await.payments();
    vendor.answers(503, "", "{}");
    vendor.says(&json!({"id": "pi_1", "amount": 1999, "currency": "eur", "status": "requires_payment_method", "customer": "cus_1", "created": 1_700_000_000}));
    let amount = Money { minor_units: 1999, currency: "EUR".into() };
    let payment = payments
        .create_payment(NewPayment { amount: amount.clone(), customer_id: Some("cus_1".into()), description: None })
        .await
        .unwrap();
    assert_eq!((payment.amount, payment.status), (Some(amount), Some(PaymentStatus::Pending)));
    let asked = vendor.receiver.received();
    let [first, second] = &asked[asked.len() - 2..] else { panic!("two attempts") };
    assert_eq!(text(first), "amount=1999&currency=eur&customer=cus_1");
    assert_eq!(first.headers["idempotency-key"], second.headers["idempotency-key"]);
    assert_eq!(first.headers["stripe-version"], "2026-10-28.endive");
});

on_both!(stripe_lists_go_on_after_their_last_item, |database| async move {
    let vendor = Vendor::new(&database, "stripe").await;
    let payments = acme(&vendor).await.payments();
    vendor.says(&json!({"object": "list", "data": [{"id": "cus_1", "name": "Bob", "metadata": {"a": "b"}}], "has_more": true}));
    let page = payments.list_customers(ListPaymentCustomers::default()).await.unwrap();
    assert_eq!(page.items[0].custom_fields, Some(Json(json!({"a": "b"}))));
    vendor.says(&json!({"object": "list", "data": [], "has_more": false}));
    let next = payments.list_customers(ListPaymentCustomers { cursor: page.next_cursor, ..Default::default() }).await.unwrap();
    assert!(vendor.asked_for().contains("starting_after=cus_1"));
    assert_eq!(next.next_cursor, None);
});
