//! The vendor's records as ours, without copying more than ours hold.

use super::call::Call;
use super::send::Answered;
use crate::providers::Reading;
use crate::{Error, ErrorKind, Result};
use serde::de::value::MapDeserializer;
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde_json::{Map, Value};

/// What a page holds.
pub(super) struct Items {
    pub(super) items: Vec<Value>,
    pub(super) next_cursor: Option<String>,
}

impl Call<'_> {
    /// Takes the items out of an answer, and finds the next page.
    pub(super) fn take_items(&self, answer: &mut Answered) -> Result<Items> {
        let taken = self.operation.items.as_ref().and_then(|path| path.take(&mut answer.document));
        let mut items = match taken {
            Some(Value::Array(items)) => items,
            None => Vec::new(),
            Some(_) => return Err(self.malformed("something that is no list where its items stand")),
        };
        let next_cursor = self.next_cursor(&answer.document, &answer.headers, &items)?;
        if let Some(condition) = &self.operation.items_where {
            items.retain(|item| condition.holds(item));
        }
        Ok(Items { items, next_cursor })
    }

    /// Takes the one record out of an answer.
    pub(super) fn take_item(&self, mut document: Value) -> Result<Value> {
        let Some(path) = &self.operation.item else { return Ok(document) };
        let taken = match path.take(&mut document) {
            Some(Value::Array(items)) => items.into_iter().next(),
            taken => taken,
        };
        taken.ok_or_else(|| {
            let manifest = self.manifest();
            let text = format!("{} answered `{}` without a record: the account has no such thing", manifest.title, self.operation.vendor_op);
            Error::new(ErrorKind::NotFound, "not_found_at_provider", text).with_provider(&manifest.name)
        })
    }

    /// The id of a record, by which another operation reads it.
    pub(super) fn id_of(&self, vendor: &Value) -> Option<Value> {
        match self.record() {
            Some(table) => table.read_one("id", vendor).map(Reading::into_value),
            None => vendor.get("id").cloned().or_else(|| Some(vendor.clone()).filter(Value::is_string)),
        }
    }

    /// What a record has under `text`.
    pub(super) fn text_of(&self, vendor: &Value) -> Option<String> {
        match self.record()?.read_one("text", vendor)?.into_value() {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The vendor's record as ours, with the vendor's own beside it.
    pub(super) fn typed<T: DeserializeOwned>(&self, vendor: Value) -> Result<T> {
        let provider = Value::from(self.manifest().name.as_str());
        let read = self.record().into_iter().flat_map(|table| table.read(&vendor)).map(|(name, value)| (name, Field(value)));
        let ours = [("provider", Field(Reading::Same(&provider))), ("raw", Field(Reading::Same(&vendor)))];
        let record = T::deserialize(MapDeserializer::<_, serde_json::Error>::new(read.chain(ours)));
        record.map_err(|e| self.malformed(&format!("a record that does not fit: {e}")))
    }

    /// The same for whoever does not know its type.
    pub(super) fn untyped(&self, vendor: Value) -> Value {
        let read = self.record().into_iter().flat_map(|table| table.read(&vendor));
        let mut ours: Map<String, Value> = read.map(|(name, value)| (name.to_owned(), value.into_value())).collect();
        ours.insert("provider".into(), self.manifest().name.as_str().into());
        ours.insert("raw".into(), vendor);
        Value::Object(ours)
    }
}

/// A value that is deserialized from where it stands.
struct Field<'v>(Reading<'v>);

impl<'de> IntoDeserializer<'de, serde_json::Error> for Field<'de> {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

/// Whatever the record asks for is what `serde_json` gives for the value.
macro_rules! forward {
    ($($method:ident($($arg:ident: $kind:ty),*);)+) => {
        $(fn $method<V: Visitor<'de>>(self, $($arg: $kind,)* visitor: V) -> Result<V::Value, serde_json::Error> {
            match self.0 {
                Reading::Same(value) => value.$method($($arg,)* visitor),
                Reading::Made(value) => value.$method($($arg,)* visitor),
            }
        })+
    };
}

impl<'de> Deserializer<'de> for Field<'de> {
    type Error = serde_json::Error;

    forward! {
        deserialize_any();
        deserialize_option();
        deserialize_newtype_struct(name: &'static str);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_f64();
        deserialize_f32();
        deserialize_i64();
        deserialize_i32();
        deserialize_u64();
        deserialize_u32();
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i128 u8 u16 u128 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }
}
