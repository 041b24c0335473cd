//! The members of a workspace: who they are, what they may do there, and how they go.
//!
//! Whatever changes who is in a workspace, or what they may do, holds the workspace's row until it is committed ([`hold`]). So the rules about its last
//! owner are about what is there, and not about what was there a moment ago. Whoever goes is no member from that moment on ([`depart`]); their
//! row stays until what they connected has been ended at its providers.

mod depart;
mod model;
mod set_role;
pub(super) mod store;

pub(crate) use depart::finish_all;
pub(super) use depart::{finish_leaving, run as depart};
pub use model::{Member, MemberFilter, MemberPage};
pub(super) use set_role::give;

use super::{Principal, Role, rights};
use crate::atom::Inner;
use crate::storage::Tx;
use crate::{Error, ErrorKind, Result, UserId, WorkspaceId};
use atom_macros::{api, handle};
use std::sync::Arc;

/// The members of the workspace.
///
/// Every member sees them, but for guests. Owners and admins change roles and remove members, none above their own role, and with a scope that has no
/// purpose. A workspace always has an owner. What was changed holds at once for `Atom.authenticate_live`, for `Atom.act_as` and for what decides over the
/// workspace; an access token that was made before tells its role for a quarter of an hour at most.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # use atom_core::{Atom, MemberFilter, NewAccount, Role};
/// # let atom = Atom::builder("memory:").open().await?;
/// # let account = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
/// let session = atom.accounts().sign_up(account).await?;
/// let members = atom.authenticate(session.access_token).await?.members();
/// let page = members.list(MemberFilter::default()).await?;
/// assert_eq!((page.items[0].user_id, page.items[0].role), (session.user.id, Role::Owner));
///
/// let refused = members.set_role(session.user.id, Role::Member).await.unwrap_err();
/// assert_eq!(refused.reason(), "last_owner");
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Members {
    pub(crate) inner: Arc<Inner>,
    pub(crate) principal: Principal,
}

#[api]
impl Members {
    /// Lists members, a page at a time.
    ///
    /// Fails with `forbidden` (`guest`) or `invalid` (`malformed_page_size`, `malformed_cursor`).
    pub async fn list(&self, filter: MemberFilter) -> Result<MemberPage> {
        self.check_reader()?;
        store::list(self.inner.db()?, self.principal.workspace_id, &filter).await
    }

    /// One member. Fails with `not_found` or `forbidden` (`guest`).
    pub async fn get(&self, user_id: UserId) -> Result<Member> {
        self.check_reader()?;
        store::get(self.inner.db()?, self.principal.workspace_id, user_id).await
    }

    /// Changes what a member may do, from this moment on.
    ///
    /// Fails with `not_found`, `conflict` (`last_owner`: make somebody else an owner before) or `forbidden` (`not_an_admin`, `role_above_own`,
    /// `not_a_member`, `purpose_fixed`).
    pub async fn set_role(&self, user_id: UserId, role: Role) -> Result<Member> {
        set_role::run(self, user_id, role).await
    }

    /// Removes a member: their sessions in the workspace end, what is theirs there goes, and what they connected there is withdrawn at its providers. Call
    /// it again where it fails: it goes on where it was. A worker does so, too.
    ///
    /// Fails with `not_found`, `conflict` (`last_owner`) or `forbidden` (`not_an_admin`, `role_above_own`, `not_a_member`, `purpose_fixed`).
    pub async fn remove(&self, user_id: UserId) -> Result<()> {
        depart::run(&self.inner, &self.principal, user_id).await
    }
}

impl Members {
    fn check_reader(&self) -> Result<()> {
        if self.principal.role != Role::Guest {
            return Ok(());
        }
        let text = "guests do not see the members of the workspace: ask one of its owners for another role";
        Err(Error::new(ErrorKind::Forbidden, "guest", text))
    }
}

/// Whether somebody can go, or some other active member owns the workspace, too. It is held.
pub(super) async fn is_dispensable(tx: &mut Tx, workspace: WorkspaceId, user: UserId) -> Result<bool> {
    let role = store::standing(tx, workspace, user).await?.role;
    Ok(role != Role::Owner || store::other_owners(tx, workspace, user).await? > 0)
}

/// Refuses to take an ownership that no other active member has. The workspace is held.
async fn check_other_owner(tx: &mut Tx, workspace: WorkspaceId, user: UserId) -> Result<()> {
    if store::other_owners(tx, workspace, user).await? > 0 {
        return Ok(());
    }
    let text = "this is the only owner of the workspace: make another member an owner first, or delete the workspace";
    Err(Error::new(ErrorKind::Conflict, "last_owner", text))
}
