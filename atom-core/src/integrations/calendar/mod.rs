//! Calendars: one shape for Google Calendar and, later, every other calendar service.

mod model;

pub use model::{Attendee, AttendeeResponse, CalendarEvent, CalendarEventPage, EventTime, ListEvents, NewEvent};

use super::engine;
use crate::connect::Connection;
use crate::{Error, Result};
use atom_macros::{api, handle};
use chrono::NaiveDate;

/// The calendars of a connected account.
#[handle]
pub struct Calendars {
    pub(crate) connection: Connection,
}

#[api]
impl Calendars {
    /// Lists events in the order they start, a page at a time. A recurring event appears once for each occurrence.
    pub async fn list_events(&self, filter: ListEvents) -> Result<CalendarEventPage> {
        let page = engine::list(&self.connection, "calendar.list_events", 1000, &filter).await?;
        Ok(CalendarEventPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// Puts an event into a calendar. Repeating the call puts in another.
    ///
    /// Fails with `invalid` (`malformed_event_time`).
    pub async fn create_event(&self, event: NewEvent) -> Result<CalendarEvent> {
        check_times(&event)?;
        engine::one(&self.connection, "calendar.create_event", &event).await
    }
}

fn check_times(event: &NewEvent) -> Result<()> {
    let malformed = |why: &str| Err(Error::invalid("malformed_event_time", why));
    let day = |date: &str| NaiveDate::parse_from_str(date, "%Y-%m-%d").ok();
    match (&event.starts, &event.ends) {
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

    fn event(starts: EventTime, ends: EventTime) -> NewEvent {
        NewEvent { title: "Lunch".into(), starts, ends, calendar_id: None, description: None, location: None, attendees: None }
    }

    #[test]
    fn times_that_make_no_event_are_refused() {
        let day = |date: &str| EventTime::Day { date: date.into() };
        let at = |at: &str| EventTime::Moment { at: at.parse().expect("a moment"), time_zone: None };
        assert!(check_times(&event(day("2026-11-21"), day("2026-11-22"))).is_ok());
        assert!(check_times(&event(at("2026-11-21T08:00:00Z"), at("2026-11-21T09:00:00Z"))).is_ok());
        for (starts, ends) in [
            (day("2026-11-21"), day("2026-11-21")),
            (day("21.11.2026"), day("22.11.2026")),
            (at("2026-11-21T09:00:00Z"), at("2026-11-21T08:00:00Z")),
            (day("2026-11-21"), at("2026-11-21T09:00:00Z")),
        ] {
            assert_eq!(check_times(&event(starts, ends)).expect_err("refused").reason(), "malformed_event_time");
        }
    }
}
