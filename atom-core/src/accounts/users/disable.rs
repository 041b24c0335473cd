//! Accounts that cannot be used for a while, and those that can again.

use super::told::{By, tell, told};
use super::{UserAccount, store};
use crate::accounts::sessions::{self, Which};
use crate::atom::Inner;
use crate::audit::AuditAction;
use crate::events::{UserDisabled, UserEnabled};
use crate::{Error, Result, UserId};

/// The longest reason, in characters.
const LONGEST_REASON: usize = 500;

pub(super) async fn disable(inner: &Inner, user: UserId, reason: Option<String>) -> Result<UserAccount> {
    let reason = reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > LONGEST_REASON || reason.contains('\0')) {
        return Err(Error::invalid("malformed_reason", "the reason has at most 500 characters"));
    }
    let (db, by, now) = (inner.db()?, By::operator(), inner.now());
    let mut tx = db.begin_durable().await?;
    // Whoever signs in at this moment has stored their session before, or finds the account disabled.
    if store::disable(&mut tx, user, reason.as_deref(), now).await? {
        let event = UserDisabled { user_id: user };
        let act = told(&mut tx, user, by, AuditAction::UserDisabled, &[], &event).await?;
        sessions::end_for(&mut tx, user, Which::All, by.acting, act, now).await?;
        tx.commit().await?;
    }
    store::account(db, user).await
}

pub(super) async fn enable(inner: &Inner, user: UserId) -> Result<UserAccount> {
    let (db, by, now) = (inner.db()?, By::operator(), inner.now());
    let mut tx = db.begin_durable().await?;
    if store::enable(&mut tx, user).await? {
        let event = UserEnabled { user_id: user };
        let told = told(&mut tx, user, by, AuditAction::UserEnabled, &[], &event).await?;
        tell(&mut tx, told, now).await?;
        tx.commit().await?;
    }
    store::account(db, user).await
}
