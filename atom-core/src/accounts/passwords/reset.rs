//! A new password for whoever has the link.

use super::{policy, store};
use crate::accounts::sessions::{self, Which};
use crate::accounts::store::{self as people, UserRow};
use crate::accounts::{email, notice, verified};
use crate::atom::Inner;
use crate::audit::{Actor, AuditAction, Entry};
use crate::crypto::length_prefixed;
use crate::events::{Draft, UserPasswordChanged};
use crate::mail::Template;
use crate::mail::templates::PasswordChanged;
use crate::{Error, ErrorKind, Result, Secret};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Sets a new password and ends all sessions. Nobody is signed in by it: whoever has a second factor still needs it.
pub(in crate::accounts) async fn run(inner: &Arc<Inner>, token: &Secret, new: &Secret) -> Result<()> {
    let reset = Reset::find(inner, token).await?;
    policy::check(inner, new, &reset.row.email).await?;
    let hash = inner.hasher.hash(new).await?;
    reset.finish(inner, &hash).await
}

/// A link that was good a moment ago.
struct Reset {
    token_hash: [u8; 32],
    row: UserRow,
}

impl Reset {
    async fn find(inner: &Inner, token: &Secret) -> Result<Self> {
        let (db, token_hash) = (inner.db()?, hash(token));
        let user = store::reset_of(db, &token_hash, inner.now()).await?.ok_or_else(over)?;
        let row = people::user(db, user).await?.ok_or_else(over)?;
        Ok(Self { token_hash, row })
    }

    /// Takes the link, for exactly one of several callers, and does with it what it is for.
    async fn finish(self, inner: &Arc<Inner>, password_hash: &str) -> Result<()> {
        let (db, now) = (inner.db()?, inner.now());
        let (binding_hash, user) = (binding(&self.row), self.row.into_user());
        let notice = notice::prepare(inner, &user, Template::PasswordChanged(PasswordChanged { at: now })).await?;
        let membership = people::membership(db, user.id, None).await?;

        let mut tx = db.begin_durable().await?;
        if !store::take_reset(&mut tx, &self.token_hash, &binding_hash, now).await? {
            return Err(over());
        }
        // The first proof of the address: whoever has signed up with it may not be its owner.
        if people::verify_email(&mut tx, user.id, now).await? {
            verified::dispossess(&mut tx, user.id).await?;
        }
        if !store::reset_hash(&mut tx, user.id, &user.email, password_hash).await? {
            return Err(over());
        }
        let mut told = Vec::new();
        if let Some((workspace, _)) = membership {
            let (actor, subject) = (Actor { user: user.id, session: None }, Some(user.id.to_string()));
            let (action, details) = (AuditAction::PasswordChanged, &[("how", "reset")]);
            let event = Draft::of(&UserPasswordChanged { user_id: user.id, how: "reset".to_owned() })?;
            told.push((Entry { workspace: workspace.id, actor, action, subject, details }, event));
        }
        // Somebody who knew the password before may be signed in.
        sessions::end_for(&mut tx, user.id, Which::All, None, told, now).await?;
        if let Some(notice) = notice {
            notice.queue(&mut tx).await?;
        }
        tx.commit().await
    }
}

/// What is stored of a token.
pub(super) fn hash(token: &Secret) -> [u8; 32] {
    Sha256::digest(token.expose()).into()
}

/// What a link is good for: one user, with this address and this password.
pub(super) fn binding(row: &UserRow) -> [u8; 32] {
    let (address, password) = (email::identifier(&row.email), row.password_hash.as_deref().unwrap_or_default());
    Sha256::digest(length_prefixed([row.id.as_bytes(), address.as_bytes(), password.as_bytes()])).into()
}

fn over() -> Error {
    let text = "the link to reset the password was used, replaced by a newer one, or is too old: let the user ask for another";
    Error::new(ErrorKind::Unauthenticated, "invalid_reset_token", text)
}

#[cfg(test)]
#[path = "reset_tests.rs"]
mod tests;
