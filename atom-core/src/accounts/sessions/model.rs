//! What the API of sessions returns.

use crate::accounts::Client;
use crate::{SessionId, WorkspaceId};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// A session of a user's that has not ended: a device that is signed in.
#[model]
pub struct ActiveSession {
    /// Its id.
    pub id: SessionId,
    /// The workspace that was entered.
    pub workspace_id: WorkspaceId,
    /// Whether it is the one that asks.
    pub is_current: bool,
    /// What is known of the client, as it was told last.
    pub client: Option<Client>,
    /// When the user signed in.
    pub created_at: DateTime<Utc>,
    /// When it was last refreshed: what it did since is up to an access token's life more recent.
    pub last_used_at: DateTime<Utc>,
    /// When it ends if it is not refreshed before.
    pub expires_at: DateTime<Utc>,
}
