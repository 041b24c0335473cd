//! The ends of the logs that are followed in this process, read once for all who follow.
//!
//! One task asks where the followed logs end: after every wake, and every second in case a wake got lost. Where one has grown, it reads
//! what is new and shows it to every stream of that workspace. A stream that is further behind reads the database by itself,
//! so nothing is ever queued for anyone.

use super::Event;
use super::names::Names;
use super::read::Sight;
use super::store::{self, Stretch};
use crate::storage::{Db, Topic, on};
use crate::{Result, WorkspaceId};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// How many of a log's newest events are kept in memory.
const KEPT: i64 = 64;
/// How often to look although nothing was heard.
const POLL: Duration = Duration::from_secs(1);
/// Under a stream of commits, how long they are collected before the next look.
const SPACING: Duration = Duration::from_millis(5);

/// The followed logs of one installation.
#[derive(Clone, Default)]
pub(crate) struct Tails(Arc<Shared>);

#[derive(Default)]
struct Shared {
    board: Mutex<Board>,
    /// A log was added to the board.
    added: Notify,
}

#[derive(Default)]
struct Board {
    tails: HashMap<WorkspaceId, watch::Sender<Tail>>,
    is_watched: bool,
}

/// The end of one log.
pub(super) struct Tail {
    /// The place of its newest event.
    pub(super) head: i64,
    /// The newest events, without gaps up to `head`.
    events: VecDeque<Event>,
}

/// Where a reader stands.
pub(super) enum Ahead {
    /// There is an event to deliver.
    Event(Event),
    /// Nothing up to here is for this reader.
    Nothing,
    /// The reader is so far behind that it must read the database up to here.
    Far(i64),
}

impl Tail {
    /// What comes after a place for whom it fits.
    pub(super) fn after(&self, place: i64, fits: impl Fn(&Event) -> bool) -> Ahead {
        if place >= self.head {
            return Ahead::Nothing;
        }
        match self.events.front() {
            Some(first) if first.sequence <= place + 1 => {
                let new = self.events.iter().skip_while(|event| event.sequence <= place);
                new.into_iter().find(|event| fits(event)).map_or(Ahead::Nothing, |event| Ahead::Event(event.clone()))
            }
            _ => Ahead::Far(self.head),
        }
    }

    fn extend(&mut self, head: i64, news: Vec<Event>) {
        let first = news.first().map_or(head + 1, |event| event.sequence);
        if first != self.head + 1 {
            self.events.clear();
        }
        self.events.extend(news);
        let surplus = self.events.len().saturating_sub(KEPT as usize);
        self.events.drain(..surplus);
        self.head = head;
    }
}

impl Tails {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.0.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows a log whose end is at `head` or beyond. The receiver fails when the task ended, with its runtime or with the
    /// database: then follow again.
    pub(super) fn follow(&self, db: &Db, workspace: WorkspaceId, head: i64) -> watch::Receiver<Tail> {
        let mut board = self.board();
        let tail = board.tails.entry(workspace).or_insert_with(|| {
            // What was committed before the log stood here woke nobody.
            self.0.added.notify_one();
            watch::Sender::new(Tail { head, events: VecDeque::new() })
        });
        let receiver = tail.subscribe();
        if !board.is_watched {
            board.is_watched = true;
            tokio::spawn(self.clone().watch(db.clone()));
        }
        receiver
    }

    async fn watch(self, db: Db) {
        let watching = Watching(&self.0);
        let mut news = db.subscribe(Topic::Events);
        loop {
            let followed = self.followed();
            if followed.is_empty() {
                // `followed` has already said so on the board.
                std::mem::forget(watching);
                return;
            }
            if let Err(error) = self.look(&db, &followed).await {
                tracing::debug!(%error, "the events could not be read; trying again");
            }
            tokio::time::sleep(SPACING).await;
            tokio::select! {
                _ = news.changed() => {}
                () = self.0.added.notified() => {}
                () = tokio::time::sleep(POLL) => {}
                () = async { on!(&db, c => c.close_event().await) } => return,
            }
        }
    }

    /// The logs that somebody follows. The answer none ends the task, so nobody may follow meanwhile.
    fn followed(&self) -> HashMap<WorkspaceId, i64> {
        let mut board = self.board();
        board.tails.retain(|_, tail| tail.receiver_count() > 0);
        board.is_watched = !board.tails.is_empty();
        board.tails.iter().map(|(workspace, tail)| (*workspace, tail.borrow().head)).collect()
    }

    async fn look(&self, db: &Db, followed: &HashMap<WorkspaceId, i64>) -> Result<()> {
        let workspaces: Vec<_> = followed.keys().copied().collect();
        for (workspace, head) in store::ends(db, &workspaces).await? {
            let known = followed.get(&workspace).copied().unwrap_or(head);
            if head <= known {
                continue;
            }
            let stretch = Stretch { after: known.max(head - KEPT), until: head, limit: KEPT };
            let news = store::stretch(db, workspace, &stretch, Sight::ALL, &Names::all(), None).await?;
            if let Some(tail) = self.board().tails.get(&workspace) {
                tail.send_modify(|tail| tail.extend(head, news));
            }
        }
        Ok(())
    }
}

/// Takes all logs off the board, should the task end before its time: who follows one then learns of it.
struct Watching<'a>(&'a Shared);

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        let mut board = self.0.board.lock().unwrap_or_else(PoisonError::into_inner);
        board.is_watched = false;
        board.tails.clear();
    }
}
