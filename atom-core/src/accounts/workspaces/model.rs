//! What the API of workspaces takes and returns.

use crate::accounts::{Role, Workspace};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// What is needed to make a workspace.
#[model(default)]
pub struct NewWorkspace {
    /// The name to show, 1 to 100 characters.
    pub name: String,
}

/// A workspace that a user is a member of.
#[model]
pub struct WorkspaceMembership {
    /// The workspace.
    pub workspace: Workspace,
    /// What the user may do there.
    pub role: Role,
    /// When they joined.
    pub joined_at: DateTime<Utc>,
}

/// How many members a workspace has and may have.
#[model]
pub struct WorkspaceSeats {
    /// How many there may be; none if there is no limit.
    pub limit: Option<i32>,
    /// How many members there are.
    pub members: i32,
    /// How many invitations are open: each holds a seat.
    pub invitations: i32,
}
