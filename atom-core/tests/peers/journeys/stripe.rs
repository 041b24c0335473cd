//! The Stripe of `emulate`, and `localstripe`, which refuses what Stripe's API does not know.
//!
//! | where they do less than Stripe | what is done |
//! | --- | --- |
//! | neither has Connect | accounts are connected by their key |
//! | neither has `GET /v1/account` | the scripts answer it |
//! | `emulate` keeps no `phone` of a customer | it is written to `localstripe` only |
//! | `emulate` has no invoices, subscriptions and refunds | those are tested on `localstripe` |
//! | `localstripe` refuses the `description` of a payment, and lists payments of all customers only | those are tested on `emulate` |
//! | `localstripe` makes invoices of subscriptions only, and cannot finalize them | those of a subscription are read; `payments.create_invoice` is not tested |
//! | `localstripe` refuses the `reason` of a refund, and has no prices | neither is tested |

use super::*;
use crate::peers::skipped;

async fn connected(place: &Place, scope: &Scope) -> Connection {
    let connection = place.connect(scope, "secret_key", &[("key", "sk_test_ada")]).await.unwrap();
    let account = connection.account().await.unwrap();
    assert_eq!((account.account_id.as_str(), account.email.as_deref()), ("acct_ada", Some("ada@example.com")));
    assert_eq!(account.facts["country"], "GB");
    connection
}

fn euro(minor_units: i64) -> Money {
    Money { minor_units, currency: "EUR".into() }
}

/// Customers and payments, as both servers have them.
async fn customers(payments: &Payments, phone: Option<&str>) -> PaymentCustomer {
    // `emulate` has one of its own.
    for other in payments.list_customers(ListPaymentCustomers::default()).await.unwrap().items {
        payments.delete_customer(other.id).await.unwrap();
    }
    let mut created = Vec::new();
    for name in ["Charles", "Mary & Ada <both>", "naïve – 数"] {
        let customer = NewPaymentCustomer {
            name: Some(name.into()),
            email: Some(format!("{}@example.com", created.len())),
            phone: phone.map(str::to_owned),
            description: Some("50% off + more".into()),
        };
        let customer = payments.create_customer(customer).await.unwrap();
        assert_eq!((customer.name.as_deref(), customer.phone.as_deref()), (Some(name), phone));
        assert_eq!((customer.description.as_deref(), customer.created_at.is_some()), (Some("50% off + more"), true));
        assert_eq!(payments.get_customer(customer.id.clone()).await.unwrap(), customer);
        created.push(customer);
    }
    let listed = pages(async |cursor| {
        let page =
            payments.list_customers(ListPaymentCustomers { page_size: Some(2), cursor, ..Default::default() }).await.unwrap();
        (page.items, page.next_cursor)
    })
    .await;
    assert_eq!(sizes(&listed), [2, 1]);
    let ids = |customers: &[PaymentCustomer]| customers.iter().map(|customer| customer.id.clone()).collect::<BTreeSet<_>>();
    assert_eq!(ids(&listed.concat()), ids(&created));
    let filter = ListPaymentCustomers { email: Some("1@example.com".into()), ..Default::default() };
    assert_eq!(payments.list_customers(filter).await.unwrap().items, [created[1].clone()]);

    let changes = PaymentCustomerPatch { name: Some("Charles B.".into()), ..Default::default() };
    let changed = payments.update_customer(created[0].id.clone(), changes).await.unwrap();
    assert_eq!((changed.name.as_deref(), &changed.email), (Some("Charles B."), &created[0].email));
    assert_eq!((&changed.description, &changed.phone), (&created[0].description, &created[0].phone));
    assert_eq!(payments.get_customer(changed.id.clone()).await.unwrap(), changed);

    payments.delete_customer(created[2].id.clone()).await.unwrap();
    let left = payments.list_customers(ListPaymentCustomers::default()).await.unwrap().items;
    assert_eq!(ids(&left), ids(&[changed.clone(), created[1].clone()]));
    changed
}

