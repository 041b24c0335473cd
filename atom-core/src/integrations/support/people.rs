//! Who asks, and who answers.

use crate::{Json, RawRecord};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// Somebody who asks.
#[model]
pub struct SupportContact {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// The whole name.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
    /// The id that the account's owner has given them.
    pub external_id: Option<String>,
    /// The organization they belong to.
    pub organization_id: Option<String>,
    /// Their tags. On a change, the whole new list.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Their time zone, as the provider writes it.
    pub time_zone: Option<String>,
    /// Whether what they write is put aside.
    #[serde(default)]
    pub is_suspended: bool,
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
pub struct SupportContactPage {
    /// The contacts.
    pub items: Vec<SupportContact>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which contacts to list.
#[model(default)]
pub struct ListSupportContacts {
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
pub struct NewSupportContact {
    /// The whole name.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
    /// The id that the account's owner has given them.
    pub external_id: Option<String>,
    /// The organization they belong to.
    pub organization_id: Option<String>,
    /// Their tags. On a change, the whole new list.
    pub tags: Option<Vec<String>>,
}

/// What to change of a contact. What is left out stays as it is.
#[model(default)]
pub struct SupportContactPatch {
    /// The whole name.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
    /// The id that the account's owner has given them.
    pub external_id: Option<String>,
    /// The organization they belong to.
    pub organization_id: Option<String>,
    /// Their tags. On a change, the whole new list.
    pub tags: Option<Vec<String>>,
}

/// Somebody who answers.
#[model]
pub struct SupportAgent {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// The whole name.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// What they may do, in the provider's words: `admin`.
    pub role: Option<String>,
    /// Whether they work there now.
    pub is_active: Option<bool>,
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

/// A page of agents.
#[model]
pub struct SupportAgentPage {
    /// The agents.
    pub items: Vec<SupportAgent>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Agents who share tickets.
#[model]
pub struct SupportGroup {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// Its name.
    pub name: Option<String>,
    /// More about it.
    pub description: Option<String>,
    /// The agents in it, where the provider says so.
    #[serde(default)]
    pub agent_ids: Vec<String>,
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

/// A page of groups.
#[model]
pub struct SupportGroupPage {
    /// The groups.
    pub items: Vec<SupportGroup>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}
