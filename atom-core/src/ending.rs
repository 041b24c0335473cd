//! What is done above accounts when a member or a workspace goes.

use crate::atom::Inner;
use crate::crypto::BoxFuture;
use crate::{Result, UserId, WorkspaceId, connect};
use std::sync::Arc;

/// Ends what a member connected in a workspace; without a member, what everybody did, and then destroys the workspace's data keys. It may be called again.
pub(crate) type Farewell = fn(Arc<Inner>, WorkspaceId, Option<UserId>) -> BoxFuture<'static, Result<()>>;

/// The one that every installation has.
pub(crate) fn run(inner: Arc<Inner>, workspace: WorkspaceId, user: Option<UserId>) -> BoxFuture<'static, Result<()>> {
    Box::pin(async move { connect::end_all(&inner, workspace, user).await.map(drop) })
}
