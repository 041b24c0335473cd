//! The events of connections, secrets, jobs, mail, webhooks and keys.

use crate::events::payload::{Field, Payload, catalogue};
use crate::events::{EventField, EventType};
use crate::{
    ConnectionId, DataKeyId, EmergencyRequestId, JobId, MailId, SecretLeaseId, ServiceKeyId, SigningKeyId, UserId,
    WebhookEndpointId, WorkspaceProviderId,
};
use chrono::{DateTime, Utc};
use serde::Serialize;

catalogue! {
    /// An account at a provider was connected, or connected again.
    "connection.connected" = ConnectionConnected(about connection_id, of user_id) {
        /// The connection.
        connection_id: ConnectionId,
        /// Whose connection it is.
        user_id: UserId,
        /// The provider's name: `google`.
        provider: String,
    }

    /// A connection's tokens were refreshed.
    "connection.refreshed" = ConnectionRefreshed(about connection_id, of user_id) {
        /// The connection.
        connection_id: ConnectionId,
        /// Whose connection it is.
        user_id: UserId,
        /// The provider's name.
        provider: String,
    }

    /// The provider no longer accepts a connection's grant: the user must connect again.
    "connection.reauth_required" = ConnectionReauthRequired(about connection_id, of user_id) {
        /// The connection.
        connection_id: ConnectionId,
        /// Whose connection it is.
        user_id: UserId,
        /// The provider's name.
        provider: String,
        /// Why: the error code.
        reason: String,
    }

    /// A connection was revoked and its tokens were destroyed.
    "connection.revoked" = ConnectionRevoked(about connection_id, of user_id) {
        /// The connection.
        connection_id: ConnectionId,
        /// Whose connection it was.
        user_id: UserId,
        /// The provider's name.
        provider: String,
    }

    /// A provider of the workspace was registered.
    "provider.registered" = ProviderRegistered(about provider_id) {
        /// The provider.
        provider_id: WorkspaceProviderId,
        /// Its name.
        name: String,
    }

    /// A provider of the workspace was changed.
    "provider.updated" = ProviderUpdated(about provider_id) {
        /// The provider.
        provider_id: WorkspaceProviderId,
        /// Its name.
        name: String,
    }

    /// A provider of the workspace was removed.
    "provider.removed" = ProviderRemoved(about provider_id) {
        /// The provider.
        provider_id: WorkspaceProviderId,
        /// Its name.
        name: String,
    }

    /// A job succeeded whose kind announces it.
    "job.succeeded" = JobSucceeded(about job_id, of user_id) {
        /// The job.
        job_id: JobId,
        /// Its kind.
        kind: String,
        /// On whose behalf it was enqueued.
        user_id: Option<UserId>,
    }

    /// The last attempt at a job failed: it is a dead letter, and can be replayed.
    "job.failed" = JobFailed(about job_id, of user_id) {
        /// The job.
        job_id: JobId,
        /// Its kind.
        kind: String,
        /// On whose behalf it was enqueued.
        user_id: Option<UserId>,
        /// Why: the reason of the failure.
        reason: String,
    }

    /// A job was cancelled.
    "job.cancelled" = JobCancelled(about job_id, of user_id) {
        /// The job.
        job_id: JobId,
        /// Its kind.
        kind: String,
        /// On whose behalf it was enqueued.
        user_id: Option<UserId>,
    }

    /// A job may have done a step that must not be done twice: somebody has to find out and settle it.
    "job.in_doubt" = JobInDoubt(about job_id, of user_id) {
        /// The job.
        job_id: JobId,
        /// Its kind.
        kind: String,
        /// On whose behalf it was enqueued.
        user_id: Option<UserId>,
    }

    /// All jobs of a batch have ended, whatever became of them.
    "batch.finished" = BatchFinished(about batch_id, of user_id) {
        /// The batch.
        batch_id: JobId,
        /// On whose behalf it was enqueued.
        user_id: Option<UserId>,
    }

    /// A webhook endpoint was disabled, because its receiver is gone or has failed for days.
    "webhook.endpoint_disabled" = WebhookEndpointDisabled(about endpoint_id) {
        /// The endpoint.
        endpoint_id: WebhookEndpointId,
        /// Why: `gone` (it answered 410) or `failing`.
        reason: String,
    }

    /// A mail was given up: nobody got it.
    "mail.failed" = MailFailed(about mail_id, of user_id) {
        /// The mail.
        mail_id: MailId,
        /// What it was for: `invite`.
        kind: String,
        /// The user to whom it was, if it was one.
        user_id: Option<UserId>,
        /// Why: `mail_refused`, `mail_expired` or another reason of the attempt.
        reason: String,
    }

    /// A mail came back after it was sent, or its recipient called it spam.
    "mail.bounced" = MailBounced(about mail_id, of user_id) {
        /// The mail.
        mail_id: MailId,
        /// What it was for.
        kind: String,
        /// The user to whom it was, if it was one.
        user_id: Option<UserId>,
        /// Which of the two: `bounced` or `complained`.
        state: String,
        /// Why, as the report said it.
        reason: String,
    }

    /// A service key was stored.
    "service_key.added" = ServiceKeyAdded(about service_key_id, of user_id) {
        /// The key.
        service_key_id: ServiceKeyId,
        /// The service: `openai`.
        service: String,
        /// Whose key it is; `null` if it is the workspace's.
        user_id: Option<UserId>,
    }

    /// A service key was changed, but for its value.
    "service_key.changed" = ServiceKeyChanged(about service_key_id, of user_id) {
        /// The key.
        service_key_id: ServiceKeyId,
        /// The service.
        service: String,
        /// Whose key it is; `null` if it is the workspace's.
        user_id: Option<UserId>,
    }

    /// A service key got a new value.
    "service_key.rotated" = ServiceKeyRotated(about service_key_id, of user_id) {
        /// The key.
        service_key_id: ServiceKeyId,
        /// The service.
        service: String,
        /// Whose key it is; `null` if it is the workspace's.
        user_id: Option<UserId>,
    }

    /// A service key was removed and its values were destroyed.
    "service_key.removed" = ServiceKeyRemoved(about service_key_id, of user_id) {
        /// The key.
        service_key_id: ServiceKeyId,
        /// The service.
        service: String,
        /// Whose key it was; `null` if it was the workspace's.
        user_id: Option<UserId>,
    }

    /// The service will end a service key in a week, or earlier: rotate it.
    "service_key.expiring" = ServiceKeyExpiring(about service_key_id, of user_id) {
        /// The key.
        service_key_id: ServiceKeyId,
        /// The service.
        service: String,
        /// Whose key it is; `null` if it is the workspace's.
        user_id: Option<UserId>,
        /// When it ends.
        expires_at: DateTime<Utc>,
    }

    /// The service has ended a service key, and it is not used any more.
    "service_key.expired" = ServiceKeyExpired(about service_key_id, of user_id) {
        /// The key.
        service_key_id: ServiceKeyId,
        /// The service.
        service: String,
        /// Whose key it is; `null` if it is the workspace's.
        user_id: Option<UserId>,
        /// When it ended.
        expired_at: DateTime<Utc>,
    }

    /// The value of a service key has served for as long as it should: rotate it.
    "service_key.rotation_due" = ServiceKeyRotationDue(about service_key_id, of user_id) {
        /// The key.
        service_key_id: ServiceKeyId,
        /// The service.
        service: String,
        /// Whose key it is; `null` if it is the workspace's.
        user_id: Option<UserId>,
        /// Since when.
        due_at: DateTime<Utc>,
    }

    /// Somebody asked for a secret that nothing lets out otherwise. Owners and admins approve or deny it.
    "emergency.requested" = EmergencyRequested(about request_id, of user_id) {
        /// The request.
        request_id: EmergencyRequestId,
        /// Who made it.
        requester_id: UserId,
        /// The connection whose credential it is about.
        connection_id: Option<ConnectionId>,
        /// Or the service key that it is about.
        service_key_id: Option<ServiceKeyId>,
        /// Whose secret it is; `null` if it is the workspace's.
        user_id: Option<UserId>,
        /// For how many minutes it may be revealed once it is granted.
        minutes: i64,
        /// Until when approvals may come.
        expires_at: DateTime<Utc>,
    }

    /// A request for a secret was approved.
    "emergency.approved" = EmergencyApproved(about request_id, of user_id) {
        /// The request.
        request_id: EmergencyRequestId,
        /// Who approved it; `null` if it was done with the offline key.
        approver_id: Option<UserId>,
        /// Whose secret it is; `null` if it is the workspace's.
        user_id: Option<UserId>,
    }

    /// A request for a secret has the approvals that it needs: whoever made it may reveal the secret, once.
    "emergency.granted" = EmergencyGranted(about request_id, of user_id) {
        /// The request.
        request_id: EmergencyRequestId,
        /// Who made it.
        requester_id: UserId,
        /// The connection whose credential it is about.
        connection_id: Option<ConnectionId>,
        /// Or the service key that it is about.
        service_key_id: Option<ServiceKeyId>,
        /// Whose secret it is; `null` if it is the workspace's.
        user_id: Option<UserId>,
        /// Until when.
        expires_at: DateTime<Utc>,
    }

    /// A request for a secret was denied, or a grant was taken back.
    "emergency.denied" = EmergencyDenied(about request_id, of user_id) {
        /// The request.
        request_id: EmergencyRequestId,
        /// Who denied it.
        denier_id: UserId,
        /// Whose secret it is; `null` if it is the workspace's.
        user_id: Option<UserId>,
    }

    /// Whoever asked for a secret needs it no more.
    "emergency.cancelled" = EmergencyCancelled(about request_id, of user_id) {
        /// The request.
        request_id: EmergencyRequestId,
        /// Who made it.
        requester_id: UserId,
        /// Whose secret it is; `null` if it is the workspace's.
        user_id: Option<UserId>,
    }

    /// A secret was revealed in an emergency. It is known now: rotate the service key, or end the credential at its provider and connect anew.
    "emergency.revealed" = EmergencyRevealed(about request_id, of user_id) {
        /// The request.
        request_id: EmergencyRequestId,
        /// Who made it.
        requester_id: UserId,
        /// The connection whose credential it is about.
        connection_id: Option<ConnectionId>,
        /// Or the service key that it is about.
        service_key_id: Option<ServiceKeyId>,
        /// Whose secret it is; `null` if it is the workspace's.
        user_id: Option<UserId>,
    }

    /// A request for a secret was not approved in time, or not used in time.
    "emergency.expired" = EmergencyExpired(about request_id, of user_id) {
        /// The request.
        request_id: EmergencyRequestId,
        /// Who made it.
        requester_id: UserId,
        /// Whose secret it is; `null` if it is the workspace's.
        user_id: Option<UserId>,
    }

    /// An owner set the key that approves offline. It counts from a moment on; if nobody knows of it, set the right one again before.
    "emergency.offline_key_set" = OfflineKeySet(about public_key) {
        /// The public key, in hexadecimal.
        public_key: String,
        /// Who set it.
        setter_id: UserId,
        /// From when on it counts.
        accepted_from: DateTime<Utc>,
    }

    /// An owner removed the key that approves offline.
    "emergency.offline_key_removed" = OfflineKeyRemoved(about remover_id) {
        /// Who removed it.
        remover_id: UserId,
    }

    /// A policy of secrets was stored or replaced.
    "secret_policy.changed" = SecretPolicyChanged(about name) {
        /// Its name.
        name: String,
        /// What it does: `allow` or `deny`.
        effect: String,
    }

    /// A policy of secrets was removed.
    "secret_policy.removed" = SecretPolicyRemoved(about name) {
        /// Its name.
        name: String,
    }

    /// A policy refused somebody the use of a secret. A loop of them is told once in a second and process.
    "secret.denied" = SecretDenied(about secret_id, of user_id) {
        /// The id of the connection or the service key.
        secret_id: String,
        /// Who was refused.
        user_id: UserId,
        /// The connection's provider; `null` for a service key.
        provider: Option<String>,
        /// The key's service; `null` for a connection.
        service: Option<String>,
        /// What was refused: `request` or `export`.
        action: String,
        /// What for, where that was said.
        purpose: Option<String>,
        /// With which tool, where that was said.
        tool: Option<String>,
        /// The policy that denies it; `null` where none of those that allow it to others fits.
        policy: Option<String>,
    }

    /// A lease on a secret was granted.
    "secret_lease.granted" = SecretLeaseGranted(about lease_id, of user_id) {
        /// The lease.
        lease_id: SecretLeaseId,
        /// Who granted it.
        user_id: UserId,
        /// What for.
        purpose: String,
        /// With which tool.
        tool: Option<String>,
        /// When it ends, unless it is renewed.
        expires_at: DateTime<Utc>,
    }

    /// A lease on a secret was renewed.
    "secret_lease.renewed" = SecretLeaseRenewed(about lease_id, of user_id) {
        /// The lease.
        lease_id: SecretLeaseId,
        /// Who granted it.
        user_id: UserId,
        /// When it ends now.
        expires_at: DateTime<Utc>,
    }

    /// A lease on a secret was revoked.
    "secret_lease.revoked" = SecretLeaseRevoked(about lease_id, of user_id) {
        /// The lease.
        lease_id: SecretLeaseId,
        /// Who granted it.
        user_id: UserId,
    }

    /// The workspace got a new data key. Its records are being sealed anew.
    "workspace.key_rotated" = WorkspaceKeyRotated(about key_id) {
        /// The new data key.
        key_id: DataKeyId,
        /// Which one of the workspace it is: 2 after the first rotation.
        generation: i64,
    }

    /// An older data key of the workspace was destroyed, because no stored record needed it.
    "workspace.key_destroyed" = WorkspaceKeyDestroyed(about key_id) {
        /// The data key.
        key_id: DataKeyId,
    }

    /// The workspace's data key has sealed so much that it should be rotated: `keys.rotate_workspace`.
    "workspace.key_worn" = WorkspaceKeyWorn(about key_id) {
        /// The data key.
        key_id: DataKeyId,
        /// How many records it has sealed, at most. At 2^32 it seals no more.
        seals: i64,
    }

    /// A key-encryption key of the installation wraps no data key any more: it can be taken away. It is among `Keys.events`.
    "atom.key_retired" = KeyRetired(about fingerprint) {
        /// Its fingerprint.
        fingerprint: String,
        /// The fingerprint of the key that took its place.
        successor: String,
    }

    /// A new key that signs access tokens was made. It is among `Keys.events`.
    "atom.signing_key_added" = SigningKeyAdded(about key_id) {
        /// The key.
        key_id: SigningKeyId,
        /// When its turn to sign begins.
        signs_from: DateTime<Utc>,
    }

    /// A key that signed access tokens is retired. It is among `Keys.events`.
    "atom.signing_key_retired" = SigningKeyRetired(about key_id) {
        /// The key.
        key_id: SigningKeyId,
    }
}
