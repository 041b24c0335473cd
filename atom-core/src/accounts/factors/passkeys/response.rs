//! What a browser answers, as `PublicKeyCredential.toJSON` writes it, and what of it can be checked without the database
//! (WebAuthn Level 3, sections 7.1 and 7.2). The parts of an answer that repeat others are not looked at.

use super::authenticator_data::AuthenticatorData;
use super::cbor::{self, Value};
use super::public_key::PublicKey;
use super::relying_party::RelyingParty;
use super::{Checked, Refusal, base64url, from_base64url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The longest part of an answer, in characters: an attestation that was not asked for may have certificates.
const LONGEST: usize = 64 * 1024;

/// The transports that a browser may name.
const TRANSPORTS: [&str; 6] = ["ble", "hybrid", "internal", "nfc", "smart-card", "usb"];

/// A credential as JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<T> {
    id: String,
    raw_id: String,
    #[serde(rename = "type")]
    kind: String,
    response: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attestation {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    attestation_object: String,
    transports: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Signed {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    authenticator_data: String,
    signature: String,
    user_handle: Option<String>,
}

/// What the browser knows of the page that asked.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    cross_origin: Option<bool>,
    top_origin: Option<String>,
}

/// A passkey that was just made for a relying party, by the answer to a challenge.
pub(super) struct Registration {
    pub(super) credential_id: String,
    pub(super) cose: Vec<u8>,
    pub(super) sign_count: u32,
    pub(super) backup_eligible: bool,
    pub(super) transports: Vec<String>,
}

impl Registration {
    pub(super) fn check(answer: &serde_json::Value, rp: &RelyingParty, challenge: &[u8]) -> Checked<Self> {
        let answer: Answer<Attestation> = read(answer)?;
        let id = answer.id()?;
        let client_data = decode(&answer.response.client_data)?;
        check_client_data(&client_data, "webauthn.create", rp, challenge)?;
        let object = cbor::only(&decode(&answer.response.attestation_object)?)?;
        let said = object.named("authData").and_then(Value::bytes).ok_or("it lacks what the authenticator says")?;
        let data = AuthenticatorData::parse(said, &rp.id)?;
        let credential = data.credential.ok_or("it has no new credential")?;
        if credential.id != id {
            return Err("it has two ids".into());
        }
        let key = PublicKey::parse(&credential.public_key)?;
        check_attestation(&object, &key, &signed(said, &client_data))?;
        let known = |transport: &String| TRANSPORTS.contains(&transport.as_str());
        let mut transports: Vec<String> = answer.response.transports.into_iter().flatten().filter(known).collect();
        transports.sort();
        transports.dedup();
        Ok(Self {
            credential_id: base64url(&id),
            cose: credential.cose.to_vec(),
            sign_count: data.sign_count,
            backup_eligible: data.backup_eligible,
            transports,
        })
    }
}

/// A signature by a passkey that is yet to be looked up.
pub(super) struct Assertion {
    pub(super) credential_id: String,
    pub(super) user_handle: Option<Vec<u8>>,
    client_data: Vec<u8>,
    authenticator_data: Vec<u8>,
    signature: Vec<u8>,
}

/// What is stored of a passkey and compared with an assertion.
pub(super) struct Known<'a> {
    pub(super) cose: &'a [u8],
    pub(super) backup_eligible: bool,
}

impl Assertion {
    pub(super) fn read(answer: &serde_json::Value) -> Checked<Self> {
        let answer: Answer<Signed> = read(answer)?;
        let credential_id = base64url(answer.id()?);
        let Signed { client_data, authenticator_data, signature, user_handle } = answer.response;
        Ok(Self {
            credential_id,
            user_handle: user_handle.filter(|handle| !handle.is_empty()).map(|handle| decode(&handle)).transpose()?,
            client_data: decode(&client_data)?,
            authenticator_data: decode(&authenticator_data)?,
            signature: decode(&signature)?,
        })
    }

    /// Checks it for a known passkey, and returns how often that one says to have signed.
    pub(super) fn check(&self, known: &Known<'_>, rp: &RelyingParty, challenge: &[u8]) -> Checked<u32> {
        check_client_data(&self.client_data, "webauthn.get", rp, challenge)?;
        let data = AuthenticatorData::parse(&self.authenticator_data, &rp.id)?;
        if data.backup_eligible != known.backup_eligible {
            return Err(Refusal::Backups);
        }
        let key = PublicKey::parse(&cbor::only(known.cose)?)?;
        let signed = signed(&self.authenticator_data, &self.client_data);
        if key.has_signed(&signed, &self.signature) { Ok(data.sign_count) } else { Err(Refusal::Signature) }
    }
}

