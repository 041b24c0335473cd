//! One queue of orders, worked off by processes in several languages that share nothing but a database.
//!
//! ```text
//! cargo run -p workers                                         two Rust processes on one SQLite file
//! DATABASE_URL=postgres://… cargo run -p workers               Rust, Python and Node on one PostgreSQL
//! ```
//!
//! This program is the shop: it stores the orders, shows how far they are, and ends when the last job, the report, is done. The workers
//! are processes of their own: this program again with `--work`, `worker.py` and `worker.mjs`. Python and Node take part where
//! they find Atom (`pip install atom-py`, `npm install atom-node`).

#![allow(clippy::print_stdout)] // showing is what this program is for

mod progress;

use atom_core::{Atom, Handler, JobFailure, JobKind, Json, LocalKey, NewBatch, NewJob, WorkerOptions};
use progress::Progress;
use serde_json::json;
use std::error::Error;
use std::path::Path;
use std::time::Duration;
use tokio::process::{Child, Command};

/// How many orders the shop has.
const ORDERS: usize = 300;

/// Each language has a kind of job and a queue of its own: what a worker has no handler for does not get in its way.
const KINDS: [&str; 3] = ["order.price", "order.letter", "order.parcel"];
const REPORT: &str = "order.report";

fn kinds() -> Vec<JobKind> {
    let queues = ["rust", "python", "node", "rust"];
    let of = |(name, queue): (&str, &str)| JobKind { name: name.into(), queue: Some(queue.into()), ..Default::default() };
    KINDS.into_iter().chain([REPORT]).zip(queues).map(of).collect()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let database = std::env::var("DATABASE_URL").unwrap_or_else(|_| "sqlite:./orders.db".into());
    let key = LocalKey::from_base64(&std::env::var("ATOM_KEY").unwrap_or_else(|_| EXAMPLE_KEY.into()).into())?;
    let atom = kinds().into_iter().fold(Atom::builder(&database).key(key), |builder, kind| builder.job_kind(kind)).open().await?;
    if std::env::args().any(|argument| argument == "--work") { work(&atom).await } else { shop(&atom, &database).await }
}

/// A key that everybody knows. Yours comes from `openssl rand -base64 32`.
const EXAMPLE_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The worker in Rust: it works until it is told to stop.
async fn work(atom: &Atom) -> Result<(), Box<dyn Error>> {
    let price = Handler::new(|job| async move {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let order = job.input().0["order"].as_i64().ok_or_else(|| JobFailure::fatal("no_order", "the job names no order"))?;
        Ok(Json(json!({ "cents": 100 + order % 900 })))
    });
    let report = Handler::new(|_| async { Ok::<_, JobFailure>(Json("every order is priced, written and packed".into())) });
    let handlers = [(KINDS[0].to_owned(), price), (REPORT.to_owned(), report)].into();
    let options = WorkerOptions { concurrency: Some(4), label: Some("rust".into()), ..Default::default() };
    let worker = atom.start_worker(handlers, Some(options)).await?;
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => worker.stop().await?,
        _ = tokio::signal::ctrl_c() => worker.stop().await?,
    }
    Ok(())
}

/// Starts the workers, stores the orders and watches.
async fn shop(atom: &Atom, database: &str) -> Result<(), Box<dyn Error>> {
    let mut workers =
        vec![start(database, std::env::current_exe()?, &["--work"])?, start(database, std::env::current_exe()?, &["--work"])?];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut kinds = vec![KINDS[0]];
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    for (program, script, kind) in [(python.as_str(), "worker.py", KINDS[1]), ("node", "worker.mjs", KINDS[2])] {
        if has_atom(program, folder).await {
            workers.push(start(database, program, &[&folder.join(script).display().to_string()])?);
            kinds.push(kind);
        } else {
            println!("{program} does not find Atom: its jobs are left out");
        }
    }
    while atom.queues().workers().await?.len() < workers.len() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for worker in atom.queues().workers().await? {
        println!("{} works on {}, {} at once", worker.label, worker.queues.join(", "), worker.concurrency);
    }

    let of =
        |order, kind: &&str| NewJob { kind: (*kind).into(), input: Some(Json(json!({ "order": order }))), ..Default::default() };
    let jobs: Vec<_> = (0..ORDERS).flat_map(|order| kinds.iter().map(move |kind| of(order, kind))).collect();
    let then = NewJob { kind: REPORT.into(), ..Default::default() };
    let batch = atom.jobs().enqueue_batch(NewBatch { jobs, then: Some(then) }).await?;
    let mut progress = Progress::new("orders", batch.total);
    loop {
        let batch = atom.jobs().batch(batch.id).await?;
        progress.show(batch.total - batch.pending, batch.failed);
        if batch.pending == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let report = atom.jobs().wait(batch.id, Some(30.0)).await?;
    println!("{}", report.output.unwrap_or_default().0.as_str().unwrap_or_default());

    for worker in &workers {
        if let Some(id) = worker.id() {
            Command::new("kill").arg(id.to_string()).status().await?;
        }
    }
    for mut worker in workers {
        let ended = worker.wait().await?;
        assert!(ended.success(), "a worker ended with {ended}");
    }
    println!("all workers have stopped");
    atom.shut_down().await?;
    Ok(())
}

fn start(database: &str, program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> std::io::Result<Child> {
    let key = std::env::var("ATOM_KEY").unwrap_or_else(|_| EXAMPLE_KEY.into());
    Command::new(program).args(arguments).env("DATABASE_URL", database).env("ATOM_KEY", key).kill_on_drop(true).spawn()
}

/// Whether a language has Atom installed.
async fn has_atom(program: &str, folder: &Path) -> bool {
    let arguments: &[&str] = if program == "node" { &["-e", "require('atom-node')"] } else { &["-c", "import atom_py"] };
    let asked = Command::new(program).args(arguments).current_dir(folder).stderr(std::process::Stdio::null()).status().await;
    asked.is_ok_and(|status| status.success())
}
