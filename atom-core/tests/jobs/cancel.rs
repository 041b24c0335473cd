//! Jobs that somebody wants ended.

use super::support::*;
use crate::support::*;
use atom_core::*;
use serde_json::json;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// A handler that ends when it is told to, and notes that it was.
fn obedient(log: &Log) -> HashMap<String, Handler> {
    let log = log.clone();
    on("slow", move |job| {
        let log = log.clone();
        async move {
            log.note("began");
            job.cancelled().await?;
            log.note(job.is_cancelled());
            Err(JobFailure::new("stopped", "as told"))
        }
    })
}

/// A handler that never ends by itself, whatever it is told.
fn deaf(log: &Log) -> HashMap<String, Handler> {
    let log = log.clone();
    on("slow", move |_| {
        log.note("began");
        async move { std::future::pending().await }
    })
}

async fn running(atom: &Atom, new: NewJob) -> JobId {
    let id = enqueue(&atom.jobs(), new).await;
    until_state(&atom.jobs(), id, JobState::Running).await;
    id
}

on_both!(a_waiting_job_is_cancelled_at_once_and_never_runs, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    let id = enqueue(&atom.jobs(), new("echo", json!(1))).await;
    assert!(atom.jobs().cancel(id).await.unwrap());
    let job = atom.jobs().get(id).await.unwrap();
    assert_eq!((job.state, job.attempt, job.is_cancel_requested), (JobState::Cancelled, 0, true));
    assert!(job.finished_at.is_some() && job.started_at.is_none());
    atom.start_worker(log.of("echo"), quick()).await.unwrap();
    let other = enqueue(&atom.jobs(), new("echo", json!(2))).await;
    ended(&atom.jobs(), other).await;
    assert_eq!(log.all(), [json!(2)]);
});

on_both!(a_delayed_job_is_cancelled_at_once_and_never_runs, |database| async move {
    let (atom, clock) = with_clock(&database).await;
    let log = Log::default();
    atom.start_worker(log.of("echo"), quick()).await.unwrap();
    let id = enqueue(&atom.jobs(), NewJob { delay_seconds: Some(60.0), ..new("echo", json!(1)) }).await;
    assert!(atom.jobs().cancel(id).await.unwrap());
    clock.advance(chrono::TimeDelta::hours(1));
    a_while().await;
    assert_eq!((state(&atom.jobs(), id).await, log.len()), (JobState::Cancelled, 0));
});

on_both!(a18_a_running_handler_is_told_within_a_second, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    atom.start_worker(obedient(&log), quick()).await.unwrap();
    let id = running(&atom, new("slow", json!(1))).await;
    until(async || log.len() == 1).await;
    let start = Instant::now();
    assert!(atom.jobs().cancel(id).await.unwrap());
    until(async || log.len() == 2).await;
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    let job = ended(&atom.jobs(), id).await;
    assert_eq!((job.state, job.attempt), (JobState::Cancelled, 1), "a cancelled job has no other attempt");
    assert_eq!(log.all(), [json!("began"), json!(true)]);
});

on_both!(a18_a_handler_in_another_process_is_told_within_a_second, |database| async move {
    let (here, there) = (open(&database).await, open(&database).await);
    let log = Log::default();
    there.start_worker(obedient(&log), quick()).await.unwrap();
    let id = running(&here, new("slow", json!(1))).await;
    until(async || log.len() == 1).await;
    let start = Instant::now();
    assert!(here.jobs().cancel(id).await.unwrap());
    until(async || log.len() == 2).await;
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(ended(&here.jobs(), id).await.state, JobState::Cancelled);
});

on_both!(a18_a_handler_that_ignores_it_is_dropped_after_its_grace, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    atom.start_worker(deaf(&log), quick()).await.unwrap();
    let id = running(&atom, new("slow", json!(1))).await;
    atom.jobs().cancel(id).await.unwrap();
    let job = atom.jobs().get(id).await.unwrap();
    assert_eq!((job.state, job.is_cancel_requested, job.finished_at), (JobState::Running, true, None));
    assert_eq!(ended(&atom.jobs(), id).await.state, JobState::Cancelled);
});

