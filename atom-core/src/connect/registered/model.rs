//! What the API of a workspace's providers takes and returns.

use crate::connect::Provider;
use crate::{Secret, UserId, WorkspaceProviderId};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// A provider to register.
#[model(secret, default)]
pub struct NewWorkspaceProvider {
    /// The manifest (TOML), at most 256 KiB. Its `name` is the provider's.
    pub manifest: String,
    /// The client id of the workspace's app at the provider, where its methods have one. It can be given later, by `update`, once the app knows the
    /// redirect URI.
    pub client_id: Option<String>,
    /// The client secret; public clients have none. It is sealed, and shown to nobody.
    pub client_secret: Option<Secret>,
}

/// What to change of a workspace's provider; what is absent stays.
#[model(secret, default)]
pub struct WorkspaceProviderPatch {
    /// The `revision` that was read: whoever read an older one is refused.
    pub revision: i64,
    /// The manifest, of the same name.
    pub manifest: Option<String>,
    /// The client id.
    pub client_id: Option<String>,
    /// The client secret.
    pub client_secret: Option<Secret>,
    /// True removes the client secret.
    pub no_client_secret: Option<bool>,
}

/// A provider that a workspace brings.
#[model]
pub struct WorkspaceProvider {
    /// Its id, which stays the same when it is changed.
    pub id: WorkspaceProviderId,
    /// Its name, for `start`, `connect` and `start_device`.
    pub name: String,
    /// Where it sends users back, to be registered there: `OpenOptions.workspace_callback_url` and its id. None where no method needs it, or the
    /// option is missing.
    pub redirect_uri: Option<String>,
    /// The client id.
    pub client_id: String,
    /// Whether there is a client secret.
    pub has_client_secret: bool,
    /// The manifest as it was given.
    pub manifest: String,
    /// The hosts that see tokens.
    pub hosts: Vec<String>,
    /// The hosts that content is fetched from, without a token.
    pub download_hosts: Vec<String>,
    /// The hosts that content is sent to, without a token.
    pub upload_hosts: Vec<String>,
    /// What it can do and how to connect to it.
    pub provider: Provider,
    /// Grows with every change. Pass it to `update`.
    pub revision: i64,
    /// Who registered it.
    pub created_by: UserId,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Who changed it last.
    pub updated_by: UserId,
    /// When.
    pub updated_at: DateTime<Utc>,
}

/// What a manifest would register.
#[model]
pub struct CheckedManifest {
    /// What it can do and how to connect to it.
    pub provider: Provider,
    /// The hosts that would see tokens.
    pub hosts: Vec<String>,
    /// The hosts that content would be fetched from, without a token.
    pub download_hosts: Vec<String>,
    /// The hosts that content would be sent to, without a token.
    pub upload_hosts: Vec<String>,
    /// Whether a method sends users back, so that the installation needs `workspace_callback_url`.
    pub needs_redirect: bool,
}

/// Which providers to list, oldest first.
#[model(default)]
pub struct WorkspaceProviderFilter {
    /// How many at most on a page, 1 to 1000. Default: 100.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A page of providers.
#[model]
pub struct WorkspaceProviderPage {
    /// The providers, oldest first.
    pub items: Vec<WorkspaceProvider>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}
