//! Other processes of an installation: this test program once more, in one of its tests, with something to do there. They can be killed,
//! stopped and asked.

use chrono::Utc;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{Mutex, MutexGuard, mpsc};

const ASSIGNMENT: &str = "ATOM_TEST_PART";

/// What a process does.
pub(crate) trait Assignment: Serialize {
    /// The test that does it.
    fn test(&self) -> &'static str;

    /// Tells the process from the others, living and dead.
    fn number(&self) -> i64;

    /// Where it logs.
    fn log(&self) -> std::fs::File;

    /// Whether it logs what all crates say at all levels.
    fn logs_everything(&self) -> bool {
        false
    }
}

/// What this process is to do, if it is one that a test started.
pub(crate) fn assignment<T: Assignment + DeserializeOwned>(test: &str) -> Option<T> {
    let part = std::env::var(ASSIGNMENT).ok()?;
    if !std::env::args().any(|argument| argument == test) {
        return None;
    }
    let part: T = serde_json::from_str(&part).unwrap();
    let log = Log { file: std::sync::Mutex::new(part.log()), everything: part.logs_everything() };
    tracing::subscriber::set_global_default(log).unwrap();
    Some(part)
}

/// Tells the test something.
pub(crate) fn say(what: impl std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "> {what}").and_then(|()| out.flush()).expect("the test listens");
}

/// Waits until the test no longer wants this process, or is gone.
pub(crate) async fn unwanted() {
    let (gone, end) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = gone.send(());
    });
    let _ = end.await;
}

/// What the test tells this process, until it no longer wants it or is gone.
pub(crate) fn orders() -> mpsc::UnboundedReceiver<String> {
    let (pass, orders) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            let _ = pass.send(line);
        }
    });
    orders
}

/// Another process, as the test sees it.
pub(crate) struct Process {
    pub(crate) number: i64,
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
    is_ready: bool,
}

impl Process {
    pub(crate) fn start(part: &impl Assignment) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", part.test(), "--nocapture"])
            .env(ASSIGNMENT, serde_json::to_string(part).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(part.log())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { number: part.number(), stdin: child.stdin.take(), child, lines, is_ready: false }
    }

    /// The next thing that it says.
    pub(crate) async fn hear(&mut self) -> String {
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

    pub(crate) async fn ready(&mut self) {
        if !std::mem::replace(&mut self.is_ready, true) {
            assert_eq!(self.hear().await, "ready");
        }
    }

    /// Tells it something: a line that it gets from [`orders`].
    pub(crate) async fn tell(&mut self, what: &str) {
        self.stdin.as_mut().expect("it is wanted").write_all(format!("{what}\n").as_bytes()).await.unwrap();
    }

    /// Kills it with signal 9, and says when it was dead at the latest.
    pub(crate) async fn kill(mut self) -> i64 {
        assert!(self.child.try_wait().unwrap().is_none(), "process {} ended before it was killed: see its log", self.number);
        self.child.kill().await.unwrap();
        now()
    }

    /// Kills it with signal 9, and returns what it had said until then.
    pub(crate) async fn kill_and_listen(mut self) -> Vec<String> {
        self.child.kill().await.unwrap();
        let mut said = Vec::new();
        while let Some(line) = self.lines.next_line().await.unwrap() {
            said.extend(line.split_once("> ").map(|(_, said)| said.to_owned()));
        }
        said
    }

    /// Its id in the system.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().expect("it lives")
    }

    /// Sends it a signal.
    pub(crate) async fn signal(&self, name: &str) {
        let id = self.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().await.unwrap().success());
    }

    /// Asks it to end, and waits until it has.
    pub(crate) async fn stop(mut self) {
        drop(self.stdin.take());
        let end = tokio::time::timeout(Duration::from_secs(60), self.child.wait()).await.expect("it ends");
        assert!(end.unwrap().success(), "process {} ended badly: see its log", self.number);
    }
}

/// How much memory this process had when it began to be watched.
pub(crate) struct Memory(usize);

impl Memory {
    /// None where the system does not tell.
    pub(crate) fn watch() -> Option<Self> {
        // The peak is forgotten. Where that is not allowed, more is measured than was needed.
        let _ = std::fs::write("/proc/self/clear_refs", "5");
        bytes("VmRSS:").map(Self)
    }

    /// How much more it has had since, at the most.
    pub(crate) fn growth(&self) -> usize {
        bytes("VmHWM:").expect("it told before").saturating_sub(self.0)
    }
}

fn bytes(field: &str) -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix(field)?.trim().strip_suffix(" kB"))?;
    Some(kibibytes.parse::<usize>().ok()? * 1024)
}

/// Microseconds on a clock that all processes share.
pub(crate) fn now() -> i64 {
    Utc::now().timestamp_micros()
}

/// A number below another.
pub(crate) fn random(below: u64) -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().1 % below
}

/// A size of a test: the first among all tests, the second in a soak.
pub(crate) fn sized<T>(short: T, soak: T) -> T {
    if std::env::var_os("ATOM_SOAK").is_some() { soak } else { short }
}

/// These tests take the whole machine, and measure time: one at a time.
pub(crate) async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}

/// What the processes of a test logged, one line per event.
pub(crate) fn logs(folder: &Path) -> String {
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
pub(crate) fn assert_quiet(folder: &Path) {
    for sign in ["panicked", "database is locked", "database_busy"] {
        let log = logs(folder);
        let lines: Vec<_> = log.lines().filter(|line| line.contains(sign)).take(10).collect();
        assert!(lines.is_empty(), "{}", lines.join("\n"));
    }
}

/// Writes what is logged into a file.
struct Log {
    file: std::sync::Mutex<std::fs::File>,
    everything: bool,
}

struct Fields<'a>(&'a mut String);

impl tracing::field::Visit for Fields<'_> {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        self.everything || *metadata.level() <= tracing::Level::WARN || metadata.target().starts_with("atom_core")
    }

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = format!("{} {}", Utc::now().format("%H:%M:%S%.3f"), event.metadata().level());
        event.record(&mut Fields(&mut line));
        line.push('\n');
        let _ = self.file.lock().unwrap().write_all(line.as_bytes());
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}
