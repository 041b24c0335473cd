//! Appending: Atom's own events, and the host's.

use super::payload::Payload;
use super::store::{self, Draft};
use super::{Event, PublishEvent, names};
use crate::storage::{Conn, Topic, Tx};
use crate::{Error, Json, Result, WorkspaceId};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// The most that an event's data takes as JSON, in bytes: what webhooks are expected to carry.
const LARGEST: usize = 20_000;
/// The longest subject, in characters.
const LONGEST_SUBJECT: usize = 200;

/// Appends one of Atom's events, in the transaction of the act. Events of one workspace queue here until that transaction ends. An
/// audit entry of the same act comes first.
pub(crate) async fn append(tx: &mut Tx, workspace: WorkspaceId, event: impl Payload, now: DateTime<Utc>) -> Result<()> {
    append_all(tx, vec![(workspace, Draft::of(&event)?)], now).await
}

/// Appends events of several acts, or several of one, each workspace's in the order of the list. It is called once in a transaction: it
/// takes the workspaces in the order of their ids, so that two transactions do not wait for each other.
pub(crate) async fn append_all(tx: &mut Tx, events: Vec<(WorkspaceId, Draft)>, now: DateTime<Utc>) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let mut logs: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (workspace, event) in events {
        logs.entry(workspace).or_default().push(event);
    }
    for (workspace, events) in logs {
        store::insert(tx.conn(), workspace, events, now).await?;
    }
    tx.wakes(Topic::Events);
    Ok(())
}

impl Draft {
    /// One of Atom's events.
    pub(crate) fn of<P: Payload>(event: &P) -> Result<Self> {
        let data = serde_json::to_value(event);
        let data = data.map_err(|e| Error::internal("event_data", "an event cannot be written").with_source(e))?;
        Ok(Self { name: P::NAME.to_owned(), subject: Some(event.subject()), user_id: event.user(), data: Json(data) })
    }
}

/// Appends an event of the host's. Its commit should wake those who wait for [`Topic::Events`].
pub(crate) async fn publish(conn: Conn<'_>, workspace: WorkspaceId, event: PublishEvent, now: DateTime<Utc>) -> Result<Event> {
    let mut published = store::insert(conn, workspace, vec![checked(event)?], now).await?;
    published.pop().ok_or_else(|| Error::internal("event_lost", "an event was not appended"))
}

fn checked(event: PublishEvent) -> Result<Draft> {
    let PublishEvent { name, subject, user_id, data } = event;
    if !names::is_name(&name) {
        let text = "the name is at least two words of small letters, digits and `_`, joined by dots, such as `order.paid`";
        return Err(Error::invalid("malformed_event_name", text));
    }
    if names::RESERVED.contains(&names::first_word(&name)) {
        let text = format!("events that begin with `{}` are Atom's own: choose another first word", names::first_word(&name));
        return Err(Error::invalid("reserved_event_name", text));
    }
    if subject.as_ref().is_some_and(|s| s.is_empty() || s.chars().count() > LONGEST_SUBJECT || s.contains('\0')) {
        return Err(Error::invalid("malformed_event_subject", "the subject is an id of 1 to 200 characters, or is left out"));
    }
    let data = data.unwrap_or_else(|| Json(serde_json::json!({})));
    let length = data.0.to_string().len();
    if length > LARGEST {
        let text = format!("the data takes {length} bytes as JSON, of {LARGEST}: store it elsewhere and publish its id");
        return Err(Error::invalid("event_too_large", text));
    }
    Ok(Draft { name, subject, user_id, data })
}
