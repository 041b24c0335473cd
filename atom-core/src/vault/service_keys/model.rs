//! What the service keys API takes and returns.

use crate::{Secret, ServiceKeyId, UserId};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// Whose a service key is.
#[model]
pub enum ServiceKeyOwner {
    /// The user's own: nobody else sees or uses it.
    User,
    /// The workspace's: its members use it, its owners and admins manage it.
    Workspace,
}

/// How the value of a service key is put into a request.
#[model]
pub enum KeyPlacement {
    /// Into a header, such as `x-api-key`.
    Header {
        /// The header's name.
        name: String,
        /// What stands before the value: `Bearer `, with its space. Default: nothing.
        prefix: Option<String>,
    },
    /// Into the query of the URL.
    Query {
        /// The parameter's name.
        name: String,
    },
    /// Into the `authorization` header, as HTTP Basic.
    Basic {
        /// The user name; the value is the password. Default: the value is the user name, without a password.
        username: Option<String>,
    },
}

/// An API key of another service, to be kept.
#[model(secret, default)]
pub struct NewServiceKey {
    /// The service: 1 to 64 small letters, digits, `.`, `_` and `-`, such as `openai`.
    pub service: String,
    /// The key's name, 1 to 100 characters, its owner's only one of that name for the service. Default: `default`.
    pub name: Option<String>,
    /// The key itself, 8 to 16,384 bytes.
    pub value: Secret,
    /// Whose it is. Default: `user`.
    pub owner: Option<ServiceKeyOwner>,
    /// How it is put into requests. Default: into the header `authorization` after `Bearer `.
    pub placement: Option<KeyPlacement>,
    /// The hosts that it may be sent to by `request`, at most 20: `api.openai.com`, with a port only where it is not 443. Default: none.
    pub hosts: Option<Vec<String>>,
    /// Lets `reveal` return the value. Default: false, and then it is used through `request` only.
    pub exportable: Option<bool>,
    /// When the service ends the key. From then on it is not used, and a week before an event says so.
    pub expires_at: Option<DateTime<Utc>>,
    /// How many days a value serves before an event asks for the next one, 1 to 3650. Default: it is not asked for.
    pub rotate_every_days: Option<i32>,
}

/// What to change of a service key; what is absent stays. The value is changed by `rotate`.
#[model(default)]
pub struct ServiceKeyPatch {
    /// The `revision` that was read: whoever read an older one is refused.
    pub revision: i64,
    /// The key's name.
    pub name: Option<String>,
    /// How it is put into requests.
    pub placement: Option<KeyPlacement>,
    /// The hosts that it may be sent to: some of those that it has.
    pub hosts: Option<Vec<String>>,
    /// False has `reveal` return the value no more.
    pub exportable: Option<bool>,
    /// When the service ends the present value.
    pub expires_at: Option<DateTime<Utc>>,
    /// True removes `expires_at`.
    pub never_expires: Option<bool>,
    /// How many days a value serves before an event asks for the next one. 0 has it asked for no more.
    pub rotate_every_days: Option<i32>,
}

/// The next value of a service key.
#[model(secret, default)]
pub struct ServiceKeyRotation {
    /// The `revision` that was read: whoever read an older one is refused.
    pub revision: i64,
    /// The new key, 8 to 16,384 bytes.
    pub value: Secret,
    /// How long the old value serves where the service refuses the new one, in seconds, 0 to 30 days. Then it is destroyed. Default: 0.
    pub grace_seconds: Option<i64>,
    /// When the service ends the new value. Default: never, whatever the old one had.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A service key, without its value.
#[model]
pub struct ServiceKey {
    /// Its id.
    pub id: ServiceKeyId,
    /// The service: `openai`.
    pub service: String,
    /// Its name.
    pub name: String,
    /// Whose it is; none if it is the workspace's.
    pub user_id: Option<UserId>,
    /// The last four characters of the value, to tell keys apart; none for a value under 24 characters.
    pub hint: Option<String>,
    /// How it is put into requests.
    pub placement: KeyPlacement,
    /// The hosts that it may be sent to.
    pub hosts: Vec<String>,
    /// Whether `reveal` returns the value.
    pub is_exportable: bool,
    /// Grows with every change. Pass it to `update` and `rotate`.
    pub revision: i64,
    /// When the service ends the value.
    pub expires_at: Option<DateTime<Utc>>,
    /// How many days a value serves.
    pub rotate_every_days: Option<i32>,
    /// When the next value is asked for.
    pub rotation_due_at: Option<DateTime<Utc>>,
    /// Until when the value before this one is kept.
    pub previous_until: Option<DateTime<Utc>>,
    /// How often it was used or revealed. What other processes count may come a few seconds late.
    pub use_count: i64,
    /// When it was last used or revealed.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was stored.
    pub created_at: DateTime<Utc>,
    /// When somebody last changed it.
    pub updated_at: DateTime<Utc>,
    /// When the present value was stored.
    pub rotated_at: DateTime<Utc>,
}

/// Which service keys to list, oldest first.
#[model(default)]
pub struct ServiceKeyFilter {
    /// Only those of this service.
    pub service: Option<String>,
    /// Only those of this name.
    pub name: Option<String>,
    /// Only the user's own, or only the workspace's.
    pub owner: Option<ServiceKeyOwner>,
    /// How many at most on a page, 1 to 1000. Default: 100.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A page of service keys.
#[model]
pub struct ServiceKeyPage {
    /// The keys, oldest first.
    pub items: Vec<ServiceKey>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// The value of a service key.
#[model(secret)]
pub struct RevealedServiceKey {
    /// The key itself. Never log or store it.
    pub value: Secret,
    /// The value before it, while that is kept: for a service that does not know the new one yet.
    pub previous: Option<Secret>,
    /// When the service ends the value.
    pub expires_at: Option<DateTime<Utc>>,
}
