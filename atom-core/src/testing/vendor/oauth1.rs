//! The server's side of OAuth 1.0a (RFC 5849), with HMAC-SHA256: nonces work once, and what is signed must be what came.

use super::{CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, Shared, lock, refuse, refused, token};
use crate::Result;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Router, body::to_bytes};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::{BTreeMap, HashMap};
use url::{Url, form_urlencoded};

/// Its tokens, by name.
#[derive(Default)]
pub(super) struct Tokens {
    requests: HashMap<String, Asked>,
    /// Access tokens: secret and owner.
    access: HashMap<String, (String, String)>,
}

/// A request token.
struct Asked {
    secret: String,
    callback: String,
    /// Who agreed, and the verifier that shows it.
    decision: Option<(String, String)>,
}

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/oauth1/request", post(request))
        .route("/oauth1/access", post(access))
        .route("/oauth1/invalidate", post(invalidate))
}

/// The parameters of the header.
fn protocol(parts: &Parts) -> Option<BTreeMap<String, String>> {
    let header = parts.headers.get("authorization")?.to_str().ok()?.strip_prefix("OAuth ")?;
    let mut params = BTreeMap::new();
    for part in header.split(',') {
        let (name, value) = part.trim().split_once('=')?;
        let value = value.strip_prefix('"')?.strip_suffix('"')?;
        // Percent-decoding; a plus is a plus here.
        let value = form_urlencoded::parse(value.replace('+', "%2B").as_bytes()).next().map(|(value, _)| value.into_owned())?;
        params.insert(name.to_owned(), value);
    }
    Some(params)
}

fn escape(text: &str) -> String {
    // What forms keep and RFC 3986 does not, and the other way round.
    let form: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    form.replace('+', "%20").replace('*', "%2A").replace("%7E", "~")
}

/// The parameters of a request that was signed with these secrets.
fn verified(parts: &Parts, body: &[u8], secret: impl Fn(&str) -> Option<String>) -> Option<BTreeMap<String, String>> {
    let mut params = protocol(parts)?;
    let signature = params.remove("oauth_signature")?;
    let token = params.get("oauth_token").cloned();
    let token_secret = match &token {
        Some(token) => secret(token)?,
        None => String::new(),
    };
    let timestamp: i64 = params.get("oauth_timestamp")?.parse().ok()?;
    let is_known = params.get("oauth_consumer_key")? == CLIENT_ID
        && params.get("oauth_signature_method")? == "HMAC-SHA256"
        && (timestamp - Utc::now().timestamp()).abs() < 300
        && params.get("oauth_nonce")?.len() > 8;
    if !is_known {
        return None;
    }
    let host = parts.headers.get("host")?.to_str().ok()?;
    let url = Url::parse(&format!("http://{host}{}", parts.uri)).ok()?;
    let mut all: Vec<(String, String)> = params.iter().map(|(name, value)| (escape(name), escape(value))).collect();
    all.extend(url.query_pairs().map(|(name, value)| (escape(&name), escape(&value))));
    if parts.headers.get("content-type").is_some_and(|kind| kind == "application/x-www-form-urlencoded") {
        all.extend(form_urlencoded::parse(body).map(|(name, value)| (escape(&name), escape(&value))));
    }
    all.sort();
    let all: Vec<_> = all.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let address = format!("http://{host}{}", parts.uri.path());
    let base = format!("{}&{}&{}", parts.method, escape(&address), escape(&all.join("&")));
    let key = format!("{}&{}", escape(CLIENT_SECRET), escape(&token_secret));
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).ok()?;
    mac.update(base.as_bytes());
    mac.verify_slice(&STANDARD.decode(signature).ok()?).ok()?;
    Some(params)
}

async fn request(State(world): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1024).await.unwrap_or_default();
    let Some(callback) = verified(&parts, &body, |_| None).and_then(|mut params| params.remove("oauth_callback")) else {
        return refuse(StatusCode::UNAUTHORIZED, "signature");
    };
    if callback != REDIRECT_URI {
        return refuse(StatusCode::UNAUTHORIZED, "callback");
    }
    let (name, secret) = (token("req-"), token(""));
    let form = format!("oauth_token={name}&oauth_token_secret={secret}&oauth_callback_confirmed=true");
    lock(&world).oauth1.requests.insert(name, Asked { secret, callback, decision: None });
    form.into_response()
}

/// What the user does at the page.
pub(super) fn decide(world: &Shared, url: &str, user: Option<&str>) -> Result<String> {
    let url = Url::parse(url).map_err(|_| refused("not a URL"))?;
    let name = url.query_pairs().find(|(name, _)| name == "oauth_token").map(|(_, value)| value.into_owned());
    let name = name.ok_or_else(|| refused("no token"))?;
    let mut world = lock(world);
    let asked = world.oauth1.requests.get_mut(&name).ok_or_else(|| refused("unknown token"))?;
    let mut callback = Url::parse(&asked.callback).map_err(|_| refused("callback"))?;
    match user {
        None => drop(callback.query_pairs_mut().append_pair("denied", &name)),
        Some(user) => {
            let verifier = token("ver-");
            callback.query_pairs_mut().append_pair("oauth_token", &name).append_pair("oauth_verifier", &verifier);
            asked.decision = Some((user.to_owned(), verifier));
        }
    }
    Ok(callback.into())
}

async fn access(State(world): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1024).await.unwrap_or_default();
    let mut world = lock(&world);
    let params = verified(&parts, &body, |name| world.oauth1.requests.get(name).map(|asked| asked.secret.clone()));
    let Some(params) = params else { return refuse(StatusCode::UNAUTHORIZED, "signature") };
    let name = params.get("oauth_token").cloned().unwrap_or_default();
    // A request token works once.
    let decision = world.oauth1.requests.remove(&name).and_then(|asked| asked.decision);
    match decision {
        Some((user, verifier)) if params.get("oauth_verifier") == Some(&verifier) => {
            let (name, secret) = (token("acc-"), token(""));
            let form = format!("oauth_token={name}&oauth_token_secret={secret}&user_id={user}&screen_name={user}%20the%20great");
            world.oauth1.access.insert(name, (secret, user));
            form.into_response()
        }
        _ => refuse(StatusCode::UNAUTHORIZED, "verifier"),
    }
}

/// A token ends itself, as Twitter's `POST /1.1/oauth/invalidate_token` does.
async fn invalidate(State(world): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1024).await.unwrap_or_default();
    let mut world = lock(&world);
    match world.oauth1.signer(&parts, &body) {
        Some(name) => {
            world.oauth1.access.remove(&name);
            axum::Json(serde_json::json!({ "access_token": name })).into_response()
        }
        None => refuse(StatusCode::UNAUTHORIZED, "expired_token"),
    }
}

impl Tokens {
    /// The access token that signed a request.
    fn signer(&self, parts: &Parts, body: &Bytes) -> Option<String> {
        let params = verified(parts, body, |name| self.access.get(name).map(|(secret, _)| secret.clone()))?;
        params.get("oauth_token").cloned()
    }

    /// Whose token signed a request.
    pub(super) fn owner(&self, parts: &Parts, body: &Bytes) -> Option<String> {
        self.access.get(&self.signer(parts, body)?).map(|(_, owner)| owner.clone())
    }
}
