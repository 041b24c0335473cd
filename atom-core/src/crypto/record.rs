//! Sealed records, format 1.
//!
//! ```text
//! "AT" 01 01 | data key id (16) | salt (16) | nonce (12) | commitment (32) | ciphertext | tag (16)
//! ```
//!
//! From the data key and the salt, HKDF-SHA-256 derives 64 bytes under the record's place: half is the AES-256-GCM key, half
//! the commitment, which pins the record to one data key (GCM alone can be opened under two). The place is a canonical list of
//! format, workspace, table, row, field and version, so that no two ciphertexts can be exchanged. A key is used for one record
//! version only, so the random nonce is a second guard, not the first. Into the random salt goes the number of the seal, which a data
//! key gives once ([`usage`](super::usage)): even a generator that repeats itself repeats no subkey.

use super::{Key, length_prefixed, random};
use crate::{Error, Result, WorkspaceId};
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use hkdf::Hkdf;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use uuid::Uuid;
use zeroize::Zeroizing;

/// `AT`, format 1, suite 1 (HKDF-SHA-256, AES-256-GCM).
const HEAD: [u8; 4] = [b'A', b'T', 1, 1];
const SALT: usize = HEAD.len() + 16;
const NONCE: usize = SALT + 16;
const COMMITMENT: usize = NONCE + 12;
const BODY: usize = COMMITMENT + 32;
const TAG: usize = 16;

/// Where a record stands. It opens nowhere else.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) workspace: WorkspaceId,
    pub(crate) table: &'a str,
    /// The rest of the primary key.
    pub(crate) row: &'a [u8],
    pub(crate) field: &'a str,
    /// Grows with every write of the field.
    pub(crate) version: i64,
}

impl Place<'_> {
    fn canonical(&self) -> Vec<u8> {
        let version = self.version.to_be_bytes();
        length_prefixed([
            &HEAD[..],
            self.workspace.0.as_bytes(),
            self.table.as_bytes(),
            self.row,
            self.field.as_bytes(),
            &version,
        ])
    }
}

/// Seals `plain` for `place` under a data key, as its seal of this number.
pub(crate) fn seal(key: &Key, key_id: Uuid, place: &Place<'_>, plain: &[u8], number: i64) -> Result<Vec<u8>> {
    seal_with(key, key_id, place, plain, &numbered(random()?, number), random()?)
}

/// As random as it was, and different for every number where it was the same.
fn numbered(mut salt: [u8; 16], number: i64) -> [u8; 16] {
    salt[8..].iter_mut().zip(number.to_be_bytes()).for_each(|(byte, of_number)| *byte ^= of_number);
    salt
}

fn seal_with(key: &Key, key_id: Uuid, place: &Place<'_>, plain: &[u8], salt: &[u8; 16], nonce: [u8; 12]) -> Result<Vec<u8>> {
    let place = place.canonical();
    let (subkey, commitment) = derive(key, salt, &place);
    let mut out = Vec::with_capacity(BODY + plain.len() + TAG);
    out.extend_from_slice(&HEAD);
    out.extend_from_slice(key_id.as_bytes());
    out.extend_from_slice(salt);
    out.extend_from_slice(&nonce);
    out.extend_from_slice(&*commitment);
    let aad = length_prefixed([&out[..], &place]);
    let body = cipher(&subkey).encrypt(&Nonce::from(nonce), Payload { msg: plain, aad: &aad });
    out.extend(body.map_err(|_| Error::invalid("too_large_to_seal", "a sealed value holds at most 64 GiB"))?);
    Ok(out)
}

/// Opens a record at its place. A wrong key, a wrong place and any altered bit fail alike, and nothing is returned.
pub(crate) fn open(key: &Key, place: &Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    key_id(sealed)?;
    let (salt, commitment) = (&sealed[SALT..NONCE], &sealed[COMMITMENT..BODY]);
    let place = place.canonical();
    let (subkey, expected) = derive(key, salt, &place);
    if !bool::from(expected.ct_eq(commitment)) {
        return Err(altered());
    }
    let nonce: [u8; 12] = sealed[NONCE..COMMITMENT].try_into().map_err(|_| altered())?;
    let aad = length_prefixed([&sealed[..BODY], &place]);
    let plain = cipher(&subkey).decrypt(&Nonce::from(nonce), Payload { msg: &sealed[BODY..], aad: &aad });
    plain.map(Zeroizing::new).map_err(|_| altered())
}

/// The data key that a record names.
pub(crate) fn key_id(sealed: &[u8]) -> Result<Uuid> {
    if sealed.len() < BODY + TAG || sealed[..2] != HEAD[..2] {
        return Err(altered());
    }
    if sealed[2..4] != HEAD[2..] {
        return Err(Error::sealed("unknown_format", "a stored secret has a format that this Atom does not know: upgrade Atom"));
    }
    Uuid::from_slice(&sealed[HEAD.len()..SALT]).map_err(|_| altered())
}

fn derive(key: &Key, salt: &[u8], place: &[u8]) -> (Key, Zeroizing<[u8; 32]>) {
    let mut okm = Zeroizing::new([0; 64]);
    let info = length_prefixed([&b"atom record"[..], place]);
    Hkdf::<Sha256>::new(Some(salt), &key[..]).expand(&info, &mut okm[..]).expect("64 bytes are within the bound of HKDF-SHA-256");
    let mut commitment = Zeroizing::new([0; 32]);
    commitment.copy_from_slice(&okm[32..]);
    (Key::copy(&okm[..32]).expect("32 bytes"), commitment)
}

fn cipher(key: &Key) -> Aes256Gcm {
    Aes256Gcm::new((&**key).into())
}

fn altered() -> Error {
    Error::sealed(
        "record_altered",
        "a stored secret does not open: it was altered or moved, or belongs to another key; restore the last backup",
    )
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
