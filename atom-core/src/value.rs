//! Values whose inside is not ours: a provider's JSON, a file's bytes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Any JSON value, kept as the provider sent it: a `dict` in Python, a plain value in JavaScript, JSON text on mobile.
///
/// ```
/// let raw = atom_core::Json(serde_json::json!({ "starred": true }));
/// assert_eq!(raw.0["starred"], true);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(pub serde_json::Value);

/// The bytes of a file: `bytes` in Python, a `Buffer` in Node, `ByteArray` in Kotlin, `Data` in Swift.
///
/// ```
/// let content = atom_core::Bytes::from("hello".as_bytes());
/// assert_eq!(content.0.len(), 5);
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct Bytes(pub Vec<u8>);

/// In JSON, bytes are standard base64.
impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        STANDARD.decode(String::deserialize(deserializer)?).map(Self).map_err(D::Error::custom)
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bytes({} bytes)", self.0.len())
    }
}
