//! An OpenID provider on loopback that signs whatever a test has it say: for Atom's own tests. It plays the known providers, too.

use crate::accounts::SignInProvider;
use crate::crypto::{base64url, random};
use crate::{Error, ErrorKind, Result};
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::{Url, form_urlencoded};

const CLIENT_ID: &str = "atom at the house";
const CLIENT_SECRET: &str = "house secret: 50% & more";

/// An issuer with any number of people. It ends when it is dropped.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use atom_core::testing::IssuerStandIn;
/// use atom_core::{Atom, SocialStart};
/// use serde_json::json;
///
/// let issuer = IssuerStandIn::start().await?;
/// let atom = Atom::builder("memory:").sign_in_provider(issuer.provider()).open().await?;
/// let start = SocialStart { provider: "house".into(), ..Default::default() };
/// let flow = atom.accounts().begin_social(start).await?;
/// let callback = issuer.decide(&flow.url, Some(json!({"sub": "ada", "email": "ada@example.com"})))?; // the user, in a browser
/// let session = atom.accounts().complete_social(flow.flow_token, callback, None).await?.signed_in()?;
/// assert_eq!(session.user.email, "ada@example.com");
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
pub struct IssuerStandIn {
    url: String,
    world: Shared,
    task: JoinHandle<()>,
}

type Shared = Arc<Mutex<World>>;

/// What it does, for a test to change.
#[derive(Default)]
pub struct IssuerManners {
    /// Laid over the header of ID tokens. Null takes a member away, here and below.
    pub header: Value,
    /// Laid over what the token endpoint answers.
    pub answer: Value,
    /// Laid over its discovery document.
    pub discovery: Value,
    /// What its UserInfo endpoint says, instead of what the person is.
    pub userinfo: Option<Value>,
    /// What is published beside its own keys.
    pub more_keys: Vec<Value>,
    /// Whether its own key is left out of what it publishes.
    pub hides_key: bool,
}

#[derive(Default)]
struct World {
    url: String,
    key: Vec<u8>,
    key_id: i64,
    codes: HashMap<String, Code>,
    /// Who an access token is of.
    people: HashMap<String, Value>,
    hits: HashMap<String, i64>,
    secrets: Vec<String>,
    manners: IssuerManners,
}

struct Code {
    params: HashMap<String, String>,
    claims: Value,
}

fn lock(world: &Shared) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

fn new_key() -> Vec<u8> {
    let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
    made.expect("the operating system gives random bytes").as_ref().to_vec()
}

fn token() -> String {
    base64url(random::<24>().expect("the operating system gives random bytes"))
}

/// Lays members over an object's.
fn lay_over(under: &mut Value, over: &Value) {
    let (Some(under), Some(over)) = (under.as_object_mut(), over.as_object()) else { return };
    for (name, value) in over {
        if value.is_null() {
            under.remove(name);
        } else {
            under.insert(name.clone(), value.clone());
        }
    }
}

