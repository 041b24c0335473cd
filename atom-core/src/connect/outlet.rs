//! How requests of a provider leave: the host trusts the addresses of its own manifests, and not those that a workspace brings.

use crate::Result;
use crate::egress::Egress;
use crate::http_client::{HttpClient, Request, Response};

/// A way out.
#[derive(Clone, Copy)]
pub(crate) enum Outlet<'a> {
    /// To wherever the installation's manifests lead, by the host's proxy.
    Host(&'a HttpClient),
    /// To the public internet only, at the address that was checked.
    Guarded(&'a Egress),
}

impl Outlet<'_> {
    /// Sends a request and reads the whole answer. A status is not an error here.
    pub(crate) async fn send(&self, request: Request) -> Result<Response> {
        match self {
            Self::Host(client) => client.send(request).await,
            Self::Guarded(egress) => egress.send(request).await,
        }
    }

    /// Sends a request and leaves the body to be read piece by piece. The time limit is for its beginning.
    pub(crate) async fn open(&self, request: Request) -> Result<reqwest::Response> {
        match self {
            Self::Host(client) => client.open(request).await,
            Self::Guarded(egress) => egress.open(request).await,
        }
    }
}
