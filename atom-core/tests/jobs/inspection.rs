//! Looking at jobs: lists, counts, latency.

use super::support::*;
use crate::support::*;
use atom_core::*;
use chrono::TimeDelta;
use serde_json::json;
use std::collections::HashSet;

async fn list(jobs: &Jobs, filter: JobFilter) -> Vec<StoredJob> {
    jobs.list(filter).await.unwrap().items
}

on_both!(jobs_are_listed_newest_first, |database| async move {
    let jobs = open(&database).await.jobs();
    assert!(list(&jobs, JobFilter::default()).await.is_empty());
    jobs.enqueue_many(ids(5)).await.unwrap();
    enqueue(&jobs, new("slow", json!(5))).await;
    let inputs: Vec<_> = list(&jobs, JobFilter::default()).await.into_iter().map(|job| job.input.0).collect();
    assert_eq!(inputs, [5, 4, 3, 2, 1, 0].map(|i| json!(i)));
});

on_both!(pages_follow_each_other_without_gaps_or_repetitions, |database| async move {
    let jobs = open(&database).await.jobs();
    jobs.enqueue_many(ids(25)).await.unwrap();
    let (mut seen, mut cursor, mut sizes) = (Vec::new(), None, Vec::new());
    loop {
        let page = jobs.list(JobFilter { page_size: Some(10), cursor, ..Default::default() }).await.unwrap();
        sizes.push(page.items.len());
        seen.extend(page.items.into_iter().map(|job| job.input.0.as_i64().unwrap()));
        // What is new belongs before the first page.
        jobs.enqueue_many(ids(1)).await.unwrap();
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!((sizes, seen), (vec![10, 10, 5], (0..25).rev().collect::<Vec<_>>()));
});

on_both!(a_page_that_is_just_full_is_the_last, |database| async move {
    let jobs = open(&database).await.jobs();
    jobs.enqueue_many(ids(10)).await.unwrap();
    let page = jobs.list(JobFilter { page_size: Some(10), ..Default::default() }).await.unwrap();
    assert_eq!((page.items.len(), page.next_cursor), (10, None));
});

on_both!(a_list_is_filtered_by_state_kind_queue_and_batch_together, |database| async move {
    let atom = open(&database).await;
    let jobs = atom.jobs();
    let worker = atom.start_worker(echo(), quick()).await.unwrap();
    let done = enqueue(&jobs, new("echo", json!("done"))).await;
    ended(&jobs, done).await;
    worker.stop().await.unwrap();
    let waiting = enqueue(&jobs, new("echo", json!(1))).await;
    let delayed = enqueue(&jobs, NewJob { delay_seconds: Some(60.0), ..new("slow", json!(1)) }).await;
    let moved = enqueue(&jobs, NewJob { queue: Some("slow".into()), ..new("echo", json!(1)) }).await;
    let batch =
        jobs.enqueue_batch(NewBatch { jobs: vec![new("slow", json!(1))], then: Some(new("gone", json!(1))) }).await.unwrap().id;
    let child = list(&jobs, JobFilter { batch_id: Some(batch), ..Default::default() }).await[0].id;
    let found = async |filter: JobFilter| list(&jobs, filter).await.into_iter().map(|job| job.id).collect::<HashSet<_>>();
    let (state, kind, queue) = (|state| Some(state), |kind: &str| Some(kind.to_owned()), |queue: &str| Some(queue.to_owned()));
    let default = JobFilter::default;
    assert_eq!(found(JobFilter { state: state(JobState::Succeeded), ..default() }).await, [done].into());
    assert_eq!(found(JobFilter { state: state(JobState::Held), ..default() }).await, [batch].into());
    assert_eq!(found(JobFilter { state: state(JobState::Delayed), ..default() }).await, [delayed].into());
    assert_eq!(found(JobFilter { kind: kind("echo"), ..default() }).await, [done, waiting, moved].into());
    assert_eq!(found(JobFilter { queue: queue("slow"), ..default() }).await, [delayed, moved, child].into());
    assert_eq!(found(JobFilter { queue: queue("slow"), kind: kind("echo"), ..default() }).await, [moved].into());
    assert_eq!(
        found(JobFilter { state: state(JobState::Waiting), queue: queue("slow"), ..default() }).await,
        [moved, child].into()
    );
    for nothing in [
        JobFilter { kind: kind("ecco"), ..default() },
        JobFilter { queue: queue("a\0"), ..default() },
        JobFilter { kind: kind("a\0"), ..default() },
        JobFilter { batch_id: Some(done), ..default() },
        JobFilter { state: state(JobState::InDoubt), ..default() },
    ] {
        assert!(found(nothing).await.is_empty());
    }
});

on_both!(counts_say_how_many_stand_where_and_since_when_they_wait, |database| async move {
    let (atom, clock) = with_clock(&database).await;
    let jobs = atom.jobs();
    assert!(jobs.counts().await.unwrap().is_empty());
    let first = jobs.get(enqueue(&jobs, new("echo", json!(1))).await).await.unwrap();
    clock.advance(TimeDelta::minutes(1));
    enqueue(&jobs, new("echo", json!(2))).await;
    enqueue(&jobs, NewJob { delay_seconds: Some(60.0), ..new("echo", json!(3)) }).await;
    let cancelled = enqueue(&jobs, new("slow", json!(1))).await;
    jobs.cancel(cancelled).await.unwrap();
    let counts = jobs.counts().await.unwrap();
    let shown: Vec<_> = counts.iter().map(|c| (c.queue.as_str(), c.kind.as_str(), c.state, c.count, c.oldest)).collect();
    assert_eq!(
        shown,
        [
            ("default", "echo", JobState::Delayed, 1, None),
            ("default", "echo", JobState::Waiting, 2, Some(first.run_at)),
            ("slow", "slow", JobState::Cancelled, 1, None),
        ]
    );
});

on_both!(a_queue_says_how_long_its_oldest_job_has_been_waiting, |database| async move {
    let (atom, clock) = with_clock(&database).await;
    let status = async || atom.queues().list().await.unwrap();
    assert!(status().await.is_empty());
    enqueue(&atom.jobs(), NewJob { delay_seconds: Some(60.0), ..new("echo", json!(1)) }).await;
    let queue = status().await.remove(0);
    assert_eq!((queue.name.as_str(), queue.waiting, queue.delayed, queue.latency_seconds), ("default", 0, 1, 0.0));
    enqueue(&atom.jobs(), new("echo", json!(2))).await;
    clock.advance(TimeDelta::seconds(90));
    let queue = status().await.remove(0);
    assert!((90.0..100.0).contains(&queue.latency_seconds), "{queue:?}");
    enqueue(&atom.jobs(), new("slow", json!(2))).await;
    let names: Vec<_> = status().await.into_iter().map(|queue| queue.name).collect();
    assert_eq!(names, ["default", "slow"]);
});

on_both!(a_queue_counts_over_all_workspaces, |database| async move {
    let atom = open(&database).await;
    let (_, ada) = sign_up(&atom, "ada@example.com").await;
    let mut handlers = echo();
    handlers.extend(on("fail", |_| async move { Err(JobFailure::fatal("refused", "no")) }));
    let worker = atom.start_worker(handlers, quick()).await.unwrap();
    for jobs in [atom.jobs(), ada.jobs()] {
        let dead = enqueue(&jobs, new("fail", json!(1))).await;
        ended(&jobs, dead).await;
    }
    worker.stop().await.unwrap();
    for jobs in [atom.jobs(), ada.jobs()] {
        jobs.enqueue_many(ids(2)).await.unwrap();
    }
    let queue = atom.queues().list().await.unwrap().remove(0);
    assert_eq!((queue.waiting, queue.running, queue.failed, queue.delayed), (4, 0, 2, 0));
});

on_both!(dead_letters_are_found_with_their_reasons, |database| async move {
    let atom = open(&database).await;
    let handlers = on("fail", |job| async move { Err(JobFailure::fatal(job.input().0.as_str().unwrap_or_default(), "no")) });
    atom.start_worker(handlers, quick()).await.unwrap();
    for reason in ["first", "second"] {
        let id = enqueue(&atom.jobs(), new("fail", json!(reason))).await;
        ended(&atom.jobs(), id).await;
    }
    let dead = list(&atom.jobs(), JobFilter { state: Some(JobState::Failed), ..Default::default() }).await;
    let reasons: Vec<_> = dead.iter().map(|job| job.error_reason.as_deref().unwrap()).collect();
    assert_eq!(reasons, ["second", "first"]);
    assert!(dead.iter().all(|job| job.finished_at.is_some() && job.error_text.as_deref() == Some("no")));
});
