//! What a user sees and changes of their own account, and its end.

mod model;

pub use model::{ProfilePatch, UserProfile};

use super::users::{self, By, UserAccount, UserPatch};
use super::{Principal, rights, step_up};
use crate::atom::Inner;
use crate::{Json, Result};
use atom_macros::{api, handle};
use std::sync::Arc;

/// The profile of the user: what is known of them, and what they may do with it.
///
/// The session must stand at this moment, and the scope must have no purpose: `unauthenticated` (`session_revoked`, `session_expired`) or `forbidden`
/// (`purpose_fixed`). The address, the password and the factors have handles of their own.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # use atom_core::{Atom, Json, NewAccount, ProfilePatch};
/// # let atom = Atom::builder("memory:").open().await?;
/// # let account = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
/// let session = atom.accounts().sign_up(account).await?;
/// let profile = atom.authenticate(session.access_token).await?.profile();
/// let theme = Json(serde_json::json!({ "theme": "dark" }));
/// let patch = ProfilePatch { display_name: Some("Ada".into()), user_metadata: Some(theme.clone()), ..Default::default() };
/// assert_eq!(profile.update(patch).await?.user_metadata, theme);
///
/// let document = profile.export_data().await?;
/// assert_eq!(document.0["account"]["user"]["display_name"], "Ada");
/// profile.delete_account().await?;
/// assert_eq!(atom.users().get(session.user.id).await.unwrap_err().code(), "not_found");
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Profile {
    pub(crate) inner: Arc<Inner>,
    pub(crate) principal: Principal,
}

#[api]
impl Profile {
    /// What is known of the user.
    pub async fn get(&self) -> Result<UserProfile> {
        let user = rights::standing(&self.inner, &self.principal).await?.user_id;
        Ok(users::account(self.inner.db()?, user).await?.into())
    }

    /// Changes it. Metadata is merged (JSON Merge Patch, RFC 7396), and takes 16 KiB as JSON at most.
    ///
    /// Fails with `invalid` (`malformed_display_name`, `malformed_locale`, `malformed_metadata`, `metadata_too_large`).
    pub async fn update(&self, patch: ProfilePatch) -> Result<UserProfile> {
        let principal = rights::standing(&self.inner, &self.principal).await?;
        let ProfilePatch { display_name, locale, user_metadata } = patch;
        let patch = UserPatch { display_name, locale, user_metadata, app_metadata: None };
        Ok(users::update(&self.inner, principal.user_id, patch, By::user(&principal)).await?.into())
    }

    /// Everything that is held about the user, as one JSON object: see `Users.export_user`.
    pub async fn export_data(&self) -> Result<Json> {
        let principal = rights::standing(&self.inner, &self.principal).await?;
        users::export(&self.inner, principal.user_id, By::user(&principal)).await
    }

    /// Erases the user for good, as `Users.erase` does. The user must have proved who they are within the last minutes: see `Scope.step_up`. Where it fails
    /// after it was begun, a worker goes on with it.
    ///
    /// Fails with `forbidden` (`step_up_required`), `invalid` (`no_session`) or `conflict` (`last_owner`: workspaces with other members, which the text
    /// names, have no other owner; make somebody one with `Workspaces.transfer_ownership`, or delete them).
    pub async fn delete_account(&self) -> Result<()> {
        let principal = step_up::require(&self.inner, &self.principal).await?;
        users::erase(&self.inner, principal.user_id, By::user(&principal)).await
    }
}

impl From<UserAccount> for UserProfile {
    fn from(UserAccount { user, user_metadata, app_metadata, .. }: UserAccount) -> Self {
        Self { user, user_metadata, app_metadata }
    }
}
