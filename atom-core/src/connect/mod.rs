//! Connecting a user's account at a provider, and keeping it connected.
//!
//! [`Connections`] begins and completes a connection, in one of the provider's [`methods`]; [`Connection`] is one connected account, through
//! which its files, mail and calendar are reached. [`authenticate`] puts its credential into requests, [`refresh`] keeps it valid, [`revoke`]
//! ends it, and workers do what is left to do ([`upkeep`]). How it is used is counted ([`usage`]).

mod apps;
mod authenticate;
mod callback;
mod connect_with;
mod device_flow;
mod end_all;
mod export;
mod flight;
mod identity;
mod introspection;
mod keep;
mod link;
mod methods;
mod model;
mod outlet;
mod refresh;
mod registered;
mod release;
mod request;
mod revoke;
mod start;
mod status;
mod store;
mod token_endpoint;
mod upkeep;
mod usage;
mod withdrawal;

pub(crate) use apps::{App, Apps};
pub(crate) use end_all::run as end_all;
pub(crate) use export::Exports;
pub(crate) use flight::Flights;
pub use model::{
    AccessToken, AccountStatus, Authorization, ConnectField, ConnectFlow, ConnectMethod, ConnectWith, ConnectedAccount,
    ConnectionHealth, ConnectionState, DeviceAuthorization, DevicePoll, DeviceState, Provider, ProviderStatus, ServiceStatus,
    StartConnection, StartDevice,
};
pub use registered::{
    CheckedManifest, NewWorkspaceProvider, WorkspaceProvider, WorkspaceProviderFilter, WorkspaceProviderPage,
    WorkspaceProviderPatch, WorkspaceProviders,
};
pub(crate) use registered::{Known as KnownManifests, RegisteredCache};
pub(crate) use upkeep::{CHORE, handlers, kinds};
pub(crate) use usage::{CHORE as USAGE_CHORE, Meter, Used};
pub use usage::{OperationUsage, ProviderUsage, UsageBucket, UsageCounts, UsageFailures, UsageInterval, UsageQuery, UsageReport};

