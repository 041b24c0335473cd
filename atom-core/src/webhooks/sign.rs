//! Signatures as the Standard Webhooks specification has them: of `id.timestamp.body`, over the bytes as they are sent.

use super::WebhookSigning;
use crate::crypto::random;
use crate::{Error, Result, Secret};
use base64::Engine;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use sha2::Sha256;
use std::ops::RangeInclusive;
use zeroize::Zeroizing;

pub(crate) const ID: &str = "webhook-id";
pub(crate) const TIMESTAMP: &str = "webhook-timestamp";
pub(crate) const SIGNATURE: &str = "webhook-signature";

const HMAC_SECRET: &str = "whsec_";
const PRIVATE_KEY: &str = "whsk_";
const PUBLIC_KEY: &str = "whpk_";
/// What the specification allows for an HMAC secret, in bytes.
const HMAC_LENGTH: RangeInclusive<usize> = 24..=64;
const SEED: usize = 32;

/// Secrets are met with and without their padding.
const SECRET_TEXT: GeneralPurpose =
    GeneralPurpose::new(&ALPHABET, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent));

/// What a webhook is signed with.
pub(crate) enum SigningKey {
    Hmac(Zeroizing<Vec<u8>>),
    Ed25519 { seed: Zeroizing<Vec<u8>>, pair: Box<Ed25519KeyPair> },
}

impl SigningKey {
    /// A fresh key.
    pub(crate) fn generate(signing: WebhookSigning) -> Result<Self> {
        let bytes = Zeroizing::new(random::<SEED>()?.to_vec());
        match signing {
            WebhookSigning::Hmac => Ok(Self::Hmac(bytes)),
            WebhookSigning::KeyPair => Self::ed25519(bytes),
        }
    }

    /// Reads `whsec_…`, or `whsk_…` of 32 bytes (the seed) or 64 (the public key after it).
    pub(crate) fn parse(secret: &Secret) -> Result<Self> {
        match secret.expose().split_once('_') {
            Some(("whsk", text)) => {
                let bytes = decode(text)?;
                let key = Self::ed25519(Zeroizing::new(bytes.get(..SEED).ok_or_else(malformed)?.to_vec()))?;
                let public = &bytes[SEED..];
                let Self::Ed25519 { pair, .. } = &key else { return Err(malformed()) };
                if public.is_empty() || public == pair.public_key().as_ref() { Ok(key) } else { Err(malformed()) }
            }
            _ => hmac_secret(secret.expose()).map(Self::Hmac),
        }
    }

    fn ed25519(seed: Zeroizing<Vec<u8>>) -> Result<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| malformed())?;
        Ok(Self::Ed25519 { seed, pair: Box::new(pair) })
    }

    pub(crate) fn signing(&self) -> WebhookSigning {
        match self {
            Self::Hmac(_) => WebhookSigning::Hmac,
            Self::Ed25519 { .. } => WebhookSigning::KeyPair,
        }
    }

    /// The key as a text that [`SigningKey::parse`] reads.
    pub(crate) fn secret(&self) -> Secret {
        let (prefix, bytes) = match self {
            Self::Hmac(secret) => (HMAC_SECRET, secret),
            Self::Ed25519 { seed, .. } => (PRIVATE_KEY, seed),
        };
        let mut text = String::with_capacity(prefix.len() + bytes.len().div_ceil(3) * 4);
        text.push_str(prefix);
        STANDARD.encode_string(bytes, &mut text);
        text.into()
    }

    /// What a receiver verifies with: the secret itself under HMAC, the public key (`whpk_…`) under Ed25519.
    pub(crate) fn verification_key(&self) -> Secret {
        match self {
            Self::Hmac(_) => self.secret(),
            Self::Ed25519 { pair, .. } => (PUBLIC_KEY.to_owned() + &STANDARD.encode(pair.public_key())).into(),
        }
    }

    /// One signature: its version, a comma, base64.
    pub(crate) fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let content = content(id, &timestamp.to_string(), body);
        match self {
            Self::Hmac(secret) => format!("v1,{}", STANDARD.encode(mac(secret, &content).finalize().into_bytes())),
            Self::Ed25519 { pair, .. } => format!("v1a,{}", STANDARD.encode(pair.sign(&content))),
        }
    }
}

/// The value of the signature header: one signature of each key, so that a receiver that knows any of them can verify.
pub(crate) fn signatures(keys: &[SigningKey], id: &str, timestamp: i64, body: &[u8]) -> String {
    keys.iter().map(|key| key.sign(id, timestamp, body)).collect::<Vec<_>>().join(" ")
}

/// What a webhook is verified with.
pub(super) enum VerifyingKey {
    Hmac(Zeroizing<Vec<u8>>),
    Ed25519(Vec<u8>),
}

impl VerifyingKey {
    /// Reads `whsec_…` or `whpk_…`.
    pub(super) fn parse(key: &Secret) -> Result<Self> {
        match key.expose().strip_prefix(PUBLIC_KEY) {
            Some(text) => {
                let bytes = decode(text)?;
                if bytes.len() == SEED { Ok(Self::Ed25519(bytes.to_vec())) } else { Err(malformed()) }
            }
            None => hmac_secret(key.expose()).map(Self::Hmac),
        }
    }

    /// Whether one of the signatures in a header is this key's, compared in constant time.
    pub(super) fn accepts(&self, signatures: &str, id: &str, timestamp: &str, body: &[u8]) -> bool {
        let content = content(id, timestamp, body);
        let is_mine = |signature: &str| {
            let (version, text) = signature.split_once(',')?;
            let bytes = STANDARD.decode(text).ok()?;
            match self {
                Self::Hmac(secret) if version == "v1" => mac(secret, &content).verify_slice(&bytes).ok(),
                Self::Ed25519(key) if version == "v1a" => UnparsedPublicKey::new(&ED25519, key).verify(&content, &bytes).ok(),
                _ => None,
            }
        };
        signatures.split(' ').any(|signature| is_mine(signature).is_some())
    }
}

fn content(id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat()
}

fn mac(secret: &[u8], content: &[u8]) -> Hmac<Sha256> {
    let mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.chain_update(content)
}

/// Some senders give HMAC secrets without their prefix.
fn hmac_secret(text: &str) -> Result<Zeroizing<Vec<u8>>> {
    let bytes = decode(text.strip_prefix(HMAC_SECRET).unwrap_or(text))?;
    if HMAC_LENGTH.contains(&bytes.len()) { Ok(bytes) } else { Err(malformed()) }
}

fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>> {
    SECRET_TEXT.decode(text).map(Zeroizing::new).map_err(|_| malformed())
}

fn malformed() -> Error {
    Error::invalid(
        "malformed_webhook_secret",
        "this is no webhook key: pass `whsec_` and 24 to 64 bytes in base64, `whsk_` and a private key, or `whpk_` and a public key",
    )
}

#[cfg(test)]
#[path = "sign_tests.rs"]
mod tests;
