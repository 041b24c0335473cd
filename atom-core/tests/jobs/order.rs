//! Which job is first.

use super::support::*;
use crate::support::*;
use atom_core::*;
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Runs all jobs one by one, and returns their inputs in the order in which they ran.
async fn run_all(atom: &Atom, count: usize) -> Vec<Value> {
    let log = Log::default();
    let worker = atom.start_worker(log.of("echo"), one_by_one()).await.unwrap();
    until(async || log.len() >= count).await;
    worker.stop().await.unwrap();
    log.all()
}

/// Makes each job that was enqueued the only one of a workspace of its own.
async fn scatter(database: &Database) {
    sql(
        database,
        "UPDATE atom_runs SET workspace_id = id WHERE workspace_id = zeroblob(16)",
        "UPDATE atom_runs SET workspace_id = id WHERE workspace_id = '00000000-0000-0000-0000-000000000000'",
    )
    .await;
}

on_both!(the_higher_priority_goes_first, |database| async move {
    let atom = open(&database).await;
    let jobs =
        [0, 5, i32::MIN, 7, -1, i32::MAX].map(|priority| NewJob { priority: Some(priority), ..new("echo", json!(priority)) });
    atom.jobs().enqueue_many(jobs.into()).await.unwrap();
    assert_eq!(run_all(&atom, 6).await, [i32::MAX, 7, 5, 0, -1, i32::MIN].map(Value::from));
});

on_both!(of_the_same_priority_the_older_goes_first, |database| async move {
    let atom = open(&database).await;
    atom.jobs().enqueue_many(ids(20)).await.unwrap();
    assert_eq!(run_all(&atom, 20).await, (0..20).map(Value::from).collect::<Vec<_>>());
});

on_both!(of_the_same_priority_the_one_that_was_due_earlier_goes_first, |database| async move {
    let atom = open(&database).await;
    let now = Utc::now();
    let due = |minutes| NewJob { run_at: Some(now - TimeDelta::minutes(minutes)), ..new("echo", json!(minutes)) };
    atom.jobs().enqueue_many(vec![due(1), due(3), due(2)]).await.unwrap();
    assert_eq!(run_all(&atom, 3).await, [3, 2, 1].map(Value::from));
});

on_both!(a_kinds_priority_holds_for_its_jobs, |database| async move {
    let urgent = JobKind { name: "urgent".into(), priority: Some(10), ..Default::default() };
    let atom = builder(&database).job_kind(urgent).open().await.unwrap();
    let (usual, urgent) = (new("echo", json!("usual")), new("urgent", json!("urgent")));
    let less = NewJob { priority: Some(1), ..new("urgent", json!("less")) };
    atom.jobs().enqueue_many(vec![usual, less, urgent]).await.unwrap();
    let log = Log::default();
    let handlers: HashMap<_, _> = log.of("echo").into_iter().chain(log.of("urgent")).collect();
    atom.start_worker(handlers, one_by_one()).await.unwrap();
    until(async || log.len() == 3).await;
    assert_eq!(log.all(), ["urgent", "less", "usual"].map(Value::from));
});

on_both!(a_delayed_job_starts_when_it_is_due_and_not_before, |database| async move {
    let atom = open(&database).await;
    atom.start_worker(echo(), quick()).await.unwrap();
    let id = enqueue(&atom.jobs(), NewJob { delay_seconds: Some(0.3), ..new("echo", json!(1)) }).await;
    assert_eq!(state(&atom.jobs(), id).await, JobState::Delayed);
    let job = ended(&atom.jobs(), id).await;
    assert!(job.started_at.unwrap() >= job.run_at);
});

on_both!(a_sleeping_worker_wakes_for_a_delayed_job_without_polling, |database| async move {
    let atom = open(&database).await;
    atom.start_worker(echo(), Some(WorkerOptions { poll_seconds: Some(3600.0), ..options() })).await.unwrap();
    let id = enqueue(&atom.jobs(), NewJob { delay_seconds: Some(0.3), ..new("echo", json!(1)) }).await;
    assert_eq!(ended(&atom.jobs(), id).await.state, JobState::Succeeded);
});

