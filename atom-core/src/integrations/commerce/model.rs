//! What the commerce API takes and returns.

use crate::integrations::shared::Money;
use crate::{Json, RawRecord};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// Whether a product is on sale.
#[model]
pub enum ProductStatus {
    /// On sale.
    Active,
    /// Not yet.
    Draft,
    /// Not any more.
    Archived,
    /// A state of the provider's own: see `raw`.
    #[serde(other)]
    Other,
}

/// Something that a shop sells.
#[model]
pub struct ShopProduct {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// Its name.
    #[serde(default)]
    pub title: String,
    /// More about it, as HTML where the shop shows HTML.
    pub description: Option<String>,
    /// Whether it is on sale.
    pub status: Option<ProductStatus>,
    /// Who makes it.
    pub vendor: Option<String>,
    /// What sort of thing it is.
    pub kind: Option<String>,
    /// What its first variant costs.
    pub price: Option<Money>,
    /// Its number in the stock; of the first variant, where there are several.
    pub sku: Option<String>,
    /// How many there are.
    pub inventory: Option<i64>,
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
pub struct ShopProductPage {
    /// The products.
    pub items: Vec<ShopProduct>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which products to list.
#[model(default)]
pub struct ListProducts {
    /// Only those that have this text.
    pub search: Option<String>,
    /// Only those that changed after this moment.
    pub updated_after: Option<DateTime<Utc>>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A product to create.
#[model(default)]
pub struct NewShopProduct {
    /// Its name.
    pub title: String,
    /// More about it, as HTML where the shop shows HTML.
    pub description: Option<String>,
    /// Whether it is on sale.
    pub status: Option<ProductStatus>,
    /// Who makes it.
    pub vendor: Option<String>,
    /// What sort of thing it is.
    pub kind: Option<String>,
}

/// What to change of a product. What is left out stays as it is.
#[model(default)]
pub struct ShopProductPatch {
    /// Its name.
    pub title: Option<String>,
    /// More about it, as HTML where the shop shows HTML.
    pub description: Option<String>,
    /// Whether it is on sale.
    pub status: Option<ProductStatus>,
    /// Who makes it.
    pub vendor: Option<String>,
    /// What sort of thing it is.
    pub kind: Option<String>,
}

/// How an order is.
#[model]
pub enum OrderStatus {
    /// Being worked on.
    Open,
    /// Done.
    Closed,
    /// Given up.
    Cancelled,
    /// A state of the provider's own: see `raw`.
    #[serde(other)]
    Other,
}

/// Whether an order is paid.
#[model]
pub enum OrderPaymentStatus {
    /// To be paid.
    Pending,
    /// Paid.
    Paid,
    /// Paid in part.
    PartiallyPaid,
    /// All was given back.
    Refunded,
    /// Some was given back.
    PartiallyRefunded,
    /// It will not be paid.
    Voided,
    /// A state of the provider's own: see `raw`.
    #[serde(other)]
    Other,
}

/// Whether an order is sent.
#[model]
pub enum FulfilmentStatus {
    /// Nothing is sent.
    Unfulfilled,
    /// Some of it is sent.
    Partial,
    /// All of it is sent.
    Fulfilled,
    /// A state of the provider's own: see `raw`.
    #[serde(other)]
    Other,
}

/// One thing of an order.
#[model]
pub struct OrderLine {
    /// What it is.
    #[serde(default)]
    pub title: String,
    /// How many.
    pub quantity: Option<i64>,
    /// What one costs.
    pub price: Option<Money>,
    /// The product.
    pub product_id: Option<String>,
    /// Its number in the stock.
    pub sku: Option<String>,
}

/// What somebody bought.
#[model]
pub struct ShopOrder {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// The number that people see.
    pub number: Option<String>,
    /// How it is.
    pub status: Option<OrderStatus>,
    /// Whether it is paid.
    pub payment_status: Option<OrderPaymentStatus>,
    /// Whether it is sent.
    pub fulfilment_status: Option<FulfilmentStatus>,
    /// The whole sum.
    pub total: Option<Money>,
    /// Who bought it.
    pub customer_id: Option<String>,
    /// Where to write to.
    pub email: Option<String>,
    /// What was bought.
    #[serde(default)]
    pub lines: Vec<OrderLine>,
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

/// A page of orders.
#[model]
pub struct ShopOrderPage {
    /// The orders.
    pub items: Vec<ShopOrder>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which orders to list.
#[model(default)]
pub struct ListOrders {
    /// Only those that are so.
    pub status: Option<OrderStatus>,
    /// Only those that changed after this moment.
    pub updated_after: Option<DateTime<Utc>>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// Someone who buys.
#[model]
pub struct ShopCustomer {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// The whole name.
    pub name: Option<String>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
    /// How often they bought.
    pub orders_count: Option<i64>,
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
pub struct ShopCustomerPage {
    /// The customers.
    pub items: Vec<ShopCustomer>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which customers to list.
#[model(default)]
pub struct ListCustomers {
    /// Only those that have this text.
    pub search: Option<String>,
    /// Only those that changed after this moment.
    pub updated_after: Option<DateTime<Utc>>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A customer to create.
#[model(default)]
pub struct NewShopCustomer {
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
}

/// What to change of a customer. What is left out stays as it is.
#[model(default)]
pub struct ShopCustomerPatch {
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
}
