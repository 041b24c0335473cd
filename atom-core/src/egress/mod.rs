//! Requests to addresses that a user names, of webhooks, service keys and the providers of workspaces: to the public internet, and to nothing inside of the host's network.
//!
//! A name is resolved once per connection, every address it resolves to is checked, and the connection goes to those very addresses: a name that
//! resolves to something else a moment later gains nothing. No redirect is followed, no proxy is asked (it would resolve the name
//! itself), and of a webhook's answer little is read. Any port may be named; a host that wants to limit them does so at its firewall.

mod address;

use crate::http_client::{self, CONNECT_TIMEOUT, Request, Response, is_loopback, tls};
use crate::{Error, Result};
use address::is_public;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use std::collections::HashMap;
use std::error::Error as StdError;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use url::{Host, Url};

/// The most that is read of a webhook's answer, in bytes.
pub(crate) const MAX_ANSWER: usize = 20 * 1024;
/// How long a receiver of webhooks may take, from the first packet to the last.
const TIMEOUT: Duration = Duration::from_secs(15);

/// How long an answer may take that is read piece by piece, while its pieces come in time.
const LONGEST_ANSWER: Duration = Duration::from_secs(24 * 3600);

/// A client for addresses that users name.
#[derive(Clone)]
pub(crate) struct Egress {
    client: reqwest::Client,
    /// This machine is let through too, over plain HTTP as well: for development and tests.
    loopback: bool,
}

/// What came back of a webhook. The body is cut at [`MAX_ANSWER`].
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Egress {
    /// `names` resolve as a test says.
    pub(crate) fn new(loopback: bool, names: HashMap<String, Vec<IpAddr>>) -> Result<Self> {
        Self::with_lookup(loopback, Arc::new(System { names }))
    }

    fn with_lookup(loopback: bool, lookup: Arc<dyn Lookup>) -> Result<Self> {
        let failed = |e| Error::internal("http_client", "the HTTP client cannot be made").with_source(e);
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls()?)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            // Compressed, an answer of 20 kB could be one of 20 MB.
            .no_gzip()
            .dns_resolver(Guard { lookup, loopback })
            .user_agent(concat!("atom/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(failed)?;
        Ok(Self { client, loopback })
    }

    /// A URL that webhooks may be sent to, as far as can be told without resolving its name.
    ///
    /// Fails with `invalid` (`malformed_webhook_url`, `address_not_public`).
    pub(crate) fn check(&self, url: &str) -> Result<Url> {
        let malformed = |text: &str| Error::invalid("malformed_webhook_url", text);
        let url =
            Url::parse(url).map_err(|e| malformed("the URL cannot be read: write it as https://host/path").with_source(e))?;
        if !self.is_confidential(&url) {
            return Err(malformed("webhooks are sent over https only"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(malformed("a URL with a user name or a password in it is not sent to: the signature proves who sends"));
        }
        self.check_address(&url)?;
        Ok(url)
    }

    /// Whether nobody on the way can read along: https, or plain http on this machine where that is allowed.
    fn is_confidential(&self, url: &Url) -> bool {
        url.scheme() == "https" || (url.scheme() == "http" && self.is_here(url))
    }

    /// Refuses what does not lead to the public internet, as far as can be told without resolving a name.
    ///
    /// Fails with `invalid` (`address_not_public`).
    pub(crate) fn check_address(&self, url: &Url) -> Result<()> {
        // The parser has brought numbers in every notation into their one form by now.
        let public = match url.host() {
            Some(Host::Ipv4(address)) => is_public(address.into()),
            Some(Host::Ipv6(address)) => is_public(address.into()),
            Some(Host::Domain(name)) => {
                let name = name.trim_end_matches('.');
                !name.is_empty() && name != "localhost" && !name.ends_with(".localhost")
            }
            None => false,
        };
        if public || self.is_here(url) { Ok(()) } else { Err(not_public()) }
    }

    /// Refuses to send a secret where somebody on the way could read it, or into a network.
    ///
    /// Fails with `invalid` (`https_only`, `address_not_public`).
    pub(crate) fn admit(&self, url: &Url) -> Result<()> {
        if !self.is_confidential(url) {
            return Err(Error::invalid("https_only", "a secret is sent over https only: write the URL as https://host/path"));
        }
        self.check_address(url)
    }

    /// Whether a URL leads to this machine, and may.
    fn is_here(&self, url: &Url) -> bool {
        self.loopback && is_loopback(url)
    }

    /// Sends a request and reads the whole answer. A status is not an error here.
    ///
    /// Fails with `invalid` (as [`Egress::admit`] does, now for the resolved addresses too), `provider` (`answer_too_large`) or `unavailable` (`timeout`,
    /// `unreachable`, `broken_answer`).
    pub(crate) async fn send(&self, request: Request) -> Result<Response> {
        self.admit(&request.url)?;
        let sent = self.client.request(request.method, request.url).headers(request.headers).body(request.body);
        http_client::read(sent.timeout(request.timeout).send().await.map_err(failed)?).await
    }

    /// Sends a request and leaves the body to be read piece by piece. The time limit is for its beginning.
    ///
    /// Fails as [`Egress::send`] does.
    pub(crate) async fn open(&self, request: Request) -> Result<reqwest::Response> {
        self.admit(&request.url)?;
        let sent = self.client.request(request.method, request.url).headers(request.headers).body(request.body);
        let late = |_| Error::unavailable("timeout", "the service did not answer in time: call again");
        tokio::time::timeout(request.timeout, sent.timeout(LONGEST_ANSWER).send()).await.map_err(late)?.map_err(failed)
    }

    /// Posts a body. A status is not an error here.
    ///
    /// Fails with `invalid` (as [`Egress::check`] does, now for the resolved addresses too) or `unavailable` (`timeout`, `unreachable`,
    /// `broken_answer`).
    pub(crate) async fn post(&self, url: &str, headers: HeaderMap, body: Vec<u8>) -> Result<Answer> {
        let url = self.check(url)?;
        let sent = self.client.post(url).headers(headers).body(body).send().await;
        let mut response = sent.map_err(failed)?;
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        // The status has been received, and with it the verdict: a body that breaks off changes nothing.
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk[..chunk.len().min(MAX_ANSWER - body.len())]);
            if body.len() == MAX_ANSWER {
                break;
            }
        }
        Ok(Answer { status: response.status().as_u16(), retry_after, body })
    }
}

fn failed(error: reqwest::Error) -> Error {
    if refused(&error) { not_public() } else { http_client::unreachable(error) }
}

fn not_public() -> Error {
    let text = "the address is not on the public internet: nothing is sent into private networks";
    Error::invalid("address_not_public", text)
}

/// Resolves names; tests have their own.
trait Lookup: Send + Sync + 'static {
    fn addresses(&self, name: String) -> crate::crypto::BoxFuture<'static, std::io::Result<Vec<IpAddr>>>;
}

