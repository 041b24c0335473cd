//! People: who they are, how they prove it, and the sessions that follow.

mod audit_trail;
mod authenticate;
mod client;
mod email;
mod events;
mod factors;
mod model;
mod notice;
mod proof;
mod purpose;
mod sessions;
mod sign_in;
mod sign_up;
mod step_up;
mod store;
mod throttle;

#[cfg(feature = "testing")]
pub(crate) use sessions::fill as fill_sessions;

pub use audit_trail::AuditTrail;
pub use client::Client;
pub use events::Events;
pub(crate) use factors::FactorSettings;
#[cfg(feature = "testing")]
pub(crate) use factors::{code_of, fuzz_passkey};
pub use factors::{
    AddedFactor, Factor, FactorKind, Factors, PasskeyChallenge, PasskeyCredentials, PendingFactor, RecoveryCodes, TotpSetup,
};
pub use model::{Credentials, NewAccount, Principal, Role, Session, User, Workspace};
pub use proof::SignInMethod;
pub use purpose::Purpose;
pub(crate) use purpose::is_label;
pub use sessions::{ActiveSession, Sessions};
pub(crate) use sessions::{CHORE, SessionSettings, sweep};
pub use sign_in::SignIn;
pub use step_up::StepUp;
pub(crate) use step_up::window as step_up_window;
pub(crate) use throttle::Turns;

use crate::atom::Inner;
use crate::{Json, Result, Secret};
use atom_macros::{api, handle};
use std::sync::Arc;

/// Accounts of the installation: sign up, sign in, keep and end sessions.
///
/// ```
/// # tokio_test(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// use atom_core::{Atom, LocalKey, NewAccount};
///
/// let atom = Atom::builder(url).key(LocalKey::generate()?).open().await?;
/// let session = atom
///     .accounts()
///     .sign_up(NewAccount {
///         email: "ada@example.com".into(),
///         password: "an engine of brass and thought".into(),
///         ..Default::default()
///     })
///     .await?;
/// let scope = atom.authenticate(session.access_token).await?;
/// assert_eq!(scope.principal().user_id, session.user.id);
/// # Ok::<(), atom_core::Error>(()) });
/// # fn tokio_test(f: impl Future<Output = Result<(), atom_core::Error>>) { tokio::runtime::Runtime::new().unwrap().block_on(f).unwrap() }
/// ```
#[handle]
pub struct Accounts {
    pub(crate) inner: Arc<Inner>,
}

#[api]
impl Accounts {
    /// Creates a user with a workspace of their own and signs them in.
    ///
    /// Fails with `invalid` (`malformed_email`, `weak_password`, `password_too_long`, `malformed_client`, `malformed_locale`) or `conflict` (`email_taken`: offer to sign in instead).
    pub async fn sign_up(&self, account: NewAccount) -> Result<Session> {
        sign_up::run(&self.inner, account).await
    }

    /// Signs a user in with e-mail and password, into the named workspace or the one they joined first.
    ///
    /// Wrong passwords are counted, over all processes, for an e-mail address from one network and for a network: from some on, each makes the next
    /// attempt wait longer, up to a quarter of an hour. Nobody is locked out by what others do elsewhere, nor on a device that is named by
    /// `known_device`. Pass the `ip` of `client`: where it is missing, anybody's failures delay the owner too, by half a minute at most.
    ///
    /// A user with a second factor is not signed in yet: see [`SignIn`].
    ///
    /// Fails with `unauthenticated` (`wrong_credentials`), which does not tell whether the e-mail is known, `rate_limited` (`too_many_attempts`:
    /// wait for `retry_after`), `forbidden` (`not_a_member`) or `invalid` (`malformed_client`).
    pub async fn sign_in(&self, credentials: Credentials) -> Result<SignIn> {
        sign_in::with_password(&self.inner, credentials).await
    }

