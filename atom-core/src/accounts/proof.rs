//! How users prove who they are, and what such a proof rests on.

use super::{email, factors, social, store};
use crate::crypto::hex;
use crate::storage::Tx;
use crate::{Error, ErrorKind, FactorId, IdentityId, Result, UserId};
use atom_macros::model;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A way in which a user proves who they are.
#[model]
pub enum SignInMethod {
    /// A password.
    Password,
    /// A code that was mailed.
    EmailCode,
    /// A link that was mailed.
    MagicLink,
    /// An account at another service.
    Social,
    /// A code of an authenticator app.
    Totp,
    /// A recovery code.
    RecoveryCode,
    /// A passkey.
    Passkey,
}

impl SignInMethod {
    /// Whether it proves that the user has a second factor.
    pub(super) fn is_factor(self) -> bool {
        matches!(self, Self::Totp | Self::RecoveryCode | Self::Passkey)
    }
}

/// What a proof rests on. Between the proof and the session that it leads to, it may be taken from the user.
#[derive(Clone, Serialize, Deserialize)]
pub(super) enum Ground {
    /// A password, by the [`fingerprint`] of its hash.
    Password(String),
    /// An address, as an identifier.
    Address(String),
    /// An account at a provider.
    Identity(IdentityId),
    /// A passkey.
    Passkey(FactorId),
}

impl Ground {
    /// A password that was right, by its hash.
    pub(super) fn password(hash: &str) -> Self {
        Self::Password(fingerprint(hash))
    }

    /// An address whose mail was read.
    pub(super) fn address(address: &str) -> Self {
        Self::Address(email::identifier(address))
    }

    /// Refuses a proof whose ground is the user's no more. What stands, stands until the transaction ends.
    ///
    /// Fails with `unauthenticated` (`proof_outdated`) or `forbidden` (`user_disabled`).
    pub(super) async fn hold(&self, tx: &mut Tx, user: UserId) -> Result<()> {
        let row = store::hold_user(tx, user).await?.ok_or_else(store::user_disabled)?;
        let stands = match self {
            Self::Password(known) => row.password_hash.as_deref().is_some_and(|hash| fingerprint(hash) == *known),
            Self::Address(known) => email::identifier(&row.email) == *known,
            Self::Passkey(id) => factors::is_passkey_of(tx, user, *id).await?,
            Self::Identity(id) => social::has_identity(tx, user, *id).await?,
        };
        if stands { Ok(()) } else { Err(outdated()) }
    }
}

/// What may be kept of a password's hash to see whether it is the same later.
pub(super) fn fingerprint(password_hash: &str) -> String {
    hex(&Sha256::digest(password_hash))
}

fn outdated() -> Error {
    let text = "what has just proved who this is was changed or removed at the same moment: let the user sign in again";
    Error::new(ErrorKind::Unauthenticated, "proof_outdated", text)
}
