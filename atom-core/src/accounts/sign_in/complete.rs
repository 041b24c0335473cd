//! From a proof to a session: the same for every way to prove it.

use super::SignIn;
use crate::accounts::sessions::{self, NewSession};
use crate::accounts::{Client, Ground, Principal, Role, SignInMethod, User, Workspace, factors, notice, store};
use crate::atom::Inner;
use crate::audit::{self, Actor, AuditAction, Entry};
use crate::events::{self, SessionStarted};
use crate::mail::templates::NewDevice;
use crate::mail::{Prepared, Template};
use crate::{Error, ErrorKind, Result, UserId, WorkspaceId};
use std::sync::Arc;

/// Somebody who has just proved who they are.
pub(in crate::accounts) struct Proved {
    /// The user, who may be disabled.
    pub(in crate::accounts) user: User,
    pub(in crate::accounts) method: SignInMethod,
    /// What that rests on.
    pub(in crate::accounts) ground: Ground,
    /// The workspace to enter. Default: the one that the user joined first.
    pub(in crate::accounts) workspace_id: Option<WorkspaceId>,
    /// In its canonical form.
    pub(in crate::accounts) client: Option<Client>,
    /// Whether the device has shown that the user was signed in on it before.
    pub(in crate::accounts) is_known_device: bool,
}

/// Begins a session of theirs, or asks for a second factor where they have one. A proof that may be used once was used up before.
///
/// Fails as [`begin_session`] does.
pub(in crate::accounts) async fn run(inner: &Arc<Inner>, proved: Proved) -> Result<SignIn> {
    // Once more in the transaction that stores the session.
    store::user(inner.db()?, proved.user.id).await?.ok_or_else(store::user_disabled)?;
    if !proved.method.is_factor()
        && let Some(pending) = factors::ask(inner, &proved).await?
    {
        return Ok(SignIn::FactorRequired { pending });
    }
    begin_session(inner, proved, None).await
}

/// Begins a session of somebody of whom nothing more is asked, if what they have proved is still so in the transaction that stores it: whoever changes a
/// password or adopts an account ends the sessions that they see, and would not see this one.
///
/// Fails with `forbidden` (`not_a_member`, `user_disabled`) or `unauthenticated` (`proof_outdated`).
pub(in crate::accounts) async fn begin_session(
    inner: &Arc<Inner>,
    proved: Proved,
    factor: Option<SignInMethod>,
) -> Result<SignIn> {
    let (workspace, role) = membership(inner, &proved).await?;
    let Proved { user, method, ground, client, is_known_device, .. } = proved;
    let (db, now) = (inner.db()?, inner.now());

    let new_device = if is_known_device { None } else { new_device(inner, &user, client.as_ref(), workspace.id, role).await? };
    let session = NewSession::generate(client, [method].into_iter().chain(factor).collect())?;
    let sealed = session.seal(inner, workspace.id).await?;
    let mut tx = db.begin_durable().await?;
    ground.hold(&mut tx, user.id).await?;
    session.insert(inner, &mut tx, workspace.id, user.id, &sealed, now).await?;
    let actor = Actor { user: user.id, session: Some(session.id) };
    let factor = factor.as_ref().map(|factor| ("factor", factor.as_str()));
    let details: Vec<_> = [("method", method.as_str())].into_iter().chain(factor).collect();
    let subject = Some(user.id.to_string());
    let entry = Entry { workspace: workspace.id, actor, action: AuditAction::SignedIn, subject, details: &details };
    audit::append(&mut tx, entry, now).await?;
    events::append(&mut tx, workspace.id, SessionStarted { session_id: session.id, user_id: user.id }, now).await?;
    if let Some(notice) = new_device {
        notice.queue(&mut tx).await?;
    }
    tx.commit().await?;
    Ok(SignIn::SignedIn { session: session.tokens(inner, user, workspace, role, now).await? })
}

/// The notice of a sign-in on a device that none of the user's sessions is on. Of a client that nothing is known of there is nothing to tell.
async fn new_device(
    inner: &Arc<Inner>,
    user: &User,
    client: Option<&Client>,
    workspace_id: WorkspaceId,
    role: Role,
) -> Result<Option<Prepared>> {
    let Some(client) = client.filter(|_| inner.mail.is_configured()) else { return Ok(None) };
    let principal = Principal { user_id: user.id, workspace_id, role, session_id: None, purpose: None };
    let known = sessions::list(inner, &principal).await?;
    let is_same = |known: &Client| (&known.user_agent, &known.device_name) == (&client.user_agent, &client.device_name);
    if known.iter().any(|session| session.client.as_ref().is_some_and(is_same)) {
        return Ok(None);
    }
    let device = client.device_name.as_ref().or(client.user_agent.as_ref());
    let device = device.map_or_else(|| "a device without a name".to_owned(), Clone::clone);
    let told = NewDevice { at: inner.now(), device, place: client.ip.clone() };
    notice::prepare(inner, user, Template::NewDevice(told)).await
}

/// The workspace that will be entered. Fails with `forbidden` (`not_a_member`).
pub(in crate::accounts) async fn workspace_of(inner: &Inner, proved: &Proved) -> Result<WorkspaceId> {
    Ok(membership(inner, proved).await?.0.id)
}

async fn membership(inner: &Inner, proved: &Proved) -> Result<(Workspace, Role)> {
    let membership = store::membership(inner.db()?, proved.user.id, proved.workspace_id).await?;
    membership.ok_or_else(|| not_a_member(proved.user.id))
}

pub(in crate::accounts) fn not_a_member(user: UserId) -> Error {
    tracing::debug!(user.id = %user, "signed in to a workspace without being a member");
    Error::new(
        ErrorKind::Forbidden,
        "not_a_member",
        "the user is not a member of this workspace: ask one of its owners for an invitation",
    )
}

#[cfg(test)]
#[path = "complete_tests.rs"]
mod tests;
