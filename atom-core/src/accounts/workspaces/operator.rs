//! The workspaces of the installation, for its operator.

use super::{WorkspaceSeats, hold, remove, store};
use crate::atom::Inner;
use crate::audit::{self, Actor, AuditAction, Entry};
use crate::events::{self, WorkspaceSeatsChanged};
use crate::{Error, Result, UserId, WorkspaceId};
use atom_macros::{api, handle};
use std::sync::Arc;
use uuid::Uuid;

/// All workspaces of the installation, for its operator: who may call this is for the host to decide. Members have `Scope.workspaces`.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # use atom_core::{Atom, NewAccount};
/// # let atom = Atom::builder("memory:").open().await?;
/// # let account = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
/// let session = atom.accounts().sign_up(account).await?;
/// let seats = atom.workspaces().set_seats(session.workspace.id, Some(5)).await?;
/// assert_eq!((seats.limit, seats.members), (Some(5), 1));
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct AllWorkspaces {
    pub(crate) inner: Arc<Inner>,
}

#[api]
impl AllWorkspaces {
    /// Says how many members a workspace may have; without a number there is no limit. Where there are more already, they stay, and nobody else joins.
    ///
    /// Fails with `not_found` or `invalid` (`malformed_seats`).
    pub async fn set_seats(&self, workspace_id: WorkspaceId, seats: Option<i32>) -> Result<WorkspaceSeats> {
        if seats.is_some_and(|seats| seats < 1) {
            return Err(Error::invalid("malformed_seats", "a workspace has one seat at least"));
        }
        let now = self.inner.now();
        let mut tx = self.inner.db()?.begin_durable().await?;
        hold(&mut tx, workspace_id).await?;
        store::set_seats(&mut tx, workspace_id, seats).await?;
        let text = seats.map_or_else(|| "unlimited".to_owned(), |seats| seats.to_string());
        let (actor, subject) = (host(), Some(workspace_id.to_string()));
        let (action, details) = (AuditAction::WorkspaceSeatsChanged, [("seats", text.as_str())]);
        audit::append(&mut tx, Entry { workspace: workspace_id, actor, action, subject, details: &details }, now).await?;
        events::append(&mut tx, workspace_id, WorkspaceSeatsChanged { workspace_id, seats: seats.map(i64::from) }, now).await?;
        tx.commit().await?;
        store::seats(self.inner.db()?, workspace_id, now).await
    }

    /// Deletes a workspace with everything in it, as `Workspaces.remove` does for its owners.
    ///
    /// Fails with `not_found`.
    pub async fn remove(&self, workspace_id: WorkspaceId) -> Result<()> {
        let mut tx = self.inner.db()?.begin_durable().await?;
        hold(&mut tx, workspace_id).await?;
        remove::close(&mut tx, workspace_id, host().user, self.inner.now()).await?;
        tx.commit().await?;
        remove::finish(&self.inner, workspace_id).await
    }
}

/// The host itself, which is nobody in particular.
fn host() -> Actor {
    Actor { user: UserId(Uuid::nil()), session: None }
}
