//! The events of a workspace, for its members.

use super::{Principal, Role};
use crate::Result;
use crate::atom::Inner;
use crate::events::{self, Event, EventFilter, EventPage, EventStream, EventSubscription, PublishEvent, Sight};
use crate::storage::Topic;
use atom_macros::{api, handle};
use std::sync::Arc;

/// What happens in the workspace, in one order: Atom's events and the host's.
///
/// Owners and admins see all of it; other members see what concerns them or everyone; guests see what concerns them.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// # use atom_core::{Atom, EventFilter, LocalKey, NewAccount, PublishEvent};
/// # let atom = Atom::builder(url).key(LocalKey::generate()?).open().await?;
/// # let account = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
/// # let session = atom.accounts().sign_up(account).await?;
/// let events = atom.authenticate(session.access_token).await?.events();
/// let paid = PublishEvent { name: "order.paid".into(), subject: Some("order-7".into()), ..Default::default() };
/// events.publish(paid).await?;
///
/// let page = events.list(EventFilter::default()).await?;
/// let names: Vec<_> = page.items.iter().map(|event| event.name.as_str()).collect();
/// assert_eq!(names, ["user.signed_up", "session.started", "order.paid"]);
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Events {
    pub(crate) inner: Arc<Inner>,
    pub(crate) principal: Principal,
}

#[api]
impl Events {
    /// Publishes an event of the host's own, and returns it as it stands in the log.
    ///
    /// Fails with `invalid` (`malformed_event_name`, `reserved_event_name`, `malformed_event_subject`, `event_too_large`).
    pub async fn publish(&self, event: PublishEvent) -> Result<Event> {
        // Whoever has seen its number relies on it: not even a power cut may give it to another event.
        let mut tx = self.inner.db()?.begin_durable().await?;
        let event = events::publish(tx.conn(), self.principal.workspace_id, event, self.inner.now()).await?;
        tx.wakes(Topic::Events);
        tx.commit().await?;
        Ok(event)
    }

    /// Lists events, oldest first, a page at a time.
    ///
    /// Fails with `conflict` (`events_expired`: events after the cursor are deleted already; read the present state, then go on with the
    /// cursor that the text names) or `invalid` (`unknown_event_cursor`, `malformed_event_name`, `malformed_page_size`).
    pub async fn list(&self, filter: EventFilter) -> Result<EventPage> {
        events::list(self.inner.db()?, self.principal.workspace_id, self.sight(), filter).await
    }

    /// Follows events, from a cursor or from now on.
    ///
    /// Fails with `conflict` (`events_expired`, as in `list`) or `invalid` (`unknown_event_cursor`, `malformed_event_name`).
    pub async fn subscribe(&self, subscription: EventSubscription) -> Result<EventStream> {
        let (db, tails) = (self.inner.db()?, &self.inner.tails);
        events::subscribe(db, tails, self.principal.workspace_id, self.sight(), subscription).await
    }

    /// The `sequence` of the newest event, 0 before the first. Read it before the state of something, and follow what changes from there.
    pub async fn head(&self) -> Result<i64> {
        events::head(self.inner.db()?, self.principal.workspace_id).await
    }

    fn sight(&self) -> Sight {
        let own = Some(self.principal.user_id);
        match self.principal.role {
            Role::Owner | Role::Admin => Sight { user: None, common: true },
            Role::Member => Sight { user: own, common: true },
            Role::Guest => Sight { user: own, common: false },
        }
    }
}
