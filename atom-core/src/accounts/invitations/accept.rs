//! Accepting an invitation: as somebody who has an account, or with a new one.

use super::store::{self, InvitationRow};
use super::token::{self, Hash};
use super::{AcceptInvitation, Invitations, already_a_member, check_seats, invalid};
use crate::accounts::sessions::NewSession;
use crate::accounts::workspaces::{self, WorkspaceMembership};
use crate::accounts::{Client, Session, SignInMethod, User, email, members, passwords, rights, sign_up, store as people};
use crate::atom::Inner;
use crate::audit::{self, Actor, AuditAction, Entry};
use crate::events::{self, Draft, MemberJoined, SessionStarted};
use crate::storage::Tx;
use crate::{Error, ErrorKind, Result, Secret, UserId};
use chrono::{DateTime, Utc};
use std::sync::Arc;

pub(super) async fn signed_in(invitations: &Invitations, shown: Secret) -> Result<WorkspaceMembership> {
    let (inner, now) = (&invitations.inner, invitations.inner.now());
    let principal = rights::standing(inner, &invitations.principal).await?;
    let (db, hash) = (inner.db()?, token::hash(&shown));
    let row = store::by_token(db, &hash, now).await?.ok_or_else(invalid)?;
    let user = people::user(db, principal.user_id).await?.ok_or_else(|| Error::not_found("user"))?.into_user();
    if email::canonical(&user.email)? != row.email_canonical {
        let text =
            "the invitation was sent to another address: sign in with the account of that address, or ask for one to yours";
        return Err(Error::new(ErrorKind::Forbidden, "invitation_for_another", text));
    }
    members::finish_leaving(inner, row.workspace(), user.id).await?;
    let mut tx = db.begin_durable().await?;
    let workspace = join(&mut tx, &row, &hash, user.id, now).await?;
    // The token came by mail to this address, which is the account's.
    people::verify_email(&mut tx, user.id, now).await?;
    // The log of one workspace does not name a session of another.
    tell(&mut tx, &row, Actor { user: user.id, session: None }, None, now).await?;
    tx.commit().await?;
    Ok(WorkspaceMembership { workspace, role: row.role()?, joined_at: now })
}

pub(in crate::accounts) async fn with_new_account(inner: &Arc<Inner>, new: AcceptInvitation) -> Result<Session> {
    let (db, now, hash) = (inner.db()?, inner.now(), token::hash(&new.token));
    let row = store::by_token(db, &hash, now).await?.ok_or_else(invalid)?;
    let client = new.client.map(Client::canonical).transpose()?.flatten();
    passwords::check(inner, &new.password, &row.email_canonical).await?;
    if people::user_by_email(db, &row.email_canonical).await?.is_some() {
        return Err(sign_up::email_taken());
    }
    let password_hash = inner.hasher.hash(&new.password).await?;
    let user = User {
        id: UserId::generate(),
        email: row.email.clone(),
        email_verified: true,
        display_name: new.display_name,
        locale: row.locale.clone(),
        created_at: now,
    };
    let session = NewSession::generate(client, vec![SignInMethod::Password])?;
    let sealed = session.seal(inner, row.workspace()).await?;
    let mut tx = db.begin_durable().await?;
    people::insert_user(&mut tx, &user, &row.email_canonical, Some(&password_hash)).await.map_err(sign_up::taken)?;
    let workspace = join(&mut tx, &row, &hash, user.id, now).await?;
    people::verify_email(&mut tx, user.id, now).await?;
    session.insert(inner, &mut tx, workspace.id, user.id, &sealed, now).await?;
    let started = Draft::of(&SessionStarted { session_id: session.id, user_id: user.id })?;
    tell(&mut tx, &row, Actor { user: user.id, session: Some(session.id) }, Some(started), now).await?;
    tx.commit().await?;
    session.tokens(inner, user, workspace, row.role()?, now).await
}

/// Uses the invitation and makes the user a member, if there is a seat. Whoever loses writes nothing.
async fn join(tx: &mut Tx, row: &InvitationRow, hash: &Hash, user: UserId, now: DateTime<Utc>) -> Result<crate::Workspace> {
    people::keep_active(tx, user).await?;
    let held = workspaces::hold(tx, row.workspace()).await.map_err(|_| invalid())?;
    if !store::accept(tx, row, hash, user, now).await? {
        return Err(invalid());
    }
    people::insert_membership(tx, row.workspace(), user, row.role()?, now).await.map_err(|error| match error.kind() {
        ErrorKind::Conflict => already_a_member(),
        _ => error,
    })?;
    check_seats(&workspaces::seats_of(tx, row.workspace(), &held, now).await?)?;
    Ok(held.into_workspace(row.workspace()))
}

async fn tell(tx: &mut Tx, row: &InvitationRow, actor: Actor, started: Option<Draft>, now: DateTime<Utc>) -> Result<()> {
    let (workspace, details) = (row.workspace(), [("role", row.role.as_str())]);
    let (action, subject) = (AuditAction::InvitationAccepted, Some(row.id().to_string()));
    audit::append(tx, Entry { workspace, actor, action, subject, details: &details }, now).await?;
    let joined = MemberJoined { user_id: actor.user, invitation_id: row.id(), role: row.role.clone() };
    let drafts = [Some(Draft::of(&joined)?), started].into_iter().flatten().map(|draft| (workspace, draft)).collect();
    events::append_all(tx, drafts, now).await
}
