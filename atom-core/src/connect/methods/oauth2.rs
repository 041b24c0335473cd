//! The user's consent by code and PKCE (RFC 6749 §4.1, RFC 7636), and the token sets that come of it.

use super::{Ask, Granted, Method, Opened, Opening};
use crate::connect::start::Pending;
use crate::connect::token_endpoint::TokenEndpoint;
use crate::connect::{App, ConnectFlow, authenticate};
use crate::crypto::BoxFuture;
use crate::http_client::Request;
use crate::oauth;
use crate::providers::{CallbackSignature, Facts, Manifest, OAuth2, TokenSetSource};
use crate::vault::{DEFAULT, TokenSet};
use crate::{Error, ErrorKind, Result, Secret};
use chrono::{DateTime, Utc};
use ring::hmac;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use url::form_urlencoded;

impl Method for OAuth2 {
    fn flow(&self) -> ConnectFlow {
        ConnectFlow::Browser
    }

    fn is_consent(&self) -> bool {
        true
    }

    fn open<'a>(&'a self, Ask { app, facts, .. }: Ask<'a>, opening: Opening<'a>) -> BoxFuture<'a, Result<Opened>> {
        Box::pin(async move {
            let authorize_url = app.place(&self.authorize_url, facts)?;
            let mut opened = oauth::open(authorize_url, &app.client_id, opening.redirect_uri, self.pkce)?;
            let mut query = opened.url.query_pairs_mut();
            for (name, value) in &self.authorize_query {
                query.append_pair(name, value);
            }
            if let Some(hint) = opening.login_hint {
                query.append_pair("login_hint", hint);
            }
            for (param, scopes) in self.scope_params(&app.manifest, opening.scopes) {
                // Joined here, because not every vendor separates scopes with a space.
                query.append_pair(param, &scopes.join(&self.scope_separator));
            }
            drop(query);
            Ok(Opened { key: opened.state, secret: opened.verifier, url: Some(opened.url.into()), link_token: None })
        })
    }

    fn complete<'a>(
        &'a self,
        Ask { inner, app, facts }: Ask<'a>,
        pending: Pending,
        answer: &'a HashMap<String, String>,
    ) -> BoxFuture<'a, Result<Granted>> {
        Box::pin(async move {
            oauth::check_issuer(self.issuer.as_deref(), self.issuer_required, answer)?;
            if let Some(signature) = &self.callback {
                check_signature(signature, app.client_secret.as_ref(), answer)?;
            }
            if let Some(error) = answer.get("error") {
                return Err(oauth::declined(error));
            }
            let code = answer.get("code").ok_or_else(|| {
                Error::invalid("malformed_callback", "the callback has neither a code nor an error: start again")
            })?;
            let mut form = vec![("code", code.as_str()), ("redirect_uri", pending.redirect_uri.as_str())];
            if self.pkce {
                form.push(("code_verifier", pending.secret.as_str()));
            }
            form.extend(self.token_params.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            let told = self.capture_callback.iter().filter_map(|(name, from)| Some((name.clone(), answer.get(from)?.clone())));
            let told: Facts = facts.clone().into_iter().chain(told).collect();
            let endpoint = TokenEndpoint::of(app, inner, self, &told)?;
            let granted = endpoint.grant("authorization_code", &form).await.map_err(|error| match error.kind() {
                // There is no grant yet that could be renewed: this code is spent, expired or another's.
                ErrorKind::ReauthRequired => Error::invalid("code_refused", "the provider refused the code: start again"),
                _ => error,
            })?;
            let mut granted = token_sets(&endpoint, self, &granted, &pending.scopes, inner.now())?;
            for (name, value) in told {
                granted.facts.entry(name).or_insert(value);
            }
            Ok(granted)
        })
    }

    fn authenticate(&self, app: &App, tokens: &TokenSet, request: &mut Request) -> Result<()> {
        match &self.send {
            Some(placement) => authenticate::place(placement, &authenticate::vars(app, tokens), request),
            None => authenticate::bearer(tokens, request),
        }
    }

    fn renew<'a>(
        &'a self,
        Ask { inner, app, facts }: Ask<'a>,
        name: &'a str,
        tokens: &'a TokenSet,
    ) -> Option<BoxFuture<'a, Result<TokenSet>>> {
        let refresh_token = tokens.refresh_token.as_ref()?;
        let params = match self.token_sets.get(name) {
            Some(TokenSetSource::RefreshToken { params }) => Some(params),
            _ => None,
        };
        Some(Box::pin(async move {
            let mut form = vec![("refresh_token", refresh_token.expose())];
            let params = self.refresh_params.iter().chain(params.into_iter().flatten());
            form.extend(params.map(|(name, value)| (name.as_str(), value.as_str())));
            let next = TokenEndpoint::for_refresh(app, inner, self, facts)?.tokens("refresh_token", &form, inner.now()).await?;
            Ok(TokenSet { method: tokens.method.clone(), ..next })
        }))
    }
}

