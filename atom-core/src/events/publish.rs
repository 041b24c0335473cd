//! Appending: Atom's own events, and the host's.

use super::catalogue::{Payload, RESERVED};
use super::store::{self, Draft};
use super::{Event, PublishEvent, names};
use crate::storage::{Topic, Tx};
use crate::{Error, Json, Result, WorkspaceId};
use chrono::{DateTime, Utc};

/// The most that an event's data takes as JSON, in bytes: what webhooks are expected to carry.
const LARGEST: usize = 20_000;
/// The longest subject, in characters.
const LONGEST_SUBJECT: usize = 200;

/// Appends one of Atom's events, in the transaction of the act. Events of one workspace queue here until that transaction ends. An
/// audit entry of the same act comes first.
pub(crate) async fn append(tx: &mut Tx, workspace: WorkspaceId, event: impl Payload, now: DateTime<Utc>) -> Result<()> {
    let data = serde_json::to_value(&event);
    let data = data.map_err(|e| Error::internal("event_data", "an event cannot be written").with_source(e))?;
    let (name, subject, user_id) = (name_of(&event).to_owned(), Some(event.subject()), event.user());
    tx.wakes(Topic::Events);
    store::insert(tx.conn(), workspace, Draft { name, subject, user_id, data: Json(data) }, now).await.map(drop)
}

fn name_of<P: Payload>(_: &P) -> &'static str {
    P::NAME
}

/// Appends an event of the host's.
pub(crate) async fn publish(tx: &mut Tx, workspace: WorkspaceId, event: PublishEvent, now: DateTime<Utc>) -> Result<Event> {
    let draft = checked(event)?;
    tx.wakes(Topic::Events);
    store::insert(tx.conn(), workspace, draft, now).await
}

fn checked(event: PublishEvent) -> Result<Draft> {
    let PublishEvent { name, subject, user_id, data } = event;
    if !names::is_name(&name) {
        let text = "the name is at least two words of small letters, digits and `_`, joined by dots, such as `order.paid`";
        return Err(Error::invalid("malformed_event_name", text));
    }
    if RESERVED.contains(&names::first_word(&name)) {
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
