//! Operations that Kotlin, Swift and UniFFI's Python carry out.

use super::AtomError;
use crate::bridge::returned::Returned;
use crate::crypto::BoxFuture;
use crate::integrations::hooks::{self, failed};
use crate::{Connection, Error, HostHook, Json, Result};
use std::sync::Arc;

/// Carries out an operation of a manifest that names it with `hook`.
///
/// It gets the operation's inputs and returns what the vendor would have answered: the manifest's `items`, `item` and `record` are applied
/// to that. A caller that goes away cancels the coroutine or task; after 120 seconds it is given up (`hook_timeout`).
#[::uniffi::export(with_foreign)]
#[::async_trait::async_trait]
pub trait OperationHook: Send + Sync {
    /// Runs the operation once. The input, an object, and the output are JSON texts.
    ///
    /// What is thrown becomes `Provider` (`hook_failed`) with its class and without its text, unless it is an error of Atom: that one
    /// reaches the caller as it is.
    async fn run(&self, connection: Arc<Connection>, input: String) -> Result<String, AtomError>;
}

::uniffi::custom_type!(HostHook, Arc<dyn OperationHook>, {
    lower: |hook| Arc::new(hook),
    try_lift: |foreign| Ok(HostHook::new(Foreign(foreign)))
});

/// A hook that came from Rust can be used from elsewhere.
#[::async_trait::async_trait]
impl OperationHook for HostHook {
    async fn run(&self, connection: Arc<Connection>, input: String) -> Result<String, AtomError> {
        let output = self.0.run(&connection, super::json(&input)?).await?;
        Ok(output.0.to_string())
    }
}

struct Foreign(Arc<dyn OperationHook>);

impl hooks::OperationHook for Foreign {
    fn run<'a>(&'a self, connection: &'a Connection, input: Json) -> BoxFuture<'a, Result<Json>> {
        Box::pin(async move {
            let output = self.0.run(Arc::new(connection.clone()), input.0.to_string()).await;
            let output = output.map_err(|thrown| error(&thrown, failed))?;
            super::json(&output).map_err(|_| failed("malformed_output"))
        })
    }
}

/// An error of ours, or whatever else was thrown, which [`AtomError`] tells apart and `failed` makes an error of.
pub(super) fn error(thrown: &AtomError, failed: fn(&str) -> Error) -> Error {
    let details = thrown.details();
    if matches!(thrown, AtomError::Internal { retryable: true, .. }) {
        return failed(&details.reason);
    }
    let returned = Returned {
        code: details.code,
        reason: details.reason,
        text: details.text,
        provider: details.provider,
        status: details.status.and_then(|status| status.try_into().ok()),
        retry_after: details.retry_after_seconds,
    };
    returned.error()
}

/// What an `OperationHook` throws for a failure that is none of Atom's, by the name of its class.
#[::uniffi::export]
pub fn hook_error(thrown: &str) -> AtomError {
    failed(thrown).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_thrown_unexpectedly_is_told_by_its_class_and_an_error_of_ours_as_it_is() {
        let thrown = |reason: &str| error(&::uniffi::UnexpectedUniFFICallbackError { reason: reason.to_owned() }.into(), failed);
        let unexpected = thrown("java.lang.IllegalStateException: a canary");
        assert_eq!((unexpected.code(), unexpected.reason()), ("provider", "hook_failed"));
        assert!(unexpected.to_string().contains("IllegalStateException") && !unexpected.to_string().contains("canary"));
        let ours = error(&Error::not_found("album").into(), failed);
        assert_eq!((ours.code(), ours.reason()), ("not_found", "not_found"));
        assert_eq!(error(&hook_error("Boiled"), failed).reason(), "hook_failed");
    }
}
