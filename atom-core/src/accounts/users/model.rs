//! What the API of users takes and returns.

use crate::Secret;
use crate::accounts::User;
use atom_macros::model;
use chrono::{DateTime, Utc};

/// A user of another system.
#[model(secret, default)]
pub struct ImportedUser {
    /// The e-mail address.
    pub email: String,
    /// Whether the other system has proved that the address is theirs. Default: no.
    pub email_verified: Option<bool>,
    /// The hash of the password, as the other system has it. Default: none, and then the user resets it, or signs in by other means.
    pub password_hash: Option<Secret>,
    /// The name to show.
    pub display_name: Option<String>,
    /// The name of their workspace. Default: the display name, or the part of the e-mail before the `@`.
    pub workspace_name: Option<String>,
    /// The language of mails to them, such as `de-AT`. Default: English.
    pub locale: Option<String>,
    /// When the account was made there. Default: now.
    pub created_at: Option<DateTime<Utc>>,
}

/// What came of importing a user.
#[model]
pub struct UserImport {
    /// The user, as they are now.
    pub user: User,
    /// Whether they were made now. Otherwise there was an account with the address before, and nothing of it was changed.
    pub is_new: bool,
}
