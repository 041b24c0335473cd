//! What the API of users takes and returns.

use crate::accounts::User;
use crate::{Json, Secret};
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

/// The account of a user, as the operator sees it.
#[model]
pub struct UserAccount {
    /// The user.
    pub user: User,
    /// What the user, or the application for them, keeps here: a JSON object. The user may change it, so nothing may be allowed by it.
    pub user_metadata: Json,
    /// What the operator keeps here, and the user can only read: a JSON object.
    pub app_metadata: Json,
    /// Since when the account is disabled.
    pub disabled_at: Option<DateTime<Utc>>,
    /// What the operator said when they disabled it. The user does not see it, unless in their export.
    pub disabled_reason: Option<String>,
}

/// Whether an account can be used.
#[model]
pub enum UserState {
    /// It can.
    Active,
    /// The operator has disabled it.
    Disabled,
}

/// Which users to list, newest first.
#[model(default)]
pub struct UserFilter {
    /// Only those whose e-mail address begins so, or whose name has this in it, in small or capital letters.
    pub search: Option<String>,
    /// Only those that stand so.
    pub state: Option<UserState>,
    /// Only those whose account was made after this moment.
    pub created_after: Option<DateTime<Utc>>,
    /// How many at most on a page, 1 to 1000. Default: 100.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A page of users.
#[model]
pub struct UserPage {
    /// The accounts, newest first.
    pub items: Vec<UserAccount>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// What to change of a user. What is left out stays.
#[model(default)]
pub struct UserPatch {
    /// The name to show, one line of at most 100 characters. An empty one removes it.
    pub display_name: Option<String>,
    /// The language of mails to them, such as `de-AT`. An empty one removes it.
    pub locale: Option<String>,
    /// Merged into the metadata of the user's own, as JSON Merge Patch (RFC 7396) does it: objects are merged, `null` removes, all else replaces.
    pub user_metadata: Option<Json>,
    /// Merged in the same way into the metadata that only the operator writes.
    pub app_metadata: Option<Json>,
}
