//! A vendor that refuses most of what it is asked: many callers, in one process and in two, and what became of each write.

use super::server::{json as reply, lost, status};
use super::*;
use crate::process::{Assignment, Process, assignment, say, unwanted};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// How many requests of one process may be under way.
const CONCURRENT: usize = 8;

const PROVIDER: &str = r#"
[limits]
retry_after = [
    { header = "x-reset", format = "epoch_millis" },
    { header = "x-wait", format = "duration" },
    { path = "wait.seconds", format = "seconds" },
]
[limits.buckets.default]
concurrent = 8
"#;

const OPERATIONS: &str = r#"
[services.main.operations."tasks.create"]
vendor_op = "create"
path = "/create"
effect = "once"
body = { encoding = "json", record = "task" }
record = "task"
[services.main.operations."tasks.create_safely"]
vendor_op = "create"
path = "/create"
effect = "once"
idempotency = "Idempotency-Key"
body = { encoding = "json", record = "task" }
record = "task"
"#;

/// The first letters of a write's name say from which process it comes; `-safe-` that it has a key, `-lost-` that its first answer is lost.
fn name(process: &str, number: usize) -> String {
    let is_safe = if number.is_multiple_of(2) { "safe" } else { "bare" };
    let is_lost = if number % 8 < 2 { "lost" } else { "told" };
    format!("{process}-{is_safe}-{is_lost}-{number}")
}

/// A vendor with a bucket of tokens of its own.
#[derive(Default)]
struct Vendor {
    tokens: f64,
    filled: Option<Instant>,
    /// How often each write was carried out.
    written: HashMap<String, usize>,
    /// What was answered to a key.
    keys: HashMap<String, Value>,
    arrivals: Vec<(Instant, String)>,
    refusals: Vec<Refusal>,
    /// Writes whose answer was lost.
    lost: HashSet<String>,
    replayed: usize,
}

struct Refusal {
    at: Instant,
    until: Instant,
    name: String,
}

impl Vendor {
    const BURST: f64 = 10.0;
    const A_SECOND: f64 = 20.0;

    fn takes(&mut self, now: Instant) -> bool {
        let since = self.filled.replace(now).map_or(f64::MAX, |filled| (now - filled).as_secs_f64());
        self.tokens = (self.tokens + since * Self::A_SECOND).min(Self::BURST);
        let takes = self.tokens >= 1.0;
        self.tokens -= f64::from(u8::from(takes));
        takes
    }

    fn answer(&mut self, asked: &Asked) -> Reply {
        let (now, name) = (Instant::now(), asked.json()["name"].as_str().unwrap().to_owned());
        self.arrivals.push((now, name.clone()));
        if !self.takes(now) {
            let (reply, wait) = self.refuse();
            self.refusals.push(Refusal { at: now, until: now + wait, name });
            return reply;
        }
        let key = asked.headers.get("idempotency-key").cloned();
        assert_eq!(key.is_some(), name.contains("-safe-"));
        if let Some(known) = key.as_ref().and_then(|key| self.keys.get(key)) {
            self.replayed += 1;
            return reply(known.clone());
        }
        *self.written.entry(name.clone()).or_default() += 1;
        let answer = json!({"id": name, "name": name});
        self.keys.extend(key.map(|key| (key, answer.clone())));
        if name.contains("-lost-") && self.lost.insert(name) {
            return lost();
        }
        reply(answer)
    }

    /// Another dialect each time, and how long it says to wait.
    fn refuse(&self) -> (Reply, Duration) {
        let (second, now) = (Duration::from_secs(1), chrono::Utc::now());
        let refused = status(429);
        match self.refusals.len() % 5 {
            0 => (refused.with("retry-after", 1), second),
            1 => (refused.with("x-reset", now.timestamp_millis() + 1000), second - Duration::from_millis(1)),
            2 => (refused.with("x-wait", "1s"), second),
            3 => (reply(json!({"wait": {"seconds": 1}})).status(429), second),
            _ => {
                // A date has no fractions.
                let at = now + chrono::TimeDelta::seconds(2);
                let wait = Duration::from_millis(2000 - u64::from(at.timestamp_subsec_millis()) - 1);
                (refused.with("retry-after", at.format("%a, %d %b %Y %H:%M:%S GMT")), wait)
            }
        }
    }

    /// Compares what each caller was told with what is there.
    fn check(&self, told: &HashMap<String, Option<String>>) {
        let mut done = 0;
        for (name, failure) in told {
            let written = self.written.get(name).copied().unwrap_or_default();
            match failure.as_deref() {
                None => assert_eq!(written, 1, "`{name}` was told to be there"),
                Some("provider_rate_limit" | "local_budget") => assert_eq!(written, 0, "`{name}` was told to be refused"),
                Some("broken_answer") => {
                    assert!(self.lost.contains(name), "`{name}` has an answer");
                    assert_eq!(written, 1, "`{name}` may have happened, and is not doubled");
                }
                other => panic!("`{name}`: {other:?}"),
            }
            done += usize::from(failure.is_none());
        }
        assert!(self.written.keys().all(|name| told.contains_key(name)));
        let written: usize = self.written.values().sum();
        let arrived = written + self.replayed + self.refusals.len();
        assert_eq!(arrived, self.arrivals.len(), "all that arrived was written, known already or refused");
        assert!(self.refusals.len() > 10 && self.lost.len() > 5, "it was a storm: {} {}", self.refusals.len(), self.lost.len());
        assert!(done >= 40, "{done} of {} were done", told.len());
    }

