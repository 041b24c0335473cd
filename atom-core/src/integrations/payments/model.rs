//! What the payments API takes and returns.

use crate::integrations::shared::Money;
use crate::{Json, RawRecord};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// Someone who pays.
#[model]
pub struct PaymentCustomer {
    /// The provider's id: pass it as `customer_id`.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// The name.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
    /// More about them.
    pub description: Option<String>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// Where a person opens it.
    pub web_url: Option<String>,
    /// Whether it is deleted or in the bin.
    #[serde(default)]
    pub deleted: bool,
    /// Fields that the account's owner or an app has added.
    pub custom_fields: Option<Json>,
    /// The provider's own record.
    pub raw: RawRecord,
}

/// A page of customers.
#[model]
pub struct PaymentCustomerPage {
    /// The customers.
    pub items: Vec<PaymentCustomer>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which customers to list.
#[model(default)]
pub struct ListPaymentCustomers {
    /// Only those with this address.
    pub email: Option<String>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A customer to create.
#[model(default)]
pub struct NewPaymentCustomer {
    /// The name.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
    /// More about them.
    pub description: Option<String>,
}

/// What to change of a customer. What is left out stays as it is.
#[model(default)]
pub struct PaymentCustomerPatch {
    /// The name.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
    /// More about them.
    pub description: Option<String>,
}

/// How far a payment or refund is.
#[model]
pub enum PaymentStatus {
    /// Nothing has happened.
    Pending,
    /// Somebody has to do something: confirm it, sign in at the bank.
    RequiresAction,
    /// On the way.
    Processing,
    /// Done.
    Succeeded,
    /// It did not work.
    Failed,
    /// It will not happen.
    Cancelled,
    /// A state of the provider's own: see `raw`.
    #[serde(other)]
    Other,
}

/// Money that is paid.
#[model]
pub struct Payment {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// How much.
    pub amount: Option<Money>,
    /// How far it is.
    pub status: Option<PaymentStatus>,
    /// Who pays.
    pub customer_id: Option<String>,
    /// What for.
    pub description: Option<String>,
    /// How much was given back.
    pub refunded: Option<Money>,
    /// The receipt.
    pub receipt_url: Option<String>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// Where a person opens it.
    pub web_url: Option<String>,
    /// Whether it is deleted or in the bin.
    #[serde(default)]
    pub deleted: bool,
    /// Fields that the account's owner or an app has added.
    pub custom_fields: Option<Json>,
    /// The provider's own record.
    pub raw: RawRecord,
}

/// A page of payments.
#[model]
pub struct PaymentPage {
    /// The payments.
    pub items: Vec<Payment>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which payments to list.
#[model(default)]
pub struct ListPayments {
    /// Only those of this customer.
    pub customer_id: Option<String>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A payment to begin.
#[model]
pub struct NewPayment {
    /// How much.
    pub amount: Money,
    /// Who pays.
    pub customer_id: Option<String>,
    /// What for.
    pub description: Option<String>,
}

/// How far an invoice is.
#[model]
pub enum InvoiceStatus {
    /// Being written.
    Draft,
    /// Sent, and to be paid.
    Open,
    /// Paid.
    Paid,
    /// Withdrawn.
    Void,
    /// Not expected to be paid.
    Uncollectible,
    /// A state of the provider's own: see `raw`.
    #[serde(other)]
    Other,
}

/// A demand for payment.
#[model]
pub struct PaymentInvoice {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// The number on it.
    pub number: Option<String>,
    /// How far it is.
    pub status: Option<InvoiceStatus>,
    /// Who is to pay.
    pub customer_id: Option<String>,
    /// The whole sum.
    pub total: Option<Money>,
    /// What is still to be paid.
    pub amount_due: Option<Money>,
    /// Until when.
    pub due_at: Option<DateTime<Utc>>,
    /// The document.
    pub pdf_url: Option<String>,
    /// The subscription it is for.
    pub subscription_id: Option<String>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// Where a person opens it.
    pub web_url: Option<String>,
    /// Whether it is deleted or in the bin.
    #[serde(default)]
    pub deleted: bool,
    /// Fields that the account's owner or an app has added.
    pub custom_fields: Option<Json>,
    /// The provider's own record.
    pub raw: RawRecord,
}

/// A page of invoices.
#[model]
pub struct PaymentInvoicePage {
    /// The invoices.
    pub items: Vec<PaymentInvoice>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which invoices to list.
#[model(default)]
pub struct ListInvoices {
    /// Only those of this customer.
    pub customer_id: Option<String>,
    /// Only those in this state.
    pub status: Option<InvoiceStatus>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// An invoice to write.
#[model(default)]
pub struct NewPaymentInvoice {
    /// Who is to pay.
    pub customer_id: String,
    /// What for.
    pub description: Option<String>,
    /// Until when.
    pub due_at: Option<DateTime<Utc>>,
}

/// How a subscription is.
#[model]
pub enum SubscriptionStatus {
    /// It runs.
    Active,
    /// It is being tried.
    Trialing,
    /// A payment is late.
    PastDue,
    /// It rests.
    Paused,
    /// It has ended.
    Cancelled,
    /// Its first payment is missing.
    Incomplete,
    /// A state of the provider's own: see `raw`.
    #[serde(other)]
    Other,
}

/// A payment that comes again.
#[model]
pub struct PaymentSubscription {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// How it is.
    pub status: Option<SubscriptionStatus>,
    /// Who pays.
    pub customer_id: Option<String>,
    /// Until when it is paid.
    pub current_period_ends_at: Option<DateTime<Utc>>,
    /// When it will end.
    pub cancels_at: Option<DateTime<Utc>>,
    /// What it costs: the provider's id of the price.
    pub price_id: Option<String>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// Where a person opens it.
    pub web_url: Option<String>,
    /// Whether it is deleted or in the bin.
    #[serde(default)]
    pub deleted: bool,
    /// Fields that the account's owner or an app has added.
    pub custom_fields: Option<Json>,
    /// The provider's own record.
    pub raw: RawRecord,
}

/// A page of subscriptions.
#[model]
pub struct PaymentSubscriptionPage {
    /// The subscriptions.
    pub items: Vec<PaymentSubscription>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which subscriptions to list.
#[model(default)]
pub struct ListSubscriptions {
    /// Only those of this customer.
    pub customer_id: Option<String>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// Money to give back.
#[model(default)]
pub struct NewRefund {
    /// The payment.
    pub payment_id: String,
    /// How much. Default: all of it.
    pub amount: Option<Money>,
    /// Why, in the provider's words: `requested_by_customer`.
    pub reason: Option<String>,
}

/// Money that is given back.
#[model]
pub struct PaymentRefund {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// The payment.
    pub payment_id: Option<String>,
    /// How much.
    pub amount: Option<Money>,
    /// How far it is.
    pub status: Option<PaymentStatus>,
    /// Why.
    pub reason: Option<String>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// Where a person opens it.
    pub web_url: Option<String>,
    /// Whether it is deleted or in the bin.
    #[serde(default)]
    pub deleted: bool,
    /// Fields that the account's owner or an app has added.
    pub custom_fields: Option<Json>,
    /// The provider's own record.
    pub raw: RawRecord,
}

/// Something that is sold.
#[model]
pub struct PaymentProduct {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// More about it.
    pub description: Option<String>,
    /// Whether it is on sale.
    #[serde(default)]
    pub is_active: bool,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// Where a person opens it.
    pub web_url: Option<String>,
    /// Whether it is deleted or in the bin.
    #[serde(default)]
    pub deleted: bool,
    /// Fields that the account's owner or an app has added.
    pub custom_fields: Option<Json>,
    /// The provider's own record.
    pub raw: RawRecord,
}

/// A page of products.
#[model]
pub struct PaymentProductPage {
    /// The products.
    pub items: Vec<PaymentProduct>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// A product to create.
#[model(default)]
pub struct NewPaymentProduct {
    /// Its name.
    pub name: String,
    /// More about it.
    pub description: Option<String>,
}