/// The resolver of the operating system, but for names that a test gives addresses to.
struct System {
    names: HashMap<String, Vec<IpAddr>>,
}

impl Lookup for System {
    fn addresses(&self, name: String) -> crate::crypto::BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        if let Some(known) = self.names.get(&name).cloned() {
            return Box::pin(async move { Ok(known) });
        }
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect()) })
    }
}

/// Stands between the resolver and the connection: what it does not let through is never connected to.
struct Guard {
    lookup: Arc<dyn Lookup>,
    loopback: bool,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (addresses, loopback) = (self.lookup.addresses(name.as_str().to_owned()), self.loopback);
        Box::pin(async move {
            let addresses = addresses.await?;
            let fine = |address: &IpAddr| is_public(*address) || (loopback && address.is_loopback());
            // One wrong address among right ones is no accident.
            if !addresses.iter().all(fine) {
                return Err(NotPublic.into());
            }
            let addresses: Addrs = Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

/// The guard's verdict, on its way through the HTTP client.
#[derive(Debug)]
struct NotPublic;

impl std::fmt::Display for NotPublic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the name resolves to an address that is not on the public internet")
    }
}

impl StdError for NotPublic {}

/// Whether it was the guard that ended a request.
fn refused(error: &reqwest::Error) -> bool {
    std::iter::successors(error.source(), |&error| error.source()).any(|error| error.is::<NotPublic>())
}

#[cfg(test)]
mod tests;
