//! A further proof in a session that stands.

use super::live::Standing;
use super::{revoked, store};
use crate::Result;
use crate::accounts::SignInMethod;
use crate::atom::Inner;
use crate::audit::{self, AuditAction, Entry};
use crate::storage::Tx;

/// Notes that the user of a session has just proved who they are.
///
/// Fails with `unauthenticated` (`session_revoked`).
pub(in crate::accounts) async fn run(inner: &Inner, standing: Standing, method: SignInMethod) -> Result<()> {
    let Standing { session, principal, methods, .. } = standing;
    let (methods, now) = (with(methods, method), inner.now());
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

/// Notes that something which the user of a session has just shown is a proof from now on. That makes no proof of before more recent.
///
/// Fails with `unauthenticated` (`session_revoked`).
pub(in crate::accounts) async fn note(tx: &mut Tx, standing: Standing, method: SignInMethod) -> Result<()> {
    let Standing { session, principal, methods, proved_at, .. } = standing;
    let noted = store::prove(tx, principal.workspace_id, session, with(methods, method), proved_at).await?;
    if noted { Ok(()) } else { Err(revoked()) }
}

fn with(mut methods: Vec<SignInMethod>, method: SignInMethod) -> Vec<SignInMethod> {
    if !methods.contains(&method) {
        methods.push(method);
    }
    methods
}
