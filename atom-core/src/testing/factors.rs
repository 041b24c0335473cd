//! What an authenticator app shows.

use crate::Secret;
use crate::accounts::code_of;
use chrono::{DateTime, Utc};

/// The code that an app with this secret of a `TotpSetup` shows at a moment.
///
/// # Panics
/// If this is no such secret.
pub fn totp_code(secret: &Secret, at: DateTime<Utc>) -> Secret {
    code_of(secret, at)
}
