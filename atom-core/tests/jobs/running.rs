//! Jobs that are run.

use super::support::*;
use crate::support::*;
use atom_core::*;
use serde_json::json;

on_both!(a_worker_runs_a_job_and_its_result_is_kept, |database| async move {
    let atom = open(&database).await;
    let worker = atom.start_worker(echo(), quick()).await.unwrap();
    let id = atom.jobs().enqueue(new("echo", json!({"n": 1}))).await.unwrap().id;
    let job = ended(&atom.jobs(), id).await;
    assert_eq!((job.state, job.attempt, job.output), (JobState::Succeeded, 1, Some(Json(json!({"n": 1})))));
    worker.stop().await.unwrap();
    assert!(atom.queues().workers().await.unwrap().is_empty());
});

on_both!(a_thousand_jobs_are_each_run_once, |database| async move {
    let atom = open(&database).await;
    let enqueued = atom.jobs().enqueue_many(ids(1000)).await.unwrap();
    let worker = atom.start_worker(echo(), quick()).await.unwrap();
    for job in &enqueued {
        assert_eq!(ended(&atom.jobs(), job.id).await.attempt, 1);
    }
    worker.stop().await.unwrap();
});
