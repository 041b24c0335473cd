//! What the calendar API takes and returns.

use crate::integrations::shared::Person;
use crate::{Json, RawRecord};
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
    /// An answer of the provider's own.
    #[serde(other)]
    Other,
}

/// Whether an event takes place.
#[model]
pub enum EventStatus {
    /// Yes.
    Confirmed,
    /// Perhaps.
    Tentative,
    /// No.
    Cancelled,
    /// A state of the provider's own: see `raw`.
    #[serde(other)]
    Other,
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
    /// The calendar it is in, where the provider says so.
    pub calendar_id: Option<String>,
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
    /// Whether it takes place.
    pub status: Option<EventStatus>,
    /// Who invites.
    pub organizer: Option<Person>,
    /// When it comes again: lines of RFC 5545, such as `RRULE:FREQ=WEEKLY`.
    #[serde(default)]
    pub recurrence: Vec<String>,
    /// The recurring event that this is an occurrence of.
    pub recurring_id: Option<String>,
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
    pub raw: RawRecord,
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
    /// When it comes again: lines of RFC 5545, such as `RRULE:FREQ=WEEKLY`.
    pub recurrence: Option<Vec<String>>,
}

/// What to change of an event. What is left out stays as it is.
#[model(default)]
pub struct EventPatch {
    /// The calendar that the event is in. Default: the account's main one.
    pub calendar_id: Option<String>,
    /// What it is.
    pub title: Option<String>,
    /// When it starts.
    pub starts: Option<EventTime>,
    /// When it ends.
    pub ends: Option<EventTime>,
    /// More about it.
    pub description: Option<String>,
    /// Where it is.
    pub location: Option<String>,
    /// Who is invited, instead of those who are.
    pub attendees: Option<Vec<Attendee>>,
    /// When it comes again: lines of RFC 5545, such as `RRULE:FREQ=WEEKLY`.
    pub recurrence: Option<Vec<String>>,
}

/// A calendar.
#[model]
pub struct RemoteCalendar {
    /// The provider's id: pass it as `calendar_id`.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// More about it.
    pub description: Option<String>,
    /// Its time zone: `Europe/Paris`.
    pub time_zone: Option<String>,
    /// Whether it is the account's main one.
    #[serde(default)]
    pub is_primary: bool,
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

/// A page of calendars.
#[model]
pub struct RemoteCalendarPage {
    /// The calendars.
    pub items: Vec<RemoteCalendar>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}
