//! The Stripe of `emulate`, and `localstripe`, which refuses what Stripe's API does not know.
//!
//! | where they do less than Stripe | what is done |
//! | --- | --- |
//! | neither has Connect | accounts are connected by their key |
//! | neither has `GET /v1/account` | the scripts answer it |
//! | `emulate` keeps no `phone` of a customer | it is written to `localstripe` only |
//! | `emulate` has no invoices, subscriptions and refunds | those are tested on `localstripe` |

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
        let page = payments.list_customers(ListPaymentCustomers { page_size: Some(2), cursor, ..Default::default() }).await.unwrap();
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
        let payment = NewPayment {
            amount: euro(amount),
            customer_id: Some(customer.id.clone()),
            description: Some("An axle".into()),
        };
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