on_both!(customers_and_payments_are_created_listed_changed_and_ended, |database| async move {
    let Some(place) = Place::start("stripe", "stripe.mjs", "ca_atom") else { return skipped() };
    let (_atom, scope) = place.scope(&database).await;
    let connection = connected(&place, &scope).await;
    let payments = connection.payments();
    let customer = customers(&payments, None).await;
    let missing = payments.get_customer("cus_none".into()).await.err().unwrap();
    assert_eq!((missing.kind(), missing.status()), (ErrorKind::NotFound, Some(404)));

    let mut created = Vec::new();
    for amount in [1250, 99, 100_000] {
        let payment =
            NewPayment { amount: euro(amount), customer_id: Some(customer.id.clone()), description: Some("An axle".into()) };
        let payment = payments.create_payment(payment).await.unwrap();
        assert_eq!((payment.amount.as_ref(), payment.status), (Some(&euro(amount)), Some(PaymentStatus::Pending)));
        assert_eq!((payment.customer_id.as_ref(), payment.description.as_deref()), (Some(&customer.id), Some("An axle")));
        assert_eq!(payments.get_payment(payment.id.clone()).await.unwrap(), payment);
        created.push(payment);
    }
    let of_customer = ListPayments { customer_id: Some(customer.id.clone()), page_size: Some(2), ..Default::default() };
    let listed = pages(async |cursor| {
        let page = payments.list_payments(ListPayments { cursor, ..of_customer.clone() }).await.unwrap();
        (page.items, page.next_cursor)
    })
    .await;
    assert_eq!(sizes(&listed), [2, 1]);
    created.reverse();
    assert_eq!(listed.concat(), created, "the newest first");
    let ended = payments.cancel_payment(created[0].id.clone()).await.unwrap();
    assert_eq!((&ended.id, ended.status), (&created[0].id, Some(PaymentStatus::Cancelled)));
    assert_eq!(payments.get_payment(ended.id.clone()).await.unwrap(), ended);
    let again = payments.cancel_payment(ended.id).await.err().unwrap();
    assert_eq!((again.kind(), again.status()), (ErrorKind::Invalid, Some(400)));
    assert!(again.to_string().contains("payment_intent_unexpected_state"), "{again}");

    for name in ["Axle", "Cog", "Wheel"] {
        let product = NewPaymentProduct { name: name.into(), description: Some("Of brass".into()) };
        let product = payments.create_product(product).await.unwrap();
        assert_eq!((product.name.as_str(), product.description.as_deref(), product.is_active), (name, Some("Of brass"), true));
        assert_eq!(payments.get_product(product.id.clone()).await.unwrap(), product);
    }
    let products = pages(async |cursor| {
        let page = payments.list_products(Paging { page_size: Some(2), cursor }).await.unwrap();
        (page.items, page.next_cursor)
    })
    .await;
    assert_eq!(sizes(&products), [2, 1]);
    was_whole("stripe::customers_and_payments_are_created_listed_changed_and_ended", &connection).await;
});

/// A request that no operation makes.
async fn post(connection: &Connection, path: &str, form: &str) -> serde_json::Value {
    let request = RawRequest {
        method: "POST".into(),
        url: format!("https://api.stripe.com/v1/{path}"),
        headers: Some(std::collections::HashMap::from([("content-type".into(), "application/x-www-form-urlencoded".into())])),
        content: Some(form.as_bytes().into()),
        ..Default::default()
    };
    let answer = connection.request(request).await.unwrap();
    assert_eq!(answer.status, 200, "{path}");
    answer.json.unwrap().0
}

/// The card of the customer that is charged.
async fn card(connection: &Connection, customer: &str) -> String {
    let card = "type=card&card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2040&card[cvc]=123";
    let card = post(connection, "payment_methods", card).await["id"].as_str().unwrap().to_owned();
    post(connection, &format!("payment_methods/{card}/attach"), &format!("customer={customer}")).await;
    let settings = format!("invoice_settings[default_payment_method]={card}");
    post(connection, &format!("customers/{customer}"), &settings).await;
    card
}

