//! What a page hands to `PublicKeyCredential.parseCreationOptionsFromJSON` and `parseRequestOptionsFromJSON`.

use super::base64url;
use super::public_key::ALGORITHMS;
use super::relying_party::RelyingParty;
use super::store::Descriptor;
use crate::accounts::User;
use serde_json::{Value, json};

/// How long the browser waits for its user, in milliseconds.
const TIMEOUT: i64 = 300_000;

/// For a new passkey, on none of the authenticators that have one of the user's.
pub(super) fn creation(
    rp: &RelyingParty,
    app_name: &str,
    user: &User,
    handle: &[u8],
    challenge: &[u8],
    existing: &[Descriptor],
) -> Value {
    let algorithms = ALGORITHMS.map(|alg| json!({ "type": "public-key", "alg": alg }));
    json!({
        "rp": { "id": rp.id, "name": app_name },
        "user": {
            "id": base64url(handle),
            "name": user.email,
            "displayName": user.display_name.as_deref().unwrap_or(&user.email),
        },
        "challenge": base64url(challenge),
        "pubKeyCredParams": algorithms,
        "timeout": TIMEOUT,
        "excludeCredentials": descriptors(existing),
        // One that its authenticator finds by itself, so that it is enough to sign in.
        "authenticatorSelection": { "residentKey": "required", "requireResidentKey": true, "userVerification": "required" },
        "attestation": "none",
        "extensions": { "credProps": true },
    })
}

/// For a signature by one of these passkeys, or by any if none are named.
pub(super) fn request(rp: &RelyingParty, challenge: &[u8], allowed: &[Descriptor]) -> Value {
    json!({
        "challenge": base64url(challenge),
        "timeout": TIMEOUT,
        "rpId": rp.id,
        "allowCredentials": descriptors(allowed),
        "userVerification": "required",
    })
}

fn descriptors(passkeys: &[Descriptor]) -> Vec<Value> {
    let one =
        |passkey: &Descriptor| json!({ "type": "public-key", "id": passkey.credential_id, "transports": passkey.transports.0 });
    passkeys.iter().map(one).collect()
}
