//! Step-up: a fresh proof for what a stolen session must not do.

use super::email_proof::{self, Intent, NewFlow, PendingCode, Shown};
use super::factors::{self, Asked, PasskeyChallenge};
use super::sessions::{self, Standing};
use super::throttle::{self, Attempt};
use super::{Principal, SignInMethod, email, mail_limits, passwords, store};
use crate::atom::Inner;
use crate::{Error, ErrorKind, Json, Result, Secret};
use atom_macros::{api, handle};
use chrono::TimeDelta;
use std::sync::Arc;

/// Proves once more who acts, before what only a fresh proof may do: changes of the password, the address, a factor or an identity, and the end of
/// a workspace or of the account. They fail with `forbidden` (`step_up_required`) where the last proof is older than `OpenOptions.step_up_minutes`; signing in is one.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// # use atom_core::{Atom, LocalKey, NewAccount};
/// # let atom = Atom::builder(url).key(LocalKey::generate()?).open().await?;
/// # let account = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
/// let session = atom.accounts().sign_up(account).await?;
/// let scope = atom.authenticate(session.access_token).await?;
/// assert!(scope.step_up().is_fresh().await?);
/// scope.step_up().with_password("an engine of brass".into()).await?;
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct StepUp {
    pub(crate) inner: Arc<Inner>,
    pub(crate) principal: Principal,
}

#[api]
impl StepUp {
    /// Whether the last proof is recent enough, so that nothing asks for another one now.
    ///
    /// Fails with `unauthenticated` (`session_revoked`, `session_expired`), `forbidden` (`purpose_fixed`) or `invalid` (`no_session`: the scope is of
    /// `Atom.act_as`).
    pub async fn is_fresh(&self) -> Result<bool> {
        is_fresh(&self.inner, &standing(&self.inner, &self.principal).await?).await
    }

    /// Refuses whoever has not proved it a short while ago, for acts of the host's own that ask for a fresh proof.
    ///
    /// Fails with `forbidden` (`step_up_required`), and as `is_fresh` does.
    pub async fn require(&self) -> Result<()> {
        require(&self.inner, &self.principal).await.map(drop)
    }

    /// Proves it with the password. Wrong ones are counted for this session, and make the next attempt wait.
    ///
    /// Fails with `unauthenticated` (`wrong_credentials`, `session_revoked`, `session_expired`), `rate_limited` (`too_many_attempts`: wait for
    /// `retry_after`), `forbidden` (`factor_required`: the user has a second factor, and must show that; `purpose_fixed`) or `invalid`
    /// (`no_session`).
    pub async fn with_password(&self, password: Secret) -> Result<()> {
        let standing = standing(&self.inner, &self.principal).await?;
        check_enough(&self.inner, &standing, SignInMethod::Password).await?;
        check_password(&self.inner, &standing, &password).await?;
        sessions::prove(&self.inner, standing, SignInMethod::Password).await
    }

    /// Mails a code to the user's address, for `with_code`. It replaces the one before.
    ///
    /// Fails with `unsupported` (`mail_not_configured`), `rate_limited` (`too_many_attempts`), `unauthenticated` (`session_revoked`,
    /// `session_expired`), `forbidden` (`purpose_fixed`) or `invalid` (`no_session`).
    pub async fn request_code(&self) -> Result<PendingCode> {
        let user_id = standing(&self.inner, &self.principal).await?.principal.user_id;
        let user = store::user(self.inner.db()?, user_id).await?.ok_or_else(|| Error::not_found("user"))?.into_user();
        mail_limits::count_for_user(&self.inner, user_id).await?;
        Ok(email_proof::begin(&self.inner, NewFlow::of(Intent::StepUp, &user)).await?.into())
    }

    /// Proves it with the code that was mailed. `flow_token` is that of `request_code`.
    ///
    /// Fails with `unauthenticated` (`wrong_code`: five of them at most; `proof_spent`: request another; `session_revoked`, `session_expired`),
    /// `forbidden` (`purpose_fixed`, `factor_required`: the user has a second factor) or `invalid` (`no_session`).
    pub async fn with_code(&self, code: Secret, flow_token: Secret) -> Result<()> {
        let standing = standing(&self.inner, &self.principal).await?;
        check_enough(&self.inner, &standing, SignInMethod::EmailCode).await?;
        let user = Some(standing.principal.user_id);
        let shown = Shown { intent: Intent::StepUp, flow: Some(&flow_token), code: &code, user };
        email_proof::take(&self.inner, shown).await?;
        sessions::prove(&self.inner, standing, SignInMethod::EmailCode).await
    }

    /// Proves it with a code of an authenticator app. Wrong ones are counted for this session, and make the next attempt wait.
    ///
    /// Fails with `unauthenticated` (`wrong_code`, `session_revoked`, `session_expired`), `rate_limited` (`too_many_attempts`), `forbidden`
    /// (`purpose_fixed`) or `invalid` (`no_session`).
    pub async fn with_totp(&self, code: Secret) -> Result<()> {
        let standing = standing(&self.inner, &self.principal).await?;
        factors::check_totp(&self.inner, standing.principal.user_id, Asked::Session(standing.session), &code).await?;
        sessions::prove(&self.inner, standing, SignInMethod::Totp).await
    }

