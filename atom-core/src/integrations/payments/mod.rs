//! Payments: one shape for customers, payments, invoices and subscriptions.

mod model;

pub use model::{
    InvoiceStatus, ListInvoices, ListPaymentCustomers, ListPayments, ListSubscriptions, NewPayment, NewPaymentCustomer,
    NewPaymentInvoice, NewPaymentProduct, NewRefund, Payment, PaymentCustomer, PaymentCustomerPage, PaymentCustomerPatch,
    PaymentInvoice, PaymentInvoicePage, PaymentPage, PaymentProduct, PaymentProductPage, PaymentRefund, PaymentStatus,
    PaymentSubscription, PaymentSubscriptionPage, SubscriptionStatus,
};

use super::engine;
use super::shared::{MAX_PAGE, Paging, changed};
use crate::Result;
use crate::connect::Connection;
use atom_macros::{api, handle};
use serde_json::json;

/// The payments of a connected account.
///
/// Where the provider lacks an operation or an input, a call fails with `unsupported` before anything is sent. `not_found`,
/// `conflict`, `rate_limited` (wait for `retry_after`), `reauth_required` (connect the account again), `unavailable` (call again
/// later) and `provider` (change the input) are what the provider itself says.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let (_atom, connection) = atom_core::testing::example().await?;
/// use atom_core::{ListPayments, Money, NewPayment, NewPaymentCustomer, NewRefund};
///
/// let payments = connection.payments();
/// let ada = payments.create_customer(NewPaymentCustomer { name: Some("Ada".into()), ..Default::default() }).await?;
/// let amount = Money { minor_units: 1999, currency: "EUR".into() };
/// let payment = NewPayment { amount, customer_id: Some(ada.id.clone()), description: None };
/// let payment = payments.create_payment(payment).await?;
/// payments.refund(NewRefund { payment_id: payment.id, ..Default::default() }).await?;
///
/// let of_ada = payments.list_payments(ListPayments { customer_id: Some(ada.id), ..Default::default() }).await?;
/// assert_eq!(of_ada.items[0].amount.as_ref().map(|amount| amount.minor_units), Some(1999));
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Payments {
    pub(crate) connection: Connection,
}

#[api]
impl Payments {
    /// Lists customers, a page at a time.
    pub async fn list_customers(&self, filter: ListPaymentCustomers) -> Result<PaymentCustomerPage> {
        let page = engine::list(&self.connection, "payments.list_customers", MAX_PAGE, &filter).await?;
        Ok(PaymentCustomerPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One customer.
    pub async fn get_customer(&self, id: String) -> Result<PaymentCustomer> {
        engine::one(&self.connection, "payments.get_customer", &json!({ "id": id })).await
    }

    /// Creates a customer.
    pub async fn create_customer(&self, customer: NewPaymentCustomer) -> Result<PaymentCustomer> {
        engine::one(&self.connection, "payments.create_customer", &customer).await
    }

    /// Changes a customer: only what is given.
    pub async fn update_customer(&self, id: String, changes: PaymentCustomerPatch) -> Result<PaymentCustomer> {
        engine::one(&self.connection, "payments.update_customer", &changed(&id, &changes)?).await
    }

    /// Deletes a customer, and ends what runs for them.
    pub async fn delete_customer(&self, id: String) -> Result<()> {
        engine::done(&self.connection, "payments.delete_customer", &json!({ "id": id })).await
    }

    /// Lists payments, newest first, a page at a time.
    pub async fn list_payments(&self, filter: ListPayments) -> Result<PaymentPage> {
        let page = engine::list(&self.connection, "payments.list_payments", MAX_PAGE, &filter).await?;
        Ok(PaymentPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One payment.
    pub async fn get_payment(&self, id: String) -> Result<Payment> {
        engine::one(&self.connection, "payments.get_payment", &json!({ "id": id })).await
    }

    /// Begins a payment. Atom repeats it only where the provider takes an idempotency key;
    /// a call that the host repeats counts again.
    pub async fn create_payment(&self, payment: NewPayment) -> Result<Payment> {
        engine::one(&self.connection, "payments.create_payment", &payment).await
    }

    /// Cancels a payment that is not done.
    pub async fn cancel_payment(&self, id: String) -> Result<Payment> {
        engine::one(&self.connection, "payments.cancel_payment", &json!({ "id": id })).await
    }

    /// Lists invoices, newest first, a page at a time.
    pub async fn list_invoices(&self, filter: ListInvoices) -> Result<PaymentInvoicePage> {
        let page = engine::list(&self.connection, "payments.list_invoices", MAX_PAGE, &filter).await?;
        Ok(PaymentInvoicePage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One invoice.
    pub async fn get_invoice(&self, id: String) -> Result<PaymentInvoice> {
        engine::one(&self.connection, "payments.get_invoice", &json!({ "id": id })).await
    }

    /// Writes an invoice, as a draft.
    pub async fn create_invoice(&self, invoice: NewPaymentInvoice) -> Result<PaymentInvoice> {
        engine::one(&self.connection, "payments.create_invoice", &invoice).await
    }

    /// Lists subscriptions, newest first, a page at a time.
    pub async fn list_subscriptions(&self, filter: ListSubscriptions) -> Result<PaymentSubscriptionPage> {
        let page = engine::list(&self.connection, "payments.list_subscriptions", MAX_PAGE, &filter).await?;
        Ok(PaymentSubscriptionPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One subscription.
    pub async fn get_subscription(&self, id: String) -> Result<PaymentSubscription> {
        engine::one(&self.connection, "payments.get_subscription", &json!({ "id": id })).await
    }

    /// Ends a subscription at once.
    pub async fn cancel_subscription(&self, id: String) -> Result<PaymentSubscription> {
        engine::one(&self.connection, "payments.cancel_subscription", &json!({ "id": id })).await
    }

    /// Gives money back. Atom repeats it only where the provider takes an idempotency key;
    /// a call that the host repeats counts again.
    pub async fn refund(&self, refund: NewRefund) -> Result<PaymentRefund> {
        engine::one(&self.connection, "payments.refund", &refund).await
    }

    /// Lists products, a page at a time.
    pub async fn list_products(&self, filter: Paging) -> Result<PaymentProductPage> {
        let page = engine::list(&self.connection, "payments.list_products", MAX_PAGE, &filter).await?;
        Ok(PaymentProductPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One product.
    pub async fn get_product(&self, id: String) -> Result<PaymentProduct> {
        engine::one(&self.connection, "payments.get_product", &json!({ "id": id })).await
    }

    /// Creates a product.
    pub async fn create_product(&self, product: NewPaymentProduct) -> Result<PaymentProduct> {
        engine::one(&self.connection, "payments.create_product", &product).await
    }
}
