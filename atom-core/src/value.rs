//! Values whose inside is not ours: a provider's JSON, a file's bytes.

use crate::{Error, ErrorKind, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Error as _, Visitor};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// Any JSON value, kept as the provider sent it: a `dict` in Python, a plain value in JavaScript, JSON text on mobile.
///
/// ```
/// let raw = atom_core::Json(serde_json::json!({ "starred": true }));
/// assert_eq!(raw.0["starred"], true);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(pub Value);

/// A record as JSON.
pub(crate) fn written(record: &impl Serialize) -> Result<Value> {
    serde_json::to_value(record).map_err(|e| Error::internal("record", "a record cannot be written as JSON").with_source(e))
}

/// A provider's own record, word for word: a `dict` in Python, a plain value in JavaScript, JSON text on mobile.
///
/// It is kept as text and read when somebody looks at it, so records that nobody looks into cost nothing, and no digit of a number is lost.
///
/// ```
/// let raw = atom_core::RawRecord::new(&serde_json::json!({ "starred": true }));
/// assert_eq!(raw.json()?["starred"], true);
/// # Ok::<(), atom_core::Error>(())
/// ```
#[derive(Clone)]
pub struct RawRecord(Box<str>);

impl RawRecord {
    /// By this name a deserializer knows that the text itself is wanted.
    pub(crate) const NAME: &str = "atom::RawRecord";

    /// The record that a value is.
    pub fn new(value: &Value) -> Self {
        Self(value.to_string().into())
    }

    /// The text, as the provider wrote it.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// What it says.
    ///
    /// Fails with `provider` (`answer_malformed`) where the text is more than JSON values can hold here: nested more than 127 deep, a number
    /// beyond a double, half a surrogate pair. [`text`](Self::text) has it still.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.0).map_err(|e| {
            let text = "the provider's record is nested too deep, or has a number or a text that cannot be held: read its text";
            Error::new(ErrorKind::Provider, "answer_malformed", text).with_source(e)
        })
    }
}

/// By what they say, where both can be read.
impl PartialEq for RawRecord {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || matches!((self.json(), other.json()), (Ok(a), Ok(b)) if a == b)
    }
}

impl std::fmt::Debug for RawRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RawRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        <&RawValue>::deserialize(&mut serde_json::Deserializer::from_str(&self.0))
            .map_err(S::Error::custom)?
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RawRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = RawRecord;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a record")
            }

            fn visit_str<E>(self, text: &str) -> std::result::Result<RawRecord, E> {
                Ok(RawRecord(text.into()))
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<RawRecord, D::Error> {
                Value::deserialize(deserializer).map(|value| RawRecord::new(&value))
            }
        }

        deserializer.deserialize_newtype_struct(Self::NAME, Text)
    }
}

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
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
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
