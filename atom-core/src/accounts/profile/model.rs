//! What the API of profiles takes and returns.

use crate::Json;
use crate::accounts::User;
use atom_macros::model;

/// What is known of a user, as they see it themselves.
#[model]
pub struct UserProfile {
    /// The user.
    pub user: User,
    /// What the user, or the application for them, keeps here: a JSON object.
    pub user_metadata: Json,
    /// What the operator keeps here: a JSON object that the user can only read.
    pub app_metadata: Json,
}

/// What to change of the own profile. What is left out stays.
#[model(default)]
pub struct ProfilePatch {
    /// The name to show, one line of at most 100 characters. An empty one removes it.
    pub display_name: Option<String>,
    /// The language of mails to the user, such as `de-AT`. An empty one removes it.
    pub locale: Option<String>,
    /// Merged into the user's metadata, as JSON Merge Patch (RFC 7396) does it: objects are merged, `null` removes, all else replaces.
    pub user_metadata: Option<Json>,
}
