//! Long audit logs, for measuring how fast they verify.

use crate::audit::{self, AuditAction, Entry};
use crate::{AuditTrail, Result};

/// Appends entries to a workspace's audit log, as that many sign-ins would.
///
/// # Errors
/// Those of the database.
pub async fn fill_audit_log(trail: &AuditTrail, entries: usize) -> Result<()> {
    let (principal, now) = (&trail.principal, trail.inner.now());
    let mut tx = trail.inner.db()?.begin().await?;
    for _ in 0..entries {
        let (workspace, subject) = (principal.workspace_id, Some(principal.user_id.to_string()));
        let entry = Entry {
            workspace,
            actor: principal.actor(),
            action: AuditAction::SignedIn,
            subject,
            details: &[("provider", "google")],
        };
        audit::append(&mut tx, entry, now).await?;
    }
    tx.commit().await
}
