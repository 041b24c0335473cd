//! Nobody can sign with a key that they have only seen the public half of.

use super::account::check_text;
use crate::crypto::jwk::KeySet;
use crate::oauth::{Expected, Issuer, read_id_token};
use chrono::DateTime;

/// Reads a set of keys, an empty line and a token.
pub fn id_token(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (keys, token) = text.split_once("\n\n").unwrap_or(("", text));
    let Some(keys) = KeySet::parse(keys.as_bytes()) else { return };
    let issuer = Issuer::Tenants { template: "https://login.example.com/{tenantid}".into(), allowed: Vec::new() };
    let expected = Expected {
        issuer: &issuer,
        client_id: "atom",
        nonce: "n-0S6_WzA2Mj",
        access_token: None,
        code: "code",
        // Before every token was made: a seed that is signed right, is refused for its time.
        now: DateTime::UNIX_EPOCH,
    };
    match read_id_token(token.trim(), &keys, &expected) {
        Ok(_) => panic!("a token was believed that nobody can have made"),
        Err(error) => check_text(&error),
    }
}