    /// A challenge for the user's passkeys.
    ///
    /// Fails with `unsupported` (`passkeys_not_configured`), `conflict` (`no_factor`: the user has none), and as `is_fresh` does.
    pub async fn begin_passkey(&self) -> Result<PasskeyChallenge> {
        factors::begin_passkey_step_up(&self.inner, &self.principal).await
    }

    /// Proves it with the answer to such a challenge, `credential.toJSON()`.
    ///
    /// Fails with `unauthenticated` (what [`PasskeyChallenge`] lists: ask for another challenge), `unsupported` (`passkeys_not_configured`), and as
    /// `is_fresh` does.
    pub async fn with_passkey(&self, challenge_token: Secret, answer: Json) -> Result<()> {
        factors::step_up_with_passkey(&self.inner, &self.principal, &challenge_token, &answer).await
    }

    /// Proves it with a recovery code, which is good for nothing after that.
    ///
    /// Fails with `unauthenticated` (`wrong_code`, `session_revoked`, `session_expired`), `forbidden` (`purpose_fixed`) or `invalid`
    /// (`no_session`).
    pub async fn with_recovery_code(&self, code: Secret) -> Result<()> {
        let standing = standing(&self.inner, &self.principal).await?;
        let Principal { user_id, workspace_id, .. } = standing.principal;
        factors::check_recovery_code(&self.inner, user_id, workspace_id, Asked::Session(standing.session), &code).await?;
        sessions::prove(&self.inner, standing, SignInMethod::RecoveryCode).await
    }
}

/// The principal as it is now, if its user has proved who they are a short while ago. Whatever changes how somebody signs in asks this first.
///
/// Fails with `forbidden` (`step_up_required`), and as [`standing`] does.
pub(super) async fn require(inner: &Inner, principal: &Principal) -> Result<Principal> {
    Ok(fresh(inner, principal).await?.principal)
}

/// The same with all that is known of the session.
pub(super) async fn fresh(inner: &Inner, principal: &Principal) -> Result<Standing> {
    let standing = standing(inner, principal).await?;
    if is_fresh(inner, &standing).await? {
        return Ok(standing);
    }
    let text =
        "the last proof of who acts is too old for this: let the user give another one, see `Scope.step_up`, and repeat the call";
    Err(Error::new(ErrorKind::Forbidden, "step_up_required", text))
}

/// Whether the last proof is recent, and was one of a factor where the user has any.
async fn is_fresh(inner: &Inner, standing: &Standing) -> Result<bool> {
    let is_recent = inner.now() < standing.proved_at + inner.step_up;
    let has_shown = standing.methods.iter().any(|method| method.is_factor());
    Ok(is_recent && (has_shown || !factors::has_any(inner.db()?, standing.principal.user_id).await?))
}

/// Refuses a proof that is too little for whoever has a second factor, before it is looked at.
///
/// Fails with `forbidden` (`factor_required`).
pub(super) async fn check_enough(inner: &Inner, standing: &Standing, method: SignInMethod) -> Result<()> {
    if method.is_factor() || !factors::has_any(inner.db()?, standing.principal.user_id).await? {
        return Ok(());
    }
    let text = "the user has a second factor, so only that is a fresh proof of who they are: ask for it";
    Err(Error::new(ErrorKind::Forbidden, "factor_required", text))
}

/// The session of a user who is present, as it stands now.
///
/// Fails with `unauthenticated` (`session_revoked`, `session_expired`), `forbidden` (`purpose_fixed`) or `invalid` (`no_session`).
pub(super) async fn standing(inner: &Inner, principal: &Principal) -> Result<Standing> {
    principal.check_unbound()?;
    let session = principal.session_id.ok_or_else(|| {
        let text = "this scope is not of a session, so nobody is present to prove who they are: use the scope of an access token";
        Error::invalid("no_session", text)
    })?;
    sessions::standing(inner, principal.clone(), session).await
}

/// Whether this is the password of the user of a session.
///
/// Fails with `unauthenticated` (`wrong_credentials`) or `rate_limited` (`too_many_attempts`).
pub(super) async fn check_password(inner: &Inner, standing: &Standing, password: &Secret) -> Result<()> {
    let db = inner.db()?;
    let wrong = || Error::new(ErrorKind::Unauthenticated, "wrong_credentials", "the password is wrong");
    let user = store::user(db, standing.principal.user_id).await?.ok_or_else(wrong)?;
    // The session is a device of the user's: guesses there delay nobody else, and those of others do not delay it.
    let attempt = Attempt { identifier: &email::identifier(&user.email), client: None, device: Some(standing.session) };
    let counted = throttle::count(inner, &attempt).await?;
    if passwords::verify(inner, Some(&user), password).await?.is_some() {
        return counted.give_back(db).await;
    }
    counted.keep(db, inner.now()).await?;
    Err(wrong())
}

/// The option, in minutes.
///
/// Fails with `invalid` (`malformed_option`).
pub(crate) fn window(minutes: Option<i32>) -> Result<TimeDelta> {
    let minutes = minutes.unwrap_or(10);
    if (1..=1440).contains(&minutes) {
        return Ok(TimeDelta::minutes(minutes.into()));
    }
    Err(Error::invalid("malformed_option", "step_up_minutes is between 1 and 1440"))
}
