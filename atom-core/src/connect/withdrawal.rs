//! How a provider is asked to withdraw a grant: by the endpoint of `[auth]` (RFC 7009), or by the request that a method has for it.

use super::App;
use super::authenticate::{authenticate, vars};
use super::methods::{Way, fill};
use super::token_endpoint::{self, TIMEOUT};
use crate::Result;
use crate::atom::Inner;
use crate::http_client::{Request, Response};
use crate::integrations::failure;
use crate::providers::{OAuth2, Revoke, Template};
use crate::vault::TokenSet;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::Value;
use url::{Url, form_urlencoded};

/// What of a token set is needed to withdraw it; nothing where the provider has no way to.
pub(super) fn needed(app: &App, tokens: &TokenSet) -> Option<TokenSet> {
    match How::of(app, tokens)? {
        How::Request { .. } => Some(tokens.clone()),
        How::Endpoint { .. } => {
            let method = tokens.method.clone();
            // The refresh token stands for the whole grant.
            match (&tokens.refresh_token, &tokens.access_token) {
                (Some(token), _) => Some(TokenSet { method, refresh_token: Some(token.clone()), ..Default::default() }),
                (None, Some(token)) => Some(TokenSet { method, access_token: Some(token.clone()), ..Default::default() }),
                (None, None) => None,
            }
        }
    }
}

/// Asks once. What the provider does not know is as good as withdrawn.
pub(super) async fn ask(inner: &Inner, app: &App, tokens: &TokenSet) -> Result<()> {
    // Its manifest may have changed since.
    let Some(how) = How::of(app, tokens) else { return Ok(()) };
    let request = how.request(app, tokens)?;
    let answer = inner.http.send(request).await.map_err(|e| e.with_provider(&app.manifest.name))?;
    if how.is_done(app, &answer) { Ok(()) } else { Err(failure::classify(&app.manifest, "revoke", &answer)) }
}

/// The ways to withdraw.
enum How<'a> {
    Endpoint { auth: &'a OAuth2, url: &'a Url },
    Request { revoke: &'a Revoke, url: Url },
}

impl<'a> How<'a> {
    fn of(app: &'a App, tokens: &TokenSet) -> Option<Self> {
        let way = Way::find(app, &tokens.method).ok()?;
        if let Some(revoke) = way.entry.and_then(|entry| entry.revoke.as_ref()) {
            // An address that a field is missing for names nothing.
            let url = fill(&revoke.url, &vars(app, tokens)).ok()?;
            return Some(Self::Request { revoke, url });
        }
        // What the user gave is the user's to withdraw.
        let auth = app.manifest.auth.as_ref().filter(|_| way.how.is_consent())?;
        Some(Self::Endpoint { auth, url: auth.revoke_url.as_ref()? })
    }

    fn request(&self, app: &App, tokens: &TokenSet) -> Result<Request> {
        match self {
            Self::Endpoint { auth, url } => {
                let mut headers = form_headers();
                let refresh = tokens.refresh_token.as_ref().map(|token| (token.expose(), "refresh_token"));
                let access = tokens.access_token.as_ref().map(|token| (token.expose(), "access_token"));
                let (token, hint) = refresh.or(access).unwrap_or_default();
                let mut form = vec![("token", token), ("token_type_hint", hint)];
                token_endpoint::authenticate(
                    auth.client_auth,
                    &app.client_id,
                    app.client_secret.as_ref(),
                    &mut headers,
                    &mut form,
                )?;
                let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish().into_bytes();
                Ok(Request { method: Method::POST, url: app.resolve(url)?, headers, body, timeout: TIMEOUT })
            }
            Self::Request { revoke, url } => {
                let vars = vars(app, tokens);
                let render = |template: &Template| template.render(&vars, str::to_owned);
                let (headers, body) = if let Some(json) = &revoke.json {
                    let headers = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
                    (HeaderMap::from_iter(headers), json.render(&vars).unwrap_or_default().to_string().into_bytes())
                } else if revoke.form.is_empty() {
                    (HeaderMap::new(), Vec::new())
                } else {
                    let form = revoke.form.iter().filter_map(|(name, template)| Some((name, render(template)?)));
                    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish().into_bytes();
                    (form_headers(), body)
                };
                let (method, url) = (revoke.method.into(), app.resolve(url)?);
                let mut request = Request { method, url, headers, body, timeout: TIMEOUT };
                authenticate(app, tokens, &mut request)?;
                Ok(request)
            }
        }
    }

    fn is_done(&self, app: &App, answer: &Response) -> bool {
        match (self, answer.status) {
            (_, 200..=299) => true,
            // What Google and others answer where RFC 7009 §2.2 wants a 200.
            (Self::Endpoint { .. }, 400) => {
                let error = serde_json::from_slice::<Value>(&answer.body).unwrap_or_default();
                matches!(error["error"].as_str(), Some("invalid_token" | "invalid_grant"))
            }
            (Self::Request { .. }, 404 | 410) => true,
            (Self::Request { revoke, .. }, 400..=499) => {
                let document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
                let code = app.manifest.errors.code.iter().find_map(|path| path.text(&document));
                code.is_some_and(|code| revoke.gone.contains(&code))
            }
            _ => false,
        }
    }
}

fn form_headers() -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))])
}
