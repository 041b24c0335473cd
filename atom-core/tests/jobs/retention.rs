//! How long jobs are kept. Old ones are deleted when a worker starts, and from time to time.

use super::support::*;
use crate::support::*;
use atom_core::*;
use chrono::TimeDelta;
use serde_json::json;
use std::collections::HashMap;

fn handlers() -> HashMap<String, Handler> {
    let mut all = echo();
    all.extend(on("fail", |_| async move { Err(JobFailure::fatal("refused", "no")) }));
    all
}

/// Lets a worker start, so that old jobs are deleted, and stops it.
async fn clean_up(atom: &Atom) {
    let worker = atom.start_worker(handlers(), quick()).await.unwrap();
    a_while().await;
    worker.stop().await.unwrap();
}

async fn is_kept(jobs: &Jobs, id: JobId) -> bool {
    jobs.get(id).await.is_ok()
}

async fn done(atom: &Atom, new: NewJob) -> JobId {
    let worker = atom.start_worker(handlers(), quick()).await.unwrap();
    let id = enqueue(&atom.jobs(), new).await;
    ended(&atom.jobs(), id).await;
    worker.stop().await.unwrap();
    id
}

on_both!(a_job_that_succeeded_is_kept_for_a_day, |database| async move {
    let (atom, clock) = with_clock(&database).await;
    let id = done(&atom, new("echo", json!(1))).await;
    clock.advance(TimeDelta::hours(23));
    clean_up(&atom).await;
    assert!(is_kept(&atom.jobs(), id).await);
    clock.advance(TimeDelta::hours(2));
    clean_up(&atom).await;
    assert!(!is_kept(&atom.jobs(), id).await);
});

on_both!(a_job_is_kept_as_long_as_it_says, |database| async move {
    let (atom, clock) = with_clock(&database).await;
    let short = done(&atom, NewJob { keep_seconds: Some(60), ..new("echo", json!(1)) }).await;
    let long = done(&atom, NewJob { keep_seconds: Some(3_200_000_000), ..new("echo", json!(1)) }).await;
    clock.advance(TimeDelta::days(10_000));
    clean_up(&atom).await;
    assert!(!is_kept(&atom.jobs(), short).await && is_kept(&atom.jobs(), long).await);
});

on_both!(dead_letters_and_cancelled_jobs_are_kept_for_a_month, |database| async move {
    let (atom, clock) = with_clock(&database).await;
    let dead = done(&atom, NewJob { keep_seconds: Some(0), ..new("fail", json!(1)) }).await;
    let cancelled = enqueue(&atom.jobs(), NewJob { keep_seconds: Some(0), ..new("gone", json!(1)) }).await;
    atom.jobs().cancel(cancelled).await.unwrap();
    for (days, kept) in [(29, true), (2, false)] {
        clock.advance(TimeDelta::days(days));
        clean_up(&atom).await;
        assert_eq!((is_kept(&atom.jobs(), dead).await, is_kept(&atom.jobs(), cancelled).await), (kept, kept));
    }
});

on_both!(a_job_that_has_not_ended_is_kept_for_ever, |database| async move {
    let (atom, clock) = with_clock(&database).await;
    let waiting = enqueue(&atom.jobs(), NewJob { keep_seconds: Some(0), ..new("gone", json!(1)) }).await;
    let dead = done(&atom, new("fail", json!(1))).await;
    atom.queues().pause("default".into()).await.unwrap();
    atom.jobs().replay(dead).await.unwrap();
    clock.advance(TimeDelta::days(1000));
    clean_up(&atom).await;
    assert!(is_kept(&atom.jobs(), waiting).await && is_kept(&atom.jobs(), dead).await);
});

on_both!(the_steps_of_a_job_are_deleted_with_it, |database| async move {
    let (atom, clock) = with_clock(&database).await;
    let handlers = on("echo", |job| async move {
        for step in ["a", "b"] {
            job.finish_step(step.into(), Json(json!(1))).await?;
        }
        Ok(job.input())
    });
    let worker = atom.start_worker(handlers, quick()).await.unwrap();
    let short = enqueue(&atom.jobs(), NewJob { keep_seconds: Some(60), ..new("echo", json!(1)) }).await;
    let long = enqueue(&atom.jobs(), new("echo", json!(1))).await;
    for id in [short, long] {
        ended(&atom.jobs(), id).await;
    }
    worker.stop().await.unwrap();
    let mut host = Host::connect(&database.url).await;
    assert_eq!(host.count("atom_steps").await, 4);
    clock.advance(TimeDelta::hours(1));
    clean_up(&atom).await;
    assert_eq!((host.count("atom_steps").await, is_kept(&atom.jobs(), long).await), (2, true));
});

on_both!(thousands_of_old_jobs_are_deleted_in_one_go, |database| async move {
    let (atom, clock) = with_clock(&database).await;
    let worker = atom.start_worker(handlers(), quick()).await.unwrap();
    atom.jobs().enqueue_many(ids(4500)).await.unwrap();
    let counts = async || atom.jobs().counts().await.unwrap();
    until(async || counts().await.iter().all(|count| count.state == JobState::Succeeded)).await;
    worker.stop().await.unwrap();
    clock.advance(TimeDelta::days(2));
    atom.start_worker(handlers(), quick()).await.unwrap();
    until(async || counts().await.is_empty()).await;
});

on_both!(a_batch_is_counted_right_after_its_jobs_are_gone, |database| async move {
    let (atom, clock) = with_clock(&database).await;
    let worker = atom.start_worker(handlers(), quick()).await.unwrap();
    let jobs = vec![new("echo", json!(1)), new("echo", json!(2)), new("fail", json!(3))];
    let batch = atom.jobs().enqueue_batch(NewBatch { jobs, then: None }).await.unwrap();
    ended(&atom.jobs(), batch.id).await;
    worker.stop().await.unwrap();
    clock.advance(TimeDelta::days(2));
    clean_up(&atom).await;
    let counted = atom.jobs().batch(batch.id).await.unwrap();
    assert_eq!((counted.total, counted.pending, counted.succeeded, counted.failed), (3, 0, 2, 1));
    clock.advance(TimeDelta::days(30));
    clean_up(&atom).await;
    assert_eq!(atom.jobs().batch(batch.id).await.unwrap_err().reason(), "not_found");
});

on_both!(a_job_completed_by_the_host_is_kept_as_long_as_it_says, |database| async move {
    let (atom, clock) = with_clock(&database).await;
    let url = database.url.clone();
    let handlers = on("echo", move |job| {
        let url = url.clone();
        async move {
            let mut host = Host::connect(&url).await;
            job.complete_in(host.transaction(), Json(json!(1))).await?;
            Ok(Json(json!(null)))
        }
    });
    let worker = atom.start_worker(handlers, quick()).await.unwrap();
    let short = enqueue(&atom.jobs(), NewJob { keep_seconds: Some(60), ..new("echo", json!(1)) }).await;
    ended(&atom.jobs(), short).await;
    worker.stop().await.unwrap();
    clock.advance(TimeDelta::seconds(30));
    clean_up(&atom).await;
    assert!(is_kept(&atom.jobs(), short).await);
    clock.advance(TimeDelta::seconds(60));
    clean_up(&atom).await;
    assert!(!is_kept(&atom.jobs(), short).await);
});
