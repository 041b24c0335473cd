//! The token endpoint (RFC 6749 §3.2): every grant is a form, and every answer a token set or a refusal.

use super::App;
use super::outlet::Outlet;
use crate::atom::Inner;
use crate::http_client::Request;
use crate::integrations::failure;
use crate::oauth::{ClientAuth, authenticate, printable};
use crate::providers::{Facts, OAuth2, Path, RuleKind, TokenBody};
use crate::vault::TokenSet;
use crate::{Error, ErrorKind, Result, Secret};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use url::{Url, form_urlencoded};

/// A request that takes longer than this is given up. A lease is more than twice as long.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// A token endpoint, and the client that asks it.
pub(super) struct TokenEndpoint<'a> {
    pub(super) app: &'a App,
    pub(super) outlet: Outlet<'a>,
    pub(super) url: Url,
    pub(super) client_id: &'a str,
    pub(super) client_secret: Option<&'a Secret>,
    pub(super) client_auth: ClientAuth,
    pub(super) scope_separator: &'a str,
    pub(super) default_lifetime: Option<i64>,
    pub(super) style: Style<'a>,
}

/// How requests are written and refusals read, where that is not as the RFC says.
#[derive(Clone, Copy, Default)]
pub(super) struct Style<'a> {
    body: TokenBody,
    headers: Option<&'a BTreeMap<String, String>>,
    error: Option<&'a Path>,
    capture: Option<&'a BTreeMap<String, Path>>,
}

impl<'a> Style<'a> {
    /// As the RFC says, with facts in the answer.
    pub(super) fn capturing(capture: &'a BTreeMap<String, Path>) -> Self {
        Self { capture: Some(capture), ..Self::default() }
    }
}

/// What the endpoint said.
pub(super) enum Answer {
    Granted(Value),
    /// With the code of RFC 6749 §5.2.
    Refused(String),
}

impl<'a> TokenEndpoint<'a> {
    /// The one of `[auth]`, for the host's own client.
    pub(super) fn of(app: &'a App, inner: &'a Inner, auth: &'a OAuth2, facts: &Facts) -> Result<Self> {
        Ok(Self {
            app,
            outlet: app.outlet(inner),
            url: app.place(&auth.token_url, facts)?,
            client_id: &app.client_id,
            client_secret: app.client_secret.as_ref(),
            client_auth: auth.client_auth,
            scope_separator: &auth.scope_separator,
            default_lifetime: auth.default_lifetime,
            style: Style {
                body: auth.token_body,
                headers: Some(&auth.token_headers),
                error: auth.error.as_ref(),
                capture: Some(&auth.capture),
            },
        })
    }

    /// The same where refreshes are asked for.
    pub(super) fn for_refresh(app: &'a App, inner: &'a Inner, auth: &'a OAuth2, facts: &Facts) -> Result<Self> {
        let endpoint = Self::of(app, inner, auth, facts)?;
        let url = auth.refresh_url.as_ref().map(|url| app.place(url, facts)).transpose()?;
        Ok(Self { url: url.unwrap_or_else(|| endpoint.url.clone()), ..endpoint })
    }

    /// The token set for a grant.
    pub(super) async fn tokens(&self, grant_type: &str, params: &[(&str, &str)], now: DateTime<Utc>) -> Result<TokenSet> {
        self.read(&self.grant(grant_type, params).await?, now)
    }

    /// The whole answer to a grant.
    pub(super) async fn grant(&self, grant_type: &str, params: &[(&str, &str)]) -> Result<Value> {
        match self.ask(grant_type, params).await? {
            Answer::Granted(document) => Ok(document),
            Answer::Refused(code) => Err(self.refusal(&code)),
        }
    }

    /// Asks once.
    pub(super) async fn ask(&self, grant_type: &str, params: &[(&str, &str)]) -> Result<Answer> {
        let form = [&[("grant_type", grant_type)][..], params].concat();
        self.post(&self.url, form).await
    }

