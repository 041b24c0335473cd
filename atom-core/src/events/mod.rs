//! Events: what happened in a workspace, in one order, for those who want to react to it.
//!
//! [`append`] writes an event in the transaction of the act (an outbox), so that an event is there exactly if its act is. Each
//! event takes the next number of its workspace by updating the row that holds the last one; that row stays locked until the act is
//! committed. So numbers have no gaps and appear in their order, and a reader that has seen number 7 has seen all before it.
//!
//! Whoever also writes an audit entry does so first: two transactions that took the two rows in different orders would wait
//! for each other. For the same reason a transaction appends to several workspaces only in the order of their ids, as [`append_all`]
//! does.

mod catalogue;
mod model;
mod names;
mod payload;
mod persons;
mod publish;
mod read;
mod store;
mod stream;
mod sweep;
mod tails;

pub(crate) use catalogue::{
    BatchFinished, ConnectionConnected, ConnectionReauthRequired, ConnectionRefreshed, ConnectionRevoked, EmergencyApproved,
    EmergencyCancelled, EmergencyDenied, EmergencyExpired, EmergencyGranted, EmergencyRequested, EmergencyRevealed, FactorAdded,
    FactorRemoved, IdentityLinked, IdentityUnlinked, InvitationRevoked, InvitationSent, JobCancelled, JobFailed, JobInDoubt,
    JobSucceeded, KeyRetired, MailBounced, MailFailed, MemberJoined, MemberLeft, MemberRoleChanged, OfflineKeyRemoved,
    OfflineKeySet, ProviderRegistered, ProviderRemoved, ProviderUpdated, RecoveryCodeUsed, RecoveryCodesRenewed, SecretDenied,
    SecretLeaseGranted, SecretLeaseRenewed, SecretLeaseRevoked, SecretPolicyChanged, SecretPolicyRemoved, ServiceKeyAdded,
    ServiceKeyChanged, ServiceKeyExpired, ServiceKeyExpiring, ServiceKeyRemoved, ServiceKeyRotated, ServiceKeyRotationDue,
    SessionEnded, SessionStarted, SigningKeyAdded, SigningKeyRetired, UserDisabled, UserEmailChanged, UserEmailVerified,
    UserEnabled, UserErased, UserImported, UserPasswordChanged, UserSignedUp, UserUpdated, WebhookEndpointDisabled,
    WorkspaceCreated, WorkspaceDeleted, WorkspaceKeyDestroyed, WorkspaceKeyRotated, WorkspaceKeyWorn, WorkspaceRenamed,
    WorkspaceSeatsChanged, catalogue,
};
pub use model::{Event, EventField, EventFieldType, EventFilter, EventPage, EventSubscription, EventType, PublishEvent};
pub(crate) use names::Names;
pub(crate) use payload::Payload;
pub(crate) use persons::{forget_user, of_user};
pub(crate) use publish::{append, append_all, publish};
pub(crate) use read::{Sight, head, list};
pub(crate) use store::{Draft, forget_workspace};
pub use stream::EventStream;
pub(crate) use stream::subscribe;
pub(crate) use sweep::sweep;
pub(crate) use tails::Tails;

#[cfg(test)]
mod tests;
