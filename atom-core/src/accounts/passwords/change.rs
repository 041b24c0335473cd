//! A new password for a user who is signed in.

use super::{policy, store};
use crate::accounts::sessions::{self, Which};
use crate::accounts::store as people;
use crate::accounts::{Principal, SignInMethod, notice, step_up};
use crate::atom::Inner;
use crate::audit::{AuditAction, Entry};
use crate::events::{Draft, UserPasswordChanged};
use crate::mail::Template;
use crate::mail::templates::PasswordChanged;
use crate::{Error, ErrorKind, Result, Secret};
use std::sync::Arc;

pub(super) async fn change(inner: &Arc<Inner>, principal: &Principal, current: &Secret, new: &Secret) -> Result<()> {
    let standing = step_up::standing(inner, principal).await?;
    step_up::check_password(inner, &standing, current).await?;
    sessions::prove(inner, standing, SignInMethod::Password).await?;
    let principal = step_up::require(inner, principal).await?;
    replace(inner, &principal, new, false).await
}

pub(super) async fn set(inner: &Arc<Inner>, principal: &Principal, new: &Secret) -> Result<()> {
    let principal = step_up::require(inner, principal).await?;
    replace(inner, &principal, new, true).await
}

/// `is_first` says that there must be no password yet.
async fn replace(inner: &Arc<Inner>, principal: &Principal, new: &Secret, is_first: bool) -> Result<()> {
    let (db, now) = (inner.db()?, inner.now());
    let exists = || {
        let text = "the user has a password: let them change it, and name the current one";
        Error::new(ErrorKind::Conflict, "password_exists", text)
    };
    let row = people::user(db, principal.user_id).await?.ok_or_else(sessions::revoked)?;
    if is_first && row.password_hash.is_some() {
        return Err(exists());
    }
    let user = row.into_user();
    policy::check(inner, new, &user.email).await?;
    let hash = inner.hasher.hash(new).await?;
    let notice = notice::prepare(inner, &user, Template::PasswordChanged(PasswordChanged { at: now })).await?;

    let mut tx = db.begin_durable().await?;
    store::forget_reset(&mut tx, user.id).await?;
    sessions::hold(&mut tx, principal).await?;
    if !store::set_hash(&mut tx, user.id, &hash, is_first).await? {
        return Err(if is_first { exists() } else { sessions::revoked() });
    }
    let how = if is_first { "set" } else { "changed" };
    let (action, subject, details) = (AuditAction::PasswordChanged, Some(user.id.to_string()), &[("how", how)]);
    let entry = Entry { workspace: principal.workspace_id, actor: principal.actor(), action, subject, details };
    let told = Draft::of(&UserPasswordChanged { user_id: user.id, how: how.to_owned() })?;
    let which = principal.session_id.map_or(Which::All, Which::Others);
    sessions::end_for(&mut tx, user.id, which, sessions::acting(principal), vec![(entry, told)], now).await?;
    if let Some(notice) = notice {
        notice.queue(&mut tx).await?;
    }
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::fixtures::{on_each, opens};
    use crate::accounts::verified;

    #[tokio::test]
    async fn p11_an_account_that_is_adopted_while_its_maker_changes_the_password_has_none() {
        on_each(async |atom, makers| {
            let inner = atom.inner();
            let row = people::user(inner.db().expect("open"), makers.user_id).await.expect("read").expect("there");
            verified::adopt(&inner, row.into_user()).await.expect("adopted");
            let (new, late) = ("a loom of leaves and flowers", |result: Result<()>| result.expect_err("refused").reason());
            for is_first in [false, true] {
                assert_eq!(late(replace(&inner, &makers, &new.into(), is_first).await), "session_revoked");
            }
            assert!(!opens(&atom, new).await);
        })
        .await;
    }
}
