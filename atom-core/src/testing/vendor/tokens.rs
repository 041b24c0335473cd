//! Tokens: of codes, of refresh tokens that work once, of clients, and of an app's installation.

use super::{CLIENT_ID, CLIENT_SECRET, PASSWORD, REDIRECT_URI, Shared, World, lock, refuse, refused, token};
use crate::Result;
use crate::crypto::{base64url, from_base64url};
use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{SecondsFormat, TimeDelta, Utc};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use url::{Url, form_urlencoded};

/// How long its tokens live.
const LIFETIME: TimeDelta = TimeDelta::hours(1);
const APP_KEY: &[u8] = include_bytes!("app.der");

/// An authorization code that waits for its exchange.
pub(super) struct Code {
    user: String,
    challenge: String,
    redirect_uri: String,
}

/// What a refresh token stands for.
pub(super) struct Grant {
    user: String,
    family: String,
    spent: bool,
}

type Params = HashMap<String, String>;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/token", post(answer))
        .route("/introspect", post(introspect))
        .route("/revoke", post(revoke))
        .route("/app/installations/{id}/access_tokens", post(installation))
}

/// Checks an authorization request and decides it as the user would.
pub(super) fn decide(world: &Shared, url: &str, user: Option<&str>) -> Result<String> {
    let url = Url::parse(url).map_err(|_| refused("not a URL"))?;
    let params: Params = url.query_pairs().into_owned().collect();
    let param = |name: &str| params.get(name).map(String::as_str).unwrap_or_default();
    let redirect_uri = param("redirect_uri");
    if param("client_id") != CLIENT_ID || param("response_type") != "code" || param("code_challenge_method") != "S256" {
        return Err(refused("invalid_request"));
    }
    let mut callback = Url::parse(redirect_uri).map_err(|_| refused("redirect_uri"))?;
    let mut registered = callback.clone();
    let _ = registered.set_port(None);
    if registered.as_str() != REDIRECT_URI && !lock(world).redirects.iter().any(|known| known == registered.as_str()) {
        return Err(refused("this redirect URI is not registered"));
    }
    callback.query_pairs_mut().append_pair("state", param("state"));
    match user {
        None => drop(callback.query_pairs_mut().append_pair("error", "access_denied")),
        Some(user) => {
            let code = token("code-");
            callback.query_pairs_mut().append_pair("code", &code);
            let waiting =
                Code { user: user.into(), challenge: param("code_challenge").into(), redirect_uri: redirect_uri.to_owned() };
            lock(world).codes.insert(code, waiting);
        }
    }
    Ok(callback.into())
}

impl World {
    /// An answer with a new bearer token.
    fn granted(&mut self, user: &str, audience: &'static str) -> Value {
        let mut document = json!({"access_token": self.bearer(user, audience), "token_type": "Bearer"});
        if !self.withholds_lifetimes {
            document["expires_in"] = LIFETIME.num_seconds().into();
        }
        document
    }

    fn bearer(&mut self, user: &str, audience: &'static str) -> String {
        let bearer = token("at-");
        self.bearers.insert(bearer.clone(), (user.to_owned(), audience, Utc::now() + LIFETIME));
        bearer
    }

    fn refresh_token(&mut self, user: &str, family: String) -> String {
        let refresh_token = token("rt-");
        self.grants.insert(refresh_token.clone(), Grant { user: user.to_owned(), family, spent: false });
        refresh_token
    }
}

