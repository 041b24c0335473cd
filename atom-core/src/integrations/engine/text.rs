//! An answer, of which only what the engine asks about is read. Its records stay text until one of our types is made of them.

use crate::providers::Path;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Result, Value};
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A record in the vendor's words. It is a piece of its answer, so that a list is not copied before our types are made of it.
#[derive(Debug, Clone)]
pub(super) struct Vendor {
    answer: Arc<String>,
    at: Range<usize>,
}

impl Vendor {
    pub(super) fn get(&self) -> &str {
        &self.answer[self.at.clone()]
    }
}

impl From<Box<RawValue>> for Vendor {
    fn from(text: Box<RawValue>) -> Self {
        let text = Box::<str>::from(text).into_string();
        Self { at: 0..text.len(), answer: Arc::new(text) }
    }
}

impl Serialize for Vendor {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serde_json::from_str::<&RawValue>(self.get()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Vendor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self::from)
    }
}

impl Default for Vendor {
    fn default() -> Self {
        Box::<RawValue>::default().into()
    }
}

/// What is read of an answer.
#[derive(Default)]
pub(super) struct Document {
    /// All of it but the items, in whose place stands an empty list.
    pub(super) rest: Value,
    pub(super) items: Items,
}

/// What stands where the items of a list are expected.
#[derive(Default)]
pub(super) enum Items {
    #[default]
    None,
    List(Vec<Vendor>),
    /// A list that is part of the answer's text: where in it each of them stands.
    Pieces(Vec<Range<usize>>),
    Else,
}

/// The records that stand in an answer.
pub(super) fn pieces(answer: String, at: Vec<Range<usize>>) -> Vec<Vendor> {
    let answer = Arc::new(answer);
    at.into_iter().map(|at| Vendor { answer: Arc::clone(&answer), at }).collect()
}

/// Reads an answer whose items stand at a path.
pub(super) fn read(text: &str, path: &Path) -> Result<Document> {
    if let Some(keys) = path.keys() {
        let mut found = Items::None;
        let mut reader = serde_json::Deserializer::from_str(text);
        let rest = Split { text, keys: &keys, found: &mut found }.deserialize(&mut reader)?;
        reader.end()?;
        return Ok(Document { rest, items: found });
    }
    let mut rest = serde_json::from_str(text)?;
    let items = take(&mut rest, path)?;
    Ok(Document { rest, items })
}

/// Takes the items out of a document.
pub(super) fn take(document: &mut Value, path: &Path) -> Result<Items> {
    Ok(match path.take(document) {
        None => Items::None,
        Some(Value::Array(items)) => {
            Items::List(items.iter().map(|item| to_raw_value(item).map(Vendor::from)).collect::<Result<_>>()?)
        }
        Some(_) => Items::Else,
    })
}

/// A text that is one record.
pub(super) fn whole(text: &str) -> Result<Vendor> {
    serde_json::from_str::<Box<RawValue>>(text).map(Vendor::from)
}

/// The part of a text at a path; of a list there, the first element if that is asked for.
pub(super) fn part(text: &str, path: &Path, first: bool) -> Result<Option<Vendor>> {
    let found = match path.keys() {
        Some(keys) => {
            let mut found = None;
            let mut reader = serde_json::Deserializer::from_str(text);
            Find { keys: &keys, found: &mut found }.deserialize(&mut reader)?;
            found
        }
        None => path.get(&serde_json::from_str(text)?).map(to_raw_value).transpose()?,
    };
    let found = found.filter(|found| found.get() != "null");
    let found = match found {
        Some(list) if first && list.get().starts_with('[') => {
            serde_json::from_str::<Vec<Box<RawValue>>>(list.get())?.into_iter().next()
        }
        found => found,
    };
    Ok(found.map(Vendor::from))
}

/// Takes the items out on the way.
struct Split<'k, 't> {
    text: &'t str,
    keys: &'k [&'k str],
    found: &'k mut Items,
}

