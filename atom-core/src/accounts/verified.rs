//! What follows when somebody proves that the address of an account is theirs.

use super::{User, sessions, store};
use crate::atom::Inner;
use crate::audit::{self, Actor, AuditAction, Entry};
use crate::events::{self, Draft, SessionEnded, UserEmailVerified};
use crate::{Result, SessionId, WorkspaceId};

/// Notes it for a user who has also shown a session or a password of the account. Nothing else changes.
pub(super) async fn mark(inner: &Inner, user: User, workspace: WorkspaceId, session: Option<SessionId>) -> Result<User> {
    let now = inner.now();
    let mut tx = inner.db()?.begin_durable().await?;
    if store::verify_email(&mut tx, user.id, now).await? {
        let (actor, subject) = (Actor { user: user.id, session }, Some(user.id.to_string()));
        let entry = Entry { workspace, actor, action: AuditAction::EmailVerified, subject, details: &[] };
        audit::append(&mut tx, entry, now).await?;
        events::append(&mut tx, workspace, UserEmailVerified { user_id: user.id }, now).await?;
        tx.commit().await?;
    }
    Ok(User { email_verified: true, ..user })
}

/// Gives an account to whoever has proved its address and nothing else. If that is the first proof, anybody may have signed up with the
/// address, to wait for its owner: so everything ends by which they could come back, the password and all sessions, in the same transaction.
pub(super) async fn adopt(inner: &Inner, user: User) -> Result<User> {
    // Who is a member of nothing is let in nowhere.
    let membership = store::membership(inner.db()?, user.id, None).await?.filter(|_| !user.email_verified);
    let Some((workspace, _)) = membership else { return Ok(user) };
    let now = inner.now();
    let mut tx = inner.db()?.begin_durable().await?;
    if store::verify_email(&mut tx, user.id, now).await? {
        store::remove_password(&mut tx, user.id).await?;
        let ended = sessions::end_all(&mut tx, user.id, now).await?;
        let mut acts: Vec<(WorkspaceId, Option<SessionId>)> =
            ended.into_iter().map(|(at, session)| (at, Some(session))).collect();
        acts.push((workspace.id, None));
        // In the order in which everyone takes the logs of several workspaces.
        acts.sort();
        let mut told = Vec::with_capacity(acts.len());
        for (workspace, ended) in acts {
            let (action, subject, event) = match ended {
                Some(session_id) => {
                    let (action, user_id) = (AuditAction::SessionRevoked, user.id);
                    let event = SessionEnded { session_id, user_id, reason: action.as_str().to_owned() };
                    (action, session_id.to_string(), Draft::of(&event)?)
                }
                None => {
                    let event = UserEmailVerified { user_id: user.id };
                    (AuditAction::EmailVerified, user.id.to_string(), Draft::of(&event)?)
                }
            };
            let actor = Actor { user: user.id, session: None };
            audit::append(&mut tx, Entry { workspace, actor, action, subject: Some(subject), details: &[] }, now).await?;
            told.push((workspace, event));
        }
        events::append_all(&mut tx, told, now).await?;
        tx.commit().await?;
    }
    Ok(User { email_verified: true, ..user })
}
