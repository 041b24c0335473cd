//! The one HTTP client: one TLS stack, no redirects, bounded time and size.

use crate::{Error, ErrorKind, Result};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use memchr::memmem;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use std::sync::Arc;
use std::time::Duration;
use url::form_urlencoded;
use zeroize::Zeroizing;

pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Whoever asks for a longer wait has not said how long.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(365 * 86_400);
/// The longest answer that is held in memory.
pub(crate) const MAX_BODY: usize = 64 * 1024 * 1024;
/// As much room is made at once.
const LARGE_BODY: usize = 2 * 1024 * 1024;

/// A request, complete.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) timeout: Duration,
}

/// Headers that have some services take another method than the request's own, such as Google's.
const OTHER_METHOD: [&str; 3] = ["x-http-method-override", "x-http-method", "x-method-override"];
/// What stands in an answer where a secret was.
const CUT: &[u8] = b"[redacted]";

impl Request {
    /// The methods that a service may take it for: its own, and what a header asks for.
    pub(crate) fn methods(&self) -> Vec<String> {
        let asked = OTHER_METHOD.iter().flat_map(|name| self.headers.get_all(*name));
        let asked = asked.map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_ascii_uppercase());
        std::iter::once(self.method.as_str().to_owned()).chain(asked).collect()
    }
}

/// An answer, whole.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// Takes a secret out of the answer, in the forms in which secrets are usually repeated: a second net for services that show a request to
    /// whoever made it.
    pub(crate) fn cut(&mut self, secret: &str) {
        let forms = [
            Zeroizing::new(secret.as_bytes().to_vec()),
            Zeroizing::new(STANDARD.encode(secret).into_bytes()),
            Zeroizing::new(URL_SAFE_NO_PAD.encode(secret).into_bytes()),
            Zeroizing::new(form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>().into_bytes()),
            Zeroizing::new(serde_json::Value::from(secret).to_string().trim_matches('"').as_bytes().to_vec()),
        ];
        for form in &forms {
            replace(&mut self.body, form);
            for header in self.headers.values_mut() {
                let mut bytes = header.as_bytes().to_vec();
                if replace(&mut bytes, form) {
                    *header = HeaderValue::from_bytes(&bytes).unwrap_or(HeaderValue::from_static("[redacted]"));
                }
            }
        }
    }
}

/// Puts [`CUT`] in the place of every `needle`, and says whether there was one.
fn replace(bytes: &mut Vec<u8>, needle: &[u8]) -> bool {
    let found: Vec<usize> = memmem::find_iter(bytes, needle).collect();
    if found.is_empty() {
        return false;
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = 0;
    for at in found {
        out.extend_from_slice(&bytes[rest..at]);
        out.extend_from_slice(CUT);
        rest = at + needle.len();
    }
    out.extend_from_slice(&bytes[rest..]);
    *bytes = out;
    true
}

#[derive(Clone)]
pub(crate) struct HttpClient {
    /// Respects the proxy of the environment (`HTTPS_PROXY`, `NO_PROXY`).
    outside: reqwest::Client,
    /// For 127.0.0.1, which no proxy reaches.
    loopback: reqwest::Client,
}

impl HttpClient {
    pub(crate) fn new() -> Result<Self> {
        let failed = |e| Error::internal("http_client", "the HTTP client cannot be made").with_source(e);
        let tls = tls()?;
        let client = || {
            reqwest::Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .connect_timeout(CONNECT_TIMEOUT)
                // A redirect could carry the token to another host.
                .redirect(reqwest::redirect::Policy::none())
                .user_agent(concat!("atom/", env!("CARGO_PKG_VERSION")))
        };
        let outside = client().build().map_err(failed)?;
        let loopback = client().no_proxy().build().map_err(failed)?;
        Ok(Self { outside, loopback })
    }

    /// Sends a request and reads the whole answer. A status is not an error here.
    pub(crate) async fn send(&self, request: Request) -> Result<Response> {
        let client = if is_loopback(&request.url) { &self.loopback } else { &self.outside };
        let sent = client
            .request(request.method, request.url)
            .headers(request.headers)
            .timeout(request.timeout)
            .body(request.body)
            .send();
        read(sent.await.map_err(unreachable)?).await
    }
}

impl HttpClient {
    /// Sends a request and leaves the body to be read piece by piece. The time limit is for its beginning.
    pub(crate) async fn open(&self, request: Request) -> Result<reqwest::Response> {
        let client = if is_loopback(&request.url) { &self.loopback } else { &self.outside };
        let sent = client.request(request.method, request.url).headers(request.headers).body(request.body).send();
        let late = |_| Error::unavailable("timeout", "the service did not answer in time: call again");
        tokio::time::timeout(request.timeout, sent).await.map_err(late)?.map_err(unreachable)
    }
}

/// Reads a whole answer, as far as it fits in memory.
pub(crate) async fn read(mut response: reqwest::Response) -> Result<Response> {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    // What a service announces is believed only as far as it costs little.
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    let mut body = Vec::with_capacity(announced.min(LARGE_BODY));
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > MAX_BODY {
            let text = format!("the answer is larger than {} MiB: ask for less", MAX_BODY / 1024 / 1024);
            return Err(Error::new(ErrorKind::Provider, "answer_too_large", text).with_status(status));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Response { status, headers, body })
}

/// How TLS is spoken: with the roots of the web, and with nothing that belongs to the operating system.
pub(crate) fn tls() -> Result<rustls::ClientConfig> {
    let failed = |e| Error::internal("http_client", "the TLS client cannot be made").with_source(e);
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    // The provider is named here, not installed for the process: that slot belongs to the host.
    let builder = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(failed)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// How long a `Retry-After` header asks to wait (RFC 9110 §10.2.3): seconds or a date.
pub(crate) fn read_retry_after(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    let text = text.trim();
    let wait = match text.parse::<u32>() {
        Ok(seconds) => Some(Duration::from_secs(seconds.into())),
        Err(_) => (DateTime::parse_from_rfc2822(text).ok()?.to_utc() - now).to_std().ok(),
    };
    wait.filter(|wait| *wait < LONGEST_WAIT)
}

/// A header's value that nothing prints; none if it has characters that no header can carry.
pub(crate) fn secret_header(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The text of `Authorization` for a user name and a password (RFC 7617).
pub(crate) fn basic(username: &str, password: &str) -> Zeroizing<String> {
    let pair = Zeroizing::new(format!("{username}:{password}"));
    Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
}

/// Whether a URL leads to this machine by a name that nobody can rebind.
pub(crate) fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"))
}

/// The URL is left out of the error: its query may hold a token.
pub(crate) fn unreachable(error: reqwest::Error) -> Error {
    let error = error.without_url();
    let (reason, text) = match () {
        () if error.is_timeout() => ("timeout", "the service did not answer in time: call again"),
        () if error.is_connect() => ("unreachable", "the service cannot be reached: check the network and call again"),
        () => ("broken_answer", "the connection broke before the answer was complete: call again"),
    };
    Error::unavailable(reason, text).with_source(error)
}

#[cfg(test)]
#[path = "http_client_tests.rs"]
mod tests;
