//! Commerce: one shape for products, orders and customers of a shop.

mod model;

pub use model::{
    FulfilmentStatus, ListCustomers, ListOrders, ListProducts, NewShopCustomer, NewShopProduct, OrderLine, OrderPaymentStatus,
    OrderStatus, ProductStatus, ShopCustomer, ShopCustomerPage, ShopCustomerPatch, ShopOrder, ShopOrderPage, ShopProduct,
    ShopProductPage, ShopProductPatch,
};

use super::engine;
use super::shared::{MAX_PAGE, changed};
use crate::Result;
use crate::connect::Connection;
use atom_macros::{api, handle};
use serde_json::json;

/// The shop of a connected account.
///
/// Where the provider lacks an operation or an input, a call fails with `unsupported` before anything is sent. `not_found`,
/// `conflict`, `rate_limited` (wait for `retry_after`), `reauth_required` (connect the account again), `unavailable` (call again
/// later) and `provider` (change the input) are what the provider itself says.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let (_atom, connection) = atom_core::testing::example().await?;
/// use atom_core::{ListProducts, NewShopProduct, ProductStatus, ShopProductPatch};
///
/// let shop = connection.commerce();
/// let loom = NewShopProduct { title: "Loom".into(), status: Some(ProductStatus::Draft), ..Default::default() };
/// let loom = shop.create_product(loom).await?;
/// let on_sale = ShopProductPatch { status: Some(ProductStatus::Active), ..Default::default() };
/// shop.update_product(loom.id, on_sale).await?;
///
/// let products = shop.list_products(ListProducts::default()).await?;
/// assert!(matches!(products.items[0].status, Some(ProductStatus::Active)));
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Commerce {
    pub(crate) connection: Connection,
}

#[api]
impl Commerce {
    /// Lists products, a page at a time.
    pub async fn list_products(&self, filter: ListProducts) -> Result<ShopProductPage> {
        let page = engine::list(&self.connection, "commerce.list_products", MAX_PAGE, &filter).await?;
        Ok(ShopProductPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One product.
    pub async fn get_product(&self, id: String) -> Result<ShopProduct> {
        engine::one(&self.connection, "commerce.get_product", &json!({ "id": id })).await
    }

    /// Creates a product. Repeating the call creates another, unless the provider recognizes the repetition.
    pub async fn create_product(&self, product: NewShopProduct) -> Result<ShopProduct> {
        engine::one(&self.connection, "commerce.create_product", &product).await
    }

    /// Changes a product: only what is given.
    pub async fn update_product(&self, id: String, changes: ShopProductPatch) -> Result<ShopProduct> {
        engine::one(&self.connection, "commerce.update_product", &changed(&id, &changes)?).await
    }

    /// Deletes a product.
    pub async fn delete_product(&self, id: String) -> Result<()> {
        engine::done(&self.connection, "commerce.delete_product", &json!({ "id": id })).await
    }

    /// Lists orders, a page at a time.
    pub async fn list_orders(&self, filter: ListOrders) -> Result<ShopOrderPage> {
        let page = engine::list(&self.connection, "commerce.list_orders", MAX_PAGE, &filter).await?;
        Ok(ShopOrderPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One order.
    pub async fn get_order(&self, id: String) -> Result<ShopOrder> {
        engine::one(&self.connection, "commerce.get_order", &json!({ "id": id })).await
    }

    /// Lists customers, a page at a time.
    pub async fn list_customers(&self, filter: ListCustomers) -> Result<ShopCustomerPage> {
        let page = engine::list(&self.connection, "commerce.list_customers", MAX_PAGE, &filter).await?;
        Ok(ShopCustomerPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One customer.
    pub async fn get_customer(&self, id: String) -> Result<ShopCustomer> {
        engine::one(&self.connection, "commerce.get_customer", &json!({ "id": id })).await
    }

    /// Creates a customer. Repeating the call creates another, unless the provider recognizes the repetition.
    pub async fn create_customer(&self, customer: NewShopCustomer) -> Result<ShopCustomer> {
        engine::one(&self.connection, "commerce.create_customer", &customer).await
    }

    /// Changes a customer: only what is given.
    pub async fn update_customer(&self, id: String, changes: ShopCustomerPatch) -> Result<ShopCustomer> {
        engine::one(&self.connection, "commerce.update_customer", &changed(&id, &changes)?).await
    }

    /// Deletes a customer.
    pub async fn delete_customer(&self, id: String) -> Result<()> {
        engine::done(&self.connection, "commerce.delete_customer", &json!({ "id": id })).await
    }
}
