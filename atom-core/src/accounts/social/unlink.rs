//! Unlinking an account at a provider, if its user can still sign in without it.

use super::{notice, store};
use crate::accounts::{Principal, sessions, sign_in, step_up, store as accounts};
use crate::atom::Inner;
use crate::audit::{self, AuditAction, Entry};
use crate::events::{self, IdentityUnlinked};
use crate::storage::Tx;
use crate::{Error, IdentityId, Result, UserId};
use std::sync::Arc;

pub(super) async fn run(inner: &Arc<Inner>, principal: &Principal, id: IdentityId) -> Result<()> {
    let principal = step_up::require(inner, principal).await?;
    let (db, now, user_id) = (inner.db()?, inner.now(), principal.user_id);
    let missing = || Error::not_found("identity");
    let identity = store::list(db, user_id).await?.into_iter().find(|identity| identity.id == id).ok_or_else(missing)?;
    let user = accounts::user(db, user_id).await?.ok_or_else(missing)?.into_user();
    let notice = notice::prepare(inner, &user, &identity.provider, false).await?;
    let mut tx = db.begin_durable().await?;
    sessions::hold(&mut tx, &principal).await?;
    if !store::delete(&mut tx, user_id, id).await? {
        return Err(missing());
    }
    sign_in::check_left(inner, &mut tx, user_id).await?;
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

/// Whether a user can sign in with an account at a provider. One whose provider is not configured any more is no way in.
pub(in crate::accounts) async fn has_usable(inner: &Inner, tx: &mut Tx, user: UserId) -> Result<bool> {
    Ok(store::list_in(tx, user).await?.iter().any(|identity| inner.sign_in_providers.has(&identity.provider)))
}
