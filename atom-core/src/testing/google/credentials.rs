//! Tokens without a browser: <https://developers.google.com/identity/protocols/oauth2/service-account> and
//! <https://developers.google.com/identity/protocols/oauth2/limited-input-device>.

use super::oauth::{oauth_error, secret};
use super::{CLIENT_ID, Shared, World, lock};
use crate::crypto::from_base64url;
use crate::{Error, ErrorKind, Result, Secret};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Form, Json, Router};
use chrono::{DateTime, TimeDelta, Utc};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::{Value, json};
use std::collections::HashMap;

pub(super) const SIGNED_JWT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
pub(super) const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The robot of one project, with a key that opens nothing but this stand-in.
const EMAIL: &str = "robot@stand-in.iam.gserviceaccount.com";
const KEY_ID: &str = "0123456789abcdef0123456789abcdef01234567";
const PRIVATE_KEY: &str = include_str!("../service_account.pem");
const PUBLIC_KEY: &[u8] = include_bytes!("../service_account.der");

pub(super) fn key_file() -> Secret {
    let file = json!({
        "type": "service_account",
        "project_id": "stand-in",
        "private_key_id": KEY_ID,
        "private_key": PRIVATE_KEY,
        "client_email": EMAIL,
        "client_id": "100000000000000000000",
        "token_uri": "https://oauth2.googleapis.com/token",
    });
    file.to_string().into()
}

/// A token for a document that the robot signed.
pub(super) fn signed(world: &Shared, assertion: &str) -> Response {
    let Some(claims) = verified(assertion) else { return oauth_error(StatusCode::BAD_REQUEST, "invalid_grant") };
    let number = |name: &str| claims[name].as_i64().unwrap_or_default();
    let now = Utc::now().timestamp();
    // A test may have moved the clock of the installation forward: when it was issued is compared with its end only.
    let is_fine = claims["iss"] == EMAIL
        && claims["aud"] == "https://oauth2.googleapis.com/token"
        && number("exp") > now
        && (1..=3600).contains(&(number("exp") - number("iat")));
    if !is_fine {
        return oauth_error(StatusCode::BAD_REQUEST, "invalid_grant");
    }
    if claims["scope"].as_str().is_none_or(str::is_empty) {
        return oauth_error(StatusCode::BAD_REQUEST, "invalid_scope");
    }
    let mut world = lock(world);
    let (token, lifetime) = (secret("ya29."), world.settings.lifetime);
    let whose = claims["sub"].as_str().unwrap_or(EMAIL).to_owned();
    world.secrets.push(token.clone());
    world.access.insert(token.clone(), (whose, Utc::now() + lifetime));
    // No scope in this answer: it is what was asked for.
    Json(json!({"access_token": token, "expires_in": lifetime.num_seconds(), "token_type": "Bearer"})).into_response()
}

/// The claims of a document whose signature is right.
fn verified(assertion: &str) -> Option<Value> {
    let (signed, signature) = assertion.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let header: Value = serde_json::from_slice(&from_base64url(header)?).ok()?;
    if header["alg"] != "RS256" || header["kid"] != KEY_ID {
        return None;
    }
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, PUBLIC_KEY);
    key.verify(signed.as_bytes(), &from_base64url(signature)?).ok()?;
    serde_json::from_slice(&from_base64url(claims)?).ok()
}

/// A code that waits to be typed.
pub(super) struct DeviceCode {
    device_code: String,
    user_code: String,
    scope: String,
    decision: Option<Option<String>>,
    expires_at: DateTime<Utc>,
}

pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/device/code", post(begin))
}

async fn begin(State(world): State<Shared>, Form(form): Form<HashMap<String, String>>) -> Response {
    if form.get("client_id").is_none_or(|id| id != CLIENT_ID) {
        return oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let Some(scope) = form.get("scope").filter(|scope| !scope.is_empty()).cloned() else {
        return oauth_error(StatusCode::BAD_REQUEST, "invalid_scope");
    };
    let mut world = lock(&world);
    let (device_code, user_code) = (secret("AH-1"), format!("GQVQ-J{:03}", world.devices.len()));
    let answer = json!({
        "device_code": device_code, "user_code": user_code, "verification_url": "https://www.google.com/device",
        "expires_in": 1800, "interval": 5,
    });
    let expires_at = Utc::now() + TimeDelta::seconds(1800);
    world.secrets.push(device_code.clone());
    world.devices.push(DeviceCode { device_code, user_code, scope, decision: None, expires_at });
    Json(answer).into_response()
}

pub(super) fn decide(world: &Shared, user_code: &str, email: Option<String>) -> Result<()> {
    let mut world = lock(world);
    let code = world.devices.iter_mut().find(|code| code.user_code == user_code && code.decision.is_none());
    let code = code.ok_or_else(|| Error::new(ErrorKind::Provider, "authorization_refused", "there is no such code"))?;
    code.decision = Some(email);
    Ok(())
}

/// Whose account a device code stands for by now, and with which scopes.
pub(super) fn polled(world: &mut World, device_code: &str) -> Result<(String, String), Box<Response>> {
    let refuse = |error: &str| Err(Box::new(oauth_error(StatusCode::BAD_REQUEST, error)));
    let Some(at) = world.devices.iter().position(|code| code.device_code == device_code) else {
        return refuse("invalid_grant");
    };
    if world.devices[at].expires_at <= Utc::now() {
        return refuse("expired_token");
    }
    match world.devices[at].decision.clone() {
        None => Err(Box::new(oauth_error(StatusCode::PRECONDITION_REQUIRED, "authorization_pending"))),
        Some(None) => Err(Box::new(oauth_error(StatusCode::FORBIDDEN, "access_denied"))),
        Some(Some(email)) => {
            // It works once.
            let code = &mut world.devices[at];
            code.device_code.clear();
            Ok((email, code.scope.clone()))
        }
    }
}
