//! Workspaces: the tenants, as their members see them.

mod create;
mod model;
mod operator;
mod remove;
mod rename;
pub(super) mod store;
mod switch;
mod transfer;
mod upkeep;

pub use model::{NewWorkspace, WorkspaceMembership, WorkspaceSeats};
pub use operator::AllWorkspaces;
pub(super) use remove::{finish, shut, told as told_of_deletion};
pub(super) use store::{get, hold, list as of_user, seats_of};
pub(crate) use upkeep::CHORE;

use super::{Principal, Session, Workspace, members, rights};
use crate::atom::Inner;
use crate::{Error, Result, UserId, WorkspaceId};
use atom_macros::{api, handle};
use std::sync::Arc;

/// The longest name, in characters.
const LONGEST_NAME: usize = 100;

/// The workspaces of the user, and the one that the scope is in.
///
/// A user has one account in the installation, with one e-mail address, and is a member of any number of workspaces; nothing of one of them is seen in
/// another. What changes a workspace needs a session that stands at this moment, as with `Atom.authenticate_live`, and a scope that has no purpose:
/// `unauthenticated` (`session_revoked`, `session_expired`) or `forbidden` (`purpose_fixed`, `not_a_member`).
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # use atom_core::{Atom, NewAccount, NewWorkspace, Role};
/// # let atom = Atom::builder("memory:").open().await?;
/// # let account = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
/// let session = atom.accounts().sign_up(account).await?;
/// let workspaces = atom.authenticate(session.access_token).await?.workspaces();
/// let engines = workspaces.create(NewWorkspace { name: "Engines".into() }).await?;
/// assert_eq!(workspaces.list().await?.len(), 2);
///
/// // The other session goes on where it is.
/// let session = workspaces.switch_to(engines.id).await?;
/// assert_eq!((session.workspace.name.as_str(), session.role), ("Engines", Role::Owner));
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Workspaces {
    pub(crate) inner: Arc<Inner>,
    pub(crate) principal: Principal,
}

#[api]
impl Workspaces {
    /// The workspaces of the user, in the order in which they joined them.
    pub async fn list(&self) -> Result<Vec<WorkspaceMembership>> {
        store::list(self.inner.db()?, self.principal.user_id).await
    }

    /// Makes a workspace that the user owns.
    ///
    /// Fails with `invalid` (`malformed_workspace_name`).
    pub async fn create(&self, workspace: NewWorkspace) -> Result<Workspace> {
        create::run(self, workspace).await
    }

    /// The workspace that the scope is in.
    pub async fn get(&self) -> Result<Workspace> {
        store::get(self.inner.db()?, self.principal.workspace_id).await
    }

    /// How many members it has, and may have.
    pub async fn seats(&self) -> Result<WorkspaceSeats> {
        store::seats(self.inner.db()?, self.principal.workspace_id, self.inner.now()).await
    }

    /// Renames it. For owners and admins.
    ///
    /// Fails with `invalid` (`malformed_workspace_name`) or `forbidden` (`not_an_admin`).
    pub async fn rename(&self, name: String) -> Result<Workspace> {
        rename::run(self, name).await
    }

    /// A session of the same device and the same proof in another workspace of the user's. The one that asks goes on.
    ///
    /// Fails with `not_found` or `invalid` (`no_session`: the scope is of `Atom.act_as`).
    pub async fn switch_to(&self, workspace_id: WorkspaceId) -> Result<Session> {
        switch::run(self, workspace_id).await
    }

    /// Leaves it, as `Members.remove` does with others.
    ///
    /// Fails with `conflict` (`last_owner`).
    pub async fn leave(&self) -> Result<()> {
        members::depart(&self.inner, &self.principal, self.principal.user_id).await
    }

    /// Makes another member an owner, and the user who asks an admin. For owners, who have proved who they are within the last minutes.
    ///
    /// Fails with `not_found` or `forbidden` (`not_an_owner`, `step_up_required`).
    pub async fn transfer_ownership(&self, user_id: UserId) -> Result<()> {
        transfer::run(self, user_id).await
    }

    /// Deletes it with everything in it, for good: nobody enters it from this moment on, its sessions end, what its members connected is withdrawn at its
    /// providers, its keys are destroyed, and then its rows go, its log too. Only the installation's own log (`Keys.audit`) says that there was one. For
    /// owners, who have proved who they are within the last minutes. Where it fails after it was begun, a worker goes on with it.
    ///
    /// Fails with `forbidden` (`not_an_owner`, `step_up_required`).
    pub async fn remove(&self) -> Result<()> {
        remove::run(self).await
    }
}

/// A name in the form that is stored.
///
/// Fails with `invalid` (`malformed_workspace_name`).
fn checked_name(name: &str) -> Result<String> {
    let name = name.trim();
    if (1..=LONGEST_NAME).contains(&name.chars().count()) && !name.contains(char::is_control) {
        return Ok(name.to_owned());
    }
    Err(Error::invalid("malformed_workspace_name", "the name of a workspace is one line of 1 to 100 characters"))
}
