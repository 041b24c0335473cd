//! Removing a policy.

use super::{SecretPolicies, store};
use crate::Result;
use crate::audit::AuditAction;
use crate::events::{self, SecretPolicyRemoved};

pub(super) async fn run(policies: &SecretPolicies, name: String) -> Result<bool> {
    let (inner, workspace, now) = (&policies.inner, policies.principal.workspace_id, policies.inner.now());
    let mut tx = inner.db()?.begin_durable().await?;
    inner.policy_cache.forget_after(&mut tx, workspace);
    if !store::delete(&mut tx, workspace, &name).await? {
        return Ok(false);
    }
    policies.log(&mut tx, AuditAction::SecretPolicyRemoved, &name, &[], now).await?;
    events::append(&mut tx, workspace, SecretPolicyRemoved { name }, now).await?;
    tx.commit().await?;
    Ok(true)
}
