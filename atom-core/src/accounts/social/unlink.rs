//! Unlinking an account at a provider, if its user can still sign in without it.

use super::{notice, store};
use crate::accounts::{Principal, step_up, store as accounts};
use crate::atom::Inner;
use crate::audit::{self, AuditAction, Entry};
use crate::events::{self, IdentityUnlinked};
use crate::{Error, ErrorKind, IdentityId, Result};
use std::sync::Arc;

pub(super) async fn run(inner: &Arc<Inner>, principal: &Principal, id: IdentityId) -> Result<()> {
    step_up::require(inner, principal).await?;
    let (db, now, user_id) = (inner.db()?, inner.now(), principal.user_id);
    let missing = || Error::not_found("identity");
    let identity = store::list(db, user_id).await?.into_iter().find(|identity| identity.id == id).ok_or_else(missing)?;
    let user = accounts::user(db, user_id).await?.ok_or_else(missing)?.into_user();
    let notice = notice::prepare(inner, &user, &identity.provider, false).await?;
    let mut tx = db.begin_durable().await?;
    let has_password = store::hold(&mut tx, user_id).await?.ok_or_else(missing)?;
    // One whose provider is gone is no way in.
    let is_other = |other: &super::Identity| other.id != id && inner.sign_in_providers.has(&other.provider);
    if !has_password && !store::list_in(&mut tx, user_id).await?.iter().any(is_other) {
        let text = "this is the only way that the user can sign in: set a password or link another account first";
        return Err(Error::new(ErrorKind::Conflict, "last_sign_in_method", text));
    }
    if !store::delete(&mut tx, user_id, id).await? {
        return Err(missing());
    }
    let details = &[("provider", identity.provider.as_str())];
    let (actor, subject) = (principal.actor(), Some(id.to_string()));
    let (workspace, action) = (principal.workspace_id, AuditAction::IdentityUnlinked);
    audit::append(&mut tx, Entry { workspace, actor, action, subject, details }, now).await?;
    let unlinked = IdentityUnlinked { identity_id: id, user_id, provider: identity.provider.clone() };
    events::append(&mut tx, workspace, unlinked, now).await?;
    if let Some(notice) = notice {
        notice.queue(&mut tx).await?;
    }
    tx.commit().await
}
