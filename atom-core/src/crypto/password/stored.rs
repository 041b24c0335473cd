//! Stored password hashes: ours, and those that people bring from the systems they leave.
//!
//! | algorithm | form | written by |
//! | --- | --- | --- |
//! | Argon2 | `$argon2id$v=19$m=…,t=…,p=…$salt$hash`, `argon2$…` before it | everyone; Django |
//! | bcrypt | `$2b$12$…`, also `2a` and `2y`, `bcrypt$` before it | everyone; Django |
//! | bcrypt of SHA-256 | `bcrypt_sha256$$2b$12$…` | Django |
//! | bcrypt of HMAC-SHA-256 | `$bcrypt-sha256$v=2,t=2b,r=12$salt$hash` | passlib |
//! | scrypt | `$scrypt$ln=…,r=…,p=…$salt$hash` | everyone, passlib |
//! | scrypt | `scrypt$N$salt$r$p$hash` | Django |
//! | scrypt | `scrypt:N:r:p$salt$hash` | Werkzeug, so Flask |
//! | scrypt | `salt:hash` | better-auth |
//! | PBKDF2 | `$pbkdf2-sha256$i=…,l=…$salt$hash` | everyone |
//! | PBKDF2 | `$pbkdf2-sha256$rounds$salt$hash`, also `pbkdf2` and `pbkdf2-sha512` | passlib |
//! | PBKDF2 | `pbkdf2_sha256$rounds$salt$hash`, also `pbkdf2_sha1` | Django |
//! | PBKDF2 | `pbkdf2:sha256:rounds$salt$hash`, also `sha1` and `sha512` | Werkzeug |
//!
//! What a hash may cost is bounded, because whoever writes one decides over this machine's memory and time.

