//! An authenticator with one passkey, and the browser around it: written from the specification (WebAuthn Level 3), and able to do what neither may.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
    RsaPublicKeyComponents,
};
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) const PRESENT: u8 = 1;
pub(crate) const VERIFIED: u8 = 4;
pub(crate) const BACKUP_ELIGIBLE: u8 = 8;
pub(crate) const BACKED_UP: u8 = 16;
const HAS_CREDENTIAL: u8 = 64;
const HAS_EXTENSIONS: u8 = 128;

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn decode(text: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap()
}

/// The private half of a passkey.
pub(crate) enum Key {
    EdDsa(Ed25519KeyPair),
    Es256(EcdsaKeyPair),
    Rs256(Box<RsaKeyPair>),
}

impl Key {
    pub(crate) fn ed_dsa() -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::EdDsa(Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap())
    }

    pub(crate) fn es256() -> Self {
        let (algorithm, random) = (&ECDSA_P256_SHA256_ASN1_SIGNING, SystemRandom::new());
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self::Es256(EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap())
    }

    pub(crate) fn rs256() -> Self {
        let pem = include_str!("../../src/testing/service_account.pem");
        let document: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        Self::Rs256(Box::new(RsaKeyPair::from_pkcs8(&STANDARD.decode(document).unwrap()).unwrap()))
    }

    pub(crate) fn algorithm(&self) -> i64 {
        match self {
            Self::EdDsa(_) => -8,
            Self::Es256(_) => -7,
            Self::Rs256(_) => -257,
        }
    }

    /// The public half in COSE.
    fn cose(&self) -> Vec<u8> {
        match self {
            Self::EdDsa(key) => [&[0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21][..], &bytes(key.public_key().as_ref())].concat(),
            Self::Es256(key) => {
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                [&[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21][..], &bytes(x), &[0x22], &bytes(y)].concat()
            }
            Self::Rs256(key) => {
                let RsaPublicKeyComponents { n, e } = RsaPublicKeyComponents::<Vec<u8>>::from(key.public());
                [&[0xa4, 1, 3, 3, 0x39, 1, 0, 0x20][..], &bytes(&n), &[0x21], &bytes(&e)].concat()
            }
        }
    }

    pub(crate) fn sign(&self, what: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::EdDsa(key) => key.sign(what).as_ref().to_vec(),
            Self::Es256(key) => key.sign(&random, what).unwrap().as_ref().to_vec(),
            Self::Rs256(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, what, &mut signature).unwrap();
                signature
            }
        }
    }
}

/// A byte string in CBOR.
pub(crate) fn bytes(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap();
    let head = match length {
        0..24 => vec![0x40 + u8::try_from(length).unwrap()],
        24..256 => vec![0x58, u8::try_from(length).unwrap()],
        _ => [&[0x59][..], &length.to_be_bytes()].concat(),
    };
    [&head[..], content].concat()
}

/// A text in CBOR, of less than 24 bytes.
fn text(content: &str) -> Vec<u8> {
    [&[0x60 + u8::try_from(content.len()).unwrap()][..], content.as_bytes()].concat()
}

/// A map in CBOR, with values that are CBOR already.
pub(crate) fn map(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let entries_of = |(name, value): &(&str, Vec<u8>)| [text(name), value.clone()].concat();
    let head = vec![0xa0 + u8::try_from(entries.len()).unwrap()];
    std::iter::once(head).chain(entries.iter().map(entries_of)).collect::<Vec<_>>().concat()
}

/// A small number below zero, as algorithms are, in CBOR.
pub(crate) fn negative(number: i64) -> Vec<u8> {
    vec![0x20 + u8::try_from(-1 - number).unwrap()]
}

/// The format and the statement of an attestation, by the new key and what it is to sign.
pub(crate) type Attest = fn(&Key, &[u8]) -> (&'static str, Vec<u8>);

fn no_attestation(_: &Key, _: &[u8]) -> (&'static str, Vec<u8>) {
    ("none", map(&[]))
}

#[derive(Clone)]
pub(crate) struct Authenticator {
    pub(crate) key: Arc<Key>,
    pub(crate) id: Vec<u8>,
    /// How it knows its user, once it has a passkey.
    pub(crate) handle: Option<Vec<u8>>,
    /// How often it has signed; none if it does not count.
    pub(crate) count: Option<u32>,
    pub(crate) flags: u8,
    pub(crate) rp_id: String,
    pub(crate) origin: String,
    /// What the browser says instead, where it says something else.
    pub(crate) client_data: Value,
    /// The public half, where it is said to be something else.
    pub(crate) cose: Option<Vec<u8>>,
    pub(crate) attest: Attest,
}

impl Authenticator {
    pub(crate) fn new(key: Key) -> Self {
        Self {
            key: Arc::new(key),
            id: uuid::Uuid::new_v4().as_bytes().repeat(2),
            handle: None,
            count: Some(0),
            flags: PRESENT | VERIFIED,
            rp_id: "acme.example".into(),
            origin: "https://acme.example".into(),
            client_data: json!({}),
            cose: None,
            attest: no_attestation,
        }
    }

    /// `navigator.credentials.create`, and `toJSON` of what it gives.
    pub(crate) fn create(&mut self, options: &Value) -> Value {
        self.handle = Some(decode(&options["user"]["id"]));
        let cose = self.cose.clone().unwrap_or_else(|| self.key.cose());
        let credential = [&[7; 16][..], &u16::try_from(self.id.len()).unwrap().to_be_bytes(), &self.id, &cose].concat();
        let extensions = [&[0xa1][..], &text("credProtect"), &[2]].concat();
        let data = self.data(HAS_CREDENTIAL | HAS_EXTENSIONS, &[credential, extensions].concat());
        let said = self.said("webauthn.create", options);
        let (format, statement) = (self.attest)(&self.key, &[&data, digest(&SHA256, &said).as_ref()].concat());
        let object = map(&[("fmt", text(format)), ("attStmt", statement), ("authData", bytes(&data))]);
        json!({
            "id": encode(&self.id), "rawId": encode(&self.id), "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": { "credProps": { "rk": true } },
            "response": {
                "clientDataJSON": encode(said),
                "attestationObject": encode(object),
                "authenticatorData": encode(&data),
                "transports": ["internal", "hybrid", "quantum"],
                "publicKeyAlgorithm": self.key.algorithm(),
            },
        })
    }

    /// `navigator.credentials.get`, and `toJSON` of what it gives.
    pub(crate) fn get(&mut self, options: &Value) -> Value {
        self.count = self.count.map(|count| count + 1);
        let (data, said) = (self.data(0, &[]), self.said("webauthn.get", options));
        let signature = self.key.sign(&[&data, digest(&SHA256, &said).as_ref()].concat());
        json!({
            "id": encode(&self.id), "rawId": encode(&self.id), "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encode(said),
                "authenticatorData": encode(data),
                "signature": encode(signature),
                "userHandle": self.handle.as_ref().map(encode),
            },
        })
    }

    fn data(&self, flags: u8, rest: &[u8]) -> Vec<u8> {
        let count = self.count.unwrap_or_default().to_be_bytes();
        [digest(&SHA256, self.rp_id.as_bytes()).as_ref(), &[self.flags | flags], &count, rest].concat()
    }

    fn said(&self, kind: &str, options: &Value) -> Vec<u8> {
        let mut said = json!({
            "type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": false,
            "other_keys_can_be_added_here": "do not compare clientDataJSON against a template",
        });
        for (name, value) in self.client_data.as_object().unwrap() {
            said[name] = value.clone();
        }
        said.to_string().into_bytes()
    }
}
