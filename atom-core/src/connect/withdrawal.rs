//! How a provider is asked to end a credential: by the endpoint of `[auth]` (RFC 7009), or by the request that `[auth]` or a method has for it.

use super::App;
use super::authenticate::{authenticate, secret_header, vars};
use super::methods::Way;
use super::registered::Definition;
use super::token_endpoint::{self, TIMEOUT};
use crate::atom::Inner;
use crate::http_client::{Request, Response};
use crate::integrations::failure;
use crate::oauth;
use crate::providers::{OAuth2, Revoke, Template, TokenBody, UrlTemplate, Vars};
use crate::vault::TokenSet;
use crate::{Error, Result, Secret};
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What of a token set is needed to withdraw it; nothing where the provider has no way to.
pub(super) fn needed(app: &App, tokens: &TokenSet) -> Option<TokenSet> {
    match How::of(app, tokens)? {
        How::Method(_) => Some(tokens.clone()),
        How::Grant(_) | How::Endpoint { .. } if tokens.refresh_token.is_none() && tokens.access_token.is_none() => None,
        How::Grant(_) => Some(TokenSet { fields: Default::default(), ..tokens.clone() }),
        How::Endpoint { .. } => {
            let method = tokens.method.clone();
            // The refresh token stands for the whole grant.
            let refresh_token = tokens.refresh_token.clone();
            let access_token = tokens.access_token.clone().filter(|_| refresh_token.is_none());
            Some(TokenSet { method, refresh_token, access_token, ..Default::default() })
        }
    }
}

/// What is sealed until a grant is withdrawn. With a provider of the workspace goes its definition: it may be removed before.
#[derive(Serialize, Deserialize)]
struct Kept {
    provider: Definition,
    tokens: Value,
}

/// What is to be sealed.
pub(super) fn kept(app: &App, needed: &TokenSet) -> Result<Zeroizing<Vec<u8>>> {
    let plain = needed.secret_part()?;
    let Some(provider) = app.own() else { return Ok(plain) };
    let failed = |e| Error::internal("withdrawal", "a withdrawal cannot be serialized").with_source(e);
    let kept = Kept { provider: provider.clone(), tokens: serde_json::from_slice(&plain).map_err(failed)? };
    serde_json::to_vec(&kept).map(Zeroizing::new).map_err(failed)
}

/// What was sealed: the provider, if it is none of the installation, and the tokens.
pub(super) fn of_kept(inner: &Inner, plain: &[u8]) -> Result<(Option<Arc<App>>, TokenSet)> {
    let Ok(Kept { provider, tokens }) = serde_json::from_slice(plain) else {
        return Ok((None, TokenSet::of_secret_part(plain)?));
    };
    let manifest = Arc::new(provider.parsed()?);
    Ok((Some(Arc::new(provider.into_app(inner, manifest)?)), TokenSet::of_secret_part(tokens.to_string().as_bytes())?))
}

/// Asks once. What the provider does not know is as good as withdrawn.
pub(super) async fn ask(inner: &Inner, app: &App, tokens: &TokenSet) -> Result<()> {
    // Its manifest may have changed since.
    let Some(how) = How::of(app, tokens) else { return Ok(()) };
    let request = how.request(app, tokens)?;
    let answer = app.outlet(inner).send(request).await.map_err(|e| e.with_provider(&app.manifest.name))?;
    if how.is_done(app, &answer) { Ok(()) } else { Err(failure::classify(&app.manifest, "revoke", &answer)) }
}

