//! The end of workspaces and members.

use crate::{Atom, Result, UserId, WorkspaceId, connect};

/// Ends all connections of a workspace and destroys its data keys; with a user, only the connections of this member. Returns how many there were.
///
/// # Errors
/// Those of the database and of the key ring.
pub async fn end_connections(atom: &Atom, workspace: WorkspaceId, user: Option<UserId>) -> Result<i64> {
    connect::end_all(&atom.inner(), workspace, user).await
}