use super::{MEMORY_KIB, PASSES};
use crate::crypto::{from_hex, hex};
use argon2::password_hash::PasswordVerifier as _;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, Params};
use base64::alphabet::{self, Alphabet};
use base64::engine::{DecodePaddingMode, Engine as _, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use ring::pbkdf2;
use sha2::{Digest as _, Sha256};
use std::num::NonZeroU32;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// The longest text that is read, in bytes.
const LONGEST: usize = 512;
/// What one hash may hold in memory: 256 MiB.
const MOST_KIB: u64 = 256 * 1024;
/// How much memory it may write altogether: 1 GiB.
const MOST_WORK_KIB: u64 = 1024 * 1024;
/// The most rounds of PBKDF2, five times what Django asks for today.
const MOST_ROUNDS: u32 = 5_000_000;
/// The costs of bcrypt: the highest takes some seconds.
const COSTS: std::ops::RangeInclusive<u32> = 4..=15;
/// How long a hash may be, in bytes: shorter ones match too much.
const LENGTHS: std::ops::RangeInclusive<usize> = 16..=64;
/// How many bytes of a password bcrypt looks at.
const BCRYPT_BYTES: usize = 72;

/// A stored hash.
pub(super) enum Stored {
    Argon2(Box<PasswordHash>),
    Bcrypt { cost: u32, salt: [u8; 16], hash: Vec<u8>, before: Before },
    Scrypt { params: scrypt::Params, salt: Vec<u8>, hash: Vec<u8> },
    Pbkdf2 { algorithm: pbkdf2::Algorithm, rounds: NonZeroU32, salt: Vec<u8>, hash: Vec<u8> },
}

/// What was done with a password before bcrypt got it, so that more than 72 bytes count.
pub(super) enum Before {
    Nothing,
    /// Its SHA-256, in hexadecimal.
    Sha256,
    /// Its HMAC-SHA-256 under the salt as it is written, in base64.
    Hmac(String),
}

impl Stored {
    /// Understands a hash; none if it is malformed, of another sort, or costs too much.
    pub(super) fn read(text: &str) -> Option<Self> {
        if text.len() > LONGEST || !text.is_ascii() {
            return None;
        }
        Self::parse(text).filter(Self::is_bearable)
    }

    fn parse(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix("bcrypt_sha256$") {
            return bcrypt(rest, Before::Sha256);
        }
        let text = text.strip_prefix("bcrypt$").unwrap_or(text);
        let text = text.strip_prefix("argon2").filter(|rest| rest.starts_with("$argon2")).unwrap_or(text);
        match text.split('$').collect::<Vec<_>>()[..] {
            ["", "argon2id" | "argon2i" | "argon2d", ..] => argon2(text),
            ["", "2a" | "2b" | "2y", ..] => bcrypt(text, Before::Nothing),
            ["", "bcrypt-sha256", params, salt, hash] => {
                let cost = params.strip_prefix("v=2,t=2b,r=")?;
                let cost = number(cost)?;
                bcrypt(&format!("$2b${cost:02}${salt}{hash}"), Before::Hmac(salt.to_owned()))
            }
            ["", "scrypt", params, salt, hash] => {
                let [log_n, r, p] = named(params, ["ln", "r", "p"])?;
                scrypt(1_u32.checked_shl(log_n)?, r, p, from_base64(salt)?, from_base64(hash)?)
            }
            ["scrypt", n, salt, r, p, hash] => {
                scrypt(number(n)?, number(r)?, number(p)?, salt.as_bytes().to_vec(), from_base64(hash)?)
            }
            ["", name, rounds, salt, hash] => {
                let digest = if name == "pbkdf2" { "sha1" } else { name.strip_prefix("pbkdf2-")? };
                let (salt, hash) = (from_base64(salt)?, from_base64(hash)?);
                let rounds = match rounds.split_once(",l=") {
                    Some((_, length)) if length.parse() != Ok(hash.len()) => return None,
                    Some((rounds, _)) => rounds,
                    None => rounds,
                };
                pbkdf2(digest, rounds.strip_prefix("i=").unwrap_or(rounds), salt, hash)
            }
            [method, rounds, salt, hash] => {
                let digest = method.strip_prefix("pbkdf2_")?;
                pbkdf2(digest, rounds, salt.as_bytes().to_vec(), from_base64(hash)?)
            }
            [method, salt, hash] => {
                let (salt, hash) = (salt.as_bytes().to_vec(), from_hex(hash)?);
                match method.split(':').collect::<Vec<_>>()[..] {
                    ["scrypt", n, r, p] => scrypt(number(n)?, number(r)?, number(p)?, salt, hash),
                    ["pbkdf2", digest, rounds] => pbkdf2(digest, rounds, salt, hash),
                    _ => None,
                }
            }
            [pair] => {
                // The salt is used as it is written.
                let (salt, hash) = pair.split_once(':')?;
                let hash = from_hex(hash).filter(|hash| hash.len() == 64)?;
                from_hex(salt).filter(|salt| salt.len() == 16)?;
                scrypt(16_384, 16, 1, salt.as_bytes().to_vec(), hash)
            }
            _ => None,
        }
    }

    /// Whether it costs no more than one may.
    fn is_bearable(&self) -> bool {
        match self {
            Self::Argon2(hash) => Params::try_from(&**hash).is_ok_and(|params| {
                let memory = u64::from(params.m_cost());
                memory <= MOST_KIB && memory * u64::from(params.t_cost()) <= MOST_WORK_KIB && params.p_cost() <= 64
            }),
            Self::Bcrypt { cost, hash, .. } => COSTS.contains(cost) && hash.len() == 23,
            Self::Scrypt { params, hash, .. } => {
                let work = params.n() * u64::from(params.r()) * u64::from(params.p()) / 8;
                self.memory_kib() <= MOST_KIB && work <= MOST_WORK_KIB && LENGTHS.contains(&hash.len())
            }
            Self::Pbkdf2 { rounds, hash, .. } => rounds.get() <= MOST_ROUNDS && LENGTHS.contains(&hash.len()),
        }
    }

    /// What verifying it holds in memory.
    pub(super) fn memory_kib(&self) -> u64 {
        match self {
            Self::Argon2(hash) => Params::try_from(&**hash).map_or(0, |params| params.m_cost().into()),
            Self::Scrypt { params, .. } => (params.n() + u64::from(params.p())) * u64::from(params.r()) / 8,
            Self::Bcrypt { .. } | Self::Pbkdf2 { .. } => 0,
        }
    }

    /// Whether it is as strong as those that are made now.
    pub(super) fn is_strong(&self) -> bool {
        let Self::Argon2(hash) = self else { return false };
        let params = Params::try_from(&**hash);
        let is_enough = params.is_ok_and(|params| params.m_cost() >= MEMORY_KIB && params.t_cost() >= PASSES);
        is_enough && hash.algorithm.as_str() == "argon2id" && hash.version == Some(0x13)
    }

    /// Whether it is the hash of this password.
    pub(super) fn matches(&self, password: &str) -> bool {
        match self {
            Self::Argon2(hash) => Argon2::default().verify_password(password.as_bytes(), &**hash).is_ok(),
            Self::Bcrypt { cost, salt, hash, before } => before.key(password).is_some_and(|key| {
                let computed = Zeroizing::new(bcrypt::bcrypt(*cost, *salt, &key));
                computed[..23].ct_eq(hash).into()
            }),
            Self::Scrypt { params, salt, hash } => {
                let mut computed = Zeroizing::new(vec![0; hash.len()]);
                scrypt::scrypt(password.as_bytes(), salt, params, &mut computed).is_ok() && computed[..].ct_eq(hash).into()
            }
            Self::Pbkdf2 { algorithm, rounds, salt, hash } => {
                pbkdf2::verify(*algorithm, *rounds, salt, password.as_bytes(), hash).is_ok()
            }
        }
    }

    /// Whether verifying it takes next to nothing, so that a fuzzer may.
    #[cfg(feature = "testing")]
    pub(super) fn is_light(&self) -> bool {
        match self {
            Self::Argon2(hash) => Params::try_from(&**hash).is_ok_and(|params| params.m_cost() * params.t_cost() <= 256),
            Self::Bcrypt { cost, .. } => *cost == 4,
            Self::Scrypt { params, .. } => params.n() * u64::from(params.r()) * u64::from(params.p()) <= 2048,
            Self::Pbkdf2 { rounds, .. } => rounds.get() <= 2000,
        }
    }
}

impl Before {
    /// What bcrypt gets; none where it would not look at all of it.
    ///
    /// Most implementations cut a password off after 72 bytes, some refuse it, and the hash does not tell which. Were it cut off here,
    /// everything that begins with the first 72 bytes would be the password. So whoever has a longer one is refused and resets it. The end of
    /// a password is a zero byte, and after that it is repeated, so one that has such a byte inside would be the same as another.
    fn key(&self, password: &str) -> Option<Zeroizing<Vec<u8>>> {
        let mut key = Zeroizing::new(match self {
            Self::Nothing => password.as_bytes().to_vec(),
            Self::Sha256 => hex(&Sha256::digest(password)).into_bytes(),
            Self::Hmac(salt) => {
                let mut mac = Hmac::<Sha256>::new_from_slice(salt.as_bytes()).expect("HMAC takes keys of any length");
                mac.update(password.as_bytes());
                base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes()).into_bytes()
            }
        });
        if key.len() > BCRYPT_BYTES || key.contains(&0) {
            return None;
        }
        if key.len() < BCRYPT_BYTES {
            key.push(0);
        }
        Some(key)
    }
}

