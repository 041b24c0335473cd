//! The company and whom it deals with.

use crate::integrations::shared::Money;
use crate::{Json, RawRecord};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// A customer, a vendor, or both.
#[model]
pub struct AccountingContact {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// The name to show.
    pub name: Option<String>,
    /// The company.
    pub company_name: Option<String>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
    /// Whether invoices are written to them.
    #[serde(default)]
    pub is_customer: bool,
    /// Whether bills come from them.
    #[serde(default)]
    pub is_vendor: bool,
    /// Their tax number.
    pub tax_number: Option<String>,
    /// The currency they are dealt with in (ISO 4217), in capitals.
    pub currency: Option<String>,
    /// What they owe, where the provider says so.
    pub balance: Option<Money>,
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

/// A page of contacts.
#[model]
pub struct AccountingContactPage {
    /// The contacts.
    pub items: Vec<AccountingContact>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which contacts to list.
#[model(default)]
pub struct ListAccountingContacts {
    /// Only those that have this text.
    pub search: Option<String>,
    /// Only customers.
    pub is_customer: Option<bool>,
    /// Only vendors.
    pub is_vendor: Option<bool>,
    /// Only those that changed after this moment.
    pub updated_after: Option<DateTime<Utc>>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A contact to create.
#[model(default)]
pub struct NewAccountingContact {
    /// The name to show.
    pub name: Option<String>,
    /// The company.
    pub company_name: Option<String>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
    /// Whether invoices are written to them.
    pub is_customer: Option<bool>,
    /// Whether bills come from them.
    pub is_vendor: Option<bool>,
    /// Their tax number.
    pub tax_number: Option<String>,
    /// The currency they are dealt with in (ISO 4217), in capitals.
    pub currency: Option<String>,
}

/// What to change of a contact. What is left out stays as it is.
#[model(default)]
pub struct AccountingContactPatch {
    /// The name to show.
    pub name: Option<String>,
    /// The company.
    pub company_name: Option<String>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
    /// Whether invoices are written to them.
    pub is_customer: Option<bool>,
    /// Whether bills come from them.
    pub is_vendor: Option<bool>,
    /// Their tax number.
    pub tax_number: Option<String>,
    /// The currency they are dealt with in (ISO 4217), in capitals.
    pub currency: Option<String>,
    /// The version that is changed, as it was read; some providers need it.
    pub revision: Option<String>,
}

/// The company whose books these are.
#[model]
pub struct AccountingCompany {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// The name it trades under.
    pub name: Option<String>,
    /// The name in the register.
    pub legal_name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
    /// The country, as the provider writes it.
    pub country: Option<String>,
    /// The currency of its books (ISO 4217), in capitals.
    pub base_currency: Option<String>,
    /// Its tax number.
    pub tax_number: Option<String>,
    /// The month in which its year begins, 1 to 12.
    pub fiscal_year_start_month: Option<i64>,
    /// Its time zone, as the provider writes it.
    pub time_zone: Option<String>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// Where a person opens it.
    pub web_url: Option<String>,
    /// Fields that the account's owner or an app has added.
    pub custom_fields: Option<Json>,
    /// The provider's own record.
    pub raw: RawRecord,
}
