//! Errors and value types for UniFFI: Kotlin, Swift and UniFFI's Python.

use crate::{Bytes, Error, ErrorKind, Json};
use chrono::{DateTime, Utc};
use std::time::SystemTime;

macro_rules! mobile_error {
    ($($kind:ident),+) => {
        /// Why a call failed: one variant per kind of [`ErrorKind`]. `detail` names the cause and the mend.
        #[derive(Debug, ::thiserror::Error, ::uniffi::Error)]
        #[allow(missing_docs)] // the fields are the same everywhere and described on `Error`
        pub enum AtomError {
            $(
                #[error("{detail}")]
                $kind { reason: String, detail: String, provider: Option<String>, status: Option<i32>, retry_after_seconds: Option<f64>, retryable: bool },
            )+
        }

        impl From<Error> for AtomError {
            fn from(error: Error) -> Self {
                let reason = error.reason().to_owned();
                let detail = error.to_string();
                let provider = error.provider().map(str::to_owned);
                let status = error.status().map(i32::from);
                let retry_after_seconds = error.retry_after().map(|d| d.as_secs_f64());
                let retryable = error.is_retryable();
                match error.kind() {
                    $(ErrorKind::$kind => Self::$kind { reason, detail, provider, status, retry_after_seconds, retryable },)+
                }
            }
        }
    };
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

type Timestamp = DateTime<Utc>;
::uniffi::custom_type!(Timestamp, SystemTime, { remote, lower: |t| t.into(), try_lift: |t| Ok(t.into()) });
::uniffi::custom_type!(Bytes, Vec<u8>, { lower: |b| b.0, try_lift: |b| Ok(Bytes(b)) });
::uniffi::custom_type!(Json, String, { lower: |j| j.0.to_string(), try_lift: |text| Ok(Json(serde_json::from_str(&text)?)) });

/// Makes a Rust type a `String` on mobile.
macro_rules! string_like {
    ($name:ident, $parse:expr, $print:expr) => {
        ::uniffi::custom_type!($name, String, {
            lower: |value| { let print: fn($name) -> String = $print; print(value) },
            try_lift: |text| { let parse: fn(String) -> ::std::result::Result<$name, $crate::Error> = $parse; Ok(parse(text)?) }
        });
    };
}
pub(crate) use string_like;
