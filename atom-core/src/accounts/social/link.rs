//! Linking an account at a provider to one here: because both sides vouch for the address, or because its user says so.

use super::person::Person;
use super::{Identity, PendingLink, flow, notice, person, store};
use crate::accounts::sign_in::not_a_member;
use crate::accounts::{Principal, User, email, sessions, step_up, store as accounts};
use crate::atom::Inner;
use crate::audit::{self, Actor, AuditAction, Entry};
use crate::crypto::{INSTALLATION, Place, base64url, length_prefixed, random};
use crate::events::{self, IdentityLinked};
use crate::storage::{Tx, once};
use crate::{Error, ErrorKind, IdentityId, Result, Secret, UserId, WorkspaceId};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;
use zeroize::Zeroizing;

const KIND: &str = "social_link";
/// How long a user may take to sign in in another way.
const LIFETIME: TimeDelta = TimeDelta::minutes(30);

/// Only the user whose account has the address.
fn binding(user: UserId) -> Vec<u8> {
    length_prefixed([&b"social-link"[..], user.0.as_bytes()])
}

fn place(token: &[u8]) -> Place<'_> {
    Place { workspace: INSTALLATION, table: "atom_single_use", row: token, field: "payload", version: 1 }
}

/// Keeps what is proved until the user of an account has proved to be that, too.
pub(super) async fn pending(inner: &Inner, person: Person, user: &User) -> Result<PendingLink> {
    let (db, expires_at) = (inner.db()?, inner.now() + LIFETIME);
    let token = base64url(random::<32>()?);
    let plain = serde_json::to_vec(&person).map(Zeroizing::new);
    let plain = plain.map_err(|e| Error::internal("pending_link", "a pending link cannot be serialized").with_source(e))?;
    let sealed = inner.keys.seal_record(db, &place(token.as_bytes()), &plain).await?;
    let what = once::SingleUse { kind: KIND, key: token.as_bytes(), binding: &binding(user.id) };
    once::issue(db, what, &sealed, expires_at).await?;
    let email = person.email.unwrap_or_default();
    Ok(PendingLink { link_token: token.into(), provider: person.provider, email, expires_at })
}

/// Links what was pending.
pub(super) async fn run(inner: &Arc<Inner>, principal: &Principal, token: &Secret) -> Result<Identity> {
    step_up::require(inner, principal).await?;
    let unknown = || {
        let text = "this link was used, has expired, or is for another account: sign in with the provider again";
        Error::invalid("link_unknown", text)
    };
    let (db, key) = (inner.db()?, token.expose().as_bytes());
    let what = once::SingleUse { kind: KIND, key, binding: &binding(principal.user_id) };
    let sealed = once::consume_once(db, what, inner.now()).await?.ok_or_else(unknown)?;
    let plain = inner.keys.open_record(db, &place(key), &sealed).await?;
    let person: Person = serde_json::from_slice(&plain).map_err(|_| unknown())?;
    by_user(inner, principal, &person).await
}

/// Links whoever came back to whoever sent them.
pub(super) async fn complete(
    inner: &Arc<Inner>,
    principal: &Principal,
    flow_token: &Secret,
    callback_url: &str,
) -> Result<Identity> {
    step_up::require(inner, principal).await?;
    let returned = flow::end(inner, flow_token, callback_url, Some(principal)).await?;
    let person = person::ask(inner, &returned).await?;
    by_user(inner, principal, &person).await
}

async fn by_user(inner: &Arc<Inner>, principal: &Principal, person: &Person) -> Result<Identity> {
    let (db, now) = (inner.db()?, inner.now());
    if let Some(identity) = store::find(db, person).await? {
        // Linking it twice is no error.
        return if identity.user_id == principal.user_id { Ok(identity) } else { Err(taken()) };
    }
    let user = accounts::user(db, principal.user_id).await?.ok_or_else(|| Error::not_found("user"))?.into_user();
    let notice = notice::prepare(inner, &user, &person.provider, true).await?;
    let mut tx = db.begin_durable().await?;
    // The provider was asked meanwhile, which may have taken long enough for the owner of the address to come.
    sessions::hold(&mut tx, principal).await?;
    let identity = insert(&mut tx, principal.workspace_id, principal.actor(), person, false, now).await?;
    if let Some(notice) = notice {
        notice.queue(&mut tx).await?;
    }
    tx.commit().await?;
    Ok(identity)
}

/// Links to the account of an address that both sides vouch for.
///
/// Fails with `conflict` if it is not so any more, or somebody was faster.
pub(super) async fn implicit(inner: &Arc<Inner>, person: &Person, user: &User, canonical: &str) -> Result<IdentityId> {
    let (db, now) = (inner.db()?, inner.now());
    let (home, _) = accounts::membership(db, user.id, None).await?.ok_or_else(|| not_a_member(user.id))?;
    let notice = notice::prepare(inner, user, &person.provider, true).await?;
    let mut tx = db.begin_durable().await?;
    let row = accounts::hold_user(&mut tx, user.id).await?;
    if row.is_none_or(|row| row.email_verified_at.is_none() || email::identifier(&row.email) != canonical) {
        return Err(Error::new(ErrorKind::Conflict, "account_changed", "the account has changed meanwhile: sign in again"));
    }
    let identity = insert(&mut tx, home.id, Actor { user: user.id, session: None }, person, true, now).await?;
    if let Some(notice) = notice {
        notice.queue(&mut tx).await?;
    }
    tx.commit().await?;
    Ok(identity.id)
}

async fn insert(
    tx: &mut Tx,
    workspace: WorkspaceId,
    actor: Actor,
    person: &Person,
    is_used: bool,
    now: DateTime<Utc>,
) -> Result<Identity> {
    let identity = store::insert(tx, actor.user, person, is_used, now).await.map_err(|error| match error.kind() {
        ErrorKind::Conflict => taken(),
        _ => error,
    })?;
    let details = &[("provider", person.provider.as_str())];
    let (action, subject) = (AuditAction::IdentityLinked, Some(identity.id.to_string()));
    audit::append(tx, Entry { workspace, actor, action, subject, details }, now).await?;
    let linked = IdentityLinked { identity_id: identity.id, user_id: actor.user, provider: person.provider.clone() };
    events::append(tx, workspace, linked, now).await?;
    Ok(identity)
}

fn taken() -> Error {
    let text = "another account signs in with this one: sign in to that, and unlink it there first";
    Error::new(ErrorKind::Conflict, "identity_taken", text)
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;
