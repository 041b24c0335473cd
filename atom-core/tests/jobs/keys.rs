//! How many run at once, and how many start in a time.

use super::support::*;
use crate::support::*;
use atom_core::*;
use chrono::TimeDelta;
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn at_once(key: &str, max: i32) -> Option<JobLimit> {
    Some(JobLimit { key: key.into(), max_running: Some(max), ..Default::default() })
}

fn starts(key: &str, max: i32, per_seconds: f64) -> Option<JobLimit> {
    Some(JobLimit { key: key.into(), max_starts: Some(max), per_seconds: Some(per_seconds), ..Default::default() })
}

fn limited(kind: &str, limit: &Option<JobLimit>) -> NewJob {
    NewJob { limit: limit.clone(), ..new(kind, json!(limit.as_ref().unwrap().key)) }
}

/// Jobs of many keys, each limited as the first says.
async fn fill(jobs: &Jobs, kind: &str, keys: usize, each: usize, limit: impl Fn(&str) -> Option<JobLimit>) {
    let all = (0..keys * each).map(|i| limited(kind, &limit(&format!("key {}", i % keys)))).collect();
    jobs.enqueue_many(all).await.unwrap();
}

async fn succeeded(jobs: &Jobs) -> i64 {
    let counts = jobs.counts().await.unwrap();
    counts.iter().filter(|count| count.state == JobState::Succeeded).map(|count| count.count).sum()
}

/// A worker that never looks unless it is woken.
fn without_polling(concurrency: i32) -> Option<WorkerOptions> {
    Some(WorkerOptions { poll_seconds: Some(3600.0), concurrency: Some(concurrency), ..options() })
}

/// Who was there at once, by the key of their limit.
type Crowds = Arc<Mutex<HashMap<String, Crowd>>>;

/// Handlers that stay a moment, counted per key.
fn crowds(kind: &str, stay: Duration) -> (HashMap<String, Handler>, Crowds) {
    let crowds = Crowds::default();
    let seen = Arc::clone(&crowds);
    let handlers = on(kind, move |job| {
        let crowd = seen.lock().unwrap().entry(job.input().0.to_string()).or_default().clone();
        async move {
            crowd.stay(stay).await;
            Ok(Json(json!(null)))
        }
    });
    (handlers, crowds)
}

on_both!(a16_no_more_jobs_of_a_key_run_at_once_than_its_limit_over_all_workers, |database| async move {
    let (first, second) = (open(&database).await, open(&database).await);
    let (handlers, crowds) = crowds("echo", Duration::from_millis(5));
    fill(&first.jobs(), "echo", 5, 24, |key| at_once(key, 2)).await;
    for atom in [&first, &second, &second] {
        atom.start_worker(handlers.clone(), quick()).await.unwrap();
    }
    until(async || succeeded(&first.jobs()).await == 120).await;
    let most: Vec<_> = crowds.lock().unwrap().values().map(Crowd::most).collect();
    assert!(most.len() == 5 && most.iter().all(|most| *most <= 2) && most.contains(&2), "{most:?}");
});

on_both!(a16_keys_do_not_wait_for_each_other, |database| async move {
    let atom = open(&database).await;
    let door = Door::new();
    atom.start_worker(door.before("echo"), without_polling(10)).await.unwrap();
    fill(&atom.jobs(), "echo", 8, 3, |key| at_once(key, 1)).await;
    until(async || atom.queues().list().await.unwrap()[0].running == 8).await;
    a_while().await;
    assert_eq!(atom.queues().list().await.unwrap()[0].running, 8);
    door.open();
    until(async || succeeded(&atom.jobs()).await == 24).await;
});

on_both!(a16_a_key_means_something_else_in_every_workspace, |database| async move {
    let atom = open(&database).await;
    let (_, ada) = sign_up(&atom, "ada@example.com").await;
    let door = Door::new();
    atom.start_worker(door.before("echo"), quick()).await.unwrap();
    for jobs in [atom.jobs(), ada.jobs()] {
        jobs.enqueue_many(vec![limited("echo", &at_once("k", 1)); 2]).await.unwrap();
    }
    until(async || atom.queues().list().await.unwrap()[0].running == 2).await;
    a_while().await;
    assert_eq!(atom.queues().list().await.unwrap()[0].running, 2);
});

