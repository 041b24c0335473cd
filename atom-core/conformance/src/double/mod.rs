//! The vendor on loopback: it refuses what the description does not allow, and answers as the description says.

mod answer;
mod body;
mod judge;
mod oauth;
mod sign_in;

pub(crate) use answer::{CURSOR, NEXT, sample};
pub(crate) use judge::judge;
pub(crate) use oauth::{encoding, faults as sign_in_faults, pairs};

use crate::description;
use crate::graphql::GraphQl;
use crate::inputs::Inputs;
use crate::manifest::{Manifest, Operation};
use crate::sign_in::{SignIn, Step};
use crate::sources::Descriptions;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use regex_lite::Regex;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::form_urlencoded;

/// The answer to a request that the vendor would refuse: a status that no vendor uses.
const REFUSED: u16 = 599;

/// The host's client at every vendor. Its name is not its secret, so that the one in the place of the other is seen.
pub(crate) const CLIENT_ID: &str = "conformance-client";
pub(crate) const CLIENT_SECRET: &str = "conformance-secret";
pub(crate) const REDIRECT_URI: &str = "http://127.0.0.1/conformance";

/// The number of no account: for what was sent in nobody's name.
pub(crate) const NOBODY: usize = 0;

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorded {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
}

/// How the vendor answers one request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// As it should; `more` says that another page follows.
    Answer { more: bool },
    /// With half of the answer.
    Truncated,
    /// With an error.
    Error { status: u16, headers: Vec<(String, String)>, body: Value },
    /// With status 200, and a refusal inside.
    Refusal,
}

/// One of a manifest's operations, with what the description has of it.
#[derive(Clone)]
pub(crate) struct Expected {
    pub(crate) operation: Operation,
    pub(crate) described: Vec<description::Operation>,
}

/// Everything that is known of one account. Accounts are independent of each other, so that checks can run side by side.
#[derive(Default)]
pub(crate) struct Account {
    /// What may be called; the first is what is being checked.
    pub(crate) expected: Vec<Expected>,
    /// For the next requests; after them, right answers.
    pub(crate) replies: VecDeque<Reply>,
    pub(crate) requests: Vec<Recorded>,
    /// What was wrong with them.
    pub(crate) faults: Vec<String>,
    pub(crate) refreshes: usize,
    /// The parameters with which its consent was begun.
    pub(crate) begun: BTreeMap<String, String>,
    /// The requests of its sign-in.
    pub(crate) sign_in: Vec<(Step, Recorded)>,
    /// Nothing is judged: requests are only kept.
    pub(crate) is_recorder: bool,
    /// Which of the access tokens is the current one. A larger one makes it die early.
    pub(crate) generation: usize,
}

/// What the handlers share.
pub(crate) struct World {
    pub(crate) manifest: Manifest,
    pub(crate) descriptions: Descriptions,
    pub(crate) inputs: Inputs,
    /// What the vendor says about signing in; nothing where nobody has looked yet.
    pub(crate) sign_in: Option<SignIn>,
    accounts: Mutex<HashMap<usize, Account>>,
}

/// The server. It ends when it is dropped.
pub(crate) struct Double {
    pub(crate) url: String,
    pub(crate) world: Arc<World>,
    task: JoinHandle<()>,
}

impl Drop for Double {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Double {
    pub(crate) async fn start(manifest: Manifest, descriptions: Descriptions, inputs: Inputs) -> Result<Self, String> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|e| format!("no port: {e}"))?;
        let url = format!("http://{}", listener.local_addr().map_err(|e| e.to_string())?);
        let sign_in = SignIn::read(&manifest.name)?;
        let world = Arc::new(World { manifest, descriptions, inputs, sign_in, accounts: Mutex::default() });
        let router = Router::new().fallback(serve).with_state(Arc::clone(&world));
        let task = tokio::spawn(async move {
            // It serves until it is dropped.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, world, task })
    }
}

impl World {
    /// The account of a number, made when it is first asked for.
    pub(crate) fn account<T>(&self, number: usize, act: impl FnOnce(&mut Account) -> T) -> T {
        let mut accounts: MutexGuard<'_, _> = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        act(accounts.entry(number).or_default())
    }

    /// What the description has of an operation of the manifest.
    pub(crate) fn expected(&self, operation: &Operation) -> Expected {
        let described = self.descriptions.rest.iter().flat_map(|description| description.find(operation.vendor_op()));
        Expected { operation: operation.clone(), described: described.collect() }
    }
}

/// Every credential of an account holds its number: `acct7x-access-1`.
static CREDENTIAL: LazyLock<Regex> = LazyLock::new(|| Regex::new("acct([0-9]+)x(?:-access-([0-9]+))?").expect("a pattern"));

/// The account that a text speaks of, and the generation of the access token in it.
fn credential(text: &str) -> Option<(usize, Option<usize>)> {
    let found = CREDENTIAL.captures(text)?;
    Some((found[1].parse().ok()?, found.get(2).and_then(|generation| generation.as_str().parse().ok())))
}

async fn serve(State(world): State<Arc<World>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 64 * 1024 * 1024).await.unwrap_or_default();
    let text = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: BTreeMap<String, String> =
        parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let recorded = Recorded {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect(),
        content_type: headers.get(header::CONTENT_TYPE.as_str()).cloned().unwrap_or_default(),
        headers,
        body: body.to_vec(),
    };
    match sign_in::answer(&world, &recorded) {
        Some(answer) => answer,
        None => operate(&world, recorded),
    }
}

