//! Meetings: one shape for video calls.

mod model;

pub use model::{ListMeetings, Meeting, MeetingPage, MeetingPatch, NewMeeting};

use super::engine;
use super::shared::{MAX_PAGE, changed};
use crate::Result;
use crate::connect::Connection;
use atom_macros::{api, handle};
use serde_json::json;

/// The meetings of a connected account.
///
/// Where the provider lacks an operation or an input, a call fails with `unsupported` before anything is sent. `not_found`,
/// `conflict`, `rate_limited` (wait for `retry_after`), `reauth_required` (connect the account again), `unavailable` (call again
/// later) and `provider` (change the input) are what the provider itself says.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let (_atom, connection) = atom_core::testing::example().await?;
/// use atom_core::{MeetingPatch, NewMeeting, Person};
/// use chrono::{TimeDelta, Utc};
///
/// let meetings = connection.meetings();
/// let charles = Person { email: Some("charles@example.com".into()), ..Default::default() };
/// let (starts_at, ends_at) = (Utc::now(), Utc::now() + TimeDelta::hours(1));
/// let meeting = NewMeeting { title: "Cards".into(), starts_at, ends_at, attendees: Some(vec![charles]) };
/// let meeting = meetings.create(meeting).await?;
///
/// let longer = MeetingPatch { ends_at: Some(ends_at + TimeDelta::hours(1)), ..Default::default() };
/// assert!(meetings.update(meeting.id, longer).await?.ends_at > Some(ends_at));
/// assert_eq!(meeting.join_url.as_deref(), Some("https://meet.example/1"));
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Meetings {
    pub(crate) connection: Connection,
}

#[api]
impl Meetings {
    /// Lists meetings, a page at a time.
    pub async fn list(&self, filter: ListMeetings) -> Result<MeetingPage> {
        let page = engine::list(&self.connection, "meetings.list", MAX_PAGE, &filter).await?;
        Ok(MeetingPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One meeting.
    pub async fn get(&self, id: String) -> Result<Meeting> {
        engine::one(&self.connection, "meetings.get", &json!({ "id": id })).await
    }

    /// Plans a meeting. Repeating the call creates another, unless the provider recognizes the repetition.
    pub async fn create(&self, meeting: NewMeeting) -> Result<Meeting> {
        engine::one(&self.connection, "meetings.create", &meeting).await
    }

    /// Changes a meeting: only what is given.
    pub async fn update(&self, id: String, changes: MeetingPatch) -> Result<Meeting> {
        engine::one(&self.connection, "meetings.update", &changed(&id, &changes)?).await
    }

    /// Deletes a meeting.
    pub async fn remove(&self, id: String) -> Result<()> {
        engine::done(&self.connection, "meetings.delete", &json!({ "id": id })).await
    }
}
