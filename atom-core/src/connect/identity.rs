//! Whose account was connected.

use super::App;
use crate::atom::Inner;
use crate::http_client::Request;
use crate::integrations::failure;
use crate::{Error, ErrorKind, Result, Secret};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde_json::Value;
use std::collections::HashMap;
use std::time::Duration;

/// The account behind a token.
pub(super) struct Identity {
    pub(super) account_id: String,
    pub(super) email: Option<String>,
    pub(super) label: Option<String>,
    pub(super) facts: HashMap<String, String>,
}

/// Asks the provider.
pub(super) async fn probe(inner: &Inner, app: &App, token: &Secret) -> Result<Identity> {
    let rules = &app.manifest.identity;
    let headers = HeaderMap::from_iter([(AUTHORIZATION, bearer(token)?)]);
    let url = app.resolve(&rules.url)?;
    let request = Request { method: reqwest::Method::GET, url, headers, body: Vec::new(), timeout: Duration::from_secs(20) };
    let answer = inner.http.send(request).await.map_err(|e| e.with_provider(&app.manifest.name))?;
    if !(200..300).contains(&answer.status) {
        return Err(failure::classify(&app.manifest, "identity", &answer));
    }
    let unknown = || {
        let text = "the provider did not say whose account this is: check the `identity` section of its manifest";
        Error::new(ErrorKind::Provider, "identity_unknown", text).with_provider(&app.manifest.name)
    };
    let document: Value = serde_json::from_slice(&answer.body).map_err(|_| unknown())?;
    Ok(Identity {
        account_id: rules.account_id.text(&document).ok_or_else(unknown)?,
        email: rules.email.as_ref().and_then(|path| path.text(&document)),
        label: rules.label.as_ref().and_then(|path| path.text(&document)),
        facts: rules.facts.iter().filter_map(|(name, path)| Some((name.clone(), path.text(&document)?))).collect(),
    })
}

/// `Bearer …`, marked so that it is never printed.
pub(super) fn bearer(token: &Secret) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(|_| {
        Error::new(ErrorKind::Provider, "token_answer_malformed", "the provider's token has characters that no header can carry")
    })?;
    value.set_sensitive(true);
    Ok(value)
}