    /// Completes a sign-in that asked for a second factor, with a code of one of the user's authenticator apps: `PendingFactor.token`, and what the
    /// user typed. Each code is accepted once. A sign-in takes five tries; wrong codes of all sign-ins of a user make the next attempt wait, up to a
    /// quarter of an hour.
    ///
    /// Fails with `unauthenticated` (`wrong_code`: ask for the next one; `unknown_pending_factor`: begin anew; `factor_unavailable`), `rate_limited`
    /// (`too_many_attempts`: wait for `retry_after`, or use another factor) or `forbidden` (`not_a_member`).
    pub async fn complete_with_totp(&self, pending_token: Secret, code: Secret) -> Result<SignIn> {
        factors::with_totp(&self.inner, pending_token, &code).await
    }

    /// The same with a recovery code, for whoever has lost the factor. It is good for nothing after that, and wrong ones delay nobody.
    ///
    /// Fails with `unauthenticated` (`wrong_code`, `unknown_pending_factor`: begin anew; `factor_unavailable`) or `forbidden` (`not_a_member`).
    pub async fn complete_with_recovery_code(&self, pending_token: Secret, code: Secret) -> Result<SignIn> {
        factors::with_recovery_code(&self.inner, pending_token, &code).await
    }

    /// A challenge for the passkeys of a user whose sign-in waits for a factor: `PendingFactor.token`.
    ///
    /// Fails with `unauthenticated` (`unknown_pending_factor`: begin anew; `factor_unavailable`) or `unsupported` (`passkeys_not_configured`).
    pub async fn begin_passkey_factor(&self, pending_token: Secret) -> Result<PasskeyChallenge> {
        factors::begin_passkey_factor(&self.inner, pending_token).await
    }

    /// Completes a sign-in with the answer to such a challenge, `credential.toJSON()`.
    ///
    /// Fails with `unauthenticated` (`passkey_refused`, `passkey_copied`, `unknown_passkey_challenge`: ask for another challenge;
    /// `unknown_pending_factor`: begin anew; `factor_unavailable`) or `forbidden` (`not_a_member`).
    pub async fn complete_with_passkey(&self, pending_token: Secret, challenge_token: Secret, answer: Json) -> Result<SignIn> {
        factors::complete_with_passkey(&self.inner, pending_token, challenge_token, answer).await
    }

    /// A challenge for anybody's passkey: the page offers those that its device has.
    ///
    /// Fails with `unsupported` (`passkeys_not_configured`).
    pub async fn begin_passkey_sign_in(&self) -> Result<PasskeyChallenge> {
        factors::begin_passkey_sign_in(&self.inner).await
    }

    /// Signs a user in by the answer to such a challenge. The device has verified its user, so a passkey is two factors: nothing more is asked.
    ///
    /// Fails with `unauthenticated` (`passkey_refused`, `passkey_copied`: there may be a copy of it; `unknown_passkey_challenge`: ask for another
    /// challenge), `forbidden` (`not_a_member`) or `invalid` (`malformed_client`).
    pub async fn sign_in_with_passkey(&self, credentials: PasskeyCredentials) -> Result<SignIn> {
        factors::sign_in_with_passkey(&self.inner, credentials).await
    }

    /// Exchanges a refresh token for a new pair of tokens.
    ///
    /// Safe to repeat: a caller that lost the answer gets the same new refresh token again, as long as nobody used that one, and in any case for
    /// `OpenOptions.refresh_grace_seconds` after the first use. A token that is older has leaked, so the session ends.
    ///
    /// Fails with `unauthenticated`: `refresh_token_reused`, `session_revoked`, `session_expired`, `invalid_refresh_token`. Each means to let the
    /// user sign in.
    pub async fn refresh(&self, refresh_token: Secret) -> Result<Session> {
        sessions::refresh(&self.inner, refresh_token, None).await
    }

    /// The same, with what the host knows of the client now: it replaces what the session's list told before.
    ///
    /// Fails as `refresh` does, and with `invalid` (`malformed_client`).
    pub async fn refresh_from(&self, refresh_token: Secret, client: Client) -> Result<Session> {
        sessions::refresh(&self.inner, refresh_token, Some(client)).await
    }

    /// Ends the session of a refresh token. Ending it twice is no error. Where there is only an access token, see `Scope.sessions`.
    ///
    /// Fails with `unauthenticated` (`invalid_refresh_token`).
    pub async fn sign_out(&self, refresh_token: Secret) -> Result<()> {
        sessions::sign_out(&self.inner, refresh_token).await
    }
}