use crate::accounts::Principal;
use crate::atom::Inner;
use crate::audit::{AuditAction, Entry};
use crate::integrations::engine::{self, ByteStream, RecordStream};
use crate::integrations::{
    accounting::Accounting, automation::Automation, calendar::Calendars, chat::Chat, code::Code, commerce::Commerce, crm::Crm,
    design::Design, documents::Documents, files::Files, mail::Mailbox, meetings::Meetings, payments::Payments, push::Push,
    social::Social, support::Support, tasks::RemoteTasks,
};
use crate::providers::{Facts, OAuth2};
use crate::vault::policies::{self, Target};
use crate::vault::{self, DEFAULT, Stored};
use crate::{ConnectionId, DeviceFlowId, Error, ErrorKind, Json, RawRequest, RawResponse, Result, Secret};
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
    /// Begins a connection for which the user goes to a page of the provider: send the browser to the returned URL within ten minutes.
    ///
    /// Fails with `not_found` (`unknown_provider`: neither the installation nor the workspace has it), `invalid` (`unknown_service`, `unknown_connect_method`, `redirect_uri_not_allowed`),
    /// `unsupported` (`other_flow`: the method begins with another call) or `rate_limited`.
    pub async fn start(&self, request: StartConnection) -> Result<Authorization> {
        start::run(self, request).await
    }

    /// Completes a connection with the URL that the provider sent the user back to. Connecting the same account again keeps the
    /// connection's id.
    ///
    /// Fails with `invalid` (`state_unknown`: used, expired, or begun in another session; `code_refused`; start again),
    /// `conflict` (`provider_changed`: the workspace changed its provider meanwhile, start again; `other_provider`), `cancelled` (`consent_declined`) or
    /// `provider`.
    pub async fn complete(&self, callback_url: String) -> Result<Connection> {
        callback::run(self, callback_url).await
    }

    /// Completes a connection that began with a `link_token`, with the public token that the provider's widget gave.
    ///
    /// Fails with `invalid` (`state_unknown`, `code_refused`: start again) or `provider`.
    pub async fn complete_link(&self, link_token: String, public_token: Secret) -> Result<Connection> {
        link::run(self, &link_token, &public_token).await
    }

    /// Connects an account with what the user or the host gives: an API key, a password, the credentials of a client, the file of a service
    /// account. The provider is asked with it first, so what is wrong is not stored.
    ///
    /// Fails with `invalid` (`missing_field`, `malformed_field`, `unknown_field`, `malformed_private_key`, `credentials_refused`: correct the
    /// input; `method_needed`, `unknown_connect_method`: name one of the provider's `methods`), `unsupported` (`other_flow`) or
    /// `rate_limited`.
    pub async fn connect(&self, request: ConnectWith) -> Result<Connection> {
        connect_with::run(self, request).await
    }

    /// Begins a connection from a device without a browser: show the user the code and the address, and poll.
    ///
    /// Fails as `start` does.
    pub async fn start_device(&self, request: StartDevice) -> Result<DeviceAuthorization> {
        device_flow::start(self, request).await
    }

    /// Asks whether the user has typed the code. Any process may, as often as it likes: the provider is asked once per interval.
    ///
    /// Fails with `cancelled` (`consent_declined`), `invalid` (`device_code_expired`: start again) or `not_found`.
    pub async fn poll_device(&self, id: DeviceFlowId) -> Result<DevicePoll> {
        device_flow::poll(self, id).await
    }

    /// The user's connected accounts, oldest first.
    pub async fn list(&self) -> Result<Vec<ConnectedAccount>> {
        store::list(self.inner.db()?, &self.principal).await
    }

    /// Every provider of this installation and of the workspace, with what the user has connected there and what it can be used for.
    pub async fn status(&self) -> Result<Vec<ProviderStatus>> {
        status::run(self).await
    }

    /// Ends all connections of the user, or those at one provider, as `Connection.revoke` does. Returns how many there were.
    pub async fn revoke_all(&self, provider: Option<String>) -> Result<i64> {
        revoke::all(self, provider).await
    }

    /// How the user's connections were used, by provider, operation and time.
    ///
    /// Fails with `invalid` (`malformed_usage_query`).
    pub async fn usage(&self, query: UsageQuery) -> Result<UsageReport> {
        let whose = usage::Whose::User(self.principal.user_id);
        usage::run(&self.inner, self.principal.workspace_id, whose, query).await
    }

    /// How all connections of the workspace were used, by user, provider, operation and time. For its owners and admins.
    ///
    /// Fails with `forbidden` (`not_an_admin`) or `invalid` (`malformed_usage_query`).
    pub async fn workspace_usage(&self, query: UsageQuery) -> Result<UsageReport> {
        self.principal.check_admin("see how its connections are used")?;
        usage::run(&self.inner, self.principal.workspace_id, usage::Whose::Everybody, query).await
    }

    /// One connected account, by its id.
    ///
    /// Fails with `not_found` (also `unknown_provider`: it is no longer configured, or the workspace has removed it).
    pub async fn open(&self, id: ConnectionId) -> Result<Connection> {
        let account = store::get(self.inner.db()?, &self.principal, id).await?;
        self.connection(&account).await
    }
}

impl Connections {
    async fn connection(&self, account: &ConnectedAccount) -> Result<Connection> {
        let app = registered::of(&self.inner, self.principal.workspace_id, &account.provider, account.provider_id).await?;
        Ok(Connection { inner: Arc::clone(&self.inner), principal: self.principal.clone(), id: account.id, app })
    }
}

