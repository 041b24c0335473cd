//! Consent, tokens, identity: <https://developers.google.com/identity/protocols/oauth2/web-server>.

use super::{CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, Shared, credentials, lock, sign_in, with_account};
use crate::crypto::{base64url, random};
use crate::{Error, ErrorKind, Result};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use url::Url;

type Params = HashMap<String, String>;

/// An authorization code that waits for its exchange.
pub(super) struct Code {
    email: String,
    challenge: String,
    redirect_uri: String,
    scope: String,
    /// What the ID token repeats.
    nonce: String,
    /// Whether a refresh token is wanted.
    offline: bool,
    expires_at: DateTime<Utc>,
}

/// What a refresh token stands for. Spent ones are remembered, to recognize a replay.
pub(super) struct Grant {
    email: String,
    scope: String,
    family: String,
    spent: bool,
}

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .merge(credentials::routes())
        .merge(sign_in::routes())
        .route("/o/oauth2/v2/auth", get(consent_page).post(consent))
        .route("/token", post(token))
        .route("/revoke", post(revoke))
        .route("/v1/userinfo", get(userinfo))
}

pub(super) fn secret(prefix: &str) -> String {
    // Without randomness nothing that follows would be worth testing.
    format!("{prefix}{}", base64url(random::<24>().expect("the operating system gives random bytes")))
}

/// Checks an authorization request and decides it as the user would.
pub(super) fn decide(world: &Shared, authorization_url: &str, email: Option<&str>) -> Result<String> {
    let refused = |why: &str| Error::new(ErrorKind::Provider, "authorization_refused", why);
    let url = Url::parse(authorization_url).map_err(|_| refused("the authorization URL is not a URL"))?;
    let params: Params = url.query_pairs().into_owned().collect();
    let param = |name: &str| params.get(name).map(String::as_str).unwrap_or_default();
    let redirect_uri = param("redirect_uri");
    let problem = if param("client_id") != CLIENT_ID {
        Some("invalid_client: the client id is unknown")
    } else if redirect_uri != REDIRECT_URI && !is_loopback(redirect_uri) {
        Some("redirect_uri_mismatch: this redirect URI is not registered")
    } else if param("response_type") != "code" || param("scope").is_empty() {
        Some("invalid_request: response_type or scope is missing")
    } else if param("code_challenge_method") != "S256" || param("code_challenge").len() != 43 {
        Some("invalid_request: PKCE with S256 is required here")
    } else {
        None
    };
    if let Some(problem) = problem {
        return Err(refused(problem));
    }
    let mut callback = Url::parse(redirect_uri).map_err(|_| refused("redirect_uri_mismatch"))?;
    callback.query_pairs_mut().append_pair("state", param("state")).append_pair("iss", "https://accounts.google.com");
    match email {
        None => {
            callback.query_pairs_mut().append_pair("error", "access_denied");
        }
        Some(email) => {
            let code = secret("4/");
            callback
                .query_pairs_mut()
                .append_pair("code", &code)
                .append_pair("scope", param("scope"))
                .append_pair("authuser", "0");
            let waiting = Code {
                email: email.to_owned(),
                challenge: param("code_challenge").to_owned(),
                redirect_uri: redirect_uri.to_owned(),
                scope: param("scope").to_owned(),
                nonce: param("nonce").to_owned(),
                offline: param("access_type") == "offline",
                expires_at: Utc::now() + TimeDelta::minutes(10),
            };
            let mut world = lock(world);
            world.secrets.push(code.clone());
            world.codes.insert(code, waiting);
        }
    }
    Ok(callback.into())
}

