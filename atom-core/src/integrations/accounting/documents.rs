//! Invoices and bills.

use crate::integrations::shared::Money;
use crate::{Json, RawRecord};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// How far an invoice or bill is.
#[model]
pub enum AccountingInvoiceStatus {
    /// Being written.
    Draft,
    /// Waiting for approval.
    Submitted,
    /// Approved or sent, and to be paid.
    Open,
    /// Paid in part.
    PartiallyPaid,
    /// Paid.
    Paid,
    /// Withdrawn.
    Void,
    /// A state of the provider's own: see `raw`.
    #[serde(other)]
    Other,
}

/// One line of an invoice or a bill.
#[model(default)]
pub struct AccountingLine {
    /// The provider's id of the line.
    pub id: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// How many.
    pub quantity: Option<f64>,
    /// What one costs, without tax unless the document says otherwise.
    pub unit_price: Option<Money>,
    /// The sum of the line.
    pub total: Option<Money>,
    /// The item that is sold or bought.
    pub item_id: Option<String>,
    /// The account it is booked to.
    pub account_id: Option<String>,
    /// The tax rate: its id or code, as the provider's lines show it.
    pub tax_rate_id: Option<String>,
    /// The classes, cost centres or tracking categories that it counts for.
    pub tracking_ids: Option<Vec<String>>,
}

