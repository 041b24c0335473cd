//! Processes that are stopped past their lease, and go on while others have their jobs.

use super::host::{Failed, Host, bind, host_tx};
use super::processes::*;
use super::support::on;
use crate::support::*;
use atom_core::*;
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// The part of a worker.
pub(super) async fn work(part: &Part, atom: &Atom) {
    let (host, number, gate) = (Host::connect(&part.url), part.number, part.folder.join("go"));
    let held = (host.clone(), gate.clone());
    let mut handlers = on("hold", move |job| {
        let (host, gate) = held.clone();
        async move { hold(&job, &host, &gate).await }
    });
    handlers.extend(on("short", move |job| {
        let (host, gate) = (host.clone(), gate.clone());
        async move {
            let (input, attempt) = (job.input().0.as_i64().unwrap(), i64::from(job.attempt()));
            if input < QUICK {
                return Ok(job.input());
            }
            host.write("INSERT INTO host_starts VALUES ($1, $2, $3, $4)", &[input, attempt, number, now()]).await?;
            if input < QUICK + HELD && attempt == 1 {
                say("holds");
                opened(&gate).await;
                // Until the worker has found out that it slept.
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            Ok(job.input())
        }
    }));
    part.work(atom, handlers).await;
}

/// So many short jobs are over at once, so that a worker fetches others in advance.
const QUICK: i64 = 300;
/// So many after them hold the worker up, while those that it fetched wait.
const HELD: i64 = 2;

async fn opened(gate: &Path) {
    while !gate.exists() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// The first attempt waits in the middle, and then writes whatever a handler can write; a later one takes its time.
async fn hold(job: &RunningJob, host: &Host, gate: &Path) -> Result<Json, JobFailure> {
    if job.attempt() > 1 {
        let seconds = job.input().0.as_f64().unwrap();
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
        return Ok(Json(json!("fresh")));
    }
    job.begin_step("begun".into(), Effect::Idempotent).await?;
    say("holds");
    opened(gate).await;
    let progress = JobProgress { done: 1, total: None, note: None };
    let refused = [
        job.finish_step("begun".into(), Json(json!("stale"))).await.err(),
        job.begin_step("late".into(), Effect::Once).await.err(),
        job.sleep("nap".into(), 60.0).await.err(),
        job.report(progress).await.err(),
        write(job, host, true).await.unwrap().err(),
        write(job, host, false).await.unwrap().err(),
    ];
    say(refused.map(|error| error.map_or("written", |error| error.reason())).join(" "));
    say(host.execute(&job.completion(Json(json!("stale"))).await?).await.unwrap());
    let told = tokio::time::timeout(Duration::from_secs(2), job.cancelled()).await;
    say(if told.is_ok() { "told" } else { "not told" });
    Ok(Json(json!("stale")))
}

/// Records a step, or completes the job, in a transaction of the host.
async fn write(job: &RunningJob, host: &Host, completes: bool) -> Result<Result<()>, Failed> {
    host_tx!(host, tx => {
        bind(sqlx::query("INSERT INTO host_effects VALUES ($1, $2, $3, $4)"), &[0; 4]).execute(&mut *tx).await?;
        let written = match completes {
            true => job.complete_in(&mut tx, Json(json!("stale"))).await,
            false => job.finish_step_in(&mut tx, "stale", Json(json!("stale"))).await,
        };
        if written.is_ok() {
            tx.commit().await?;
        }
        Ok(written)
    })
}

/// Stops a process while it is not in the middle of a write: on SQLite nobody else could write then.
async fn freeze(process: &Process, host: &Host) {
    loop {
        process.signal("STOP").await;
        let free = tokio::time::timeout(Duration::from_millis(100), host.write("DELETE FROM host_known", &[])).await;
        if free.is_ok() {
            return;
        }
        process.signal("CONT").await;
        tokio::time::sleep(Duration::from_millis(37)).await;
    }
}

async fn wait_until(jobs: &Jobs, id: JobId, state: JobState, attempt: i32) {
    super::support::until(async || {
        let job = jobs.get(id).await.unwrap();
        job.state == state && job.attempt == attempt
    })
    .await;
}

on_both!(a04_a_worker_that_slept_past_its_lease_writes_nothing_and_goes_on_as_a_new_one, |database| async move {
    let host = Host::found(&database).await;
    let part = Part::new(Task::Frozen, &database);
    let atom = part.open().await;
    let enqueue = async |seconds: f64| {
        let new = NewJob { kind: "hold".into(), input: Some(Json(json!(seconds))), ..Default::default() };
        atom.jobs().enqueue(new).await.unwrap().id
    };
    let mut stale = Process::start(&Part { number: 1, ..part.clone() });
    stale.ready().await;
    // When the sleeper wakes, one of its jobs has ended elsewhere and one is running there.
    let (ended, running) = (enqueue(0.0).await, enqueue(4.0).await);
    assert_eq!((stale.hear().await, stale.hear().await), ("holds".into(), "holds".into()));
    freeze(&stale, &host).await;

    let mut fresh = Process::start(&Part { number: 2, ..part.clone() });
    fresh.ready().await;
    wait_until(&atom.jobs(), ended, JobState::Succeeded, 2).await;
    wait_until(&atom.jobs(), running, JobState::Running, 2).await;
    std::fs::write(database.folder.path().join("go"), "").unwrap();
    stale.signal("CONT").await;
    let mut heard = Vec::new();
    for _ in 0..6 {
        heard.push(stale.hear().await);
    }
    heard.sort();
    let refused = ["job_lost"; 6].join(" ");
    assert_eq!(heard, ["0", "0", refused.as_str(), refused.as_str(), "told", "told"]);

    for id in [ended, running] {
        let job = atom.jobs().wait(id, Some(20.0)).await.unwrap();
        assert_eq!((job.state, job.attempt, job.output), (JobState::Succeeded, 2, Some(Json(json!("fresh")))));
        assert_eq!(job.progress, None);
    }
    assert!(host.read("SELECT id FROM host_effects").await.unwrap().is_empty());
    fresh.stop().await;
    let after = NewJob { kind: "short".into(), input: Some(Json(json!(0))), ..Default::default() };
    let after = atom.jobs().enqueue(after).await.unwrap();
    assert_eq!(atom.jobs().wait(after.id, Some(20.0)).await.unwrap().attempt, 1);
    stale.stop().await;
    assert_quiet(database.folder.path());
});

on_both!(a04_jobs_that_were_fetched_before_the_sleep_are_not_started_after_it, |database| async move {
    let host = Host::found(&database).await;
    let part = Part { concurrency: i32::try_from(HELD).unwrap(), ..Part::new(Task::Frozen, &database) };
    let (atom, gate) = (part.open().await, database.folder.path().join("go"));
    // A worker on a busy machine may fetch none in advance.
    for round in 0..10 {
        let jobs = (0..QUICK + 100).map(|i| NewJob { kind: "short".into(), input: Some(Json(json!(i))), ..Default::default() });
        let jobs = atom.jobs().enqueue_many(jobs.collect()).await.unwrap();
        let mut stale = Process::start(&Part { number: 2 * round, ..part.clone() });
        stale.ready().await;
        assert_eq!((stale.hear().await, stale.hear().await), ("holds".into(), "holds".into()));
        freeze(&stale, &host).await;
        let mut fresh = Process::start(&Part { number: 2 * round + 1, concurrency: 8, ..part.clone() });
        fresh.ready().await;
        for job in &jobs {
            assert_eq!(atom.jobs().wait(job.id, Some(30.0)).await.unwrap().state, JobState::Succeeded);
        }
        std::fs::write(&gate, "").unwrap();
        stale.signal("CONT").await;
        tokio::time::sleep(Duration::from_millis(1500)).await;
        fresh.stop().await;
        stale.stop().await;
        std::fs::remove_file(&gate).unwrap();

        let starts = host.read("SELECT process, attempt FROM host_starts").await.unwrap();
        let of = |process, attempt| starts.iter().filter(|start| (start[0], start[1]) == (process, attempt)).count();
        let started = usize::try_from(HELD).unwrap();
        assert_eq!(of(2 * round, 1), started, "what it had fetched was not started any more");
        assert_quiet(database.folder.path());
        if of(2 * round + 1, 2) > started {
            return;
        }
    }
    panic!("no worker fetched a job in advance");
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_sleeps_in_a_transaction_does_not_hold_the_others_up_for_ever() {
    let Some(database) = Database::postgres().await else { return println!("skipped: ATOM_TEST_POSTGRES is not set") };
    let host = Host::connect(&database.url);
    let part = Part { lease_seconds: 2.0, ..Part::new(Task::Drain, &database) };
    let atom = part.open().await;
    let note = NewJob { kind: "note".into(), input: Some(Json(json!(0))), ..Default::default() };
    let mut stale = Process::start(&Part { number: 1, ..part.clone() });
    stale.ready().await;
    let mut ids = Vec::new();
    let asleep = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'atom' AND state = 'idle in transaction'";
    loop {
        ids.extend(atom.jobs().enqueue_many(vec![note.clone(); 500]).await.unwrap());
        stale.signal("STOP").await;
        // What the server was doing for it is over by now.
        tokio::time::sleep(Duration::from_millis(50)).await;
        if host.read(asleep).await.unwrap()[0][0] > 0 {
            break;
        }
        stale.signal("CONT").await;
    }
    let mut fresh = Process::start(&Part { number: 2, ..part });
    fresh.ready().await;
    for job in ids {
        assert_eq!(atom.jobs().wait(job.id, Some(20.0)).await.unwrap().state, JobState::Succeeded);
    }
    stale.signal("CONT").await;
    stale.stop().await;
    fresh.stop().await;
}
