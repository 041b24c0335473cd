//! How a client shows who it is, and how it reads a refusal.

use crate::http_client::{self, basic};
use crate::{Error, ErrorKind, Result, Secret};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde::Deserialize;
use url::form_urlencoded;

/// Where the client's id and secret go in a token request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClientAuth {
    #[default]
    Body,
    Basic,
    /// The grant itself says who asks.
    None,
}

/// Puts a client's id and secret where they go in a form (RFC 6749 §2.3.1).
pub(crate) fn authenticate<'f>(
    how: ClientAuth,
    id: &'f str,
    secret: Option<&'f Secret>,
    headers: &mut HeaderMap,
    form: &mut Vec<(&'f str, &'f str)>,
) -> Result<()> {
    match (how, secret) {
        (ClientAuth::Basic, Some(secret)) => {
            // Both parts are form-encoded before they are joined.
            let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            headers.insert(AUTHORIZATION, secret_header(&basic(&encode(id), &encode(secret.expose())))?);
        }
        (ClientAuth::None, _) => {}
        (_, secret) => {
            form.push(("client_id", id));
            form.extend(secret.map(|secret| ("client_secret", secret.expose())));
        }
    }
    Ok(())
}

/// A header's value that is never printed.
pub(crate) fn secret_header(text: &str) -> Result<HeaderValue> {
    http_client::secret_header(text).ok_or_else(|| {
        Error::new(ErrorKind::Provider, "token_answer_malformed", "the credential has characters that no header can carry")
    })
}

/// A vendor's code is shown only as far as it looks like one: free text could hold personal data.
pub(crate) fn printable(code: &str) -> String {
    code.chars().filter(|c| c.is_ascii_alphanumeric() || "_.-".contains(*c)).take(64).collect()
}
