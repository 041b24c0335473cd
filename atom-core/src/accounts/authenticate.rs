//! From a proof to a principal.

use super::{Accounts, Principal, Role, sessions, store};
use crate::storage::Tx;
use crate::{Error, ErrorKind, Result, Secret, UserId, WorkspaceId};

impl Accounts {
    /// Who an access token speaks for.
    pub(crate) async fn authenticate(&self, access_token: &Secret) -> Result<Principal> {
        sessions::verify(&self.inner, access_token).await
    }

    /// The same, if its session stands at this moment, with the role of this moment.
    pub(crate) async fn authenticate_live(&self, access_token: &Secret) -> Result<Principal> {
        sessions::check_live(&self.inner, sessions::verify(&self.inner, access_token).await?).await
    }

    /// The role of a member as it is now, in a transaction that relies on it; none if they are no active member. An access token may be from
    /// before it changed.
    pub(crate) async fn role(tx: &mut Tx, workspace: WorkspaceId, user: UserId) -> Result<Option<Role>> {
        store::role(tx, workspace, user).await
    }

    /// How many active owners and admins a workspace has now, beside somebody.
    pub(crate) async fn other_admins(tx: &mut Tx, workspace: WorkspaceId, user: UserId) -> Result<i64> {
        store::other_admins(tx, workspace, user).await
    }

    /// The principal of a member who is not present: for jobs that run on a user's behalf.
    pub(crate) async fn member(&self, user: UserId, workspace: WorkspaceId) -> Result<Principal> {
        let db = self.inner.db()?;
        let active = store::user(db, user).await?.is_some();
        let membership = store::membership(db, user, Some(workspace)).await?.filter(|_| active);
        let (workspace, role) = membership.ok_or_else(|| {
            Error::new(ErrorKind::Forbidden, "not_a_member", "the user is not an active member of this workspace: check both ids")
        })?;
        Ok(Principal { user_id: user, workspace_id: workspace.id, role, session_id: None, purpose: None })
    }
}
