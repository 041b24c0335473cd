//! Whether what a user shows as a second factor is right. It is used up by that.

use super::begin_totp::place;
use super::pending::Pending;
use super::{recovery_codes, store, totp};
use crate::accounts::throttle;
use crate::atom::Inner;
use crate::audit::{self, Actor, AuditAction, Entry};
use crate::events::{self, RecoveryCodeUsed};
use crate::{Error, ErrorKind, FactorId, Result, Secret, SessionId, UserId, WorkspaceId};
use chrono::{DateTime, Utc};

/// Where a second factor is asked for.
#[derive(Clone, Copy)]
pub(in crate::accounts) enum Asked<'a> {
    /// In a session that stands.
    Session(SessionId),
    /// By a sign-in that waits for it.
    Pending(&'a Pending),
}

impl Asked<'_> {
    fn session(self) -> Option<SessionId> {
        match self {
            Self::Session(id) => Some(id),
            Self::Pending(_) => None,
        }
    }

    /// Counts a try of a pending sign-in, whatever comes of it.
    async fn count(self, inner: &Inner) -> Result<()> {
        match self {
            Self::Session(_) => Ok(()),
            Self::Pending(pending) => pending.count_try(inner).await,
        }
    }
}

/// Takes a code of one of the user's authenticator apps. Wrong ones are counted for a session that stands, or else for the user, over all processes
/// and all pending sign-ins. One that comes too early is no try of a pending sign-in.
///
/// Fails with `unauthenticated` (`wrong_code`, `unknown_pending_factor`) or `rate_limited` (`too_many_attempts`).
pub(in crate::accounts) async fn check_totp(inner: &Inner, user: UserId, asked: Asked<'_>, code: &Secret) -> Result<()> {
    let counted = throttle::count_factor(inner, user, asked.session()).await?;
    asked.count(inner).await?;
    let (db, now) = (inner.db()?, inner.now());
    if accept(inner, user, code, now).await? {
        return counted.give_back(db).await;
    }
    counted.keep(db, now).await?;
    Err(wrong("the code is wrong, or was used before: wait for the next one"))
}

async fn accept(inner: &Inner, user: UserId, code: &Secret, now: DateTime<Utc>) -> Result<bool> {
    let Some(digits) = totp::normalized(code) else { return Ok(false) };
    let db = inner.db()?;
    for app in store::totps(db, user).await? {
        let secret = inner.keys.open_record(db, &place(&FactorId(app.id)), &app.secret).await?;
        let Some(step) = totp::matching_step(&secret, &digits, now) else { continue };
        if store::accept_step(db, user, app.id, step, now).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes a recovery code of the user's; `workspace` is where that is told. They cannot be guessed, so wrong ones delay nobody: whoever is slowed
/// down by the guesses of others still has them.
///
/// Fails with `unauthenticated` (`wrong_code`, `unknown_pending_factor`).
pub(in crate::accounts) async fn check_recovery_code(
    inner: &Inner,
    user: UserId,
    workspace: WorkspaceId,
    asked: Asked<'_>,
    code: &Secret,
) -> Result<()> {
    asked.count(inner).await?;
    let wrong = || wrong("this is no recovery code of the user's, or it was used before: use another one");
    let code = recovery_codes::normalized(code).ok_or_else(wrong)?;
    let hash = recovery_codes::hash(inner, user, &code);
    let now = inner.now();
    let mut tx = inner.db()?.begin_durable().await?;
    if !store::use_recovery_code(&mut tx, user, &hash, now).await? {
        return Err(wrong());
    }
    let left = store::recovery_codes_left_in(&mut tx, user).await?;
    let (actor, action, subject) =
        (Actor { user, session: asked.session() }, AuditAction::RecoveryCodeUsed, Some(user.to_string()));
    let details = &[("left", &*left.to_string())];
    audit::append(&mut tx, Entry { workspace, actor, action, subject, details }, now).await?;
    events::append(&mut tx, workspace, RecoveryCodeUsed { user_id: user, left }, now).await?;
    tx.commit().await
}

fn wrong(text: &str) -> Error {
    Error::new(ErrorKind::Unauthenticated, "wrong_code", text)
}