on_both!(a16_no_stretch_of_time_has_more_starts_than_the_rate_over_all_workers, |database| async move {
    let (first, second) = (open(&database).await, open(&database).await);
    let all = first.jobs().enqueue_many(vec![limited("echo", &starts("k", 6, 0.3)); 25]).await.unwrap();
    for atom in [&first, &second, &second] {
        atom.start_worker(echo(), quick()).await.unwrap();
    }
    let mut at = Vec::new();
    for job in &all {
        at.push(ended(&first.jobs(), job.id).await.started_at.unwrap());
    }
    at.sort();
    for window in at.windows(7) {
        assert!(window[6] - window[0] > TimeDelta::milliseconds(300), "{at:?}");
    }
    assert!(at[24] - at[0] < TimeDelta::seconds(4), "the rate is made use of: {at:?}");
});

on_both!(a16_a_rate_per_minute_lets_more_start_a_minute_later, |database| async move {
    let (atom, clock) = with_clock(&database).await;
    atom.start_worker(echo(), quick()).await.unwrap();
    atom.jobs().enqueue_many(vec![limited("echo", &starts("k", 2, 60.0)); 5]).await.unwrap();
    for expected in [2, 4, 5] {
        until(async || succeeded(&atom.jobs()).await == expected).await;
        clock.advance(TimeDelta::seconds(55));
        a_while().await;
        assert_eq!(succeeded(&atom.jobs()).await, expected, "not yet");
        clock.advance(TimeDelta::seconds(9));
    }
});

on_both!(a16_a_worker_wakes_by_itself_when_a_rate_lets_the_next_job_start, |database| async move {
    let atom = open(&database).await;
    atom.start_worker(echo(), without_polling(10)).await.unwrap();
    atom.jobs().enqueue_many(vec![limited("echo", &starts("k", 1, 0.2)); 4]).await.unwrap();
    until(async || succeeded(&atom.jobs()).await == 4).await;
});

on_both!(a16_a_rate_and_a_number_hold_together, |database| async move {
    let atom = open(&database).await;
    let (handlers, crowds) = crowds("echo", Duration::from_millis(30));
    let both = Some(JobLimit { max_running: Some(2), ..starts("k", 5, 0.2).unwrap() });
    let all = atom.jobs().enqueue_many(vec![limited("echo", &both); 15]).await.unwrap();
    atom.start_worker(handlers, quick()).await.unwrap();
    let mut at = Vec::new();
    for job in &all {
        at.push(ended(&atom.jobs(), job.id).await.started_at.unwrap());
    }
    at.sort();
    assert!(at.windows(6).all(|window| window[5] - window[0] > TimeDelta::milliseconds(200)), "{at:?}");
    assert!(crowds.lock().unwrap().values().all(|crowd| crowd.most() <= 2));
});

on_both!(a16_the_newest_limit_of_a_key_holds_for_all_its_jobs, |database| async move {
    let atom = open(&database).await;
    let door = Door::new();
    atom.start_worker(door.before("echo"), quick()).await.unwrap();
    let running = async || atom.queues().list().await.unwrap()[0].running;
    atom.jobs().enqueue_many(vec![limited("echo", &at_once("k", 1)); 6]).await.unwrap();
    until(async || running().await == 1).await;
    enqueue(&atom.jobs(), limited("echo", &at_once("k", 3))).await;
    until(async || running().await == 3).await;
    enqueue(&atom.jobs(), limited("echo", &at_once("k", 2))).await;
    a_while().await;
    assert_eq!(running().await, 3, "those that run go on");
    door.open();
    until(async || succeeded(&atom.jobs()).await == 8).await;
});

