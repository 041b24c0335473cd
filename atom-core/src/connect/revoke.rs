//! End a connection.

use super::{Connection, ConnectionState, store};
use crate::audit::{self, AuditAction};
use crate::events::{self, ConnectionRevoked};
use crate::http_client::Request;
use crate::integrations::failure;
use crate::providers::ClientAuth;
use crate::vault;
use crate::{Result, Secret};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use std::time::Duration;
use url::form_urlencoded;

pub(super) async fn run(connection: &Connection) -> Result<()> {
    let (inner, workspace) = (&connection.inner, connection.principal.workspace_id);
    if let Some(stored) = vault::load(inner, workspace, connection.id).await? {
        let tokens = stored.tokens;
        let (token, hint) = match &tokens.refresh_token {
            Some(token) => (token, "refresh_token"),
            None => (&tokens.access_token, "access_token"),
        };
        revoke_at_provider(connection, token, hint).await?;
    }
    let now = inner.now();
    let mut tx = inner.db()?.begin_durable().await?;
    vault::delete_all(&mut tx, workspace, connection.id).await?;
    if store::set_state(&mut tx, &connection.principal, connection.id, ConnectionState::Revoked, None, now).await? {
        let details = [("provider", connection.app.manifest.name.as_str())];
        audit::append(&mut tx, connection.entry(AuditAction::Disconnected, &details), now).await?;
        let (user_id, provider) = (connection.principal.user_id, connection.app.manifest.name.clone());
        let revoked = ConnectionRevoked { connection_id: connection.id, user_id, provider };
        events::append(&mut tx, workspace, revoked, now).await?;
    }
    tx.commit().await
}

/// RFC 7009. A token that the provider does not know is as good as revoked.
async fn revoke_at_provider(connection: &Connection, token: &Secret, hint: &str) -> Result<()> {
    let app = &connection.app;
    let Some(url) = &app.manifest.auth.revoke_url else { return Ok(()) };
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))]);
    let mut form = vec![("token", token.expose()), ("token_type_hint", hint)];
    match (app.manifest.auth.client_auth, &app.client_secret) {
        (ClientAuth::Basic, Some(secret)) => {
            headers.insert(AUTHORIZATION, basic(&app.client_id, secret)?);
        }
        (_, secret) => {
            form.push(("client_id", &app.client_id));
            form.extend(secret.as_ref().map(|secret| ("client_secret", secret.expose())));
        }
    }
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish().into_bytes();
    let request = Request { method: Method::POST, url: app.resolve(url)?, headers, body, timeout: Duration::from_secs(20) };
    let answer = connection.inner.http.send(request).await.map_err(|e| e.with_provider(&app.manifest.name))?;
    match answer.status {
        200..=299 => Ok(()),
        400 if is_unknown_token(&answer.body) => Ok(()),
        _ => Err(failure::classify(&app.manifest, "revoke", &answer)),
    }
}

/// What Google and others answer where RFC 7009 §2.2 wants a 200.
fn is_unknown_token(body: &[u8]) -> bool {
    let error = serde_json::from_slice::<serde_json::Value>(body).unwrap_or_default();
    matches!(error["error"].as_str(), Some("invalid_token" | "invalid_grant"))
}

/// RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
fn basic(id: &str, secret: &Secret) -> Result<HeaderValue> {
    use base64::Engine;
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encode(id), encode(secret.expose()));
    let value = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
    let mut value = HeaderValue::from_str(&value)
        .map_err(|e| crate::Error::internal("basic_auth", "the client credentials cannot be put into a header").with_source(e))?;
    value.set_sensitive(true);
    Ok(value)
}
