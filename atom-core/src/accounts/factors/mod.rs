//! Second factors: what a user shows besides a password, a mailed code or an account elsewhere.
//!
//! An authenticator app shares a secret with Atom ([`totp`]); of a passkey ([`passkeys`]) Atom has the public half; [`recovery_codes`] stand in for a
//! factor that was lost. Where a user has a factor, a first proof leads to a [`pending`] sign-in, which is no session, and [`complete`] makes one of it.
//! Factors are a user's, in all their workspaces; what was done with them is in the log of the workspace in which it was done.

mod begin_totp;
mod change;
mod check;
mod complete;
mod confirm_totp;
mod limits;
mod model;
mod passkeys;
mod pending;
mod recovery_codes;
mod remove;
mod settings;
mod store;
mod totp;

pub(super) use check::{Asked, check_recovery_code, check_totp};
use complete::finish;
pub(super) use complete::{with_recovery_code, with_totp};
pub use model::{AddedFactor, Factor, FactorKind, PasskeyChallenge, PasskeyCredentials, PendingFactor, RecoveryCodes, TotpSetup};
#[cfg(feature = "testing")]
pub(crate) use passkeys::fuzz as fuzz_passkey;
pub(super) use passkeys::{
    begin_factor as begin_passkey_factor, begin_sign_in as begin_passkey_sign_in, begin_step_up as begin_passkey_step_up,
    complete as complete_with_passkey, sign_in as sign_in_with_passkey, step_up as step_up_with_passkey,
};
pub(super) use pending::begin as ask;
pub(crate) use settings::FactorSettings;
pub(super) use store::{has_any, has_passkey, is_passkey_of, list as of_user, recovery_codes_left, remove_all};
#[cfg(feature = "testing")]
pub(crate) use totp::code_of;

use super::{Principal, sessions, step_up};
use crate::atom::Inner;
use crate::{FactorId, Json, Result, Secret};
use atom_macros::{api, handle};
use std::sync::Arc;

/// The second factors of the user, in all their workspaces.
///
/// Who has one is asked for it at every sign-in ([`SignIn`](crate::SignIn)) and by [`StepUp`](crate::StepUp). The session must stand at this moment, and the scope must
/// have no purpose: `unauthenticated` (`session_revoked`, `session_expired`) or `forbidden` (`purpose_fixed`). What changes a factor needs a
/// fresh proof of who acts, too: `forbidden` (`step_up_required`) or `invalid` (`no_session`). The user is told of each change by mail, where the
/// installation sends mail. After the first factor, offer to end the sessions from before: `Sessions.revoke_others`.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// # use atom_core::{Atom, Credentials, LocalKey, NewAccount, SignIn};
/// # let atom = Atom::builder(url).key(LocalKey::generate()?).open().await?;
/// # let account = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
/// # let app = |secret: &atom_core::Secret| atom_core::testing::totp_code(secret, chrono::Utc::now());
/// let session = atom.accounts().sign_up(account).await?;
/// let factors = atom.authenticate(session.access_token).await?.factors();
///
/// let setup = factors.begin_totp(Some("phone".into())).await?; // show `otpauth_uri` as a QR code
/// let added = factors.confirm_totp(setup.id, app(&setup.secret)).await?;
/// assert_eq!(added.recovery_codes.len(), 10); // show them once
///
/// let ada = Credentials { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
/// let SignIn::FactorRequired { pending } = atom.accounts().sign_in(ada).await? else { panic!("the password is not enough now") };
/// let signed_in = atom.accounts().complete_with_recovery_code(pending.token, added.recovery_codes[0].clone()).await?.signed_in()?;
/// assert_eq!(signed_in.user.email, "ada@example.com");
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Factors {
    pub(crate) inner: Arc<Inner>,
    pub(crate) principal: Principal,
}

#[api]
impl Factors {
    /// The user's factors, oldest first. One that is not confirmed is none.
    pub async fn list(&self) -> Result<Vec<Factor>> {
        store::list(self.inner.db()?, self.standing().await?.user_id).await
    }

    /// How many recovery codes the user has left. Have them make new ones before there are none.
    pub async fn recovery_codes_left(&self) -> Result<i64> {
        store::recovery_codes_left(self.inner.db()?, self.standing().await?.user_id).await
    }

    /// Begins with an authenticator app, which takes the secret from a QR code or as text. It is a factor once `confirm_totp` has seen a code of the
    /// app, within an hour; beginning again forgets the secret before.
    ///
    /// Fails with `conflict` (`too_many_factors`) or `invalid` (`malformed_factor_name`).
    pub async fn begin_totp(&self, name: Option<String>) -> Result<TotpSetup> {
        begin_totp::run(self, name).await
    }

    /// Makes an authenticator app a factor, by a code that it shows. The first factor comes with recovery codes.
    ///
    /// Fails with `invalid` (`wrong_code`), `not_found` (`begin_totp` was called again, or too long ago) or `conflict` (`too_many_factors`).
    pub async fn confirm_totp(&self, id: FactorId, code: Secret) -> Result<AddedFactor> {
        confirm_totp::run(self, id, code).await
    }

    /// Begins with a passkey: the page makes one of the options and answers with `credential.toJSON()`, within five minutes.
    ///
    /// Fails with `unsupported` (`passkeys_not_configured`) or `conflict` (`too_many_factors`).
    pub async fn begin_passkey(&self) -> Result<PasskeyChallenge> {
        passkeys::begin_registration(self).await
    }

    /// Makes the passkey of an answer a factor, with which the user can sign in without a password, too. The first factor comes with recovery
    /// codes. The device must have verified its user, and names its maker to nobody: only an attestation by the passkey itself is taken.
    ///
    /// Fails with `unauthenticated` (`unknown_passkey_challenge`: begin again), `invalid` (what [`PasskeyChallenge`] lists; `malformed_factor_name`) or
    /// `conflict` (`passkey_taken`: use it; `too_many_factors`).
    pub async fn confirm_passkey(&self, token: Secret, answer: Json, name: Option<String>) -> Result<AddedFactor> {
        passkeys::confirm_registration(self, token, answer, name).await
    }

    /// Removes a factor, and with the last one the recovery codes. Removing it twice is no error.
    ///
    /// Fails with `conflict` (`last_sign_in_method`: the passkey is the only way that the user can sign in, because they have no password and no linked
    /// account, and the installation sends no mail; let them set a password, add another passkey or link an account first).
    pub async fn remove(&self, id: FactorId) -> Result<()> {
        remove::run(self, id).await
    }

    /// Makes ten new recovery codes. Those before are good for nothing from now on.
    ///
    /// Fails with `conflict` (`no_factor`: codes stand in for a factor, so add one first).
    pub async fn new_recovery_codes(&self) -> Result<RecoveryCodes> {
        recovery_codes::renew(self).await
    }
}

impl Factors {
    async fn standing(&self) -> Result<Principal> {
        self.principal.check_unbound()?;
        sessions::check_live(&self.inner, self.principal.clone()).await
    }

    /// The principal, who has just proved who they are.
    async fn proved(&self) -> Result<Principal> {
        step_up::require(&self.inner, &self.principal).await
    }
}
