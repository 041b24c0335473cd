//! The events of how people prove who they are.

use crate::events::payload::{Field, Payload, catalogue};
use crate::events::{EventField, EventType};
use crate::{FactorId, IdentityId, UserId};
use serde::Serialize;

catalogue! {
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
