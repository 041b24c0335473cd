//! What the API of members takes and returns.

use crate::UserId;
use crate::accounts::Role;
use atom_macros::model;
use chrono::{DateTime, Utc};

/// A member of a workspace.
#[model]
pub struct Member {
    /// The user.
    pub user_id: UserId,
    /// Their e-mail address.
    pub email: String,
    /// The name to show.
    pub display_name: Option<String>,
    /// What they may do in the workspace.
    pub role: Role,
    /// When they joined.
    pub joined_at: DateTime<Utc>,
}

/// Which members to list, in the order of their ids.
#[model(default)]
pub struct MemberFilter {
    /// Only those with this role.
    pub role: Option<Role>,
    /// How many at most on a page, 1 to 1000. Default: 100.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A page of members.
#[model]
pub struct MemberPage {
    /// The members.
    pub items: Vec<Member>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}
