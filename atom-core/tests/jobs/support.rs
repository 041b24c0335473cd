//! Kinds, workers, hosts and waiting.

use crate::support::*;
use atom_core::*;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The kinds of all tests of jobs.
pub(super) fn kinds() -> Vec<JobKind> {
    let kind = |name: &str| JobKind { name: name.into(), ..Default::default() };
    let quick = RetryPolicy { delay_seconds: Some(0.01), factor: Some(1.0), ..Default::default() };
    vec![
        kind("echo"),
        kind("gone"),
        JobKind { retry: Some(quick.clone()), max_attempts: Some(3), ..kind("fail") },
        JobKind { keep_seconds: Some(0), ..kind("fleeting") },
        JobKind { queue: Some("slow".into()), ..kind("slow") },
        JobKind { timeout_seconds: Some(0.1), retry: Some(quick), max_attempts: Some(2), ..kind("timed") },
    ]
}

pub(super) fn builder(database: &Database) -> Builder {
    kinds().into_iter().fold(database.builder(), Builder::job_kind)
}

pub(super) async fn open(database: &Database) -> Atom {
    builder(database).open().await.unwrap()
}

/// An installation whose time the test moves.
pub(super) async fn with_clock(database: &Database) -> (Atom, TestClock) {
    let clock = TestClock::new();
    (builder(database).clock(clock.clone()).open().await.unwrap(), clock)
}

pub(super) fn new(kind: &str, input: Value) -> NewJob {
    NewJob { kind: kind.into(), input: Some(Json(input)), ..Default::default() }
}

pub(super) async fn enqueue(jobs: &Jobs, job: NewJob) -> JobId {
    jobs.enqueue(job).await.unwrap().id
}

/// Why a job is refused.
pub(super) async fn refusal(jobs: &Jobs, job: NewJob) -> &'static str {
    let error = jobs.enqueue(job).await.expect_err("a mistake");
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    error.reason()
}

pub(super) async fn state(jobs: &Jobs, id: JobId) -> JobState {
    jobs.get(id).await.unwrap().state
}

/// One handler.
pub(super) fn on<F, T>(kind: &str, run: F) -> HashMap<String, Handler>
where
    F: Fn(RunningJob) -> T + Send + Sync + 'static,
    T: Future<Output = Result<Json, JobFailure>> + Send + 'static,
{
    [(kind.to_owned(), Handler::new(run))].into()
}

/// A handler that returns its input.
pub(super) fn echo() -> HashMap<String, Handler> {
    on("echo", |job| async move { Ok(job.input()) })
}

/// What handlers saw, in order.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<Value>>>);

impl Log {
    pub(super) fn note(&self, what: impl Into<Value>) {
        self.0.lock().unwrap().push(what.into());
    }

    pub(super) fn all(&self) -> Vec<Value> {
        self.0.lock().unwrap().clone()
    }

    pub(super) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// A handler that notes its input.
    pub(super) fn of(&self, kind: &str) -> HashMap<String, Handler> {
        let log = self.clone();
        on(kind, move |job| {
            log.note(job.input().0);
            async move { Ok(job.input()) }
        })
    }
}

/// How many are inside at once, and how many were at most.
#[derive(Clone, Default)]
pub(super) struct Crowd(Arc<Mutex<(usize, usize)>>);

impl Crowd {
    pub(super) async fn stay(&self, time: Duration) {
        {
            let mut crowd = self.0.lock().unwrap();
            crowd.0 += 1;
            crowd.1 = crowd.1.max(crowd.0);
        }
        tokio::time::sleep(time).await;
        self.0.lock().unwrap().0 -= 1;
    }

    pub(super) fn most(&self) -> usize {
        self.0.lock().unwrap().1
    }
}

/// A door that handlers wait behind.
#[derive(Clone)]
pub(super) struct Door(watch::Sender<bool>);

impl Door {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    pub(super) fn open(&self) {
        self.0.send_replace(true);
    }

    pub(super) async fn pass(&self) {
        self.0.subscribe().wait_for(|open| *open).await.unwrap();
    }

