//! One error for everything, sorted by what the caller should do about it.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// `Result` with Atom's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $code:literal, http $http:literal, $retry:ident;)+) => {
        /// What went wrong, by what the caller should do about it.
        ///
        /// The same fourteen kinds are exception classes in Python, the union of `code` in TypeScript, the variants of the
        /// exception in Kotlin and Swift, and statuses over HTTP.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl ErrorKind {
            /// Every kind.
            pub const ALL: &'static [ErrorKind] = &[$(ErrorKind::$kind),+];

            /// The stable name of the kind in every language: `snake_case`.
            pub fn code(self) -> &'static str {
                match self { $(ErrorKind::$kind => $code,)+ }
            }

            /// The HTTP status that answers a request that failed this way.
            pub fn http_status(self) -> u16 {
                match self { $(ErrorKind::$kind => $http,)+ }
            }

            /// Whether the same call may succeed later without any change.
            pub fn is_retryable(self) -> bool {
                match self { $(ErrorKind::$kind => kinds!(@ $retry),)+ }
            }

            /// What it means and what to do: the first paragraph of its documentation.
            pub fn advice(self) -> &'static str {
                match self { $(ErrorKind::$kind => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
    (@ final) => { false };
    (@ retry) => { true };
}

kinds! {
    /// The input is not acceptable: correct the field that the text names and call again.
    Invalid = "invalid", http 422, final;
    /// There is no valid session: sign in, or refresh the session, and call again.
    Unauthenticated = "unauthenticated", http 401, final;
    /// The principal may not do this: ask someone with the role that the text names.
    Forbidden = "forbidden", http 403, final;
    /// Nothing with this id is visible to the principal: check the id and the workspace.
    NotFound = "not_found", http 404, final;
    /// It exists already or has changed since it was read: read it again and decide.
    Conflict = "conflict", http 409, final;
    /// The user has no connection to this provider: start one and send the user to its URL.
    NotConnected = "not_connected", http 424, final;
    /// The provider no longer accepts the stored grant: send the user through the connection again.
    ReauthRequired = "reauth_required", http 401, final;
    /// Too many requests, ours or the provider's: wait for `retry_after` and call again.
    RateLimited = "rate_limited", http 429, retry;
    /// The provider refused the request: read `status` and the text; a repetition will be refused too.
    Provider = "provider", http 502, final;
    /// A network, a database or a service does not answer: call again, later each time.
    Unavailable = "unavailable", http 503, retry;
    /// A key is missing or wrong, or a stored record was altered: restore the key or the record; nothing was changed.
    Sealed = "sealed", http 500, final;
    /// This provider has no such capability: ask `capabilities` before offering it.
    Unsupported = "unsupported", http 501, final;
    /// The caller or a shutdown cancelled the work before it took effect.
    Cancelled = "cancelled", http 499, final;
    /// A fault in Atom: please report it with the text and the log.
    Internal = "internal", http 500, final;
}

/// Why a call failed.
///
/// [`kind`](Error::kind) says what to do, [`reason`](Error::reason) names the exact cause for programs, and the text names
/// the cause and the mend for people. None of them ever holds a secret or personal data.
///
/// ```
/// use atom_core::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::Invalid, "weak_password", "the password has 4 characters: use at least 15");
/// assert_eq!(error.code(), "invalid");
/// assert_eq!(error.reason(), "weak_password");
/// assert!(!error.is_retryable());
/// ```
#[derive(Clone)]
pub struct Error(Box<Repr>);

#[derive(Clone)]
struct Repr {
    kind: ErrorKind,
    reason: &'static str,
    text: String,
    provider: Option<String>,
    status: Option<u16>,
    retry_after: Option<Duration>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of a kind, with the exact reason (`snake_case`) and a sentence that names the cause and the mend.
    pub fn new(kind: ErrorKind, reason: &'static str, text: impl Into<String>) -> Self {
        let text = text.into();
        Self(Box::new(Repr { kind, reason, text, provider: None, status: None, retry_after: None, source: None }))
    }

    /// What the caller should do about it.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The stable name of the kind.
    pub fn code(&self) -> &'static str {
        self.0.kind.code()
    }

    /// The exact cause, stable and `snake_case`: `weak_password`, `wrong_key`, `state_unknown`.
    pub fn reason(&self) -> &'static str {
        self.0.reason
    }

    /// The provider that was involved, if one was.
    pub fn provider(&self) -> Option<&str> {
        self.0.provider.as_deref()
    }

    /// The HTTP status that the provider answered, if it answered.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// How long to wait before calling again, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether the same call may succeed later without any change.
    pub fn is_retryable(&self) -> bool {
        self.0.kind.is_retryable() || (self.0.kind == ErrorKind::Provider && self.0.status.is_some_and(|s| s >= 500))
    }

    pub(crate) fn with_provider(mut self, provider: impl Into<String>) -> Self {
        self.0.provider = Some(provider.into());
        self
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    pub(crate) fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    pub(crate) fn invalid(reason: &'static str, text: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, reason, text)
    }

    pub(crate) fn sealed(reason: &'static str, text: impl Into<String>) -> Self {
        Self::new(ErrorKind::Sealed, reason, text)
    }

    pub(crate) fn unavailable(reason: &'static str, text: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unavailable, reason, text)
    }

    pub(crate) fn internal(reason: &'static str, text: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, reason, text)
    }

    /// The row is gone, or belongs to another workspace: the caller cannot tell which.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(ErrorKind::NotFound, "not_found", format!("no such {what} is visible here: check the id and the workspace"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}: {}", self.code(), self.0.reason, self.0.text)?;
        if let Some(provider) = &self.0.provider {
            write!(f, " (provider {provider})")?;
        }
        if let Some(status) = self.0.status {
            write!(f, " (status {status})")?;
        }
        if let Some(source) = &self.0.source {
            write!(f, "; caused by {source:?}")?;
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|s| s as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::BTreeMap;

    /// The catalogue that the tests of every binding read.
    #[test]
    fn the_catalogue_in_testdata_is_the_one_in_the_code() {
        // In an order of its own: that of JSON objects is a matter of who else is compiled with `serde_json`.
        let entry = |k: &ErrorKind| {
            BTreeMap::from([
                ("code", json!(k.code())),
                ("http", json!(k.http_status())),
                ("retryable", json!(k.is_retryable())),
                ("advice", json!(k.advice())),
            ])
        };
        let entries: Vec<_> = ErrorKind::ALL.iter().map(entry).collect();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/errors.json");
        let text = serde_json::to_string_pretty(&entries).expect("plain values") + "\n";
        if std::env::var_os("ATOM_BLESS").is_some() {
            std::fs::write(path, &text).expect("testdata is writable");
        }
        let stored = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(stored, text, "run the test again with ATOM_BLESS=1 and commit testdata/errors.json");
    }

    #[test]
    fn codes_are_distinct_and_the_error_stays_one_pointer_wide() {
        let codes: std::collections::HashSet<_> = ErrorKind::ALL.iter().map(|k| k.code()).collect();
        assert_eq!(codes.len(), 14);
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }

    #[test]
    fn a_provider_that_answers_5xx_may_be_asked_again_and_one_that_answers_4xx_may_not() {
        let refused = |status| Error::new(ErrorKind::Provider, "refused", "no").with_status(status);
        assert!(refused(503).is_retryable());
        assert!(!refused(404).is_retryable());
    }
}
