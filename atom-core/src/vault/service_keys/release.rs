//! What break-glass asks of a service key: whose it is, and its value. Whether it may be given away is not decided here.

use super::{check_unexpired, store, value};
use crate::accounts::{Principal, Role};
use crate::atom::Inner;
use crate::storage::Tx;
use crate::{Error, Result, Secret, ServiceKeyId, UserId, WorkspaceId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The member whose key it is; none if it is the workspace's.
///
/// Fails with `not_found`.
pub(crate) async fn owner(inner: &Inner, workspace: WorkspaceId, id: ServiceKeyId) -> Result<Option<UserId>> {
    store::owner(inner.db()?, workspace, id).await?.ok_or_else(|| Error::not_found("service key"))
}

/// The present value, and when the service ends it.
///
/// Fails with `not_found` or `conflict` (`service_key_expired`).
pub(crate) async fn release(inner: &Inner, workspace: WorkspaceId, id: ServiceKeyId) -> Result<(Secret, Option<DateTime<Utc>>)> {
    let now = inner.now();
    let user_id = owner(inner, workspace, id).await?.unwrap_or(UserId(Uuid::nil()));
    let principal = Principal { user_id, workspace_id: workspace, role: Role::Member, session_id: None, purpose: None };
    let key = store::get(inner.db()?, &principal, id).await?;
    check_unexpired(&key, now)?;
    let value = value::load(inner, workspace, id, now).await?.into_iter().next();
    Ok((value.ok_or_else(|| Error::not_found("service key"))?, key.expires_at))
}

/// Counts a reveal, in the transaction that reveals the value.
pub(crate) async fn count_reveal(tx: &mut Tx, workspace: WorkspaceId, id: ServiceKeyId, now: DateTime<Utc>) -> Result<()> {
    store::count_uses(tx, workspace, id, 1, now).await
}
