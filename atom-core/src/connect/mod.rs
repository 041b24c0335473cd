//! Connecting a user's account at a provider, and keeping it connected.
//!
//! [`Connections`] starts and completes the consent; [`Connection`] is one connected account, through which its files, mail and
//! calendar are reached.

mod apps;
mod callback;
mod flight;
mod identity;
mod model;
mod oauth;
mod refresh;
mod request;
mod revoke;
mod start;
mod store;

pub(crate) use apps::{App, Apps};
pub(crate) use flight::Flights;
pub use model::{
    AccessToken, Authorization, ConnectedAccount, ConnectionState, Provider, RawRequest, RawResponse, StartConnection,
};

use crate::accounts::Principal;
use crate::atom::Inner;
use crate::audit::{AuditAction, Entry};
use crate::integrations::{calendar::Calendars, files::Files, mail::Mailbox};
use crate::{ConnectionId, Error, ErrorKind, Result};
use atom_macros::{api, handle};
use std::sync::Arc;

/// The connected accounts of one user.
///
/// ```
/// # #[cfg(feature = "testing")]
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// # use atom_core::{Atom, LocalKey, NewAccount, StartConnection, testing::GoogleStandIn};
/// let google = GoogleStandIn::start().await?; // in production: Google itself
/// let atom = Atom::builder(url).key(LocalKey::generate()?).provider(google.app()).open().await?;
/// # let account = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
/// # let session = atom.accounts().sign_up(account).await?;
/// let scope = atom.authenticate(session.access_token).await?;
///
/// let start = StartConnection { provider: "google".into(), ..Default::default() };
/// let authorization = scope.connections().start(start).await?;
/// let callback = google.approve(authorization.url, "ada@example.com".into()).await?; // the user, in a browser
/// let connection = scope.connections().complete(callback).await?;
/// assert_eq!(connection.account().await?.email.as_deref(), Some("ada@example.com"));
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Connections {
    pub(crate) inner: Arc<Inner>,
    pub(crate) principal: Principal,
}

#[api]
impl Connections {
    /// Begins a connection: send the user's browser to the returned URL within ten minutes.
    ///
    /// Fails with `not_found` (`unknown_provider`), `invalid` (`unknown_service`) or `rate_limited`.
    pub async fn start(&self, request: StartConnection) -> Result<Authorization> {
        start::run(self, request).await
    }

    /// Completes a connection with the URL that the provider sent the user back to. Connecting the same account again keeps the
    /// connection's id.
    ///
    /// Fails with `invalid` (`state_unknown`: used, expired, or begun in another session; `code_refused`; start again),
    /// `cancelled` (`consent_declined`) or `provider`.
    pub async fn complete(&self, callback_url: String) -> Result<Connection> {
        callback::run(self, callback_url).await
    }

    /// The user's connected accounts, oldest first.
    pub async fn list(&self) -> Result<Vec<ConnectedAccount>> {
        store::list(self.inner.db()?, &self.principal).await
    }

    /// One connected account, by its id.
    ///
    /// Fails with `not_found`.
    pub async fn open(&self, id: ConnectionId) -> Result<Connection> {
        let account = store::get(self.inner.db()?, &self.principal, id).await?;
        self.connection(&account)
    }
}

impl Connections {
    fn connection(&self, account: &ConnectedAccount) -> Result<Connection> {
        let app = self.inner.apps.get(&account.provider)?;
        Ok(Connection { inner: Arc::clone(&self.inner), principal: self.principal.clone(), id: account.id, app })
    }
}

/// One connected account: its state, and the way to its data.
#[handle]
pub struct Connection {
    pub(crate) inner: Arc<Inner>,
    pub(crate) principal: Principal,
    pub(crate) id: ConnectionId,
    pub(crate) app: Arc<App>,
}

#[api]
impl Connection {
    /// The connection's id.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// Whose account it is, and how it is.
    pub async fn account(&self) -> Result<ConnectedAccount> {
        store::get(self.inner.db()?, &self.principal, self.id).await
    }

    /// The account's files.
    pub fn files(&self) -> Files {
        Files { connection: self.clone() }
    }

    /// The account's mail.
    pub fn mail(&self) -> Mailbox {
        Mailbox { connection: self.clone() }
    }

    /// The account's calendars.
    pub fn calendar(&self) -> Calendars {
        Calendars { connection: self.clone() }
    }

    /// A valid access token, refreshed first if it is about to expire: for a vendor's own SDK. Prefer `request`, which keeps the
    /// token inside.
    ///
    /// Fails with `reauth_required` (the grant is gone: connect again), `not_connected` (it was revoked) or `unavailable`.
    pub async fn access_token(&self) -> Result<AccessToken> {
        let tokens = refresh::valid_tokens(self).await?.tokens;
        Ok(AccessToken { token: tokens.access_token, expires_at: tokens.expires_at, scopes: tokens.scopes })
    }

    /// Any call of the provider's API, authenticated, refreshed and limited to the provider's own hosts.
    ///
    /// An answer with an error status is an answer, not an error. Fails with `invalid` (`host_not_allowed`), `reauth_required` or
    /// `unavailable`.
    pub async fn request(&self, request: RawRequest) -> Result<RawResponse> {
        request::raw(self, request).await
    }

    /// Ends the connection: revokes the grant at the provider, then destroys the tokens here.
    ///
    /// Fails with `unavailable` if the provider cannot be reached; nothing is destroyed then, so call again.
    pub async fn revoke(&self) -> Result<()> {
        revoke::run(self).await
    }
}

impl Connection {
    /// The stored tokens, if the connection is in use.
    pub(crate) async fn stored(&self) -> Result<crate::vault::Stored> {
        let stored = crate::vault::load(&self.inner, self.principal.workspace_id, self.id).await?;
        match stored {
            Some(stored) => Ok(stored),
            None => {
                store::get(self.inner.db()?, &self.principal, self.id).await?;
                let text = "this account was disconnected: connect it again";
                Err(Error::new(ErrorKind::NotConnected, "disconnected", text).with_provider(&self.app.manifest.name))
            }
        }
    }

    /// An audit entry about this connection.
    fn entry<'a>(&self, action: AuditAction, details: &'a [(&'static str, &'a str)]) -> Entry<'a> {
        let (workspace, actor) = (self.principal.workspace_id, self.principal.actor());
        Entry { workspace, actor, action, subject: Some(self.id.to_string()), details }
    }

    pub(crate) fn reauth(&self, reason: &'static str, text: &str) -> Error {
        Error::new(ErrorKind::ReauthRequired, reason, text).with_provider(&self.app.manifest.name)
    }

    pub(crate) async fn send(&self, request: crate::http_client::Request) -> Result<crate::http_client::Response> {
        request::authorized(self, request).await
    }
}
