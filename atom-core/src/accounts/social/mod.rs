//! Signing in with an account at a provider: Google, GitHub, Microsoft, Apple, and whoever else speaks OpenID Connect.
//!
//! [`provider`] knows where each is asked, from a [`preset`] or from what its issuer publishes. A [`flow`] goes to it and comes back once. [`person`] is who is
//! proved by the answer, and [`admit`] decides whose account that is: an identity is the issuer and its subject, never an address. [`link`] is for
//! users who have an account already, [`unlink`] for those who want to go without.

mod admit;
mod begin;
mod complete;
mod flow;
mod link;
mod model;
mod new_account;
mod notice;
mod person;
mod preset;
mod provider;
mod secret;
mod settings;
mod store;
mod unlink;

pub(super) use begin::run as begin;
pub(super) use complete::run as complete;
pub use model::{AppleKey, Identity, PendingLink, SignInProvider, SocialFlow, SocialStart};
pub(crate) use provider::SignInProviders;
pub(crate) use settings::SocialSettings;
pub(super) use store::{delete_all as remove_all, has as has_identity, list as of_user};
pub(super) use unlink::has_usable;

use super::{Principal, step_up};
use crate::atom::Inner;
use crate::{IdentityId, Result, Secret};
use atom_macros::{api, handle};
use std::sync::Arc;

/// The accounts at providers that the user signs in with.
///
/// Everything but `list` needs a proof from a few minutes ago (`Scope.step_up`), and a session that stands: `forbidden` (`step_up_required`), `unauthenticated`
/// (`session_revoked`). The user is told of changes by mail, where mail is configured.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// use atom_core::{Atom, LocalKey, NewAccount, SignInProvider, SocialStart};
///
/// let google = SignInProvider {
///     name: "google".into(),
///     client_id: "acme.apps.googleusercontent.com".into(),
///     client_secret: Some("from the developer console".into()),
///     redirect_uri: "https://acme.example/sign-in/google".into(),
///     ..Default::default()
/// };
/// let atom = Atom::builder(url).key(LocalKey::generate()?).sign_in_provider(google).open().await?;
/// # let account = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
/// # let session = atom.accounts().sign_up(account).await?;
/// let identities = atom.authenticate(session.access_token).await?.identities();
/// assert!(identities.list().await?.is_empty());
///
/// let start = SocialStart { provider: "google".into(), ..Default::default() };
/// let flow = identities.begin_link(start).await?; // send the browser to `flow.url`, then call `complete_link`
/// assert!(flow.url.starts_with("https://accounts.google.com/"));
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Identities {
    pub(crate) inner: Arc<Inner>,
    pub(crate) principal: Principal,
}

#[api]
impl Identities {
    /// The user's identities, oldest first.
    pub async fn list(&self) -> Result<Vec<Identity>> {
        store::list(self.inner.db()?, self.principal.user_id).await
    }

    /// Links the account that a sign-in ended with (`SignIn.LinkRequired`), now that the user has signed in in another way. Only the user whose account has its
    /// address can, once.
    ///
    /// Fails with `invalid` (`link_unknown`: used, expired, or for another account; sign in with the provider again), `conflict` (`identity_taken`: another
    /// account signs in with it) and as the handle says.
    pub async fn link(&self, link_token: Secret) -> Result<Identity> {
        link::run(&self.inner, &self.principal, &link_token).await
    }

    /// Begins to link an account: send the browser to the returned URL. The workspace of `start` is of no interest here.
    ///
    /// Fails as `Accounts.begin_social` does, and as the handle says.
    pub async fn begin_link(&self, start: SocialStart) -> Result<SocialFlow> {
        step_up::require(&self.inner, &self.principal).await?;
        flow::begin(&self.inner, start, Some(&self.principal)).await
    }

    /// Links the account that the user came back with, in the session that began.
    ///
    /// Fails as `Accounts.complete_social` does, with `conflict` (`identity_taken`: another account signs in with it) and as the handle says.
    pub async fn complete_link(&self, flow_token: Secret, callback_url: String) -> Result<Identity> {
        link::complete(&self.inner, &self.principal, &flow_token, &callback_url).await
    }

    /// Unlinks an account: nobody signs in with it any more. What it was used for before stays.
    ///
    /// Fails with `not_found`, `conflict` (`last_sign_in_method`: the user could not sign in any more) and as the handle says.
    pub async fn unlink(&self, id: IdentityId) -> Result<()> {
        unlink::run(&self.inner, &self.principal, id).await
    }
}
