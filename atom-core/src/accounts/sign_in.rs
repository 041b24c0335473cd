//! Sign in with e-mail and password.

use super::session::{ABSOLUTE_LIFETIME, Issue, NewSession, place};
use super::{Credentials, Session, email, store};
use crate::atom::Inner;
use crate::audit::{self, Actor, AuditAction, Entry};
use crate::events::{self, SessionStarted};
use crate::{Error, ErrorKind, Result, UserId};

pub(super) async fn run(inner: &Inner, credentials: Credentials) -> Result<Session> {
    let wrong = || Error::new(ErrorKind::Unauthenticated, "wrong_credentials", "the e-mail address or the password is wrong");
    let db = inner.db()?;
    // A malformed address takes the same path as an unknown one, so that both answers look and last alike.
    let found = match email::canonical(&credentials.email) {
        Ok(canonical) => store::user_by_email(db, &canonical).await?,
        Err(_) => None,
    };
    let hash = found.as_ref().and_then(|user| user.password_hash.clone());
    let right = inner.hasher.verify(&credentials.password, hash).await?;
    let user = found.filter(|_| right).ok_or_else(wrong)?.into_user();
    let membership = store::membership(db, user.id, credentials.workspace_id).await?;
    let (workspace, role) = membership.ok_or_else(|| not_a_member(user.id))?;

    let now = inner.now();
    let session = NewSession::generate()?;
    let sealed = inner.keys.seal_record(db, &place(workspace.id, &session.id), &session.key[..]).await?;
    let mut tx = db.begin_durable().await?;
    session.insert(&mut tx, workspace.id, user.id, &sealed, now).await?;
    let actor = Actor { user: user.id, session: Some(session.id) };
    let entry =
        Entry { workspace: workspace.id, actor, action: AuditAction::SignedIn, subject: Some(user.id.to_string()), details: &[] };
    audit::append(&mut tx, entry, now).await?;
    events::append(&mut tx, workspace.id, SessionStarted { session_id: session.id, user_id: user.id }, now).await?;
    tx.commit().await?;

    let issue = Issue { user, workspace, role, session: session.id, counter: 0, ends_at: now + ABSOLUTE_LIFETIME };
    issue.tokens(inner, &session.key[..], now)
}

fn not_a_member(user: UserId) -> Error {
    tracing::debug!(user.id = %user, "signed in to a workspace without being a member");
    Error::new(
        ErrorKind::Forbidden,
        "not_a_member",
        "the user is not a member of this workspace: ask one of its owners for an invitation",
    )
}
