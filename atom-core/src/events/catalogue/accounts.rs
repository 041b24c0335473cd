//! The events of people, how they prove who they are, and their sessions.

use crate::events::payload::{Field, Payload, catalogue};
use crate::events::{EventField, EventType};
use crate::{FactorId, IdentityId, SessionId, UserId};
use serde::Serialize;

catalogue! {
    /// A user signed up, and the workspace was made for them.
    "user.signed_up" = UserSignedUp(about user_id, of user_id) {
        /// The user.
        user_id: UserId,
    }

    /// The host imported a user, and the workspace was made for them.
    "user.imported" = UserImported(about user_id, of user_id) {
        /// The user.
        user_id: UserId,
    }

    /// A user proved that their address is theirs. Whoever signs up with a proof has no such event.
    "user.email_verified" = UserEmailVerified(about user_id, of user_id) {
        /// The user.
        user_id: UserId,
    }

    /// A user got another address.
    "user.email_changed" = UserEmailChanged(about user_id, of user_id) {
        /// The user.
        user_id: UserId,
    }

    /// A user has a new password. Their other sessions were ended with the old one.
    "user.password_changed" = UserPasswordChanged(about user_id, of user_id) {
        /// The user.
        user_id: UserId,
        /// How: `changed`; `set`, because there was none; or `reset`, by a link that was mailed.
        how: String,
    }

    /// What is known of a user was changed.
    "user.updated" = UserUpdated(about user_id, of user_id) {
        /// The user.
        user_id: UserId,
        /// What of it, with commas between: `display_name`, `locale`, `user_metadata`, `app_metadata`.
        changed: String,
    }

    /// A user's account was disabled, and their sessions were ended.
    "user.disabled" = UserDisabled(about user_id, of user_id) {
        /// The user.
        user_id: UserId,
    }

    /// A user's account can be used again.
    "user.enabled" = UserEnabled(about user_id, of user_id) {
        /// The user.
        user_id: UserId,
    }

    /// A user was erased. It is among the events of the installation: erase what you know of them, too.
    "user.erased" = UserErased(about user_id, of user_id) {
        /// The user.
        user_id: UserId,
    }

    /// A user signed up or in.
    "session.started" = SessionStarted(about session_id, of user_id) {
        /// The session.
        session_id: SessionId,
        /// Whose session it is.
        user_id: UserId,
    }

    /// A session was ended before its time.
    "session.ended" = SessionEnded(about session_id, of user_id) {
        /// The session.
        session_id: SessionId,
        /// Whose session it was.
        user_id: UserId,
        /// Why: `signed_out`; `session_revoked`, by the user in another session or by a new password, or by the host for them; or `refresh_token_reused`, because an old
        /// refresh token came back.
        reason: String,
    }

    /// An account at a provider was linked to a user's, who can sign in with it now.
    "identity.linked" = IdentityLinked(about identity_id, of user_id) {
        /// The identity.
        identity_id: IdentityId,
        /// Whose it is.
        user_id: UserId,
        /// The provider's name: `google`.
        provider: String,
    }

    /// An account at a provider was unlinked.
    "identity.unlinked" = IdentityUnlinked(about identity_id, of user_id) {
        /// The identity.
        identity_id: IdentityId,
        /// Whose it was.
        user_id: UserId,
        /// The provider's name.
        provider: String,
    }

    /// A user added a second factor.
    "user.factor_added" = FactorAdded(about factor_id, of user_id) {
        /// The factor.
        factor_id: FactorId,
        /// Whose factor it is.
        user_id: UserId,
        /// What it is: `totp` or `passkey`.
        factor: String,
    }

    /// A user removed a second factor.
    "user.factor_removed" = FactorRemoved(about factor_id, of user_id) {
        /// The factor.
        factor_id: FactorId,
        /// Whose factor it was.
        user_id: UserId,
        /// What it was: `totp` or `passkey`.
        factor: String,
    }

    /// A user made new recovery codes, and those before are good for nothing.
    "user.recovery_codes_renewed" = RecoveryCodesRenewed(about user_id, of user_id) {
        /// The user.
        user_id: UserId,
    }

    /// A recovery code stood in for a user's second factor.
    "user.recovery_code_used" = RecoveryCodeUsed(about user_id, of user_id) {
        /// The user.
        user_id: UserId,
        /// How many codes are left.
        left: i64,
    }
}
