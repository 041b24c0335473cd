//! An account that nobody has verified goes to whoever is proved to have its address.
//!
//! Somebody may have made it to wait in it for the owner of the address. So all that they could come back with ends: the password, other identities,
//! every session.

use super::person::Person;
use super::store;
use crate::accounts::sessions::end_all_in;
use crate::accounts::sign_in::not_a_member;
use crate::accounts::{User, store as accounts};
use crate::atom::Inner;
use crate::audit::{self, Actor, AuditAction, Entry};
use crate::events::{self, Draft, IdentityLinked, SessionEnded};
use crate::{Error, ErrorKind, Result};

pub(super) async fn run(inner: &Inner, person: &Person, user: User) -> Result<User> {
    let (db, now) = (inner.db()?, inner.now());
    let (home, _) = accounts::membership(db, user.id, None).await?.ok_or_else(|| not_a_member(user.id))?;
    let mut tx = db.begin_durable().await?;
    if !store::adopt(&mut tx, user.id, now).await? {
        return Err(Error::new(ErrorKind::Conflict, "account_changed", "the account has changed meanwhile: sign in again"));
    }
    store::delete_all(&mut tx, user.id).await?;
    let identity = store::insert(&mut tx, user.id, person, true, now).await?;
    let ended = end_all_in(&mut tx, user.id, AuditAction::AccountAdopted, now).await?;

    let actor = Actor { user: user.id, session: None };
    let mut entries = vec![
        (home.id, AuditAction::AccountAdopted, user.id.to_string()),
        (home.id, AuditAction::IdentityLinked, identity.id.to_string()),
    ];
    entries.extend(ended.iter().map(|(workspace, id)| (*workspace, AuditAction::SessionRevoked, id.to_string())));
    // In the order in which everyone takes the logs of several workspaces.
    entries.sort_by_key(|(workspace, ..)| *workspace);
    for (workspace, action, subject) in entries {
        let details = &[("provider", person.provider.as_str())];
        audit::append(&mut tx, Entry { workspace, actor, action, subject: Some(subject), details }, now).await?;
    }
    let linked = IdentityLinked { identity_id: identity.id, user_id: user.id, provider: person.provider.clone() };
    let mut told = vec![(home.id, Draft::of(&linked)?)];
    for (workspace, session_id) in ended {
        let reason = AuditAction::AccountAdopted.as_str().to_owned();
        told.push((workspace, Draft::of(&SessionEnded { session_id, user_id: user.id, reason })?));
    }
    events::append_all(&mut tx, told, now).await?;
    tx.commit().await?;
    Ok(User { email_verified: true, ..user })
}