/// Where a request says whose it is: in a header, in the query, or in the body.
fn whose(request: &Recorded) -> Option<(usize, Option<usize>)> {
    let basic = request.headers.get("authorization").and_then(|value| value.strip_prefix("Basic "));
    let basic = basic.and_then(|pair| String::from_utf8(STANDARD.decode(pair).ok()?).ok());
    let in_headers = basic.as_deref().into_iter().chain(request.headers.values().map(String::as_str)).find_map(credential);
    let in_query = || request.query.iter().find_map(|(_, value)| credential(value));
    in_headers.or_else(in_query).or_else(|| credential(&String::from_utf8_lossy(&request.body)))
}

fn operate(world: &World, request: Recorded) -> Response {
    let Some((number, generation)) = whose(&request) else {
        let fault = format!("{} {}: no credential", request.method, request.path);
        world.account(NOBODY, |account| account.faults.push(fault.clone()));
        return json(REFUSED, &[], &serde_json::json!([fault]));
    };
    world.account(number, |account| {
        if generation.is_some_and(|generation| generation != account.generation) {
            account.requests.push(request);
            return json(401, &[], &Value::Object(serde_json::Map::new()));
        }
        // A mark that only the double puts into a next page's URL.
        let mut judged = request.clone();
        judged.query.retain(|(name, _)| name != answer::NEXT);
        account.requests.push(request.clone());
        if account.is_recorder {
            return json(200, &[], &Value::Object(serde_json::Map::new()));
        }
        let found = account.expected.iter().find(|expected| is_meant(world, expected, &judged)).cloned();
        let Some(expected) = found else {
            let fault = format!("{} {}: not the vendor's path of this operation", request.method, request.path);
            account.faults.push(fault.clone());
            return json(REFUSED, &[], &serde_json::json!([fault]));
        };
        let faults = faults(world, &expected, &judged);
        if !faults.is_empty() {
            account.faults.extend(faults.iter().cloned());
            return json(REFUSED, &[], &serde_json::json!(faults));
        }
        let reply = account.replies.pop_front().unwrap_or(Reply::Answer { more: false });
        answer::of(world, &expected, &request, reply)
    })
}

/// Whether a request is one for this operation, be it right or wrong.
fn is_meant(world: &World, expected: &Expected, request: &Recorded) -> bool {
    if expected.operation.is_graphql() {
        let body = serde_json::from_slice(&request.body).unwrap_or_default();
        let roots = world.descriptions.graphql.as_ref().map(|service| service.roots(&body)).unwrap_or_default();
        return roots.iter().any(|root| root == expected.operation.vendor_op());
    }
    expected.described.iter().any(|operation| operation.method == request.method && operation.serves(&request.path))
}

/// What is wrong with a request that is meant for this operation.
pub(crate) fn faults(world: &World, expected: &Expected, request: &Recorded) -> Vec<String> {
    match &world.descriptions.graphql {
        Some(service) if expected.operation.is_graphql() => graphql_faults(service, expected.operation.vendor_op(), request),
        _ => judge(&expected.described, request),
    }
}

/// What is wrong with a request that asks for a field of a GraphQL schema.
fn graphql_faults(service: &GraphQl, field: &str, request: &Recorded) -> Vec<String> {
    if request.method != "POST" || !request.content_type.starts_with("application/json") {
        return vec!["a GraphQL request is a POST of JSON".into()];
    }
    match serde_json::from_slice(&request.body) {
        Ok(body) => {
            let mut faults = service.judge(&body);
            if faults.is_empty() && !service.roots(&body).iter().any(|root| root == field) {
                faults.push(format!("the document does not ask for `{field}`"));
            }
            faults
        }
        Err(e) => vec![format!("the body is no JSON: {e}")],
    }
}

/// The document of a body: of JSON, of a form, of the first part of `multipart/related`.
pub(crate) fn document(request: &Recorded) -> Option<Value> {
    match body::decode(&request.content_type, &request.body).ok()? {
        body::Payload::Json(document) | body::Payload::Form(document) => Some(document),
        _ => None,
    }
}

fn json(status: u16, headers: &[(String, String)], body: &Value) -> Response {
    raw(status, "application/json", headers, body.to_string().into_bytes())
}

fn raw(status: u16, content_type: &str, headers: &[(String, String)], body: Vec<u8>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::builder().status(status).header(header::CONTENT_TYPE, content_type);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(Body::from(body)).unwrap_or_default()
}
