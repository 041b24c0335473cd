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
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};

/// How many of a log's newest events are kept in memory.
const KEPT: i64 = 64;
/// How often to look although nothing was heard.
const POLL: Duration = Duration::from_secs(1);
/// Under a stream of commits, how long they are collected before the next look, at least.
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
            let began = Instant::now();
            if let Err(error) = self.look(&db, &followed).await {
                tracing::debug!(%error, "the events could not be read; trying again");
            }
            // However many logs are followed, half of the time is left to others.
            tokio::time::sleep(SPACING.max(began.elapsed())).await;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EventId, Json};

    fn event(sequence: i64) -> Event {
        let (id, at) = (EventId::generate(), chrono::Utc::now());
        Event { sequence, id, name: "number.said".into(), at, subject: None, user_id: None, data: Json::default() }
    }

    fn found(tail: &Tail, place: i64) -> String {
        match tail.after(place, |event| event.sequence % 10 != 0) {
            Ahead::Event(event) => event.sequence.to_string(),
            Ahead::Nothing => "nothing".into(),
            Ahead::Far(head) => format!("far from {head}"),
        }
    }

    #[test]
    fn a_tail_keeps_the_newest_events_and_knows_what_it_does_not_have() {
        let mut tail = Tail { head: 7, events: VecDeque::new() };
        assert_eq!((found(&tail, 7), found(&tail, 6)), ("nothing".into(), "far from 7".into()));
        for sequence in 8..=1000 {
            tail.extend(sequence, vec![event(sequence)]);
        }
        assert_eq!(tail.events.len(), KEPT as usize);
        let oldest = 1000 - KEPT + 1;
        assert_eq!(found(&tail, oldest - 1), oldest.to_string());
        assert_eq!(found(&tail, oldest - 2), "far from 1000");
        assert_eq!((found(&tail, 988), found(&tail, 989), found(&tail, 999)), ("989".into(), "991".into(), "nothing".into()));
    }

    #[test]
    fn a_tail_that_skipped_events_begins_anew() {
        let mut tail = Tail { head: 7, events: VecDeque::from([event(6), event(7)]) };
        tail.extend(200, (150..=200).map(event).collect());
        assert_eq!(
            (found(&tail, 7), found(&tail, 148), found(&tail, 150)),
            ("far from 200".into(), "far from 200".into(), "151".into())
        );
        tail.extend(300, vec![]);
        assert_eq!((found(&tail, 200), found(&tail, 300)), ("far from 300".into(), "nothing".into()));
    }
}