impl Drop for IssuerStandIn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl IssuerStandIn {
    /// Starts it on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// `unavailable` / `no_port`.
    pub async fn start() -> Result<Self> {
        let unavailable = |e: std::io::Error| Error::unavailable("no_port", "no port of 127.0.0.1 can be opened").with_source(e);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(unavailable)?;
        let url = format!("http://{}", listener.local_addr().map_err(unavailable)?);
        let world = Arc::new(Mutex::new(World { url: url.clone(), key: new_key(), key_id: 1, ..Default::default() }));
        let router = Router::new().fallback(serve).with_state(Arc::clone(&world));
        let task = tokio::spawn(async move {
            // It serves until it is dropped.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, world, task })
    }

    /// Where it listens, and how it names itself.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The provider to open an installation with: `house`, found by discovery.
    pub fn provider(&self) -> SignInProvider {
        SignInProvider {
            name: "house".into(),
            issuer: Some(self.url.clone()),
            client_id: CLIENT_ID.into(),
            client_secret: Some(CLIENT_SECRET.into()),
            redirect_uri: "http://127.0.0.1/sign-in/house".into(),
            private_network: Some(true),
            ..Default::default()
        }
    }

    /// One of the known providers, played here.
    pub fn playing(&self, preset: &str) -> SignInProvider {
        SignInProvider {
            name: preset.into(),
            issuer: None,
            redirect_uri: format!("http://127.0.0.1/sign-in/{preset}"),
            private_network: None,
            development_endpoint: Some(self.url.clone()),
            ..self.provider()
        }
    }

    /// What the user does in the browser: signs in as somebody, or does not. Returns where the browser is sent, or what it posts there as a query. The claims are those of
    /// the ID token, laid over what is right.
    ///
    /// # Errors
    /// `provider` if the request is not one that it accepts.
    pub fn decide(&self, url: &str, claims: Option<Value>) -> Result<String> {
        let refused = |why: &str| Error::new(ErrorKind::Provider, "authorization_refused", why);
        let url = Url::parse(url).map_err(|_| refused("not a URL"))?;
        let params: HashMap<String, String> = url.query_pairs().into_owned().collect();
        let param = |name: &str| params.get(name).map(String::as_str).unwrap_or_default();
        let is_fine = param("response_type") == "code" && param("code_challenge_method") == "S256" && param("nonce").len() == 43;
        if !is_fine || param("client_id") != CLIENT_ID || param("state").len() != 43 {
            return Err(refused("not a request that is safe"));
        }
        let mut callback = Url::parse(param("redirect_uri")).map_err(|_| refused("redirect_uri"))?;
        {
            let mut query = callback.query_pairs_mut();
            query.append_pair("state", param("state"));
            let Some(claims) = claims else {
                query.append_pair("error", "access_denied");
                drop(query);
                return Ok(callback.into());
            };
            let code = token();
            query.append_pair("code", &code);
            lock(&self.world).codes.insert(code, Code { params: params.clone(), claims });
        }
        Ok(callback.into())
    }

    /// Changes what it does.
    pub fn behave(&self, change: impl FnOnce(&mut IssuerManners)) {
        change(&mut lock(&self.world).manners);
    }

    /// Signs with a new key from now on, under a new name.
    pub fn rotate_key(&self) {
        let mut world = lock(&self.world);
        world.key = new_key();
        world.key_id += 1;
    }

    /// How many requests have come to a path.
    pub fn hits(&self, path: &str) -> i64 {
        lock(&self.world).hits.get(path).copied().unwrap_or_default()
    }

    /// The client secrets that it was shown.
    pub fn secrets(&self) -> Vec<String> {
        lock(&self.world).secrets.clone()
    }
}

impl World {
    fn pair(&self) -> EcdsaKeyPair {
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &self.key, &SystemRandom::new()).expect("a key of its own")
    }

    fn keys(&self) -> Value {
        let pair = self.pair();
        let (point, kid) = (pair.public_key().as_ref(), format!("key-{}", self.key_id));
        let (x, y) = (base64url(&point[1..33]), base64url(&point[33..]));
        let own = json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid, "x": x, "y": y});
        let keys = Some(own).filter(|_| !self.manners.hides_key).into_iter().chain(self.manners.more_keys.clone());
        json!({ "keys": keys.collect::<Vec<_>>() })
    }

    fn discovery(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.url);
        let mut document = json!({
            "issuer": self.url,
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "jwks_uri": at("/keys"),
            "userinfo_endpoint": at("/userinfo"),
        });
        lay_over(&mut document, &self.manners.discovery);
        document
    }

    fn id_token(&self, code: &Code) -> String {
        let now = Utc::now().timestamp();
        let mut claims = json!({
            "iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": code.params.get("nonce"),
        });
        lay_over(&mut claims, &code.claims);
        let mut header = json!({"alg": "ES256", "kid": format!("key-{}", self.key_id)});
        lay_over(&mut header, &self.manners.header);
        let signed = format!("{}.{}", base64url(header.to_string()), base64url(claims.to_string()));
        let signature = self.pair().sign(&SystemRandom::new(), signed.as_bytes()).expect("signed");
        format!("{signed}.{}", base64url(signature))
    }

    fn exchange(&mut self, headers: &HeaderMap, body: &[u8]) -> Response {
        let form: Map<String, Value> =
            form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect();
        let param = |name: &str| form.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (id, secret) = basic(headers).unwrap_or_else(|| (param("client_id"), param("client_secret")));
        self.secrets.push(secret.clone());
        // Apple's is signed, which the test looks at.
        if id != CLIENT_ID || (secret != CLIENT_SECRET && secret.split('.').count() != 3) {
            return refuse("invalid_client");
        }
        let Some(code) = self.codes.remove(&param("code")) else { return refuse("invalid_grant") };
        let challenge = base64url(Sha256::digest(param("code_verifier")));
        let begun = |name: &str| code.params.get(name).map(String::as_str).unwrap_or_default();
        if challenge != begun("code_challenge") || param("redirect_uri") != begun("redirect_uri") {
            return refuse("invalid_grant");
        }
        let access_token = token();
        let mut answer = json!({"access_token": access_token, "token_type": "Bearer", "id_token": self.id_token(&code)});
        lay_over(&mut answer, &self.manners.answer);
        self.people.insert(access_token, code.claims);
        Json(answer).into_response()
    }

    /// Who an access token is of.
    fn person(&self, headers: &HeaderMap) -> Option<&Value> {
        let authorization = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        self.people.get(authorization.strip_prefix("Bearer ")?)
    }
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let pair = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let pair = String::from_utf8(STANDARD.decode(pair).ok()?).ok()?;
    let decode = |text: &str| form_urlencoded::parse(format!("x={text}").as_bytes()).next().map(|(_, value)| value.into_owned());
    let (id, secret) = pair.split_once(':')?;
    Some((decode(id)?, decode(secret)?))
}

fn refuse(error: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response()
}

/// By the end of the path, because each provider has paths of its own.
async fn serve(State(world): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1024 * 1024).await.unwrap_or_default();
    let (path, mut world) = (parts.uri.path().to_owned(), lock(&world));
    *world.hits.entry(path.clone()).or_default() += 1;
    let last = path.rsplit('/').next().unwrap_or_default();
    match last {
        "openid-configuration" => Json(world.discovery()).into_response(),
        "keys" | "certs" => Json(world.keys()).into_response(),
        "token" | "access_token" => world.exchange(&parts.headers, &body),
        "userinfo" | "user" | "emails" => {
            let Some(person) = world.person(&parts.headers) else { return StatusCode::UNAUTHORIZED.into_response() };
            let whole = world.manners.userinfo.as_ref().unwrap_or(person);
            // GitHub's addresses are a list of their own.
            Json(if last == "emails" { person["emails"].clone() } else { whole.clone() }).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
