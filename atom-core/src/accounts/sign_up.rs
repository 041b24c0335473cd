//! Sign up: a user, a workspace with its data key, an ownership and a session, in one transaction.

use super::sessions::NewSession;
use super::{Client, NewAccount, Role, Session, SignInMethod, User, Workspace, email, passwords, store};
use crate::atom::Inner;
use crate::audit::{self, Actor, AuditAction, Entry};
use crate::events::{self, Draft, SessionStarted, UserSignedUp};
use crate::{Error, ErrorKind, Result, UserId, WorkspaceId};
use serde::{Deserialize, Serialize};

/// An account that is about to be made.
#[derive(Serialize, Deserialize)]
pub(super) struct Registration {
    /// The address, as it was typed.
    pub(super) email: String,
    /// Whether it was proved.
    pub(super) is_verified: bool,
    /// None for somebody who signs in in another way.
    pub(super) password_hash: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) workspace_name: Option<String>,
    pub(super) locale: Option<String>,
}

impl Registration {
    /// What was checked, with its password hashed.
    pub(super) async fn new(inner: &Inner, account: NewAccount) -> Result<Self> {
        let password_hash = Some(inner.hasher.hash(&account.password).await?);
        let NewAccount { email, display_name, workspace_name, locale, .. } = account;
        Ok(Self { email: email.trim().to_owned(), is_verified: false, password_hash, display_name, workspace_name, locale })
    }

    /// Of whoever has proved an address, and has said nothing else.
    pub(super) fn verified(email: String, locale: Option<String>) -> Self {
        let locale = locale.filter(|locale| check_locale(locale).is_ok());
        Self { email, is_verified: true, password_hash: None, display_name: None, workspace_name: None, locale }
    }
}

pub(super) async fn run(inner: &Inner, account: NewAccount) -> Result<Session> {
    if inner.email_proofs.is_required {
        let text =
            "this installation makes accounts only for addresses that are proved: use `begin_sign_up` and `confirm_sign_up`";
        return Err(Error::new(ErrorKind::Unsupported, "verification_required", text));
    }
    check(inner, &account).await?;
    let client = account.client.clone().map(Client::canonical).transpose()?.flatten();
    register(inner, Registration::new(inner, account).await?, SignInMethod::Password, client).await
}

/// Refuses what cannot become an account, before it costs a hash.
pub(super) async fn check(inner: &Inner, account: &NewAccount) -> Result<()> {
    let canonical = email::canonical(&account.email)?;
    account.locale.as_deref().map_or(Ok(()), check_locale)?;
    passwords::check(inner, &account.password, &canonical).await
}

/// Makes an account and signs its user in.
///
/// Fails with `conflict` (`email_taken`).
pub(super) async fn register(inner: &Inner, new: Registration, method: SignInMethod, client: Option<Client>) -> Result<Session> {
    let Registration { email, is_verified, password_hash, display_name, workspace_name, locale } = new;
    let canonical = email::canonical(&email)?;
    let (db, now) = (inner.db()?, inner.now());
    let name = workspace_name.or_else(|| display_name.clone());
    let name = name.unwrap_or_else(|| canonical.split('@').next().unwrap_or_default().to_owned());
    let user = User { id: UserId::generate(), email, email_verified: is_verified, display_name, locale, created_at: now };
    let workspace = Workspace { id: WorkspaceId::generate(), name, created_at: now };
    let session = NewSession::generate(client, vec![method])?;
    let data_key = inner.keys.new_key(workspace.id).await?;
    let sealed = session.seal_under(&data_key, workspace.id)?;

    let mut tx = db.begin_durable().await?;
    store::insert_user(&mut tx, &user, &canonical, password_hash.as_deref()).await.map_err(taken)?;
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

/// What the one error means that storing a user meets in the normal course.
pub(super) fn taken(error: Error) -> Error {
    if error.kind() == ErrorKind::Conflict { email_taken() } else { error }
}

pub(super) fn email_taken() -> Error {
    Error::new(ErrorKind::Conflict, "email_taken", "there is an account with this e-mail address: sign in instead")
}

/// Whether it has the shape of a language tag.
pub(super) fn check_locale(locale: &str) -> Result<()> {
    let part = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    if locale.len() <= 35 && locale.split('-').all(part) {
        return Ok(());
    }
    Err(Error::invalid("malformed_locale", "the locale is no language tag: write it like `de` or `de-AT`"))
}
