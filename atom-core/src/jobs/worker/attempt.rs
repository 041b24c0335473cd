//! One attempt at a job.

use super::acks::Finished;
use super::{Crew, tell};
use crate::jobs::running::Parked;
use crate::jobs::store::{Claimed, Outcome};
use crate::jobs::{JobFailure, JobState, Run, RunningJob, Stop, ended, kinds, retry};
use crate::{JobId, Json};
use chrono::TimeDelta;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Takes an attempt off the list when it is over, however it ends.
struct Place {
    crew: Arc<Crew>,
    key: (JobId, i64),
}

impl Drop for Place {
    fn drop(&mut self) {
        super::lock(&self.crew.attempts).remove(&self.key);
        self.crew.freed.notify_waiters();
        self.crew.freed.notify_one();
    }
}

/// Starts an attempt on a task of its own.
pub(super) fn start(crew: &Arc<Crew>, job: Claimed) {
    let (stop, stopped) = watch::channel(job.is_cancelled.then_some(Stop::Cancelled));
    let key = (job.id, job.fence);
    super::lock(&crew.attempts).insert(key, stop.clone());
    let place = Place { crew: Arc::clone(crew), key };
    tokio::spawn(async move {
        let finished = run(&place.crew, job, stop, stopped).await;
        match finished {
            Some(finished) => {
                place.crew.unstored.fetch_add(1, Ordering::Relaxed);
                // Nobody listens only after the worker has stopped.
                let _ = place.crew.finished.send(Some(finished));
            }
            None => drop(super::lock(&place.crew.held).remove(&place.key)),
        }
    });
}

/// How an attempt ended.
enum End {
    Returned(Result<Json, JobFailure>),
    /// It was told to end and did not do so in time.
    Abandoned,
}

async fn run(
    crew: &Crew,
    job: Claimed,
    stop: watch::Sender<Option<Stop>>,
    stopped: watch::Receiver<Option<Stop>>,
) -> Option<Finished> {
    let handler = super::lock(&crew.handlers).get(&job.kind).cloned();
    let Some(handler) = handler else { return Some(Finished::unstarted(&job)) };
    let run = Arc::new(Run {
        inner: Arc::clone(&crew.inner),
        workspace: job.workspace,
        id: job.id,
        user: job.user,
        kind: job.kind,
        run_at: job.run_at,
        input: job.input,
        attempt: job.attempt,
        keep_seconds: job.keep_seconds,
        fence: job.fence,
        stop: stopped.clone(),
        parked: Mutex::default(),
        // An attempt that slept, or that the worker's end cut short, does not count, and may have left some.
        has_steps: AtomicBool::new(job.fence > 1),
        steps: tokio::sync::Mutex::default(),
        is_completed: AtomicBool::new(false),
    });
    let end = if job.is_cancelled {
        End::Abandoned
    } else {
        let timeout = job.timeout_ms.and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis);
        let running = RunningJob::new(Arc::clone(&run));
        // A handler may panic before it has made its future, too.
        let work = AssertUnwindSafe(async move { handler.run(running).await }).catch_unwind();
        let attended = attend(work, timeout, crew.settings.grace, &stop, stopped);
        // A handler that is dropped may panic in that.
        AssertUnwindSafe(attended).catch_unwind().await.unwrap_or(End::Abandoned)
    };
    let why = *stop.borrow();
    if why == Some(Stop::Lost) {
        return None;
    }
    Some(conclude(crew, &run, job.max_attempts, job.retry.as_ref(), end, why))
}

