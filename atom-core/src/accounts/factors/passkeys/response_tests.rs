//! Answers that others have written down.

use super::*;
use crate::crypto::from_hex;
use serde_json::json;

fn hex(value: &serde_json::Value) -> Vec<u8> {
    from_hex(value.as_str().expect("a text")).expect("hexadecimal")
}

/// The vectors of the specification, as browsers would answer with them.
#[test]
fn p08_the_vectors_of_the_specification() {
    let all: serde_json::Value = serde_json::from_str(include_str!("vectors.json")).expect("JSON");
    let rp = RelyingParty { id: "example.org".into(), origins: vec!["https://example.org".into()] };
    let vectors = all["vectors"].as_array().expect("a list");
    assert_eq!(vectors.len(), 7);
    for vector in vectors {
        let (made, signed) = (&vector["registration"], &vector["assertion"]);
        let (name, id) = (&vector["name"], base64url(hex(&vector["credential_id"])));
        let text = |value| base64url(hex(value));
        let answer = |response| json!({ "id": id, "rawId": id, "type": "public-key", "response": response });

        let response =
            json!({ "clientDataJSON": text(&made["client_data"]), "attestationObject": text(&made["attestation_object"]) });
        let registration = Registration::check(&answer(response), &rp, &hex(&made["challenge"]));
        assert_eq!(registration.as_ref().err().map(|why| why.reason()), made["refused"].as_str(), "{name}");

        // The key alone, whatever becomes of the rest.
        let object = cbor::only(&hex(&made["attestation_object"])).expect("an attestation object");
        let data = object.named("authData").and_then(Value::bytes).expect("what the authenticator says");
        let rest = &data[37 + 16 + 2 + hex(&vector["credential_id"]).len()..];
        let (key, behind) = cbor::first(rest).expect("a key");
        let cose = &rest[..rest.len() - behind.len()];
        let both = super::signed(&hex(&signed["authenticator_data"]), &hex(&signed["client_data"]));
        let key = PublicKey::parse(&key).expect("a key that is asked for");
        assert!(key.has_signed(&both, &hex(&signed["signature"])), "{name}");
        assert!(!key.has_signed(&both[1..], &hex(&signed["signature"])), "{name}");

        let response = json!({
            "clientDataJSON": text(&signed["client_data"]),
            "authenticatorData": text(&signed["authenticator_data"]),
            "signature": text(&signed["signature"]),
        });
        let known = Known { cose, backup_eligible: vector["backup_eligible"] == true };
        let assertion = Assertion::read(&answer(response)).expect("an assertion");
        let checked = assertion.check(&known, &rp, &hex(&signed["challenge"]));
        assert_eq!(checked.err().map(|why| why.reason()), signed["refused"].as_str(), "{name}");
    }
}

/// So that the fuzzer begins behind the first checks.
#[test]
fn the_seeds_of_the_fuzzer_are_right_but_for_a_signature() {
    let seed = |name: &str| {
        let path = format!("{}/../fuzz/seeds/passkey/{name}", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_slice(&std::fs::read(path).expect("a seed")).expect("JSON")
    };
    let (rp, challenge, cose) = of_seeds();
    let made = Registration::check(&seed("registration.json"), &rp, &challenge).expect("fine");
    assert_eq!(made.cose, cose);
    let known = Known { cose: &cose, backup_eligible: made.backup_eligible };
    let assertion = Assertion::read(&seed("assertion.json")).expect("fine");
    assert_eq!(assertion.check(&known, &rp, &challenge), Err(Refusal::Signature));
}

#[test]
fn client_data_may_begin_with_a_byte_order_mark() {
    let (rp, challenge, _) = of_seeds();
    let said = json!({ "type": "webauthn.get", "challenge": base64url(challenge), "origin": "http://localhost" });
    check_client_data(format!("\u{feff}{said}").as_bytes(), "webauthn.get", &rp, &challenge).expect("fine");
    let twice = said.to_string().replacen('{', "{\"origin\":\"http://evil.example\",", 1);
    assert!(matches!(check_client_data(twice.as_bytes(), "webauthn.get", &rp, &challenge), Err(Refusal::Malformed(_))));
}
