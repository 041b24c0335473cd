//! People: who they are, how they prove it, and the sessions that follow.

mod audit_trail;
mod authenticate;
mod client;
mod email;
mod events;
mod model;
mod notice;
mod proof;
mod purpose;
mod sessions;
mod sign_in;
mod sign_up;
mod social;
mod step_up;
mod store;
mod throttle;

#[cfg(feature = "testing")]
pub(crate) use sessions::fill as fill_sessions;

pub use audit_trail::AuditTrail;
pub use client::Client;
pub use events::Events;
pub use model::{Credentials, NewAccount, Principal, Role, Session, User, Workspace};
pub use proof::SignInMethod;
pub use purpose::Purpose;
pub(crate) use purpose::is_label;
pub use sessions::{ActiveSession, Sessions};
pub(crate) use sessions::{CHORE, SessionSettings, sweep};
pub use sign_in::SignIn;
pub use social::{AppleKey, Identities, Identity, PendingLink, SignInProvider, SocialFlow, SocialStart};
pub(crate) use social::{SignInProviders, SocialSettings};
pub use step_up::StepUp;
pub(crate) use step_up::window as step_up_window;
pub(crate) use throttle::Turns;

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
    /// Fails with `unauthenticated` (`wrong_credentials`), which does not tell whether the e-mail is known, `rate_limited` (`too_many_attempts`:
    /// wait for `retry_after`), `forbidden` (`not_a_member`) or `invalid` (`malformed_client`).
    pub async fn sign_in(&self, credentials: Credentials) -> Result<SignIn> {
        sign_in::with_password(&self.inner, credentials).await
    }

    /// Begins a sign-in with an account at a provider: send the browser to the returned URL, and keep the flow token with it.
    ///
    /// Fails with `not_found` (`unknown_sign_in_provider`), `invalid` (`redirect_uri_not_allowed`, `malformed_locale`, `malformed_client`), `rate_limited`
    /// (`too_many_attempts`), `provider` (`discovery_malformed`, `discovery_issuer_mismatch`) or `unavailable`.
    pub async fn begin_social(&self, start: SocialStart) -> Result<SocialFlow> {
        social::begin(&self.inner, start).await
    }

    /// Completes a sign-in with the URL that the provider sent the user back to, in the browser that began. Where the provider answers with a POST, as Apple does,
    /// append its body to the URL as the query.
    ///
    /// Whoever is not known gets an account of their own, unless `OpenOptions.sign_up_by_social` says otherwise. An account that has the provider's address
    /// is signed in to only if both sides vouch for it; one whose address nobody has verified goes to whoever the provider vouches for, without its password,
    /// its identities and its sessions. Otherwise the answer is `SignIn.LinkRequired`.
    ///
    /// Fails with `invalid` (`state_unknown`: used, expired or begun in another browser; `wrong_redirect_uri`, `wrong_issuer`, `malformed_callback`, `code_refused`:
    /// start again; `email_missing`), `cancelled` (`consent_declined`), `forbidden` (`sign_up_closed`, `account_disabled`, `tenant_not_allowed`, `not_a_member`),
    /// `provider` (`token_refused`: check the client; `id_token_…`, `userinfo_of_another`: the provider's answer cannot be trusted) or `unavailable`.
    pub async fn complete_social(&self, flow_token: Secret, callback_url: String, client: Option<Client>) -> Result<SignIn> {
        social::complete(&self.inner, flow_token, &callback_url, client).await
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