impl OAuth2 {
    /// The parameters that name scopes, and the scopes of each: those of a further token set may be asked for apart from the others.
    fn scope_params<'s>(&'s self, manifest: &Manifest, scopes: &'s [String]) -> Vec<(&'s str, Vec<&'s str>)> {
        let of = |set: &str| -> Vec<&'s str> {
            let is_its = |scope: &&String| manifest.scopes_of(set).any(|known| known == *scope);
            scopes.iter().filter(is_its).map(String::as_str).collect()
        };
        let mut params = Vec::new();
        for (name, source) in &self.token_sets {
            if let TokenSetSource::Answer { scope_param: Some(param), .. } = source {
                params.push((param.as_str(), of(name)));
            }
        }
        let is_apart = |scope: &str| params.iter().any(|(_, theirs)| theirs.contains(&scope));
        let own = of(DEFAULT);
        let first = scopes.iter().map(String::as_str).filter(|scope| own.contains(scope) || !is_apart(scope));
        params.insert(0, (&self.scope_param, first.collect()));
        // A vendor without scopes is not asked for none (RFC 6749 §3.1).
        params.retain(|(_, scopes)| !scopes.is_empty());
        params
    }
}

/// The token sets in an answer that holds the first one.
pub(in crate::connect) fn token_sets(
    endpoint: &TokenEndpoint<'_>,
    auth: &OAuth2,
    answer: &Value,
    asked: &[String],
    now: DateTime<Utc>,
) -> Result<Granted> {
    let mut first = endpoint.read(answer, now)?;
    if first.scopes.is_empty() {
        // RFC 6749 §5.1: an answer without scopes granted what was asked for.
        first.scopes = asked.to_vec();
    }
    let facts = std::mem::take(&mut first.captured);
    let mut sets = BTreeMap::from([(DEFAULT.to_owned(), first)]);
    for (name, source) in &auth.token_sets {
        let TokenSetSource::Answer { path, .. } = source else { continue };
        // A user who granted nothing of this kind has no such set.
        if let Some(part) = path.get(answer).filter(|part| part["access_token"].is_string()) {
            sets.insert(name.clone(), endpoint.read(part, now)?);
        }
    }
    Ok(Granted { sets, account: None, facts })
}

/// A callback that the provider has not signed is somebody else's. Compared in constant time.
fn check_signature(signature: &CallbackSignature, secret: Option<&Secret>, answer: &HashMap<String, String>) -> Result<()> {
    let signed: BTreeMap<_, _> = answer.iter().filter(|(name, _)| **name != signature.hmac_param).collect();
    let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(signed).finish();
    let told = answer.get(&signature.hmac_param).and_then(|hex| from_hex(hex));
    let is_right = secret.zip(told).is_some_and(|(secret, told)| {
        hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes()), text.as_bytes(), &told).is_ok()
    });
    if is_right {
        return Ok(());
    }
    let text = "the callback is not signed by the provider: pass the URL on as it came, with all its parameters, or start again";
    Err(Error::invalid("callback_signature_wrong", text))
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let is_hex = text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| (0..text.len()).step_by(2).filter_map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect())
}

/// The set whose grant another one is made of.
pub(in crate::connect) fn source<'a>(app: &App, name: &'a str) -> &'a str {
    let sets = app.manifest.auth.as_ref().map(|auth| &auth.token_sets);
    match sets.and_then(|sets| sets.get(name)) {
        Some(TokenSetSource::RefreshToken { .. }) => DEFAULT,
        _ => name,
    }
}