on_both!(a_handler_that_finished_all_the_same_has_succeeded, |database| async move {
    let atom = open(&database).await;
    let handlers = on("slow", |job| async move {
        job.cancelled().await?;
        Ok(Json(json!("done anyway")))
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    let id = running(&atom, new("slow", json!(1))).await;
    atom.jobs().cancel(id).await.unwrap();
    let job = ended(&atom.jobs(), id).await;
    assert_eq!((job.state, job.output), (JobState::Succeeded, Some(Json(json!("done anyway")))));
});

on_both!(a_job_that_has_ended_is_not_cancelled_any_more, |database| async move {
    let atom = open(&database).await;
    let mut handlers = echo();
    handlers.extend(on("fail", |_| async move { Err(JobFailure::fatal("refused", "no")) }));
    atom.start_worker(handlers, quick()).await.unwrap();
    for (kind, expected) in [("echo", JobState::Succeeded), ("fail", JobState::Failed)] {
        let id = enqueue(&atom.jobs(), new(kind, json!(1))).await;
        ended(&atom.jobs(), id).await;
        assert!(!atom.jobs().cancel(id).await.unwrap());
        let job = atom.jobs().get(id).await.unwrap();
        assert_eq!((job.state, job.is_cancel_requested), (expected, false));
    }
    let waiting = enqueue(&atom.jobs(), new("gone", json!(1))).await;
    assert!(atom.jobs().cancel(waiting).await.unwrap());
    assert!(!atom.jobs().cancel(waiting).await.unwrap());
});

on_both!(a_job_that_was_cancelled_while_it_failed_has_no_other_attempt, |database| async move {
    let atom = open(&database).await;
    let jobs = atom.jobs();
    let log = Log::default();
    let seen = log.clone();
    let handlers = on("fail", move |job| {
        let (jobs, seen) = (jobs.clone(), seen.clone());
        async move {
            seen.note(job.attempt());
            jobs.cancel(job.id()).await?;
            Err(JobFailure::new("refused", "just then"))
        }
    });
    atom.start_worker(handlers, quick()).await.unwrap();
    let id = enqueue(&atom.jobs(), new("fail", json!(1))).await;
    assert_eq!(ended(&atom.jobs(), id).await.state, JobState::Cancelled);
    a_while().await;
    assert_eq!(log.all(), [json!(1)]);
});

on_both!(a_job_that_waits_for_its_next_attempt_is_cancelled_at_once, |database| async move {
    let atom = open(&database).await;
    let handlers = on("slow", |_| async move { Err(JobFailure::new("refused", "later")) });
    atom.start_worker(handlers, quick()).await.unwrap();
    let id = enqueue(&atom.jobs(), new("slow", json!(1))).await;
    until_state(&atom.jobs(), id, JobState::Delayed).await;
    assert!(atom.jobs().cancel(id).await.unwrap());
    let job = atom.jobs().get(id).await.unwrap();
    assert_eq!((job.state, job.error_reason.as_deref()), (JobState::Cancelled, Some("refused")));
});

on_both!(a_cancelled_job_whose_worker_died_is_cancelled_and_not_run_again, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    let deaf_for_long = WorkerOptions { grace_seconds: Some(60.0), drain_seconds: Some(0.0), ..options() };
    atom.start_worker(deaf(&log), Some(deaf_for_long)).await.unwrap();
    let id = running(&atom, new("slow", json!(1))).await;
    atom.jobs().cancel(id).await.unwrap();
    bury_workers(&database).await;
    assert_eq!(ended(&atom.jobs(), id).await.state, JobState::Cancelled);
    a_while().await;
    assert_eq!(log.len(), 1);
});

on_both!(many_running_jobs_are_cancelled_together, |database| async move {
    let atom = open(&database).await;
    let log = Log::default();
    atom.start_worker(obedient(&log), Some(WorkerOptions { concurrency: Some(50), ..options() })).await.unwrap();
    let ids = atom.jobs().enqueue_many((0..50).map(|i| new("slow", json!(i))).collect()).await.unwrap();
    until(async || log.len() == 50).await;
    for job in &ids {
        atom.jobs().cancel(job.id).await.unwrap();
    }
    for job in ids {
        assert_eq!(ended(&atom.jobs(), job.id).await.state, JobState::Cancelled);
    }
    assert_eq!(log.len(), 100);
});

on_both!(cancelling_and_claiming_at_once_leaves_every_job_ended, |database| async move {
    let atom = open(&database).await;
    atom.start_worker(echo(), quick()).await.unwrap();
    let ids = atom.jobs().enqueue_many(ids(150)).await.unwrap();
    for job in ids.iter().rev() {
        atom.jobs().cancel(job.id).await.unwrap();
    }
    let mut cancelled = 0;
    for job in ids {
        let job = ended(&atom.jobs(), job.id).await;
        match job.state {
            JobState::Cancelled => cancelled += 1,
            state => assert_eq!((state, job.output.is_some()), (JobState::Succeeded, true)),
        }
    }
    assert!(cancelled > 0);
});
