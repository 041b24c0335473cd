//! Documents that are signed with a private key of the credential (RFC 7519, RFC 7515).

use crate::crypto::{base64url, random};
use crate::providers::{Algorithm, Assertion, Vars};
use crate::{Error, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// How far the provider's clock may be behind.
const SKEW: i64 = 30;

/// The values for templates, with the members of the document that a field holds.
pub(super) fn expand(assertion: &Assertion, mut vars: Vars) -> Result<Vars> {
    let Some(name) = &assertion.document else { return Ok(vars) };
    let malformed = || {
        let text = format!("`{name}` is not a JSON document: give the whole file as the provider made it");
        Error::invalid("malformed_field", text)
    };
    let text = vars.get(name).and_then(Value::as_str).ok_or_else(malformed)?;
    let document: Value = serde_json::from_str(text).map_err(|_| malformed())?;
    let Value::Object(members) = document else { return Err(malformed()) };
    for (name, value) in members {
        vars.entry(name).or_insert(value);
    }
    Ok(vars)
}

/// A signed document that is good from now on.
pub(super) fn sign(assertion: &Assertion, vars: &Vars, now: DateTime<Utc>) -> Result<String> {
    let Some(Value::Object(mut claims)) = assertion.claims.render(vars) else {
        return Err(Error::invalid("malformed_manifest", "the claims of a signed document are a table"));
    };
    let issued_at = now.timestamp();
    claims.insert("iat".into(), (issued_at - SKEW).into());
    claims.insert("exp".into(), (issued_at + assertion.lifetime - SKEW).into());
    claims.insert("jti".into(), base64url(random::<16>()?).into());
    let name = match assertion.algorithm {
        Algorithm::Rs256 => "RS256",
        Algorithm::Es256 => "ES256",
    };
    let mut header = json!({"alg": name, "typ": "JWT"});
    if let Some(id) = assertion.key_id.as_ref().and_then(|template| template.render(vars, str::to_owned)) {
        header["kid"] = id.into();
    }
    let pem = assertion.private_key.render(vars, str::to_owned).map(Zeroizing::new).ok_or_else(malformed_key)?;
    let signed = format!("{}.{}", base64url(header.to_string()), base64url(Value::Object(claims).to_string()));
    let signature = signature(assertion.algorithm, &pem, signed.as_bytes())?;
    Ok(format!("{signed}.{}", base64url(signature)))
}

fn malformed_key() -> Error {
    Error::invalid("malformed_private_key", "the private key cannot be read: give it as PEM, as the provider made it")
}

fn signature(algorithm: Algorithm, pem: &str, signed: &[u8]) -> Result<Vec<u8>> {
    let (kind, der) = decode(pem)?;
    let random = SystemRandom::new();
    match algorithm {
        Algorithm::Rs256 => {
            let read = if kind == "RSA PRIVATE KEY" { RsaKeyPair::from_der(&der) } else { RsaKeyPair::from_pkcs8(&der) };
            let pair = read.map_err(|_| malformed_key())?;
            let mut signature = vec![0; pair.public().modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &random, signed, &mut signature).map_err(|_| malformed_key())?;
            Ok(signature)
        }
        Algorithm::Es256 => {
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &random).map_err(|_| malformed_key())?;
            Ok(pair.sign(&random, signed).map_err(|_| malformed_key())?.as_ref().to_vec())
        }
    }
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
