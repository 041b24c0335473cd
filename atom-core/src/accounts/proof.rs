//! How users prove who they are.

use atom_macros::model;

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
