//! CRM: one shape for contacts, companies and deals.

mod model;

pub use model::{
    CrmCompany, CrmCompanyPage, CrmCompanyPatch, CrmContact, CrmContactPage, CrmContactPatch, CrmDeal, CrmDealPage, CrmDealPatch,
    DealStatus, ListCompanies, ListContacts, ListDeals, NewCrmCompany, NewCrmContact, NewCrmDeal,
};

use super::engine;
use super::shared::{MAX_PAGE, changed};
use crate::Result;
use crate::connect::Connection;
use atom_macros::{api, handle};
use serde_json::json;

/// The contacts, companies and deals of a connected account.
///
/// Where the provider lacks an operation or an input, a call fails with `unsupported` before anything is sent. `not_found`,
/// `conflict`, `rate_limited` (wait for `retry_after`), `reauth_required` (connect the account again), `unavailable` (call again
/// later) and `provider` (change the input) are what the provider itself says.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let (_atom, connection) = atom_core::testing::example().await?;
/// use atom_core::{CrmDealPatch, ListDeals, Money, NewCrmContact, NewCrmDeal};
///
/// let crm = connection.crm();
/// let ada = crm.create_contact(NewCrmContact { first_name: Some("Ada".into()), ..Default::default() }).await?;
/// let amount = Some(Money { minor_units: 125_000, currency: "EUR".into() });
/// let deal = NewCrmDeal { name: Some("Engine".into()), contact_id: Some(ada.id), amount, ..Default::default() };
/// let deal = crm.create_deal(deal).await?;
/// crm.update_deal(deal.id, CrmDealPatch { stage: Some("won".into()), ..Default::default() }).await?;
///
/// let won = crm.list_deals(ListDeals { stage: Some("won".into()), ..Default::default() }).await?;
/// assert_eq!(won.items[0].name.as_deref(), Some("Engine"));
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Crm {
    pub(crate) connection: Connection,
}

#[api]
impl Crm {
    /// Lists contacts, a page at a time.
    pub async fn list_contacts(&self, filter: ListContacts) -> Result<CrmContactPage> {
        let page = engine::list(&self.connection, "crm.list_contacts", MAX_PAGE, &filter).await?;
        Ok(CrmContactPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One contact.
    pub async fn get_contact(&self, id: String) -> Result<CrmContact> {
        engine::one(&self.connection, "crm.get_contact", &json!({ "id": id })).await
    }

    /// Creates a contact. Repeating the call creates another, unless the provider recognizes the repetition.
    pub async fn create_contact(&self, contact: NewCrmContact) -> Result<CrmContact> {
        engine::one(&self.connection, "crm.create_contact", &contact).await
    }

    /// Changes a contact: only what is given.
    pub async fn update_contact(&self, id: String, changes: CrmContactPatch) -> Result<CrmContact> {
        engine::one(&self.connection, "crm.update_contact", &changed(&id, &changes)?).await
    }

    /// Deletes a contact.
    pub async fn delete_contact(&self, id: String) -> Result<()> {
        engine::done(&self.connection, "crm.delete_contact", &json!({ "id": id })).await
    }

    /// Lists companies, a page at a time.
    pub async fn list_companies(&self, filter: ListCompanies) -> Result<CrmCompanyPage> {
        let page = engine::list(&self.connection, "crm.list_companies", MAX_PAGE, &filter).await?;
        Ok(CrmCompanyPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One company.
    pub async fn get_company(&self, id: String) -> Result<CrmCompany> {
        engine::one(&self.connection, "crm.get_company", &json!({ "id": id })).await
    }

    /// Creates a company. Repeating the call creates another, unless the provider recognizes the repetition.
    pub async fn create_company(&self, company: NewCrmCompany) -> Result<CrmCompany> {
        engine::one(&self.connection, "crm.create_company", &company).await
    }

    /// Changes a company: only what is given.
    pub async fn update_company(&self, id: String, changes: CrmCompanyPatch) -> Result<CrmCompany> {
        engine::one(&self.connection, "crm.update_company", &changed(&id, &changes)?).await
    }

    /// Deletes a company.
    pub async fn delete_company(&self, id: String) -> Result<()> {
        engine::done(&self.connection, "crm.delete_company", &json!({ "id": id })).await
    }

    /// Lists deals, a page at a time.
    pub async fn list_deals(&self, filter: ListDeals) -> Result<CrmDealPage> {
        let page = engine::list(&self.connection, "crm.list_deals", MAX_PAGE, &filter).await?;
        Ok(CrmDealPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One deal.
    pub async fn get_deal(&self, id: String) -> Result<CrmDeal> {
        engine::one(&self.connection, "crm.get_deal", &json!({ "id": id })).await
    }

    /// Creates a deal. Repeating the call creates another, unless the provider recognizes the repetition.
    pub async fn create_deal(&self, deal: NewCrmDeal) -> Result<CrmDeal> {
        engine::one(&self.connection, "crm.create_deal", &deal).await
    }

    /// Changes a deal: only what is given.
    pub async fn update_deal(&self, id: String, changes: CrmDealPatch) -> Result<CrmDeal> {
        engine::one(&self.connection, "crm.update_deal", &changed(&id, &changes)?).await
    }

    /// Deletes a deal.
    pub async fn delete_deal(&self, id: String) -> Result<()> {
        engine::done(&self.connection, "crm.delete_deal", &json!({ "id": id })).await
    }
}
