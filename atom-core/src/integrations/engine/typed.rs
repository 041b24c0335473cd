//! A vendor's record as one of our types, deserialized from its text.
//!
//! A field that is a member of the vendor's record goes from the text into our type; values are made only of what is put together or translated.
//! So a list costs little more than its parsing.

use super::text::Vendor;
use crate::RawRecord;
use crate::providers::{Field, Reading, Record, Vars};
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, IntoDeserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Error, Map, Value};
use std::cell::Cell;
use std::fmt;

/// How records of one type are read: which members are looked at, and what is made of which.
pub(super) struct Plan<'r> {
    members: Vec<&'r str>,
    fields: Vec<(&'r str, Source<'r>)>,
    /// The members that values are made of.
    composed: Vec<usize>,
    /// Some field is made of the record as a whole.
    whole: bool,
    provider: &'r str,
    /// What was given, and what is known of the account.
    given: &'r Vars,
    /// The field that is being read, for whoever has to say which one did not fit.
    at: Cell<&'r str>,
}

#[derive(Clone, Copy)]
enum Source<'r> {
    /// The member stands for itself.
    Member(usize),
    Made(&'r Field),
}

impl<'r> Plan<'r> {
    pub(super) fn new(record: Option<&'r Record>, provider: &'r str, given: &'r Vars) -> Self {
        let at = Cell::new("raw");
        let mut plan = Self { members: Vec::new(), fields: Vec::new(), composed: Vec::new(), whole: false, provider, given, at };
        for (name, field) in record.into_iter().flat_map(Record::fields) {
            if let Some(key) = field.plain_key() {
                let member = plan.member(key);
                plan.fields.push((name, Source::Member(member)));
                continue;
            }
            plan.fields.push((name, Source::Made(field)));
            match field.keys() {
                Some(keys) => {
                    for key in keys {
                        let member = plan.member(key);
                        if !plan.composed.contains(&member) {
                            plan.composed.push(member);
                        }
                    }
                }
                None => plan.whole = true,
            }
        }
        plan
    }

    fn member(&mut self, key: &'r str) -> usize {
        self.members.iter().position(|known| *known == key).unwrap_or_else(|| {
            self.members.push(key);
            self.members.len() - 1
        })
    }

    /// The field that was read last.
    pub(super) fn field(&self) -> &'r str {
        self.at.get()
    }

    /// A record that is about to be ours: its fields, then `provider`, then `raw`.
    pub(super) fn read<'p>(&'p self, vendor: &'p Vendor) -> Result<Typed<'p, 'r>, Error> {
        let text = vendor.get();
        let mut found = vec![None; self.members.len()];
        let is_object = text.starts_with('{');
        if is_object {
            serde_json::Deserializer::from_str(text).deserialize_map(Members { plan: self, found: &mut found })?;
        }
        let made = if self.whole || !is_object {
            serde_json::from_str(text)?
        } else {
            let member = |at: &usize| Some((self.members[*at].to_owned(), found[*at]?));
            let members = self.composed.iter().filter_map(member);
            Value::Object(
                members.map(|(key, text)| Ok((key, serde_json::from_str(text)?))).collect::<Result<Map<_, _>, Error>>()?,
            )
        };
        Ok(Typed { plan: self, fields: self.fields.iter(), found, made, vendor, next: None, stage: Stage::Fields })
    }
}

/// Finds the members that are looked at.
struct Members<'f, 'p, 'r> {
    plan: &'p Plan<'r>,
    found: &'f mut Vec<Option<&'p str>>,
}

impl<'p> Visitor<'p> for Members<'_, 'p, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'p>>(self, mut members: A) -> Result<(), A::Error> {
        // Vendors keep to an order, so the next member is mostly the one after the last.
        let mut next = 0;
        while let Some(at) = members.next_key_seed(Key { known: &self.plan.members, next })? {
            let Some(at) = at else {
                members.next_value::<IgnoredAny>()?;
                continue;
            };
            next = at + 1;
            let text = members.next_value::<&RawValue>()?.get();
            self.found[at] = (text != "null").then_some(text);
        }
        Ok(())
    }
}

struct Key<'k> {
    known: &'k [&'k str],
    next: usize,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, key: &str) -> Result<Option<usize>, E> {
        if self.known.get(self.next) == Some(&key) {
            return Ok(Some(self.next));
        }
        Ok(self.known.iter().position(|known| *known == key))
    }
}

