//! What the API of signing keys returns.

use crate::SigningKeyId;
use atom_macros::model;
use chrono::{DateTime, Utc};

/// What a signing key is there for.
#[model]
pub enum SigningKeyState {
    /// It is published and does not sign yet.
    Upcoming,
    /// It signs and verifies.
    Current,
    /// It verifies what it has signed, until all of that is over.
    Retiring,
    /// Its private half is destroyed, and it verifies no token. Its public half is kept for checkpoints of the audit log.
    Retired,
}

/// A key that signs access tokens and checkpoints.
#[model]
pub struct SigningKey {
    /// Its id: the `kid` of what it signs.
    pub id: SigningKeyId,
    /// What it is there for.
    pub state: SigningKeyState,
    /// When it was made and published.
    pub created_at: DateTime<Utc>,
    /// When its turn to sign begins.
    pub signs_from: DateTime<Utc>,
    /// When it can be retired: after that no token lives that it signed. None as long as no other key follows it.
    pub over_at: Option<DateTime<Utc>>,
    /// When it was retired.
    pub retired_at: Option<DateTime<Utc>>,
}
