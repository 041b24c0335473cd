//! What the connections API takes and returns.

use crate::providers::{Capability, ManifestChange};
use crate::{ConnectionId, DeviceFlowId, Secret, WorkspaceProviderId};
use atom_macros::model;
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// A provider that this installation, or a workspace, can connect to.
#[model]
pub struct Provider {
    /// Its name in calls: `google`.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// The vendor's documentation that its manifest was checked against.
    pub docs_url: String,
    /// When that was: `2026-11-21`.
    pub verified_at: String,
    /// Its services, for `start`.
    pub services: Vec<String>,
    /// The operations that it can carry out: `files.list`.
    pub operations: Vec<String>,
    /// The same in groups, with what each takes and gives.
    pub capabilities: Vec<Capability>,
    /// What this installation changed of the built-in manifest.
    pub overrides: Vec<ManifestChange>,
    /// The ways to connect to it, the usual one first.
    pub methods: Vec<ConnectMethod>,
}

/// A way to connect to a provider.
#[model]
pub struct ConnectMethod {
    /// Its name in calls: `oauth2`, `api_key`.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// How it begins.
    pub flow: ConnectFlow,
    /// What the user gives, in the order to ask for it: as `fields` of `connect`, as `inputs` of `start` and `start_device`.
    pub fields: Vec<ConnectField>,
}

/// How a connection begins, and so with which call.
#[model]
pub enum ConnectFlow {
    /// The user goes to a page of the provider, or through its widget: `start`.
    Browser,
    /// The user or the host gives something: `connect`.
    Fields,
    /// The user types a code elsewhere: `start_device`.
    Device,
}

/// Something that a method of connecting needs.
#[model]
pub struct ConnectField {
    /// Its name in `ConnectWith`: `api_key`.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// Whether it is to be hidden on the screen.
    pub is_secret: bool,
    /// Whether it must be there.
    pub is_required: bool,
    /// What the whole value looks like: a regular expression, as an `input` of HTML takes it.
    pub pattern: Option<String>,
}

/// How a connection is.
#[model]
pub enum ConnectionState {
    /// It works.
    Active,
    /// The provider no longer accepts the grant: the user must connect again.
    ReauthRequired,
    /// The user ended it. Connecting the same account again revives it under its id.
    Revoked,
}

/// How the refreshes of a connection have gone.
#[model]
pub struct ConnectionHealth {
    /// When the stored tokens were obtained; none when there are none.
    pub refreshed_at: Option<DateTime<Utc>>,
    /// How many refreshes have failed since.
    pub failures: i64,
    /// When one failed last, even if others succeeded since.
    pub failed_at: Option<DateTime<Utc>>,
    /// Why: the error's reason, such as `provider_unavailable` or `timeout`.
    pub failed_because: Option<String>,
    /// The provider is not asked again before this moment, because it failed.
    pub retry_at: Option<DateTime<Utc>>,
}

/// One account of one user at one provider.
#[model]
pub struct ConnectedAccount {
    /// The connection's id.
    pub id: ConnectionId,
    /// The provider's name.
    pub provider: String,
    /// Which of the workspace's providers it is; none for one of the installation.
    pub provider_id: Option<WorkspaceProviderId>,
    /// The method that it was connected with: `oauth2`.
    pub method: String,
    /// The account's id at the provider; the field or a fingerprint that stands for it where the provider tells none.
    pub account_id: String,
    /// The account's e-mail address, where the provider tells it.
    pub email: Option<String>,
    /// A name to show.
    pub label: Option<String>,
    /// How it is.
    pub state: ConnectionState,
    /// Why it is not active: `invalid_grant` (the provider ended the grant), `credentials_refused` (it no longer accepts what the user gave),
    /// `no_refresh_token` (it gave none), or `refresh_lost` (its answer to a refresh was lost with the process that asked, and the token
    /// before it is spent).
    pub state_reason: Option<String>,
    /// What the user granted.
    pub scopes: Vec<String>,
    /// What else the provider tells about the account: tenant, site, data centre.
    pub facts: HashMap<String, String>,
    /// When the access token expires; it is refreshed before that.
    pub expires_at: Option<DateTime<Utc>>,
    /// How its refreshes have gone.
    pub health: ConnectionHealth,
    /// How many calls were made with it: operations, `request`s, and tokens that were handed out. It may come a few seconds late.
    pub use_count: i64,
    /// When the last of them was made.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When the user last agreed.
    pub connected_at: DateTime<Utc>,
    /// When the account was first connected.
    pub created_at: DateTime<Utc>,
    /// When the connection or its tokens last changed.
    pub updated_at: DateTime<Utc>,
}

