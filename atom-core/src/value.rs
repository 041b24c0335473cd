//! Values whose inside is not ours: a provider's JSON, a file's bytes.

use serde::{Deserialize, Serialize};

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
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub Vec<u8>);

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
