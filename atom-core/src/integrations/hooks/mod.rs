//! Operations that data cannot describe, as named functions. A manifest says `hook = "name"`.
//!
//! All of them are the host's: no manifest of the catalogue needs one. One that ever does is listed in `providers/README.md`, with the
//! reason why data cannot say it.

use crate::connect::Connection;
use crate::crypto::BoxFuture;
use crate::providers::Manifest;
use crate::{Error, ErrorKind, Json, Result};
use futures_util::FutureExt;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

/// How long a hook may take: it may send many requests, and wait for the connection's budget.
const PATIENCE: Duration = Duration::from_secs(120);

/// Carries out an operation of a manifest that names it.
///
/// It gets the operation's inputs and gives what the vendor would have answered: the manifest's `items`, `item` and `record` are applied to
/// that. What it sends through [`Connection::request`] or [`Connection::call`] is authenticated, counted, limited and subject to the
/// workspace's policies like everything else. It is run once for each call and never repeated.
///
/// A hook that panics fails with `provider` (`hook_failed`), one that takes longer than 120 seconds with `unavailable` (`hook_timeout`).
/// A caller that goes away drops its future. An error's text may be shown and logged: put no secret into it.
pub trait OperationHook: Send + Sync + 'static {
    /// Runs the operation once.
    fn run<'a>(&'a self, connection: &'a Connection, input: Json) -> BoxFuture<'a, Result<Json>>;
}

/// A hook of the host's, behind a pointer: what `Atom.open_with_hooks` takes in every language.
///
/// In Python and JavaScript it is a function of the connection and the input, plain or async, that returns any JSON; in Kotlin and Swift it
/// implements `OperationHook`. In Rust, [`Builder::hook`](crate::Builder::hook) takes the hook itself.
///
/// What such a function throws becomes `provider` (`hook_failed`), with its class and without its text, unless it is an error of Atom: that
/// one reaches the caller as it is.
///
/// ```
/// use atom_core::{Atom, BoxFuture, Connection, HostHook, Json, LocalKey, OpenOptions, OperationHook, Result};
///
/// struct Two;
///
/// impl OperationHook for Two {
///     fn run<'a>(&'a self, _: &'a Connection, _: Json) -> BoxFuture<'a, Result<Json>> {
///         Box::pin(async { Ok(Json(serde_json::json!([{ "id": "1" }, { "id": "2" }]))) })
///     }
/// }
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let options = OpenOptions { database_url: "memory:".into(), ..Default::default() };
/// let atom = Atom::open_with_hooks(options, [("two".to_owned(), HostHook::new(Two))].into(), None, None, None).await?;
/// # drop(atom);
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct HostHook(pub(crate) Arc<dyn OperationHook>);

impl HostHook {
    /// Wraps a hook of any type.
    pub fn new(hook: impl OperationHook) -> Self {
        Self(Arc::new(hook))
    }
}

/// The hooks of an installation, by name: the host's.
#[derive(Clone, Default)]
pub(crate) struct Hooks(HashMap<String, Arc<dyn OperationHook>>);

impl Hooks {
    pub(crate) fn add(&mut self, name: String, hook: Arc<dyn OperationHook>) {
        self.0.insert(name, hook);
    }

    /// Refuses a manifest that names a hook which is not here, before anybody calls.
    pub(crate) fn check(&self, manifest: &Manifest) -> Result<()> {
        let operations = manifest.services.values().flat_map(|service| &service.operations);
        let mut named = operations.filter_map(|(operation, how)| Some((operation, how.hook.as_deref()?)));
        named.try_for_each(|(operation, hook)| self.get(&manifest.name, operation, hook).map(drop))
    }

    /// Runs the hook of an operation. Whoever drops this wants it to end.
    pub(crate) async fn run(&self, name: &str, operation: &str, connection: &Connection, input: Json) -> Result<Json> {
        let hook = self.get(&connection.app.manifest.name, operation, name)?;
        guarded(name, PATIENCE, async { hook.run(connection, input).await }).await
    }

    fn get(&self, manifest: &str, operation: &str, hook: &str) -> Result<Arc<dyn OperationHook>> {
        let unknown = || {
            let text = format!(
                "the manifest `{manifest}` has the hook `{hook}` for `{operation}`, which is not here: give it to the builder, or to \
                 `open_with_hooks`"
            );
            Error::invalid("unknown_hook", text)
        };
        self.0.get(hook).cloned().ok_or_else(unknown)
    }
}

/// A hook is the host's code: it may panic, or never come back.
async fn guarded<T>(name: &str, patience: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    match tokio::time::timeout(patience, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => {
            let text = format!("the hook `{name}` panicked: correct it; what it has sent until then may have taken effect");
            Err(Error::new(ErrorKind::Provider, FAILED, text))
        }
        Err(_) => {
            let text =
                format!("the hook `{name}` did not end within {patience:?}: what it has sent until then may have taken effect");
            Err(Error::unavailable("hook_timeout", text))
        }
    }
}

const FAILED: &str = "hook_failed";

/// A hook of another language threw something. Its text may hold anything, so only its name is passed on.
#[cfg(any(feature = "python", feature = "node", feature = "mobile"))]
pub(crate) fn failed(thrown: &str) -> Error {
    let thrown: String = thrown.chars().filter(|c| !c.is_control()).take(100).collect();
    let text = format!(
        "the host's function for this operation failed ({thrown}): see the host's own log; what it has sent until then may have taken \
         effect"
    );
    Error::new(ErrorKind::Provider, FAILED, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hook_that_never_ends_or_panics_is_a_typed_error_and_one_of_its_own_passes() {
        let patience = Duration::from_millis(20);
        let error = guarded::<()>("slow", patience, std::future::pending()).await.expect_err("too slow");
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Unavailable, "hook_timeout"));
        assert!(error.to_string().contains("`slow`"));
        let error = guarded::<()>("odd", patience, async { panic!("a canary") }).await.expect_err("it panics");
        assert_eq!((error.kind(), error.reason(), error.is_retryable()), (ErrorKind::Provider, FAILED, false));
        assert!(error.to_string().contains("`odd`") && !error.to_string().contains("canary"));
        let own = Error::not_found("album").with_retry_after(Some(patience));
        let error = guarded::<()>("own", patience, async { Err(own) }).await.expect_err("its own");
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::NotFound, Some(patience)));
    }
}
