//! Errors of Atom that the host's code throws: they were here before, or want to be taken for one that was.

use crate::integrations::hooks;
use crate::{Error, ErrorKind};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What another language knows of such an error.
pub(super) struct Returned {
    /// The kind.
    pub(super) code: String,
    pub(super) reason: String,
    pub(super) text: String,
    pub(super) provider: Option<String>,
    pub(super) status: Option<u16>,
    pub(super) retry_after: Option<f64>,
}

/// How many reasons of the host's own are told apart in one process. They are kept for ever.
const MOST: usize = 1000;

impl Returned {
    /// The error itself, or `hook_failed` where no error of ours looks like that.
    pub(super) fn error(self) -> Error {
        let kind = ErrorKind::ALL.iter().find(|kind| kind.code() == self.code);
        let (Some(kind), Some(reason)) = (kind, REASONS.keep(&self.reason)) else { return hooks::failed("AtomError") };
        let wait = self.retry_after.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let mut error = Error::new(*kind, reason, self.text).with_retry_after(wait);
        if let Some(provider) = self.provider {
            error = error.with_provider(provider);
        }
        if let Some(status) = self.status {
            error = error.with_status(status);
        }
        error
    }
}

/// Reasons that came back, each kept once.
struct Reasons(Mutex<Vec<&'static str>>);

static REASONS: Reasons = Reasons(Mutex::new(Vec::new()));

impl Reasons {
    /// The same text, for as long as the process lives: a reason is a name of a program, and there are few.
    fn keep(&self, text: &str) -> Option<&'static str> {
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if text.is_empty() || text.len() > 64 || !text.chars().all(is_name) {
            return None;
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match known.binary_search(&text) {
            Ok(at) => Some(known[at]),
            Err(_) if known.len() == MOST => None,
            Err(at) => {
                let kept: &'static str = Box::leak(text.to_owned().into_boxed_str());
                known.insert(at, kept);
                Some(kept)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn returned(code: &str, reason: &str) -> Error {
        let (code, reason, text) = (code.to_owned(), reason.to_owned(), "a canary".to_owned());
        Returned { code, reason, text, provider: Some("stage".into()), status: Some(503), retry_after: Some(1.5) }.error()
    }

    #[test]
    fn an_error_comes_back_as_it_went_and_what_looks_like_none_is_a_failed_hook() {
        let error = returned("provider", "album_locked");
        assert_eq!((error.kind(), error.reason(), error.status()), (ErrorKind::Provider, "album_locked", Some(503)));
        assert_eq!((error.provider(), error.retry_after()), (Some("stage"), Some(Duration::from_millis(1500))));
        assert!(error.is_retryable() && error.to_string() == "a canary");
        for (code, reason) in [("weather", "x"), ("provider", ""), ("provider", "Ada Lovelace"), ("provider", &"x".repeat(65))] {
            let error = returned(code, reason);
            assert!(error.reason() == "hook_failed" && !error.to_string().contains("canary"), "{code} {reason}");
        }
    }

    #[test]
    fn reasons_are_kept_once_and_never_without_end() {
        let reasons = Reasons(Mutex::default());
        assert!(std::ptr::eq(reasons.keep("kept_once").expect("a name"), reasons.keep("kept_once").expect("a name")));
        let kept = (0..MOST + 10).filter(|n| reasons.keep(&format!("reason_{n}")).is_some()).count();
        assert_eq!(kept, MOST - 1);
        assert!(reasons.keep("kept_once").is_some() && reasons.keep("one_more").is_none());
    }
}
