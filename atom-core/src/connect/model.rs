//! What the connections API takes and returns.

use crate::{Bytes, ConnectionId, Json, Secret};
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
    /// Why it is not active: the provider's error code.
    pub state_reason: Option<String>,
    /// What the user granted.
    pub scopes: Vec<String>,
    /// What else the provider tells about the account: tenant, site, data centre.
    pub facts: HashMap<String, String>,
    /// When the access token expires; it is refreshed before that.
    pub expires_at: Option<DateTime<Utc>>,
    /// When the account was first connected.
    pub created_at: DateTime<Utc>,
    /// When the connection or its tokens last changed.
    pub updated_at: DateTime<Utc>,
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

/// A request to the provider's API, without its authentication.
#[model(default)]
pub struct RawRequest {
    /// `GET`, `POST`, `PUT`, `PATCH`, `DELETE` or `HEAD`.
    pub method: String,
    /// The whole URL. Its host must be one of the provider's.
    pub url: String,
    /// Query parameters, added to those in the URL.
    pub query: Option<HashMap<String, String>>,
    /// Further headers. `authorization` and `host` are ours.
    pub headers: Option<HashMap<String, String>>,
    /// A JSON body.
    pub json: Option<Json>,
    /// A body of bytes instead; set its `content-type` among the headers.
    pub content: Option<Bytes>,
}

/// The provider's answer.
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
