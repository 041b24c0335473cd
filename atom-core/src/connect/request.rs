//! Requests with the connection's token.

use super::identity::bearer;
use super::{Connection, RawRequest, RawResponse, refresh};
use crate::http_client::{Request, Response};
use crate::{Bytes, Error, Json, Result};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use std::collections::HashMap;
use std::time::Duration;
use url::Url;

const TIMEOUT: Duration = Duration::from_secs(60);

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
    let method = match request.method.as_str() {
        "GET" => Method::GET,
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        "PATCH" => Method::PATCH,
        "DELETE" => Method::DELETE,
        "HEAD" => Method::HEAD,
        _ => return Err(Error::invalid("unknown_method", "use GET, POST, PUT, PATCH, DELETE or HEAD")),
    };
    let mut url = Url::parse(&request.url)
        .map_err(|e| Error::invalid("malformed_url", "this is not an absolute URL: write https://host/path").with_source(e))?;
    if let Some(query) = request.query.filter(|q| !q.is_empty()) {
        url.query_pairs_mut().extend_pairs(query);
    }
    let mut headers = HeaderMap::new();
    for (name, value) in request.headers.into_iter().flatten() {
        let malformed = || Error::invalid("malformed_header", "a header name or value has characters that HTTP does not allow");
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| malformed())?;
        if name == AUTHORIZATION || name == HOST {
            return Err(Error::invalid("reserved_header", "`authorization` and `host` are set by Atom: leave them out"));
        }
        headers.insert(name, HeaderValue::from_str(&value).map_err(|_| malformed())?);
    }
    let body = match (request.json, request.content) {
        (Some(_), Some(_)) => return Err(Error::invalid("two_bodies", "give `json` or `content`, not both")),
        (Some(Json(json)), None) => {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
            json.to_string().into_bytes()
        }
        (None, Some(Bytes(content))) => content,
        (None, None) => Vec::new(),
    };
    let answer = authorized(connection, Request { method, url, headers, body, timeout: TIMEOUT }).await?;
    let text = |v: &HeaderValue| String::from_utf8_lossy(v.as_bytes()).into_owned();
    let headers: HashMap<_, _> = answer.headers.iter().map(|(n, v)| (n.as_str().to_owned(), text(v))).collect();
    let json = serde_json::from_slice(&answer.body).ok().map(Json);
    Ok(RawResponse { status: answer.status.into(), headers, content: Bytes(answer.body), json })
}