/// RFC 8252 §7.3: a loopback redirect may use any port.
fn is_loopback(uri: &str) -> bool {
    Url::parse(uri).is_ok_and(|u| u.scheme() == "http" && matches!(u.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")))
}

/// What a person sees.
async fn consent_page(uri: Uri) -> Html<String> {
    let query = uri.query().unwrap_or_default().replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    Html(format!(
        "<!doctype html><title>Stand-in for Google</title><h1>An app wants to use your account</h1>\
         <form method=\"post\" action=\"?{query}\"><label>E-mail <input name=\"email\" value=\"ada@example.com\"></label> \
         <button name=\"answer\" value=\"yes\">Allow</button> <button name=\"answer\" value=\"no\">Deny</button></form>"
    ))
}

async fn consent(State(world): State<Shared>, uri: Uri, Form(form): Form<Params>) -> Response {
    let email = form.get("email").filter(|_| form.get("answer").is_some_and(|a| a == "yes"));
    match decide(&world, &format!("https://accounts.google.com{uri}"), email.map(String::as_str)) {
        Ok(callback) => Redirect::to(&callback).into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

pub(super) fn oauth_error(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({"error": error, "error_description": "refused by the stand-in"}))).into_response()
}

async fn token(State(world): State<Shared>, Form(form): Form<Params>) -> Response {
    let param = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    if param("grant_type") == credentials::SIGNED_JWT {
        return credentials::signed(&world, param("assertion"));
    }
    if param("client_id") != CLIENT_ID || param("client_secret") != CLIENT_SECRET {
        return oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let bad_grant = || oauth_error(StatusCode::BAD_REQUEST, "invalid_grant");
    let mut world = lock(&world);
    let mut nonce = String::new();
    let (email, scope, family, renewable) = match param("grant_type") {
        "authorization_code" => {
            let Some(code) = world.codes.remove(param("code")) else { return bad_grant() };
            let challenge = base64url(Sha256::digest(param("code_verifier")));
            if code.challenge != challenge || code.redirect_uri != param("redirect_uri") || code.expires_at <= Utc::now() {
                return bad_grant();
            }
            nonce = code.nonce;
            (code.email, code.scope, secret("family-"), code.offline)
        }
        "refresh_token" => {
            let rotate = world.settings.rotate;
            let Some(grant) = world.refresh.get_mut(param("refresh_token")) else { return bad_grant() };
            let found = (grant.email.clone(), grant.scope.clone(), grant.family.clone(), rotate);
            if grant.spent {
                // A spent token came back: one of two holders is a thief, so both lose (RFC 9700 §4.14.2).
                world.refresh.retain(|_, g| g.family != found.2);
                return bad_grant();
            }
            grant.spent = rotate;
            found
        }
        credentials::DEVICE_CODE => match credentials::polled(&mut world, param("device_code")) {
            Ok((email, scope)) => (email, scope, secret("family-"), true),
            Err(refused) => return *refused,
        },
        _ => return oauth_error(StatusCode::BAD_REQUEST, "unsupported_grant_type"),
    };
    let access_token = secret("ya29.");
    let lifetime = world.settings.lifetime;
    world.secrets.push(access_token.clone());
    world.access.insert(access_token.clone(), (email.clone(), Utc::now() + lifetime));
    let mut answer =
        json!({"access_token": access_token, "expires_in": lifetime.num_seconds(), "token_type": "Bearer", "scope": scope});
    if scope.split(' ').any(|scope| scope == "openid") {
        let access_token = answer["access_token"].as_str().unwrap_or_default();
        answer["id_token"] = sign_in::id_token(&email, &nonce, access_token).into();
    }
    if renewable {
        let refresh_token = secret("1//");
        answer["refresh_token"] = refresh_token.clone().into();
        world.secrets.push(refresh_token.clone());
        world.refresh.insert(refresh_token, Grant { email, scope, family, spent: false });
    }
    Json(answer).into_response()
}

async fn revoke(State(world): State<Shared>, Form(form): Form<Params>) -> Response {
    let token = form.get("token").cloned().unwrap_or_default();
    let mut world = lock(&world);
    let email =
        world.refresh.get(&token).map(|g| g.email.clone()).or_else(|| world.access.get(&token).map(|(email, _)| email.clone()));
    match email {
        Some(email) => {
            world.refresh.retain(|_, g| g.email != email);
            world.access.retain(|_, (owner, _)| *owner != email);
            Json(json!({})).into_response()
        }
        None => oauth_error(StatusCode::BAD_REQUEST, "invalid_token"),
    }
}

async fn userinfo(State(world): State<Shared>, headers: HeaderMap) -> Response {
    let found = with_account(
        &world,
        &headers,
        |email, _| json!({"sub": sign_in::subject(email), "name": email.split('@').next(), "email": email, "email_verified": true}),
    );
    found.map_or_else(|refused| *refused, |info| Json(info).into_response())
}
