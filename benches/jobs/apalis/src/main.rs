//! Drives apalis-sqlite by the line protocol of ../README.md.

use std::{
    collections::HashMap,
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use apalis::prelude::*;
use apalis_sqlite::{Config, SqliteConnectOptions, SqlitePool, SqliteStorage, callback::HookCallbackListener};
use futures::{FutureExt, stream};
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};

type Failure = Box<dyn Error + Send + Sync>;

#[derive(Clone)]
struct Seen {
    jobs: Arc<AtomicU64>,
    starts: mpsc::UnboundedSender<Instant>,
}

async fn no_op(_: u64, seen: Data<Seen>) -> Result<(), BoxDynError> {
    let now = Instant::now();
    seen.jobs.fetch_add(1, Ordering::Relaxed);
    Ok(seen.starts.send(now)?)
}

/// A pool whose connections tell the worker of inserts: the event-driven worker of
/// <https://docs.rs/apalis-sqlite/1.0.0/apalis_sqlite/#event-driven-worker-hooked>.
async fn open(path: &str) -> Result<(SqlitePool, HookCallbackListener), Failure> {
    let (pool, listener) = SqliteStorage::connect_with_callback("sqlite::memory:")?;
    // SqliteStorage::setup would leave one connection of the pool without any durability and the others with FULL.
    // Every subject on SQLite has WAL and NORMAL here.
    pool.set_connect_options(
        SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(10)),
    );
    SqliteStorage::migrations().run(&pool).await?;
    Ok((pool, listener))
}

/// Works until `jobs` are done or the time is up; returns the jobs done and the time.
async fn drain(path: &str, config: &Config, jobs: u64, limit: Duration) -> Result<(u64, Duration), Failure> {
    let (pool, listener) = open(path).await?;
    let storage = SqliteStorage::<u64>::new(&pool).with_config(config.clone());
    let before = done(&pool).await?;
    let (starts, _kept) = mpsc::unbounded_channel();
    let seen = Seen { jobs: Arc::default(), starts };
    let strategy = Strategy::new().stream(listener).interval(Duration::from_millis(500));
    let worker = WorkerBuilder::new("worker").backend(storage.poll_with_strategy(strategy)).data(seen.clone()).build(no_op);

    let clock = Instant::now();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(worker.run_until(stopped.map(|_| Ok::<_, std::io::Error>(()))));
    let mut finished = 0;
    while finished < jobs && clock.elapsed() < limit {
        if running.is_finished() {
            running.await??;
            return Err("the worker ended before its jobs".into());
        }
        sleep(Duration::from_millis(2)).await;
        // Counting is not free: not before every handler has been called.
        if seen.jobs.load(Ordering::Relaxed) >= jobs || clock.elapsed() >= limit {
            finished = done(&pool).await? - before;
        }
    }
    let time = clock.elapsed();
    drop(stop);
    running.await??;
    pool.close().await;
    Ok((finished, time))
}

async fn done(pool: &SqlitePool) -> Result<u64, Failure> {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM Jobs WHERE status = 'Done'").fetch_one(pool).await?;
    Ok(u64::try_from(count)?)
}

fn rate(jobs: u64, time: Duration) {
    println!("{{\"jobs\":{jobs},\"seconds\":{}}}", time.as_secs_f64());
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    // A host enqueues from its tasks. The main thread would have to be woken on top.
    tokio::spawn(drive()).await?
}

async fn drive() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let given: HashMap<&str, &str> =
        arguments.chunks_exact(2).map(|pair| (pair[0].trim_start_matches("--"), pair[1].as_str())).collect();
    let path = given["db"].trim_start_matches("sqlite:");
    let jobs: u64 = given["jobs"].parse()?;
    let limit = Duration::from_secs_f64(given["seconds"].parse()?);
    let tuned = given["variant"] == "tuned";

    let config = match tuned {
        true => Config::default().queue("no-op").batch_size(1000).lock_tasks(false).heartbeat_interval(Duration::from_secs(1)),
        false => Config::default().queue("no-op"),
    };
    let (pool, listener) = open(path).await?;
    let mut storage = SqliteStorage::<u64>::new(&pool).with_config(config.clone());

    match given["mode"] {
        "enqueue-one" => {
            let clock = Instant::now();
            for job in 0..jobs {
                storage.push(job).await?;
            }
            rate(jobs, clock.elapsed());
        }
        "enqueue-many" => {
            if tuned {
                // Without statistics of a past with this worker's name, SQLite completes a batch by a scan of every job that
                // the worker has ever completed. The library gathers none. The name is free once its heartbeat is late.
                storage.push_stream(&mut stream::iter(0..1000)).await?;
                drain(path, &config, 1000, limit).await?;
                sleep(Duration::from_secs(3)).await;
            }
            let clock = Instant::now();
            storage.push_stream(&mut stream::iter(0..jobs)).await?;
            rate(jobs, clock.elapsed());
            if tuned {
                sqlx::raw_sql("ANALYZE").execute(&pool).await?;
            }
        }
        "drain" => {
            let (done, time) = drain(path, &config, jobs, limit).await?;
            rate(done, time);
        }
        "latency" => {
            let (starts, mut started) = mpsc::unbounded_channel();
            let strategy = Strategy::new().stream(listener).interval(Duration::from_millis(500));
            let backend = storage.clone().poll_with_strategy(strategy);
            let worker = WorkerBuilder::new("worker").backend(backend).data(Seen { jobs: Arc::default(), starts }).build(no_op);
            tokio::spawn(worker.run());
            let mut samples = Vec::new();
            for job in 0..jobs {
                // As in ../driver.py: from 20 to 520 ms, in no step with anybody's polling.
                sleep(Duration::from_millis(20 + job * 197 % 500)).await;
                let clock = Instant::now();
                storage.push(job).await?;
                let start = started.recv().await.ok_or("the worker ended")?;
                samples.push(start.duration_since(clock).as_micros());
            }
            println!("{{\"samples_us\":{samples:?}}}");
        }
        other => return Err(format!("there is no mode {other}").into()),
    }
    Ok(())
}