on_both!(a_job_for_tomorrow_starts_tomorrow, |database| async move {
    let (atom, clock) = with_clock(&database).await;
    atom.start_worker(echo(), quick()).await.unwrap();
    let id = enqueue(&atom.jobs(), NewJob { delay_seconds: Some(86400.0), ..new("echo", json!(1)) }).await;
    clock.advance(TimeDelta::hours(23));
    a_while().await;
    assert_eq!(state(&atom.jobs(), id).await, JobState::Delayed);
    clock.advance(TimeDelta::hours(1));
    assert_eq!(ended(&atom.jobs(), id).await.state, JobState::Succeeded);
});

on_both!(thousands_of_delayed_jobs_become_due_at_once, |database| async move {
    let (atom, clock) = with_clock(&database).await;
    let log = Log::default();
    atom.start_worker(log.of("echo"), quick()).await.unwrap();
    let jobs = ids(2500).into_iter().map(|job| NewJob { delay_seconds: Some(60.0), ..job }).collect();
    atom.jobs().enqueue_many(jobs).await.unwrap();
    clock.advance(TimeDelta::minutes(1));
    until(async || log.len() == 2500).await;
});

on_both!(a_delayed_job_of_high_priority_goes_before_those_that_waited, |database| async move {
    let (atom, clock) = with_clock(&database).await;
    let late = NewJob { delay_seconds: Some(60.0), priority: Some(1), ..new("echo", json!("late")) };
    atom.jobs().enqueue_many(vec![new("echo", json!("early")), late]).await.unwrap();
    clock.advance(TimeDelta::minutes(2));
    assert_eq!(run_all(&atom, 2).await, ["late", "early"].map(Value::from));
});

on_both!(a16_workspaces_take_turns, |database| async move {
    let atom = open(&database).await;
    let (_, ada) = sign_up(&atom, "ada@example.com").await;
    let (_, bob) = sign_up(&atom, "bob@example.com").await;
    let many = |name: &str, count| (0..count).map(|_| new("echo", json!(name))).collect();
    ada.jobs().enqueue_many(many("ada", 40)).await.unwrap();
    bob.jobs().enqueue_many(many("bob", 4)).await.unwrap();
    let ran = run_all(&atom, 44).await;
    let last = ran.iter().rposition(|name| name == "bob").unwrap();
    assert!(last < 9, "{ran:?}");
});

on_both!(a16_a_flood_of_high_priority_takes_no_turns_of_other_workspaces, |database| async move {
    let atom = open(&database).await;
    let (_, ada) = sign_up(&atom, "ada@example.com").await;
    let urgent = (0..30).map(|_| NewJob { priority: Some(1000), ..new("echo", json!("ada")) }).collect();
    ada.jobs().enqueue_many(urgent).await.unwrap();
    enqueue(&atom.jobs(), new("echo", json!("own"))).await;
    let ran = run_all(&atom, 31).await;
    assert!(ran.iter().position(|name| name == "own").unwrap() < 3, "{ran:?}");
});

on_both!(a16_workspaces_take_turns_among_jobs_fetched_in_advance, |database| async move {
    let atom = open(&database).await;
    let (_, ada) = sign_up(&atom, "ada@example.com").await;
    ada.jobs().enqueue_many((0..600).map(|_| new("echo", json!("ada"))).collect()).await.unwrap();
    let log = Log::default();
    let seen = log.clone();
    // The buffer has grown by the time that the other workspace comes.
    let own = atom.jobs();
    let handlers = on("echo", move |job| {
        let (seen, own) = (seen.clone(), own.clone());
        async move {
            seen.note(job.input().0);
            if seen.len() == 200 {
                own.enqueue(new("echo", json!("own"))).await?;
            }
            Ok(Json(json!(null)))
        }
    });
    let alone = WorkerOptions { concurrency: Some(1), prefetch: Some(50), ..options() };
    atom.start_worker(handlers, Some(alone)).await.unwrap();
    until(async || log.len() == 601).await;
    let at = log.all().iter().position(|name| name == "own").unwrap();
    assert!(at < 350, "it waited for {} jobs", at - 200);
});

on_both!(a16_a_hundred_workspaces_with_a_job_each_are_all_served, |database| async move {
    let atom = open(&database).await;
    atom.jobs().enqueue_many(ids(100)).await.unwrap();
    scatter(&database).await;
    let start = Instant::now();
    assert_eq!(run_all(&atom, 100).await.len(), 100);
    assert!(start.elapsed() < Duration::from_secs(10), "it waited between them: {:?}", start.elapsed());
});

