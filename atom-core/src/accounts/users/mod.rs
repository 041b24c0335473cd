//! The users of an installation, for its operator.

mod import;
mod model;
mod store;

pub use model::{ImportedUser, UserImport};

use super::User;
use crate::Result;
use crate::atom::Inner;
use atom_macros::{api, handle};
use std::sync::Arc;

/// The users of the installation, for its operator. No user may call it: keep it away from what they reach.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use atom_core::{Atom, Credentials, ImportedUser};
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
}
