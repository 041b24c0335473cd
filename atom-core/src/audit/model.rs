//! What the audit API takes and returns.

use crate::{SessionId, UserId};
use atom_macros::model;
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// What was done.
#[model]
pub enum AuditAction {
    /// A user signed up, and their workspace was made.
    SignedUp,
    /// The host imported a user, and their workspace was made.
    UserImported,
    /// What is known of a user was changed; the details say what of it.
    UserUpdated,
    /// The operator disabled a user's account, and their sessions were ended.
    UserDisabled,
    /// The operator enabled a user's account again.
    UserEnabled,
    /// Everything that is held about a user was written into one document, for the user or the operator.
    UserExported,
    /// A user was erased: this entry is in the installation's log.
    UserErased,
    /// A user's password was changed; the details say how: `changed`, `set` where there was none, or `reset` by a link that was mailed.
    PasswordChanged,
    /// A user signed in.
    SignedIn,
    /// A user proved once more who they are; the details say how.
    SteppedUp,
    /// A user proved that their address is theirs.
    EmailVerified,
    /// A user got another address.
    EmailChanged,
    /// A user added a second factor; the details say which.
    FactorAdded,
    /// A user removed a second factor.
    FactorRemoved,
    /// A user made new recovery codes.
    RecoveryCodesRenewed,
    /// A passkey was refused, because it counts its signatures from an earlier number than before: there may be a copy of it.
    PasskeyRefused,
    /// A recovery code stood in for a user's second factor; the details say how many are left.
    RecoveryCodeUsed,
    /// A user ended a session.
    SignedOut,
    /// A user ended a session from another one or by a new password, or the host did for them.
    SessionRevoked,
    /// An old refresh token came back, so the session was ended.
    RefreshTokenReused,
    /// An account at a provider was linked, to sign in with.
    IdentityLinked,
    /// It was unlinked.
    IdentityUnlinked,
    /// A workspace was made by somebody who had an account.
    WorkspaceCreated,
    /// A user who was signed in to another workspace entered this one.
    WorkspaceEntered,
    /// A workspace got another name.
    WorkspaceRenamed,
    /// A workspace was deleted, with its log: this entry is in the installation's.
    WorkspaceDeleted,
    /// The host said how many seats a workspace has; the details say how many.
    WorkspaceSeatsChanged,
    /// A member got another role; the details say which, and which it was.
    MemberRoleChanged,
    /// A member was removed.
    MemberRemoved,
    /// A member left, or was erased.
    MemberLeft,
    /// Somebody was invited, or sent their invitation once more; the details say to which role.
    InvitationSent,
    /// An invitation was withdrawn.
    InvitationRevoked,
    /// An invitation was accepted by the member who acted; the details say to which role.
    InvitationAccepted,
    /// An account at a provider was connected, or connected again.
    Connected,
    /// The provider no longer accepts a connection's grant.
    ReauthRequired,
    /// A connection was revoked and its tokens were destroyed.
    Disconnected,
    /// A connection's tokens were refreshed.
    TokenRefreshed,
    /// An access token was handed out to the host.
    TokenExported,
    /// A provider of the workspace was registered.
    ProviderRegistered,
    /// A provider of the workspace was changed; the details say what of it.
    ProviderUpdated,
    /// A provider of the workspace was removed; the details say how many connections were ended with it.
    ProviderRemoved,
    /// The provider did not withdraw a grant that was ended here: it has to be ended there by hand.
    RevocationFailed,
    /// A webhook endpoint was added.
    WebhookAdded,
    /// A webhook endpoint was changed, enabled or disabled by somebody.
    WebhookChanged,
    /// A webhook endpoint was removed.
    WebhookRemoved,
    /// A webhook endpoint got a new key.
    WebhookKeyRotated,
    /// Somebody looked at the key that verifies an endpoint's webhooks.
    WebhookKeyRevealed,
    /// A webhook endpoint was disabled because it was gone or kept failing.
    WebhookDisabled,
    /// A service key was stored.
    ServiceKeyAdded,
    /// Somebody used a service key through `request`; the details say how often.
    ServiceKeyUsed,
    /// Somebody looked at the value of a service key.
    ServiceKeyRevealed,
    /// A service key got a new value.
    ServiceKeyRotated,
    /// A service key was changed, but for its value.
    ServiceKeyChanged,
    /// A service key was removed and its values were destroyed.
    ServiceKeyRemoved,
    /// Somebody asked for a secret in an emergency; the details say which, and how long the reason is that the request itself holds.
    EmergencyRequested,
    /// An emergency request was approved, by the member who acted or, as the details say, with the offline key.
    EmergencyApproved,
    /// An emergency request has the approvals that it needs.
    EmergencyGranted,
    /// An emergency request was denied.
    EmergencyDenied,
    /// Whoever made an emergency request withdrew it.
    EmergencyCancelled,
    /// The secret of an emergency request was revealed.
    EmergencyRevealed,
    /// The time of an emergency request was over.
    EmergencyExpired,
    /// The workspace's offline key is to be another one; the details say from when.
    OfflineKeySet,
    /// The workspace's offline key was removed.
    OfflineKeyRemoved,
    /// A policy of secrets was stored or replaced; the details have it whole.
    SecretPolicyChanged,
    /// A policy of secrets was removed.
    SecretPolicyRemoved,
    /// A policy refused somebody the use of a secret. A loop of them is here once in a second and process.
    SecretUseDenied,
    /// A lease on a secret was granted.
    SecretLeaseGranted,
    /// A lease on a secret was renewed.
    SecretLeaseRenewed,
    /// A lease on a secret was revoked.
    SecretLeaseRevoked,
    /// A lease on a secret was used for the first time; how often since, the lease says.
    SecretLeaseUsed,
    /// A key-encryption key that was retired wraps again.
    KeyTakenIntoUse,
    /// A key-encryption key has lost its last data key to its successor.
    KeyRetired,
    /// The workspace, or the installation, got a new data key.
    DataKeyRotated,
    /// An older data key was destroyed, because no stored record needed it.
    DataKeyDestroyed,
    /// A new signing key was made; the details say from when it signs.
    SigningKeyAdded,
    /// A signing key was retired.
    SigningKeyRetired,
}