/// Whether an account's grant covers a service of its provider.
#[model]
pub struct ServiceStatus {
    /// The service's name, for `start`: `drive`.
    pub name: String,
    /// Whether everything that the service needs was granted, and the account is in use.
    pub is_available: bool,
    /// What is missing: ask for the service in `start`, and the user is asked for these too.
    pub missing_scopes: Vec<String>,
    /// The unified operations that the service carries out: `files.list`.
    pub operations: Vec<String>,
}

/// An account with what it can be used for.
#[model]
pub struct AccountStatus {
    /// The account.
    pub account: ConnectedAccount,
    /// The provider's services, by name.
    pub services: Vec<ServiceStatus>,
}

/// What a user has connected at a provider.
#[model]
pub struct ProviderStatus {
    /// The provider's name: `google`.
    pub provider: String,
    /// Its name for people.
    pub title: String,
    /// Whether an account is in use.
    pub is_connected: bool,
    /// The e-mail address of the account that was connected last, among those in use.
    pub email: Option<String>,
    /// When the user last agreed.
    pub last_connected_at: Option<DateTime<Utc>>,
    /// All accounts, also those that are to be connected again, oldest first.
    pub accounts: Vec<AccountStatus>,
}

/// What to connect.
#[model(default)]
pub struct StartConnection {
    /// The provider's name: `google`.
    pub provider: String,
    /// The services to ask for, such as `drive` and `calendar`. Default: all that the manifest knows.
    pub services: Option<Vec<String>>,
    /// Further scopes of the provider.
    pub scopes: Option<Vec<String>>,
    /// The e-mail address to suggest on the provider's page.
    pub login_hint: Option<String>,
    /// The method, by its name among the provider's `methods`. Default: `oauth2`, or the only one that begins so.
    pub method: Option<String>,
    /// Where the provider sends the user back: one of the provider's redirect URIs, exactly, or its loopback address with any port. Default:
    /// the first.
    pub redirect_uri: Option<String>,
    /// What the user says about the account, by the names of the method's fields: the name of a shop, of a site.
    pub inputs: Option<HashMap<String, String>>,
}

/// What to connect, and with what.
#[model(secret, default)]
pub struct ConnectWith {
    /// The provider's name.
    pub provider: String,
    /// What the user or the host gives, by the names of the method's fields.
    pub fields: HashMap<String, Secret>,
    /// The method, by its name among the provider's `methods`. Default: the only one that is begun with `connect`.
    pub method: Option<String>,
    /// The scopes to ask for, where the method asks for a token. Default: those of the manifest.
    pub scopes: Option<Vec<String>>,
}

/// What to connect from a device without a browser.
#[model(default)]
pub struct StartDevice {
    /// The provider's name.
    pub provider: String,
    /// The services to ask for. Default: what the manifest says for this method, else all.
    pub services: Option<Vec<String>>,
    /// Further scopes of the provider.
    pub scopes: Option<Vec<String>>,
    /// The method, by its name among the provider's `methods`. Default: the only one that is begun so.
    pub method: Option<String>,
    /// What the user says about the account, by the names of the method's fields.
    pub inputs: Option<HashMap<String, String>>,
}

/// What to show a user who is to type a code elsewhere.
#[model]
pub struct DeviceAuthorization {
    /// What to poll with.
    pub id: DeviceFlowId,
    /// The code to type.
    pub user_code: String,
    /// Where to type it.
    pub verification_url: String,
    /// The same with the code in it, for a QR code, where the provider has it.
    pub verification_url_complete: Option<String>,
    /// Until when.
    pub expires_at: DateTime<Utc>,
    /// When to poll first.
    pub poll_at: DateTime<Utc>,
    /// How many seconds to wait between polls, unless a poll says otherwise.
    pub interval_seconds: i64,
}

/// Whether a user has typed the code.
#[model]
pub enum DeviceState {
    /// Not yet: poll again.
    Pending,
    /// The account is connected.
    Connected,
}

/// What a poll found.
#[model]
pub struct DevicePoll {
    /// Whether it is done.
    pub state: DeviceState,
    /// The connection, when it is: `open` it.
    pub connection_id: Option<ConnectionId>,
    /// When to poll again, while it is not. A poll before that is answered without asking the provider.
    pub poll_at: Option<DateTime<Utc>>,
}

/// A consent that waits for the user.
#[model]
pub struct Authorization {
    /// Where to send the user's browser; empty where the provider's widget is opened with `link_token` instead.
    pub url: String,
    /// What the provider's widget is opened with, and `complete_link` is called with.
    pub link_token: Option<String>,
    /// Until when the user may come back.
    pub expires_at: DateTime<Utc>,
}

/// A valid access token.
#[model(secret)]
pub struct AccessToken {
    /// The bearer token. Never log or store it.
    pub token: Secret,
    /// When it expires.
    pub expires_at: Option<DateTime<Utc>>,
    /// What it may be used for.
    pub scopes: Vec<String>,
}
