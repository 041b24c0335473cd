//! A consent by code and PKCE (RFC 6749 §4.1, RFC 7636), and the answer that comes back (RFC 9207).

use super::printable;
use crate::crypto::{base64url, random};
use crate::{Error, ErrorKind, Result, Secret};
use oauth2::basic::BasicClient;
use oauth2::{AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, RedirectUrl};
use std::collections::HashMap;
use url::Url;

/// The parameters of a callback.
pub(crate) type Answer = HashMap<String, String>;

/// A consent that waits for the user.
pub(crate) struct Opened {
    /// Where the user goes. Parameters may be added to it.
    pub(crate) url: Url,
    /// What the answer is recognized by. Nobody can guess it.
    pub(crate) state: String,
    /// What the code is exchanged with.
    pub(crate) verifier: Secret,
}

/// Begins a consent.
pub(crate) fn open(authorize_url: Url, client_id: &str, redirect_uri: &str, pkce: bool) -> Result<Opened> {
    let state = base64url(random::<32>()?);
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let redirect = RedirectUrl::new(redirect_uri.to_owned())
        .map_err(|e| Error::invalid("malformed_redirect_uri", "the redirect URI is not an absolute URL").with_source(e))?;
    let client = BasicClient::new(ClientId::new(client_id.to_owned()))
        .set_auth_uri(AuthUrl::from_url(authorize_url))
        .set_redirect_uri(redirect);
    let mut url = client.authorize_url(|| CsrfToken::new(state.clone()));
    if pkce {
        url = url.set_pkce_challenge(challenge);
    }
    let (url, _) = url.url();
    Ok(Opened { url, state, verifier: verifier.secret().as_str().into() })
}

/// A callback, and its parameters, each once (RFC 6749 §3.1): of two, one would be checked and the other used.
///
/// Fails with `invalid` (`malformed_callback`).
pub(crate) fn parse(callback_url: &str) -> Result<(Url, Answer)> {
    let callback = Url::parse(callback_url).map_err(|_| {
        Error::invalid("malformed_callback", "this is not a URL: pass the whole URL that the provider sent the user back to")
    })?;
    let mut answer = Answer::new();
    for (name, value) in callback.query_pairs().into_owned() {
        if answer.insert(name, value).is_some() {
            return Err(Error::invalid("malformed_callback", "the callback has a parameter twice: start again"));
        }
    }
    Ok((callback, answer))
}

/// RFC 9207: compared as text, whether the callback is a code or an error.
pub(crate) fn check_issuer(known: Option<&str>, is_required: bool, answer: &Answer) -> Result<()> {
    let fine = match (answer.get("iss"), known) {
        (Some(said), Some(known)) => said == known,
        (None, _) => !is_required,
        (Some(_), None) => true,
    };
    if fine {
        return Ok(());
    }
    let text = "the callback names another issuer than the provider that was begun: do not continue, start again";
    Err(Error::invalid("wrong_issuer", text))
}

/// The user's no, or the provider's.
pub(crate) fn declined(error: &str) -> Error {
    // Apple has a word of its own.
    if matches!(error, "access_denied" | "user_cancelled_authorize") {
        return Error::new(ErrorKind::Cancelled, "consent_declined", "the user declined: ask again when they want to go on");
    }
    let text = format!("the provider refused the consent with `{}`", printable(error));
    Error::new(ErrorKind::Provider, "consent_refused", text)
}
