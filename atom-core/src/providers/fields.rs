//! Field tables: how a vendor's record becomes ours and ours theirs. One table serves both directions.

use super::path::Path;
use super::transform::Transform;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor, value::MapAccessDeserializer};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;

/// The fields of one record type of a provider: unified name on the left, vendor's place on the right.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Record(BTreeMap<String, Field>);

#[derive(Clone, Debug)]
struct Field {
    path: Path,
    how: How,
    read_only: bool,
}

#[derive(Clone, Debug)]
enum How {
    Plain,
    Transform(Transform),
    /// Vendor's value to ours.
    Enum(BTreeMap<String, String>),
    /// True where the vendor's value is this one.
    Equals(String),
    /// True where the vendor's list holds this one.
    Contains(String),
    /// A list of records.
    Each(Record),
}

/// As written: a path, or a table with a path and one way to read it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    path: Path,
    #[serde(rename = "as")]
    transform: Option<Transform>,
    #[serde(rename = "enum")]
    table: Option<BTreeMap<String, String>>,
    equals: Option<String>,
    contains: Option<String>,
    each: Option<Record>,
    #[serde(default)]
    read_only: bool,
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Field;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path, or a table with `path` and one of `as`, `enum`, `equals`, `contains`, `each`")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Field, E> {
                Ok(Field { path: Path::parse(text).map_err(E::custom)?, how: How::Plain, read_only: false })
            }
            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Field, M::Error> {
                let t = Table::deserialize(MapAccessDeserializer::new(map))?;
                let mut ways = Vec::new();
                ways.extend(t.transform.map(How::Transform));
                ways.extend(t.table.map(How::Enum));
                ways.extend(t.equals.map(How::Equals));
                ways.extend(t.contains.map(How::Contains));
                ways.extend(t.each.map(How::Each));
                if ways.len() > 1 {
                    return Err(serde::de::Error::custom("give one of `as`, `enum`, `equals`, `contains`, `each`"));
                }
                Ok(Field { path: t.path, how: ways.pop().unwrap_or(How::Plain), read_only: t.read_only })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl Record {
    /// Our record from the vendor's. Fields that the vendor left out are left out.
    pub(crate) fn read(&self, vendor: &Value) -> Map<String, Value> {
        self.0.iter().filter_map(|(name, field)| Some((name.clone(), field.read(vendor)?))).collect()
    }

    /// The vendor's record from ours: only the fields that are given.
    pub(crate) fn write(&self, ours: &Map<String, Value>) -> Value {
        let mut vendor = Value::Object(Map::new());
        for (name, field) in &self.0 {
            let value = ours.get(name).filter(|v| !v.is_null() && !field.read_only && field.path.is_writable());
            if let Some(value) = value.and_then(|v| field.write(v)) {
                field.path.set(&mut vendor, value);
            }
        }
        vendor
    }
}

impl Field {
    fn read(&self, vendor: &Value) -> Option<Value> {
        let value = self.path.get(vendor);
        match &self.how {
            How::Plain => value.cloned(),
            How::Transform(transform) => transform.read(value?),
            How::Enum(table) => table.get(value?.as_str()?).cloned().map(Value::String),
            How::Equals(text) => Some(Value::Bool(value.and_then(Value::as_str) == Some(text))),
            How::Contains(text) => {
                let items = value.and_then(Value::as_array);
                Some(Value::Bool(items.is_some_and(|items| items.iter().any(|i| i.as_str() == Some(text)))))
            }
            How::Each(record) => {
                Some(Value::Array(value?.as_array()?.iter().map(|item| Value::Object(record.read(item))).collect()))
            }
        }
    }

    fn write(&self, ours: &Value) -> Option<Value> {
        match &self.how {
            How::Plain => Some(ours.clone()),
            How::Transform(transform) => transform.write(ours),
            How::Enum(table) => {
                let ours = ours.as_str()?;
                table.iter().find(|(_, unified)| *unified == ours).map(|(vendor, _)| Value::String(vendor.clone()))
            }
            How::Equals(text) => ours.as_bool()?.then(|| Value::String(text.clone())),
            How::Contains(_) => None,
            How::Each(record) => {
                let items = ours.as_array()?.iter().filter_map(Value::as_object);
                Some(Value::Array(items.map(|item| record.write(item)).collect()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record(toml: &str) -> Record {
        toml::from_str(toml).expect("a field table")
    }

    #[test]
    fn one_table_reads_and_writes() {
        let table = record(
            r#"
            title = "summary"
            status = { path = "state.name", enum = { confirmed = "accepted", no = "declined" } }
            is_folder = { path = "mime", equals = "folder" }
            unread = { path = "labels", contains = "UNREAD" }
            people = { path = "attendees", each = { email = "email", name = "displayName" } }
            etag = { path = "etag", read_only = true }
            "#,
        );
        let vendor = json!({
            "summary": "Lunch", "state": {"name": "confirmed"}, "mime": "folder", "labels": ["UNREAD"],
            "attendees": [{"email": "a@x", "displayName": "A", "extra": 1}], "etag": "1"
        });
        let ours = table.read(&vendor);
        assert_eq!(
            Value::Object(ours.clone()),
            json!({"title": "Lunch", "status": "accepted", "is_folder": true, "unread": true, "people": [{"email": "a@x", "name": "A"}], "etag": "1"})
        );
        assert_eq!(
            table.write(&ours),
            json!({"summary": "Lunch", "state": {"name": "confirmed"}, "mime": "folder", "attendees": [{"email": "a@x", "displayName": "A"}]})
        );
    }

    #[test]
    fn two_ways_to_read_one_field_are_refused() {
        assert!(toml::from_str::<Record>(r#"a = { path = "a", equals = "x", contains = "y" }"#).is_err());
        assert!(toml::from_str::<Record>(r#"a = { path = "a", pth = "b" }"#).is_err());
    }
}
