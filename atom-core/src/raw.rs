//! Requests that the host writes itself, for services whose authentication is ours to add.

use crate::http_client::{Request, Response};
use crate::{Bytes, Error, Json, Result};
use atom_macros::model;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use std::collections::HashMap;
use std::time::Duration;
use url::Url;

/// How long a service may take for its whole answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A request to a service's API, without its authentication.
#[model(default)]
pub struct RawRequest {
    /// `GET`, `POST`, `PUT`, `PATCH`, `DELETE` or `HEAD`.
    pub method: String,
    /// The whole URL. Its host must be one of the provider's, or one that the service key may be sent to.
    pub url: String,
    /// Query parameters, added to those in the URL.
    pub query: Option<HashMap<String, String>>,
    /// Further headers. `host` and what carries the authentication are ours.
    pub headers: Option<HashMap<String, String>>,
    /// A JSON body.
    pub json: Option<Json>,
    /// A body of bytes instead; set its `content-type` among the headers.
    pub content: Option<Bytes>,
    /// The token set to authenticate with, where a connection has several. Default: the first. A service key has none.
    pub token_set: Option<String>,
}

/// The service's answer.
#[model]
pub struct RawResponse {
    /// The HTTP status.
    pub status: i32,
    /// The headers, names in small letters.
    pub headers: HashMap<String, String>,
    /// The body as it came.
    pub content: Bytes,
    /// The body as JSON, if it is JSON.
    pub json: Option<Json>,
}

/// An HTTP method by its name.
///
/// Fails with `invalid` (`unknown_method`).
pub(crate) fn method(name: &str) -> Result<Method> {
    let known = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::HEAD];
    let found = known.into_iter().find(|method| method.as_str() == name);
    found.ok_or_else(|| Error::invalid("unknown_method", "use GET, POST, PUT, PATCH, DELETE or HEAD"))
}

impl RawRequest {
    /// The request as it is sent, but for the header that carries the authentication, which the host must leave out.
    ///
    /// Fails with `invalid`: `unknown_method`, `malformed_url`, `malformed_header`, `reserved_header`, `two_bodies`.
    pub(crate) fn into_request(self, authentication: Option<&HeaderName>) -> Result<Request> {
        let method = method(&self.method)?;
        let mut url = Url::parse(&self.url).map_err(|e| {
            Error::invalid("malformed_url", "this is not an absolute URL: write https://host/path").with_source(e)
        })?;
        if let Some(query) = self.query.filter(|q| !q.is_empty()) {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut headers = HeaderMap::new();
        for (name, value) in self.headers.into_iter().flatten() {
            let malformed =
                || Error::invalid("malformed_header", "a header name or value has characters that HTTP does not allow");
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| malformed())?;
            if name == HOST || authentication == Some(&name) {
                return Err(Error::invalid("reserved_header", format!("`{name}` is set by Atom: leave it out")));
            }
            headers.insert(name, HeaderValue::from_str(&value).map_err(|_| malformed())?);
        }
        let body = match (self.json, self.content) {
            (Some(_), Some(_)) => return Err(Error::invalid("two_bodies", "give `json` or `content`, not both")),
            (Some(Json(json)), None) => {
                headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
                json.to_string().into_bytes()
            }
            (None, Some(Bytes(content))) => content,
            (None, None) => Vec::new(),
        };
        Ok(Request { method, url, headers, body, timeout: TIMEOUT })
    }
}

impl From<Response> for RawResponse {
    fn from(answer: Response) -> Self {
        let text = |v: &HeaderValue| String::from_utf8_lossy(v.as_bytes()).into_owned();
        let headers = answer.headers.iter().map(|(n, v)| (n.as_str().to_owned(), text(v))).collect();
        let json = serde_json::from_slice(&answer.body).ok().map(Json);
        Self { status: answer.status.into(), headers, content: Bytes(answer.body), json }
    }
}
