//! Making an invitation, and sending it once more.

use super::store::{self, InvitationRow};
use super::{ACT, Invitation, Invitations, NewInvitation, already_a_member, check_seats, over, token};
use crate::accounts::{Principal, email, rights, sign_up, store as people, workspaces};
use crate::audit::{self, AuditAction, Entry};
use crate::crypto::{base64url, length_prefixed};
use crate::events::{self, InvitationSent};
use crate::mail::{self, NewMail, Template, templates};
use crate::storage::once::bump_counter;
use crate::storage::{Timestamp, Tx};
use crate::{Error, InvitationId, Result, Secret};
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

/// How many mails of a workspace's invitations go out in an hour, at most; to one address, `PER_ADDRESS` of them.
const PER_WORKSPACE: i64 = 100;
const PER_ADDRESS: i64 = 5;

pub(super) async fn first(invitations: &Invitations, new: NewInvitation) -> Result<Invitation> {
    let (inner, now) = (&invitations.inner, invitations.inner.now());
    let principal = admin(invitations).await?;
    principal.check_covers(new.role)?;
    new.locale.as_deref().map(sign_up::check_locale).transpose()?;
    let (token, hash) = token::issue()?;
    let expires_at = now + inner.invitation_life;
    let row = InvitationRow {
        workspace_id: principal.workspace_id.0,
        id: InvitationId::generate().0,
        email_canonical: email::canonical(&new.email)?,
        email: new.email.trim().to_owned(),
        role: new.role.as_str().to_owned(),
        locale: new.locale,
        invited_by: principal.user_id.0,
        created_at: now.into(),
        sent_at: now.into(),
        expires_at: expires_at.into(),
        accepted_at: None,
        accepted_by: None,
        revoked_at: None,
    };
    let mail = prepare(invitations, &principal, &row, token, now).await?;
    let mut tx = inner.db()?.begin_durable().await?;
    let held = workspaces::hold(&mut tx, principal.workspace_id).await?;
    let principal = rights::acting(&mut tx, &principal).await?;
    principal.check_admin(ACT)?;
    principal.check_covers(new.role)?;
    if store::is_member(&mut tx, principal.workspace_id, &row.email_canonical).await? {
        return Err(already_a_member());
    }
    store::revoke_for(&mut tx, principal.workspace_id, &row.email_canonical, now).await?;
    store::insert(&mut tx, &row, &hash).await?;
    check_seats(&workspaces::seats_of(&mut tx, principal.workspace_id, &held, now).await?)?;
    mail.queue(&mut tx).await?;
    tell(&mut tx, &principal, &row, now).await?;
    tx.commit().await?;
    row.into_invitation(now)
}

pub(super) async fn again(invitations: &Invitations, id: InvitationId) -> Result<Invitation> {
    let (inner, now) = (&invitations.inner, invitations.inner.now());
    let principal = admin(invitations).await?;
    let row = store::get(inner.db()?, principal.workspace_id, id).await?;
    let role = row.role()?;
    principal.check_covers(role)?;
    if row.accepted_at.is_some() || row.revoked_at.is_some() {
        return Err(over());
    }
    let (token, hash) = token::issue()?;
    let expires_at = now + inner.invitation_life;
    let mail = prepare(invitations, &principal, &row, token, now).await?;
    let mut tx = inner.db()?.begin_durable().await?;
    let held = workspaces::hold(&mut tx, principal.workspace_id).await?;
    let principal = rights::acting(&mut tx, &principal).await?;
    principal.check_admin(ACT)?;
    principal.check_covers(role)?;
    if !store::renew(&mut tx, principal.workspace_id, id, &hash, now, expires_at).await? {
        return Err(over());
    }
    // One whose time was over held no seat.
    check_seats(&workspaces::seats_of(&mut tx, principal.workspace_id, &held, now).await?)?;
    mail.queue(&mut tx).await?;
    tell(&mut tx, &principal, &row, now).await?;
    tx.commit().await?;
    InvitationRow { sent_at: Timestamp::from(now), expires_at: Timestamp::from(expires_at), ..row }.into_invitation(now)
}

/// Whoever invites, if they may: asked before anything is counted or sent, and once more in the transaction.
async fn admin(invitations: &Invitations) -> Result<Principal> {
    let principal = rights::standing(&invitations.inner, &invitations.principal).await?;
    principal.check_admin(ACT)?;
    Ok(principal)
}

/// The mail with the token, counted so that nobody's address is flooded.
async fn prepare(
    invitations: &Invitations,
    principal: &Principal,
    row: &InvitationRow,
    token: Secret,
    now: DateTime<Utc>,
) -> Result<mail::Prepared> {
    let inner = &invitations.inner;
    let db = inner.db()?;
    let inviter = people::user(db, principal.user_id).await?.ok_or_else(|| Error::not_found("user"))?.into_user();
    let workspace = workspaces::get(db, principal.workspace_id).await?.name;
    let invite = templates::Invite {
        token,
        minutes: inner.invitation_life.num_minutes(),
        inviter: inviter.display_name.unwrap_or(inviter.email),
        workspace,
        role: row.role.clone(),
    };
    let new = NewMail {
        template: Template::Invite(invite),
        locale: row.locale.clone(),
        to: row.email_canonical.clone(),
        name: None,
        user: None,
        workspace: Some(principal.workspace_id),
    };
    let prepared = mail::prepare(inner, new).await?;
    let hour = TimeDelta::hours(1);
    bump_counter(db, &format!("invitations {}", row.workspace_id), PER_WORKSPACE, hour, now).await?;
    // The key names nobody: it is a hash.
    let address = base64url(Sha256::digest(length_prefixed([row.workspace_id.as_bytes(), row.email_canonical.as_bytes()])));
    bump_counter(db, &format!("invitation {address}"), PER_ADDRESS, hour, now).await?;
    Ok(prepared)
}

async fn tell(tx: &mut Tx, principal: &Principal, row: &InvitationRow, now: DateTime<Utc>) -> Result<()> {
    let (workspace, actor, subject) = (principal.workspace_id, principal.actor(), Some(row.id().to_string()));
    let details = [("role", row.role.as_str())];
    audit::append(tx, Entry { workspace, actor, action: AuditAction::InvitationSent, subject, details: &details }, now).await?;
    events::append(tx, workspace, InvitationSent { invitation_id: row.id(), role: row.role.clone() }, now).await
}