async fn answer(State(world): State<Shared>, headers: HeaderMap, Form(form): Form<Params>) -> Response {
    let param = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let mut world = lock(&world);
    if param("grant_type") == "client_credentials" {
        return own_client(&mut world, &headers, &form);
    }
    if param("client_id") != CLIENT_ID || param("client_secret") != CLIENT_SECRET {
        return refuse(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let bad_grant = || refuse(StatusCode::BAD_REQUEST, "invalid_grant");
    match param("grant_type") {
        "authorization_code" => {
            let Some(code) = world.codes.remove(param("code")) else { return bad_grant() };
            let challenge = base64url(Sha256::digest(param("code_verifier")));
            if code.challenge != challenge || code.redirect_uri != param("redirect_uri") {
                return bad_grant();
            }
            // As Slack does: a bot's token, and inside the answer that of the person.
            let (bot, person) = (format!("{}-bot", code.user), code.user);
            let mut document = world.granted(&bot, "me");
            document["refresh_token"] = world.refresh_token(&bot, token("family-")).into();
            let mut own = world.granted(&person, "me");
            own["refresh_token"] = world.refresh_token(&person, token("family-")).into();
            own["scope"] = "person:read".into();
            document["authed_user"] = own;
            Json(document).into_response()
        }
        "refresh_token" => {
            let Some(grant) = world.grants.get_mut(param("refresh_token")) else { return bad_grant() };
            let (user, family, was_spent) = (grant.user.clone(), grant.family.clone(), grant.spent);
            grant.spent = true;
            if was_spent {
                // A spent token came back: one of two holders is a thief, so both lose (RFC 9700 §4.14.2).
                world.grants.retain(|_, grant| grant.family != family);
                return bad_grant();
            }
            let audience = match param("audience") {
                "" => "me",
                "files" => "files",
                // Not for this account; the refresh token is spent all the same, and its successor in no answer: so it is not.
                _ => {
                    if let Some(grant) = world.grants.get_mut(param("refresh_token")) {
                        grant.spent = false;
                    }
                    return bad_grant();
                }
            };
            let mut document = world.granted(&user, audience);
            document["refresh_token"] = world.refresh_token(&user, family).into();
            Json(document).into_response()
        }
        _ => refuse(StatusCode::BAD_REQUEST, "unsupported_grant_type"),
    }
}

/// RFC 6749 §4.4, with `Authorization: Basic` of two form-encoded parts (§2.3.1).
fn own_client(world: &mut World, headers: &HeaderMap, form: &Params) -> Response {
    let decode = |text: &str| form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned());
    let pair = headers.get("authorization").and_then(|value| value.to_str().ok()).and_then(|text| text.strip_prefix("Basic "));
    let pair = pair.and_then(|pair| String::from_utf8(STANDARD.decode(pair).ok()?).ok());
    let pair =
        pair.as_deref().and_then(|pair| pair.split_once(':')).and_then(|(id, secret)| Some((decode(id)?, decode(secret)?)));
    match pair {
        Some((id, secret)) if secret == PASSWORD && !world.withdrawn => {
            if form.get("scope").is_none_or(|scope| scope != "read write") || form.get("audience").is_none_or(|a| a != "me") {
                return refuse(StatusCode::BAD_REQUEST, "invalid_scope");
            }
            Json(world.granted(&id, "me")).into_response()
        }
        _ => refuse(StatusCode::UNAUTHORIZED, "invalid_client"),
    }
}

/// RFC 7662, for the vendor's own client.
async fn introspect(State(world): State<Shared>, Form(form): Form<Params>) -> Response {
    let param = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    if param("client_id") != CLIENT_ID || param("client_secret") != CLIENT_SECRET {
        return refuse(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let world = lock(&world);
    let document = match world.bearers.get(param("token")).filter(|(.., until)| *until > Utc::now()) {
        Some((user, audience, until)) => {
            json!({"active": true, "sub": user, "scope": format!("read {audience}"), "exp": until.timestamp()})
        }
        None => json!({ "active": false }),
    };
    Json(document).into_response()
}

/// A bearer token ends itself.
async fn revoke(State(world): State<Shared>, headers: HeaderMap, Form(form): Form<Params>) -> Response {
    let token = headers.get("authorization").and_then(|value| value.to_str().ok()).and_then(|text| text.strip_prefix("Bearer "));
    match token.filter(|token| form.get("token").is_some_and(|named| named == token)) {
        Some(token) if lock(&world).bearers.remove(token).is_some() => StatusCode::NO_CONTENT.into_response(),
        _ => refuse(StatusCode::UNAUTHORIZED, "unknown_credential"),
    }
}

/// <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-an-installation-access-token-for-a-github-app>,
/// with ES256 instead of RS256.
async fn installation(State(world): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let proof = headers.get("authorization").and_then(|value| value.to_str().ok()).and_then(|text| text.strip_prefix("Bearer "));
    let Some(claims) = proof.and_then(verified) else { return refuse(StatusCode::UNAUTHORIZED, "bad_credentials") };
    let number = |name: &str| claims[name].as_i64().unwrap_or_default();
    let is_fine =
        claims["iss"] == "12" && number("exp") > Utc::now().timestamp() && (1..=600).contains(&(number("exp") - number("iat")));
    let mut world = lock(&world);
    if !is_fine || world.withdrawn {
        return refuse(StatusCode::UNAUTHORIZED, "bad_credentials");
    }
    if id != "77" {
        return refuse(StatusCode::NOT_FOUND, "not_found");
    }
    let bearer = world.bearer("installation-77", "me");
    let expires_at = (Utc::now() + LIFETIME).to_rfc3339_opts(SecondsFormat::Secs, true);
    (StatusCode::CREATED, Json(json!({"token": bearer, "expires_at": expires_at, "permissions": {}}))).into_response()
}

fn verified(proof: &str) -> Option<Value> {
    let (signed, signature) = proof.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let header: Value = serde_json::from_slice(&from_base64url(header)?).ok()?;
    if header["alg"] != "ES256" {
        return None;
    }
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, APP_KEY);
    key.verify(signed.as_bytes(), &from_base64url(signature)?).ok()?;
    serde_json::from_slice(&from_base64url(claims)?).ok()
}
