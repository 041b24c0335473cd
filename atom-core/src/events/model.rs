//! What the events API takes and returns.

use crate::{EventId, Json, UserId};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// Something that happened in a workspace.
#[model]
pub struct Event {
    /// Its place in the workspace's log: 1, 2, 3, … without gaps. It is the cursor from which to go on after this event.
    pub sequence: i64,
    /// Its id, the same wherever it is delivered and however often.
    pub id: EventId,
    /// What happened: `connection.connected`. Those of Atom are in `Atom.event_catalogue`.
    pub name: String,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The id of what it happened to.
    pub subject: Option<String>,
    /// The only member whom it concerns; none if it is for everyone in the workspace.
    pub user_id: Option<UserId>,
    /// What else is known. Never a secret; people only as ids.
    pub data: Json,
}

/// An event of the host's own.
#[model(default)]
pub struct PublishEvent {
    /// What happened: words of small letters, digits and `_`, joined by dots, such as `order.paid`; at most 100 characters. The first
    /// word is not one of Atom's own.
    pub name: String,
    /// The id of what it happened to, at most 200 characters.
    pub subject: Option<String>,
    /// The only member whom it concerns: nobody else sees it but the owners and admins. Default: every member.
    pub user_id: Option<UserId>,
    /// What else is known, at most 20,000 bytes as JSON. Default: `{}`. Leave out what changes or is secret, and name its id.
    pub data: Option<Json>,
}

/// Which events to list, oldest first.
#[model(default)]
pub struct EventFilter {
    /// Only those after this place. Default: from the oldest that is kept.
    pub after: Option<i64>,
    /// Only those with one of these names: `connection.connected`, or `connection.*` for all that begin so.
    pub names: Option<Vec<String>>,
    /// Only what happened to this.
    pub subject: Option<String>,
    /// How many at most on a page, 1 to 1000. Default: 100.
    pub page_size: Option<i32>,
}

/// A page of events.
#[model]
pub struct EventPage {
    /// The events, oldest first.
    pub items: Vec<Event>,
    /// How far the page reaches. Pass it as `after` for what comes next: now, or on any later day.
    pub cursor: i64,
    /// Whether there is more already.
    pub has_more: bool,
}

/// Which events to follow.
#[model(default)]
pub struct EventSubscription {
    /// Go on after this place: the `sequence` of the last event that was dealt with, or a `cursor`. Default: from now on.
    pub after: Option<i64>,
    /// Only those with one of these names: `connection.connected`, or `connection.*` for all that begin so.
    pub names: Option<Vec<String>>,
}

/// What a field of an event's data holds.
#[model]
pub enum EventFieldType {
    /// The id of something: a string.
    Id,
    /// A string; a moment is one too, in RFC 3339.
    Text,
    /// A whole number.
    Integer,
}

/// A field of an event's data.
#[model]
pub struct EventField {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub field_type: EventFieldType,
    /// Whether it may be `null`.
    pub nullable: bool,
    /// What it says.
    pub about: String,
}

/// A kind of event that Atom emits.
#[model]
pub struct EventType {
    /// Its name: `connection.connected`.
    pub name: String,
    /// When it is emitted.
    pub about: String,
    /// What its data holds.
    pub fields: Vec<EventField>,
}
