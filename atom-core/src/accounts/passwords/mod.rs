//! Passwords: what they have to be, how they are checked, changed and reset.
//!
//! Hashing is [`crypto::password`](crate::crypto::password)'s. What is right by a hash of another system, or by a weaker one, is hashed anew on the way
//! ([`verify`]). A new password passes the [`policy`]: it is long, is none of the [`common`] ones and, if the host says so, in no [leak](breached).
//! Whoever has forgotten theirs gets a link by mail ([`request_reset`], [`reset`]).

mod breached;
mod change;
mod common;
mod model;
mod policy;
mod request_reset;
mod reset;
mod settings;
mod store;
mod verify;

pub use model::{BreachedPasswords, PasswordResetRequest};
pub(super) use policy::check;
pub(super) use request_reset::run as request_reset;
pub(super) use reset::run as reset;
pub(crate) use settings::PasswordSettings;
pub(super) use store::sweep;
pub(super) use verify::run as verify;

use super::Principal;
use super::store as people;
use crate::atom::Inner;
use crate::{Result, Secret};
use atom_macros::{api, handle};
use std::sync::Arc;

/// The password of the user, whose session must stand at this moment.
///
/// A new password ends all other sessions of the user and the links to reset it, and the user is told by mail, where the installation sends any.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// # use atom_core::{Atom, Credentials, LocalKey, NewAccount};
/// # let atom = Atom::builder(url).key(LocalKey::generate()?).open().await?;
/// # let account = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
/// # let session = atom.accounts().sign_up(account).await?;
/// let password = atom.authenticate(session.access_token).await?.password();
/// assert!(password.is_set().await?);
/// password.change("an engine of brass".into(), "a loom of leaves and flowers".into()).await?;
///
/// let old = Credentials { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
/// assert_eq!(atom.accounts().sign_in(old).await.err().unwrap().reason(), "wrong_credentials");
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Password {
    pub(crate) inner: Arc<Inner>,
    pub(crate) principal: Principal,
}

#[api]
impl Password {
    /// Whether the user has a password. Who was imported without one, or signs in by other means, has none.
    pub async fn is_set(&self) -> Result<bool> {
        let user = people::user(self.inner.db()?, self.principal.user_id).await?;
        Ok(user.is_some_and(|user| user.password_hash.is_some()))
    }

    /// Replaces the password. The current one is a fresh proof of who acts, as with `StepUp.with_password`, and wrong ones are counted as there.
    ///
    /// Fails with `unauthenticated` (`wrong_credentials`, `session_revoked`, `session_expired`), `rate_limited` (`too_many_attempts`: wait for
    /// `retry_after`), `forbidden` (`purpose_fixed`; `step_up_required`: the user has to prove more than the password), `invalid` (`no_session`,
    /// `weak_password`, `password_too_long`, `common_password`, `breached_password`) or `unavailable` (`breach_check_failed`).
    pub async fn change(&self, current: Secret, new_password: Secret) -> Result<()> {
        change::change(&self.inner, &self.principal, &current, &new_password).await
    }

    /// Gives a password to a user who has none. It needs a fresh proof of who acts: see `StepUp`.
    ///
    /// Fails with `conflict` (`password_exists`: use `change`), `forbidden` (`step_up_required`, `purpose_fixed`), `unauthenticated` (`session_revoked`,
    /// `session_expired`), `invalid` (`no_session`, `weak_password`, `password_too_long`, `common_password`, `breached_password`) or
    /// `unavailable` (`breach_check_failed`).
    pub async fn set(&self, new_password: Secret) -> Result<()> {
        change::set(&self.inner, &self.principal, &new_password).await
    }
}
