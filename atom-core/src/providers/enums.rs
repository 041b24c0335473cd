//! Tables of values: the vendor's on the left, ours on the right.

use super::template::as_text;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The tables of a service, by name.
pub(crate) type Enums = BTreeMap<String, Arc<EnumTable>>;

/// What a vendor's value is read as where the table does not know it, and has no row `*` that says so.
const OTHER: &str = "other";
const ANY: &str = "*";

/// A table in the order in which it is written: of several vendor values for one of ours, the first is written.
#[derive(Clone, Debug)]
pub(crate) struct EnumTable {
    rows: Vec<(Value, Value)>,
    other: Value,
}

impl EnumTable {
    /// Our value for the vendor's.
    pub(super) fn read(&self, vendor: &Value) -> Option<&Value> {
        let text = as_text(vendor)?;
        let row = self.rows.iter().find(|(known, _)| known == vendor || as_text(known).is_some_and(|known| known == text));
        Some(row.map_or(&self.other, |(_, ours)| ours))
    }

    /// The vendor's value for ours.
    pub(super) fn write(&self, ours: &Value) -> Option<Value> {
        self.rows.iter().find(|(_, known)| known == ours).map(|(vendor, _)| vendor.clone())
    }
}

impl<'de> Deserialize<'de> for EnumTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rows;
        impl<'de> Visitor<'de> for Rows {
            type Value = Vec<(String, String)>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of the vendor's values and ours")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut rows = Vec::new();
                while let Some(row) = map.next_entry()? {
                    rows.push(row);
                }
                Ok(rows)
            }
        }
        let mut rows = deserializer.deserialize_map(Rows)?;
        let any = rows.iter().position(|(vendor, _)| vendor == ANY).map(|at| rows.remove(at).1);
        if rows.is_empty() {
            return Err(D::Error::custom("a table has at least one row"));
        }
        // Keys are texts in TOML; a vendor whose values are numbers or yes and no wants them as such.
        let numbers = rows.iter().all(|(vendor, _)| vendor.parse::<i64>().is_ok());
        let flags = rows.iter().all(|(vendor, _)| matches!(vendor.as_str(), "true" | "false"));
        let vendor = |text: String| match text.parse::<i64>() {
            Ok(number) if numbers => number.into(),
            _ if flags => (text == "true").into(),
            _ => Value::String(text),
        };
        let rows = rows.into_iter().map(|(theirs, ours)| (vendor(theirs), Value::String(ours))).collect();
        Ok(Self { rows, other: any.unwrap_or_else(|| OTHER.to_owned()).into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn table(text: &str) -> EnumTable {
        toml::from_str(text).expect("a table")
    }

    #[test]
    fn the_first_of_several_vendor_values_is_written_and_an_unknown_one_reads_as_other() {
        let states = table("todo = \"open\"\nbacklog = \"open\"\nclosed = \"done\"");
        assert_eq!(states.read(&json!("backlog")), Some(&json!("open")));
        assert_eq!(states.read(&json!("new")), Some(&json!("other")));
        assert_eq!(table("won = \"won\"\n\"*\" = \"open\"").read(&json!("new")), Some(&json!("open")));
        assert_eq!(states.write(&json!("open")), Some(json!("todo")));
        assert_eq!(states.write(&json!("on_hold")), None);
    }

    #[test]
    fn numbers_and_flags_are_written_as_such() {
        let priorities = table("0 = \"none\"\n1 = \"urgent\"");
        assert_eq!((priorities.write(&json!("urgent")), priorities.read(&json!(1))), (Some(json!(1)), Some(&json!("urgent"))));
        let done = table("true = \"done\"\nfalse = \"open\"");
        assert_eq!((done.write(&json!("open")), done.read(&json!(true))), (Some(json!(false)), Some(&json!("done"))));
    }
}
