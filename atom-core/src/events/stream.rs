//! Following a log.

use super::names::Names;
use super::read::{Sight, check_cursor, check_kept};
use super::store::{self, Stretch};
use super::tails::{Ahead, Tail, Tails};
use super::{Event, EventSubscription};
use crate::storage::{Db, OwnDb};
use crate::{Result, WorkspaceId};
use atom_macros::{api, handle};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::sync::{Mutex, watch};

/// How many events are read at once by a stream that is behind.
const PAGE: i64 = 64;

/// The events of a workspace as they happen, in order, each at least once.
///
/// Nothing is queued for a stream that is not read: it is a place in the log. After a crash, on another day or in another process, a
/// new stream goes on from the `sequence` of the last event that was dealt with.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// # use atom_core::{Atom, EventSubscription, LocalKey, NewAccount, PublishEvent};
/// # let atom = Atom::builder(url).key(LocalKey::generate()?).open().await?;
/// # let account = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
/// # let session = atom.accounts().sign_up(account).await?;
/// # let scope = atom.authenticate(session.access_token).await?;
/// let stream = scope.events().subscribe(EventSubscription::default()).await?;
/// scope.events().publish(PublishEvent { name: "order.paid".into(), ..Default::default() }).await?;
///
/// while let Some(event) = stream.next().await? {
///     assert_eq!(event.name, "order.paid");
///     stream.stop().await?;
/// }
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct EventStream {
    shared: Arc<Shared>,
}

struct Shared {
    db: OwnDb,
    tails: Tails,
    workspace: WorkspaceId,
    sight: Sight,
    names: Names,
    reader: Mutex<Reader>,
    /// Up to where everything was delivered.
    cursor: AtomicI64,
    stop: watch::Sender<bool>,
}

struct Reader {
    /// Read, and not delivered yet.
    page: VecDeque<Event>,
    /// Up to where the log was read.
    place: i64,
    tail: Option<watch::Receiver<Tail>>,
}

/// Follows the events of a workspace, from the cursor or from now on.
pub(crate) async fn subscribe(
    db: &Db,
    tails: &Tails,
    workspace: WorkspaceId,
    sight: Sight,
    subscription: EventSubscription,
) -> Result<EventStream> {
    let names = Names::parse(subscription.names)?;
    let head = store::head(db, workspace).await?;
    let place = subscription.after.unwrap_or(head.sequence);
    check_cursor(place, &head)?;
    let reader = Mutex::new(Reader { page: VecDeque::new(), place, tail: None });
    let (cursor, stop) = (AtomicI64::new(place), watch::Sender::new(false));
    let shared = Shared { db: OwnDb::new(db.clone()), tails: tails.clone(), workspace, sight, names, reader, cursor, stop };
    Ok(EventStream { shared: Arc::new(shared) })
}

#[api]
impl EventStream {
    /// Waits for the next event. None after `stop` and after Atom was shut down.
    ///
    /// Several callers at once share the stream: each event goes to one of them. Fails with `conflict` (`events_expired`: the stream was
    /// not read for so long that events which it should have delivered are deleted; read the present state and subscribe anew) or
    /// `unavailable`, after which the same stream goes on.
    pub async fn next(&self) -> Result<Option<Event>> {
        let mut stop = self.shared.stop.subscribe();
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => Ok(None),
            event = self.shared.next() => match event {
                Err(error) if error.reason() == "closed" => Ok(None),
                event => event.map(Some),
            },
        }
    }

    /// How far this stream has come: every event up to here was delivered, or is none of those that it follows. A new
    /// subscription goes on from here.
    pub fn cursor(&self) -> i64 {
        self.shared.cursor.load(Ordering::Acquire)
    }

    /// Ends the stream, also for a caller that waits for its next event.
    pub async fn stop(&self) -> Result<()> {
        self.shared.stop.send_replace(true);
        Ok(())
    }
}

impl Shared {
    /// Whoever drops this future loses no event: one is taken and returned without a pause in between.
    async fn next(&self) -> Result<Event> {
        let mut reader = self.reader.lock().await;
        loop {
            if let Some(event) = reader.page.pop_front() {
                self.cursor.store(event.sequence, Ordering::Release);
                return Ok(event);
            }
            self.cursor.store(reader.place, Ordering::Release);
            let Reader { place, tail, page } = &mut *reader;
            let end = match tail {
                Some(end) => end,
                None => {
                    let db = self.db.get()?;
                    let head = store::head(db, self.workspace).await?;
                    tail.insert(self.tails.follow(db, self.workspace, head.sequence))
                }
            };
            let ahead = {
                let end = end.borrow_and_update();
                let ahead = end.after(*place, |event| self.names.fit(&event.name) && self.sight.shows(event));
                if matches!(ahead, Ahead::Nothing) {
                    *place = end.head.max(*place);
                    self.cursor.store(*place, Ordering::Release);
                }
                ahead
            };
            match ahead {
                Ahead::Event(event) => {
                    *place = event.sequence;
                    self.cursor.store(*place, Ordering::Release);
                    return Ok(event);
                }
                Ahead::Far(head) => (*page, *place) = self.read(*place, head).await?,
                Ahead::Nothing if end.changed().await.is_err() => *tail = None,
                Ahead::Nothing => {}
            }
        }
    }

    /// The next page of a stream that is behind, and up to where it reaches.
    async fn read(&self, place: i64, head: i64) -> Result<(VecDeque<Event>, i64)> {
        let db = self.db.get()?;
        let stretch = Stretch { after: place, until: head, limit: PAGE };
        let page = store::stretch(db, self.workspace, &stretch, self.sight, &self.names, None).await?;
        check_kept(db, self.workspace, place).await?;
        let is_full = page.len() == PAGE as usize;
        let reached = page.last().filter(|_| is_full).map_or(head, |last| last.sequence);
        Ok((page.into(), reached))
    }
}
