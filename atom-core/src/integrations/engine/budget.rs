//! Budgets: what all callers of one connection may send together, in this process.
//!
//! A budget is the manifest's (so many in so many seconds, so many at once) and the vendor's (nothing before a moment that it named).
//! Whoever wants to send is given a moment, in the order of asking.

use crate::ConnectionId;
use crate::crypto::random;
use crate::providers::Bucket;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// How long a caller waits for its turn.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a vendor can stop a connection.
const LONGEST_STOP: Duration = Duration::from_secs(3600);
/// How many budgets are kept. One that is not in use may be forgotten: then the vendor's own limit counts.
const MOST: usize = 10_000;

/// The budgets of this process.
#[derive(Default)]
pub(crate) struct Budgets(Mutex<HashMap<Key, Arc<Budget>>>);

/// A connection, and the name of the bucket.
type Key = (ConnectionId, String);

/// One budget.
pub(super) struct Budget {
    bucket: Option<Bucket>,
    concurrent: Option<Arc<Semaphore>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The moments of the last requests, and those that are given away.
    sent: VecDeque<Instant>,
    /// The vendor wants nothing before.
    stopped_until: Option<Instant>,
}

/// The leave to send one request, which ends with it.
pub(super) struct Turn {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Budgets {
    /// The budget of a connection for a bucket.
    pub(super) fn of(&self, connection: ConnectionId, name: &str, bucket: Option<&Bucket>) -> Arc<Budget> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (connection, name.to_owned());
        if let Some(budget) = known.get(&key) {
            return Arc::clone(budget);
        }
        if known.len() >= MOST {
            known.retain(|_, budget| Arc::strong_count(budget) > 1 || budget.is_busy());
        }
        if known.len() >= MOST {
            known.retain(|_, budget| Arc::strong_count(budget) > 1);
        }
        let budget = Arc::new(Budget::new(bucket.cloned()));
        known.insert(key, Arc::clone(&budget));
        budget
    }
}

