//! What follows when somebody proves that the address of an account is theirs.

use super::sessions::{self, Which};
use super::{User, factors, social, store};
use crate::atom::Inner;
use crate::audit::{self, Actor, AuditAction, Entry};
use crate::events::{self, Draft, UserEmailVerified};
use crate::storage::Tx;
use crate::{Result, SessionId, UserId, WorkspaceId};

/// Notes it for a user who has also shown a session or a password of the account. Nothing else changes.
pub(super) async fn mark(inner: &Inner, user: User, workspace: WorkspaceId, session: Option<SessionId>) -> Result<User> {
    let now = inner.now();
    let mut tx = inner.db()?.begin_durable().await?;
    if store::verify_email(&mut tx, user.id, now).await? {
        audit::append(&mut tx, entry(&user, workspace, session), now).await?;
        events::append(&mut tx, workspace, UserEmailVerified { user_id: user.id }, now).await?;
        tx.commit().await?;
    }
    Ok(User { email_verified: true, ..user })
}

/// Gives an account to whoever has proved its address and nothing else. If that is the first proof, anybody may have signed up with the
/// address, to wait for its owner: so everything ends by which they could come back, in the same transaction.
pub(super) async fn adopt(inner: &Inner, user: User) -> Result<User> {
    // Who is a member of nothing is let in nowhere.
    let membership = store::membership(inner.db()?, user.id, None).await?.filter(|_| !user.email_verified);
    let Some((workspace, _)) = membership else { return Ok(user) };
    let now = inner.now();
    let mut tx = inner.db()?.begin_durable().await?;
    if store::verify_email(&mut tx, user.id, now).await? {
        store::remove_password(&mut tx, user.id).await?;
        dispossess(&mut tx, user.id).await?;
        let told = (entry(&user, workspace.id, None), Draft::of(&UserEmailVerified { user_id: user.id })?);
        sessions::end_for(&mut tx, user.id, Which::All, None, vec![told], now).await?;
        tx.commit().await?;
    }
    Ok(User { email_verified: true, ..user })
}

/// Takes from a user, beside the password and the sessions, what whoever made the account could come back with, or keep its owner out with.
pub(super) async fn dispossess(tx: &mut Tx, user: UserId) -> Result<()> {
    factors::remove_all(tx, user).await?;
    social::remove_all(tx, user).await
}

fn entry(user: &User, workspace: WorkspaceId, session: Option<SessionId>) -> Entry<'static> {
    let (actor, subject) = (Actor { user: user.id, session }, Some(user.id.to_string()));
    Entry { workspace, actor, action: AuditAction::EmailVerified, subject, details: &[] }
}
