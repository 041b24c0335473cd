//! What the meetings API takes and returns.

use crate::integrations::shared::Person;
use crate::{Json, RawRecord};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// A meeting over video or telephone.
#[model]
pub struct Meeting {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// What it is about.
    pub title: Option<String>,
    /// When it starts.
    pub starts_at: Option<DateTime<Utc>>,
    /// When it ends.
    pub ends_at: Option<DateTime<Utc>>,
    /// Where to join it.
    pub join_url: Option<String>,
    /// The number to join it with.
    pub join_code: Option<String>,
    /// What to say at the door.
    pub passcode: Option<String>,
    /// The telephone number to call in on.
    pub dial_in_number: Option<String>,
    /// Who holds it.
    pub host: Option<Person>,
    /// Who is invited.
    #[serde(default)]
    pub attendees: Vec<Person>,
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

/// A page of meetings.
#[model]
pub struct MeetingPage {
    /// The meetings.
    pub items: Vec<Meeting>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// Which meetings to list.
#[model(default)]
pub struct ListMeetings {
    /// Only those that start after this moment.
    pub starts_after: Option<DateTime<Utc>>,
    /// Only those that start before this moment.
    pub starts_before: Option<DateTime<Utc>>,
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A meeting to plan.
#[model]
pub struct NewMeeting {
    /// What it is about.
    pub title: String,
    /// When it starts.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// Who is invited: by id or by e-mail address.
    pub attendees: Option<Vec<Person>>,
}

/// What to change of a meeting. What is left out stays as it is.
#[model(default)]
pub struct MeetingPatch {
    /// What it is about.
    pub title: Option<String>,
    /// When it starts.
    pub starts_at: Option<DateTime<Utc>>,
    /// When it ends.
    pub ends_at: Option<DateTime<Utc>>,
    /// Who is invited. On a change, the whole new list.
    pub attendees: Option<Vec<Person>>,
}
