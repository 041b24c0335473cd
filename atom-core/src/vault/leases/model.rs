//! What the secret leases API takes and returns.

use crate::accounts::Purpose;
use crate::vault::policies::SecretTarget;
use crate::{ConnectionId, Secret, SecretLeaseId, ServiceKeyId, UserId};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// A lease to be granted, on one connection or one service key.
#[model(default)]
pub struct NewSecretLease {
    /// The connection; none where `service_key_id` is given.
    pub connection_id: Option<ConnectionId>,
    /// The service key; none where `connection_id` is given.
    pub service_key_id: Option<ServiceKeyId>,
    /// What the secret may be used for. Policies and the audit log go by it.
    pub purpose: Purpose,
    /// The HTTP methods that may be used: `GET`, `POST`, `PUT`, `PATCH`, `DELETE`, `HEAD`. Default: all.
    pub methods: Option<Vec<String>>,
    /// Where the paths of calls must begin, at most 20: `/drive/v3/files` is for itself and for what is below. A path with `.` or `..` in it, in any
    /// notation, is refused then. Default: anywhere.
    pub path_prefixes: Option<Vec<String>>,
    /// How long it lasts, in seconds, 60 to a day. Default: 900.
    pub seconds: Option<i64>,
    /// Up to when it can be renewed, in seconds from now, at least `seconds` and at most 30 days. Default: a day.
    pub max_seconds: Option<i64>,
    /// How many calls it lets through, 1 to 1,000,000. Default: any number.
    pub max_uses: Option<i64>,
}

/// A lease.
#[model]
pub struct SecretLease {
    /// Its id. It opens nothing.
    pub id: SecretLeaseId,
    /// Who granted it, and on whose behalf it is used.
    pub user_id: UserId,
    /// The secret.
    pub target: SecretTarget,
    /// What it may be used for.
    pub purpose: Purpose,
    /// The HTTP methods that may be used; all if there are none.
    pub methods: Vec<String>,
    /// Where paths must begin; anywhere if there are none.
    pub path_prefixes: Vec<String>,
    /// How many calls it lets through.
    pub max_uses: Option<i64>,
    /// How many it has let through.
    pub use_count: i64,
    /// When it last did.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was granted.
    pub created_at: DateTime<Utc>,
    /// When it ends, unless it is renewed.
    pub expires_at: DateTime<Utc>,
    /// When it ends, however often it is renewed.
    pub ends_at: DateTime<Utc>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A lease with its token.
#[model(secret)]
pub struct GrantedSecretLease {
    /// What is shown to `Atom.use_lease`: `atl_` and 48 characters. Whoever has it can use the lease; it is stored nowhere.
    pub token: Secret,
    /// The lease.
    pub lease: SecretLease,
}

/// Which leases to list, oldest first.
#[model(default)]
pub struct SecretLeaseFilter {
    /// Only those that can be used now, or only the others.
    pub active: Option<bool>,
    /// How many at most on a page, 1 to 1000. Default: 100.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A page of leases.
#[model]
pub struct SecretLeasePage {
    /// The leases, oldest first.
    pub items: Vec<SecretLease>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}