fn argon2(text: &str) -> Option<Stored> {
    let hash = PasswordHash::new(text).ok()?;
    let is_whole = hash.salt.is_some() && hash.hash.is_some_and(|hash| LENGTHS.contains(&hash.as_bytes().len()));
    is_whole.then(|| Stored::Argon2(Box::new(hash)))
}

/// `$2b$12$`, 22 characters of salt and 31 of the hash.
fn bcrypt(text: &str, before: Before) -> Option<Stored> {
    let ["", "2a" | "2b" | "2y", cost, rest] = text.split('$').collect::<Vec<_>>()[..] else { return None };
    let (salt, hash) = rest.split_at_checked(22).filter(|(_, hash)| hash.len() == 31)?;
    let engine = lenient(&alphabet::BCRYPT);
    let (salt, hash) = (engine.decode(salt).ok()?, engine.decode(hash).ok()?);
    Some(Stored::Bcrypt { cost: number(cost)?, salt: salt.try_into().ok()?, hash, before })
}

fn scrypt(n: u32, r: u32, p: u32, salt: Vec<u8>, hash: Vec<u8>) -> Option<Stored> {
    // Each alone is bounded before they are multiplied.
    let is_small = [r, p].iter().all(|factor| (1..=1024).contains(factor));
    if !is_small || n < 2 || !n.is_power_of_two() {
        return None;
    }
    let params = scrypt::Params::new(u8::try_from(n.trailing_zeros()).ok()?, r, p).ok()?;
    Some(Stored::Scrypt { params, salt, hash })
}

fn pbkdf2(digest: &str, rounds: &str, salt: Vec<u8>, hash: Vec<u8>) -> Option<Stored> {
    let algorithm = match digest {
        "sha1" => pbkdf2::PBKDF2_HMAC_SHA1,
        "sha256" => pbkdf2::PBKDF2_HMAC_SHA256,
        "sha512" => pbkdf2::PBKDF2_HMAC_SHA512,
        _ => return None,
    };
    Some(Stored::Pbkdf2 { algorithm, rounds: NonZeroU32::new(number(rounds)?)?, salt, hash })
}

/// A number in digits and nothing else.
fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The numbers of `ln=14,r=8,p=1`, in this order.
fn named<const N: usize>(text: &str, names: [&str; N]) -> Option<[u32; N]> {
    let mut parts = text.split(',');
    let mut numbers = [0; N];
    for (place, name) in numbers.iter_mut().zip(names) {
        *place = number(parts.next()?.strip_prefix(name)?.strip_prefix('=')?)?;
    }
    parts.next().is_none().then_some(numbers)
}

/// Base64 with or without padding, or as passlib writes it, with a point for each plus.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    lenient(&alphabet::STANDARD).decode(text.replace('.', "+")).ok()
}

/// Some leave bits in the last character that belong to no byte.
fn lenient(alphabet: &Alphabet) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config.with_decode_allow_trailing_bits(true))
}

#[cfg(test)]
#[path = "stored_tests.rs"]
mod tests;
