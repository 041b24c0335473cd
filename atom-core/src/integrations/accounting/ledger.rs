//! The chart of accounts, bookings and taxes.

use crate::integrations::shared::Money;
use crate::{Json, RawRecord};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// What an account is for.
#[model]
pub enum AccountClass {
    /// What the company has.
    Asset,
    /// What it owes.
    Liability,
    /// What belongs to its owners.
    Equity,
    /// What comes in.
    Revenue,
    /// What it spends.
    Expense,
    /// A state of the provider's own: see `raw`.
    #[serde(other)]
    Other,
}

/// An account of the chart of accounts.
#[model]
pub struct LedgerAccount {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// Its name.
    pub name: Option<String>,
    /// Its number in the chart.
    pub code: Option<String>,
    /// More about it.
    pub description: Option<String>,
    /// What it is for.
    pub classification: Option<AccountClass>,
    /// What sort of account it is, in the provider's words.
    pub kind: Option<String>,
    /// Its currency (ISO 4217), in capitals.
    pub currency: Option<String>,
    /// What is on it.
    pub balance: Option<Money>,
    /// The account it is part of.
    pub parent_id: Option<String>,
    /// Whether it is in use.
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

/// A page of accounts.
#[model]
pub struct LedgerAccountPage {
    /// The accounts.
    pub items: Vec<LedgerAccount>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which accounts to list.
#[model(default)]
pub struct ListLedgerAccounts {
    /// Only those that changed after this moment.
    pub updated_after: Option<DateTime<Utc>>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// One side of a booking.
#[model(default)]
pub struct JournalLine {
    /// The account.
    pub account_id: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// What is booked on the debit side; none where it is on the credit side.
    pub debit: Option<Money>,
    /// What is booked on the credit side; none where it is on the debit side.
    pub credit: Option<Money>,
    /// The contact it has to do with.
    pub contact_id: Option<String>,
    /// The tax rate.
    pub tax_rate_id: Option<String>,
}

/// A booking that was made by hand.
#[model]
pub struct JournalEntry {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// Its number.
    pub number: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The day of the booking, at its beginning in UTC.
    pub booked_at: Option<DateTime<Utc>>,
    /// Whether it counts: a draft does not.
    #[serde(default)]
    pub is_posted: bool,
    /// Its sides, which add up to zero.
    #[serde(default)]
    pub lines: Vec<JournalLine>,
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

/// A page of journal entries.
#[model]
pub struct JournalEntryPage {
    /// The journal entries.
    pub items: Vec<JournalEntry>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which journal entries to list.
#[model(default)]
pub struct ListJournalEntries {
    /// Only those that changed after this moment.
    pub updated_after: Option<DateTime<Utc>>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A booking to make.
#[model(default)]
pub struct NewJournalEntry {
    /// Its number.
    pub number: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The day of the booking, at its beginning in UTC.
    pub booked_at: Option<DateTime<Utc>>,
    /// Its sides, which add up to zero.
    pub lines: Vec<JournalLine>,
}

/// A rate of tax.
#[model]
pub struct TaxRate {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// Its name.
    pub name: Option<String>,
    /// Its code, which lines name it by where it is another than the id.
    pub code: Option<String>,
    /// How much, in percent: 19 for 19 %.
    pub percent: Option<f64>,
    /// Whether it is in use.
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

/// A page of tax rates.
#[model]
pub struct TaxRatePage {
    /// The tax rates.
    pub items: Vec<TaxRate>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}
