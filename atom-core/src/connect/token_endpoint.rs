//! The token endpoint (RFC 6749 §3.2): every grant is a form, and every answer a token set or a refusal.

use super::App;
use super::authenticate::secret_header;
use crate::http_client::{HttpClient, Request, basic};
use crate::integrations::failure;
use crate::providers::{ClientAuth, OAuth2};
use crate::vault::TokenSet;
use crate::{Error, ErrorKind, Result, Secret};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::Value;
use std::time::Duration;
use url::{Url, form_urlencoded};

/// A request that takes longer than this is given up. A lease is more than twice as long.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// A token endpoint, and the client that asks it.
pub(super) struct TokenEndpoint<'a> {
    pub(super) app: &'a App,
    pub(super) http: &'a HttpClient,
    pub(super) url: Url,
    pub(super) client_id: &'a str,
    pub(super) client_secret: Option<&'a Secret>,
    pub(super) client_auth: ClientAuth,
    pub(super) scope_separator: &'a str,
    pub(super) default_lifetime: Option<i64>,
}

/// What the endpoint said.
pub(super) enum Answer {
    Granted(Value),
    /// With the code of RFC 6749 §5.2.
    Refused(String),
}

impl<'a> TokenEndpoint<'a> {
    /// The one of `[auth]`, for the host's own client.
    pub(super) fn of(app: &'a App, http: &'a HttpClient, auth: &'a OAuth2) -> Self {
        Self {
            app,
            http,
            url: auth.token_url.clone(),
            client_id: &app.client_id,
            client_secret: app.client_secret.as_ref(),
            client_auth: auth.client_auth,
            scope_separator: &auth.scope_separator,
            default_lifetime: auth.default_lifetime,
        }
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

    /// Sends a form to an endpoint of the provider, with the client's credentials.
    pub(super) async fn post<'f>(&'f self, url: &Url, mut form: Vec<(&'f str, &'f str)>) -> Result<Answer> {
        let named = |e: Error| e.with_provider(&self.app.manifest.name);
        let mut headers = HeaderMap::from_iter([
            (CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")),
            (ACCEPT, HeaderValue::from_static("application/json")),
        ]);
        authenticate(self.client_auth, self.client_id, self.client_secret, &mut headers, &mut form)?;
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish().into_bytes();
        let request = Request { method: Method::POST, url: self.app.resolve(url)?, headers, body, timeout: TIMEOUT };
        let answer = self.http.send(request).await.map_err(named)?;
        if answer.status == 429 || answer.status >= 500 {
            return Err(named(failure::unavailable(answer.status, &answer.headers)));
        }
        let document: Option<Value> = serde_json::from_slice(&answer.body).ok();
        // Some refuse with a status of success.
        let code = document.as_ref().and_then(|document| document["error"].as_str());
        match (answer.status, code, document.as_ref()) {
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
            expires_at: lifetime.and_then(TimeDelta::try_seconds).and_then(|life| now.checked_add_signed(life)),
            ..Default::default()
        })
    }

    /// The scopes that an answer names.
    pub(super) fn scopes(&self, answer: &Value) -> Vec<String> {
        let scopes = answer["scope"].as_str().unwrap_or_default();
        // RFC 6749 says a space; some vendors separate otherwise, also in their answers.
        let scopes = scopes.split([' ', self.scope_separator.chars().next().unwrap_or(' ')]);
        scopes.filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
    }

    /// What a refusal means to the caller (RFC 6749 §5.2).
    pub(super) fn refusal(&self, code: &str) -> Error {
        let error = match code {
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

/// Puts a client's id and secret where they go in a form (RFC 6749 §2.3.1).
pub(super) fn authenticate<'f>(
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

/// A vendor's code is shown only as far as it looks like one: free text could hold personal data.
pub(super) fn printable(code: &str) -> String {
    code.chars().filter(|c| c.is_ascii_alphanumeric() || "_.-".contains(*c)).take(64).collect()
}