    /// Sends parameters to an endpoint of the provider, with the client's credentials. Its address is the resolved one.
    pub(super) async fn post<'f>(&'f self, url: &Url, mut form: Vec<(&'f str, &'f str)>) -> Result<Answer> {
        let named = |e: Error| e.with_provider(&self.app.manifest.name);
        let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        fixed(self.style.headers.into_iter().flatten(), &mut headers)?;
        authenticate(self.client_auth, self.client_id, self.client_secret, &mut headers, &mut form)?;
        let body = encode(self.style.body, &form, &mut headers);
        let request = Request { method: Method::POST, url: url.clone(), headers, body, timeout: TIMEOUT };
        let answer = self.outlet.send(request).await.map_err(named)?;
        if answer.status == 429 || answer.status >= 500 {
            return Err(named(failure::unavailable(answer.status, &answer.headers)));
        }
        let document: Option<Value> = serde_json::from_slice(&answer.body).ok();
        // Some refuse with a status of success.
        let code = document.as_ref().and_then(|document| match self.style.error {
            Some(path) => path.text(document),
            None => document["error"].as_str().map(str::to_owned),
        });
        match (answer.status, code.as_deref(), document.as_ref()) {
            (_, Some(code), _) => Ok(Answer::Refused(printable(code))),
            (200..=299, None, Some(document)) => Ok(Answer::Granted(document.clone())),
            (401, None, _) => Ok(Answer::Refused("invalid_client".into())),
            _ => Err(self.malformed()),
        }
    }

    /// The token set in an answer, or in a part of one.
    pub(super) fn read(&self, answer: &Value, now: DateTime<Utc>) -> Result<TokenSet> {
        let access_token = answer["access_token"].as_str().filter(|token| !token.is_empty()).ok_or_else(|| self.malformed())?;
        let seconds = match &answer["expires_in"] {
            Value::String(text) => text.parse().ok(),
            number => number.as_f64(),
        };
        #[allow(clippy::cast_possible_truncation)] // a lifetime beyond an `i64` ends at its bound
        let lifetime = seconds.filter(|seconds| *seconds >= 0.0).map(|seconds| seconds as i64).or(self.default_lifetime);
        Ok(TokenSet {
            access_token: Some(access_token.into()),
            refresh_token: answer["refresh_token"].as_str().map(Secret::from),
            scopes: self.scopes(answer),
            captured: self.captured(answer),
            expires_at: lifetime.and_then(TimeDelta::try_seconds).and_then(|life| now.checked_add_signed(life)),
            ..Default::default()
        })
    }

    /// The scopes that an answer names.
    pub(super) fn scopes(&self, answer: &Value) -> Vec<String> {
        let scopes = answer["scope"].as_str().unwrap_or_default();
        // RFC 6749 says a space; some vendors separate otherwise, also in their answers.
        let scopes = scopes.split([' ', ',', self.scope_separator.chars().next().unwrap_or(' ')]);
        scopes.filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
    }

    /// The facts in an answer.
    fn captured(&self, answer: &Value) -> Facts {
        let wanted = self.style.capture.into_iter().flatten();
        wanted.filter_map(|(name, path)| Some((name.clone(), path.text(answer)?))).collect()
    }

    /// What a refusal means to the caller (RFC 6749 §5.2).
    pub(super) fn refusal(&self, code: &str) -> Error {
        // Some vendors have words of their own for a grant that has ended.
        let is_dead = self.app.manifest.errors.rules.iter().any(|rule| {
            matches!(rule.kind, RuleKind::ReauthRequired | RuleKind::Unauthenticated)
                && rule.status.is_none_or(|status| matches!(status, 400 | 401))
                && rule.is_code(code)
        });
        let error = match if is_dead { "invalid_grant" } else { code } {
            "invalid_grant" => Error::new(
                ErrorKind::ReauthRequired,
                "invalid_grant",
                "the provider no longer accepts this grant: connect the account again",
            ),
            "temporarily_unavailable" | "server_error" | "slow_down" => {
                Error::unavailable("provider_unavailable", "the provider's token endpoint is overloaded: call again")
            }
            code => {
                let text =
                    format!("the provider's token endpoint refused with `{code}`: check client id, secret and redirect URI");
                Error::new(ErrorKind::Provider, "token_refused", text)
            }
        };
        error.with_provider(&self.app.manifest.name)
    }

    fn malformed(&self) -> Error {
        let text = "the provider's token endpoint answered something that is no token";
        Error::new(ErrorKind::Provider, "token_answer_malformed", text).with_provider(&self.app.manifest.name)
    }
}

/// Fixed headers of a manifest.
pub(super) fn fixed<'h>(from: impl Iterator<Item = (&'h String, &'h String)>, headers: &mut HeaderMap) -> Result<()> {
    for (name, value) in from {
        let malformed = || Error::invalid("malformed_manifest", "a header has characters that HTTP does not allow");
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| malformed())?;
        headers.insert(name, HeaderValue::from_str(value).map_err(|_| malformed())?);
    }
    Ok(())
}

/// Parameters as a vendor wants them.
pub(super) fn encode(how: TokenBody, params: &[(&str, &str)], headers: &mut HeaderMap) -> Vec<u8> {
    match how {
        TokenBody::None => Vec::new(),
        TokenBody::Form => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish().into_bytes()
        }
        TokenBody::Json => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            let document: serde_json::Map<_, _> =
                params.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
            Value::Object(document).to_string().into_bytes()
        }
    }
}
