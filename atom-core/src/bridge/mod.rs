//! The borders: how values, results and errors reach Python, Node, Kotlin and Swift.
//!
//! Everything domain-specific comes from `#[model]`, `#[handle]`, `#[api]` and `#[id]`; a bridge only knows futures, errors
//! and the few value types that those attributes cannot describe.

#[cfg(any(feature = "python", feature = "node", feature = "mobile"))]
use crate::{Error, Result};

#[cfg(feature = "mobile")]
pub mod mobile;
#[cfg(feature = "node")]
pub mod node;
#[cfg(feature = "python")]
pub mod python;
#[cfg(any(feature = "python", feature = "node", feature = "mobile"))]
mod returned;

/// A key provider of the host threw something. Its text may hold what it was called with, so only its name is passed on.
#[cfg(any(feature = "python", feature = "node", feature = "mobile"))]
fn key_failed(thrown: &str) -> Error {
    let thrown: String = thrown.chars().filter(|c| !c.is_control()).take(100).collect();
    Error::sealed(
        "key_provider_failed",
        format!("the host's key provider failed ({thrown}): see the host's own log; nothing was changed"),
    )
}

/// Runs `work`, and makes an error of a panic: in the other languages it is one more failed call, with a code.
#[cfg(any(feature = "python", feature = "node", feature = "mobile"))]
async fn guarded<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    use std::{panic, task::Poll};
    let mut work = std::pin::pin!(work);
    std::future::poll_fn(|context| {
        // A future is never polled again after this, so nobody sees what the panic left behind in it.
        let turn = panic::catch_unwind(panic::AssertUnwindSafe(|| work.as_mut().poll(context)));
        turn.unwrap_or_else(|_| Poll::Ready(Err(Error::internal("panicked", "a fault in Atom: the log has the panic"))))
    })
    .await
}

/// What a call comes to that need not wait. Its first turn is taken where it was made, because two changes of threads cost more than most
/// answers from memory. None if it waits: whoever can be woken polls it again. The runtime must have been entered.
#[cfg(any(feature = "python", feature = "node", feature = "mobile"))]
fn at_once<F: Future>(work: std::pin::Pin<&mut F>) -> Option<F::Output> {
    use std::task::{Context, Poll, Waker};
    match work.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Makes a Rust type appear as a string in every other language.
macro_rules! string_like {
    ($name:ident, $parse:expr, $print:expr) => {
        #[cfg(feature = "python")]
        $crate::bridge::python::string_like!($name, $parse, $print);
        #[cfg(feature = "node")]
        $crate::bridge::node::string_like!($name, $parse, $print);
        #[cfg(feature = "mobile")]
        $crate::bridge::mobile::string_like!($name, $parse, $print);
    };
}
pub(crate) use string_like;
