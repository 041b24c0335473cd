//! Asking a provider about a token (RFC 7662), where its manifest names an endpoint for that: how long it lives, if the answer that it came in
//! did not say; and whether it still does, if a request was refused that should not have been.
//!
//! It is never needed: a provider that cannot be asked leaves everything as it is.

use super::Connection;
use super::methods::Way;
use super::token_endpoint::{Answer, Style, TokenEndpoint};
use crate::providers::{OAuth2, UrlTemplate};
use crate::vault::{self, Stored, TokenSet};
use crate::{Error, ErrorKind, Result, Secret};
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::time::Duration;

/// How long the answer is waited for. A lease is held meanwhile, and the exchange is still to come.
const PATIENCE: Duration = Duration::from_secs(4);

/// What a provider says of a token.
struct Said {
    is_active: bool,
    expires_at: Option<DateTime<Utc>>,
    scopes: Vec<String>,
}

/// Whether the provider says that a token is good which should be. What has expired is not asked about.
pub(super) async fn is_active(connection: &Connection, tokens: &TokenSet) -> bool {
    let should_live = tokens.expires_at.is_none_or(|at| at > connection.inner.now());
    should_live && ask(connection, tokens).await.is_some_and(|said| said.is_active)
}

/// A token set that was just stored, with its lifetime and its scopes, if the answer that it came in said nothing of them.
pub(super) async fn learn(connection: &Connection, name: &str, mut stored: Stored) -> Stored {
    if stored.tokens.expires_at.is_some() {
        return stored;
    }
    let Some(said) = ask(connection, &stored.tokens).await.filter(|said| said.is_active) else { return stored };
    stored.tokens.expires_at = said.expires_at;
    if !said.scopes.is_empty() {
        stored.tokens.scopes = said.scopes;
    }
    let (inner, workspace) = (&connection.inner, connection.principal.workspace_id);
    if let Err(error) = vault::set_lifetime(inner, workspace, connection.id, name, &stored).await {
        tracing::debug!(connection.id = %connection.id, reason = error.reason(), "the lifetime of a token could not be stored");
    }
    stored
}

/// The same for a set by its name.
pub(super) async fn learn_of(connection: &Connection, name: &str) {
    if endpoint(connection).is_some()
        && let Ok(Some(stored)) = connection.stored(name).await
    {
        learn(connection, name, stored).await;
    }
}

fn endpoint(connection: &Connection) -> Option<(&OAuth2, &UrlTemplate)> {
    let auth = connection.app.manifest.auth.as_ref()?;
    Some((auth, auth.introspection_url.as_ref()?))
}

async fn ask(connection: &Connection, tokens: &TokenSet) -> Option<Said> {
    let (auth, url) = endpoint(connection)?;
    // The endpoint knows the tokens of `[auth]`.
    let is_its_own = Way::find(&connection.app, &tokens.method).is_ok_and(|way| way.how.is_consent());
    let token = tokens.access_token.as_ref().filter(|_| is_its_own)?;
    let provider = &connection.app.manifest.name;
    match tokio::time::timeout(PATIENCE, introspect(connection, auth, url, token)).await {
        Ok(Ok(said)) => Some(said),
        Ok(Err(error)) => {
            tracing::debug!(connection.id = %connection.id, provider, reason = error.reason(), "a token could not be asked about");
            None
        }
        Err(_) => {
            tracing::debug!(connection.id = %connection.id, provider, "no answer about a token in time");
            None
        }
    }
}

async fn introspect(connection: &Connection, auth: &OAuth2, url: &UrlTemplate, token: &Secret) -> Result<Said> {
    let (app, facts) = (&connection.app, connection.facts().await?);
    let mut endpoint = TokenEndpoint::of(app, &connection.inner, auth, &facts)?;
    // RFC 7662 §2.1 knows a form only, whatever the token endpoint takes.
    endpoint.style = Style::default();
    match endpoint.post(&app.place(url, &facts)?, vec![("token", token.expose()), ("token_type_hint", "access_token")]).await? {
        Answer::Granted(document) => read(&document, &endpoint),
        Answer::Refused(code) => Err(endpoint.refusal(&code)),
    }
}

/// §2.2.
fn read(document: &Value, endpoint: &TokenEndpoint<'_>) -> Result<Said> {
    let is_active = document["active"].as_bool().ok_or_else(|| malformed(endpoint))?;
    let expires_at = document["exp"].as_i64().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    Ok(Said { is_active, expires_at, scopes: endpoint.scopes(document) })
}

fn malformed(endpoint: &TokenEndpoint<'_>) -> Error {
    let text = "the provider's introspection endpoint does not say whether the token is active";
    Error::new(ErrorKind::Provider, "introspection_malformed", text).with_provider(&endpoint.app.manifest.name)
}
