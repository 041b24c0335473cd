//! The address of a user who is signed in: verifying it, and getting another.

mod change;
mod verify;

use super::email_proof::PendingCode;
use super::{Principal, User, step_up, store};
use crate::atom::Inner;
use crate::{Error, Result, Secret};
use atom_macros::{api, handle};
use std::sync::Arc;

/// The e-mail address of the user: whether it is theirs, and another one.
///
/// The session that asks must stand at this moment, and the scope must have no purpose: `unauthenticated` (`session_revoked`, `session_expired`),
/// `forbidden` (`purpose_fixed`) or `invalid` (`no_session`: the scope is of `Atom.act_as`).
///
/// ```
/// # use atom_core::{Atom, BoxFuture, MailReceipt, MailSender, NewAccount, OutgoingMail, Result};
/// # struct Console;
/// # impl MailSender for Console {
/// #     fn send<'a>(&'a self, _: &'a OutgoingMail) -> BoxFuture<'a, Result<MailReceipt>> {
/// #         Box::pin(async { Ok(MailReceipt { receipt_id: None }) })
/// #     }
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let atom = Atom::builder("memory:").app_url("https://acme.example").mail_from("no-reply@acme.example").mail_sender(Console);
/// # let atom = atom.open().await?;
/// # let account = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
/// # let session = atom.accounts().sign_up(account).await?;
/// let email = atom.authenticate(session.access_token).await?.email();
/// let pending = email.request_verification().await?;
/// // The code is in the mail, and this is not it.
/// let refused = email.verify("1234".into(), Some(pending.flow_token)).await.err().unwrap();
/// assert_eq!(refused.reason(), "wrong_code");
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct EmailAddress {
    pub(crate) inner: Arc<Inner>,
    pub(crate) principal: Principal,
}

#[api]
impl EmailAddress {
    /// Mails a code and a link to the address, to verify it. They replace those from before.
    ///
    /// Fails with `unsupported` (`mail_not_configured`), `conflict` (`email_verified`: nothing is left to do) or `rate_limited` (`too_many_attempts`).
    pub async fn request_verification(&self) -> Result<PendingCode> {
        verify::request(self).await
    }

    /// Verifies the address with the code of the mail, or the token of its link. `flow_token` is that of `request_verification`; with a link it may be missing,
    /// as where it is opened on another device.
    ///
    /// Fails with `unauthenticated`: `wrong_code` (five of them at most) or `proof_spent` (request another).
    pub async fn verify(&self, code: Secret, flow_token: Option<Secret>) -> Result<User> {
        verify::run(self, &code, flow_token.as_ref()).await
    }

    /// Mails a code and a link to another address, which becomes the user's when it is proved, and a notice to the present one. The answer is the same
    /// for an address that has an account already; its owner is told.
    ///
    /// Fails with `forbidden` (`step_up_required`), `unsupported` (`mail_not_configured`), `invalid` (`malformed_email`, `same_email`) or
    /// `rate_limited` (`too_many_attempts`).
    pub async fn request_change(&self, new_email: String) -> Result<PendingCode> {
        change::request(self, &new_email).await
    }

    /// Makes the other address the user's, with the code of the mail or the token of its link, as with `verify`. Sessions stay; codes and links that were mailed to the
    /// address before work no longer, and a notice goes there.
    ///
    /// Fails with `unauthenticated` (`wrong_code`, `proof_spent`) or `conflict` (`email_taken`: somebody else has signed up with it meanwhile).
    pub async fn confirm_change(&self, code: Secret, flow_token: Option<Secret>) -> Result<User> {
        change::confirm(self, &code, flow_token.as_ref()).await
    }
}

impl EmailAddress {
    /// Who acts, if their session stands.
    async fn standing(&self) -> Result<Principal> {
        Ok(step_up::standing(&self.inner, &self.principal).await?.principal)
    }

    async fn user(&self) -> Result<User> {
        let user = store::user(self.inner.db()?, self.principal.user_id).await?;
        Ok(user.ok_or_else(|| Error::not_found("user"))?.into_user())
    }
}
