//! What the connections API takes and returns.

use crate::{ConnectionId, Secret};
use atom_macros::model;
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// A provider that this installation can connect to.
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
    /// The unified operations that it can carry out: `files.list`.
    pub operations: Vec<String>,
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
    /// The account's id at the provider.
    pub account_id: String,
    /// The account's e-mail address, where the provider tells it.
    pub email: Option<String>,
    /// A name to show.
    pub label: Option<String>,
    /// How it is.
    pub state: ConnectionState,
    /// Why it is not active: `invalid_grant` (the provider ended the grant), `no_refresh_token` (it gave none), or `refresh_lost` (its answer
    /// to a refresh was lost with the process that asked, and the token before it is spent).
    pub state_reason: Option<String>,
    /// What the user granted.
    pub scopes: Vec<String>,
    /// What else the provider tells about the account: tenant, site, data centre.
    pub facts: HashMap<String, String>,
    /// When the access token expires; it is refreshed before that.
    pub expires_at: Option<DateTime<Utc>>,
    /// How its refreshes have gone.
    pub health: ConnectionHealth,
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
}

/// A consent that waits for the user.
#[model]
pub struct Authorization {
    /// Where to send the user's browser.
    pub url: String,
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