/// One connected account: its state, and the way to its data.
///
/// Whatever calls the provider, files and mail and calendars too, fails with `forbidden` (`secret_policy_denied`) where a policy of the
/// workspace does not allow it: see `SecretPolicies`.
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

    /// The account's tasks.
    pub fn tasks(&self) -> RemoteTasks {
        RemoteTasks { connection: self.clone() }
    }

    /// The account's channels and messages.
    pub fn chat(&self) -> Chat {
        Chat { connection: self.clone() }
    }

    /// The account's contacts, companies and deals.
    pub fn crm(&self) -> Crm {
        Crm { connection: self.clone() }
    }

    /// The account's payments.
    pub fn payments(&self) -> Payments {
        Payments { connection: self.clone() }
    }

    /// The account's repositories.
    pub fn code(&self) -> Code {
        Code { connection: self.clone() }
    }

    /// The account's shop.
    pub fn commerce(&self) -> Commerce {
        Commerce { connection: self.clone() }
    }

    /// The account's documents.
    pub fn documents(&self) -> Documents {
        Documents { connection: self.clone() }
    }

    /// The account's meetings.
    pub fn meetings(&self) -> Meetings {
        Meetings { connection: self.clone() }
    }

    /// The account's books.
    pub fn accounting(&self) -> Accounting {
        Accounting { connection: self.clone() }
    }

    /// The account's help desk.
    pub fn support(&self) -> Support {
        Support { connection: self.clone() }
    }

    /// The account's profile and posts at a social network.
    pub fn social(&self) -> Social {
        Social { connection: self.clone() }
    }

    /// The account's designs.
    pub fn design(&self) -> Design {
        Design { connection: self.clone() }
    }

    /// The account's workflows at another service.
    pub fn automation(&self) -> Automation {
        Automation { connection: self.clone() }
    }

    /// The account's push notifications.
    pub fn push(&self) -> Push {
        Push { connection: self.clone() }
    }

    /// A valid access token, refreshed first if it is about to expire: for a vendor's own SDK. Prefer `request`, which keeps the
    /// token inside. Tokens leave only where the provider was configured with `export_tokens`, and each one that does stands in the audit log.
    ///
    /// Fails with `forbidden` (`token_export_not_allowed`, `secret_policy_denied`), `unsupported` (`no_bearer_token`: the account was connected with something else,
    /// such as an API key), `reauth_required` (the grant is gone: `reconnect`), `not_connected` (it was revoked) or `unavailable`
    /// (`refresh_paused`: the provider failed moments ago, wait for `retry_after`; `refresh_busy`: it takes longer than 40 seconds; and
    /// others: call again).
    pub async fn access_token(&self) -> Result<AccessToken> {
        export::run(self, DEFAULT).await
    }

    /// The access token of one of the connection's further token sets, such as `user` beside a bot's, or one for another audience.
    ///
    /// Fails as `access_token` does, with `not_connected` (`no_token_set`: the user did not grant it) or with `reauth_required`
    /// (`grant_insufficient`: the provider refuses this set for the account; it is asked again after a day, or when the user connects again).
    pub async fn access_token_of(&self, token_set: String) -> Result<AccessToken> {
        export::run(self, &token_set).await
    }

    /// Carries out any operation of the provider by its name, a unified one (`files.list`) or the vendor's own (`slack.pins_list`): see
    /// `Provider.capabilities` for their names and inputs.
    ///
    /// A list gives `{items, next_cursor}`, of which the cursor goes into the next input as `cursor`; bytes are base64 in `{content}`, a text
    /// is `{text}`, and what has no answer gives `{}`. A record has the unified fields, `provider`, and the vendor's own as `raw`.
    ///
    /// Fails with `unsupported` (`unsupported_operation`; `unsupported_input`: the provider has no use for an input, or not for this value
    /// of it), `invalid` (`malformed_input`, `missing_input`, `malformed_cursor`), `not_found`, `conflict`, `rate_limited` (the provider's
    /// limit, or `local_budget`: too many calls of this connection wait here), `reauth_required`, `forbidden`, `provider` or `unavailable`.
    pub async fn call(&self, operation: String, input: Json) -> Result<Json> {
        engine::call_untyped(self, &operation, &input).await
    }

    /// All records of a list, page after page. The input is that of `call`.
    ///
    /// Fails as `call` does, and with `unsupported` (`no_list`).
    pub async fn records(&self, operation: String, input: Json) -> Result<RecordStream> {
        engine::stream_records(self, &operation, &input).await
    }

    /// The bytes of a download as they arrive, of any length. The input is that of `call`.
    ///
    /// Fails as `call` does, and with `unsupported` (`no_bytes`).
    pub async fn download(&self, operation: String, input: Json) -> Result<ByteStream> {
        engine::download(self, &operation, &input).await
    }

    /// Any call of the provider's API, authenticated, refreshed and limited to the provider's own hosts. What the provider repeats of the token is
    /// cut out of its answer.
    ///
    /// An answer with an error status is an answer, not an error. Fails with `invalid` (`host_not_allowed`), `forbidden`
    /// (`secret_policy_denied`), `reauth_required` or `unavailable`.
    pub async fn request(&self, request: RawRequest) -> Result<RawResponse> {
        request::raw(self, request).await
    }

    /// How the connection was used, by operation and time: calls, how they failed, and how long they took. What is counted is stored a moment later,
    /// and kept after the connection has ended.
    ///
    /// Fails with `invalid` (`malformed_usage_query`).
    pub async fn usage(&self, query: UsageQuery) -> Result<UsageReport> {
        usage::run(&self.inner, self.principal.workspace_id, usage::Whose::Connection(self.id), query).await
    }

    /// Begins the consent that mends this connection: the same account, the same scopes. Send the user's browser to the returned URL, and
    /// complete it as any other.
    ///
    /// Fails with `rate_limited`, or with `unsupported` (`other_flow`: the account was connected with `connect` or `start_device`, and is
    /// connected again in the same way).
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
    /// One of the stored token sets, if the connection is in use and has it.
    pub(crate) async fn stored(&self, set: &str) -> Result<Option<Stored>> {
        let workspace = self.principal.workspace_id;
        let stored = vault::load(&self.inner, workspace, self.id, set).await?;
        if stored.is_some() || (set != DEFAULT && !vault::names(self.inner.db()?, workspace, self.id).await?.is_empty()) {
            return Ok(stored);
        }
        store::get(self.inner.db()?, &self.principal, self.id).await?;
        let text = "this account was disconnected: connect it again";
        Err(Error::new(ErrorKind::NotConnected, "disconnected", text).with_provider(&self.app.manifest.name))
    }

    /// The stored tokens, perhaps as they were moments ago: for those who use them and write nothing.
    async fn recent(&self, set: &str) -> Result<Option<Stored>> {
        // Few connections have other sets.
        if set != DEFAULT {
            return self.stored(set).await;
        }
        // A fork has its parent's memory, but may not use it.
        self.inner.db()?;
        let none = || Error::internal("token_set", "a connection that is in use has no tokens");
        let load = async { self.stored(DEFAULT).await?.ok_or_else(none) };
        self.inner.token_cache.read((self.principal.workspace_id, self.id), load).await.map(Some)
    }

    /// The way out for its requests.
    pub(crate) fn outlet(&self) -> outlet::Outlet<'_> {
        self.app.outlet(&self.inner)
    }

    /// What policies say of it.
    fn target(&self) -> Target<'_> {
        Target::Connection { provider: &self.app.manifest.name, id: Some(self.id) }
    }

    /// Refuses what the workspace's policies do not allow, or what the connection no longer may.
    pub(crate) async fn permits(&self, request: &crate::http_client::Request) -> Result<()> {
        policies::check_request(&self.inner, &self.principal, self.target(), request).await?;
        self.stored(DEFAULT).await.map(drop)
    }

    /// Has the next reader ask the database.
    fn forget(&self) {
        self.inner.token_cache.forget((self.principal.workspace_id, self.id));
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
            Some("credentials_refused") => (
                "credentials_refused",
                "the provider no longer accepts the credentials of this account: connect it again with new ones",
            ),
            _ => ("invalid_grant", "the provider no longer accepts this grant: connect the account again"),
        };
        Error::new(ErrorKind::ReauthRequired, reason, text).with_provider(&self.app.manifest.name)
    }

    /// What requests depend on that is known of the account.
    pub(crate) async fn facts(&self) -> Result<Facts> {
        let manifest = &self.app.manifest;
        let is_filled = manifest.auth.as_ref().is_some_and(OAuth2::is_filled);
        let is_needed = manifest.uses_facts || is_filled || !manifest.inputs.is_empty();
        if is_needed { store::facts(self.inner.db()?, &self.principal, self.id).await } else { Ok(Facts::new()) }
    }

    /// Sends a request whose answer is read piece by piece.
    pub(crate) async fn open(
        &self,
        set: Option<&str>,
        facts: &Facts,
        request: crate::http_client::Request,
        meter: &mut Meter<'_>,
    ) -> Result<reqwest::Response> {
        request::opened(self, set.unwrap_or(DEFAULT), facts, request, meter).await
    }

    /// Sends a request of an operation with one of the token sets, or the first.
    pub(crate) async fn send(
        &self,
        set: Option<&str>,
        facts: &Facts,
        request: crate::http_client::Request,
        meter: &mut Meter<'_>,
    ) -> Result<crate::http_client::Response> {
        request::authorized(self, set.unwrap_or(DEFAULT), facts, request, meter).await
    }
}
