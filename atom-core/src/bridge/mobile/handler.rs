//! Functions of Kotlin, Swift and UniFFI's Python that run jobs.

use super::AtomError;
use crate::{Handler, JobFailure, Json, RunningJob};
use std::sync::Arc;
use std::time::Duration;

/// Runs jobs of one kind.
///
/// A job that is cancelled cancels the coroutine or task that handles it. A handler may be called again for the same job: after a crash,
/// and after a failure that may be repeated.
#[::uniffi::export(with_foreign)]
#[::async_trait::async_trait]
pub trait JobHandler: Send + Sync {
    /// Does the job and returns its output, a JSON text.
    ///
    /// To say exactly how an attempt failed, throw what `job_error` makes. An error of Atom keeps its reason, whether it is retryable and
    /// when; anything else that is thrown counts as a failure that may be repeated.
    async fn handle(&self, job: Arc<RunningJob>) -> Result<String, AtomError>;
}

::uniffi::custom_type!(Handler, Arc<dyn JobHandler>, {
    lower: |handler| Arc::new(handler),
    try_lift: |foreign| Ok(Handler::new(move |job| run(Arc::clone(&foreign), job)))
});

/// A handler that came from Rust can be called from elsewhere.
#[::async_trait::async_trait]
impl JobHandler for Handler {
    async fn handle(&self, job: Arc<RunningJob>) -> Result<String, AtomError> {
        let run = self.run(RunningJob::clone(&job));
        run.await.map(|output| output.0.to_string()).map_err(|failure| {
            let retry_after_seconds = failure.retry_after.map(|wait| wait.as_secs_f64());
            job_error(failure.reason, failure.text, failure.retryable, retry_after_seconds)
        })
    }
}

async fn run(foreign: Arc<dyn JobHandler>, job: RunningJob) -> Result<Json, JobFailure> {
    let attempt = foreign.handle(Arc::new(job.clone()));
    let output = tokio::select! {
        biased;
        result = attempt => result.map_err(|error| failure(&error))?,
        // Dropping the attempt cancels the coroutine or task behind it.
        _ = job.cancelled() => return Err(JobFailure::new("cancelled", "the handler was cancelled")),
    };
    super::json(&output).map_err(|why| JobFailure::fatal("malformed_output", why.to_string()))
}

fn failure(error: &AtomError) -> JobFailure {
    let details = error.details();
    JobFailure {
        reason: details.reason,
        text: details.text,
        retryable: details.retryable,
        retry_after: details.retry_after_seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
    }
}

/// What a `JobHandler` throws to say exactly how the attempt failed: a stable name for programs, a text for people, whether another
/// attempt may succeed, and the least number of seconds to wait before it.
#[::uniffi::export(default(retryable = true, retry_after_seconds = None))]
pub fn job_error(reason: String, text: String, retryable: bool, retry_after_seconds: Option<f64>) -> AtomError {
    AtomError::Unavailable { reason, text, provider: None, status: None, retry_after_seconds, retryable }
}

/// Something else was thrown. All that is known is how its language prints it: `java.io.IOException: no route`, `ValueError('no')`.
impl From<::uniffi::UnexpectedUniFFICallbackError> for AtomError {
    fn from(unexpected: ::uniffi::UnexpectedUniFFICallbackError) -> Self {
        let text = unexpected.reason;
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '$');
        let (path, rest) = text.split_at(text.find(|c| !is_name(c)).unwrap_or(text.len()));
        let class = path.rsplit(['.', '$']).next().filter(|name| !name.is_empty());
        let (reason, text) = match (class, rest.strip_prefix(": ")) {
            (Some(class), Some(message)) => (class, message),
            (Some(class), None) if rest.is_empty() || rest.starts_with('(') => (class, text.as_str()),
            _ => ("handler_failed", text.as_str()),
        };
        let (reason, text) = (reason.to_owned(), text.to_owned());
        // No error of ours is a fault in Atom and may be repeated: by this it is known for what it is.
        Self::Internal { reason, text, provider: None, status: None, retry_after_seconds: None, retryable: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_thrown_unexpectedly_is_named_by_its_class() {
        let cases = [
            ("java.lang.IllegalStateException: closed: 5", "IllegalStateException", "closed: 5"),
            ("dev.app.Mail$Refused", "Refused", "dev.app.Mail$Refused"),
            ("ValueError('no')", "ValueError", "ValueError('no')"),
            ("boiled", "boiled", "boiled"),
            ("Error Domain=NSURLErrorDomain Code=-1009", "handler_failed", "Error Domain=NSURLErrorDomain Code=-1009"),
            ("", "handler_failed", ""),
        ];
        for (thrown, reason, text) in cases {
            let details = AtomError::from(::uniffi::UnexpectedUniFFICallbackError { reason: thrown.to_owned() }).details();
            assert_eq!((details.reason.as_str(), details.text.as_str(), details.retryable), (reason, text, true), "{thrown}");
        }
    }
}
