//! Signing in: from a proof of who somebody is to a session.
//!
//! Each way to prove it has a file of its own and ends in [`complete`], which is the only way to a session from there.

mod complete;
mod password;

pub(super) use complete::{Proved, run as complete};
pub(super) use password::run as with_password;

use super::Session;
use crate::Result;
use atom_macros::model;

/// What a proof of who somebody is leads to.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// # use atom_core::{Atom, Credentials, LocalKey, NewAccount, SignIn};
/// # let atom = Atom::builder(url).key(LocalKey::generate()?).open().await?;
/// # let account = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
/// # atom.accounts().sign_up(account).await?;
/// let ada = Credentials { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
/// match atom.accounts().sign_in(ada).await? {
///     SignIn::SignedIn { session } => assert_eq!(session.user.email, "ada@example.com"),
/// }
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[model(secret)]
pub enum SignIn {
    /// The user is signed in.
    SignedIn {
        /// Their session.
        session: Session,
    },
}

impl SignIn {
    /// The session, for hosts whose users need nothing else to sign in.
    pub fn signed_in(self) -> Result<Session> {
        match self {
            Self::SignedIn { session } => Ok(session),
        }
    }
}
