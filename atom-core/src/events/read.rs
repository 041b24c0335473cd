//! Reading a log by pages.

use super::names::Names;
use super::store::{self, Head, Stretch};
use super::{Event, EventFilter, EventPage};
use crate::storage::Db;
use crate::{Error, ErrorKind, Result, UserId, WorkspaceId};

/// What a reader may see of a workspace's events.
#[derive(Clone, Copy)]
pub(crate) struct Sight {
    /// Only what concerns this member; none sees everything.
    pub(crate) user: Option<UserId>,
    /// Also what concerns no member in particular.
    pub(crate) common: bool,
}

impl Sight {
    pub(super) const ALL: Self = Self { user: None, common: true };

    pub(super) fn shows(self, event: &Event) -> bool {
        match (self.user, event.user_id) {
            (None, _) => true,
            (Some(_), None) => self.common,
            (Some(reader), Some(concerned)) => reader == concerned,
        }
    }
}

/// The place of the newest event, 0 before the first.
pub(crate) async fn head(db: &Db, workspace: WorkspaceId) -> Result<i64> {
    Ok(store::head(db, workspace).await?.sequence)
}

/// The events that fit, oldest first.
pub(crate) async fn list(db: &Db, workspace: WorkspaceId, sight: Sight, filter: EventFilter) -> Result<EventPage> {
    let size = filter.page_size.unwrap_or(100);
    if !(1..=1000).contains(&size) {
        return Err(Error::invalid("malformed_page_size", "page_size is between 1 and 1000"));
    }
    let names = Names::parse(filter.names)?;
    let head = store::head(db, workspace).await?;
    if let Some(after) = filter.after {
        check_cursor(after, &head)?;
    }
    // Nothing can still appear at or before the end that was read first.
    let stretch = Stretch { after: filter.after.unwrap_or(0), until: head.sequence, limit: i64::from(size) + 1 };
    let mut items = store::stretch(db, workspace, &stretch, sight, &names, filter.subject.as_deref()).await?;
    if let Some(after) = filter.after {
        check_kept(db, workspace, after).await?;
    }
    let has_more = items.len() > usize::try_from(size).unwrap_or_default();
    if has_more {
        items.pop();
    }
    let cursor = items.last().filter(|_| has_more).map_or(head.sequence, |last| last.sequence);
    Ok(EventPage { items, cursor, has_more })
}

/// Refuses a cursor from which one cannot go on without missing something.
pub(super) fn check_cursor(after: i64, head: &Head) -> Result<()> {
    if !(0..=head.sequence).contains(&after) {
        let text = format!(
            "the cursor is at {after} and the newest event has number {}: it is of another workspace, or of a database that was restored since",
            head.sequence
        );
        return Err(Error::invalid("unknown_event_cursor", text));
    }
    if after < head.oldest - 1 {
        let text = format!(
            "the cursor is at {after} and events are kept from number {} on: read the present state, then go on after {}",
            head.oldest,
            head.oldest - 1
        );
        return Err(Error::new(ErrorKind::Conflict, "events_expired", text));
    }
    Ok(())
}

/// Fails if something after the cursor was deleted. To be asked after reading: what was deleted meanwhile is missing there.
pub(super) async fn check_kept(db: &Db, workspace: WorkspaceId, after: i64) -> Result<()> {
    check_cursor(after, &store::head(db, workspace).await?)
}