on_both!(a16_hundreds_of_keys_are_all_served, |database| async move {
    let atom = open(&database).await;
    fill(&atom.jobs(), "echo", 300, 2, |key| at_once(key, 1)).await;
    atom.start_worker(echo(), without_polling(10)).await.unwrap();
    until(async || succeeded(&atom.jobs()).await == 600).await;
});

on_both!(a16_the_keys_of_a_workspace_take_turns_whatever_other_workspaces_do, |database| async move {
    let atom = open(&database).await;
    let (_, ada) = sign_up(&atom, "ada@example.com").await;
    fill(&atom.jobs(), "echo", 60, 5, |key| at_once(key, 1)).await;
    fill(&ada.jobs(), "echo", 1, 100, |_| at_once("ada", 1)).await;
    let log = Log::default();
    atom.start_worker(log.of("echo"), one_by_one()).await.unwrap();
    until(async || log.len() >= 140).await;
    let first: HashSet<String> = log.all()[..140].iter().map(ToString::to_string).collect();
    assert_eq!(first.len(), 61, "each key had its turn");
});

on_both!(a16_keys_that_are_full_do_not_keep_another_key_waiting, |database| async move {
    let atom = open(&database).await;
    let door = Door::new();
    let mut handlers = door.before("slow");
    handlers.extend(echo());
    fill(&atom.jobs(), "slow", 150, 2, |key| at_once(key, 1)).await;
    atom.start_worker(handlers, without_polling(200)).await.unwrap();
    let running = async || atom.queues().list().await.unwrap().iter().map(|queue| queue.running).sum::<i64>();
    until(async || running().await == 150).await;
    for i in 0..5 {
        let queue = Some("slow".into());
        let start = Instant::now();
        let id = enqueue(&atom.jobs(), NewJob { queue, ..limited("echo", &at_once(&format!("free {i}"), 1)) }).await;
        assert_eq!(ended(&atom.jobs(), id).await.state, JobState::Succeeded);
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    }
});

on_both!(a16_keys_whose_rate_is_used_up_do_not_keep_another_key_waiting, |database| async move {
    let atom = open(&database).await;
    atom.start_worker(echo(), without_polling(10)).await.unwrap();
    fill(&atom.jobs(), "echo", 150, 2, |key| starts(key, 1, 3600.0)).await;
    until(async || succeeded(&atom.jobs()).await == 150).await;
    for i in 0..5 {
        let start = Instant::now();
        let id = enqueue(&atom.jobs(), limited("echo", &starts(&format!("free {i}"), 1, 3600.0))).await;
        assert_eq!(ended(&atom.jobs(), id).await.state, JobState::Succeeded);
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    }
});

on_both!(a16_a_full_key_keeps_neither_other_jobs_nor_other_workspaces_waiting, |database| async move {
    let atom = open(&database).await;
    let (_, ada) = sign_up(&atom, "ada@example.com").await;
    enqueue(&atom.jobs(), limited("echo", &starts("k", 1, 3600.0))).await;
    let worker = atom.start_worker(echo(), without_polling(1)).await.unwrap();
    until(async || succeeded(&atom.jobs()).await == 1).await;
    worker.stop().await.unwrap();
    atom.jobs().enqueue_many(vec![limited("echo", &starts("k", 1, 3600.0)); 3]).await.unwrap();
    atom.jobs().enqueue_many(ids(20)).await.unwrap();
    ada.jobs().enqueue_many(ids(20)).await.unwrap();
    atom.start_worker(echo(), without_polling(1)).await.unwrap();
    until(async || succeeded(&atom.jobs()).await == 21 && succeeded(&ada.jobs()).await == 20).await;
});

on_both!(a16_limited_jobs_that_no_worker_here_handles_keep_no_others_waiting, |database| async move {
    let atom = open(&database).await;
    fill(&atom.jobs(), "gone", 10, 1, |key| at_once(key, 1)).await;
    let free = enqueue(&atom.jobs(), limited("echo", &at_once("free", 1))).await;
    let plain = enqueue(&atom.jobs(), new("echo", json!(1))).await;
    atom.start_worker(echo(), without_polling(1)).await.unwrap();
    for id in [free, plain] {
        assert_eq!(ended(&atom.jobs(), id).await.state, JobState::Succeeded);
    }
});

