//! Requests with the connection's credential.

use super::authenticate::authenticate;
use super::methods::Way;
use super::usage::RAW;
use super::{Connection, Meter, refresh};
use crate::http_client::{Request, Response};
use crate::integrations::failure;
use crate::providers::Facts;
use crate::raw::{RawRequest, RawResponse};
use crate::vault::policies;
use crate::vault::{DEFAULT, TokenSet};
use crate::{Error, Result};
use reqwest::header::AUTHORIZATION;

/// Sends a request with a valid token set. A 401, or a refusal that the manifest takes for one, means that the token died early: it is
/// refreshed and the request sent once more.
pub(super) async fn authorized(
    connection: &Connection,
    set: &str,
    facts: &Facts,
    request: Request,
    meter: &mut Meter<'_>,
) -> Result<Response> {
    Ok(whole(connection, set, facts, request, meter).await?.0)
}

/// The same for an answer that is read piece by piece.
pub(super) async fn opened(
    connection: &Connection,
    set: &str,
    facts: &Facts,
    request: Request,
    meter: &mut Meter<'_>,
) -> Result<reqwest::Response> {
    let outlet = connection.outlet();
    let is_refused = |answer: &reqwest::Response| answer.status() == 401;
    let sent = with_credential(connection, set, facts, request, meter, |request| outlet.open(request), is_refused);
    Ok(sent.await?.0)
}

async fn whole(
    connection: &Connection,
    set: &str,
    facts: &Facts,
    request: Request,
    meter: &mut Meter<'_>,
) -> Result<(Response, TokenSet)> {
    let outlet = connection.outlet();
    let is_refused = |answer: &Response| failure::is_unauthenticated(&connection.app.manifest, answer);
    with_credential(connection, set, facts, request, meter, |request| outlet.send(request), is_refused).await
}

/// Sends a request, and says with which token set.
async fn with_credential<A, F: Future<Output = Result<A>>>(
    connection: &Connection,
    set: &str,
    facts: &Facts,
    mut request: Request,
    meter: &mut Meter<'_>,
    send: impl Fn(Request) -> F,
    is_refused: impl Fn(&A) -> bool,
) -> Result<(A, TokenSet)> {
    let app = &connection.app;
    policies::check_request(&connection.inner, &connection.principal, connection.target(), &request).await?;
    request.url = app.resolve(&request.url, facts)?;
    let named = |e: Error| e.with_provider(&app.manifest.name);
    let stored = refresh::valid_tokens(connection, set).await?;
    let mut first = request.clone();
    authenticate(app, &stored.tokens, &mut first)?;
    meter.sends(&first);
    let answer = send(first).await.map_err(named)?;
    if !is_refused(&answer) || Way::find(app, &stored.tokens.method)?.how.is_fixed() {
        return Ok((answer, stored.tokens));
    }
    let Some(newer) = refresh::after_refusal(connection, set, &stored).await? else { return Ok((answer, stored.tokens)) };
    authenticate(app, &newer.tokens, &mut request)?;
    meter.sends(&request);
    Ok((send(request).await.map_err(named)?, newer.tokens))
}

pub(super) async fn raw(connection: &Connection, request: RawRequest) -> Result<RawResponse> {
    let set = request.token_set.clone();
    let request = request.into_request(Some(&AUTHORIZATION))?;
    let facts = connection.facts().await?;
    let mut meter = Meter::begin(connection, RAW);
    let mut tokens = None;
    let outcome = whole(connection, set.as_deref().unwrap_or(DEFAULT), &facts, request, &mut meter).await;
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
