//! Importing users of another system.

use super::{ImportedUser, UserImport, store};
use crate::accounts::store as people;
use crate::accounts::{Role, User, Workspace, email, sign_up};
use crate::atom::Inner;
use crate::audit::{self, Actor, AuditAction, Entry};
use crate::crypto::{NewKey, password};
use crate::events::{self, Draft, UserImported};
use crate::storage::Tx;
use crate::{Error, ErrorKind, Result, Secret, UserId, WorkspaceId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// How many are imported in one transaction.
const MOST: usize = 1000;

pub(super) async fn one(inner: &Inner, user: ImportedUser) -> Result<User> {
    let mut imported = run(inner, vec![user.check("the user", inner.now())?]).await?;
    let import = imported.pop().filter(|import| import.is_new);
    import.map(|import| import.user).ok_or_else(|| {
        Error::new(ErrorKind::Conflict, "email_taken", "there is an account with this e-mail address: leave it as it is")
    })
}

pub(super) async fn many(inner: &Inner, users: Vec<ImportedUser>) -> Result<Vec<UserImport>> {
    if users.len() > MOST {
        return Err(Error::invalid("too_many_users", format!("these are {} users: import at most {MOST} at once", users.len())));
    }
    let now = inner.now();
    let checked = users.into_iter().enumerate().map(|(i, user)| user.check(&format!("user {} of the list", i + 1), now));
    run(inner, checked.collect::<Result<_>>()?).await
}

/// A user who can be stored.
struct Checked {
    user: User,
    canonical: String,
    password_hash: Option<Secret>,
    workspace_name: String,
}

impl ImportedUser {
    /// `who` begins the sentence of what is wrong; it names nobody.
    fn check(self, who: &str, now: DateTime<Utc>) -> Result<Checked> {
        let malformed = |reason, text: &str| Error::invalid(reason, format!("{who} has {text}"));
        let canonical = email::canonical(&self.email)
            .map_err(|_| malformed("malformed_email", "no e-mail address: it needs a name, an `@` and a domain"))?;
        if self.password_hash.as_ref().is_some_and(|hash| !password::is_hash(hash.expose())) {
            let text = "a password hash that is malformed, of an unknown form or too costly: leave it out, and let the user reset the password";
            return Err(malformed("malformed_password_hash", text));
        }
        if let Some(Err(_)) = self.locale.as_deref().map(sign_up::check_locale) {
            return Err(malformed("malformed_locale", "a locale that is no language tag: write it like `de` or `de-AT`"));
        }
        let name = self.workspace_name.or_else(|| self.display_name.clone());
        let workspace_name = name.unwrap_or_else(|| canonical.split('@').next().unwrap_or_default().to_owned());
        let user = User {
            id: UserId::generate(),
            email: self.email.trim().to_owned(),
            email_verified: self.email_verified.unwrap_or(false),
            display_name: self.display_name,
            locale: self.locale,
            created_at: self.created_at.unwrap_or(now),
        };
        Ok(Checked { user, canonical, password_hash: self.password_hash, workspace_name })
    }
}

async fn run(inner: &Inner, users: Vec<Checked>) -> Result<Vec<UserImport>> {
    let (db, now) = (inner.db()?, inner.now());
    let mut ready = Vec::with_capacity(users.len());
    for user in users {
        // A key may have to be wrapped far away: not for those who are there already.
        let is_known = people::user_by_email(db, &user.canonical).await?.is_some();
        let workspace = WorkspaceId::generate();
        let data_key = if is_known { None } else { Some(inner.keys.new_key(workspace).await?) };
        ready.push((user, workspace, data_key));
    }
    let mut tx = db.begin_durable().await?;
    let (mut imported, mut told) = (Vec::with_capacity(ready.len()), Vec::new());
    for (checked, workspace, data_key) in ready {
        let is_new = match data_key {
            Some(data_key) => insert(&mut tx, &checked, workspace, data_key, now).await?,
            None => false,
        };
        if is_new {
            told.push((workspace, Draft::of(&UserImported { user_id: checked.user.id })?));
        }
        // As it is stored.
        let user = store::by_email(&mut tx, &checked.canonical).await?.into_user();
        imported.push(UserImport { user, is_new });
    }
    events::append_all(&mut tx, told, now).await?;
    tx.commit().await?;
    Ok(imported)
}

/// Stores a user with a workspace, unless there is one with the address.
async fn insert(tx: &mut Tx, checked: &Checked, workspace: WorkspaceId, data_key: NewKey, now: DateTime<Utc>) -> Result<bool> {
    let Checked { user, canonical, password_hash, workspace_name } = checked;
    let password_hash = password_hash.as_ref().map(Secret::expose);
    if !store::insert(tx, user, canonical, password_hash, now).await? {
        return Ok(false);
    }
    people::insert_workspace(tx, &Workspace { id: workspace, name: workspace_name.clone(), created_at: now }).await?;
    people::insert_membership(tx, workspace, user.id, Role::Owner, now).await?;
    data_key.insert(tx, now).await?;
    let actor = Actor { user: UserId(Uuid::nil()), session: None };
    let (action, subject) = (AuditAction::UserImported, Some(user.id.to_string()));
    audit::append(tx, Entry { workspace, actor, action, subject, details: &[] }, now).await?;
    Ok(true)
}
