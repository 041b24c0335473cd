use super::*;
use crate::crypto::base64url;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PSS_SHA256, RsaEncoding,
    RsaKeyPair,
};
use serde_json::json;

/// A signer with a key of each type.
struct Signer {
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
}

impl Signer {
    fn new() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let ec = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).expect("a key");
        let pem = include_str!("../testing/service_account.pem");
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, body).expect("base64");
        Self { rsa: RsaKeyPair::from_pkcs8(&der).expect("a key"), ec }
    }

    fn rsa_key(&self, kid: &str) -> Value {
        let parts = PublicKeyComponents::<Vec<u8>>::from(self.rsa.public());
        json!({"kty": "RSA", "kid": kid, "use": "sig", "n": base64url(parts.n), "e": base64url(parts.e)})
    }

    fn ec_key(&self, kid: &str) -> Value {
        let point = self.ec.public_key().as_ref();
        json!({"kty": "EC", "crv": "P-256", "kid": kid, "x": base64url(&point[1..33]), "y": base64url(&point[33..])})
    }

    fn rsa_signed(&self, header: &Value, padding: &'static dyn RsaEncoding) -> String {
        let signed = format!("{}.{}", base64url(header.to_string()), base64url(r#"{"sub":"ada"}"#));
        let mut signature = vec![0; self.rsa.public().modulus_len()];
        self.rsa.sign(padding, &SystemRandom::new(), signed.as_bytes(), &mut signature).expect("signed");
        format!("{signed}.{}", base64url(signature))
    }

    fn ec_signed(&self, header: &Value) -> String {
        let signed = format!("{}.{}", base64url(header.to_string()), base64url(r#"{"sub":"ada"}"#));
        let signature = self.ec.sign(&SystemRandom::new(), signed.as_bytes()).expect("signed");
        format!("{signed}.{}", base64url(signature))
    }
}

fn set(keys: &[Value]) -> KeySet {
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).expect("a set of keys")
}

fn refusal(keys: &KeySet, token: &str) -> Refusal {
    keys.verify(token).err().expect("refused")
}

#[test]
fn p26_tokens_of_the_three_algorithms_are_believed() {
    let signer = Signer::new();
    let keys = set(&[signer.rsa_key("r"), signer.ec_key("e")]);
    for token in [
        signer.rsa_signed(&json!({"alg": "RS256", "kid": "r"}), &RSA_PKCS1_SHA256),
        signer.rsa_signed(&json!({"alg": "PS256", "kid": "r"}), &RSA_PSS_SHA256),
        signer.ec_signed(&json!({"alg": "ES256", "kid": "e", "typ": "JWT", "x5t": "abc"})),
    ] {
        assert_eq!(keys.verify(&token).expect("believed").0, br#"{"sub":"ada"}"#);
    }
}

#[test]
fn p26_no_signature_is_no_signature() {
    let signer = Signer::new();
    let keys = set(&[signer.rsa_key("r")]);
    for alg in ["none", "None", "NONE", ""] {
        let unsigned = format!("{}.{}.", base64url(json!({ "alg": alg, "kid": "r" }).to_string()), base64url(r#"{"sub":"eve"}"#));
        assert_eq!(refusal(&keys, &unsigned), Refusal::WrongAlgorithm, "{alg}");
    }
    let token = signer.rsa_signed(&json!({"alg": "RS256", "kid": "r"}), &RSA_PKCS1_SHA256);
    let (signed, _) = token.rsplit_once('.').expect("three parts");
    assert_eq!(refusal(&keys, &format!("{signed}.")), Refusal::WrongSignature);
}

#[test]
fn p26_an_algorithm_belongs_to_its_key() {
    let signer = Signer::new();
    let keys = set(&[signer.rsa_key("r"), signer.ec_key("e")]);
    // The public key is no secret: who signs with it, by a method where both sides have the same key, must get nowhere.
    for alg in ["HS256", "RS384", "RS1", "ES384", "EdDSA", "rs256"] {
        let token = signer.rsa_signed(&json!({"alg": alg, "kid": "r"}), &RSA_PKCS1_SHA256);
        assert_eq!(refusal(&keys, &token), Refusal::WrongAlgorithm, "{alg}");
    }
    let confused = signer.rsa_signed(&json!({"alg": "RS256", "kid": "e"}), &RSA_PKCS1_SHA256);
    assert_eq!(refusal(&keys, &confused), Refusal::WrongAlgorithm);
    let confused = signer.ec_signed(&json!({"alg": "ES256", "kid": "r"}));
    assert_eq!(refusal(&keys, &confused), Refusal::WrongAlgorithm);
    let longer = signer.rsa_signed(&json!({"alg": "RS256", "kid": "r"}), &RSA_PKCS1_SHA384);
    assert_eq!(refusal(&keys, &longer), Refusal::WrongSignature);
    // A key that is published for one algorithm is for no other.
    let mut only = signer.rsa_key("r");
    only["alg"] = "RS256".into();
    let other = signer.rsa_signed(&json!({"alg": "PS256", "kid": "r"}), &RSA_PSS_SHA256);
    assert_eq!(refusal(&set(&[only]), &other), Refusal::WrongAlgorithm);
}

#[test]
fn p26_a_token_without_kid_needs_a_set_with_one_key_for_it() {
    let signer = Signer::new();
    let token = signer.rsa_signed(&json!({"alg": "RS256"}), &RSA_PKCS1_SHA256);
    assert!(set(&[signer.rsa_key("r")]).verify(&token).is_ok());
    assert!(set(&[signer.rsa_key("r"), signer.ec_key("e")]).verify(&token).is_ok(), "one key for this algorithm");
    assert_eq!(refusal(&set(&[signer.rsa_key("r"), signer.rsa_key("s")]), &token), Refusal::AmbiguousKey);
    assert_eq!(refusal(&set(&[]), &token), Refusal::UnknownKey);
    let named = signer.rsa_signed(&json!({"alg": "RS256", "kid": "r"}), &RSA_PKCS1_SHA256);
    assert_eq!(refusal(&set(&[signer.rsa_key("r"), signer.rsa_key("r")]), &named), Refusal::AmbiguousKey, "two of one name");
    assert_eq!(refusal(&set(&[signer.rsa_key("s")]), &named), Refusal::UnknownKey);
}

#[test]
fn p26_keys_that_a_token_brings_are_not_looked_at() {
    let (signer, mallory) = (Signer::new(), Signer::new());
    let keys = set(&[signer.ec_key("e")]);
    let brought = mallory.ec_key("e");
    for (name, value) in
        [("jwk", brought), ("jku", "https://evil.example/keys".into()), ("x5u", "https://evil.example/cert".into())]
    {
        let token = mallory.ec_signed(&json!({"alg": "ES256", "kid": "e", name: value}));
        assert_eq!(refusal(&keys, &token), Refusal::WrongSignature, "{name}");
    }
    let critical = signer.ec_signed(&json!({"alg": "ES256", "kid": "e", "crit": ["exp"], "exp": 1}));
    assert_eq!(refusal(&keys, &critical), Refusal::Malformed);
}

#[test]
fn p26_keys_for_something_else_do_not_verify() {
    let signer = Signer::new();
    let token = signer.rsa_signed(&json!({"alg": "RS256", "kid": "r"}), &RSA_PKCS1_SHA256);
    for (name, value) in [("use", json!("enc")), ("key_ops", json!(["encrypt"])), ("kty", json!("oct")), ("n", json!("!"))] {
        let mut key = signer.rsa_key("r");
        key[name] = value;
        assert_eq!(refusal(&set(&[key]), &token), Refusal::UnknownKey, "{name}");
    }
    // A short key is published somewhere; it verifies nothing.
    let mut short = signer.rsa_key("r");
    short["n"] = base64url([0xff; 128]).into();
    assert_eq!(refusal(&set(&[short]), &token), Refusal::WrongSignature);
}

#[test]
fn an_altered_token_and_what_is_none_are_refused() {
    let signer = Signer::new();
    let keys = set(&[signer.ec_key("e")]);
    let token = signer.ec_signed(&json!({"alg": "ES256", "kid": "e"}));
    for i in 0..token.len() {
        let mut altered = token.clone().into_bytes();
        altered[i] = if altered[i] == b'A' { b'B' } else { b'A' };
        assert!(keys.verify(&String::from_utf8(altered).expect("ASCII")).is_err(), "character {i}");
    }
    let long = "a".repeat(LONGEST + 1);
    for text in ["", ".", "..", "a.b", &format!("{token}.{token}"), &format!("{token}="), &token.replace('.', " "), &long] {
        assert_eq!(refusal(&keys, text), Refusal::Malformed, "{}", text.len());
    }
    for document in ["", "[]", "{}", r#"{"keys": {}}"#] {
        assert!(KeySet::parse(document.as_bytes()).is_none(), "{document}");
    }
}

#[test]
fn p26_the_examples_of_the_standard_are_believed() {
    // RFC 7515, A.3.
    let key = json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    });
    let token = concat!(
        "eyJhbGciOiJFUzI1NiJ9.",
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.",
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    );
    assert!(set(&[key]).verify(token).expect("believed").0.starts_with(br#"{"iss":"joe""#));
}
