//! Calendars: one shape for every calendar service.

mod model;

pub use model::{
    Attendee, AttendeeResponse, CalendarEvent, CalendarEventPage, EventPatch, EventStatus, EventTime, ListEvents, NewEvent,
    RemoteCalendar, RemoteCalendarPage,
};

use super::engine;
use super::shared::{MAX_PAGE, Paging, changed};
use crate::connect::Connection;
use crate::{Error, Result};
use atom_macros::{api, handle};
use chrono::NaiveDate;
use serde_json::json;

/// The calendars of a connected account.
///
/// Where the provider lacks an operation or an input, a call fails with `unsupported` before anything is sent. `not_found`,
/// `conflict`, `rate_limited` (wait for `retry_after`), `reauth_required` (connect the account again), `unavailable` (call again
/// later) and `provider` (change the input) are what the provider itself says.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// # let google = atom_core::testing::GoogleStandIn::start().await?;
/// # let atom = atom_core::Atom::builder(url).key(atom_core::LocalKey::generate()?).provider(google.app()).open().await?;
/// # let (email, password) = ("ada@example.com".into(), "an engine of brass".into());
/// # let account = atom_core::NewAccount { email, password, ..Default::default() };
/// # let scope = atom.authenticate(atom.accounts().sign_up(account).await?.access_token).await?;
/// # let start = atom_core::StartConnection { provider: "google".into(), ..Default::default() };
/// # let consent = scope.connections().start(start).await?;
/// # let callback = google.approve(consent.url, "ada@gmail.example".into()).await?;
/// # let connection = scope.connections().complete(callback).await?;
/// use atom_core::{EventPatch, EventTime, NewEvent};
///
/// let calendar = connection.calendar();
/// let day = |date: &str| EventTime::Day { date: date.into() };
/// let trip = NewEvent {
///     title: "Trip".into(),
///     starts: day("2026-11-21"),
///     ends: day("2026-11-23"),
///     calendar_id: None,
///     description: None,
///     location: None,
///     attendees: None,
///     recurrence: None,
/// };
/// let trip = calendar.create_event(trip).await?;
/// let longer = EventPatch { starts: trip.starts, ends: Some(day("2026-11-24")), ..Default::default() };
/// assert_eq!(calendar.update_event(trip.id, longer).await?.ends, Some(day("2026-11-24")));
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Calendars {
    pub(crate) connection: Connection,
}

#[api]
impl Calendars {
    /// Lists calendars, a page at a time.
    pub async fn list_calendars(&self, filter: Paging) -> Result<RemoteCalendarPage> {
        let page = engine::list(&self.connection, "calendar.list_calendars", MAX_PAGE, &filter).await?;
        Ok(RemoteCalendarPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// Lists events in the order they start, a page at a time. A recurring event appears once for each occurrence.
    pub async fn list_events(&self, filter: ListEvents) -> Result<CalendarEventPage> {
        let page = engine::list(&self.connection, "calendar.list_events", MAX_PAGE, &filter).await?;
        Ok(CalendarEventPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One event. Without `calendar_id`: of the account's main calendar.
    pub async fn get_event(&self, id: String, calendar_id: Option<String>) -> Result<CalendarEvent> {
        engine::one(&self.connection, "calendar.get_event", &json!({ "id": id, "calendar_id": calendar_id })).await
    }

    /// Puts an event into a calendar. Repeating the call puts in another.
    ///
    /// Fails with `invalid` (`malformed_event_time`).
    pub async fn create_event(&self, event: NewEvent) -> Result<CalendarEvent> {
        check_times(&event.starts, &event.ends)?;
        engine::one(&self.connection, "calendar.create_event", &event).await
    }

    /// Changes an event: only what is given.
    ///
    /// Fails with `invalid` (`malformed_event_time`).
    pub async fn update_event(&self, id: String, changes: EventPatch) -> Result<CalendarEvent> {
        if let (Some(starts), Some(ends)) = (&changes.starts, &changes.ends) {
            check_times(starts, ends)?;
        }
        engine::one(&self.connection, "calendar.update_event", &changed(&id, &changes)?).await
    }

    /// Deletes an event. Without `calendar_id`: of the account's main calendar.
    pub async fn delete_event(&self, id: String, calendar_id: Option<String>) -> Result<()> {
        engine::done(&self.connection, "calendar.delete_event", &json!({ "id": id, "calendar_id": calendar_id })).await
    }
}

fn check_times(starts: &EventTime, ends: &EventTime) -> Result<()> {
    let malformed = |why: &str| Err(Error::invalid("malformed_event_time", why));
    let day = |date: &str| NaiveDate::parse_from_str(date, "%Y-%m-%d").ok();
    match (starts, ends) {
        (EventTime::Moment { at: starts, .. }, EventTime::Moment { at: ends, .. }) if starts <= ends => Ok(()),
        (EventTime::Day { date: starts }, EventTime::Day { date: ends }) => match (day(starts), day(ends)) {
            (Some(starts), Some(ends)) if starts < ends => Ok(()),
            (Some(_), Some(_)) => {
                malformed("an event of whole days ends on a later day than it starts: the end day is the first free one")
            }
            _ => malformed("write days as 2026-11-21"),
        },
        (EventTime::Moment { .. }, EventTime::Moment { .. }) => malformed("the event ends before it starts"),
        _ => malformed("an event starts and ends with moments, or with days, not with one of each"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_make_no_event_are_refused() {
        let day = |date: &str| EventTime::Day { date: date.into() };
        let at = |at: &str| EventTime::Moment { at: at.parse().expect("a moment"), time_zone: None };
        assert!(check_times(&day("2026-11-21"), &day("2026-11-22")).is_ok());
        assert!(check_times(&at("2026-11-21T08:00:00Z"), &at("2026-11-21T09:00:00Z")).is_ok());
        for (starts, ends) in [
            (day("2026-11-21"), day("2026-11-21")),
            (day("21.11.2026"), day("22.11.2026")),
            (at("2026-11-21T09:00:00Z"), at("2026-11-21T08:00:00Z")),
            (day("2026-11-21"), at("2026-11-21T09:00:00Z")),
        ] {
            assert_eq!(check_times(&starts, &ends).expect_err("refused").reason(), "malformed_event_time");
        }
    }
}