on_both!(a16_a_busy_worker_takes_no_places_of_a_limit_from_an_idle_one, |database| async move {
    let atom = open(&database).await;
    let door = Door::new();
    let mut handlers = door.before("slow");
    handlers.extend(echo());
    let busy =
        WorkerOptions { queues: Some(vec!["default".into(), "slow".into()]), prefetch: Some(1000), ..one_by_one().unwrap() };
    atom.start_worker(handlers, Some(busy)).await.unwrap();
    let slow = enqueue(&atom.jobs(), new("slow", json!(1))).await;
    until_state(&atom.jobs(), slow, JobState::Running).await;
    atom.start_worker(echo(), without_polling(1)).await.unwrap();
    atom.jobs().enqueue_many(vec![limited("echo", &at_once("k", 2)); 10]).await.unwrap();
    until(async || succeeded(&atom.jobs()).await == 10).await;
});

on_both!(a16_a_place_is_free_again_after_a_failure_a_cancellation_and_a_crash, |database| async move {
    let atom = open(&database).await;
    let jobs = atom.jobs();
    let handlers = on("slow", |job| async move {
        match job.input().0.as_str() {
            Some("fails") => Err(JobFailure::fatal("refused", "no")),
            Some("hangs") if job.attempt() == 1 => std::future::pending().await,
            _ => Ok(Json(json!(null))),
        }
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    let job = |input: &str| NewJob { limit: at_once("k", 1), ..new("slow", json!(input)) };
    let failed = enqueue(&jobs, job("fails")).await;
    assert_eq!(ended(&jobs, failed).await.state, JobState::Failed);
    let cancelled = enqueue(&jobs, job("hangs")).await;
    until_state(&jobs, cancelled, JobState::Running).await;
    jobs.cancel(cancelled).await.unwrap();
    assert_eq!(ended(&jobs, cancelled).await.state, JobState::Cancelled);
    let crashed = enqueue(&jobs, job("hangs")).await;
    until_state(&jobs, crashed, JobState::Running).await;
    bury_workers(&database).await;
    let next = enqueue(&jobs, job("runs")).await;
    assert_eq!(ended(&jobs, next).await.state, JobState::Succeeded);
    assert_eq!(ended(&jobs, crashed).await.attempt, 2);
});

on_both!(a16_a_job_that_waits_for_its_next_attempt_or_sleeps_takes_no_place, |database| async move {
    let atom = open(&database).await;
    let handlers = on("slow", |job| async move {
        match job.input().0.as_str() {
            Some("fails") => Err(JobFailure::new("refused", "later").retry_after(Duration::from_secs(3600))),
            Some("sleeps") => Ok(job.sleep("nap".into(), 3600.0).await.map(|()| Json(json!(null)))?),
            _ => Ok(Json(json!(null))),
        }
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    for input in ["fails", "sleeps"] {
        let job = |input: &str| NewJob { limit: at_once("k", 1), ..new("slow", json!(input)) };
        let parked = enqueue(&atom.jobs(), job(input)).await;
        let next = enqueue(&atom.jobs(), job("runs")).await;
        assert_eq!(ended(&atom.jobs(), next).await.state, JobState::Succeeded);
        assert_eq!(state(&atom.jobs(), parked).await, JobState::Delayed);
    }
});

on_both!(a16_limits_of_many_keys_enqueued_in_opposite_orders_do_not_meet, |database| async move {
    let atom = open(&database).await;
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let jobs = atom.jobs();
            tokio::spawn(async move {
                let mut all: Vec<_> = (0..100).map(|key| limited("echo", &at_once(&key.to_string(), task + 1))).collect();
                if task % 2 == 0 {
                    all.reverse();
                }
                jobs.enqueue_many(all).await.map(drop)
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().expect("no deadlock");
    }
});