impl<'de> DeserializeSeed<'de> for Split<'_, 'de> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Split<'_, 'de> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> std::result::Result<Value, A::Error> {
        let Some((first, deeper)) = self.keys.split_first() else {
            *self.found = Items::Else;
            while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Value::Null);
        };
        let mut rest = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            let value = if key == **first {
                members.next_value_seed(Split { text: self.text, keys: deeper, found: &mut *self.found })?
            } else {
                members.next_value()?
            };
            rest.insert(key, value);
        }
        Ok(Value::Object(rest))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> std::result::Result<Value, A::Error> {
        if self.keys.is_empty() {
            let mut items = Vec::new();
            while let Some(item) = elements.next_element::<&RawValue>()? {
                let start = (item.get().as_ptr() as usize) - (self.text.as_ptr() as usize);
                items.push(start..start + item.get().len());
            }
            *self.found = Items::Pieces(items);
            return Ok(Value::Array(Vec::new()));
        }
        let mut rest = Vec::new();
        while let Some(element) = elements.next_element()? {
            rest.push(element);
        }
        Ok(Value::Array(rest))
    }

    fn visit_unit<E>(self) -> std::result::Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> std::result::Result<Value, E> {
        self.other(value)
    }

    fn visit_i64<E>(self, value: i64) -> std::result::Result<Value, E> {
        self.other(value)
    }

    fn visit_u64<E>(self, value: u64) -> std::result::Result<Value, E> {
        self.other(value)
    }

    fn visit_f64<E>(self, value: f64) -> std::result::Result<Value, E> {
        self.other(value)
    }

    fn visit_str<E>(self, value: &str) -> std::result::Result<Value, E> {
        self.other(value)
    }
}

impl Split<'_, '_> {
    fn other<E>(self, value: impl Into<Value>) -> std::result::Result<Value, E> {
        if self.keys.is_empty() {
            *self.found = Items::Else;
        }
        Ok(value.into())
    }
}

/// Looks for one part, and passes over everything else.
struct Find<'k> {
    keys: &'k [&'k str],
    found: &'k mut Option<Box<RawValue>>,
}

impl<'de> DeserializeSeed<'de> for Find<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<(), D::Error> {
        if self.keys.is_empty() {
            *self.found = Some(Deserialize::deserialize(deserializer)?);
            return Ok(());
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Find<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> std::result::Result<(), A::Error> {
        let Some((first, deeper)) = self.keys.split_first() else { return Ok(()) };
        while let Some(key) = members.next_key::<Cow<'_, str>>()? {
            if key == **first {
                *self.found = None;
                members.next_value_seed(Find { keys: deeper, found: &mut *self.found })?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> std::result::Result<(), A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_unit<E>(self) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> std::result::Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn path(text: &str) -> Path {
        Path::parse(text).expect("a path")
    }

    fn list(text: &str, items: Items) -> Option<Vec<Vendor>> {
        match items {
            Items::List(items) => Some(items),
            Items::Pieces(at) => Some(pieces(text.to_owned(), at)),
            Items::None | Items::Else => None,
        }
    }

    #[test]
    fn items_are_left_as_they_are_written_and_the_rest_is_read() {
        let text = r#"{"data": {"items": [ {"n": 1.10}, 2 ], "next": "x"}, "ok": true}"#;
        let Document { rest, items } = read(text, &path("data.items")).expect("JSON");
        let items = list(text, items).expect("a list");
        assert_eq!(rest, json!({"data": {"items": [], "next": "x"}, "ok": true}));
        assert_eq!(items.iter().map(Vendor::get).collect::<Vec<_>>(), [r#"{"n": 1.10}"#, "2"]);
        for (text, path_text) in [("[1]", ""), (r#"{"a": [{"b": [1]}]}"#, "a[0].b")] {
            let document = read(text, &path(path_text)).expect("JSON");
            assert!(list(text, document.items).is_some_and(|items| items.len() == 1), "{text}");
        }
    }

    #[test]
    fn what_is_no_list_is_told_from_what_is_not_there() {
        let items = |text: &str| read(text, &path("a.b")).expect("JSON").items;
        for text in [r#"{"a": {"b": {"c": 1}}}"#, r#"{"a": {"b": 1}}"#, r#"{"a": {"b": "x"}}"#] {
            assert!(matches!(items(text), Items::Else), "{text}");
        }
        for text in [r#"{"a": {"b": null}}"#, r#"{"a": 1}"#, "{}", "null", "[1]"] {
            assert!(matches!(items(text), Items::None), "{text}");
        }
        assert!(read("[1] 2", &path("")).is_err());
    }

    #[test]
    fn a_part_is_found_by_its_path() {
        let text = r#"{"a": {"b": [{"c": 1}, 2], "n": null}, "a2": 3}"#;
        let found = |path_text: &str, first| part(text, &path(path_text), first).expect("JSON").map(|part| part.get().to_owned());
        assert_eq!(found("a.b", true).as_deref(), Some(r#"{"c": 1}"#));
        assert_eq!(found("a.b", false).as_deref(), Some(r#"[{"c": 1}, 2]"#));
        assert_eq!(found("a.b[0].c", false).as_deref(), Some("1"));
        for missing in ["a.n", "a.x", "a2.b", "x"] {
            assert_eq!(found(missing, false), None, "{missing}");
        }
    }
}
