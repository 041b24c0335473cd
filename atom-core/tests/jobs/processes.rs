//! Other processes of the installation: this test program once more, in one of the tasks below. They can be killed and stopped.

use super::{drain, fairness, frozen, limits, shop};
use crate::support::*;
use atom_core::*;
use chrono::Utc;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{Mutex, MutexGuard};

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
    let Ok(part) = std::env::var("ATOM_TEST_PART") else { return };
    let part: Part = serde_json::from_str(&part).unwrap();
    tracing::subscriber::set_global_default(Log(std::sync::Mutex::new(part.file("log")))).unwrap();
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

/// Tells the test something.
pub(super) fn say(what: impl std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "> {what}").and_then(|()| out.flush()).expect("the test listens");
}

/// Waits until the test no longer wants this process, or is gone.
pub(super) async fn unwanted() {
    let (gone, end) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = gone.send(());
    });
    let _ = end.await;
}

/// Another process, as the test sees it.
pub(super) struct Process {
    pub(super) number: i64,
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
    is_ready: bool,
}

impl Process {
    pub(super) fn start(part: &Part) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "jobs::processes::process", "--nocapture"])
            .env("ATOM_TEST_PART", serde_json::to_string(part).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(part.file("log"))
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { number: part.number, stdin: child.stdin.take(), child, lines, is_ready: false }
    }

    /// The next thing that it says.
    pub(super) async fn hear(&mut self) -> String {
        let heard = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                // The test harness prints its own words before the first of ours, on the same line.
                if let Some((_, said)) = line.split_once("> ") {
                    return said.to_owned();
                }
            }
            panic!("process {} ended: see its log", self.number);
        };
        tokio::time::timeout(Duration::from_secs(60), heard).await.expect("it says something")
    }

    pub(super) async fn ready(&mut self) {
        if !std::mem::replace(&mut self.is_ready, true) {
            assert_eq!(self.hear().await, "ready");
        }
    }

    /// Kills it with signal 9, and says when it was dead at the latest.
    pub(super) async fn kill(mut self) -> i64 {
        self.child.kill().await.unwrap();
        now()
    }

    /// Sends it a signal.
    pub(super) async fn signal(&self, name: &str) {
        let id = self.child.id().expect("it lives").to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().await.unwrap().success());
    }

    /// Asks it to end, and waits until it has.
    pub(super) async fn stop(mut self) {
        drop(self.stdin.take());
        let end = tokio::time::timeout(Duration::from_secs(60), self.child.wait()).await.expect("it ends");
        assert!(end.unwrap().success(), "process {} ended badly: see its log", self.number);
    }
}

/// Microseconds on a clock that all processes share.
pub(super) fn now() -> i64 {
    Utc::now().timestamp_micros()
}

/// A number below another.
pub(super) fn random(below: u64) -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().1 % below
}

/// A size of a test: the first among all tests, the second in a soak.
pub(super) fn sized<T>(short: T, soak: T) -> T {
    if std::env::var_os("ATOM_SOAK").is_some() { soak } else { short }
}

/// These tests take the whole machine, and measure time: one at a time.
pub(super) async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}

/// What the processes of a test logged, one line per event.
pub(super) fn logs(folder: &Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "log") {
            all += &std::fs::read_to_string(path).unwrap();
        }
    }
    all
}

/// No process panicked, and none was ever refused by a locked database.
pub(super) fn assert_quiet(folder: &Path) {
    for sign in ["panicked", "database is locked", "database_busy"] {
        let log = logs(folder);
        let lines: Vec<_> = log.lines().filter(|line| line.contains(sign)).take(10).collect();
        assert!(lines.is_empty(), "{}", lines.join("\n"));
    }
}

/// Writes what is logged into a file.
struct Log(std::sync::Mutex<std::fs::File>);

struct Fields<'a>(&'a mut String);

impl tracing::field::Visit for Fields<'_> {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() <= tracing::Level::WARN || metadata.target().starts_with("atom_core")
    }

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = format!("{} {}", Utc::now().format("%H:%M:%S%.3f"), event.metadata().level());
        event.record(&mut Fields(&mut line));
        line.push('\n');
        let _ = self.0.lock().unwrap().write_all(line.as_bytes());
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}
