//! The token of an invitation: 256 random bits, of which the database has the hash.

use crate::crypto::{base64url, random};
use crate::{Result, Secret};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// By which secret scanners find it.
const PREFIX: &str = "ati_";

/// What the database has of a token.
pub(super) type Hash = [u8; 32];

/// A fresh token, with its hash.
pub(super) fn issue() -> Result<(Secret, Hash)> {
    let random = Zeroizing::new(random::<32>()?);
    let token = Secret::from(format!("{PREFIX}{}", base64url(&random[..])));
    let hash = hash(&token);
    Ok((token, hash))
}

/// The hash of a token, or of whatever else was shown.
pub(super) fn hash(token: &Secret) -> Hash {
    Sha256::digest(token.expose().as_bytes()).into()
}
