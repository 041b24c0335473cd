//! End all connections of a workspace, or of one of its members, because it or they are about to go.

use super::{Connection, registered, revoke, store};
use crate::accounts::{Principal, Role};
use crate::atom::Inner;
use crate::{ConnectionId, ErrorKind, Result, UserId, WorkspaceId, WorkspaceProviderId, keys};
use std::sync::Arc;

/// Ends every connection of a workspace and then destroys its data keys; with a user, only the connections of this member. Grants that cannot be
/// withdrawn at once are withdrawn by a worker within a day, although the workspace is gone by then. It may be called again after a failure. Returns how
/// many connections there were.
pub(crate) async fn run(inner: &Arc<Inner>, workspace: WorkspaceId, user: Option<UserId>) -> Result<i64> {
    let mut ended = 0;
    for row in store::connected(inner.db()?, workspace, user).await? {
        let (id, user_id) = (ConnectionId(row.id), UserId(row.user_id));
        // On behalf of its owner, who may have left.
        let principal = Principal { user_id, workspace_id: workspace, role: Role::Member, session_id: None, purpose: None };
        match registered::of(inner, workspace, &row.provider, row.provider_id.map(WorkspaceProviderId)).await {
            Ok(app) => revoke::run(&Connection { inner: Arc::clone(inner), principal, id, app }).await?,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                tracing::warn!(connection.id = %id, provider = row.provider, "a grant of a provider that is not configured is not withdrawn");
                revoke::end(inner, &principal, principal.actor(), id, &row.provider, Vec::new()).await?;
            }
            Err(error) => return Err(error),
        }
        ended += 1;
    }
    if user.is_none() {
        keys::destroy_all(inner, workspace).await?;
    }
    Ok(ended)
}
