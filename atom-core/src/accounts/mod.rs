//! People: who they are, how they prove it, and the sessions that follow.

mod access_token;
mod audit_trail;
mod authenticate;
mod email;
mod events;
mod model;
mod purpose;
mod refresh;
mod session;
mod sign_in;
mod sign_out;
mod sign_up;
mod store;

#[cfg(feature = "testing")]
pub(crate) use session::fill as fill_sessions;

pub use audit_trail::AuditTrail;
pub use events::Events;
pub use model::{Credentials, NewAccount, Principal, Role, Session, User, Workspace};
pub use purpose::Purpose;
pub(crate) use purpose::is_label;

use crate::atom::Inner;
use crate::{Result, Secret};
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
    /// Fails with `invalid` (`malformed_email`, `weak_password`) or `conflict` (`email_taken`: offer to sign in instead).
    pub async fn sign_up(&self, account: NewAccount) -> Result<Session> {
        sign_up::run(&self.inner, account).await
    }

    /// Signs a user in with e-mail and password, into the named workspace or the one they joined first.
    ///
    /// Fails with `unauthenticated` (`wrong_credentials`), which does not tell whether the e-mail is known.
    pub async fn sign_in(&self, credentials: Credentials) -> Result<Session> {
        sign_in::run(&self.inner, credentials).await
    }

    /// Exchanges a refresh token for a new pair of tokens.
    ///
    /// Safe to repeat: a caller that lost the answer gets the same new token again. A token that is older than that has leaked, so
    /// the session ends with `unauthenticated` (`refresh_token_reused`): let the user sign in.
    pub async fn refresh(&self, refresh_token: Secret) -> Result<Session> {
        refresh::run(&self.inner, refresh_token).await
    }

    /// Ends the session of a refresh token. Ending it twice is no error.
    pub async fn sign_out(&self, refresh_token: Secret) -> Result<()> {
        sign_out::run(&self.inner, refresh_token).await
    }
}
