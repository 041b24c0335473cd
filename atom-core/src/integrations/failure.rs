//! A vendor's no, as our error.

use crate::http_client::{Response, read_retry_after};
use crate::providers::{Condition, Manifest, RuleKind};
use crate::{Error, ErrorKind};
use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde_json::Value;
use std::time::Duration;

/// What is longer is no refusal, and is not read twice.
const LONGEST_REFUSAL: usize = 16 * 1024;

/// What an answer with an error status means to the caller. The vendor's text is not passed on: it may hold personal data.
pub(crate) fn classify(manifest: &Manifest, call: &str, answer: &Response) -> Error {
    let document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = manifest.errors.code.iter().find_map(|path| path.text(&document));
    let kind = manifest.errors.rule(answer.status, code.as_deref(), &document).unwrap_or_else(|| by_status(answer.status));
    // A code is shown as far as it looks like one: free text could hold personal data.
    let shown = code.map(|c| c.chars().take_while(|c| c.is_ascii_alphanumeric() || "_.-/:".contains(*c)).take(64).collect());
    let said = shown.map_or_else(|| answer.status.to_string(), |code: String| format!("{} {code}", answer.status));
    let (kind, reason, mend) = match kind {
        RuleKind::RateLimited => (ErrorKind::RateLimited, "provider_rate_limit", "too many requests: wait and call again"),
        RuleKind::ReauthRequired | RuleKind::Unauthenticated => {
            (ErrorKind::ReauthRequired, "grant_insufficient", "the grant does not cover this: connect the account again")
        }
        RuleKind::NotFound => (ErrorKind::NotFound, "not_found_at_provider", "the account has no such thing: list again"),
        RuleKind::Conflict => (ErrorKind::Conflict, "conflict_at_provider", "it exists or has changed: read it again"),
        RuleKind::Unavailable => (ErrorKind::Unavailable, "provider_unavailable", "the provider has a fault: call again later"),
        RuleKind::Provider => (ErrorKind::Provider, "provider_refused", "the provider refuses this input"),
        RuleKind::Invalid => (ErrorKind::Invalid, "input_refused", "the provider refuses this input: correct it and call again"),
        RuleKind::Forbidden => {
            (ErrorKind::Forbidden, "forbidden_at_provider", "the account may not do this: ask whoever manages it at the provider")
        }
        RuleKind::Unsupported => {
            (ErrorKind::Unsupported, "unsupported_by_account", "the account's plan or kind has no such thing: do without")
        }
    };
    let text = format!("{} answered {said} to `{call}`: {mend}", manifest.title);
    let error = Error::new(kind, reason, text).with_provider(&manifest.name).with_status(answer.status);
    error.with_retry_after(match kind {
        ErrorKind::RateLimited => wait(manifest, answer),
        _ => retry_after(&answer.headers, Utc::now()),
    })
}

/// How long an answer asks to wait, in the vendor's own words or in everybody's.
pub(crate) fn wait(manifest: &Manifest, answer: &Response) -> Option<Duration> {
    let now = Utc::now();
    let header = |name: &str| answer.headers.get(name)?.to_str().ok();
    let document = || serde_json::from_slice(&answer.body).ok();
    let own = manifest.limits.retry_after.iter().find_map(|source| source.read(header, document, now));
    own.or_else(|| retry_after(&answer.headers, now))
}

/// Whether an answer refuses the token, by its status or by what it says.
pub(crate) fn is_unauthenticated(manifest: &Manifest, answer: &Response) -> bool {
    let errors = &manifest.errors;
    let may_say_so = errors.rules.iter().any(|rule| rule.kind == RuleKind::Unauthenticated);
    if answer.status == 401 || !may_say_so || answer.body.len() > LONGEST_REFUSAL {
        return answer.status == 401;
    }
    let Ok(document) = serde_json::from_slice::<Value>(&answer.body) else { return false };
    if (200..300).contains(&answer.status) && !is_refusal(manifest, None, &document) {
        return false;
    }
    let code = errors.code.iter().find_map(|path| path.text(&document));
    errors.rule(answer.status, code.as_deref(), &document) == Some(RuleKind::Unauthenticated)
}

/// Whether a document with a status of success is a refusal. An operation may have its own word for success.
pub(crate) fn is_refusal(manifest: &Manifest, own: Option<&Condition>, document: &Value) -> bool {
    let success = own.or(manifest.errors.success.as_ref());
    let failure = manifest.errors.failure.as_ref();
    success.is_some_and(|success| !success.holds(document)) || failure.is_some_and(|failure| failure.holds(document))
}

fn by_status(status: u16) -> RuleKind {
    match status {
        401 => RuleKind::ReauthRequired,
        404 | 410 => RuleKind::NotFound,
        409 | 412 => RuleKind::Conflict,
        429 => RuleKind::RateLimited,
        500.. => RuleKind::Unavailable,
        _ => RuleKind::Provider,
    }
}

/// An endpoint that is overloaded or broken, before anything of its answer is read.
pub(crate) fn unavailable(status: u16, headers: &HeaderMap) -> Error {
    let wait = retry_after(headers, Utc::now());
    if status == 429 {
        let text = "the provider limits this endpoint: wait and call again";
        return Error::new(ErrorKind::RateLimited, "provider_rate_limit", text).with_status(status).with_retry_after(wait);
    }
    Error::unavailable("provider_unavailable", "the provider has a fault: call again later")
        .with_status(status)
        .with_retry_after(wait)
}

pub(crate) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    read_retry_after(headers.get(RETRY_AFTER)?.to_str().ok()?, now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers;
    use reqwest::header::HeaderValue;

    fn google(status: u16, body: &str) -> Error {
        let manifest = providers::built_in("google").expect("listed").expect("well-formed");
        classify(&manifest, "drive.files.list", &Response { status, headers: HeaderMap::new(), body: body.into() })
    }

    #[test]
    fn a_403_is_a_limit_a_missing_scope_or_a_refusal_by_its_code() {
        let reason = |reason: &str| google(403, &format!(r#"{{"error":{{"errors":[{{"reason":"{reason}"}}]}}}}"#)).kind();
        assert_eq!(reason("userRateLimitExceeded"), ErrorKind::RateLimited);
        assert_eq!(reason("insufficientPermissions"), ErrorKind::ReauthRequired);
        assert_eq!(reason("cannotDownloadAbusiveFile"), ErrorKind::Provider);
    }

    #[test]
    fn the_vendors_text_is_not_passed_on() {
        let error = google(
            404,
            r#"{"error":{"errors":[{"reason":"notFound <ada@example.com>"}],"message":"File of ada@example.com not found"}}"#,
        );
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(!format!("{error:?}").contains('@'), "{error:?}");
        assert_eq!(google(500, "<html>oops</html>").kind(), ErrorKind::Unavailable);
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let now = DateTime::parse_from_rfc3339("2026-11-21T08:00:00Z").expect("a date").to_utc();
        let wait =
            |text: &str| retry_after(&HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(text).expect("ASCII"))]), now);
        assert_eq!(wait("30"), Some(Duration::from_secs(30)));
        assert_eq!(wait("Sat, 21 Nov 2026 08:00:05 GMT"), Some(Duration::from_secs(5)));
        let a_century = "Thu, 21 Nov 2126 08:00:00 GMT";
        for nonsense in ["", "soon", "-1", "Sat, 21 Nov 2026 07:00:00 GMT", "99999999999999999999", "4294967295", a_century] {
            assert_eq!(wait(nonsense), None, "{nonsense}");
        }
    }
}