on_both!(customers_pay_are_refunded_and_subscribe, |database| async move {
    let Some(place) = Place::start("stripe", "localstripe_server.py", "ca_atom") else { return skipped() };
    let (_atom, scope) = place.scope(&database).await;
    let connection = connected(&place, &scope).await;
    let payments = connection.payments();
    let customer = customers(&payments, Some("+44 20 7946 0000")).await;
    let card = card(&connection, &customer.id).await;

    let form = format!("amount=1250&currency=eur&customer={}&payment_method={card}&confirm=true", customer.id);
    let id = post(&connection, "payment_intents", &form).await["id"].as_str().unwrap().to_owned();
    let paid = payments.get_payment(id.clone()).await.unwrap();
    assert_eq!((paid.status, paid.customer_id.as_ref()), (Some(PaymentStatus::Succeeded), Some(&customer.id)));
    assert_eq!((paid.amount, paid.refunded), (Some(euro(1250)), Some(euro(0))));
    let back = NewRefund { payment_id: id.clone(), amount: Some(euro(250)), reason: None };
    let refund = payments.refund(back).await.unwrap();
    assert_eq!((refund.payment_id.as_ref(), refund.amount), (Some(&id), Some(euro(250))));
    assert_eq!((refund.status, refund.created_at.is_some()), (Some(PaymentStatus::Succeeded), true));
    assert_eq!(payments.get_payment(id).await.unwrap().refunded, Some(euro(250)));

    let plan = post(&connection, "plans", "amount=700&currency=eur&interval=month&product[name]=Axle").await;
    let form = format!("customer={}&items[0][plan]={}", customer.id, plan["id"].as_str().unwrap());
    let mut created = BTreeSet::new();
    for _ in 0..3 {
        let subscription = post(&connection, "subscriptions", &form).await["id"].as_str().unwrap().to_owned();
        let known = payments.get_subscription(subscription.clone()).await.unwrap();
        assert_eq!((known.status, known.customer_id.as_ref()), (Some(SubscriptionStatus::Active), Some(&customer.id)));
        created.insert(subscription);
    }
    let first = created.first().unwrap().clone();
    let cancelled = payments.cancel_subscription(first.clone()).await.unwrap();
    assert_eq!((&cancelled.id, cancelled.status), (&first, Some(SubscriptionStatus::Cancelled)));
    let of_customer = ListSubscriptions { customer_id: Some(customer.id.clone()), page_size: Some(2), ..Default::default() };
    let listed = pages(async |cursor| {
        let filter = ListSubscriptions { cursor, ..of_customer.clone() };
        let page = payments.list_subscriptions(filter).await.unwrap();
        (page.items, page.next_cursor)
    })
    .await;
    assert_eq!(sizes(&listed), [2, 1], "those that have ended too");
    assert_eq!(listed.concat().into_iter().map(|subscription| subscription.id).collect::<BTreeSet<_>>(), created);

    let of_customer = ListInvoices { customer_id: Some(customer.id.clone()), page_size: Some(2), ..Default::default() };
    let invoices = pages(async |cursor| {
        let page = payments.list_invoices(ListInvoices { cursor, ..of_customer.clone() }).await.unwrap();
        (page.items, page.next_cursor)
    })
    .await;
    assert_eq!(sizes(&invoices), [2, 1]);
    for invoice in invoices.concat() {
        assert_eq!((invoice.status, invoice.customer_id.as_ref()), (Some(InvoiceStatus::Paid), Some(&customer.id)));
        assert_eq!(invoice.total, Some(euro(700)));
        assert_eq!(payments.get_invoice(invoice.id.clone()).await.unwrap(), invoice);
    }
    was_whole("stripe::customers_pay_are_refunded_and_subscribe", &connection).await;
});
