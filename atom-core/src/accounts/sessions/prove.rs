//! A further proof in a session that stands.

use super::live::Standing;
use super::{revoked, store};
use crate::Result;
use crate::accounts::SignInMethod;
use crate::atom::Inner;
use crate::audit::{self, AuditAction, Entry};

/// Notes that the user of a session has just proved who they are.
///
/// Fails with `unauthenticated` (`session_revoked`).
pub(in crate::accounts) async fn run(inner: &Inner, standing: Standing, method: SignInMethod) -> Result<()> {
    let Standing { session, principal, mut methods, .. } = standing;
    if !methods.contains(&method) {
        methods.push(method);
    }
    let now = inner.now();
    let mut tx = inner.db()?.begin().await?;
    if !store::prove(&mut tx, principal.workspace_id, session, methods, now).await? {
        return Err(revoked());
    }
    let (actor, subject) = (principal.actor(), Some(session.to_string()));
    let details = &[("method", method.as_str())];
    let entry = Entry { workspace: principal.workspace_id, actor, action: AuditAction::SteppedUp, subject, details };
    audit::append(&mut tx, entry, now).await?;
    tx.commit().await
}
