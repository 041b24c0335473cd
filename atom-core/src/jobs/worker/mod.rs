//! A worker: it takes jobs, runs their handlers and stores what became of them.
//!
//! [`fetch`] takes jobs and starts them, [`attempt`] runs one of them, [`acks`] stores outcomes in batches, [`upkeep`] keeps the lease and
//! the queues in order. They share a [`Crew`].

mod acks;
mod attempt;
mod buffer;
mod fetch;
mod settings;
mod upkeep;

use super::store;
use super::{Handler, Stop, WorkerOptions};
use crate::atom::Inner;
use crate::{Error, ErrorKind, JobId, Result};
use acks::Finished;
use atom_macros::{api, handle};
use settings::Settings;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;
use tokio::sync::{Notify, mpsc, watch};
use uuid::Uuid;

pub(crate) use upkeep::Chore;

/// A worker of this process. It works until it is stopped, whether or not this handle is kept.
#[handle]
pub struct Worker {
    crew: Arc<Crew>,
}

/// How far a worker has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Phase {
    Working,
    /// No more jobs are taken; those that run may finish.
    Draining,
    /// The jobs that still run are told to end.
    Ending,
    Stopped,
}

/// What the tasks of a worker share.
struct Crew {
    inner: Arc<Inner>,
    /// Gone once the worker has stopped: what a host gave may keep its process alive.
    handlers: Mutex<HashMap<String, Handler>>,
    settings: Settings,
    phase: watch::Sender<Phase>,
    lease: Mutex<Lease>,
    /// The attempts under way, and how to end them.
    attempts: Mutex<HashMap<Claim, watch::Sender<Option<Stop>>>>,
    /// An attempt has ended: there is room for another.
    freed: Notify,
    /// Outcomes to be stored; `None` is the last.
    finished: mpsc::UnboundedSender<Option<Finished>>,
    /// How many of them are not stored yet.
    unstored: AtomicUsize,
    /// The claims that the worker knows of: taken, running or not stored yet.
    held: Mutex<HashSet<Claim>>,
}

/// A job, and which of its claims.
type Claim = (JobId, i64);

/// As whom the worker takes jobs, and until when these are its own.
#[derive(Clone, Copy)]
struct Lease {
    id: Uuid,
    until: Instant,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Crew {
    fn lease(&self) -> Lease {
        *lock(&self.lease)
    }

    fn running(&self) -> usize {
        lock(&self.attempts).len()
    }

    /// Tells every running attempt to end.
    fn stop_all(&self, why: Stop) {
        for stop in lock(&self.attempts).values() {
            tell(stop, why);
        }
    }

    fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// No more jobs from now on.
    fn drain(&self) {
        self.phase
            .send_if_modified(|phase| *phase == Phase::Working && std::mem::replace(phase, Phase::Draining) == Phase::Working);
    }
}

/// The first reason stays.
fn tell(stop: &watch::Sender<Option<Stop>>, why: Stop) {
    stop.send_if_modified(|stop| stop.is_none() && stop.replace(why).is_none());
}

/// Starts a worker.
pub(crate) async fn start(
    inner: Arc<Inner>,
    handlers: HashMap<String, Handler>,
    options: WorkerOptions,
    chores: Vec<Chore>,
) -> Result<Worker> {
    let settings = Settings::new(&inner.kinds, &handlers, options)?;
    let id = Uuid::now_v7();
    let since = Instant::now();
    store::register(inner.db()?, id, &settings.label, &settings.queues, settings.concurrency, settings.lease, inner.now())
        .await?;
    let (finished, incoming) = mpsc::unbounded_channel();
    let crew = Arc::new(Crew {
        inner,
        handlers: Mutex::new(handlers),
        phase: watch::Sender::new(Phase::Working),
        lease: Mutex::new(Lease { id, until: since + settings.lease }),
        settings,
        attempts: Mutex::default(),
        freed: Notify::new(),
        finished,
        unstored: AtomicUsize::new(0),
        held: Mutex::default(),
    });
    let acks = tokio::spawn(acks::run(Arc::clone(&crew), incoming));
    let fetch = tokio::spawn(fetch::run(Arc::clone(&crew)));
    let upkeep = upkeep::spawn(&crew, chores);
    tokio::spawn(wind_down(Arc::clone(&crew), fetch, acks, upkeep));
    Ok(Worker { crew })
}

/// Waits for the order to stop, and carries it out.
async fn wind_down(
    crew: Arc<Crew>,
    fetch: tokio::task::JoinHandle<()>,
    acks: tokio::task::JoinHandle<()>,
    upkeep: Vec<tokio::task::JoinHandle<()>>,
) {
    let mut phase = crew.phase.subscribe();
    let _ = phase.wait_for(|phase| *phase >= Phase::Draining).await;
    let _ = fetch.await;
    let settings = &crew.settings;
    if tokio::time::timeout(settings.drain, until_idle(&crew)).await.is_err() {
        crew.phase.send_if_modified(|phase| std::mem::replace(phase, Phase::Ending) != Phase::Ending);
        crew.stop_all(Stop::ShuttingDown);
        // Attempts end by themselves after their grace.
        until_idle(&crew).await;
    }
    let _ = crew.finished.send(None);
    let _ = acks.await;
    for task in upkeep {
        task.abort();
    }
    // One whose lease has ended is removed by the others.
    if Instant::now() < crew.lease().until
        && let Ok(db) = crew.inner.db()
        && let Err(error) = store::forget(db, crew.lease().id).await
    {
        tracing::debug!(%error, "a stopped worker could not be removed from the list");
    }
    lock(&crew.handlers).clear();
    crew.phase.send_replace(Phase::Stopped);
}

async fn until_idle(crew: &Crew) {
    loop {
        let freed = crew.freed.notified();
        if crew.running() == 0 {
            return;
        }
        freed.await;
    }
}

/// A worker of which an installation knows without keeping it: the tasks of a worker keep it, and it keeps the installation.
pub(crate) struct WeakWorker(Weak<Crew>);

impl WeakWorker {
    /// The worker, if it still works.
    pub(crate) fn working(&self) -> Option<Worker> {
        self.0.upgrade().map(|crew| Worker { crew }).filter(|worker| !worker.has_stopped())
    }
}

impl Worker {
    pub(crate) fn downgrade(&self) -> WeakWorker {
        WeakWorker(Arc::downgrade(&self.crew))
    }

    fn has_stopped(&self) -> bool {
        self.crew.phase() == Phase::Stopped
    }
}

#[api]
impl Worker {
    /// Stops gracefully: no more jobs are taken, those that run may finish within `drain_seconds`, then they are told to end, and what still
    /// does not end is left to other workers. Its attempt does not count. Returns when all of that has been stored.
    pub async fn stop(&self) -> Result<()> {
        self.crew.drain();
        self.finished().await
    }

    /// Waits until the worker has stopped.
    pub async fn finished(&self) -> Result<()> {
        let mut phase = self.crew.phase.subscribe();
        let ended = phase.wait_for(|phase| *phase == Phase::Stopped).await.is_ok();
        if ended { Ok(()) } else { Err(Error::new(ErrorKind::Cancelled, "runtime_ended", "the runtime ended before the worker")) }
    }

    /// How many jobs it is running.
    pub fn running(&self) -> i64 {
        i64::try_from(self.crew.running()).unwrap_or(i64::MAX)
    }
}
