//! What a host gives to run: a function per kind of job.

use crate::crypto::BoxFuture;
use crate::{Error, Json};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::RunningJob;

/// The function that runs jobs of one kind: a closure in Rust, a function or coroutine function in Python, a function in
/// JavaScript, a `JobHandler` in Kotlin and Swift.
///
/// A handler may be run again for the same job: after a crash, and after a failure that may be repeated.
///
/// ```
/// use atom_core::{Handler, JobFailure, Json};
///
/// let handler = Handler::new(|job| async move { Ok::<_, JobFailure>(job.input()) });
/// ```
#[derive(Clone)]
pub struct Handler(Arc<dyn Fn(RunningJob) -> BoxFuture<'static, Result<Json, JobFailure>> + Send + Sync>);

impl Handler {
    /// A handler from an async closure.
    pub fn new<F, T>(run: F) -> Self
    where
        F: Fn(RunningJob) -> T + Send + Sync + 'static,
        T: Future<Output = Result<Json, JobFailure>> + Send + 'static,
    {
        Self(Arc::new(move |job| Box::pin(run(job))))
    }

    /// Starts one attempt. Whoever drops the future wants it to end.
    pub(crate) fn run(&self, job: RunningJob) -> BoxFuture<'static, Result<Json, JobFailure>> {
        self.0(job)
    }
}

const GONE: &str = "handler_gone";

/// Why an attempt failed, and whether another may succeed.
///
/// Every [`Error`] turns into one with `?`: its reason, its text, whether it may be repeated and when. The text is kept with the job
/// for whoever looks into it: put no secret into it.
#[derive(Clone, Debug, PartialEq)]
pub struct JobFailure {
    /// A stable name for programs: `smtp_refused`, the class of an exception.
    pub reason: String,
    /// What happened, for people.
    pub text: String,
    /// Whether another attempt may succeed. A failure that is not retryable goes to the dead letters at once.
    pub retryable: bool,
    /// The earliest another attempt makes sense, where that is known; it replaces the policy's delay if it is longer.
    pub retry_after: Option<Duration>,
}

impl JobFailure {
    /// A failure that may be repeated.
    pub fn new(reason: impl Into<String>, text: impl Into<String>) -> Self {
        Self { reason: reason.into(), text: text.into(), retryable: true, retry_after: None }
    }

    /// A failure that no repetition mends.
    pub fn fatal(reason: impl Into<String>, text: impl Into<String>) -> Self {
        Self { retryable: false, ..Self::new(reason, text) }
    }

    /// The host's side of the handler has ended: its event loop, its interpreter, its thread. Another worker can still do the job.
    #[cfg(any(feature = "python", feature = "node"))]
    pub(crate) fn gone(text: &str) -> Self {
        Self::new(GONE, text)
    }

    /// Whether nobody is left who could run the handler.
    pub(crate) fn is_gone(&self) -> bool {
        self.reason == GONE
    }

    /// Not before this has passed.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }
}

impl From<Error> for JobFailure {
    fn from(error: Error) -> Self {
        Self {
            reason: error.reason().to_owned(),
            text: error.to_string(),
            retryable: error.is_retryable(),
            retry_after: error.retry_after(),
        }
    }
}

impl fmt::Display for JobFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.text)
    }
}
