//! Keys and sealed records: nothing secret reaches the database in the clear.
//!
//! A [`KeyProvider`] holds a key-encryption key, in memory, in a hardware module (`pkcs11`) or somewhere of the host's; those of a process are its
//! [`WrappingKeys`](wrapping). They wrap the data keys of
//! workspaces, which [`KeyRing`] unwraps on first use and keeps in memory, and which count what they seal ([`usage`]). Each record is
//! sealed under a subkey of its own ([`record`]). Passwords are hashed ([`password`]), access tokens signed ([`jws`]), and ID tokens of others verified ([`jwk`]).

pub(crate) mod jwk;
pub(crate) mod jws;
#[cfg(feature = "keychain")]
mod keychain;
mod keys;
mod model;
pub(crate) mod password;
#[cfg(feature = "pkcs11")]
mod pkcs11;
mod private_key;
mod provider;
pub(crate) mod record;
mod signing;
mod usage;
mod wrapping;

#[cfg(any(test, feature = "testing"))]
pub(crate) use keys::Tuning;
pub(crate) use keys::{INSTALLATION, KeyRing, NewKey, referenced};
pub use model::{KeychainOptions, Pkcs11Options};
#[cfg(feature = "pkcs11")]
pub use pkcs11::Pkcs11Key;
pub(crate) use private_key::{malformed_key, sign_es256, sign_rs256};
pub use provider::{BoxFuture, HostKey, KeyProvider, LocalKey};
pub(crate) use record::Place;
pub(crate) use signing::{NewSigningKey, OVERLAP, SigningRing, TOKEN_LIFE};
#[cfg(feature = "testing")]
pub(crate) use usage::Bounds;
pub(crate) use usage::Worn;
pub(crate) use wrapping::{Wrapped, WrappingKeys};

use crate::{Error, Result};
use ring::signature::{ED25519, UnparsedPublicKey};
use std::ops::Deref;
use zeroize::Zeroize;

/// A 256-bit key, wiped when dropped. It is on the heap, because a value that moves leaves copies behind on the stack.
pub(crate) struct Key(Box<[u8; 32]>);

impl Key {
    /// To be filled in place.
    fn zero() -> Self {
        Self(Box::new([0; 32]))
    }

    /// The key in 32 bytes; none of any other number.
    pub(crate) fn copy(bytes: &[u8]) -> Option<Self> {
        let mut key = Self::zero();
        (bytes.len() == key.0.len()).then(|| key.0.copy_from_slice(bytes))?;
        Some(key)
    }
}

impl Deref for Key {
    type Target = [u8; 32];

    fn deref(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Bytes from the operating system's generator.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

fn fill(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes)
        .map_err(|e| Error::internal("no_randomness", "the operating system gives no random bytes").with_source(e))
}

/// A fresh key.
pub(crate) fn random_key() -> Result<Key> {
    let mut key = Key::zero();
    fill(&mut *key.0)?;
    Ok(key)
}

/// Text in the URL-safe alphabet without padding.
pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of URL-safe text without padding; `None` if it is anything else.
pub(crate) fn from_base64url(text: &str) -> Option<Vec<u8>> {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok()
}

/// A list of parts as bytes, each with its length before it: no two lists give the same bytes.
pub(crate) fn length_prefixed<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts {
        out.extend_from_slice(&(part.len() as u64).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}

/// Hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// The bytes of hexadecimal digits; `None` if it is anything else.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let pairs = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    pairs.chunks_exact(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
}

/// Whether the holder of an Ed25519 key has signed this (RFC 8032).
pub(crate) fn is_signed(public_key: &[u8], what: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public_key).verify(what, signature).is_ok()
}
