//! A small vendor on loopback that takes every kind of credential, each as strictly as its document says: for Atom's own tests.

mod oauth1;
mod tokens;

use crate::config::ProviderApp;
use crate::crypto::{base64url, random};
use crate::{Error, ErrorKind, Result, Secret};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(super) const CLIENT_ID: &str = "vendor-client";
pub(super) const CLIENT_SECRET: &str = "vendor secret: 50% & more";
const REDIRECT_URI: &str = "http://127.0.0.1/vendor";
/// What users copy from the vendor's pages.
const API_KEY: &str = "vk_live_1234";
const PASSWORD: &str = "hunter2: the sequel";

/// A vendor with an account per credential. It ends when it is dropped.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use atom_core::testing::VendorStandIn;
///
/// let vendor = VendorStandIn::start().await?;
/// assert!(vendor.app().manifest.is_some_and(|manifest| manifest.contains(&vendor.url())));
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
pub struct VendorStandIn {
    url: String,
    world: Shared,
    task: JoinHandle<()>,
}

pub(super) type Shared = Arc<Mutex<World>>;

/// Everything that it knows.
#[derive(Default)]
pub(super) struct World {
    hits: HashMap<String, i64>,
    /// The next so many answers of a path that get lost, after their requests were carried out.
    lost: HashMap<String, i64>,
    /// Bearer tokens: whose, for what, until when.
    bearers: HashMap<String, (String, &'static str, DateTime<Utc>)>,
    codes: HashMap<String, tokens::Code>,
    grants: HashMap<String, tokens::Grant>,
    oauth1: oauth1::Tokens,
    /// Link tokens that wait, and what the widget gave for them.
    links: HashMap<String, bool>,
    /// Further redirect URIs.
    redirects: Vec<String>,
    /// Whether the credentials that users hold were withdrawn.
    withdrawn: bool,
    /// Keys that ended, by what names them.
    ended_keys: Vec<String>,
    /// Whether answers with tokens do not say how long those live.
    withholds_lifetimes: bool,
}

pub(super) fn lock(world: &Shared) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Something that nobody can guess.
pub(super) fn token(prefix: &str) -> String {
    format!("{prefix}{}", base64url(random::<24>().expect("the operating system gives random bytes")))
}

impl Drop for VendorStandIn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl VendorStandIn {
    /// Starts it on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// `unavailable` / `no_port`.
    pub async fn start() -> Result<Self> {
        let unavailable = |e: std::io::Error| Error::unavailable("no_port", "no port of 127.0.0.1 can be opened").with_source(e);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(unavailable)?;
        let url = format!("http://{}", listener.local_addr().map_err(unavailable)?);
        let world = Shared::default();
        let router = router(&world);
        let task = tokio::spawn(async move {
            // It serves until it is dropped.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, world, task })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The provider to open an installation with: `vendor`.
    pub fn app(&self) -> ProviderApp {
        ProviderApp {
            provider: "vendor".into(),
            client_id: CLIENT_ID.into(),
            client_secret: Some(CLIENT_SECRET.into()),
            redirect_uri: REDIRECT_URI.into(),
            export_tokens: Some(true),
            manifest: Some(include_str!("vendor.toml").replace("$url", &self.url)),
            ..Default::default()
        }
    }

    /// Takes one more redirect URI.
    pub fn register_redirect(&self, uri: &str) {
        lock(&self.world).redirects.push(uri.to_owned());
    }

    /// An API key that it takes.
    pub fn api_key(&self) -> Secret {
        API_KEY.into()
    }

    /// The password of every user.
    pub fn password(&self) -> Secret {
        PASSWORD.into()
    }

    /// The private key of its app 12, which is installed in the account 77.
    pub fn app_key(&self) -> Secret {
        include_str!("app.pem").into()
    }

    /// How many requests have come to a path.
    pub fn hits(&self, path: &str) -> i64 {
        lock(&self.world).hits.get(path).copied().unwrap_or_default()
    }

    /// Carries out the next `count` requests of a path and loses their answers.
    pub fn lose_next(&self, path: &str, count: i64) {
        lock(&self.world).lost.insert(path.to_owned(), count);
    }

    /// Makes every bearer token expire now.
    pub fn expire_tokens(&self) {
        lock(&self.world).bearers.clear();
    }

    /// No longer takes keys, passwords, clients and signatures.
    pub fn withdraw_credentials(&self) {
        let mut world = lock(&self.world);
        world.withdrawn = true;
        world.bearers.clear();
    }

    /// From now on, answers with tokens do not say how long those live.
    pub fn withhold_lifetimes(&self) {
        lock(&self.world).withholds_lifetimes = true;
    }

    /// What the user does in the browser: opens the URL, signs in as somebody and agrees, or not. Returns where the browser is sent.
    ///
    /// # Errors
    /// `provider` if the request is not one that it accepts.
    pub fn decide(&self, url: &str, user: Option<&str>) -> Result<String> {
        if url.contains("oauth_token=") { oauth1::decide(&self.world, url, user) } else { tokens::decide(&self.world, url, user) }
    }

    /// What the widget gives when the user is done with it.
    ///
    /// # Errors
    /// `provider` if no session has this token.
    pub fn finish_link(&self, link_token: &str) -> Result<Secret> {
        let mut world = lock(&self.world);
        let done = world.links.get_mut(link_token).ok_or_else(|| refused("there is no such session"))?;
        *done = true;
        Ok(format!("public-{link_token}").into())
    }
}

pub(super) fn refused(why: &str) -> Error {
    Error::new(ErrorKind::Provider, "authorization_refused", why)
}

fn router(world: &Shared) -> Router {
    Router::new()
        .route("/me", get(me))
        .route("/files/me", get(files))
        .route("/link/create", post(create_link))
        .route("/link/exchange", post(exchange_link))
        .route("/link/remove", post(remove_link))
        .route("/accounts", post(accounts))
        .route("/guarded", get(guarded))
        .route("/keys/{name}", delete(end_key))
        .merge(tokens::routes())
        .merge(oauth1::routes())
        .layer(middleware::from_fn_with_state(Arc::clone(world), observe))
        .with_state(Arc::clone(world))
}

/// Counts the request, and loses its answer if it was asked to.
async fn observe(State(world): State<Shared>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let is_lost = {
        let mut world = lock(&world);
        *world.hits.entry(path.clone()).or_default() += 1;
        world.lost.get_mut(&path).filter(|left| **left > 0).map(|left| *left -= 1).is_some()
    };
    let answer = next.run(request).await;
    if !is_lost {
        return answer;
    }
    let broken = futures_util::stream::once(async { Err::<Vec<u8>, _>(std::io::Error::other("lost on the way")) });
    Response::new(Body::from_stream(broken))
}

pub(super) fn refuse(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}

fn person(id: &str, via: &str) -> Response {
    Json(json!({"id": id, "email": format!("{id}@vendor.example"), "via": via})).into_response()
}

/// Who asks, by whichever credential.
async fn me(State(world): State<Shared>, request: Request) -> Response {
    match identify(&world, request, "me").await {
        Some((id, via)) => person(&id, via),
        None => refuse(StatusCode::UNAUTHORIZED, "unknown_credential"),
    }
}

/// Only a token for this audience will do.
async fn files(State(world): State<Shared>, request: Request) -> Response {
    match identify(&world, request, "files").await {
        Some((id, "bearer")) => person(&id, "files"),
        _ => refuse(StatusCode::UNAUTHORIZED, "unknown_credential"),
    }
}

/// Nobody gets in, whatever the credential.
async fn guarded() -> Response {
    refuse(StatusCode::UNAUTHORIZED, "not_for_you")
}

/// The key that asks ends, once.
async fn end_key(State(world): State<Shared>, Path(name): Path<String>, request: Request) -> Response {
    if identify(&world, request, "me").await.is_none() {
        return refuse(StatusCode::UNAUTHORIZED, "unknown_credential");
    }
    let mut world = lock(&world);
    if world.ended_keys.contains(&name) {
        return refuse(StatusCode::NOT_FOUND, "no_such_key");
    }
    world.ended_keys.push(name);
    StatusCode::NO_CONTENT.into_response()
}

async fn identify(world: &Shared, request: Request, audience: &str) -> Option<(String, &'static str)> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1024 * 1024).await.ok()?;
    let world = lock(world);
    let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let query: Query<HashMap<String, String>> = Query::try_from_uri(&parts.uri).ok()?;
    let authorization = text("authorization").unwrap_or_default();
    if let Some(token) = authorization.strip_prefix("Bearer ") {
        let (id, meant, until) = world.bearers.get(token)?;
        return (*until > Utc::now() && *meant == audience).then(|| (id.clone(), "bearer"));
    }
    if authorization.starts_with("OAuth ") {
        return world.oauth1.owner(&parts, &body).map(|owner| (owner, "oauth1"));
    }
    if world.withdrawn {
        return None;
    }
    if let Some(pair) = authorization.strip_prefix("Basic ") {
        let pair = String::from_utf8(STANDARD.decode(pair).ok()?).ok()?;
        let (user, password) = pair.split_once(':')?;
        return (password == PASSWORD).then(|| (user.to_owned(), "basic"));
    }
    match (text("x-vendor-key"), query.get("key")) {
        (Some(key), None) if key == API_KEY => Some(("kay".into(), "header")),
        (None, Some(key)) if key == API_KEY => Some(("kay".into(), "query")),
        _ => None,
    }
}

/// The host's own credentials, in the headers of each request.
fn is_client(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    text("vendor-client-id") == Some(CLIENT_ID) && text("vendor-secret") == Some(CLIENT_SECRET)
}

async fn create_link(State(world): State<Shared>, Json(body): Json<Value>) -> Response {
    let is_client = body["client_id"] == CLIENT_ID && body["secret"] == CLIENT_SECRET;
    if !is_client || body["user"]["client_user_id"].as_str().is_none_or(str::is_empty) {
        return refuse(StatusCode::BAD_REQUEST, "INVALID_REQUEST");
    }
    let link_token = token("link-");
    lock(&world).links.insert(link_token.clone(), false);
    Json(json!({ "link_token": link_token })).into_response()
}

async fn exchange_link(State(world): State<Shared>, Json(body): Json<Value>) -> Response {
    let mut world = lock(&world);
    let session = body["public_token"].as_str().and_then(|token| token.strip_prefix("public-")).map(str::to_owned);
    let done = session.and_then(|session| world.links.remove(&session));
    if body["client_id"] != CLIENT_ID || body["secret"] != CLIENT_SECRET || done != Some(true) {
        return refuse(StatusCode::BAD_REQUEST, "INVALID_PUBLIC_TOKEN");
    }
    let access_token = token("access-");
    let until = Utc::now() + TimeDelta::days(1000);
    world.bearers.insert(access_token.clone(), ("item-9".into(), "accounts", until));
    Json(json!({"access_token": access_token, "item_id": "item-9"})).into_response()
}

async fn remove_link(State(world): State<Shared>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let token = body["access_token"].as_str().unwrap_or_default();
    let is_removed = is_client(&headers) && body["reason"] == "ended" && lock(&world).bearers.remove(token).is_some();
    if is_removed { Json(json!({})).into_response() } else { refuse(StatusCode::BAD_REQUEST, "INVALID_ACCESS_TOKEN") }
}

/// The token of a link stands in the document, the host's credentials beside it in headers.
async fn accounts(State(world): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let is_json = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    let world = lock(&world);
    let known =
        body["access_token"].as_str().and_then(|token| world.bearers.get(token)).filter(|(_, kind, _)| *kind == "accounts");
    match known {
        Some((item, ..)) if is_json && is_client(&headers) => {
            Json(json!({"item": item, "count": body["count"], "accounts": []})).into_response()
        }
        _ => refuse(StatusCode::UNAUTHORIZED, "INVALID_ACCESS_TOKEN"),
    }
}