impl<T> Answer<T> {
    fn id(&self) -> Checked<Vec<u8>> {
        if self.kind != "public-key" {
            return Err("it is no public-key credential".into());
        }
        if self.id != self.raw_id {
            return Err("it has two ids".into());
        }
        decode(&self.id)
    }
}

fn read<T: DeserializeOwned>(answer: &serde_json::Value) -> Checked<T> {
    T::deserialize(answer).map_err(|_| "it is not what `PublicKeyCredential.toJSON` writes".into())
}

fn decode(text: &str) -> Checked<Vec<u8>> {
    let decoded = if text.len() <= LONGEST { from_base64url(text) } else { None };
    decoded.ok_or_else(|| "a part of it is no base64url, or too long".into())
}

/// What the authenticator has signed: what it says itself, and the hash of what the browser says.
fn signed(authenticator_data: &[u8], client_data: &[u8]) -> Vec<u8> {
    [authenticator_data, &Sha256::digest(client_data)].concat()
}

/// None was asked for, and browsers leave two kinds: none, and a signature by the new key itself. Any other names who made the authenticator, and a statement
/// that nobody checks must not look as if somebody had.
fn check_attestation(object: &Value, key: &PublicKey, signed: &[u8]) -> Checked<()> {
    let statement = object.named("attStmt").ok_or("it lacks the attestation statement")?;
    match object.named("fmt").and_then(Value::text) {
        Some("none") if *statement == Value::Map(Vec::new()) => Ok(()),
        Some("packed") if statement.named("x5c").is_none() => {
            if statement.named("alg").and_then(Value::integer) != Some(key.algorithm()) {
                return Err(Refusal::Algorithm);
            }
            let signature = statement.named("sig").and_then(Value::bytes).unwrap_or_default();
            if key.has_signed(signed, signature) { Ok(()) } else { Err(Refusal::Signature) }
        }
        _ => Err(Refusal::Attested),
    }
}

fn check_client_data(bytes: &[u8], kind: &str, rp: &RelyingParty, challenge: &[u8]) -> Checked<()> {
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let data: ClientData = serde_json::from_slice(text).map_err(|_| "what the browser says of the page cannot be read")?;
    if data.kind != kind {
        return Err(Refusal::Ceremony);
    }
    if !bool::from(data.challenge.as_bytes().ct_eq(base64url(challenge).as_bytes())) {
        return Err(Refusal::Challenge);
    }
    if !rp.origins.contains(&data.origin) {
        return Err(Refusal::Origin);
    }
    if data.cross_origin.unwrap_or(false) || data.top_origin.is_some() { Err(Refusal::Framed) } else { Ok(()) }
}

/// The id of the credential of the seeds of the fuzzer.
#[cfg(feature = "testing")]
const SEED_ID: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// The relying party of the seeds of the fuzzer, and a passkey of it.
#[cfg(any(test, feature = "testing"))]
fn of_seeds() -> (RelyingParty, [u8; 32], Vec<u8>) {
    let rp = RelyingParty { id: "localhost".into(), origins: vec!["http://localhost".into()] };
    let cose = [&[0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 0x20][..], &[0; 32]].concat();
    (rp, [0; 32], cose)
}

/// Takes any bytes for each part of an answer that comes from outside.
#[cfg(feature = "testing")]
pub(crate) fn fuzz(data: &[u8]) {
    use serde_json::json;

    let (rp, challenge, cose) = of_seeds();
    // Refused is as good as right.
    let _ = cbor::only(data).map(|value| PublicKey::parse(&value).map(|key| key.has_signed(data, data)));
    let _ = AuthenticatorData::parse(data, &rp.id);
    let _ = check_client_data(data, "webauthn.get", &rp, &challenge);
    let page = json!({ "type": "webauthn.create", "challenge": base64url(challenge), "origin": "http://localhost" });
    // As an attestation object, and as all of an answer.
    let id = base64url(SEED_ID);
    let response = json!({ "clientDataJSON": base64url(page.to_string()), "attestationObject": base64url(data) });
    let wrapped = json!({ "id": id, "rawId": id, "type": "public-key", "response": response });
    let answer = serde_json::from_slice(data).ok();
    for answer in [Some(&wrapped), answer.as_ref()].into_iter().flatten() {
        if let Ok(made) = Registration::check(answer, &rp, &challenge) {
            assert!(!made.credential_id.is_empty() && cbor::only(&made.cose).is_ok());
        }
    }
    let Some(answer) = answer else { return };
    let known = Known { cose: &cose, backup_eligible: false };
    let _ = Assertion::read(&answer).map(|assertion| assertion.check(&known, &rp, &challenge));
}

#[cfg(test)]
#[path = "response_tests.rs"]
mod tests;
