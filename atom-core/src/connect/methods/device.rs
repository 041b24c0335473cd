//! A code that the user types elsewhere (RFC 8628): for devices without a browser or a keyboard.

use super::oauth2::token_sets;
use super::{Ask, Granted, Method};
use crate::connect::ConnectFlow;
use crate::connect::token_endpoint::{Answer, TokenEndpoint};
use crate::crypto::BoxFuture;
use crate::providers::{Device, OAuth2};
use crate::vault::TokenSet;
use crate::{Error, ErrorKind, Result, Secret};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// What the user is to be shown, and what is polled with.
pub(in crate::connect) struct Begun {
    pub(crate) device_code: Secret,
    pub(crate) user_code: String,
    pub(crate) verification_url: String,
    pub(crate) verification_url_complete: Option<String>,
    /// In seconds.
    pub(crate) lifetime: i64,
    pub(crate) interval: i64,
}

/// What a poll found.
pub(in crate::connect) enum Poll {
    /// The user has not decided yet. They may be asked again after the interval, which `slow_down` makes longer.
    Pending {
        slow_down: bool,
    },
    Granted(Granted),
    /// It is over.
    Ended(Error),
}

fn auth<'a>(Ask { app, .. }: Ask<'a>) -> Result<&'a OAuth2> {
    app.manifest
        .auth
        .as_ref()
        .ok_or_else(|| Error::internal("manifest", "a checked manifest has `[auth]` beside a device method"))
}

impl Device {
    /// §3.1, §3.2.
    pub(in crate::connect) async fn begin(&self, ask: Ask<'_>, scopes: &[String]) -> Result<Begun> {
        let auth = auth(ask)?;
        let endpoint = TokenEndpoint::of(ask.app, ask.inner, auth, ask.facts)?;
        let scope = scopes.join(&auth.scope_separator);
        let form = if scope.is_empty() { Vec::new() } else { vec![("scope", scope.as_str())] };
        let answer = match endpoint.post(&ask.app.place(&self.device_url, ask.facts)?, form).await? {
            Answer::Granted(answer) => answer,
            Answer::Refused(code) => return Err(endpoint.refusal(&code)),
        };
        let text = |name: &str| answer[name].as_str().map(str::to_owned);
        let malformed = || {
            let text = "the provider's device endpoint answered without a code";
            Error::new(ErrorKind::Provider, "device_answer_malformed", text).with_provider(&ask.app.manifest.name)
        };
        // Google wrote its own before there was the RFC.
        let url = text("verification_uri").or_else(|| text("verification_url")).ok_or_else(malformed)?;
        Ok(Begun {
            device_code: text("device_code").ok_or_else(malformed)?.into(),
            user_code: text("user_code").ok_or_else(malformed)?,
            verification_url: url,
            verification_url_complete: text("verification_uri_complete"),
            lifetime: answer["expires_in"].as_i64().unwrap_or(600).clamp(1, 86_400),
            interval: answer["interval"].as_i64().unwrap_or(5).clamp(1, 3600),
        })
    }
}

/// §3.4, §3.5. Asks once.
pub(in crate::connect) async fn poll(ask: Ask<'_>, device_code: &Secret, scopes: &[String]) -> Result<Poll> {
    let auth = auth(ask)?;
    let endpoint = TokenEndpoint::of(ask.app, ask.inner, auth, ask.facts)?;
    let code = match endpoint.ask(GRANT_TYPE, &[("device_code", device_code.expose())]).await? {
        Answer::Granted(answer) => {
            return token_sets(&endpoint, auth, &answer, scopes, ask.inner.now()).map(Poll::Granted);
        }
        Answer::Refused(code) => code,
    };
    Ok(match code.as_str() {
        "authorization_pending" => Poll::Pending { slow_down: false },
        "slow_down" => Poll::Pending { slow_down: true },
        "access_denied" => Poll::Ended(Error::new(
            ErrorKind::Cancelled,
            "consent_declined",
            "the user declined: ask again when they want to connect",
        )),
        "expired_token" | "invalid_grant" => {
            Poll::Ended(Error::invalid("device_code_expired", "the code has expired: start again"))
        }
        code => return Err(endpoint.refusal(code)),
    })
}

impl Method for Device {
    fn flow(&self) -> ConnectFlow {
        ConnectFlow::Device
    }

    fn is_consent(&self) -> bool {
        true
    }

    fn renew<'a>(&'a self, ask: Ask<'a>, name: &'a str, tokens: &'a TokenSet) -> Option<BoxFuture<'a, Result<TokenSet>>> {
        auth(ask).ok()?.renew(ask, name, tokens)
    }
}