/// A record on its way.
pub(super) struct Typed<'p, 'r> {
    plan: &'p Plan<'r>,
    fields: std::slice::Iter<'p, (&'r str, Source<'r>)>,
    /// The texts of the members.
    found: Vec<Option<&'p str>>,
    /// What values are made of.
    made: Value,
    vendor: &'p Vendor,
    next: Option<Next<'p>>,
    stage: Stage,
}

enum Stage {
    Fields,
    Provider,
    Raw,
    End,
}

/// The value after the name.
enum Next<'p> {
    Text(&'p str),
    Made(Value),
    Provider,
    Raw,
}

impl<'p, 'r> Typed<'p, 'r> {
    fn advance(&mut self) -> Option<&'r str> {
        let (name, next) = match self.stage {
            Stage::Fields => {
                for (name, source) in self.fields.by_ref() {
                    let next = match source {
                        Source::Member(at) => self.found[*at].map(Next::Text),
                        Source::Made(field) => field.read(&self.made, self.plan.given).map(Reading::into_value).map(Next::Made),
                    };
                    if next.is_some() {
                        self.next = next;
                        self.plan.at.set(name);
                        return Some(name);
                    }
                }
                self.stage = Stage::Provider;
                return self.advance();
            }
            Stage::Provider => {
                self.stage = Stage::Raw;
                ("provider", Next::Provider)
            }
            Stage::Raw => {
                self.stage = Stage::End;
                ("raw", Next::Raw)
            }
            Stage::End => return None,
        };
        self.next = Some(next);
        Some(name)
    }
}

impl<'de> Deserializer<'de> for Typed<'de, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// The vendor's words for a [`RawRecord`], which were read before and need not be again.
struct Verbatim<'p>(&'p str);

impl<'de> Deserializer<'de> for Verbatim<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        serde_json::Deserializer::from_str(self.0).deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        if name == RawRecord::NAME { visitor.visit_str(self.0) } else { visitor.visit_newtype_struct(self) }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

impl<'p> MapAccess<'p> for Typed<'p, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'p>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.advance().map(|name| seed.deserialize(StrDeserializer::<Error>::new(name))).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'p>>(&mut self, seed: V) -> Result<V::Value, Error> {
        match self.next.take() {
            Some(Next::Text(text)) => seed.deserialize(&mut serde_json::Deserializer::from_str(text)),
            Some(Next::Made(value)) => seed.deserialize(value),
            Some(Next::Provider) => seed.deserialize(self.plan.provider.into_deserializer()),
            Some(Next::Raw) => seed.deserialize(Verbatim(self.vendor.get())),
            None => seed.deserialize(Value::Null),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

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
        raw: RawRecord,
    }

    fn task(table: &Record, vendor: &str) -> Result<Task, String> {
        let (given, vendor) = (Vars::new(), RawValue::from_string(vendor.to_owned()).expect("JSON"));
        let plan = Plan::new(Some(table), "stage", &given);
        plan.read(&vendor).and_then(Task::deserialize).map_err(|_| plan.field().to_owned())
    }

    #[test]
    fn a_record_is_read_by_its_table_and_keeps_the_vendors_own_word_for_word() {
        let table: Record = toml::from_str(
            "id = \"gid\"\ntitle = \"name\"\nsize = \"n\"\nstate = { path = \"s\", enum = { o = \"open\" } }\ntags = \"tags\"\nextra = \"x\"",
        )
        .expect("a table");
        let vendor =
            r#"{"gid": "1", "n": 3, "s": "o", "more": 1.10, "name": null, "tags": ["a"], "x": {"deep": [1, {"a": null}]}}"#;
        let read = task(&table, vendor).expect("a task");
        assert_eq!((read.id.as_str(), read.provider.as_str(), read.title, read.size), ("1", "stage", None, Some(3.0)));
        assert_eq!((read.state, read.tags, read.raw.text()), (State::Open, vec!["a".to_owned()], vendor));
        assert_eq!(read.extra, Some(crate::Json(serde_json::json!({"deep": [1, {"a": null}]}))));
        assert_eq!(task(&table, r#"{"gid": "1", "s": "?"}"#).expect("a task").state, State::Other);
    }

    #[test]
    fn a_record_that_does_not_fit_is_refused_by_the_name_of_its_field() {
        let table: Record = toml::from_str("id = \"gid\"\nstate = { path = \"s\", enum = { o = \"open\" } }").expect("a table");
        assert_eq!(task(&table, r#"{"gid": 1, "s": "o"}"#), Err("id".to_owned()));
        assert!(task(&table, "[]").is_err() && task(&table, "7").is_err());
    }
}
