//! Whatever a browser sends, an answer to a challenge is read or refused.

/// Reads the bytes as JSON of a browser, as what an authenticator says, and as a public key.
pub fn passkey(data: &[u8]) {
    crate::accounts::fuzz_passkey(data);
}
