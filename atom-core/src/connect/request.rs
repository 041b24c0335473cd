//! Requests with the connection's token.

use super::identity::bearer;
use super::{Connection, refresh};
use crate::http_client::{Request, Response};
use crate::raw::{RawRequest, RawResponse};
use crate::{Error, Result};
use reqwest::header::AUTHORIZATION;

/// Sends a request with a valid token. A 401 means that the token died early: it is refreshed and the request sent once more.
pub(super) async fn authorized(connection: &Connection, mut request: Request) -> Result<Response> {
    request.url = connection.app.resolve(&request.url)?;
    let stored = refresh::valid_tokens(connection).await?;
    request.headers.insert(AUTHORIZATION, bearer(&stored.tokens.access_token)?);
    let named = |e: Error| e.with_provider(&connection.app.manifest.name);
    let answer = connection.inner.http.send(request.clone()).await.map_err(named)?;
    if answer.status != 401 {
        return Ok(answer);
    }
    let stored = refresh::refresh(connection, stored.revision).await?;
    request.headers.insert(AUTHORIZATION, bearer(&stored.tokens.access_token)?);
    connection.inner.http.send(request).await.map_err(named)
}

pub(super) async fn raw(connection: &Connection, request: RawRequest) -> Result<RawResponse> {
    let request = request.into_request(Some(&AUTHORIZATION))?;
    Ok(authorized(connection, request).await?.into())
}
