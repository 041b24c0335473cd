//! A password hash of another system is verified or refused, whatever it is.

use crate::crypto::password::try_hash;

/// Reads the first line as a hash and, where that is quick, tries the rest as its password.
pub fn password_hash(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (hash, password) = text.split_once('\n').unwrap_or((&text, ""));
    // Refused is as good as right.
    let _ = try_hash(hash, password);
}
