//! Ending a lease before its time.

use super::{SecretLeases, store};
use crate::audit::AuditAction;
use crate::events::{self, SecretLeaseRevoked};
use crate::{Result, SecretLeaseId};

pub(super) async fn run(leases: &SecretLeases, id: SecretLeaseId) -> Result<()> {
    let (inner, workspace, now) = (&leases.inner, leases.principal.workspace_id, leases.inner.now());
    let lease = store::get(inner.db()?, &leases.sight(), id).await?;
    let mut tx = inner.db()?.begin_durable().await?;
    if store::revoke(&mut tx, workspace, id, now).await? {
        leases.log(&mut tx, AuditAction::SecretLeaseRevoked, &lease, &[], now).await?;
        let revoked = SecretLeaseRevoked { lease_id: id, user_id: lease.user_id };
        events::append(&mut tx, workspace, revoked, now).await?;
        tx.commit().await?;
    }
    Ok(())
}