/// One entry of the audit log.
#[model]
pub struct AuditEntry {
    /// Its place in the workspace's chain: 1, 2, 3, …
    pub sequence: i64,
    /// When it was done.
    pub at: DateTime<Utc>,
    /// What was done.
    pub action: AuditAction,
    /// Who did it, or on whose behalf it was done.
    pub user_id: Option<UserId>,
    /// The session in which it was done; none for work without the user present.
    pub session_id: Option<SessionId>,
    /// The id of what it was done to.
    pub subject: Option<String>,
    /// What else is known: provider, reason. Never a secret.
    pub details: HashMap<String, String>,
    /// The hash of this entry and, through it, of all before it, in hexadecimal.
    pub hash: String,
}

/// Which entries to list, newest first.
#[model(default)]
pub struct AuditFilter {
    /// Only this action.
    pub action: Option<AuditAction>,
    /// Only what this user did.
    pub user_id: Option<UserId>,
    /// Only what was done to this.
    pub subject: Option<String>,
    /// How many at most on a page, 1 to 1000. Default: 100.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A page of entries.
#[model]
pub struct AuditPage {
    /// The entries, newest first.
    pub items: Vec<AuditEntry>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// What is wrong with a chain.
#[model]
pub enum AuditProblem {
    /// An entry was edited, exchanged or inserted.
    Altered,
    /// An entry is gone.
    Missing,
    /// The end of the log is gone.
    Truncated,
    /// The log was rewritten: a signed checkpoint says otherwise.
    Rewritten,
}

/// What a verification found.
#[model]
pub struct AuditReport {
    /// How many entries are intact, from the first on.
    pub intact_entries: i64,
    /// What is wrong; none if nothing is.
    pub problem: Option<AuditProblem>,
    /// The sequence number where it is wrong.
    pub problem_at: Option<i64>,
}
