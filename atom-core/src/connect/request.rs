//! Requests with the connection's credential.

use super::authenticate::authenticate;
use super::methods::Way;
use super::usage::RAW;
use super::{Connection, Meter, refresh};
use crate::http_client::{Request, Response};
use crate::raw::{RawRequest, RawResponse};
use crate::vault::policies;
use crate::vault::{DEFAULT, TokenSet};
use crate::{Error, Result};
use reqwest::header::AUTHORIZATION;

/// Sends a request with a valid token set. A 401 means that the token died early: it is refreshed and the request sent once more.
pub(super) async fn authorized(connection: &Connection, set: &str, request: Request, meter: &mut Meter<'_>) -> Result<Response> {
    Ok(send(connection, set, request, meter).await?.0)
}

/// Sends a request, and says with which token set.
async fn send(connection: &Connection, set: &str, mut request: Request, meter: &mut Meter<'_>) -> Result<(Response, TokenSet)> {
    let (app, http) = (&connection.app, &connection.inner.http);
    policies::check_request(&connection.inner, &connection.principal, connection.target(), &request).await?;
    request.url = app.resolve(&request.url)?;
    let named = |e: Error| e.with_provider(&app.manifest.name);
    let stored = refresh::valid_tokens(connection, set).await?;
    let mut first = request.clone();
    authenticate(app, &stored.tokens, &mut first)?;
    meter.sends(&first);
    let answer = http.send(first).await.map_err(named)?;
    if answer.status != 401 || Way::find(app, &stored.tokens.method)?.how.is_fixed() {
        return Ok((answer, stored.tokens));
    }
    let Some(newer) = refresh::after_refusal(connection, set, &stored).await? else { return Ok((answer, stored.tokens)) };
    authenticate(app, &newer.tokens, &mut request)?;
    meter.sends(&request);
    Ok((http.send(request).await.map_err(named)?, newer.tokens))
}

pub(super) async fn raw(connection: &Connection, request: RawRequest) -> Result<RawResponse> {
    let set = request.token_set.clone();
    let request = request.into_request(Some(&AUTHORIZATION))?;
    let mut meter = Meter::begin(connection, RAW);
    let mut tokens = None;
    let outcome = send(connection, set.as_deref().unwrap_or(DEFAULT), request, &mut meter).await;
    let mut answer = meter.end(outcome.map(|(answer, used)| {
        tokens = Some(used);
        answer
    }))?;
    if let Some(tokens) = tokens {
        for secret in Way::find(&connection.app, &tokens.method)?.secrets(&tokens) {
            answer.cut(secret.expose());
        }
    }
    Ok(answer.into())
}
