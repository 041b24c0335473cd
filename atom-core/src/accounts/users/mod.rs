//! The users of an installation, for its operator.

mod disable;
mod erase;
mod export;
mod import;
mod metadata;
mod model;
mod store;
mod told;
mod update;

pub(super) use erase::{finish_all, run as erase};
pub(super) use export::run as export;
pub use model::{ImportedUser, UserAccount, UserFilter, UserImport, UserPage, UserPatch, UserState};
pub(super) use store::account;
pub(super) use told::By;
pub(super) use update::run as update;

use super::{User, email};
use crate::atom::Inner;
use crate::{Json, Result, UserId};
use atom_macros::{api, handle};
use std::sync::Arc;

/// The users of the installation, for its operator. No user may call it: keep it away from what they reach.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use atom_core::{Atom, Credentials, ImportedUser, UserFilter};
///
/// let atom = Atom::builder("memory:").open().await?;
/// let ada = ImportedUser {
///     email: "ada@example.com".into(),
///     email_verified: Some(true),
///     password_hash: Some("$2b$06$fMUvhYpCcdMOU2VLwJYnyeYmzTAL6CiwDD99dkISkcqmYv2C2uJTG".into()),
///     ..Default::default()
/// };
/// let user = atom.users().import_user(ada).await?;
///
/// let password = "correct horse battery staple";
/// let ada = Credentials { email: "ada@example.com".into(), password: password.into(), ..Default::default() };
/// assert_eq!(atom.accounts().sign_in(ada).await?.signed_in()?.user.id, user.id);
///
/// atom.users().disable(user.id, Some("asked for a pause".into())).await?;
/// let found = atom.users().list(UserFilter { search: Some("ada@".into()), ..Default::default() }).await?;
/// assert!(found.items[0].disabled_at.is_some());
///
/// atom.users().erase(user.id).await?;
/// assert_eq!(atom.users().get(user.id).await.unwrap_err().code(), "not_found");
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Users {
    pub(crate) inner: Arc<Inner>,
}

#[api]
impl Users {
    /// Imports a user of another system, with a workspace of their own.
    ///
    /// The password stays what it was: its hash is verified when the user signs in, and replaced by one of Atom's then. These are understood: Argon2;
    /// bcrypt; scrypt and PBKDF2 as PHC strings and as Django, Werkzeug (Flask), passlib and better-auth write them, with costs of up to 256 MiB of
    /// memory, 5 million rounds of PBKDF2 and bcrypt's 15. Until somebody has signed in, the time that a refusal takes may tell that their hash is
    /// another system's. A bcrypt password of more than 72 bytes is refused, because bcrypt has seen only its beginning: its user resets it.
    ///
    /// Fails with `invalid` (`malformed_email`, `malformed_password_hash`, `malformed_locale`) or `conflict` (`email_taken`).
    pub async fn import_user(&self, user: ImportedUser) -> Result<User> {
        import::one(&self.inner, user).await
    }

    /// The same for up to 1,000 at once, in one transaction: all of them, or none if one is refused. Who has an account already is left as they are, so
    /// an import that was cut off can be repeated. The answer has one for each, in the same order.
    ///
    /// Fails with `invalid` (`too_many_users`, and those of `import_user`: the message says which user of the list it is, from 1).
    pub async fn import_users(&self, users: Vec<ImportedUser>) -> Result<Vec<UserImport>> {
        import::many(&self.inner, users).await
    }

    /// Lists users, newest first, a page at a time.
    ///
    /// Fails with `invalid` (`malformed_page_size`, `malformed_cursor`).
    pub async fn list(&self, filter: UserFilter) -> Result<UserPage> {
        store::list(self.inner.db()?, &filter).await
    }

    /// One user. Fails with `not_found`.
    pub async fn get(&self, user_id: UserId) -> Result<UserAccount> {
        store::account(self.inner.db()?, user_id).await
    }

    /// The user with an e-mail address, however it is spelled. Fails with `not_found`.
    pub async fn get_by_email(&self, email: String) -> Result<UserAccount> {
        store::account_by_email(self.inner.db()?, &email::identifier(&email)).await
    }

    /// Changes what is known of a user. Metadata is merged (JSON Merge Patch, RFC 7396), and takes 16 KiB as JSON at most.
    ///
    /// Fails with `not_found` or `invalid` (`malformed_display_name`, `malformed_locale`, `malformed_metadata`, `metadata_too_large`).
    pub async fn update(&self, user_id: UserId, patch: UserPatch) -> Result<UserAccount> {
        update::run(&self.inner, user_id, patch, By::operator()).await
    }

    /// Disables an account: all sessions of its user end, and no other begins, however they sign in; only whoever has proved who they are is told
    /// (`user_disabled`). Nothing else is lost. The reason is kept with the account and nowhere else, because it may name people. Disabling it twice is no
    /// error; the first reason stays.
    ///
    /// Fails with `not_found` or `invalid` (`malformed_reason`: more than 500 characters).
    pub async fn disable(&self, user_id: UserId, reason: Option<String>) -> Result<UserAccount> {
        disable::disable(&self.inner, user_id, reason).await
    }

    /// Enables an account again. Its user signs in anew. Enabling it twice is no error.
    ///
    /// Fails with `not_found`.
    pub async fn enable(&self, user_id: UserId) -> Result<UserAccount> {
        disable::enable(&self.inner, user_id).await
    }

    /// Everything that is held about a user, as one JSON object: `account`, `workspaces` (each with `connections`, `service_keys`, `secret_leases` and
    /// `emergency_requests` of theirs), `sessions`, `factors`, `recovery_codes_left`, `invitations`, `mails`, `jobs`, `events` and `audit`. It never has a
    /// token, a secret or a hash. It reads the logs of all workspaces, so it is for what is rare, such as a request under the GDPR (articles 15 and 20).
    ///
    /// Fails with `not_found`.
    pub async fn export_user(&self, user_id: UserId) -> Result<Json> {
        export::run(&self.inner, user_id, By::operator()).await
    }

    /// Erases a user for good (GDPR, article 17). At once, in one transaction: nothing personal is in their account any more, their sessions, factors and mails
    /// are gone, their address is free, they leave their workspaces, and those in which nobody else is are closed. Then what they connected is withdrawn at
    /// its providers, the host's jobs and events that were theirs are emptied, and the account goes. Call it again where it fails: it goes on where it was. A worker
    /// does so, too. The logs keep the id, which names nobody any more. The name of a workspace that others are in stays, and so does what an
    /// SQLite file has not yet overwritten of its free pages: `VACUUM` it.
    ///
    /// Fails with `not_found` or `conflict` (`last_owner`: workspaces with other members, which the text names, have no other owner; make somebody one
    /// before).
    pub async fn erase(&self, user_id: UserId) -> Result<()> {
        erase::run(&self.inner, user_id, By::operator()).await
    }
}
