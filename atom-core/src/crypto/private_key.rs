//! Private keys that a host or a user gives as PEM, and signatures with them (RFC 7518).

use crate::{Error, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use zeroize::Zeroizing;

/// Signs with an RSA key.
///
/// Fails with `invalid` (`malformed_private_key`).
pub(crate) fn sign_rs256(pem: &str, what: &[u8]) -> Result<Vec<u8>> {
    let (kind, der) = decode(pem)?;
    let read = if kind == "RSA PRIVATE KEY" { RsaKeyPair::from_der(&der) } else { RsaKeyPair::from_pkcs8(&der) };
    let pair = read.map_err(|_| malformed_key())?;
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), what, &mut signature).map_err(|_| malformed_key())?;
    Ok(signature)
}

/// Signs with a key on the curve P-256, in PKCS#8.
///
/// Fails with `invalid` (`malformed_private_key`).
pub(crate) fn sign_es256(pem: &str, what: &[u8]) -> Result<Vec<u8>> {
    let (random, (_, der)) = (SystemRandom::new(), decode(pem)?);
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &random).map_err(|_| malformed_key())?;
    Ok(pair.sign(&random, what).map_err(|_| malformed_key())?.as_ref().to_vec())
}

pub(crate) fn malformed_key() -> Error {
    Error::invalid("malformed_private_key", "the private key cannot be read: give it as PEM, as the provider made it")
}

/// The label and the bytes of a PEM text (RFC 7468).
fn decode(pem: &str) -> Result<(&str, Zeroizing<Vec<u8>>)> {
    let inside = pem.trim().strip_prefix("-----BEGIN ").and_then(|rest| rest.split_once("-----"));
    let (label, rest) = inside.ok_or_else(malformed_key)?;
    let body = rest.split("-----END ").next().unwrap_or_default();
    // Some environments keep line breaks as two characters.
    let body: Zeroizing<String> = Zeroizing::new(body.replace("\\n", "").split_whitespace().collect());
    let der = STANDARD.decode(body.as_bytes()).map(Zeroizing::new).map_err(|_| malformed_key())?;
    Ok((label, der))
}
