//! A browser and a device with one passkey, for scenarios in every language.

use crate::crypto::{base64url, from_base64url, random};
use crate::{Error, Json, Result};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, PoisonError};

/// The user was there, and the device knew them.
const FLAGS: u8 = 0b101;
/// There is a new credential.
const HAS_CREDENTIAL: u8 = 0b100_0000;

/// The device.
#[derive(Clone, Default)]
pub(super) struct Device(Arc<Mutex<Option<Passkey>>>);

struct Passkey {
    key: Ed25519KeyPair,
    id: [u8; 32],
    user_handle: Value,
    count: u32,
}

impl Device {
    /// Makes its passkey, instead of one that was before.
    pub(super) fn create(&self, options: &Json) -> Result<Json> {
        let rp_id = text(&options.0["rp"]["id"])?;
        let seed = random::<32>()?;
        let key = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| unusable())?;
        let passkey = Passkey { key, id: random()?, user_handle: options.0["user"]["id"].clone(), count: 0 };
        let cose = [&[0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 32][..], passkey.key.public_key().as_ref()].concat();
        let credential = [&[0; 16][..], &[0, 32], &passkey.id, &cose].concat();
        let data = [passkey.said(rp_id, HAS_CREDENTIAL), credential].concat();
        let length = u8::try_from(data.len()).map_err(|_| unusable())?;
        let object = [&b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58"[..], &[length], &data].concat();
        let response = json!({
            "clientDataJSON": client_data("webauthn.create", rp_id, &options.0),
            "attestationObject": base64url(object),
            "transports": ["internal"],
        });
        let answer = passkey.answer(&response);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(passkey);
        Ok(answer)
    }

    /// Signs with it.
    pub(super) fn get(&self, options: &Json) -> Result<Json> {
        let rp_id = text(&options.0["rpId"])?;
        let mut passkey = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let passkey = passkey.as_mut().ok_or_else(|| Error::not_found("passkey"))?;
        passkey.count += 1;
        let (data, page) = (passkey.said(rp_id, 0), client_data("webauthn.get", rp_id, &options.0));
        let hash = Sha256::digest(from_base64url(&page).unwrap_or_default());
        let signature = passkey.key.sign(&[&data[..], &hash].concat());
        let response = json!({
            "clientDataJSON": page,
            "authenticatorData": base64url(data),
            "signature": base64url(signature),
            "userHandle": passkey.user_handle,
        });
        Ok(passkey.answer(&response))
    }
}

impl Passkey {
    fn said(&self, rp_id: &str, flags: u8) -> Vec<u8> {
        [&Sha256::digest(rp_id)[..], &[FLAGS | flags], &self.count.to_be_bytes()].concat()
    }

    fn answer(&self, response: &Value) -> Json {
        let id = base64url(self.id);
        Json(json!({ "id": id, "rawId": id, "type": "public-key", "clientExtensionResults": {}, "response": response }))
    }
}

fn client_data(kind: &str, rp_id: &str, options: &Value) -> String {
    let page = json!({ "type": kind, "challenge": options["challenge"], "origin": format!("https://{rp_id}") });
    base64url(page.to_string())
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().ok_or_else(|| Error::invalid("malformed_options", "a passkey is made or used with the options of a challenge"))
}

fn unusable() -> Error {
    Error::internal("passkey", "the passkey cannot be made")
}
