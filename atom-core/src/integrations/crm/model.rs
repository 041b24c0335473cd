//! What the CRM API takes and returns.

use crate::integrations::shared::Money;
use crate::{Json, RawRecord};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// A person that the account's owner deals with.
#[model]
pub struct CrmContact {
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
    /// What they are.
    pub job_title: Option<String>,
    /// The company they work for.
    pub company_id: Option<String>,
    /// Its name.
    pub company_name: Option<String>,
    /// Who looks after them.
    pub owner_id: Option<String>,
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

/// A page of contacts.
#[model]
pub struct CrmContactPage {
    /// The contacts.
    pub items: Vec<CrmContact>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which contacts to list.
#[model(default)]
pub struct ListContacts {
    /// Only those that have this text.
    pub search: Option<String>,
    /// Only those with this address.
    pub email: Option<String>,
    /// Only those that changed after this moment.
    pub updated_after: Option<DateTime<Utc>>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A contact to create.
#[model(default)]
pub struct NewCrmContact {
    /// The first name.
    pub first_name: Option<String>,
    /// The last name. Some providers need it.
    pub last_name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
    /// What they are.
    pub job_title: Option<String>,
    /// The company they work for.
    pub company_id: Option<String>,
    /// Who looks after them.
    pub owner_id: Option<String>,
}

/// What to change of a contact. What is left out stays as it is.
#[model(default)]
pub struct CrmContactPatch {
    /// The first name.
    pub first_name: Option<String>,
    /// The last name. Some providers need it.
    pub last_name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
    /// What they are.
    pub job_title: Option<String>,
    /// The company they work for.
    pub company_id: Option<String>,
    /// Who looks after them.
    pub owner_id: Option<String>,
}

/// A company that the account's owner deals with.
#[model]
pub struct CrmCompany {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// Its name.
    pub name: Option<String>,
    /// Its web domain or site.
    pub domain: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
    /// What it does, in the provider's words.
    pub industry: Option<String>,
    /// Who looks after it.
    pub owner_id: Option<String>,
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

/// A page of companies.
#[model]
pub struct CrmCompanyPage {
    /// The companies.
    pub items: Vec<CrmCompany>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which companies to list.
#[model(default)]
pub struct ListCompanies {
    /// Only those that have this text.
    pub search: Option<String>,
    /// Only those that changed after this moment.
    pub updated_after: Option<DateTime<Utc>>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A company to create.
#[model(default)]
pub struct NewCrmCompany {
    /// Its name. Some providers need it.
    pub name: Option<String>,
    /// Its web domain.
    pub domain: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
    /// What it does, in the provider's words.
    pub industry: Option<String>,
    /// Who looks after it.
    pub owner_id: Option<String>,
}

/// What to change of a company. What is left out stays as it is.
#[model(default)]
pub struct CrmCompanyPatch {
    /// Its name. Some providers need it.
    pub name: Option<String>,
    /// Its web domain.
    pub domain: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
    /// What it does, in the provider's words.
    pub industry: Option<String>,
    /// Who looks after it.
    pub owner_id: Option<String>,
}

/// How a deal goes.
#[model]
pub enum DealStatus {
    /// Not decided.
    Open,
    /// Closed with success.
    Won,
    /// Closed without.
    Lost,
    /// A state of the provider's own: see `raw`.
    #[serde(other)]
    Other,
}

/// A sale that is hoped for, or was made.
#[model]
pub struct CrmDeal {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// What it is about.
    pub name: Option<String>,
    /// What it is worth.
    pub amount: Option<Money>,
    /// The stage of the pipeline: its id or name, as a deal shows it.
    pub stage: Option<String>,
    /// The pipeline, likewise.
    pub pipeline: Option<String>,
    /// How it goes.
    pub status: Option<DealStatus>,
    /// How likely it is to be won, 0 to 100.
    pub probability: Option<f64>,
    /// When it is to be closed.
    pub closes_at: Option<DateTime<Utc>>,
    /// The company.
    pub company_id: Option<String>,
    /// The contact.
    pub contact_id: Option<String>,
    /// Who looks after it.
    pub owner_id: Option<String>,
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

/// A page of deals.
#[model]
pub struct CrmDealPage {
    /// The deals.
    pub items: Vec<CrmDeal>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which deals to list.
#[model(default)]
pub struct ListDeals {
    /// Only those that have this text.
    pub search: Option<String>,
    /// Only those in this stage.
    pub stage: Option<String>,
    /// Only those that changed after this moment.
    pub updated_after: Option<DateTime<Utc>>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A deal to create.
#[model(default)]
pub struct NewCrmDeal {
    /// What it is about. Some providers need it.
    pub name: Option<String>,
    /// What it is worth.
    pub amount: Option<Money>,
    /// The stage of the pipeline: its id or name, as a deal shows it.
    pub stage: Option<String>,
    /// The pipeline, likewise.
    pub pipeline: Option<String>,
    /// How it goes.
    pub status: Option<DealStatus>,
    /// How likely it is to be won, 0 to 100.
    pub probability: Option<f64>,
    /// When it is to be closed.
    pub closes_at: Option<DateTime<Utc>>,
    /// The company.
    pub company_id: Option<String>,
    /// The contact.
    pub contact_id: Option<String>,
    /// Who looks after it.
    pub owner_id: Option<String>,
}

/// What to change of a deal. What is left out stays as it is.
#[model(default)]
pub struct CrmDealPatch {
    /// What it is about. Some providers need it.
    pub name: Option<String>,
    /// What it is worth.
    pub amount: Option<Money>,
    /// The stage of the pipeline: its id or name, as a deal shows it.
    pub stage: Option<String>,
    /// The pipeline, likewise.
    pub pipeline: Option<String>,
    /// How it goes.
    pub status: Option<DealStatus>,
    /// How likely it is to be won, 0 to 100.
    pub probability: Option<f64>,
    /// When it is to be closed.
    pub closes_at: Option<DateTime<Utc>>,
    /// The company.
    pub company_id: Option<String>,
    /// The contact.
    pub contact_id: Option<String>,
    /// Who looks after it.
    pub owner_id: Option<String>,
}
