//! Connecting a user's account at a provider, and keeping it connected.
//!
//! [`Connections`] starts and completes the consent; [`Connection`] is one connected account, through which its files, mail and
//! calendar are reached. [`refresh`] keeps its tokens valid, [`revoke`] ends it, and workers do what is left to do ([`upkeep`]).

mod apps;
mod callback;
mod export;
mod flight;
mod identity;
mod model;
mod oauth;
mod refresh;
mod request;
mod revoke;
mod start;
mod status;
mod store;
mod upkeep;

pub(crate) use apps::{App, Apps};
pub(crate) use export::Exports;
pub(crate) use flight::Flights;
pub use model::{
    AccessToken, AccountStatus, Authorization, ConnectedAccount, ConnectionHealth, ConnectionState, Provider, ProviderStatus,
    ServiceStatus, StartConnection,
};
pub(crate) use upkeep::{CHORE, handlers, kinds};

use crate::accounts::Principal;
use crate::atom::Inner;
use crate::audit::{AuditAction, Entry};
use crate::integrations::{calendar::Calendars, files::Files, mail::Mailbox};
use crate::{ConnectionId, Error, ErrorKind, RawRequest, RawResponse, Result};
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

    /// Every provider of this installation, with what the user has connected there and what it can be used for.
    pub async fn status(&self) -> Result<Vec<ProviderStatus>> {
        status::run(self).await
    }

    /// Ends all connections of the user, or those at one provider, as `Connection.revoke` does. Returns how many there were.
    pub async fn revoke_all(&self, provider: Option<String>) -> Result<i64> {
        revoke::all(self, provider).await
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
    /// token inside. Tokens leave only where the provider was configured with `export_tokens`, and each one that does stands in the audit log.
    ///
    /// Fails with `forbidden` (`token_export_not_allowed`), `reauth_required` (the grant is gone: `reconnect`), `not_connected` (it was revoked) or `unavailable` (`refresh_paused`:
    /// the provider failed moments ago, wait for `retry_after`; `refresh_busy`: it takes longer than 40 seconds; and others: call again).
    pub async fn access_token(&self) -> Result<AccessToken> {
        export::run(self).await
    }

    /// Any call of the provider's API, authenticated, refreshed and limited to the provider's own hosts.
    ///
    /// An answer with an error status is an answer, not an error. Fails with `invalid` (`host_not_allowed`), `reauth_required` or
    /// `unavailable`.
    pub async fn request(&self, request: RawRequest) -> Result<RawResponse> {
        request::raw(self, request).await
    }

    /// Begins the consent that mends this connection: the same account, the same scopes. Send the user's browser to the returned URL, and
    /// complete it as any other.
    ///
    /// Fails with `rate_limited`.
    pub async fn reconnect(&self) -> Result<Authorization> {
        start::again(self).await
    }

    /// Ends the connection: destroys the tokens here, and has the provider withdraw the grant. A provider that cannot be reached now is
    /// asked again for a day, where workers run.
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

    /// The stored tokens, perhaps as they were moments ago: for those who use them and write nothing.
    async fn recent(&self) -> Result<crate::vault::Stored> {
        // A fork has its parent's memory, but may not use it.
        self.inner.db()?;
        self.inner.token_cache.read((self.principal.workspace_id, self.id), self.stored()).await
    }

    /// Has the next reader ask the database.
    fn forget(&self) {
        self.inner.token_cache.forget(self.principal.workspace_id, self.id);
    }

    /// An audit entry about this connection.
    fn entry<'a>(&self, action: AuditAction, details: &'a [(&'static str, &'a str)]) -> Entry<'a> {
        let (workspace, actor) = (self.principal.workspace_id, self.principal.actor());
        Entry { workspace, actor, action, subject: Some(self.id.to_string()), details }
    }

    /// The error of a connection that needs its user, by what is stored as the reason.
    fn dead(&self, reason: Option<&str>) -> Error {
        let (reason, text) = match reason {
            Some("no_refresh_token") => {
                ("no_refresh_token", "the token has expired and the provider gave none to renew it: connect the account again")
            }
            Some("refresh_lost") => (
                "refresh_lost",
                "the provider's answer to a refresh was lost with the process that asked for it: connect the account again",
            ),
            _ => ("invalid_grant", "the provider no longer accepts this grant: connect the account again"),
        };
        Error::new(ErrorKind::ReauthRequired, reason, text).with_provider(&self.app.manifest.name)
    }

    pub(crate) async fn send(&self, request: crate::http_client::Request) -> Result<crate::http_client::Response> {
        request::authorized(self, request).await
    }
}
