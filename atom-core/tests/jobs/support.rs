//! Kinds, workers and waiting.

use crate::support::*;
use atom_core::*;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;

/// The kinds of all tests of jobs.
pub(super) fn kinds() -> Vec<JobKind> {
    let kind = |name: &str| JobKind { name: name.into(), ..Default::default() };
    let quick = RetryPolicy { delay_seconds: Some(0.01), factor: Some(1.0), ..Default::default() };
    vec![
        kind("echo"),
        kind("gone"),
        JobKind { retry: Some(quick.clone()), max_attempts: Some(3), ..kind("fail") },
        JobKind { keep_seconds: Some(0), ..kind("fleeting") },
        JobKind { queue: Some("slow".into()), ..kind("slow") },
        JobKind { timeout_seconds: Some(0.1), retry: Some(quick), max_attempts: Some(2), ..kind("timed") },
    ]
}

pub(super) fn builder(database: &Database) -> Builder {
    kinds().into_iter().fold(database.builder(), Builder::job_kind)
}

pub(super) async fn open(database: &Database) -> Atom {
    builder(database).open().await.unwrap()
}

pub(super) fn new(kind: &str, input: Value) -> NewJob {
    NewJob { kind: kind.into(), input: Some(Json(input)), ..Default::default() }
}

/// One handler.
pub(super) fn on<F, T>(kind: &str, run: F) -> HashMap<String, Handler>
where
    F: Fn(RunningJob) -> T + Send + Sync + 'static,
    T: Future<Output = Result<Json, JobFailure>> + Send + 'static,
{
    [(kind.to_owned(), Handler::new(run))].into()
}

/// A handler that returns its input.
pub(super) fn echo() -> HashMap<String, Handler> {
    on("echo", |job| async move { Ok(job.input()) })
}

pub(super) fn quick() -> Option<WorkerOptions> {
    Some(WorkerOptions { lease_seconds: Some(2.0), poll_seconds: Some(0.2), grace_seconds: Some(0.3), ..Default::default() })
}

pub(super) async fn ended(jobs: &Jobs, id: JobId) -> Job {
    jobs.wait(id, Some(20.0)).await.unwrap()
}

/// Waits until something is so.
pub(super) async fn until<T: Future<Output = bool>>(mut so: impl FnMut() -> T) {
    for _ in 0..2000 {
        if so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came to that");
}

pub(super) fn ids(count: usize) -> Vec<NewJob> {
    (0..count).map(|i| new("echo", json!(i))).collect()
}
