//! What was read moments ago: token sets, so that a busy connection is not read and opened anew for every call, the policies that every
//! use of a secret is compared with, and the providers that workspaces bring.
//!
//! What is here may be as old as the installation allows; only the refresh protocol and other writers of tokens always ask the database. A write of
//! this process drops what it makes old as soon as its transaction has ended, so that only another process's goes unnoticed for that long.

use super::Stored;
use crate::storage::Tx;
use crate::{ConnectionId, Result, WorkspaceId};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::task::AbortHandle;

/// How many entries each of the two maps holds at most.
const HALF: usize = 2048;
/// Entries leave memory in at least this rhythm, if nobody uses them.
const SWEEP: Duration = Duration::from_secs(1);

/// The token sets that this process has read.
pub(crate) type TokenCache = Cache<(WorkspaceId, ConnectionId), Stored>;

/// What this process has read of one kind.
#[derive(Clone)]
pub(crate) struct Cache<K, V> {
    entries: Arc<Mutex<Entries<K, V>>>,
    /// How old an entry may become. Zero: nothing is kept.
    max_age: Duration,
}

/// New entries come into the young map. Now and then it becomes the old one, and what was old is dropped.
struct Entries<K, V> {
    young: HashMap<K, Entry<V>>,
    old: HashMap<K, Entry<V>>,
    /// Grows with every write: what was being read meanwhile may be older, and is not kept.
    generation: u64,
    sweeper: Option<AbortHandle>,
}

struct Entry<V> {
    value: Arc<V>,
    /// When the database was asked, by a clock that no test and no administrator moves.
    asked_at: Instant,
}

impl<K: Copy + Eq + Hash + Send + Sync + 'static, V: Clone + Send + Sync + 'static> Cache<K, V> {
    pub(crate) fn new(max_age: Duration) -> Self {
        let entries = Entries { young: HashMap::new(), old: HashMap::new(), generation: 0, sweeper: None };
        Self { entries: Arc::new(Mutex::new(entries)), max_age }
    }

    /// What is or was there moments ago; `load` asks the database.
    pub(crate) async fn read(&self, key: K, load: impl Future<Output = Result<V>>) -> Result<V> {
        if self.max_age.is_zero() {
            return load.await;
        }
        let asked_at = Instant::now();
        let (known, generation) = {
            let entries = lock(&self.entries);
            let known = entries.get(&key).filter(|known| asked_at.saturating_duration_since(known.asked_at) < self.max_age);
            (known.map(|known| Arc::clone(&known.value)), entries.generation)
        };
        if let Some(known) = known {
            return Ok(V::clone(&known));
        }
        let value = load.await?;
        self.keep(key, Entry { value: Arc::new(value.clone()), asked_at }, generation);
        Ok(value)
    }

    fn keep(&self, key: K, entry: Entry<V>, generation: u64) {
        let mut entries = lock(&self.entries);
        let is_overtaken = entries.get(&key).is_some_and(|known| known.asked_at > entry.asked_at);
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

    /// Drops what is known.
    pub(crate) fn forget(&self, key: K) {
        let mut entries = lock(&self.entries);
        entries.generation += 1;
        entries.young.remove(&key);
        entries.old.remove(&key);
    }

    /// Drops what is known when a transaction that writes it has ended.
    pub(crate) fn forget_after(&self, tx: &mut Tx, key: K) {
        let cache = self.clone();
        tx.at_end(move || cache.forget(key));
    }

    /// Drops everything, as a process that shuts down does.
    pub(crate) fn clear(&self) {
        let mut entries = lock(&self.entries);
        entries.generation += 1;
        entries.turn();
        entries.turn();
    }
}

impl<K: Eq + Hash, V> Entries<K, V> {
    fn get(&self, key: &K) -> Option<&Entry<V>> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    fn turn(&mut self) {
        self.old = std::mem::take(&mut self.young);
    }
}

/// Has secrets that nobody asks for leave memory.
async fn sweep<K: Eq + Hash, V>(entries: Weak<Mutex<Entries<K, V>>>, every: Duration) {
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

fn lock<K, V>(entries: &Mutex<Entries<K, V>>) -> MutexGuard<'_, Entries<K, V>> {
    entries.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
