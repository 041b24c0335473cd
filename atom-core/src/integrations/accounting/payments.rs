//! Payments, and what is sold and bought.

use crate::integrations::shared::Money;
use crate::{Json, RawRecord};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// Money that was received for an invoice, or paid for a bill.
#[model]
pub struct AccountingPayment {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// How much.
    pub amount: Option<Money>,
    /// The day, at its beginning in UTC.
    pub paid_at: Option<DateTime<Utc>>,
    /// Who paid, or was paid.
    pub contact_id: Option<String>,
    /// The invoice; of several, the first.
    pub invoice_id: Option<String>,
    /// The bill; of several, the first.
    pub bill_id: Option<String>,
    /// The account that the money is on.
    pub account_id: Option<String>,
    /// A text that tells it apart, such as the number of a transfer.
    pub reference: Option<String>,
    /// How much of the base currency one unit is worth.
    pub exchange_rate: Option<f64>,
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
pub struct AccountingPaymentPage {
    /// The payments.
    pub items: Vec<AccountingPayment>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which payments to list.
#[model(default)]
pub struct ListAccountingPayments {
    /// Only those of this contact.
    pub contact_id: Option<String>,
    /// Only those for this invoice.
    pub invoice_id: Option<String>,
    /// Only those that changed after this moment.
    pub updated_after: Option<DateTime<Utc>>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A payment to enter.
#[model(default)]
pub struct NewAccountingPayment {
    /// How much.
    pub amount: Money,
    /// The day, at its beginning in UTC.
    pub paid_at: Option<DateTime<Utc>>,
    /// Who paid, or was paid.
    pub contact_id: Option<String>,
    /// The invoice; of several, the first.
    pub invoice_id: Option<String>,
    /// The bill; of several, the first.
    pub bill_id: Option<String>,
    /// The account that the money is on.
    pub account_id: Option<String>,
    /// A text that tells it apart, such as the number of a transfer.
    pub reference: Option<String>,
}

/// Something that is sold or bought.
#[model]
pub struct AccountingItem {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// Its name.
    pub name: Option<String>,
    /// Its number, such as a SKU.
    pub code: Option<String>,
    /// What sort of item it is, in the provider's words: `Service`.
    pub kind: Option<String>,
    /// More about it.
    pub description: Option<String>,
    /// What one is sold for.
    pub unit_price: Option<Money>,
    /// What one is bought for.
    pub purchase_price: Option<Money>,
    /// The account that sales are booked to.
    pub income_account_id: Option<String>,
    /// The account that purchases are booked to.
    pub expense_account_id: Option<String>,
    /// Whether it is in use.
    #[serde(default)]
    pub is_active: bool,
    /// How many there are, where the provider counts them.
    pub quantity_on_hand: Option<f64>,
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

/// A page of items.
#[model]
pub struct AccountingItemPage {
    /// The items.
    pub items: Vec<AccountingItem>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which items to list.
#[model(default)]
pub struct ListAccountingItems {
    /// Only those that have this text.
    pub search: Option<String>,
    /// Only those that changed after this moment.
    pub updated_after: Option<DateTime<Utc>>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// An item to create.
#[model(default)]
pub struct NewAccountingItem {
    /// Its name.
    pub name: Option<String>,
    /// Its number, such as a SKU.
    pub code: Option<String>,
    /// What sort of item it is, in the provider's words: `Service`. Default: as the provider does.
    pub kind: Option<String>,
    /// More about it.
    pub description: Option<String>,
    /// What one is sold for.
    pub unit_price: Option<Money>,
    /// What one is bought for.
    pub purchase_price: Option<Money>,
    /// The account that sales are booked to.
    pub income_account_id: Option<String>,
    /// The account that purchases are booked to.
    pub expense_account_id: Option<String>,
}

/// What to change of an item. What is left out stays as it is.
#[model(default)]
pub struct AccountingItemPatch {
    /// Its name.
    pub name: Option<String>,
    /// Its number, such as a SKU.
    pub code: Option<String>,
    /// More about it.
    pub description: Option<String>,
    /// What one is sold for.
    pub unit_price: Option<Money>,
    /// What one is bought for.
    pub purchase_price: Option<Money>,
    /// The account that sales are booked to.
    pub income_account_id: Option<String>,
    /// The account that purchases are booked to.
    pub expense_account_id: Option<String>,
    /// The version that is changed, as it was read; some providers need it.
    pub revision: Option<String>,
}