impl Budget {
    fn new(bucket: Option<Bucket>) -> Self {
        let concurrent = bucket.as_ref().and_then(|bucket| bucket.concurrent).map(|most| Arc::new(Semaphore::new(most as usize)));
        Self { bucket, concurrent, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn window(&self) -> Option<(usize, Duration)> {
        let bucket = self.bucket.as_ref()?;
        Some((bucket.requests? as usize, Duration::from_secs_f64(bucket.seconds)))
    }

    /// Whether it would be missed.
    fn is_busy(&self) -> bool {
        let (now, state) = (Instant::now(), self.state());
        let window = self.window().map(|(_, window)| window).unwrap_or_default();
        state.stopped_until.is_some_and(|until| until > now) || state.sent.back().is_some_and(|last| *last + window > now)
    }

    /// Waits for the leave to send. Fails with how long it would take, if that is too long.
    pub(super) async fn turn(&self) -> Result<Turn, Duration> {
        let deadline = Instant::now() + PATIENCE;
        let permit = match &self.concurrent {
            None => None,
            Some(concurrent) => {
                let permit = tokio::time::timeout_at(deadline, Arc::clone(concurrent).acquire_owned()).await;
                Some(permit.ok().and_then(Result::ok).ok_or(Duration::from_secs(1))?)
            }
        };
        let mut at = self.reserve(deadline)?;
        loop {
            tokio::time::sleep_until(at).await;
            // Another answer may have stopped everyone meanwhile.
            let Some(until) = self.stop().filter(|until| *until > Instant::now()) else { break };
            if until > deadline {
                return Err(until - Instant::now());
            }
            at = until + spread();
        }
        Ok(Turn { _permit: permit })
    }

    fn stop(&self) -> Option<Instant> {
        self.state().stopped_until
    }

    /// Takes the next moment that is free.
    fn reserve(&self, deadline: Instant) -> Result<Instant, Duration> {
        let now = Instant::now();
        let mut state = self.state();
        let mut at = state.stopped_until.filter(|until| *until > now).map_or(now, |until| until + spread());
        if let Some((requests, window)) = self.window() {
            while state.sent.len() > requests && state.sent.front().is_some_and(|first| *first + window < now) {
                state.sent.pop_front();
            }
            if let Some(before) = state.sent.len().checked_sub(requests).and_then(|at| state.sent.get(at)) {
                at = at.max(*before + window);
            }
            at = state.sent.back().map_or(at, |last| at.max(*last));
        }
        if at > deadline {
            return Err(at - now);
        }
        if self.window().is_some() {
            state.sent.push_back(at);
        }
        Ok(at)
    }

    /// Lets nobody send for so long.
    pub(super) fn stop_for(&self, wait: Duration) {
        let until = Instant::now() + wait.min(LONGEST_STOP);
        let mut state = self.state();
        state.stopped_until = Some(state.stopped_until.map_or(until, |known| known.max(until)));
    }
}

/// Callers who were stopped together do not come back together.
fn spread() -> Duration {
    Duration::from_millis(random::<1>().map_or(0, |bytes| u64::from(bytes[0])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(requests: u32, seconds: f64) -> Budget {
        Budget::new(Some(Bucket { requests: Some(requests), seconds, concurrent: None }))
    }

    #[test]
    fn in_no_window_are_more_requests_than_the_bucket_has_and_nobody_waits_longer_than_needed() {
        let (budget, start) = (bucket(10, 1.0), Instant::now());
        let at: Vec<_> = (0..45).map(|_| budget.reserve(start + PATIENCE).expect("a moment") - start).collect();
        assert!(at.is_sorted() && at.windows(11).all(|eleven| eleven[10] - eleven[0] >= Duration::from_secs(1)), "{at:?}");
        assert!(at[44] < Duration::from_millis(4500), "{at:?}");
    }

    #[test]
    fn whoever_would_wait_too_long_is_told_how_long() {
        let (budget, deadline) = (bucket(1, 20.0), Instant::now() + PATIENCE);
        assert!(budget.reserve(deadline).is_ok() && budget.reserve(deadline).is_ok());
        let wait = budget.reserve(deadline).expect_err("too long");
        assert!(wait > Duration::from_secs(39) && wait <= Duration::from_secs(40), "{wait:?}");
        assert_eq!(budget.state().sent.len(), 2, "whoever is refused takes no moment from others");
    }

    #[tokio::test]
    async fn a_stop_holds_for_all_and_may_be_prolonged() {
        let (budget, start) = (Budget::new(None), Instant::now());
        budget.stop_for(Duration::from_millis(300));
        budget.stop_for(Duration::from_millis(100));
        budget.turn().await.map_err(drop).expect("a turn");
        assert!(start.elapsed() >= Duration::from_millis(300));
        budget.stop_for(Duration::from_secs(31));
        assert!(budget.turn().await.is_err());
    }

    #[tokio::test]
    async fn so_many_at_once_and_no_more() {
        let budget = Budget::new(Some(Bucket { requests: None, seconds: 1.0, concurrent: Some(2) }));
        let (first, second) = (budget.turn().await.map_err(drop), budget.turn().await.map_err(drop));
        assert!(first.is_ok() && second.is_ok());
        assert!(tokio::time::timeout(Duration::from_millis(50), budget.turn()).await.is_err());
        drop(first);
        assert!(tokio::time::timeout(Duration::from_secs(5), budget.turn()).await.is_ok());
    }

    #[test]
    fn budgets_are_few_however_many_connections_there_are() {
        let budgets = Budgets::default();
        for _ in 0..MOST + 100 {
            budgets.of(ConnectionId(uuid::Uuid::now_v7()), "", None);
        }
        assert!(budgets.0.lock().expect("unpoisoned").len() <= MOST);
    }
}
