//! Whose account was connected.

use super::App;
use super::authenticate::authenticate;
use super::methods::{Ask, Granted, Way};
use super::token_endpoint;
use crate::crypto::{KeyRing, hex};
use crate::http_client::Request;
use crate::integrations::failure;
use crate::providers::{Identity as Rules, Path, UrlTemplate};
use crate::vault::{DEFAULT, TokenSet};
use crate::{Error, ErrorKind, Result, WorkspaceId};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// The account behind a credential.
#[derive(Default)]
pub(super) struct Identity {
    pub(super) account_id: String,
    pub(super) email: Option<String>,
    pub(super) label: Option<String>,
    pub(super) facts: HashMap<String, String>,
}

/// Asks the provider with what was just granted or, where it cannot be asked, takes what is known otherwise.
pub(super) async fn of(ask: Ask<'_>, way: &Way<'_>, granted: &mut Granted, workspace: WorkspaceId) -> Result<Identity> {
    let lost = || Error::internal("token_set", "what is granted has a first token set");
    let tokens = granted.sets.get(DEFAULT).ok_or_else(lost)?;
    if let Some(rules) = way.entry.and_then(|entry| entry.identity.as_ref()) {
        return probe(ask, rules, tokens).await;
    }
    let field = way.entry.and_then(|entry| entry.account_field.as_ref()).and_then(|name| tokens.fields.get(name));
    if let Some(value) = field {
        return Ok(named(value.expose().to_owned()));
    }
    if let Some(account) = granted.account.take() {
        return Ok(account);
    }
    if let Some(rules) = &ask.app.manifest.identity {
        return probe(ask, rules, tokens).await;
    }
    Ok(named(way.how.account_id(tokens).unwrap_or_else(|| fingerprint(&ask.inner.keys, tokens, workspace))))
}

fn named(account_id: String) -> Identity {
    Identity { label: Some(account_id.clone()), account_id, ..Default::default() }
}

/// Names a credential by a keyed hash: the same one again is the same account, and nobody else can try out passwords on it.
fn fingerprint(keys: &KeyRing, tokens: &TokenSet, workspace: WorkspaceId) -> String {
    let fields = tokens.fields.iter().flat_map(|(name, value)| [name.as_bytes(), value.expose().as_bytes()]);
    let parts = [&b"atom account"[..], workspace.0.as_bytes()].into_iter().chain(fields);
    hex(&keys.keyed_hash(parts)[..16])
}

async fn probe(ask: Ask<'_>, rules: &Rules, tokens: &TokenSet) -> Result<Identity> {
    let document = match (&rules.graphql, &rules.body) {
        (Some(query), _) => Some(json!({ "query": query })),
        (None, Some(body)) => Some(body.render(&Map::new()).unwrap_or_default()),
        (None, None) => None,
    };
    let method = match (rules.method, &document) {
        (Some(method), _) => method.into(),
        (None, Some(_)) => reqwest::Method::POST,
        (None, None) => reqwest::Method::GET,
    };
    let document = question(ask, &rules.url, method, document, tokens).await?;
    let mut identity = Identity {
        account_id: rules.account_id.text(&document).ok_or_else(|| unknown(ask.app))?,
        email: rules.email.as_ref().and_then(|path| path.text(&document)),
        label: rules.label.as_ref().and_then(|path| path.text(&document)),
        facts: facts(&rules.facts, &document).collect(),
    };
    for more in &rules.more {
        let mut known = ask.facts.clone();
        known.extend(identity.facts.clone());
        let document = question(Ask { facts: &known, ..ask }, &more.url, reqwest::Method::GET, None, tokens).await?;
        identity.facts.extend(facts(&more.facts, &document));
    }
    Ok(identity)
}

fn facts<'d>(wanted: &'d BTreeMap<String, Path>, document: &'d Value) -> impl Iterator<Item = (String, String)> + 'd {
    wanted.iter().filter_map(|(name, path)| Some((name.clone(), path.text(document)?)))
}

fn unknown(app: &App) -> Error {
    let text = "the provider did not say whose account this is: check the `identity` section of its manifest";
    Error::new(ErrorKind::Provider, "identity_unknown", text).with_provider(&app.manifest.name)
}

/// What the provider answers about an account.
async fn question(
    ask: Ask<'_>,
    url: &UrlTemplate,
    method: reqwest::Method,
    document: Option<Value>,
    tokens: &TokenSet,
) -> Result<Value> {
    let app = ask.app;
    let mut headers = HeaderMap::new();
    token_endpoint::fixed(app.manifest.headers.iter(), &mut headers)?;
    if document.is_some() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    let body = document.map(|document| document.to_string().into_bytes()).unwrap_or_default();
    let url = app.place(url, ask.facts)?;
    let mut request = Request { method, url, headers, body, timeout: Duration::from_secs(20) };
    authenticate(app, tokens, &mut request)?;
    let answer = app.outlet(ask.inner).send(request).await.map_err(|e| e.with_provider(&app.manifest.name))?;
    if !(200..300).contains(&answer.status) {
        return Err(failure::classify(&app.manifest, "identity", &answer));
    }
    let document: Value = serde_json::from_slice(&answer.body).map_err(|_| unknown(app))?;
    if failure::is_refusal(&app.manifest, None, &document) {
        return Err(failure::classify(&app.manifest, "identity", &answer));
    }
    Ok(document)
}
