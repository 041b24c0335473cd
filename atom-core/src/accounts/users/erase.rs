//! Erasing a user (GDPR, article 17).
//!
//! From the commit on nothing personal is in the user's row, their sessions have ended, nobody can sign in as them, and their address is free. They leave
//! their workspaces as members do; those in which nobody else is are deleted. What was connected is ended at its providers after that, which takes
//! time and may fail, so the row stays until it is done: whoever calls again goes on with it, and so does a worker.
//!
//! The logs keep the id, which names nobody any more. There never was anything else of a person in the audit log, so its chain stays as it is.

use super::store;
use super::told::By;
use crate::accounts::sessions::{self, Which};
use crate::accounts::{email_proof, invitations, members, store as people, verified, workspaces};
use crate::atom::Inner;
use crate::audit::{AuditAction, Entry};
use crate::crypto::INSTALLATION;
use crate::events::{Draft, MemberLeft, UserErased};
use crate::storage::Tx;
use crate::{Error, ErrorKind, Result, UserId, WorkspaceId, jobs, mail};
use chrono::{DateTime, Utc};
use std::sync::Arc;

pub(in crate::accounts) async fn run(inner: &Arc<Inner>, user: UserId, by: By) -> Result<()> {
    begin(inner, user, by).await?;
    finish(inner, user).await
}

/// Finishes what was begun: its process may have died.
pub(in crate::accounts) async fn finish_all(inner: &Arc<Inner>) -> Result<()> {
    for user in store::erased(inner.db()?).await? {
        finish(inner, user).await?;
    }
    Ok(())
}

/// Does what is one act, unless it was done before.
async fn begin(inner: &Arc<Inner>, user: UserId, by: By) -> Result<()> {
    let (db, now) = (inner.db()?, inner.now());
    let mut tx = db.begin_durable().await?;
    // Whoever joins a workspace, or has somebody leave one, takes the user first, too: from here on these are all.
    people::hold_user(&mut tx, user).await?;
    let Some(address) = store::address(&mut tx, user).await? else {
        drop(tx);
        return if store::is_erased(db, user).await? { Ok(()) } else { Err(Error::not_found("user")) };
    };
    let mut places = Vec::new();
    for workspace in store::workspaces(&mut tx, user).await? {
        let held = workspaces::hold(&mut tx, workspace).await;
        // It may be closed at this moment.
        if held.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
            continue;
        }
        held?;
        places.push(workspace);
    }
    let mut told = go(&mut tx, user, &places, by, now).await?;
    let (actor, subject) = (by.actor_in(INSTALLATION), Some(user.to_string()));
    let entry = Entry { workspace: INSTALLATION, actor, action: AuditAction::UserErased, subject, details: &[] };
    told.push((entry, Draft::of(&UserErased { user_id: user })?));
    store::empty(&mut tx, user, now).await?;
    verified::dispossess(&mut tx, user).await?;
    email_proof::forget(inner, &mut tx, user, &address).await?;
    invitations::store::forget(&mut tx, &address, user).await?;
    mail::forget_user(&mut tx, user).await?;
    sessions::end_for(&mut tx, user, Which::All, by.acting, told, now).await?;
    tx.commit().await
}

/// Has a user leave workspaces that are held, and closes those in which nobody else is. Returns what tells of it.
///
/// Fails with `conflict` (`last_owner`).
async fn go(
    tx: &mut Tx,
    user: UserId,
    places: &[WorkspaceId],
    by: By,
    now: DateTime<Utc>,
) -> Result<Vec<(Entry<'static>, Draft)>> {
    let (mut told, mut orphaned) = (Vec::new(), Vec::new());
    for workspace in places.iter().copied() {
        if members::store::others(tx, workspace, user).await? == 0 {
            workspaces::shut(tx, workspace, now).await?;
            told.push(workspaces::told_of_deletion(workspace, by.actor_in(INSTALLATION))?);
            continue;
        }
        if !members::is_dispensable(tx, workspace, user).await? {
            orphaned.push(workspace.to_string());
            continue;
        }
        members::store::set_leaving(tx, workspace, user, now).await?;
        let (actor, subject) = (by.actor_in(workspace), Some(user.to_string()));
        let entry = Entry { workspace, actor, action: AuditAction::MemberLeft, subject, details: &[] };
        told.push((entry, Draft::of(&MemberLeft { user_id: user, reason: "erased".to_owned() })?));
    }
    if orphaned.is_empty() {
        return Ok(told);
    }
    let orphaned = orphaned.join(", ");
    let text = format!(
        "the user is the only owner of workspaces that have other members: make another member an owner first, or delete the workspace: {orphaned}"
    );
    Err(Error::new(ErrorKind::Conflict, "last_owner", text))
}

/// Ends what the user connected, and then forgets what is left of them. May be called again.
async fn finish(inner: &Arc<Inner>, user: UserId) -> Result<()> {
    let db = inner.db()?;
    for (workspace, is_closing) in store::remains(db, user).await? {
        if is_closing {
            workspaces::finish(inner, workspace).await?;
        } else {
            members::finish_leaving(inner, workspace, user).await?;
        }
    }
    (inner.holdings.forget)(Arc::clone(inner), user).await?;
    let mut tx = db.begin_durable().await?;
    jobs::forget_user(&mut tx, user, inner.now()).await?;
    store::delete(&mut tx, user).await?;
    tx.commit().await?;
    if store::is_erased(db, user).await? {
        return Err(Error::unavailable("still_leaving", "what the user has connected is not ended yet: call again"));
    }
    Ok(())
}
