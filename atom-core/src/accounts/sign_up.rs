//! Sign up: a user, a workspace with its data key, an ownership and a session, in one transaction.

use super::sessions::NewSession;
use super::{Client, NewAccount, Role, Session, SignInMethod, User, Workspace, email, store};
use crate::atom::Inner;
use crate::audit::{self, Actor, AuditAction, Entry};
use crate::events::{self, Draft, SessionStarted, UserSignedUp};
use crate::{Error, ErrorKind, Result, Secret, UserId, WorkspaceId};

/// Longer texts are refused before they cost a hash.
const MAX_PASSWORD: usize = 1000;

pub(super) async fn run(inner: &Inner, account: NewAccount) -> Result<Session> {
    let canonical = email::canonical(&account.email)?;
    let client = account.client.map(Client::canonical).transpose()?.flatten();
    check_password(&account.password, inner.min_password_length)?;
    account.locale.as_deref().map(check_locale).transpose()?;
    let password_hash = inner.hasher.hash(&account.password).await?;
    let (db, now) = (inner.db()?, inner.now());

    let name = account.workspace_name.or_else(|| account.display_name.clone());
    let name = name.unwrap_or_else(|| canonical.split('@').next().unwrap_or_default().to_owned());
    let user = User {
        id: UserId::generate(),
        email: account.email.trim().to_owned(),
        email_verified: false,
        display_name: account.display_name,
        locale: account.locale,
        created_at: now,
    };
    let workspace = Workspace { id: WorkspaceId::generate(), name, created_at: now };
    let session = NewSession::generate(client, SignInMethod::Password)?;
    let data_key = inner.keys.new_key(workspace.id).await?;
    let sealed = session.seal_under(&data_key, workspace.id)?;

    let mut tx = db.begin_durable().await?;
    store::insert_user(&mut tx, &user, &canonical, Some(&password_hash)).await.map_err(|error| match error.kind() {
        ErrorKind::Conflict => {
            Error::new(ErrorKind::Conflict, "email_taken", "there is an account with this e-mail address: sign in instead")
        }
        _ => error,
    })?;
    store::insert_workspace(&mut tx, &workspace).await?;
    store::insert_membership(&mut tx, workspace.id, user.id, Role::Owner, now).await?;
    data_key.insert(&mut tx, now).await?;
    session.insert(inner, &mut tx, workspace.id, user.id, &sealed, now).await?;
    let actor = Actor { user: user.id, session: Some(session.id) };
    let entry =
        Entry { workspace: workspace.id, actor, action: AuditAction::SignedUp, subject: Some(user.id.to_string()), details: &[] };
    audit::append(&mut tx, entry, now).await?;
    let signed_up = Draft::of(&UserSignedUp { user_id: user.id })?;
    let started = Draft::of(&SessionStarted { session_id: session.id, user_id: user.id })?;
    events::append_all(&mut tx, vec![(workspace.id, signed_up), (workspace.id, started)], now).await?;
    tx.commit().await?;

    session.tokens(inner, user, workspace, Role::Owner, now).await
}

/// Whether it has the shape of a language tag.
pub(super) fn check_locale(locale: &str) -> Result<()> {
    let part = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    if locale.len() <= 35 && locale.split('-').all(part) {
        return Ok(());
    }
    Err(Error::invalid("malformed_locale", "the locale is no language tag: write it like `de` or `de-AT`"))
}

fn check_password(password: &Secret, min: usize) -> Result<()> {
    let length = password.expose().chars().count();
    if length < min {
        return Err(Error::invalid("weak_password", format!("the password has {length} characters: use at least {min}")));
    }
    if length > MAX_PASSWORD {
        return Err(Error::invalid(
            "password_too_long",
            format!("the password has {length} characters: use at most {MAX_PASSWORD}"),
        ));
    }
    Ok(())
}
