//! An installation for the host's own tests.

use crate::{Atom, Clock, Error, Handler, OpenOptions, Result, WorkerOptions};
use atom_macros::{api, handle};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// An installation whose clock stands still until the test moves it, in a database that vanishes with it.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use atom_core::testing::TestKit;
/// use atom_core::{Handler, JobFailure, JobKind, JobState, Json, NewJob, OpenOptions};
///
/// let kinds = vec![JobKind { name: "remind".into(), ..Default::default() }];
/// let kit = TestKit::start(OpenOptions { job_kinds: Some(kinds), ..Default::default() }).await?;
/// let remind = NewJob { kind: "remind".into(), delay_seconds: Some(3600.0), ..Default::default() };
/// let id = kit.atom().jobs().enqueue(remind).await?.id;
///
/// let handlers = || [("remind".to_owned(), Handler::new(|_| async { Ok::<_, JobFailure>(Json::default()) }))].into();
/// assert_eq!(kit.run_jobs(handlers()).await?, 0);
/// kit.advance(3600.0).await?;
/// assert_eq!(kit.run_jobs(handlers()).await?, 1);
/// assert_eq!(kit.atom().jobs().get(id).await?.state, JobState::Succeeded);
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct TestKit {
    atom: Atom,
    clock: StoppedClock,
}

/// A clock that only a test moves.
#[derive(Clone)]
struct StoppedClock(Arc<Mutex<DateTime<Utc>>>);

impl Clock for StoppedClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[api]
impl TestKit {
    /// Opens an installation with these options: in a database of its own (`memory:`) unless they name one.
    ///
    /// Fails as `Atom.open` does.
    pub async fn start(options: OpenOptions) -> Result<Self> {
        let clock = StoppedClock(Arc::new(Mutex::new(Utc::now())));
        let mut builder = Atom::builder("memory:");
        let database_url = if options.database_url.is_empty() { "memory:".into() } else { options.database_url };
        builder.options = OpenOptions { database_url, ..options };
        let atom = builder.clock(clock.clone()).open().await?;
        Ok(Self { atom, clock })
    }

    /// The installation.
    pub fn atom(&self) -> Atom {
        self.atom.clone()
    }

    /// What the clock of the installation shows.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Moves the clock forward. Workers, schedules and retries notice.
    ///
    /// Fails with `invalid` (`malformed_option`) for a time before now.
    pub async fn advance(&self, seconds: f64) -> Result<()> {
        if !(0.0..=3.2e9).contains(&seconds) {
            return Err(Error::invalid("malformed_option", "the clock is moved by 0 seconds to a century"));
        }
        #[allow(clippy::cast_possible_truncation)] // a century in microseconds
        let by = TimeDelta::microseconds((seconds * 1e6) as i64);
        *self.clock.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
        self.atom.wake_workers()
    }

    /// Fires what is scheduled, tells what is due and runs every job that is due, with those that they enqueue, until none is left. Returns how many attempts
    /// that were. Jobs whose kind has no handler here are left alone.
    pub async fn run_jobs(&self, handlers: HashMap<String, Handler>) -> Result<i64> {
        let count = Arc::new(Mutex::new(0_i64));
        let counted = |handler: Handler| {
            let count = Arc::clone(&count);
            Handler::new(move |job| {
                *count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                handler.run(job)
            })
        };
        let handlers = handlers.into_iter().map(|(kind, handler)| (kind, counted(handler))).collect::<HashMap<_, _>>();
        let kinds: Vec<String> = handlers.keys().cloned().collect();
        let options = WorkerOptions { poll_seconds: Some(0.02), ..Default::default() };
        let worker = self.atom.start_worker(handlers, Some(options)).await?;
        while self.atom.has_work(&kinds).await? {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        worker.stop().await?;
        let count = *count.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(count)
    }
}
