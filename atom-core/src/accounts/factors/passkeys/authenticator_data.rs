//! What an authenticator says of itself and of what it did (WebAuthn Level 3, section 6.1).

use super::cbor;
use super::{Checked, Refusal};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

const PRESENT: u8 = 1;
const VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const HAS_CREDENTIAL: u8 = 1 << 6;
const HAS_EXTENSIONS: u8 = 1 << 7;

/// The longest id of a credential, in bytes.
const LONGEST_ID: usize = 1023;

/// It, checked for a relying party: the user was there, and the authenticator knew them by a PIN or a part of their body.
#[derive(Debug)]
pub(super) struct AuthenticatorData<'a> {
    pub(super) sign_count: u32,
    /// Whether the passkey may be on several devices: that never changes.
    pub(super) backup_eligible: bool,
    /// The new credential, of a registration.
    pub(super) credential: Option<Credential<'a>>,
}

/// A credential that was just made.
#[derive(Debug)]
pub(super) struct Credential<'a> {
    pub(super) id: &'a [u8],
    pub(super) public_key: cbor::Value,
    /// The same as it was written.
    pub(super) cose: &'a [u8],
}

impl<'a> AuthenticatorData<'a> {
    pub(super) fn parse(bytes: &'a [u8], rp_id: &str) -> Checked<Self> {
        const CUT_OFF: &str = "what the authenticator says is cut off";
        let (rp_id_hash, rest) = bytes.split_first_chunk::<32>().ok_or(CUT_OFF)?;
        let (&[flags], rest) = rest.split_first_chunk::<1>().ok_or(CUT_OFF)?;
        let (sign_count, mut rest) = rest.split_first_chunk::<4>().ok_or(CUT_OFF)?;
        if !bool::from(Sha256::digest(rp_id)[..].ct_eq(rp_id_hash)) {
            return Err(Refusal::RelyingParty);
        }
        let has = |flag| flags & flag != 0;
        if !has(PRESENT) {
            return Err(Refusal::Absent);
        }
        if !has(VERIFIED) {
            return Err(Refusal::Unverified);
        }
        if has(BACKED_UP) && !has(BACKUP_ELIGIBLE) {
            return Err(Refusal::Backups);
        }
        let mut credential = None;
        if has(HAS_CREDENTIAL) {
            let (_model, after) = rest.split_first_chunk::<16>().ok_or(CUT_OFF)?;
            let (length, after) = after.split_first_chunk::<2>().ok_or(CUT_OFF)?;
            let (id, after) = after.split_at_checked(u16::from_be_bytes(*length).into()).ok_or(CUT_OFF)?;
            if id.is_empty() || id.len() > LONGEST_ID {
                return Err("the id of the credential has an unusual length".into());
            }
            let (public_key, behind) = cbor::first(after)?;
            let cose = &after[..after.len() - behind.len()];
            credential = Some(Credential { id, public_key, cose });
            rest = behind;
        }
        if has(HAS_EXTENSIONS) {
            rest = cbor::first(rest)?.1;
        }
        if !rest.is_empty() {
            return Err("the authenticator says more than it should".into());
        }
        Ok(Self { sign_count: u32::from_be_bytes(*sign_count), backup_eligible: has(BACKUP_ELIGIBLE), credential })
    }
}