/// The ways to withdraw.
enum How<'a> {
    Endpoint {
        auth: &'a OAuth2,
        url: &'a UrlTemplate,
    },
    /// The request of `[auth]`, which says by itself who asks.
    Grant(&'a Revoke),
    /// That of a method, which is authenticated with the credential that it ends.
    Method(&'a Revoke),
}

impl<'a> How<'a> {
    fn of(app: &'a App, tokens: &TokenSet) -> Option<Self> {
        let way = Way::find(app, &tokens.method).ok()?;
        if let Some(revoke) = way.entry.and_then(|entry| entry.revoke.as_ref()) {
            return Some(Self::Method(revoke));
        }
        // What the user gave is the user's to withdraw.
        let auth = app.manifest.auth.as_ref().filter(|_| way.how.is_consent())?;
        match (&auth.revoke, &auth.revoke_url) {
            (Some(revoke), _) => Some(Self::Grant(revoke)),
            (None, Some(url)) => Some(Self::Endpoint { auth, url }),
            (None, None) => None,
        }
    }

    fn request(&self, app: &App, tokens: &TokenSet) -> Result<Request> {
        match self {
            Self::Endpoint { auth, url } => {
                let mut headers = HeaderMap::new();
                let (token, hint) = token(tokens);
                let mut form = vec![("token", token), ("token_type_hint", hint)];
                let secret = app.client_secret.as_ref();
                oauth::authenticate(auth.client_auth, &app.client_id, secret, &mut headers, &mut form)?;
                let body = token_endpoint::encode(TokenBody::Form, &form, &mut headers);
                Ok(Request { method: Method::POST, url: app.place(url, &tokens.captured)?, headers, body, timeout: TIMEOUT })
            }
            Self::Grant(revoke) => {
                let known = [
                    ("token", Some(token(tokens).0)),
                    ("access_token", tokens.access_token.as_ref().map(Secret::expose)),
                    ("refresh_token", tokens.refresh_token.as_ref().map(Secret::expose)),
                    ("client_id", Some(app.client_id.as_str())),
                    ("client_secret", app.client_secret.as_ref().map(Secret::expose)),
                ];
                let known = known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
                written(app, revoke, known.collect(), tokens)
            }
            Self::Method(revoke) => {
                let mut request = written(app, revoke, vars(app, tokens), tokens)?;
                authenticate(app, tokens, &mut request)?;
                Ok(request)
            }
        }
    }

    fn is_done(&self, app: &App, answer: &Response) -> bool {
        let document = || serde_json::from_slice::<Value>(&answer.body).unwrap_or_default();
        match (self, answer.status) {
            (_, 200..=299) => true,
            // What Google and others answer where RFC 7009 §2.2 wants a 200.
            (Self::Endpoint { .. } | Self::Grant(_), 400)
                if matches!(document()["error"].as_str(), Some("invalid_token" | "invalid_grant")) =>
            {
                true
            }
            (Self::Grant(_) | Self::Method(_), 404 | 410) => true,
            (Self::Grant(revoke) | Self::Method(revoke), 400..=499) => {
                let document = document();
                let code = app.manifest.errors.code.iter().find_map(|path| path.text(&document));
                code.is_some_and(|code| revoke.gone.contains(&code))
            }
            _ => false,
        }
    }
}

/// The token that stands for the grant, and what it is (RFC 7009 §2.1).
fn token(tokens: &TokenSet) -> (&str, &'static str) {
    let refresh = tokens.refresh_token.as_ref().map(|token| (token.expose(), "refresh_token"));
    let access = tokens.access_token.as_ref().map(|token| (token.expose(), "access_token"));
    refresh.or(access).unwrap_or_default()
}

/// The request that a manifest describes.
fn written(app: &App, revoke: &Revoke, mut vars: Vars, tokens: &TokenSet) -> Result<Request> {
    let url = app.place_with(&revoke.url, vars.clone(), &tokens.captured)?;
    for (name, value) in &tokens.captured {
        vars.entry(name.clone()).or_insert_with(|| value.as_str().into());
    }
    let missing = || Error::invalid("malformed_manifest", "a part of the request that withdraws a grant has no value");
    let render = |template: &Template| template.render(&vars, str::to_owned);
    let mut headers = HeaderMap::new();
    for (name, template) in &revoke.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| missing())?;
        headers.insert(name, secret_header(&render(template).ok_or_else(missing)?)?);
    }
    let params: Vec<_> = revoke.params.iter().filter_map(|(name, value)| Some((name.as_str(), render(value)?))).collect();
    let mut form: Vec<_> = params.iter().map(|(name, value)| (*name, value.as_str())).collect();
    oauth::authenticate(revoke.client_auth, &app.client_id, app.client_secret.as_ref(), &mut headers, &mut form)?;
    // Without parameters there is nothing to encode.
    let encoding = if form.is_empty() { TokenBody::None } else { revoke.encoding };
    let body = token_endpoint::encode(encoding, &form, &mut headers);
    Ok(Request { method: revoke.method.into(), url, headers, body, timeout: TIMEOUT })
}
