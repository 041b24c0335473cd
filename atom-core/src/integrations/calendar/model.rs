//! What the calendar API takes and returns.

use crate::Json;
use atom_macros::model;
use chrono::{DateTime, Utc};

/// When an event starts or ends.
#[model]
pub enum EventTime {
    /// A moment.
    Moment {
        /// The moment, in UTC.
        at: DateTime<Utc>,
        /// The zone that people see it in: `Europe/Paris`.
        time_zone: Option<String>,
    },
    /// A whole day, wherever the reader is.
    Day {
        /// The day: `2026-11-21`. As an end it is the first day after the event.
        date: String,
    },
}

/// Whether someone comes.
#[model]
pub enum AttendeeResponse {
    /// No answer yet.
    Waiting,
    /// Yes.
    Accepted,
    /// No.
    Declined,
    /// Perhaps.
    Tentative,
}

/// Someone who is invited.
#[model]
pub struct Attendee {
    /// The e-mail address.
    pub email: String,
    /// The name beside it.
    pub name: Option<String>,
    /// Whether they come.
    pub response: Option<AttendeeResponse>,
}

/// An event in a calendar.
#[model]
pub struct CalendarEvent {
    /// The provider's id.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// What it is.
    pub title: Option<String>,
    /// More about it.
    pub description: Option<String>,
    /// Where it is.
    pub location: Option<String>,
    /// When it starts; a cancelled occurrence may have lost it.
    pub starts: Option<EventTime>,
    /// When it ends.
    pub ends: Option<EventTime>,
    /// Who is invited.
    #[serde(default)]
    pub attendees: Vec<Attendee>,
    /// Where to join it.
    pub meeting_url: Option<String>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// Where a person opens it.
    pub web_url: Option<String>,
    /// Whether it was cancelled.
    #[serde(default)]
    pub deleted: bool,
    /// Fields that an app has added.
    pub custom_fields: Option<Json>,
    /// The provider's own record.
    pub raw: Json,
}

/// Which events to list.
#[model(default)]
pub struct ListEvents {
    /// The calendar. Default: the account's main one.
    pub calendar_id: Option<String>,
    /// Only those that end after this moment.
    pub starts_after: Option<DateTime<Utc>>,
    /// Only those that start before this moment.
    pub starts_before: Option<DateTime<Utc>>,
    /// Only those that have this text.
    pub search: Option<String>,
    /// How many at most on a page, 1 to 1000. Default: 100.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A page of events.
#[model]
pub struct CalendarEventPage {
    /// The events.
    pub items: Vec<CalendarEvent>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// An event to put into a calendar.
#[model]
pub struct NewEvent {
    /// What it is.
    pub title: String,
    /// When it starts.
    pub starts: EventTime,
    /// When it ends.
    pub ends: EventTime,
    /// The calendar. Default: the account's main one.
    pub calendar_id: Option<String>,
    /// More about it.
    pub description: Option<String>,
    /// Where it is.
    pub location: Option<String>,
    /// Who is invited.
    pub attendees: Option<Vec<Attendee>>,
}
