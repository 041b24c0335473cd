//! Handlers without a queue, and a stream without events.

use crate::atom::Inner;
use crate::jobs::{Run, Stop};
use crate::{Atom, Error, ErrorKind, Handler, JobFailure, Json, Result};
use atom_macros::{api, handle, model};
use futures_util::StreamExt;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How a probe tries a handler.
#[model]
pub struct Trial {
    /// The kind of the jobs, which names their handler.
    pub kind: String,
    /// What each job was enqueued with.
    pub input: Json,
    /// How many jobs there are.
    pub jobs: i64,
    /// How many run at the same time; all of them, if absent.
    pub at_once: Option<i64>,
    /// Cancels each job so many milliseconds after its start.
    pub cancel_after: Option<i64>,
    /// Stops waiting for a cancelled job so many milliseconds later, as a worker does.
    pub abandon_after: Option<i64>,
}

/// What came of one job: an output, or the other fields.
#[model]
pub struct TrialOutcome {
    /// What the handler returned.
    pub output: Option<Json>,
    /// The reason of the failure.
    pub reason: Option<String>,
    /// The text of the failure.
    pub text: Option<String>,
    /// Whether another attempt may succeed.
    pub retryable: Option<bool>,
    /// The least number of seconds before another attempt.
    pub retry_after: Option<f64>,
}

impl From<Result<Json, JobFailure>> for TrialOutcome {
    fn from(result: Result<Json, JobFailure>) -> Self {
        match result {
            Ok(output) => Self { output: Some(output), reason: None, text: None, retryable: None, retry_after: None },
            Err(failure) => Self {
                output: None,
                reason: Some(failure.reason),
                text: Some(failure.text),
                retryable: Some(failure.retryable),
                retry_after: failure.retry_after.map(|wait| wait.as_secs_f64()),
            },
        }
    }
}

fn millis(count: i64) -> Duration {
    Duration::from_millis(count.clamp(0, 60_000).unsigned_abs())
}

pub(super) async fn run(handlers: HashMap<String, Handler>, trial: Trial) -> Result<Vec<TrialOutcome>> {
    let handler = handlers.get(&trial.kind);
    let handler = handler.ok_or_else(|| Error::new(ErrorKind::NotFound, "no_handler", "no handler for jobs of this kind"))?;
    let at_once = usize::try_from(trial.at_once.unwrap_or(trial.jobs)).unwrap_or(0).max(1);
    let inner = Atom::builder("memory:").open().await?.inner();
    let start = |_| async { attempt(&inner, handler, &trial).await.into() };
    Ok(futures_util::stream::iter((0..trial.jobs).map(start)).buffered(at_once).collect().await)
}

async fn attempt(inner: &Arc<Inner>, handler: &Handler, trial: &Trial) -> Result<Json, JobFailure> {
    let (stop, stopped) = watch::channel(None);
    let job = Run::unstored(Arc::clone(inner), trial.kind.clone(), trial.input.clone(), stopped);
    let mut work = handler.run(job);
    let Some(cancel_after) = trial.cancel_after else { return work.await };
    if let Ok(result) = tokio::time::timeout(millis(cancel_after), &mut work).await {
        return result;
    }
    let _ = stop.send(Some(Stop::Cancelled));
    let Some(abandon_after) = trial.abandon_after else { return work.await };
    let ended = tokio::time::timeout(millis(abandon_after), work).await;
    ended.unwrap_or_else(|_| Err(JobFailure::new("abandoned", "the handler did not end in time")))
}

/// Numbers, one after the other.
#[handle]
pub struct Ticks {
    state: Arc<Mutex<Counter>>,
}

struct Counter {
    next: i64,
    last: i64,
    fails_at: Option<i64>,
}

impl Ticks {
    pub(super) fn new(last: i64, fails_at: Option<i64>) -> Self {
        Self { state: Arc::new(Mutex::new(Counter { next: 1, last, fails_at })) }
    }
}

#[api]
impl Ticks {
    /// The next number, or nothing after the last one.
    pub async fn next(&self) -> Result<Option<i64>> {
        tokio::task::yield_now().await;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let number = state.next;
        if number > state.last {
            return Ok(None);
        }
        if state.fails_at == Some(number) {
            state.fails_at = None;
            return Err(Error::new(ErrorKind::Conflict, "probe", "this number fails on purpose"));
        }
        state.next += 1;
        Ok(Some(number))
    }
}
