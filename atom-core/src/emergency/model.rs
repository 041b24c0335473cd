//! What the emergency API takes and returns.

use crate::{ConnectionId, EmergencyRequestId, Secret, ServiceKeyId, UserId};
use atom_macros::model;
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// What is needed in an emergency: the credential of a connection, or the value of a service key. Name one of the two.
#[model(default)]
pub struct NewEmergencyAccess {
    /// The connection whose credential is needed.
    pub connection_id: Option<ConnectionId>,
    /// The service key whose value is needed.
    pub service_key_id: Option<ServiceKeyId>,
    /// The token set, where the connection has several. Default: `default`.
    pub token_set: Option<String>,
    /// Why, for those who decide: 10 to 500 characters. It is stored sealed, and stands in no event and no audit entry.
    pub reason: String,
    /// For how many minutes the secret may be revealed once it is granted, 5 to 60. Default: 30.
    pub minutes: Option<i32>,
}

/// How an emergency request stands.
#[model]
pub enum EmergencyState {
    /// It waits for approvals.
    Pending,
    /// It has them: whoever made it may reveal the secret.
    Granted,
    /// The secret was revealed.
    Revealed,
    /// Somebody denied it.
    Denied,
    /// Whoever made it withdrew it.
    Cancelled,
    /// It was not approved within a day, or not used within its minutes.
    Expired,
}

/// An approval of an emergency request.
#[model]
pub struct EmergencyApproval {
    /// Who approved it; none if it was done with the offline key.
    pub user_id: Option<UserId>,
    /// When.
    pub at: DateTime<Utc>,
}

/// A request for a secret in an emergency.
#[model]
pub struct EmergencyRequest {
    /// Its id.
    pub id: EmergencyRequestId,
    /// Who made it.
    pub requester_id: UserId,
    /// The connection whose credential is asked for.
    pub connection_id: Option<ConnectionId>,
    /// Which of its token sets.
    pub token_set: Option<String>,
    /// Or the service key whose value is asked for.
    pub service_key_id: Option<ServiceKeyId>,
    /// Whose secret it is; none if it is the workspace's.
    pub user_id: Option<UserId>,
    /// Why. It may hold personal data: show it to those who decide.
    pub reason: String,
    /// For how many minutes the secret may be revealed once it is granted.
    pub minutes: i32,
    /// How it stands.
    pub state: EmergencyState,
    /// The approvals so far, in their order. One whose member is no owner or admin any more does not count.
    pub approvals: Vec<EmergencyApproval>,
    /// What the offline key signs to approve it, while it is pending: these bytes, without a line break at the end.
    pub challenge: Option<String>,
    /// When it was made.
    pub requested_at: DateTime<Utc>,
    /// Until when approvals may come; once it is granted, until when the secret may be revealed.
    pub expires_at: DateTime<Utc>,
    /// When it was granted.
    pub granted_at: Option<DateTime<Utc>>,
    /// When it was revealed, denied, cancelled, or found expired.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Which emergency requests to list, newest first.
#[model(default)]
pub struct EmergencyFilter {
    /// Only those that stand so.
    pub state: Option<EmergencyState>,
    /// How many at most on a page, 1 to 1000. Default: 100.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A page of emergency requests.
#[model]
pub struct EmergencyPage {
    /// The requests, newest first.
    pub items: Vec<EmergencyRequest>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// What a revealed secret is.
#[model]
pub enum EmergencySecretKind {
    /// A bearer token of a connection.
    AccessToken,
    /// What a connection authenticates with that has no bearer token: an API key, a password, a token with its secret.
    Credentials,
    /// The value of a service key.
    ServiceKey,
}

/// A secret that was revealed in an emergency. From now on it is known: rotate it.
#[model(secret)]
pub struct EmergencySecret {
    /// What it is.
    pub kind: EmergencySecretKind,
    /// The token or the value. Never log or store it. None for credentials that are nothing but fields.
    pub value: Option<Secret>,
    /// What the account was connected with, by the names of the method's fields; empty for a bearer token and a service key.
    pub fields: HashMap<String, Secret>,
    /// When it stops working by itself, where that is known.
    pub expires_at: Option<DateTime<Utc>>,
}

/// The public key whose private half approves emergency requests offline.
#[model]
pub struct OfflineKey {
    /// The one that counts now, in hexadecimal.
    pub public_key: Option<String>,
    /// The one that takes its place.
    pub next_public_key: Option<String>,
    /// When.
    pub next_from: Option<DateTime<Utc>>,
}
