//! Challenges: what an answer is for, and that there is one.

use super::base64url;
use super::relying_party::{RelyingParty, not_configured};
use crate::accounts::factors::PasskeyChallenge;
use crate::atom::Inner;
use crate::crypto::{length_prefixed, random_key};
use crate::storage::once;
use crate::{Error, ErrorKind, Json, Result, Secret, SessionId};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// How long a challenge can be answered.
const LIFE: TimeDelta = TimeDelta::minutes(5);
const PREFIX: &str = "atom_pc_";

/// What an answer will be good for, and nothing else.
#[derive(Clone, Copy)]
pub(super) enum Purpose<'a> {
    /// Adding a passkey in a session.
    Registration(SessionId),
    /// A fresh proof in a session.
    StepUp(SessionId),
    /// The completion of a pending sign-in, by its token.
    Factor(&'a Secret),
    /// A sign-in by anybody.
    SignIn,
}

impl Purpose<'_> {
    fn kind(self) -> &'static str {
        match self {
            Self::Registration(_) => "passkey_registration",
            Self::StepUp(_) => "passkey_step_up",
            Self::Factor(_) => "passkey_factor",
            Self::SignIn => "passkey_sign_in",
        }
    }

    fn binding(self) -> Vec<u8> {
        match self {
            Self::Registration(session) | Self::StepUp(session) => session.0.as_bytes().to_vec(),
            Self::Factor(token) => token.expose().as_bytes().to_vec(),
            Self::SignIn => Vec::new(),
        }
    }
}

/// A challenge that was made for a purpose.
pub(super) struct New {
    token: Secret,
    pub(super) bytes: [u8; 32],
    expires_at: DateTime<Utc>,
}

/// The browser gets to see the challenge; only who has the token can hand in an answer.
fn of(purpose: Purpose<'_>, token: &Secret) -> [u8; 32] {
    let parts = [&b"atom passkey challenge"[..], purpose.kind().as_bytes(), token.expose().as_bytes()];
    Sha256::digest(length_prefixed(parts)).into()
}

fn single_use<'a>(purpose: Purpose<'_>, token: &'a Secret, binding: &'a [u8]) -> once::SingleUse<'a> {
    once::SingleUse { kind: purpose.kind(), key: token.expose().as_bytes(), binding }
}

/// Makes one.
pub(super) async fn issue(inner: &Inner, purpose: Purpose<'_>) -> Result<New> {
    let token = Secret::from(format!("{PREFIX}{}", base64url(&random_key()?[..])));
    let expires_at = inner.now() + LIFE;
    once::issue(inner.db()?, single_use(purpose, &token, &purpose.binding()), b"", expires_at).await?;
    Ok(New { bytes: of(purpose, &token), token, expires_at })
}

/// Uses one up, for one caller, whatever becomes of the answer.
///
/// Fails with `unauthenticated` (`unknown_passkey_challenge`).
pub(super) async fn take(inner: &Inner, purpose: Purpose<'_>, token: &Secret) -> Result<[u8; 32]> {
    let taken = once::consume_once(inner.db()?, single_use(purpose, token, &purpose.binding()), inner.now()).await?;
    taken.map(|_| of(purpose, token)).ok_or_else(|| {
        let text = "this challenge was answered, has expired, or is for something else: begin again";
        Error::new(ErrorKind::Unauthenticated, "unknown_passkey_challenge", text)
    })
}

impl New {
    /// What the host passes on to its page.
    pub(super) fn with(self, options: Value) -> PasskeyChallenge {
        PasskeyChallenge { token: self.token, options: Json(options), expires_at: self.expires_at }
    }
}

/// The relying party of an installation that has passkeys.
///
/// Fails with `unsupported` (`passkeys_not_configured`).
pub(super) fn relying_party(inner: &Inner) -> Result<&RelyingParty> {
    inner.factors.relying_party.as_ref().ok_or_else(not_configured)
}