/// A demand for payment to a customer.
#[model]
pub struct AccountingInvoice {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// The number on it.
    pub number: Option<String>,
    /// How far it is.
    pub status: Option<AccountingInvoiceStatus>,
    /// The customer.
    pub contact_id: Option<String>,
    /// Their name.
    pub contact_name: Option<String>,
    /// The day it bears, at its beginning in UTC.
    pub issued_at: Option<DateTime<Utc>>,
    /// The day by which it is to be paid, at its beginning in UTC.
    pub due_at: Option<DateTime<Utc>>,
    /// When it was paid in full.
    pub paid_at: Option<DateTime<Utc>>,
    /// Its currency (ISO 4217), in capitals.
    pub currency: Option<String>,
    /// How much of the company's base currency one unit of its currency is worth.
    pub exchange_rate: Option<f64>,
    /// What it is made of. On a change, the whole new list.
    #[serde(default)]
    pub lines: Vec<AccountingLine>,
    /// The sum without tax.
    pub subtotal: Option<Money>,
    /// What is taken off the whole of it.
    pub discount: Option<Money>,
    /// The tax.
    pub tax: Option<Money>,
    /// The whole sum.
    pub total: Option<Money>,
    /// What is still to be paid.
    pub balance: Option<Money>,
    /// The payments for it.
    #[serde(default)]
    pub payment_ids: Vec<String>,
    /// A text for whoever gets it.
    pub note: Option<String>,
    /// Which version of the record this is; some providers want it with a change.
    pub revision: Option<String>,
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
pub struct AccountingInvoicePage {
    /// The invoices.
    pub items: Vec<AccountingInvoice>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which invoices to list.
#[model(default)]
pub struct ListAccountingInvoices {
    /// Only those of this contact.
    pub contact_id: Option<String>,
    /// Only those in this state.
    pub status: Option<AccountingInvoiceStatus>,
    /// Only those that changed after this moment.
    pub updated_after: Option<DateTime<Utc>>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// An invoice to write.
#[model(default)]
pub struct NewAccountingInvoice {
    /// The number on it.
    pub number: Option<String>,
    /// The customer.
    pub contact_id: String,
    /// The day it bears, at its beginning in UTC.
    pub issued_at: Option<DateTime<Utc>>,
    /// The day by which it is to be paid, at its beginning in UTC.
    pub due_at: Option<DateTime<Utc>>,
    /// Its currency (ISO 4217), in capitals.
    pub currency: Option<String>,
    /// What it is made of. On a change, the whole new list.
    pub lines: Vec<AccountingLine>,
    /// A text for whoever gets it.
    pub note: Option<String>,
}

/// What to change of an invoice. What is left out stays as it is.
#[model(default)]
pub struct AccountingInvoicePatch {
    /// The number on it.
    pub number: Option<String>,
    /// The customer.
    pub contact_id: Option<String>,
    /// The day it bears, at its beginning in UTC.
    pub issued_at: Option<DateTime<Utc>>,
    /// The day by which it is to be paid, at its beginning in UTC.
    pub due_at: Option<DateTime<Utc>>,
    /// Its currency (ISO 4217), in capitals.
    pub currency: Option<String>,
    /// What it is made of. On a change, the whole new list.
    pub lines: Option<Vec<AccountingLine>>,
    /// A text for whoever gets it.
    pub note: Option<String>,
    /// The version that is changed, as it was read; some providers need it.
    pub revision: Option<String>,
}

/// A demand for payment from a vendor.
#[model]
pub struct AccountingBill {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// The number on it.
    pub number: Option<String>,
    /// How far it is.
    pub status: Option<AccountingInvoiceStatus>,
    /// The vendor.
    pub contact_id: Option<String>,
    /// Their name.
    pub contact_name: Option<String>,
    /// The day it bears, at its beginning in UTC.
    pub issued_at: Option<DateTime<Utc>>,
    /// The day by which it is to be paid, at its beginning in UTC.
    pub due_at: Option<DateTime<Utc>>,
    /// When it was paid in full.
    pub paid_at: Option<DateTime<Utc>>,
    /// Its currency (ISO 4217), in capitals.
    pub currency: Option<String>,
    /// How much of the company's base currency one unit of its currency is worth.
    pub exchange_rate: Option<f64>,
    /// What it is made of. On a change, the whole new list.
    #[serde(default)]
    pub lines: Vec<AccountingLine>,
    /// The sum without tax.
    pub subtotal: Option<Money>,
    /// What is taken off the whole of it.
    pub discount: Option<Money>,
    /// The tax.
    pub tax: Option<Money>,
    /// The whole sum.
    pub total: Option<Money>,
    /// What is still to be paid.
    pub balance: Option<Money>,
    /// The payments for it.
    #[serde(default)]
    pub payment_ids: Vec<String>,
    /// A text for whoever gets it.
    pub note: Option<String>,
    /// Which version of the record this is; some providers want it with a change.
    pub revision: Option<String>,
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

/// A page of bills.
#[model]
pub struct AccountingBillPage {
    /// The bills.
    pub items: Vec<AccountingBill>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which bills to list.
#[model(default)]
pub struct ListAccountingBills {
    /// Only those of this contact.
    pub contact_id: Option<String>,
    /// Only those in this state.
    pub status: Option<AccountingInvoiceStatus>,
    /// Only those that changed after this moment.
    pub updated_after: Option<DateTime<Utc>>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A bill to enter.
#[model(default)]
pub struct NewAccountingBill {
    /// The number on it.
    pub number: Option<String>,
    /// The vendor.
    pub contact_id: String,
    /// The day it bears, at its beginning in UTC.
    pub issued_at: Option<DateTime<Utc>>,
    /// The day by which it is to be paid, at its beginning in UTC.
    pub due_at: Option<DateTime<Utc>>,
    /// Its currency (ISO 4217), in capitals.
    pub currency: Option<String>,
    /// What it is made of. On a change, the whole new list.
    pub lines: Vec<AccountingLine>,
    /// A text for whoever gets it.
    pub note: Option<String>,
}

/// What to change of a bill. What is left out stays as it is.
#[model(default)]
pub struct AccountingBillPatch {
    /// The number on it.
    pub number: Option<String>,
    /// The vendor.
    pub contact_id: Option<String>,
    /// The day it bears, at its beginning in UTC.
    pub issued_at: Option<DateTime<Utc>>,
    /// The day by which it is to be paid, at its beginning in UTC.
    pub due_at: Option<DateTime<Utc>>,
    /// Its currency (ISO 4217), in capitals.
    pub currency: Option<String>,
    /// What it is made of. On a change, the whole new list.
    pub lines: Option<Vec<AccountingLine>>,
    /// A text for whoever gets it.
    pub note: Option<String>,
    /// The version that is changed, as it was read; some providers need it.
    pub revision: Option<String>,
}
