//! Leaked passwords: a look into the list of Have I Been Pwned, which does not learn what was looked up.
//!
//! See <https://haveibeenpwned.com/API/v3#PwnedPasswords>: the first five digits of the SHA-1 lead to all hashes that begin so, and the rest is
//! compared here. Nothing is kept.

use super::BreachedPasswords;
use crate::atom::Inner;
use crate::crypto::hex;
use crate::http_client::Request;
use crate::{Error, ErrorKind, Result, Secret};
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use sha1::{Digest, Sha1};
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a user waits for the answer at most.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How many digits are told.
const TOLD: usize = 5;

/// Refuses a leaked password.
///
/// Fails with `invalid` (`breached_password`) or `unavailable` (`breach_check_failed`).
pub(super) async fn check(inner: &Inner, password: &Secret) -> Result<()> {
    let settings = &inner.passwords;
    if settings.breached == BreachedPasswords::Off {
        return Ok(());
    }
    match is_leaked(inner, password).await {
        Ok(false) => Ok(()),
        Ok(true) => {
            let text = "the password is in a list of leaked passwords, which are tried everywhere: use another, and change it wherever else it is used";
            Err(Error::invalid("breached_password", text))
        }
        Err(error) if settings.breached == BreachedPasswords::FailOpen => {
            tracing::warn!(%error, reason = error.reason(), "leaked passwords could not be looked up, so a password was accepted without");
            Ok(())
        }
        Err(error) => {
            let text = "the list of leaked passwords could not be asked, and no password is accepted without it: try again later";
            Err(Error::unavailable("breach_check_failed", text).with_source(error))
        }
    }
}

async fn is_leaked(inner: &Inner, password: &Secret) -> Result<bool> {
    let hash = Zeroizing::new(hex(&Sha1::digest(password.expose())).to_ascii_uppercase());
    let (told, rest) = hash.split_at(TOLD);
    let url = inner
        .passwords
        .breached_url
        .join(told)
        .map_err(|e| Error::internal("breached_passwords_url", "no digits can be added to the URL").with_source(e))?;
    let padded = (HeaderName::from_static("add-padding"), HeaderValue::from_static("true"));
    let request =
        Request { method: Method::GET, url, headers: HeaderMap::from_iter([padded]), body: Vec::new(), timeout: TIMEOUT };
    let answer = inner.http.send(request).await?;
    let text = String::from_utf8(answer.body).ok().filter(|_| answer.status == 200).ok_or_else(|| {
        let text = "the list of leaked passwords did not answer as it should";
        Error::new(ErrorKind::Provider, "malformed_answer", text).with_status(answer.status)
    })?;
    // Padding counts nought.
    let counts =
        |line: &str| line.trim().split_once(':').is_some_and(|(hash, count)| hash.eq_ignore_ascii_case(rest) && count != "0");
    Ok(text.lines().any(counts))
}
