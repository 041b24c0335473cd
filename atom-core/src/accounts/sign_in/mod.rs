//! Signing in: from a proof of who somebody is to a session.
//!
//! Each way to prove it has a file of its own and ends in [`complete`], which is the only way to a session from there.

mod by_mail;
mod complete;
mod password;
mod verify;
mod ways;

pub(super) use by_mail::{look_at_link, request as request_by_mail, with_code, with_link};
pub(super) use complete::{Proved, begin_session, not_a_member, run as complete, workspace_of};
pub(super) use password::run as with_password;
pub(super) use verify::{begin as begin_verification, run as with_verification};
pub(super) use ways::check_left;

use super::{PendingFactor, PendingLink, PendingVerification, Session};
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
///     // Ask for the code that was mailed, and pass it to `verify_email`.
///     SignIn::VerificationRequired { pending } => drop(pending.flow_token),
///     SignIn::FactorRequired { pending } => panic!("ask for one of {:?}, and call `complete_with_totp` or its like", pending.factors),
///     // Let them sign in in another way, and link it then: `Scope::identities`.
///     SignIn::LinkRequired { pending } => drop(pending.link_token),
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
    /// What was shown was right, and the address is still to be proved: a code is on its way there. See `Accounts.verify_email`.
    VerificationRequired {
        /// Authenticates nothing.
        pending: PendingVerification,
    },
    /// The user has a second factor, and is not signed in before they have shown it.
    FactorRequired {
        /// What waits for it.
        pending: PendingFactor,
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
    ///
    /// # Errors
    /// `unauthenticated` (`verification_required`, `factor_required`, `link_required`)
    pub fn signed_in(self) -> Result<Session> {
        match self {
            Self::SignedIn { session } => Ok(session),
            Self::VerificationRequired { .. } => {
                let text =
                    "the address of the user is still to be proved: ask for the code that was mailed, and call `verify_email`";
                Err(Error::new(ErrorKind::Unauthenticated, "verification_required", text))
            }
            Self::FactorRequired { .. } => {
                let text = "the user has a second factor: ask for it, and complete the pending sign-in";
                Err(Error::new(ErrorKind::Unauthenticated, "factor_required", text))
            }
            Self::LinkRequired { .. } => {
                let text = "an account has this address already: sign in to it in another way, and link the provider then";
                Err(Error::new(ErrorKind::Unauthenticated, "link_required", text))
            }
        }
    }
}
