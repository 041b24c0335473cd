//! Drives the library's own jobs by the line protocol of `jobs/README.md`.

use crate::{Given, key, line};
use atom_core::{Atom, Effect, Handler, JobFailure, JobKind, JobState, Json, NewJob, Result, Worker, WorkerOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::time::sleep;

const KIND: &str = "no_op";

/// What the handlers tell: how many were called, and when.
#[derive(Clone)]
struct Starts {
    count: Arc<AtomicU64>,
    moments: mpsc::UnboundedSender<Instant>,
}

pub(crate) async fn run(given: &Given) -> Result<()> {
    let count = given.number::<u64>("jobs").expect("--jobs");
    let limit = Duration::from_secs(given.number("seconds").expect("--seconds"));
    let options = WorkerOptions {
        concurrency: given.number("concurrency"),
        prefetch: given.number("prefetch"),
        ..WorkerOptions::default()
    };

    // Kept for a day, unless it is deleted as soon as it succeeds.
    let keep_seconds = if given.number("keep") == Some(1) { None } else { Some(0) };
    let kind = JobKind { name: KIND.into(), keep_seconds, ..JobKind::default() };
    let atom = Atom::builder(given.text("db")).key(key()?).job_kind(kind).open().await?;
    let (moments, mut started) = mpsc::unbounded_channel();
    let starts = Starts { count: Arc::default(), moments };

    match given.text("mode") {
        "enqueue-one" => {
            let clock = Instant::now();
            for number in 0..count {
                atom.jobs().enqueue(job(number)).await?;
            }
            rate(count, clock.elapsed());
        }
        "enqueue-many" => {
            let clock = Instant::now();
            let mut numbers = 0..count;
            while !numbers.is_empty() {
                atom.jobs().enqueue_many(numbers.by_ref().take(50_000).map(job).collect()).await?;
            }
            rate(count, clock.elapsed());
        }
        "drain" => {
            let clock = Instant::now();
            let worker = work(&atom, &starts, options).await?;
            let mut left = count;
            while left > 0 && clock.elapsed() < limit {
                sleep(Duration::from_millis(2)).await;
                // Counting is not free: not before every handler has been called.
                if starts.count.load(Ordering::Relaxed) >= count || clock.elapsed() >= limit {
                    left = unfinished(&atom).await?;
                }
            }
            rate(count - left, clock.elapsed());
            worker.stop().await?;
        }
        "latency" => {
            let worker = work(&atom, &starts, options).await?;
            let mut samples = Vec::new();
            for number in 0..count {
                // From 20 to 520 ms, in no step with anybody's polling.
                sleep(Duration::from_millis(20 + number * 197 % 500)).await;
                let clock = Instant::now();
                atom.jobs().enqueue(job(number)).await?;
                let start = started.recv().await.expect("the worker lives");
                samples.push(start.duration_since(clock).as_micros());
            }
            line(&format!("{{\"samples_us\":{samples:?}}}"));
            worker.stop().await?;
        }
        "next" => {
            let worker = work(&atom, &starts, options).await?;
            let mut last = started.recv().await.expect("the worker lives");
            let mut samples = Vec::new();
            for _ in 0..count {
                let start = started.recv().await.expect("the worker lives");
                samples.push(start.duration_since(last).as_micros());
                last = start;
            }
            worker.stop().await?;
            line(&format!("{{\"samples_us\":{samples:?}}}"));
        }
        "steps" => {
            let (done, mut took) = mpsc::unbounded_channel();
            let handler = Handler::new(move |job| {
                let done = done.clone();
                async move {
                    let clock = Instant::now();
                    for number in 0..count {
                        job.step(&format!("step {number}"), Effect::Idempotent, async { Ok::<_, JobFailure>(number) }).await?;
                    }
                    let _ = done.send(clock.elapsed());
                    Ok::<_, JobFailure>(Json::default())
                }
            });
            let worker = atom.start_worker([(KIND.into(), handler)].into(), Some(options)).await?;
            atom.jobs().enqueue(job(0)).await?;
            rate(count, took.recv().await.expect("the worker lives"));
            worker.stop().await?;
        }
        other => panic!("there is no mode {other}"),
    }
    Ok(())
}

fn job(number: u64) -> NewJob {
    NewJob { kind: KIND.into(), input: Some(Json(number.into())), ..NewJob::default() }
}

async fn work(atom: &Atom, starts: &Starts, options: WorkerOptions) -> Result<Worker> {
    let starts = starts.clone();
    let handler = Handler::new(move |_| {
        let now = Instant::now();
        let starts = starts.clone();
        async move {
            starts.count.fetch_add(1, Ordering::Relaxed);
            let _ = starts.moments.send(now);
            Ok::<_, JobFailure>(Json::default())
        }
    });
    atom.start_worker([(KIND.into(), handler)].into(), Some(options)).await
}

async fn unfinished(atom: &Atom) -> Result<u64> {
    let counts = atom.jobs().counts().await?;
    let left =
        counts.iter().filter(|count| matches!(count.state, JobState::Waiting | JobState::Running)).map(|count| count.count);
    Ok(left.sum::<i64>() as u64)
}

fn rate(jobs: u64, time: Duration) {
    line(&format!("{{\"jobs\":{jobs},\"seconds\":{}}}", time.as_secs_f64()));
}
