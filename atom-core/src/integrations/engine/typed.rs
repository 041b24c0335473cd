//! A vendor's record as one of our types, deserialized from where it stands.
//!
//! What our record holds is copied once, and the vendor's own record is moved into `raw`, so a list costs little more than its parsing.

use crate::providers::{Field, Reading, Record, Vars};
use serde::de::value::{MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde_json::{Error, Value};

/// A record that is about to be ours: its fields, then `provider`, then `raw`.
pub(super) struct Typed<'r> {
    fields: Box<dyn Iterator<Item = (&'r str, &'r Field)> + 'r>,
    next: Option<Next<'r>>,
    provider: Option<&'r str>,
    vendor: Option<Value>,
    /// What was given, and what is known of the account.
    given: &'r Vars,
}

/// The value after the name.
enum Next<'r> {
    /// It stands in the vendor's record.
    Field(&'r Field),
    Made(Value),
    Provider(&'r str),
    Raw,
}

impl<'r> Typed<'r> {
    pub(super) fn new(record: Option<&'r Record>, provider: &'r str, vendor: Value, given: &'r Vars) -> Self {
        let fields = Box::new(record.into_iter().flat_map(Record::fields));
        Self { fields, next: None, provider: Some(provider), vendor: Some(vendor), given }
    }

    fn advance(&mut self) -> Option<&'r str> {
        let vendor = self.vendor.as_ref()?;
        for (name, field) in self.fields.by_ref() {
            self.next = match field.read(vendor, self.given) {
                None => continue,
                Some(Reading::Same(_)) => Some(Next::Field(field)),
                Some(Reading::Made(value)) => Some(Next::Made(value)),
            };
            return Some(name);
        }
        let (name, next) = match self.provider.take() {
            Some(provider) => ("provider", Next::Provider(provider)),
            None => ("raw", Next::Raw),
        };
        self.next = Some(next);
        Some(name)
    }
}

impl<'de> Deserializer<'de> for Typed<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for Typed<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.advance().map(|name| seed.deserialize(StrDeserializer::<Error>::new(name))).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        match self.next.take() {
            Some(Next::Made(value)) => seed.deserialize(value),
            Some(Next::Provider(provider)) => seed.deserialize(StrDeserializer::<Error>::new(provider)),
            Some(Next::Field(field)) => match self.vendor.as_ref().and_then(|vendor| field.read(vendor, self.given)) {
                Some(Reading::Same(value)) => seed.deserialize(Copied(value)),
                Some(Reading::Made(value)) => seed.deserialize(value),
                None => seed.deserialize(Value::Null),
            },
            Some(Next::Raw) | None => seed.deserialize(self.vendor.take().unwrap_or_default()),
        }
    }
}

/// A value that outlives nobody: what is wanted of it is copied.
struct Copied<'v>(&'v Value);

impl<'de> IntoDeserializer<'de, Error> for Copied<'_> {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Copied<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(*flag),
            Value::Number(number) => number.deserialize_any(visitor),
            Value::String(text) => visitor.visit_str(text),
            Value::Array(items) => SeqDeserializer::new(items.iter().map(Copied)).deserialize_any(visitor),
            Value::Object(members) => {
                MapDeserializer::new(members.iter().map(|(name, value)| (name.as_str(), Copied(value)))).deserialize_any(visitor)
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::String(text) => StrDeserializer::new(text).deserialize_enum(name, variants, visitor),
            other => other.clone().deserialize_enum(name, variants, visitor),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map
        struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum State {
        Open,
        #[serde(other)]
        Other,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Task {
        id: String,
        provider: String,
        title: Option<String>,
        size: Option<f64>,
        state: State,
        #[serde(default)]
        tags: Vec<String>,
        extra: Option<crate::Json>,
        raw: crate::Json,
    }

    #[test]
    fn a_record_is_read_by_its_table_and_keeps_the_vendors_own() {
        let table: Record = toml::from_str(
            "id = \"gid\"\ntitle = \"name\"\nsize = \"n\"\nstate = { path = \"s\", enum = { o = \"open\" } }\ntags = \"tags\"\nextra = \"x\"",
        )
        .expect("a table");
        let vendor = json!({"gid": "1", "n": 3, "s": "o", "tags": ["a"], "x": {"deep": [1, {"a": null}]}, "more": true});
        let task = Task::deserialize(Typed::new(Some(&table), "stage", vendor.clone(), &Vars::new())).expect("a task");
        assert_eq!((task.id.as_str(), task.provider.as_str(), task.title, task.size), ("1", "stage", None, Some(3.0)));
        assert_eq!((task.state, task.tags, task.raw.0), (State::Open, vec!["a".to_owned()], vendor.clone()));
        assert_eq!(task.extra, Some(crate::Json(vendor["x"].clone())));
        let odd =
            Task::deserialize(Typed::new(Some(&table), "stage", json!({"gid": "1", "s": "?"}), &Vars::new())).expect("a task");
        assert_eq!(odd.state, State::Other);
        assert!(Task::deserialize(Typed::new(Some(&table), "stage", json!({"gid": 1, "s": "o"}), &Vars::new())).is_err());
    }
}
