//! What calls, sealed records and stored tokens cost in Rust: the measure for the other languages.

use atom_core::testing::{GoogleStandIn, Probe, Sample, SealedSample, fill_audit_log};
use atom_core::{Atom, Bytes, Connection, LocalKey, NewAccount, Result, Scope, StartConnection};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use serde_json::json;
use std::future::Future;
use tokio::runtime::Runtime;

const AT_ONCE: u32 = 64;
const MANY: usize = 1000;

/// Measures a call awaited in place, and awaited from a task of its own as every binding does.
fn measure<F, T>(c: &mut Criterion, runtime: &Runtime, operation: &str, call: impl Fn() -> F)
where
    F: Future<Output = Result<T>> + Send + 'static,
    T: Send + 'static,
{
    let mut group = c.benchmark_group(operation);
    group.bench_function("rust", |b| b.to_async(runtime).iter(async || call().await.expect("the call succeeds")));
    group.bench_function("rust_task", |b| b.to_async(runtime).iter(async || in_task(call()).await));
    group.finish();
}

fn measure_at_once<F, T>(c: &mut Criterion, runtime: &Runtime, operation: &str, call: impl Fn() -> F)
where
    F: Future<Output = Result<T>> + Send + 'static,
    T: Send + 'static,
{
    let mut group = c.benchmark_group(format!("{operation}_{AT_ONCE}"));
    group.throughput(Throughput::Elements(AT_ONCE.into()));
    group.bench_function("rust_task", |b| {
        b.to_async(runtime).iter(async || {
            let tasks: Vec<_> = (0..AT_ONCE).map(|_| in_task(call())).collect();
            for task in tasks {
                task.await;
            }
        });
    });
    group.finish();
}

fn in_task<T: Send + 'static>(call: impl Future<Output = Result<T>> + Send + 'static) -> impl Future<Output = T> {
    let task = tokio::spawn(call);
    async { task.await.expect("the task ends").expect("the call succeeds") }
}

fn calls(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let probe = runtime.block_on(Probe::start()).expect("a probe");
    let sample = sample();
    let samples = vec![sample.clone(); MANY];

    let nothing = || {
        let probe = probe.clone();
        async move { probe.nothing().await }
    };
    measure(c, &runtime, "nothing", nothing);
    measure_at_once(c, &runtime, "nothing", nothing);
    measure(c, &runtime, "echo", || {
        let (probe, sample) = (probe.clone(), sample.clone());
        async move { probe.echo(sample).await }
    });
    measure(c, &runtime, "echo_many", || {
        let (probe, samples) = (probe.clone(), samples.clone());
        async move { probe.echo_many(samples).await }
    });
}

fn sample() -> Sample {
    let sample = json!({
        "text": "The quick brown fox jumps over the lazy dog",
        "count": 42,
        "ratio": 0.5,
        "flag": true,
        "at": "2026-11-21T08:00:00Z",
        "connection": "01890a5d-ac96-774b-bcce-b302099a8057",
        "weight": "very_heavy",
        "shape": { "type": "circle", "radius": 1.5 },
        "tags": ["one", "two"],
        "labels": { "colour": "red" },
        "raw": { "starred": true },
        "content": "AAECAwQFBgcICQoLDA0ODw==",
        "note": "a note",
    });
    serde_json::from_value(sample).expect("a sample")
}

fn records(c: &mut Criterion) {
    const LENGTH: usize = 2048;
    let runtime = Runtime::new().expect("a runtime");
    let probe = runtime.block_on(Probe::start()).expect("a probe");
    let plain = vec![7; LENGTH];
    let mut sample = SealedSample {
        data_key: Bytes(vec![1; 32]),
        workspace: "01890a5d-ac96-774b-bcce-b302099a8057".parse().expect("an id"),
        table: "atom_token_sets".into(),
        row: Bytes(vec![2; 31]),
        field: "sealed".into(),
        version: 1,
        record: Bytes(vec![]),
    };
    sample.record = probe.seal_record(&sample, &plain).expect("a record");

    let mut group = c.benchmark_group("record_2KiB");
    group.throughput(Throughput::Bytes(LENGTH as u64));
    group.bench_function("seal", |b| b.iter(|| probe.seal_record(&sample, &plain).expect("a record")));
    group.bench_function("open", |b| {
        let open = async |sample| probe.open_record(sample).await.expect("the record opens");
        b.to_async(&runtime).iter_batched(|| sample.clone(), open, BatchSize::SmallInput);
    });
    group.finish();
}

fn tokens(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let sqlite = |name| Some(format!("sqlite:{}", folder.path().join(name).display()));
    let postgres = std::env::var("ATOM_BENCH_POSTGRES").ok();
    for (operation, url, token_cache_seconds) in
        [("token", sqlite("atom.db"), 0.0), ("token_cached", sqlite("cached.db"), 60.0), ("token_postgres", postgres, 0.0)]
    {
        let Some(url) = url else { continue };
        let connection = runtime.block_on(connect(url, token_cache_seconds)).expect("a connection");
        let token = || {
            let connection = connection.clone();
            async move { connection.access_token().await }
        };
        measure(c, &runtime, operation, token);
        measure_at_once(c, &runtime, operation, token);
    }
}

/// Signs somebody up at an installation without providers.
async fn sign_up(database_url: String) -> Result<Scope> {
    scope(&Atom::builder(database_url).key(key()?).open().await?).await
}

/// Signs somebody up and connects their account, once.
async fn connect(database_url: String, token_cache_seconds: f64) -> Result<Connection> {
    let google = GoogleStandIn::start().await?;
    let builder = Atom::builder(database_url).key(key()?).provider(google.app());
    let atom = builder.token_cache_seconds(token_cache_seconds).open().await?;
    let connections = scope(&atom).await?.connections();
    let start = StartConnection { provider: "google".into(), ..StartConnection::default() };
    let authorization = connections.start(start).await?;
    connections.complete(google.approve(authorization.url, "ada@example.com".into()).await?).await
}

fn key() -> Result<LocalKey> {
    LocalKey::from_base64(&"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".into())
}

async fn scope(atom: &Atom) -> Result<Scope> {
    let account = NewAccount {
        email: format!("{}@example.com", uuid::Uuid::now_v7()),
        password: "an engine of brass and thought".into(),
        ..NewAccount::default()
    };
    let session = atom.accounts().sign_up(account).await?;
    atom.authenticate(session.access_token).await
}

/// Walks a chain of 100,000 entries.
fn audit(c: &mut Criterion) {
    const ENTRIES: usize = 100_000;
    let runtime = Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let sqlite = format!("sqlite:{}", folder.path().join("atom.db").display());
    let postgres = std::env::var("ATOM_BENCH_POSTGRES").ok();
    let mut group = c.benchmark_group("audit_verify_100000");
    group.sample_size(10).throughput(Throughput::Elements(ENTRIES as u64));
    for (engine, url) in [("sqlite", Some(sqlite)), ("postgres", postgres)] {
        let Some(url) = url else { continue };
        let trail = runtime.block_on(sign_up(url)).expect("a scope").audit();
        runtime.block_on(fill_audit_log(&trail, ENTRIES)).expect("a long log");
        group.bench_function(engine, |b| {
            b.to_async(&runtime).iter(async || assert!(trail.verify(None).await.expect("a report").problem.is_none()));
        });
    }
    group.finish();
}

criterion_group!(benches, calls, records, tokens, audit);
criterion_main!(benches);
