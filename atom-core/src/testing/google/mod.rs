//! A stand-in for Google on loopback: OAuth, Drive, Gmail and Calendar as documented, with tokens that expire and rotate.
//!
//! It is for tests and for trying things out. It is as strict as the documentation: a code works once and only with its verifier
//! and redirect URI, a spent refresh token ends its family, an expired token is a 401.

mod calendar;
mod credentials;
mod drive;
mod gmail;
mod oauth;
mod sign_in;

use crate::accounts::SignInProvider;
use crate::config::ProviderApp;
use crate::{Error, Result, Secret};
use atom_macros::{api, handle};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const CLIENT_ID: &str = "stand-in.apps.googleusercontent.com";
const CLIENT_SECRET: &str = "stand-in-secret";
const REDIRECT_URI: &str = "http://127.0.0.1/callback";

/// A provider on loopback that behaves like Google.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use atom_core::testing::GoogleStandIn;
///
/// let google = GoogleStandIn::start().await?;
/// assert!(google.url().starts_with("http://127.0.0.1:"));
/// assert_eq!(google.app().provider, "google");
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct GoogleStandIn {
    server: Arc<Server>,
}

struct Server {
    url: String,
    world: Arc<Mutex<World>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Everything that this Google knows.
#[derive(Default)]
pub(super) struct World {
    settings: Settings,
    /// Requests by `METHOD /path`, the path cut before its ids.
    hits: HashMap<String, i64>,
    codes: HashMap<String, oauth::Code>,
    devices: Vec<credentials::DeviceCode>,
    /// Access tokens: whose, and until when.
    access: HashMap<String, (String, DateTime<Utc>)>,
    refresh: HashMap<String, oauth::Grant>,
    /// Every code and token that was ever handed out.
    secrets: Vec<String>,
    accounts: HashMap<String, Account>,
}

struct Settings {
    lifetime: TimeDelta,
    rotate: bool,
    delay: Duration,
    /// What happens to the next so many requests of a path.
    faults: Vec<(String, Fault, i64)>,
}

/// How a request goes wrong.
#[derive(Clone, Copy)]
enum Fault {
    /// It is answered with this status.
    Status(u16),
    /// It is carried out, and the connection breaks before the answer is complete.
    Lost,
}

impl Default for Settings {
    fn default() -> Self {
        Self { lifetime: TimeDelta::seconds(3600), rotate: false, delay: Duration::ZERO, faults: Vec::new() }
    }
}

/// One person's things.
#[derive(Default)]
pub(super) struct Account {
    files: Vec<(Value, Vec<u8>)>,
    messages: Vec<Value>,
    events: Vec<Value>,
    /// Uploads that are not finished, by their ids.
    uploads: HashMap<String, Resumable>,
}

/// An upload in pieces.
struct Resumable {
    described: Value,
    size: usize,
    content: Vec<u8>,
}

type Shared = Arc<Mutex<World>>;

fn lock(world: &Shared) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

#[api]
impl GoogleStandIn {
    /// Starts it on a free port of 127.0.0.1. It ends with its last handle.
    pub async fn start() -> Result<Self> {
        let unavailable = |e: std::io::Error| Error::unavailable("no_port", "no port of 127.0.0.1 can be opened").with_source(e);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(unavailable)?;
        let url = format!("http://{}", listener.local_addr().map_err(unavailable)?);
        let world = Shared::default();
        let router = router(&world);
        let task = tokio::spawn(async move {
            // It serves until the handle aborts it.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { server: Arc::new(Server { url, world, task }) })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        self.server.url.clone()
    }

    /// The provider to open an installation with.
    pub fn app(&self) -> ProviderApp {
        ProviderApp {
            provider: "google".into(),
            client_id: CLIENT_ID.into(),
            client_secret: Some(CLIENT_SECRET.into()),
            redirect_uri: REDIRECT_URI.into(),
            development_endpoint: Some(self.server.url.clone()),
            export_tokens: Some(true),
            ..Default::default()
        }
    }

    /// The provider to sign in with.
    pub fn sign_in_provider(&self) -> SignInProvider {
        SignInProvider {
            name: "google".into(),
            client_id: CLIENT_ID.into(),
            client_secret: Some(CLIENT_SECRET.into()),
            redirect_uri: "http://127.0.0.1/sign-in/google".into(),
            development_endpoint: Some(self.server.url.clone()),
            ..Default::default()
        }
    }

    /// What the user does in the browser: opens the authorization URL, signs in with an e-mail address and agrees. Returns the URL
    /// that the browser is sent back to.
    ///
    /// Fails with `provider` if the authorization request is not one that Google would accept.
    pub async fn approve(&self, authorization_url: String, email: String) -> Result<String> {
        oauth::decide(&self.server.world, &authorization_url, Some(&email))
    }

    /// The same, but the user declines.
    pub async fn decline(&self, authorization_url: String) -> Result<String> {
        oauth::decide(&self.server.world, &authorization_url, None)
    }

    /// What the user does who was shown a code: types it, signs in with an e-mail address and agrees.
    ///
    /// Fails with `provider` if there is no such code.
    pub async fn approve_device(&self, user_code: String, email: String) -> Result<()> {
        credentials::decide(&self.server.world, &user_code, Some(email))
    }

    /// The same, but the user declines.
    pub async fn decline_device(&self, user_code: String) -> Result<()> {
        credentials::decide(&self.server.world, &user_code, None)
    }

    /// The key file of a service account of this Google, as its console gives it.
    pub fn service_account(&self) -> Secret {
        credentials::key_file()
    }

    /// Makes every access token expire now.
    pub async fn expire_access_tokens(&self) -> Result<()> {
        for (_, expires_at) in lock(&self.server.world).access.values_mut() {
            *expires_at = DateTime::UNIX_EPOCH;
        }
        Ok(())
    }

    /// Ends every grant, as when a user removes the app from their account.
    pub async fn revoke_grants(&self) -> Result<()> {
        let mut world = lock(&self.server.world);
        world.refresh.clear();
        world.access.clear();
        Ok(())
    }

    /// How long new access tokens live, in seconds. Google's own is 3600.
    pub async fn set_token_lifetime(&self, seconds: i64) -> Result<()> {
        lock(&self.server.world).settings.lifetime = TimeDelta::seconds(seconds.clamp(0, 1_000_000));
        Ok(())
    }

    /// Whether a refresh gives a new refresh token and spends the old one, as many other providers do. Default: no, like Google.
    pub async fn set_rotation(&self, rotate: bool) -> Result<()> {
        lock(&self.server.world).settings.rotate = rotate;
        Ok(())
    }

    /// Answers every request this much later.
    pub async fn set_delay(&self, millis: i64) -> Result<()> {
        lock(&self.server.world).settings.delay = Duration::from_millis(millis.clamp(0, 60_000).unsigned_abs());
        Ok(())
    }

    /// Answers the next `count` requests whose path starts with `path` with an error status.
    pub async fn fail_next(&self, path: String, status: i64, count: i64) -> Result<()> {
        let status = u16::try_from(status).map_err(|_| Error::invalid("malformed_status", "a status is between 100 and 599"))?;
        lock(&self.server.world).settings.faults.push((path, Fault::Status(status), count));
        Ok(())
    }

    /// Carries out the next `count` requests whose path starts with `path`, and loses the answers on the way.
    pub async fn lose_next(&self, path: String, count: i64) -> Result<()> {
        lock(&self.server.world).settings.faults.push((path, Fault::Lost, count));
        Ok(())
    }

    /// How many requests have come to a path such as `/token`, failed ones included.
    pub async fn hits(&self, path: String) -> Result<i64> {
        Ok(lock(&self.server.world).hits.get(&path).copied().unwrap_or_default())
    }
}

impl GoogleStandIn {
    /// The client secret, for tests that look for it where it must not be.
    pub fn client_secret(&self) -> Secret {
        CLIENT_SECRET.into()
    }

    /// Every code and token that was ever handed out, likewise.
    pub fn secrets(&self) -> Vec<Secret> {
        lock(&self.server.world).secrets.iter().map(|secret| secret.as_str().into()).collect()
    }
}

fn router(world: &Shared) -> Router {
    Router::new()
        .merge(oauth::routes())
        .merge(drive::routes())
        .merge(gmail::routes())
        .merge(calendar::routes())
        .layer(middleware::from_fn_with_state(Arc::clone(world), observe))
        .with_state(Arc::clone(world))
}

/// Counts the request, waits, and fails it if it was asked to.
async fn observe(State(world): State<Shared>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let (delay, fault) = {
        let mut world = lock(&world);
        *world.hits.entry(path.clone()).or_default() += 1;
        let fault = world.settings.faults.iter_mut().find(|(prefix, _, left)| *left > 0 && path.starts_with(prefix.as_str()));
        let fault = fault.map(|(_, fault, left)| {
            *left -= 1;
            *fault
        });
        (world.settings.delay, fault)
    };
    // On a task of its own: what has arrived is carried out, even if who asked is gone.
    let answer = tokio::spawn(async move {
        tokio::time::sleep(delay).await;
        match fault {
            Some(Fault::Status(status)) => refuse(status, "backendError"),
            _ => next.run(request).await,
        }
    });
    let answer = answer.await.unwrap_or_else(|_| refuse(500, "internalError"));
    match fault {
        Some(Fault::Lost) => {
            let broken = futures_util::stream::once(async { Err::<Vec<u8>, _>(std::io::Error::other("lost on the way")) });
            Response::new(Body::from_stream(broken))
        }
        _ => answer,
    }
}

/// Google's error body: <https://developers.google.com/workspace/drive/api/guides/handle-errors>.
fn refuse(status: u16, reason: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = json!({"error": {
        "code": status.as_u16(),
        "message": "refused by the stand-in",
        "errors": [{"domain": "global", "reason": reason, "message": "refused by the stand-in"}]
    }});
    (status, Json(body)).into_response()
}

/// The account behind a bearer token, or the 401 that Google answers.
fn with_account<T>(
    world: &Shared,
    headers: &axum::http::HeaderMap,
    work: impl FnOnce(&str, &mut Account) -> T,
) -> Result<T, Box<Response>> {
    let bearer = headers.get("authorization").and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("Bearer "));
    let mut world = lock(world);
    let known = bearer.and_then(|token| world.access.get(token)).filter(|(_, until)| *until > Utc::now());
    let email = known.map(|(email, _)| email.clone()).ok_or_else(|| Box::new(refuse(401, "authError")))?;
    let account = world.accounts.entry(email.clone()).or_default();
    Ok(work(&email, account))
}

/// A slice of a list and the token of the next one.
fn page<'a, T>(items: &'a [T], token: Option<&String>, size: Option<&String>, default: usize) -> (&'a [T], Option<String>) {
    let from = token.and_then(|t| t.strip_prefix("page-")).and_then(|t| t.parse().ok()).unwrap_or(0).min(items.len());
    let size = size.and_then(|s| s.parse().ok()).unwrap_or(default).clamp(1, 1000);
    let to = (from + size).min(items.len());
    (&items[from..to], (to < items.len()).then(|| format!("page-{to}")))
}
