//! What the API of factors takes and returns.

use crate::accounts::Client;
use crate::{FactorId, Json, Secret, WorkspaceId};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// What a second factor is.
#[model]
pub enum FactorKind {
    /// An authenticator app, which shows codes.
    Totp,
    /// A passkey: a key pair of a device, or of a manager of passwords.
    Passkey,
    /// A recovery code, which stands in for a factor that was lost.
    RecoveryCode,
}

/// A second factor of a user's.
#[model]
pub struct Factor {
    /// Its id.
    pub id: FactorId,
    /// What it is.
    pub kind: FactorKind,
    /// What its user calls it.
    pub name: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last used to prove who its user is.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// What an authenticator app needs to know: show it once, and keep it nowhere.
#[model(secret)]
pub struct TotpSetup {
    /// The factor that it will be.
    pub id: FactorId,
    /// The secret in base32, for whoever types it.
    pub secret: Secret,
    /// The same with all that the app shows, for a QR code: `otpauth://totp/…`.
    pub otpauth_uri: Secret,
    /// Until when it can be confirmed.
    pub expires_at: DateTime<Utc>,
}

/// A factor that was added.
#[model(secret)]
pub struct AddedFactor {
    /// The factor.
    pub factor: Factor,
    /// Ten recovery codes, if the user had none: show them once, to be kept where no device can lose them. Empty otherwise.
    pub recovery_codes: Vec<Secret>,
}

/// Recovery codes, which can be shown only now.
#[model(secret)]
pub struct RecoveryCodes {
    /// The codes, each good for one time: `xxxx-xxxx-xxxx-xxxx`.
    pub codes: Vec<Secret>,
}

/// A sign-in that waits for a second factor. It is no session: nothing but the completion of this sign-in takes its token, five tries and ten
/// minutes long, and it ends when the password changes.
///
/// ```compile_fail,E0308
/// fn session(pending: atom_core::PendingFactor) -> atom_core::Session {
///     pending
/// }
/// ```
#[model(secret)]
pub struct PendingFactor {
    /// What `Accounts.complete_with_totp` and its like take. Keep it where only this client can read it.
    pub token: Secret,
    /// What the user can complete it with.
    pub factors: Vec<FactorKind>,
    /// Until when.
    pub expires_at: DateTime<Utc>,
}

/// What a page asks a passkey for.
///
/// An answer counts once, whatever becomes of it. One that is refused says why:
///
/// | reason | what was not right |
/// | --- | --- |
/// | `unknown_passkey_challenge` | the challenge was answered before, has expired, or is for something else |
/// | `passkey_unknown` | nobody who may use it here has such a passkey; a page may tell the device with `signalUnknownCredential` |
/// | `passkey_user_absent`, `passkey_user_unverified` | nobody touched the device, or it did not ask for a PIN or a part of the body |
/// | `passkey_wrong_origin`, `passkey_framed` | the page is none of `passkey_origins`, or stands within another one |
/// | `passkey_wrong_relying_party` | it is for another domain |
/// | `passkey_wrong_challenge`, `passkey_wrong_ceremony` | it answers another challenge, or another question |
/// | `passkey_wrong_signature` | it was not signed by the passkey |
/// | `passkey_backups_changed` | it says another thing of its backups than when it was added |
/// | `passkey_copied` | it has counted its signatures from an earlier number than before: there may be a copy of it, so remove it |
/// | `passkey_wrong_algorithm`, `passkey_attested` | a new one has a key that was not asked for, or names its maker |
/// | `passkey_malformed` | it is not what `credential.toJSON()` gives |
#[model(secret)]
pub struct PasskeyChallenge {
    /// What comes back with the answer: keep it where only this client can read it, and not where the page can.
    pub token: Secret,
    /// What the page hands to `PublicKeyCredential.parseCreationOptionsFromJSON`, to add a passkey, or to `parseRequestOptionsFromJSON`.
    pub options: Json,
    /// Until when it can be answered.
    pub expires_at: DateTime<Utc>,
}

/// What is needed to sign in with a passkey.
#[model(secret, default)]
pub struct PasskeyCredentials {
    /// The token of the challenge.
    pub token: Secret,
    /// What the page got: `credential.toJSON()`.
    pub answer: Json,
    /// The workspace to enter. Default: the one that the user joined first.
    pub workspace_id: Option<WorkspaceId>,
    /// What is known of the client that signs in.
    pub client: Option<Client>,
}