    /// A handler that waits until the door opens, and then returns its input.
    pub(super) fn before(&self, kind: &str) -> HashMap<String, Handler> {
        let door = self.clone();
        on(kind, move |job| {
            let door = door.clone();
            async move {
                door.pass().await;
                Ok(job.input())
            }
        })
    }
}

pub(super) fn options() -> WorkerOptions {
    WorkerOptions { lease_seconds: Some(2.0), poll_seconds: Some(0.2), grace_seconds: Some(0.3), ..Default::default() }
}

pub(super) fn quick() -> Option<WorkerOptions> {
    Some(options())
}

/// A worker that runs one job after the other and fetches none in advance.
pub(super) fn one_by_one() -> Option<WorkerOptions> {
    Some(WorkerOptions { concurrency: Some(1), prefetch: Some(0), ..options() })
}

pub(super) async fn ended(jobs: &Jobs, id: JobId) -> StoredJob {
    jobs.wait(id, Some(20.0)).await.unwrap()
}

/// Waits until something is so.
pub(super) async fn until<T: Future<Output = bool>>(mut so: impl FnMut() -> T) {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(20) {
        if so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came to that");
}

pub(super) async fn until_state(jobs: &Jobs, id: JobId, wanted: JobState) {
    until(async || state(jobs, id).await == wanted).await;
}

/// Long enough for a worker to do what it must not do.
pub(super) async fn a_while() {
    tokio::time::sleep(Duration::from_millis(400)).await;
}

pub(super) fn ids(count: usize) -> Vec<NewJob> {
    (0..count).map(|i| new("echo", json!(i))).collect()
}

/// Has the database take all workers for dead, as it does when their leases end.
pub(super) async fn bury_workers(database: &Database) {
    sql(database, "DELETE FROM atom_workers", "DELETE FROM atom_workers").await;
}

/// The host's own connection to the database of the installation.
pub(super) enum Host {
    Sqlite(SqliteConnection),
    Pg(PgConnection),
}

impl Host {
    pub(super) async fn connect(url: &str) -> Self {
        if url.starts_with("sqlite:") {
            Self::Sqlite(SqliteConnection::connect(url).await.unwrap())
        } else {
            Self::Pg(PgConnection::connect(url).await.unwrap())
        }
    }

    /// A connection to a database that also has a table of the host's own.
    pub(super) async fn with_orders(database: &Database) -> Self {
        let mut host = Self::connect(&database.url).await;
        host.run("CREATE TABLE orders (id INTEGER PRIMARY KEY)").await;
        host
    }

    pub(super) async fn run(&mut self, sql: &str) -> u64 {
        self.try_run(sql).await.unwrap()
    }

    pub(super) async fn try_run(&mut self, sql: &str) -> sqlx::Result<u64> {
        let sql = AssertSqlSafe(sql.to_owned());
        Ok(match self {
            Self::Sqlite(c) => c.execute(sql).await?.rows_affected(),
            Self::Pg(c) => c.execute(sql).await?.rows_affected(),
        })
    }

    pub(super) async fn count(&mut self, table: &str) -> i64 {
        let sql = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        match self {
            Self::Sqlite(c) => sqlx::query_scalar(sql).fetch_one(c).await.unwrap(),
            Self::Pg(c) => sqlx::query_scalar(sql).fetch_one(c).await.unwrap(),
        }
    }

    pub(super) async fn begin(&mut self) {
        match self {
            Self::Sqlite(_) => self.run("BEGIN IMMEDIATE").await,
            Self::Pg(_) => self.run("BEGIN").await,
        };
    }

    pub(super) async fn commit(&mut self) {
        self.run("COMMIT").await;
    }

    pub(super) async fn roll_back(&mut self) {
        self.run("ROLLBACK").await;
    }

    pub(super) fn transaction(&mut self) -> HostTransaction<'_> {
        match self {
            Self::Sqlite(c) => c.into(),
            Self::Pg(c) => c.into(),
        }
    }
}
