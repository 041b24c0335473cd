//! Public keys of others (RFC 7517), and what was signed with them (RFC 7515, RFC 7518).
//!
//! An algorithm belongs to a type of key, so no header can have a key used for anything else; none is without a signature, and none has a shared
//! secret. Where a header brings a key, or says where one is, nobody looks.

use super::from_base64url;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::Value;

/// The most keys of a set that are kept.
const MOST_KEYS: usize = 100;
/// The longest token that is looked at, in bytes.
const LONGEST: usize = 64 * 1024;

/// The keys that a signer publishes, as far as they are of use here.
#[derive(Default)]
pub(crate) struct KeySet(Vec<PublicKey>);

/// A key that verifies.
pub(crate) struct PublicKey {
    id: Option<String>,
    algorithm: Option<String>,
    /// The only issuer that may use it, where the set says so.
    pub(crate) issuer: Option<String>,
    material: Material,
}

enum Material {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// An uncompressed point.
    P256(Vec<u8>),
}

/// Why a token is not believed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Refusal {
    Malformed,
    /// Not one of ours, or not one of the key's.
    WrongAlgorithm,
    /// The set has no such key. A newer one may have.
    UnknownKey,
    /// It does not say which of several keys it is signed with.
    AmbiguousKey,
    WrongSignature,
}

/// How a key is published.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    kid: Option<String>,
    /// Entra's own.
    issuer: Option<String>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

impl KeySet {
    /// The keys in a document. Those that are for something else are left out; none if it is no set of keys.
    pub(crate) fn parse(document: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Document {
            keys: Vec<Value>,
        }
        let document: Document = serde_json::from_slice(document).ok()?;
        let keys = document.keys.into_iter().take(MOST_KEYS).filter_map(|key| serde_json::from_value(key).ok());
        Some(Self(keys.filter_map(PublicKey::new).collect()))
    }

    /// The payload of a compact JWS, and the key that it was signed with.
    pub(crate) fn verify(&self, token: &str) -> Result<(Vec<u8>, &PublicKey), Refusal> {
        let malformed = || Refusal::Malformed;
        if token.len() > LONGEST {
            return Err(Refusal::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
        let (header, payload) = signed.split_once('.').ok_or_else(malformed)?;
        let signature = from_base64url(signature).ok_or_else(malformed)?;
        let payload = from_base64url(payload).ok_or_else(malformed)?;
        let header: Header =
            from_base64url(header).and_then(|header| serde_json::from_slice(&header).ok()).ok_or_else(malformed)?;
        // RFC 7515 §4.1.11: what is critical must be understood, and nothing beyond the RFC is.
        if header.crit.is_some() {
            return Err(Refusal::Malformed);
        }
        let key = self.find(&header)?;
        match key.is_signed(&header.alg, signed.as_bytes(), &signature) {
            true => Ok((payload, key)),
            // The only key may be another one by now.
            false if header.kid.is_none() => Err(Refusal::UnknownKey),
            false => Err(Refusal::WrongSignature),
        }
    }

    /// The only key that a token can be signed with.
    fn find(&self, header: &Header) -> Result<&PublicKey, Refusal> {
        if !["RS256", "PS256", "ES256"].contains(&header.alg.as_str()) {
            return Err(Refusal::WrongAlgorithm);
        }
        let mut named = self.0.iter().filter(|key| header.kid.is_none() || key.id == header.kid).peekable();
        if named.peek().is_none() {
            return Err(Refusal::UnknownKey);
        }
        let mut fit = named.filter(|key| key.takes(&header.alg));
        match (fit.next(), fit.next()) {
            (Some(key), None) => Ok(key),
            (Some(_), Some(_)) => Err(Refusal::AmbiguousKey),
            (None, _) => Err(Refusal::WrongAlgorithm),
        }
    }
}

impl PublicKey {
    fn new(jwk: Jwk) -> Option<Self> {
        let is_for_us = jwk.usage.as_deref().is_none_or(|usage| usage == "sig")
            && jwk.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        let bytes = |text: &Option<String>| from_base64url(text.as_deref()?);
        let material = match jwk.kty.as_str() {
            "RSA" => Material::Rsa { modulus: bytes(&jwk.n)?, exponent: bytes(&jwk.e)? },
            "EC" if jwk.crv.as_deref() == Some("P-256") => {
                let (x, y) = (bytes(&jwk.x)?, bytes(&jwk.y)?);
                (x.len() == 32 && y.len() == 32).then_some(())?;
                Material::P256([&[4][..], &x, &y].concat())
            }
            _ => return None,
        };
        is_for_us.then_some(Self { id: jwk.kid, algorithm: jwk.alg, issuer: jwk.issuer, material })
    }

    /// Whether an algorithm is one of this key.
    fn takes(&self, algorithm: &str) -> bool {
        let is_of_type = match self.material {
            Material::Rsa { .. } => matches!(algorithm, "RS256" | "PS256"),
            Material::P256(_) => algorithm == "ES256",
        };
        is_of_type && self.algorithm.as_deref().is_none_or(|mine| mine == algorithm)
    }

    fn is_signed(&self, algorithm: &str, what: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Rsa { modulus, exponent } => {
                let padding = if algorithm == "PS256" { &RSA_PSS_2048_8192_SHA256 } else { &RSA_PKCS1_2048_8192_SHA256 };
                RsaPublicKeyComponents { n: modulus, e: exponent }.verify(padding, what, signature).is_ok()
            }
            Material::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(what, signature).is_ok(),
        }
    }
}

#[cfg(test)]
#[path = "jwk_tests.rs"]
mod tests;
