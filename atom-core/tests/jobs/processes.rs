//! What the other processes do in the tests of jobs.

use super::{drain, fairness, frozen, limits, shop};
pub(super) use crate::process::*;
use crate::support::*;
use atom_core::*;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::PathBuf;

const PROCESS: &str = "jobs::processes::process";

/// What a process does.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) task: Task,
    pub(super) url: String,
    /// Where it writes what it did, and its log.
    pub(super) folder: PathBuf,
    /// Tells it from the others, living and dead.
    pub(super) number: i64,
    pub(super) concurrency: i32,
    pub(super) lease_seconds: f64,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) enum Task {
    /// Runs the orders of the shop.
    Shop,
    /// Places orders.
    Customer,
    /// Runs jobs that do nothing, and notes them.
    Drain,
    /// Runs jobs under limits, and notes when.
    Limits,
    /// Runs jobs of ten milliseconds.
    Fairness,
    /// Runs jobs that go on after their lease.
    Frozen,
}

impl Part {
    pub(super) fn new(task: Task, database: &Database) -> Self {
        Self {
            task,
            url: database.url.clone(),
            folder: database.folder.path().into(),
            number: 0,
            concurrency: 8,
            lease_seconds: 1.0,
        }
    }

    /// A worker with these handlers that works as long as the process is wanted.
    pub(super) async fn work(&self, atom: &Atom, handlers: HashMap<String, Handler>) {
        let options = WorkerOptions {
            concurrency: Some(self.concurrency),
            lease_seconds: Some(self.lease_seconds),
            poll_seconds: Some(0.25),
            grace_seconds: Some(0.5),
            drain_seconds: Some(5.0),
            label: Some(self.number.to_string()),
            ..Default::default()
        };
        let worker = atom.start_worker(handlers, Some(options)).await.unwrap();
        say("ready");
        unwanted().await;
        worker.stop().await.unwrap();
    }

    /// The installation, as its other processes know it.
    pub(super) async fn open(&self) -> Atom {
        let builder = Atom::builder(&self.url).key(LocalKey::from_base64(&KEY.into()).unwrap());
        kinds().into_iter().fold(builder, Builder::job_kind).open().await.unwrap()
    }

    /// A file of this process.
    pub(super) fn file(&self, ending: &str) -> std::fs::File {
        let path = self.folder.join(format!("{}.{ending}", self.number));
        std::fs::File::options().create(true).append(true).open(path).unwrap()
    }
}

/// The kinds of all jobs in these tests.
fn kinds() -> Vec<JobKind> {
    let soon = RetryPolicy { delay_seconds: Some(0.05), factor: Some(1.0), ..Default::default() };
    ["order", "note", "short", "hold"]
        .into_iter()
        .map(|name| JobKind { retry: Some(soon.clone()), max_attempts: Some(1_000_000), name: name.into(), ..Default::default() })
        .collect()
}

/// The other process. The tests start it as a child; run among them it has nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn process() {
    let Some(part) = assignment::<Part>(PROCESS) else { return };
    let atom = part.open().await;
    match part.task {
        Task::Shop => shop::work(&part, &atom).await,
        Task::Customer => shop::place_orders(&part, &atom).await,
        Task::Drain => drain::work(&part, &atom).await,
        Task::Limits => limits::work(&part, &atom).await,
        Task::Fairness => fairness::work(&part, &atom).await,
        Task::Frozen => frozen::work(&part, &atom).await,
    }
    atom.shut_down().await.unwrap();
}

impl Assignment for Part {
    fn test(&self) -> &'static str {
        PROCESS
    }

    fn number(&self) -> i64 {
        self.number
    }

    fn log(&self) -> std::fs::File {
        self.file("log")
    }
}
