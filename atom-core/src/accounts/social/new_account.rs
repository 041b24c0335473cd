//! Somebody nobody knows: a user without a password, a workspace, and the identity, in one transaction.

use super::person::Person;
use super::store;
use crate::accounts::{Role, User, Workspace, store as accounts};
use crate::atom::Inner;
use crate::audit::{self, Actor, AuditAction, Entry};
use crate::events::{self, Draft, IdentityLinked, UserSignedUp};
use crate::{IdentityId, Result, UserId, WorkspaceId};

/// Fails with `conflict` if somebody else was faster.
pub(super) async fn run(inner: &Inner, person: &Person, canonical: &str, locale: Option<&str>) -> Result<(User, IdentityId)> {
    let (db, now) = (inner.db()?, inner.now());
    let email = person.email.clone().unwrap_or_else(|| canonical.to_owned());
    let email = email.trim().to_owned();
    let name = person.name.clone().unwrap_or_else(|| canonical.split('@').next().unwrap_or_default().to_owned());
    let user = User {
        id: UserId::generate(),
        email,
        email_verified: person.is_email_trusted,
        display_name: person.name.clone(),
        locale: locale.map(str::to_owned),
        created_at: now,
    };
    let workspace = Workspace { id: WorkspaceId::generate(), name, created_at: now };
    let data_key = inner.keys.new_key(workspace.id).await?;

    let mut tx = db.begin_durable().await?;
    accounts::insert_user(&mut tx, &user, canonical, None).await?;
    accounts::insert_workspace(&mut tx, &workspace).await?;
    accounts::insert_membership(&mut tx, workspace.id, user.id, Role::Owner, now).await?;
    data_key.insert(&mut tx, now).await?;
    let identity = store::insert(&mut tx, user.id, person, true, now).await?;
    let (actor, details) = (Actor { user: user.id, session: None }, &[("provider", person.provider.as_str())]);
    for (action, subject) in
        [(AuditAction::SignedUp, user.id.to_string()), (AuditAction::IdentityLinked, identity.id.to_string())]
    {
        audit::append(&mut tx, Entry { workspace: workspace.id, actor, action, subject: Some(subject), details }, now).await?;
    }
    let signed_up = Draft::of(&UserSignedUp { user_id: user.id })?;
    let linked = Draft::of(&IdentityLinked { identity_id: identity.id, user_id: user.id, provider: person.provider.clone() })?;
    events::append_all(&mut tx, vec![(workspace.id, signed_up), (workspace.id, linked)], now).await?;
    tx.commit().await?;
    Ok((user, identity.id))
}
