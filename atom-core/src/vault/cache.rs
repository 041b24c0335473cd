//! Token sets that were read moments ago, so that a busy connection is not read and opened anew for every call.
//!
//! What is here may be as old as the installation allows; only the refresh protocol and other writers always ask the database. A write of
//! this process drops what it makes old as soon as its transaction has ended, so that only another process's goes unnoticed for that long.

use super::Stored;
use crate::storage::Tx;
use crate::{ConnectionId, Result, WorkspaceId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::task::AbortHandle;

/// How many entries each of the two maps holds at most.
const HALF: usize = 2048;
/// Entries leave memory in at least this rhythm, if nobody uses them.
const SWEEP: Duration = Duration::from_secs(1);

type Key = (WorkspaceId, ConnectionId);

/// The token sets that this process has read.
#[derive(Clone)]
pub(crate) struct TokenCache {
    entries: Arc<Mutex<Entries>>,
    /// How old an entry may become. Zero: nothing is kept.
    max_age: Duration,
}

/// New entries come into the young map. Now and then it becomes the old one, and what was old is dropped.
#[derive(Default)]
struct Entries {
    young: HashMap<Key, Entry>,
    old: HashMap<Key, Entry>,
    /// Grows with every write: what was being read meanwhile may be the older set, and is not kept.
    generation: u64,
    sweeper: Option<AbortHandle>,
}

struct Entry {
    stored: Arc<Stored>,
    /// When the database was asked, by a clock that no test and no administrator moves.
    asked_at: Instant,
}

impl TokenCache {
    pub(crate) fn new(max_age: Duration) -> Self {
        Self { entries: Arc::default(), max_age }
    }

    /// A connection's token set as it is or was moments ago; `load` asks the database.
    pub(crate) async fn read(&self, key: Key, load: impl Future<Output = Result<Stored>>) -> Result<Stored> {
        if self.max_age.is_zero() {
            return load.await;
        }
        let asked_at = Instant::now();
        let (known, generation) = {
            let entries = lock(&self.entries);
            let known = entries.get(key).filter(|known| asked_at.saturating_duration_since(known.asked_at) < self.max_age);
            (known.map(|known| Arc::clone(&known.stored)), entries.generation)
        };
        if let Some(known) = known {
            return Ok(Stored::clone(&known));
        }
        let stored = load.await?;
        self.keep(key, Entry { stored: Arc::new(stored.clone()), asked_at }, generation);
        Ok(stored)
    }

    fn keep(&self, key: Key, entry: Entry, generation: u64) {
        let mut entries = lock(&self.entries);
        let is_overtaken = entries.get(key).is_some_and(|known| known.asked_at > entry.asked_at);
        if entries.generation != generation || is_overtaken {
            return;
        }
        if entries.young.len() >= HALF {
            entries.turn();
        }
        entries.young.insert(key, entry);
        if entries.sweeper.as_ref().is_none_or(AbortHandle::is_finished) {
            let sweeping = sweep(Arc::downgrade(&self.entries), self.max_age.max(SWEEP));
            entries.sweeper = Some(tokio::spawn(sweeping).abort_handle());
        }
    }

    /// Drops what is known of a connection.
    pub(crate) fn forget(&self, workspace: WorkspaceId, connection: ConnectionId) {
        let (key, mut entries) = ((workspace, connection), lock(&self.entries));
        entries.generation += 1;
        entries.young.remove(&key);
        entries.old.remove(&key);
    }

    /// Drops what is known of a connection when a transaction that writes its tokens has ended.
    pub(super) fn forget_after(&self, tx: &mut Tx, workspace: WorkspaceId, connection: ConnectionId) {
        let cache = self.clone();
        tx.at_end(move || cache.forget(workspace, connection));
    }

    /// Drops everything, as a process that shuts down does.
    pub(crate) fn clear(&self) {
        let mut entries = lock(&self.entries);
        entries.generation += 1;
        entries.turn();
        entries.turn();
    }
}

impl Entries {
    fn get(&self, key: Key) -> Option<&Entry> {
        self.young.get(&key).or_else(|| self.old.get(&key))
    }

    fn turn(&mut self) {
        self.old = std::mem::take(&mut self.young);
    }
}

/// Has secrets that nobody asks for leave memory.
async fn sweep(entries: Weak<Mutex<Entries>>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let Some(entries) = entries.upgrade() else { return };
        let mut entries = lock(&entries);
        entries.turn();
        if entries.old.is_empty() {
            entries.sweeper = None;
            return;
        }
    }
}

fn lock(entries: &Mutex<Entries>) -> MutexGuard<'_, Entries> {
    entries.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