on_both!(a16_a_workspace_among_a_hundred_flooding_ones_gets_its_turn, |database| async move {
    let atom = open(&database).await;
    atom.jobs().enqueue_many(ids(100)).await.unwrap();
    scatter(&database).await;
    let (sqlite, postgres) = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10)
         INSERT INTO atom_runs (workspace_id, id, shape, kind, queue, lane, state, priority, run_at, input, max_attempts, keep_seconds, announce, created_at)
         SELECT workspace_id, randomblob(16), shape, kind, queue, lane, state, priority, run_at, input, max_attempts, keep_seconds, announce, created_at
           FROM atom_runs, n",
        "INSERT INTO atom_runs (workspace_id, id, shape, kind, queue, lane, state, priority, run_at, input, max_attempts, keep_seconds, announce, created_at)
         SELECT workspace_id, gen_random_uuid(), shape, kind, queue, lane, state, priority, run_at, input, max_attempts, keep_seconds, announce, created_at
           FROM atom_runs, generate_series(1, 10)",
    );
    sql(&database, sqlite, postgres).await;
    enqueue(&atom.jobs(), new("echo", json!("own"))).await;
    scatter(&database).await;
    let ran = run_all(&atom, 102).await;
    assert!(ran.iter().position(|name| name == "own").unwrap() <= 101);
});

on_both!(jobs_that_no_worker_here_handles_do_not_keep_others_waiting, |database| async move {
    let atom = open(&database).await;
    atom.jobs().enqueue_many((0..40).map(|i| new("gone", json!(i))).collect()).await.unwrap();
    scatter(&database).await;
    let start = Instant::now();
    enqueue(&atom.jobs(), new("echo", json!(1))).await;
    scatter(&database).await;
    let log = Log::default();
    let slow = WorkerOptions { poll_seconds: Some(3600.0), ..one_by_one().unwrap() };
    atom.start_worker(log.of("echo"), Some(slow)).await.unwrap();
    until(async || log.len() == 1).await;
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
});

on_both!(queues_take_turns, |database| async move {
    let atom = open(&database).await;
    atom.jobs().enqueue_many((0..30).map(|_| new("echo", json!("default"))).collect()).await.unwrap();
    atom.jobs().enqueue_many((0..3).map(|_| new("slow", json!("slow"))).collect()).await.unwrap();
    let log = Log::default();
    let handlers = log.of("echo").into_iter().chain(log.of("slow")).collect();
    atom.start_worker(handlers, one_by_one()).await.unwrap();
    until(async || log.len() == 33).await;
    assert!(log.all().iter().rposition(|queue| queue == "slow").unwrap() < 9, "{:?}", log.all());
});

on_both!(a_worker_serves_only_its_queues, |database| async move {
    let atom = open(&database).await;
    let own = enqueue(&atom.jobs(), new("slow", json!(1))).await;
    let moved = enqueue(&atom.jobs(), NewJob { queue: Some("default".into()), ..new("slow", json!(2)) }).await;
    let handlers = || on("slow", |job| async move { Ok(job.input()) });
    atom.start_worker(handlers(), quick()).await.unwrap();
    assert_eq!(ended(&atom.jobs(), own).await.state, JobState::Succeeded);
    a_while().await;
    assert_eq!(state(&atom.jobs(), moved).await, JobState::Waiting);
    let queues = Some(vec!["default".into()]);
    atom.start_worker(handlers(), Some(WorkerOptions { queues, ..options() })).await.unwrap();
    assert_eq!(ended(&atom.jobs(), moved).await.state, JobState::Succeeded);
});

on_both!(no_more_jobs_run_at_once_than_the_worker_may, |database| async move {
    let atom = open(&database).await;
    let (crowd, done) = (Crowd::default(), Arc::new(AtomicUsize::new(0)));
    let (inside, count) = (crowd.clone(), Arc::clone(&done));
    let handlers = on("echo", move |_| {
        let (inside, count) = (inside.clone(), Arc::clone(&count));
        async move {
            inside.stay(Duration::from_millis(2)).await;
            count.fetch_add(1, Ordering::Relaxed);
            Ok(Json(json!(null)))
        }
    });
    atom.jobs().enqueue_many(ids(200)).await.unwrap();
    atom.start_worker(handlers, Some(WorkerOptions { concurrency: Some(4), ..options() })).await.unwrap();
    until(async || done.load(Ordering::Relaxed) == 200).await;
    assert_eq!(crowd.most(), 4);
});
