//! What the API of keys takes and returns.

use crate::{DataKeyId, WorkspaceId};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// A key-encryption key that the installation has seen.
#[model]
pub struct WrappingKey {
    /// Its public name.
    pub fingerprint: String,
    /// Whether it wraps the new data keys of this process.
    pub is_current: bool,
    /// Whether this process holds it.
    pub is_held: bool,
    /// How many data keys it wraps. While there is one, no process opens without this key.
    pub data_keys: i64,
    /// When a process was first opened with it.
    pub first_seen_at: DateTime<Utc>,
    /// When a process was last opened with it.
    pub last_seen_at: DateTime<Utc>,
    /// When a process was first opened to wrap with it; none for one that was only among the accepted keys.
    pub in_use_since: Option<DateTime<Utc>>,
    /// When a rotation took the last data key from it; none while it is in use.
    pub retired_at: Option<DateTime<Utc>>,
}

/// What a data key is there for.
#[model]
pub enum DataKeyState {
    /// It seals and opens.
    Current,
    /// It opens what it has sealed, until that is sealed anew.
    Retiring,
    /// It is destroyed. Nothing that is stored needs it.
    Destroyed,
}

/// A data key of a workspace.
#[model]
pub struct DataKey {
    /// Its id, which the records that it has sealed carry.
    pub id: DataKeyId,
    /// Which one of its workspace it is: 1, 2, 3, …
    pub generation: i64,
    /// What it is there for.
    pub state: DataKeyState,
    /// The fingerprint of the key that wraps it.
    pub wrapped_by: String,
    /// How many records it has sealed, at most. Beyond 2^28 there is an event; at 2^32 it seals no more.
    pub seals: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Since when no stored record has needed it. A day later it is destroyed.
    pub idle_since: Option<DateTime<Utc>>,
    /// When it was destroyed.
    pub destroyed_at: Option<DateTime<Utc>>,
}

/// How the keys of the installation stand.
#[model]
pub struct KeyStatus {
    /// The fingerprint of the key that wraps the new data keys of this process.
    pub current: String,
    /// Every key-encryption key that the installation has seen, by their first appearance.
    pub wrapping_keys: Vec<WrappingKey>,
    /// How many data keys seal: one for each workspace, and one for the installation itself.
    pub current_data_keys: i64,
    /// How many older data keys are still needed.
    pub retiring_data_keys: i64,
    /// How many data keys are destroyed.
    pub destroyed_data_keys: i64,
}

/// How far the rotation of the key-encryption key has come.
#[model]
pub struct KeyRotation {
    /// The fingerprint of the key that wraps from now on.
    pub current: String,
    /// How many data keys this call has taken over.
    pub rewrapped: i64,
    /// How many data keys other keys still wrap. At 0, those keys can be taken away.
    pub remaining: i64,
    /// The fingerprints of the keys that this call has retired.
    pub retired: Vec<String>,
}

/// How far the records of a workspace have come under its newest data key.
#[model]
pub struct Resealing {
    /// The workspace; none for the installation itself.
    pub workspace_id: Option<WorkspaceId>,
    /// How many records this call has sealed anew.
    pub resealed: i64,
    /// How many records do not open, because they were altered. They stay as they are, and so does the data key that they name.
    pub damaged: i64,
    /// Whether nothing is left for now.
    pub is_done: bool,
    /// When the next older data key can be destroyed, by a worker or by another call; none if there is no older one, or if records
    /// still need it.
    pub next_at: Option<DateTime<Utc>>,
}
