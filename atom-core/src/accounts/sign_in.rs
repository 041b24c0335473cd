//! Sign in with e-mail and password.

use super::sessions::{self, NewSession};
use super::throttle::{self, Attempt};
use super::{Client, Credentials, Session, email, store};
use crate::atom::Inner;
use crate::audit::{self, Actor, AuditAction, Entry};
use crate::events::{self, SessionStarted};
use crate::{Error, ErrorKind, Result, UserId};

pub(super) async fn run(inner: &Inner, credentials: Credentials) -> Result<Session> {
    let wrong = || Error::new(ErrorKind::Unauthenticated, "wrong_credentials", "the e-mail address or the password is wrong");
    let db = inner.db()?;
    let client = credentials.client.map(Client::canonical).transpose()?.flatten();
    // A malformed address takes the same path as an unknown one, and that the same as a known one, so that all answers look, last and count alike.
    let identifier = email::identifier(&credentials.email);
    let found = store::user_by_email(db, &identifier).await?;
    let device = match (&found, &credentials.known_device) {
        (Some(user), Some(token)) => sessions::known_device(inner, token, UserId(user.id)).await?,
        _ => None,
    };
    let attempt = Attempt { identifier: &identifier, client: client.as_ref(), device };
    let counted = throttle::count(inner, &attempt).await?;
    let hash = found.as_ref().and_then(|user| user.password_hash.clone());
    let right = inner.hasher.verify(&credentials.password, hash).await?;
    let now = inner.now();
    let Some(user) = found.filter(|_| right) else {
        counted.keep(db, now).await?;
        return Err(wrong());
    };
    counted.give_back(db).await?;
    let user = user.into_user();
    let membership = store::membership(db, user.id, credentials.workspace_id).await?;
    let (workspace, role) = membership.ok_or_else(|| not_a_member(user.id))?;

    let session = NewSession::generate(client)?;
    let sealed = session.seal(inner, workspace.id).await?;
    let mut tx = db.begin_durable().await?;
    session.insert(inner, &mut tx, workspace.id, user.id, &sealed, now).await?;
    let actor = Actor { user: user.id, session: Some(session.id) };
    let entry =
        Entry { workspace: workspace.id, actor, action: AuditAction::SignedIn, subject: Some(user.id.to_string()), details: &[] };
    audit::append(&mut tx, entry, now).await?;
    events::append(&mut tx, workspace.id, SessionStarted { session_id: session.id, user_id: user.id }, now).await?;
    tx.commit().await?;
    session.tokens(inner, user, workspace, role, now).await
}

fn not_a_member(user: UserId) -> Error {
    tracing::debug!(user.id = %user, "signed in to a workspace without being a member");
    Error::new(
        ErrorKind::Forbidden,
        "not_a_member",
        "the user is not a member of this workspace: ask one of its owners for an invitation",
    )
}