/// Runs a handler until it returns, or for its grace after it was told to end.
async fn attend(
    work: impl Future<Output = std::thread::Result<Result<Json, JobFailure>>>,
    timeout: Option<Duration>,
    grace: Duration,
    stop: &watch::Sender<Option<Stop>>,
    mut stopped: watch::Receiver<Option<Stop>>,
) -> End {
    let mut work = std::pin::pin!(work);
    let returned = |result: std::thread::Result<Result<Json, JobFailure>>| {
        End::Returned(result.unwrap_or_else(|_| Err(JobFailure::new("panicked", "the handler panicked: the log has the panic"))))
    };
    let deadline = async {
        match timeout {
            Some(timeout) => tokio::time::sleep(timeout).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        result = &mut work => return returned(result),
        () = deadline => tell(stop, Stop::TimedOut),
        _ = stopped.wait_for(Option::is_some) => {}
    }
    match tokio::time::timeout(grace, &mut work).await {
        Ok(result) => returned(result),
        Err(_) => End::Abandoned,
    }
}

/// What is stored about an attempt that has ended.
fn conclude(
    crew: &Crew,
    run: &Run,
    max_attempts: i32,
    policy: Option<&crate::jobs::RetryPolicy>,
    end: End,
    why: Option<Stop>,
) -> Finished {
    let now = crew.inner.now();
    let mut outcome = Outcome {
        workspace: run.workspace,
        id: run.id,
        fence: run.fence,
        state: JobState::Waiting,
        run_at: None,
        output: None,
        error: None,
        keep_until: None,
        is_unspent: false,
    };
    let is_completed = run.is_completed.load(Ordering::Relaxed);
    let parked = *run.parked.lock().unwrap_or_else(PoisonError::into_inner);
    let failure = match end {
        End::Returned(Ok(output)) => match kinds::check_value(&output, "output") {
            Ok(()) => {
                outcome.state = JobState::Succeeded;
                outcome.output = Some(output);
                outcome.keep_until = Some(now + TimeDelta::seconds(run.keep_seconds));
                let is_deleted = run.keep_seconds == 0;
                let has_steps = run.has_steps.load(Ordering::Relaxed);
                return Finished { outcome, is_deleted, has_steps, is_completed };
            }
            Err(error) => JobFailure { retryable: false, ..error.into() },
        },
        End::Returned(Err(failure)) => failure,
        End::Abandoned => JobFailure::new("not_ended", "the handler did not end in its grace"),
    };
    match (parked, why) {
        (_, Some(Stop::Cancelled)) => {
            outcome.state = JobState::Cancelled;
            outcome.keep_until = Some(ended::keep_until(now));
        }
        (Some(Parked::Until(at)), _) => (outcome.state, outcome.run_at, outcome.is_unspent) = (JobState::Delayed, Some(at), true),
        (Some(Parked::InDoubt), _) => outcome.state = JobState::InDoubt,
        (None, Some(Stop::ShuttingDown)) => outcome.is_unspent = true,
        // Left to itself, the worker would take one job after the other and fail them all.
        (None, _) if failure.is_gone() => {
            outcome.is_unspent = true;
            tracing::warn!("nobody is left who could run the handlers of this worker: it stops");
            crew.drain();
        }
        (None, Some(Stop::TimedOut)) => {
            let text = "the attempt took longer than its time-out: raise the time-out, or make the work smaller";
            retry_or_bury(crew, run, max_attempts, policy, &JobFailure::new("timed_out", text), &mut outcome);
        }
        (None, _) => retry_or_bury(crew, run, max_attempts, policy, &failure, &mut outcome),
    }
    if outcome.state == JobState::InDoubt {
        outcome.error = Some(("step_in_doubt".into(), "a step may have been done: find out, and settle it".into()));
    }
    Finished { outcome, is_deleted: false, has_steps: false, is_completed }
}

fn retry_or_bury(
    crew: &Crew,
    run: &Run,
    max_attempts: i32,
    policy: Option<&crate::jobs::RetryPolicy>,
    failure: &JobFailure,
    outcome: &mut Outcome,
) {
    let now = crew.inner.now();
    let of_kind;
    let policy = match policy {
        Some(policy) => policy,
        None => {
            of_kind = crew.inner.kinds.retry(&run.kind);
            &of_kind
        }
    };
    // PostgreSQL stores no NUL, and nobody reads more than this of a text.
    let clean = |text: &str| text.replace('\0', "").chars().take(2000).collect::<String>();
    outcome.error = Some((clean(&failure.reason), clean(&failure.text)));
    match retry::next(policy, run.attempt, max_attempts, failure, now, chance()) {
        retry::Next::Retry(at) => (outcome.state, outcome.run_at) = (JobState::Delayed, Some(at)),
        retry::Next::Dead => {
            outcome.state = JobState::Failed;
            outcome.keep_until = Some(ended::keep_until(now));
            tracing::warn!(job.id = %run.id, job.kind = run.kind, job.attempts = run.attempt, reason = failure.reason, "a job failed for good");
        }
    }
}

/// A number between 0 and 1.
fn chance() -> f64 {
    let mut bytes = [0; 4];
    // Without randomness there is no jitter, and nothing else is wrong.
    let _ = getrandom::fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}
