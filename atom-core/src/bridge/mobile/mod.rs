//! Errors and value types for UniFFI: Kotlin, Swift and UniFFI's Python.
//!
//! A cancelled coroutine drops its future on a thread of its own language, which only cancels the task behind it. UniFFI does not
//! enter tokio's runtime for the drop of a handle: what a handle owns must not need a runtime to go away.

mod handler;
mod hook;
mod key;
mod mail;

pub use handler::{JobHandler, job_error};
pub use hook::{OperationHook, hook_error};
pub use key::KeyProvider;
pub use mail::{MailSender, mail_error};

use crate::{Bytes, Error, ErrorKind, Json, RawRecord, Result};
use chrono::{DateTime, TimeDelta, Utc};
use std::time::SystemTime;

/// Runs a call as a task of the runtime, so that only the runtime wakes the foreign scheduler. A waker that is called by SQLite's
/// thread is called under a lock; a scheduler without threads of its own (`Dispatchers.Unconfined`) would go on there with the
/// user's code and wait for that lock in its next call. A caller that goes away cancels the task.
pub(crate) async fn task<T: Send + 'static>(work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
    struct Cancel(tokio::task::AbortHandle);
    impl Drop for Cancel {
        fn drop(&mut self) {
            self.0.abort();
        }
    }
    let mut work = Box::pin(super::guarded(work));
    if let Some(result) = super::at_once(work.as_mut()) {
        return result;
    }
    let task = tokio::spawn(work);
    let _cancel = Cancel(task.abort_handle());
    task.await.unwrap_or_else(|_| Err(Error::new(ErrorKind::Cancelled, "runtime_ended", "the runtime ended before the call")))
}

macro_rules! mobile_error {
    ($($kind:ident),+) => {
        /// Why a call failed: one variant per kind of error, with what is known about it. `details` gives the same for any kind.
        #[derive(Debug, ::thiserror::Error, ::uniffi::Error)]
        #[::uniffi::export(Display)]
        #[allow(missing_docs)] // the fields are those of `ErrorDetails`
        pub enum AtomError {
            $(
                #[error("{}/{reason}: {text}", ErrorKind::$kind.code())]
                $kind { reason: String, text: String, provider: Option<String>, status: Option<i32>, retry_after_seconds: Option<f64>, retryable: bool },
            )+
        }

        #[::uniffi::export]
        impl AtomError {
            /// What is known about the failure, whatever its kind.
            pub fn details(&self) -> ErrorDetails {
                match self {
                    $(Self::$kind { reason, text, provider, status, retry_after_seconds, retryable } => ErrorDetails {
                        code: ErrorKind::$kind.code().to_owned(),
                        reason: reason.clone(),
                        text: text.clone(),
                        provider: provider.clone(),
                        status: *status,
                        retry_after_seconds: *retry_after_seconds,
                        retryable: *retryable,
                    },)+
                }
            }
        }

        impl From<Error> for AtomError {
            fn from(error: Error) -> Self {
                let reason = error.reason().to_owned();
                let text = error.to_string();
                let provider = error.provider().map(str::to_owned);
                let status = error.status().map(i32::from);
                let retry_after_seconds = error.retry_after().map(|d| d.as_secs_f64());
                let retryable = error.is_retryable();
                match error.kind() {
                    $(ErrorKind::$kind => Self::$kind { reason, text, provider, status, retry_after_seconds, retryable },)+
                }
            }
        }
    };
}

/// What is known about a failure, whatever its kind.
#[derive(Clone, Debug, PartialEq, ::uniffi::Record)]
pub struct ErrorDetails {
    /// The kind: one of the fourteen codes, the same in every language.
    pub code: String,
    /// The exact cause, stable and `snake_case`.
    pub reason: String,
    /// The cause and the mend, for people.
    pub text: String,
    /// The provider that was involved, if one was.
    pub provider: Option<String>,
    /// The HTTP status that the provider answered, if it answered.
    pub status: Option<i32>,
    /// How long to wait before calling again, where that is known.
    pub retry_after_seconds: Option<f64>,
    /// Whether the same call may succeed later without any change.
    pub retryable: bool,
}

mobile_error!(
    Invalid,
    Unauthenticated,
    Forbidden,
    NotFound,
    Conflict,
    NotConnected,
    ReauthRequired,
    RateLimited,
    Provider,
    Unavailable,
    Sealed,
    Unsupported,
    Cancelled,
    Internal
);

// A value that cannot be read must fail as an `AtomError`: any other type of error is a panic to UniFFI.
type Timestamp = DateTime<Utc>;
::uniffi::custom_type!(Timestamp, SystemTime, { remote, lower: |t| t.into(), try_lift: |t| Ok(moment(t).map_err(AtomError::from)?) });
::uniffi::custom_type!(Bytes, Vec<u8>, { lower: |b| b.0, try_lift: |b| Ok(Bytes(b)) });
::uniffi::custom_type!(RawRecord, String, { lower: |r| r.text().to_owned(), try_lift: |text| Ok(RawRecord::new(&json(&text).map_err(AtomError::from)?.0)) });
::uniffi::custom_type!(Json, String, { lower: |j| j.0.to_string(), try_lift: |text| Ok(json(&text).map_err(AtomError::from)?) });

fn moment(time: SystemTime) -> Result<DateTime<Utc>> {
    let since_epoch = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => TimeDelta::from_std(after).ok(),
        Err(before) => TimeDelta::from_std(before.duration()).ok().map(|d| -d),
    };
    since_epoch
        .and_then(|d| DateTime::UNIX_EPOCH.checked_add_signed(d))
        .ok_or_else(|| Error::invalid("moment_out_of_range", "the moment is too far from now: pass one within 200000 years"))
}

fn json(text: &str) -> Result<Json> {
    let value = serde_json::from_str(text);
    value.map(Json).map_err(|e| Error::invalid("malformed_json", format!("not JSON: line {}, column {}", e.line(), e.column())))
}

/// Makes a Rust type a `String` on mobile.
macro_rules! string_like {
    ($name:ident, $parse:expr, $print:expr) => {
        ::uniffi::custom_type!($name, String, {
            lower: |value| { let print: fn($name) -> String = $print; print(value) },
            try_lift: |text| {
                let parse: fn(String) -> ::std::result::Result<$name, $crate::Error> = $parse;
                Ok(parse(text).map_err($crate::bridge::mobile::AtomError::from)?)
            }
        });
    };
}
pub(crate) use string_like;
