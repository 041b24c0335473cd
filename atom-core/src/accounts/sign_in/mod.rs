//! Signing in: from a proof of who somebody is to a session.
//!
//! Each way to prove it has a file of its own and ends in [`complete`], which is the only way to a session from there.

mod complete;
mod password;

pub(super) use complete::{Proved, not_a_member, run as complete};
pub(super) use password::run as with_password;

use super::{PendingLink, Session};
use crate::{Error, ErrorKind, Result};
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
///     _ => panic!("nothing more is asked of Ada"),
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
    /// Somebody came with an account at a provider whose address is that of an account here, and nothing says that both are theirs. They can sign in in another
    /// way and link it: `Scope.identities`.
    LinkRequired {
        /// What to link.
        pending: PendingLink,
    },
}

impl SignIn {
    /// The session, for hosts whose users need nothing else to sign in.
    pub fn signed_in(self) -> Result<Session> {
        match self {
            Self::SignedIn { session } => Ok(session),
            Self::LinkRequired { .. } => {
                let text = "an account has this address already: sign in to it in another way, and link the provider then";
                Err(Error::new(ErrorKind::Unauthenticated, "link_required", text))
            }
        }
    }
}
