//! Requests with the connection's credential.

use super::authenticate::authenticate;
use super::methods::Way;
use super::{Connection, refresh};
use crate::http_client::{Request, Response};
use crate::providers::Facts;
use crate::raw::{RawRequest, RawResponse};
use crate::vault::DEFAULT;
use crate::{Error, Result};
use reqwest::header::AUTHORIZATION;

/// Sends a request with a valid token set. A 401 means that the token died early: it is refreshed and the request sent once more.
pub(super) async fn authorized(connection: &Connection, set: &str, facts: &Facts, request: Request) -> Result<Response> {
    let http = &connection.inner.http;
    with_credential(connection, set, facts, request, |request| http.send(request), |answer| answer.status).await
}

/// The same for an answer that is read piece by piece.
pub(super) async fn opened(connection: &Connection, set: &str, facts: &Facts, request: Request) -> Result<reqwest::Response> {
    let http = &connection.inner.http;
    with_credential(connection, set, facts, request, |request| http.open(request), |answer| answer.status().as_u16()).await
}

async fn with_credential<A, F: Future<Output = Result<A>>>(
    connection: &Connection,
    set: &str,
    facts: &Facts,
    mut request: Request,
    send: impl Fn(Request) -> F,
    status: impl Fn(&A) -> u16,
) -> Result<A> {
    let app = &connection.app;
    request.url = app.resolve(&request.url, facts)?;
    let named = |e: Error| e.with_provider(&app.manifest.name);
    let stored = refresh::valid_tokens(connection, set).await?;
    let mut first = request.clone();
    authenticate(app, &stored.tokens, &mut first)?;
    let answer = send(first).await.map_err(named)?;
    if status(&answer) != 401 || Way::find(app, &stored.tokens.method)?.how.is_fixed() {
        return Ok(answer);
    }
    let stored = refresh::refresh(connection, set, Some(&stored)).await?;
    authenticate(app, &stored.tokens, &mut request)?;
    send(request).await.map_err(named)
}

pub(super) async fn raw(connection: &Connection, request: RawRequest) -> Result<RawResponse> {
    let set = request.token_set.clone();
    let request = request.into_request(Some(&AUTHORIZATION))?;
    let facts = connection.facts().await?;
    Ok(authorized(connection, set.as_deref().unwrap_or(DEFAULT), &facts, request).await?.into())
}