    /// While a process has been told to wait, nothing of it arrives but what was under way.
    fn check_silence(&self) {
        let process = |name: &str| name.split_once('-').map(|(process, _)| process.to_owned());
        for Refusal { at, until, name } in &self.refusals {
            let during = self
                .arrivals
                .iter()
                .filter(|(arrived, other)| arrived > at && arrived < until && process(other) == process(name));
            let during: Vec<_> = during.collect();
            assert!(during.len() < CONCURRENT, "{} arrived while `{name}` was told to wait", during.len());
            assert!(during.iter().all(|(_, other)| other != name), "`{name}` came back too early");
        }
    }
}

fn lock(vendor: &Mutex<Vendor>) -> MutexGuard<'_, Vendor> {
    vendor.lock().unwrap()
}

/// So many callers write one record each: their names, with the reason of those that failed.
async fn storm(connection: &Connection, process: &str, callers: usize) -> HashMap<String, Option<String>> {
    let callers = (0..callers).map(|number| {
        let (connection, name) = (connection.clone(), name(process, number));
        tokio::spawn(async move {
            let operation = if name.contains("-safe-") { "tasks.create_safely" } else { "tasks.create" };
            let done = connection.call(operation.into(), Json(json!({ "title": name }))).await;
            (name, done.err().map(|error| error.reason().to_owned()))
        })
    });
    let mut told = HashMap::new();
    for caller in callers.collect::<Vec<_>>() {
        told.extend([caller.await.unwrap()]);
    }
    told
}

on_both!(sixty_four_callers_in_a_storm_of_refusals_lose_and_double_no_write, |database| async move {
    let vendor = Arc::new(Mutex::new(Vendor::default()));
    let here = Arc::clone(&vendor);
    let stage = Stage::new(&database, PROVIDER, OPERATIONS, move |asked| lock(&here).answer(asked)).await;
    let told = storm(&stage.connection, "one", 64).await;
    assert_eq!(told.len(), 64);
    lock(&vendor).check(&told);
    lock(&vendor).check_silence();
});

const PROCESS: &str = "engine::storm::process";

/// A process with 32 callers.
#[derive(Clone, Serialize, Deserialize)]
struct Part {
    url: String,
    folder: PathBuf,
    number: i64,
    user: UserId,
    workspace: WorkspaceId,
    connection: ConnectionId,
    manifest: String,
}

impl Assignment for Part {
    fn test(&self) -> &'static str {
        PROCESS
    }

    fn number(&self) -> i64 {
        self.number
    }

    fn log(&self) -> std::fs::File {
        std::fs::File::create(self.folder.join(format!("{}.log", self.number))).unwrap()
    }
}

/// The other process. The test starts it as a child; run among the tests it has nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn process() {
    let Some(part) = assignment::<Part>(PROCESS) else { return };
    let app = ProviderApp { provider: "stage".into(), manifest: Some(part.manifest), ..Default::default() };
    let key = LocalKey::from_base64(&KEY.into()).unwrap();
    let atom = Atom::builder(part.url).key(key).provider(app).open().await.unwrap();
    let scope = atom.act_as(part.user, part.workspace).await.unwrap();
    let connection = scope.connections().open(part.connection).await.unwrap();
    say("ready");
    let told = storm(&connection, &format!("process{}", part.number), 32).await;
    say(serde_json::to_string(&told).unwrap());
    unwanted().await;
    atom.shut_down().await.unwrap();
}

on_both!(two_processes_in_a_storm_of_refusals_lose_and_double_no_write, |database| async move {
    let vendor = Arc::new(Mutex::new(Vendor::default()));
    let here = Arc::clone(&vendor);
    let server = Server::start(move |asked| lock(&here).answer(asked)).await;
    let manifest = format!("{HEAD}{PROVIDER}{SERVICE}{OPERATIONS}").replace("$url", &server.url);
    let app = ProviderApp { provider: "stage".into(), manifest: Some(manifest.clone()), ..Default::default() };
    let atom = database.builder().provider(app).open().await.unwrap();
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    let fields = HashMap::from([("api_key".to_owned(), "k".into())]);
    let with = ConnectWith { provider: "stage".into(), fields, ..Default::default() };
    let connection = scope.connections().connect(with).await.unwrap().id();
    let (user, workspace) = (session.user.id, session.workspace.id);
    let (url, folder) = (database.url.clone(), database.folder.path().to_owned());
    let part = Part { url, folder, number: 0, user, workspace, connection, manifest };
    let mut processes: Vec<_> = (1..=2).map(|number| Process::start(&Part { number, ..part.clone() })).collect();
    for process in &mut processes {
        process.ready().await;
    }
    let mut told = HashMap::new();
    for process in &mut processes {
        told.extend(serde_json::from_str::<HashMap<String, Option<String>>>(&process.hear().await).unwrap());
    }
    for process in processes {
        process.stop().await;
    }
    assert_eq!(told.len(), 64);
    lock(&vendor).check(&told);
    lock(&vendor).check_silence();
});
