//! What the secret policies API takes and returns.

use crate::accounts::{Purpose, Role};
use crate::{ConnectionId, ServiceKeyId, UserId};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// What a policy does with the uses that it fits.
#[model]
#[derive(Default)]
pub enum SecretEffect {
    /// It lets them happen, and nothing that no `allow` policy fits.
    Allow,
    /// It refuses them, whatever others say.
    #[default]
    Deny,
}

/// What is done with a secret.
#[model]
pub enum SecretAction {
    /// A request that Atom makes with it; the caller gets the answer.
    Request,
    /// The value itself is handed out.
    Export,
}

/// A policy to be stored. A list that is empty or absent says nothing; all that is said must fit.
#[model(default)]
pub struct NewSecretPolicy {
    /// Its name in the workspace: 1 to 64 small letters, digits, `.`, `_` and `-`. Refusals name it.
    pub name: String,
    /// Whether it allows or denies.
    pub effect: SecretEffect,
    /// Which actions it is about. Default: both.
    pub actions: Option<Vec<SecretAction>>,
    /// Connections at these providers. Naming providers or connections, and neither services nor keys, leaves service keys out; and the other way
    /// round. Default: all connections and all service keys.
    pub providers: Option<Vec<String>>,
    /// Keys of these services.
    pub services: Option<Vec<String>>,
    /// Only these connections.
    pub connection_ids: Option<Vec<ConnectionId>>,
    /// Only these service keys.
    pub service_key_ids: Option<Vec<ServiceKeyId>>,
    /// Members with these roles. Default: all.
    pub roles: Option<Vec<Role>>,
    /// These members. Default: all.
    pub user_ids: Option<Vec<UserId>>,
    /// Uses for these purposes. Default: any, and none.
    pub purposes: Option<Vec<String>>,
    /// Uses with these tools. Default: any, and none.
    pub tools: Option<Vec<String>>,
    /// Requests with these methods: `GET`, `POST`, `PUT`, `PATCH`, `DELETE`, `HEAD`. An export has none, so a policy that names methods fits no
    /// export. Default: any.
    pub methods: Option<Vec<String>>,
}

/// A policy. An empty list says nothing.
#[model]
pub struct SecretPolicy {
    /// Its name in the workspace.
    pub name: String,
    /// Whether it allows or denies.
    pub effect: SecretEffect,
    /// Which actions it is about.
    pub actions: Vec<SecretAction>,
    /// The providers of connections.
    pub providers: Vec<String>,
    /// The services of service keys.
    pub services: Vec<String>,
    /// Single connections.
    pub connection_ids: Vec<ConnectionId>,
    /// Single service keys.
    pub service_key_ids: Vec<ServiceKeyId>,
    /// The roles of members.
    pub roles: Vec<Role>,
    /// Single members.
    pub user_ids: Vec<UserId>,
    /// Purposes.
    pub purposes: Vec<String>,
    /// Tools.
    pub tools: Vec<String>,
    /// HTTP methods, in capitals.
    pub methods: Vec<String>,
    /// When there first was a policy of this name.
    pub created_at: DateTime<Utc>,
    /// When it was last put.
    pub updated_at: DateTime<Utc>,
}

/// A secret that is used.
#[model]
pub enum SecretTarget {
    /// The tokens of a connection.
    Connection {
        /// The provider's name: `google`.
        provider: String,
        /// The connection. A question without it is about no single one, and policies for single ones are left out.
        connection_id: Option<ConnectionId>,
    },
    /// A service key.
    ServiceKey {
        /// The service: `openai`.
        service: String,
        /// The key. A question without it is about no single one, and policies for single ones are left out.
        service_key_id: Option<ServiceKeyId>,
    },
}

/// A use of a secret that is asked about.
#[model]
pub struct SecretUse {
    /// The secret.
    pub target: SecretTarget,
    /// What would be done with it.
    pub action: SecretAction,
    /// Who would do it. Default: who asks.
    pub user_id: Option<UserId>,
    /// With which role. Default: the one that the user has.
    pub role: Option<Role>,
    /// What for. Default: no purpose.
    pub purpose: Option<Purpose>,
    /// With which HTTP method. Default: none, as an export.
    pub method: Option<String>,
}

/// Why a use is allowed or not.
#[model]
pub enum SecretDecisionReason {
    /// A `deny` policy fits.
    Denied,
    /// An `allow` policy fits.
    Allowed,
    /// There are `allow` policies for it, and none of them fits.
    NotAllowed,
    /// No policy decides: what holds without policies.
    NoPolicy,
}

/// What policies say of a use.
#[model]
pub struct SecretDecision {
    /// Whether policies let it happen.
    pub is_allowed: bool,
    /// Why.
    pub reason: SecretDecisionReason,
    /// The policy that decides, if one does.
    pub policy: Option<String>,
}
