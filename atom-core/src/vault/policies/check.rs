//! The border: no secret is used for anybody before this has said yes.

use super::decide::{Target, Use, Verdict, decide};
use super::{SecretAction, SecretPolicy, denied, store};
use crate::accounts::Principal;
use crate::atom::Inner;
use crate::http_client::Request;
use crate::vault::cache::Cache;
use crate::{Result, WorkspaceId};
use std::sync::Arc;

/// The policies that this process has read, under the rules of the token cache: so a busy workspace asks the database once in a while.
pub(crate) type PolicyCache = Cache<WorkspaceId, Arc<Vec<SecretPolicy>>>;

/// Refuses a request that the policies do not allow. A service may take a request for one of another method, if a header says so: then that one must be
/// allowed too.
///
/// Fails with `forbidden` (`secret_policy_denied`).
pub(crate) async fn check_request(
    inner: &Arc<Inner>,
    principal: &Principal,
    target: Target<'_>,
    request: &Request,
) -> Result<()> {
    let policies = recent(inner, principal.workspace_id).await?;
    if policies.is_empty() {
        return Ok(());
    }
    for method in request.methods() {
        let used = Use { action: SecretAction::Request, target, method: Some(&method) };
        check(inner, principal, &policies, &used).await?;
    }
    Ok(())
}

/// Refuses to hand a value out where the policies do not allow it.
///
/// Fails with `forbidden` (`secret_policy_denied`).
pub(crate) async fn check_export(inner: &Arc<Inner>, principal: &Principal, target: Target<'_>) -> Result<()> {
    let policies = recent(inner, principal.workspace_id).await?;
    check(inner, principal, &policies, &Use { action: SecretAction::Export, target, method: None }).await
}

async fn check(inner: &Arc<Inner>, principal: &Principal, policies: &[SecretPolicy], used: &Use<'_>) -> Result<()> {
    let policy = match decide(policies, principal, used) {
        Verdict::Allowed(_) | Verdict::NoPolicy => return Ok(()),
        Verdict::Denied(policy) => Some(policy.name.as_str()),
        Verdict::NotAllowed => None,
    };
    Err(denied::refuse(inner, principal, used, policy).await?)
}

/// A workspace's policies as they are, or were moments ago.
async fn recent(inner: &Inner, workspace: WorkspaceId) -> Result<Arc<Vec<SecretPolicy>>> {
    // A fork has its parent's memory, but may not use it.
    let db = inner.db()?;
    inner.policy_cache.read(workspace, async { store::list(db, workspace).await.map(Arc::new) }).await
}
