//! A vendor's record as one of our types, deserialized from its text.
//!
//! A field that is a member of the vendor's record goes from the text into our type as it is read; values are made only of what is put together or
//! translated. So a list costs little more than its parsing.

use crate::RawRecord;
use crate::providers::{Field, Record, Vars};
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Error, Map, Value};
use std::cell::Cell;
use std::fmt;

/// How records of one type are read: which members are looked at, and what is made of which.
pub(super) struct Plan<'r> {
    members: Vec<Member<'r>>,
    /// The fields that are put together or translated.
    made: Vec<(&'r str, &'r Field)>,
    /// Some field is made of the record as a whole.
    whole: bool,
    /// Whose records they are; nobody's where they are parts of others.
    provider: Option<&'r str>,
    /// What was given, and what is known of the account.
    given: &'r Vars,
    /// The field that is being read, for whoever has to say which one did not fit.
    at: Cell<&'r str>,
    /// How many records have been begun.
    begun: Cell<usize>,
    /// The member that came first the last time: vendors keep to an order.
    first: Cell<usize>,
}

/// What a member of the vendor's record is looked at for.
struct Member<'r> {
    key: &'r str,
    /// What is read of it straight.
    straight: Option<Straight<'r>>,
    /// Something else needs it, too.
    is_kept: bool,
    /// The last record that had it, by its number.
    seen_in: Cell<usize>,
    /// The member that came after it the last time.
    next: Cell<usize>,
}

struct Straight<'r> {
    field: &'r str,
    /// The first element of the list there is meant.
    first: bool,
    parts: Option<Plan<'r>>,
}

impl<'r> Plan<'r> {
    /// For the records of a provider.
    pub(super) fn new(record: Option<&'r Record>, provider: &'r str, given: &'r Vars) -> Self {
        Self { provider: Some(provider), ..Self::of(record, given) }
    }

    fn of(record: Option<&'r Record>, given: &'r Vars) -> Self {
        let (at, begun, first) = (Cell::new("raw"), Cell::new(0), Cell::new(0));
        let mut plan = Self { members: Vec::new(), made: Vec::new(), whole: false, provider: None, given, at, begun, first };
        for (name, field) in record.into_iter().flat_map(Record::fields) {
            if let Some(found) = field.straight() {
                let member = plan.member(found.key);
                if member.straight.is_none() {
                    let parts = found.parts.map(|record| Plan::of(Some(record), given));
                    member.straight = Some(Straight { field: name, first: found.first, parts });
                    continue;
                }
            }
            plan.made.push((name, field));
            match field.keys() {
                Some(keys) => keys.into_iter().for_each(|key| plan.member(key).is_kept = true),
                None => plan.whole = true,
            }
        }
        plan
    }

    fn member(&mut self, key: &'r str) -> &mut Member<'r> {
        let at = self.members.iter().position(|known| known.key == key).unwrap_or_else(|| {
            let (seen_in, next) = (Cell::new(0), Cell::new(self.members.len() + 1));
            self.members.push(Member { key, straight: None, is_kept: false, seen_in, next });
            self.members.len() - 1
        });
        &mut self.members[at]
    }

    /// The field that was read last.
    pub(super) fn field(&self) -> &'r str {
        self.at.get()
    }

    /// A record that is about to be ours: its fields, then `provider`, then `raw`.
    pub(super) fn read<'p>(&'p self, vendor: &'p str) -> Typed<'p, 'r> {
        Typed { plan: self, text: vendor }
    }
}

/// A record on its way.
pub(super) struct Typed<'p, 'r> {
    plan: &'p Plan<'r>,
    text: &'p str,
}

impl<'de> Deserializer<'de> for Typed<'de, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Self { plan, text } = self;
        if plan.provider.is_none() && text.starts_with('[') {
            return serde_json::Deserializer::from_str(text).deserialize_seq(Parts { plan, visitor });
        }
        let object = if text.starts_with('{') { text } else { "{}" };
        serde_json::Deserializer::from_str(object).deserialize_map(Translator { plan, text, visitor })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// Shows a list of parts to its visitor.
struct Parts<'p, 'r, S> {
    plan: &'p Plan<'r>,
    visitor: S,
}

impl<'p, V: Visitor<'p>> Visitor<'p> for Parts<'p, '_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'p>>(self, elements: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_seq(Parts { plan: self.plan, visitor: elements })
    }
}

impl<'p, A: SeqAccess<'p>> SeqAccess<'p> for Parts<'p, '_, A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'p>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        let Some(text) = self.visitor.next_element::<&RawValue>()? else { return Ok(None) };
        seed.deserialize(Typed { plan: self.plan, text: text.get() }).map(Some).map_err(A::Error::custom)
    }
}

/// Shows the vendor's object to the visitor of our type.
struct Translator<'p, 'r, V> {
    plan: &'p Plan<'r>,
    text: &'p str,
    visitor: V,
}

impl<'p, V: Visitor<'p>> Visitor<'p> for Translator<'p, '_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'p>>(self, members: A) -> Result<V::Value, A::Error> {
        let Self { plan, text, visitor } = self;
        let number = plan.begun.get() + 1;
        plan.begun.set(number);
        let source = Source::Members { members, expected: &plan.first, number, kept: Map::new() };
        visitor.visit_map(Translated { plan, text, source, next: Next::Member })
    }
}

/// Our record's members, in the order in which they can be told.
struct Translated<'p, 'r, A> {
    plan: &'p Plan<'r>,
    text: &'p str,
    source: Source<'p, 'r, A>,
    next: Next<'p, 'r>,
}

/// Where the next one comes from.
enum Source<'p, 'r, A> {
    Members {
        members: A,
        /// The member that is expected next.
        expected: &'p Cell<usize>,
        /// The record's.
        number: usize,
        kept: Map<String, Value>,
    },
    Made {
        fields: std::slice::Iter<'p, (&'r str, &'r Field)>,
        of: Value,
    },
    Raw,
    End,
}

/// The value after the name.
enum Next<'p, 'r> {
    /// The one that comes next in the vendor's record.
    Member,
    Text(&'p str),
    Parts(Typed<'p, 'r>),
    Made(Value),
    Provider(&'r str),
    Raw,
}

impl<'p, 'r, A: MapAccess<'p>> Translated<'p, 'r, A> {
    /// The next field, whose value is `next`.
    fn advance(&mut self) -> Result<Option<&'r str>, A::Error> {
        loop {
            match &mut self.source {
                Source::Members { members, expected, number, kept } => {
                    let Some(Name { member, is_null }) =
                        members.next_key_seed(Names { plan: self.plan, text: self.text, expected })?
                    else {
                        let of = Value::Object(std::mem::take(kept));
                        let is_enough = !self.plan.whole && self.text.starts_with('{');
                        let of = if is_enough { of } else { serde_json::from_str(self.text).map_err(A::Error::custom)? };
                        self.source = Source::Made { fields: self.plan.made.iter(), of };
                        continue;
                    };
                    // A name that comes twice means its first value, and a null the same as nothing.
                    let wanted =
                        member.filter(|at| is_null != Some(true) && self.plan.members[*at].seen_in.replace(*number) != *number);
                    let Some(at) = wanted else {
                        members.next_value::<IgnoredAny>()?;
                        continue;
                    };
                    let Member { key, straight, is_kept, next, .. } = &self.plan.members[at];
                    *expected = next;
                    self.next = Next::Member;
                    let is_direct = straight.as_ref().is_some_and(|straight| !straight.first && straight.parts.is_none());
                    if *is_kept || !is_direct || is_null.is_none() {
                        let mut text = members.next_value::<&RawValue>()?.get();
                        if text == "null" {
                            continue;
                        }
                        if *is_kept {
                            kept.insert((*key).to_owned(), serde_json::from_str(text).map_err(A::Error::custom)?);
                        }
                        if straight.as_ref().is_some_and(|straight| straight.first) {
                            let Some(first) = first_of(text).map_err(A::Error::custom)? else { continue };
                            text = first;
                        }
                        let parts = straight.as_ref().and_then(|straight| straight.parts.as_ref());
                        self.next = parts.map_or(Next::Text(text), |plan| Next::Parts(Typed { plan, text }));
                    }
                    if let Some(straight) = straight {
                        return Ok(Some(straight.field));
                    }
                }
                Source::Made { fields, of } => {
                    let mut found = fields.filter_map(|(name, field)| Some((*name, field.read(of, self.plan.given)?)));
                    if let Some((name, reading)) = found.next() {
                        self.next = Next::Made(reading.into_value());
                        return Ok(Some(name));
                    }
                    let Some(provider) = self.plan.provider else {
                        self.source = Source::End;
                        continue;
                    };
                    self.source = Source::Raw;
                    self.next = Next::Provider(provider);
                    return Ok(Some("provider"));
                }
                Source::Raw => {
                    self.source = Source::End;
                    self.next = Next::Raw;
                    return Ok(Some("raw"));
                }
                Source::End => return Ok(None),
            }
        }
    }
}

impl<'p, A: MapAccess<'p>> MapAccess<'p> for Translated<'p, '_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'p>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        let Some(name) = self.advance()? else { return Ok(None) };
        self.plan.at.set(name);
        seed.deserialize(StrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'p>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        match (std::mem::replace(&mut self.next, Next::Member), &mut self.source) {
            (Next::Member, Source::Members { members, .. }) => members.next_value_seed(seed),
            (Next::Member, _) => Err(A::Error::custom("a value before its name")),
            (Next::Text(text), _) => seed.deserialize(&mut serde_json::Deserializer::from_str(text)).map_err(A::Error::custom),
            (Next::Parts(parts), _) => seed.deserialize(parts).map_err(A::Error::custom),
            (Next::Made(value), _) => seed.deserialize(value).map_err(A::Error::custom),
            (Next::Provider(name), _) => seed.deserialize(name.into_deserializer()),
            (Next::Raw, _) => seed.deserialize(Verbatim(self.text)).map_err(A::Error::custom),
        }
    }
}

/// The first element of a list, if there is one.
fn first_of(text: &str) -> Result<Option<&str>, Error> {
    let Some(elements) = text.strip_prefix('[').map(str::trim_ascii_start).filter(|elements| !elements.starts_with(']')) else {
        return Ok(None);
    };
    // The list was read before, so what stands behind its first element need not be looked at again.
    let first = serde_json::Deserializer::from_str(elements).into_iter::<&RawValue>().next().transpose()?;
    Ok(first.map(RawValue::get).filter(|first| *first != "null"))
}

/// Reads a name of the vendor's.
struct Names<'p, 'r> {
    plan: &'p Plan<'r>,
    text: &'p str,
    expected: &'p Cell<usize>,
}

impl Names<'_, '_> {
    fn member(&self, name: &str) -> Option<usize> {
        let (members, expected) = (&self.plan.members, self.expected.get());
        if members.get(expected).is_some_and(|member| member.key == name) {
            return Some(expected);
        }
        let at = members.iter().position(|member| member.key == name)?;
        self.expected.set(at);
        Some(at)
    }
}

/// A name that was read.
struct Name {
    /// Which of the members that are looked at.
    member: Option<usize>,
    /// Whether `null` follows, as far as that can be told.
    is_null: Option<bool>,
}

impl<'p> DeserializeSeed<'p> for Names<'p, '_> {
    type Value = Name;

    fn deserialize<D: Deserializer<'p>>(self, deserializer: D) -> Result<Name, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<'p> Visitor<'p> for Names<'p, '_> {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'p str) -> Result<Name, E> {
        // It stands in the record's text, so what follows its quotation mark can be seen.
        let end = (name.as_ptr() as usize).checked_sub(self.text.as_ptr() as usize).map(|start| start + name.len() + 1);
        let rest = end.and_then(|end| self.text.as_bytes().get(end..));
        let value = rest.and_then(|rest| rest.iter().find(|byte| !byte.is_ascii_whitespace() && **byte != b':'));
        Ok(Name { member: self.member(name), is_null: value.map(|first| *first == b'n') })
    }

    fn visit_str<E>(self, name: &str) -> Result<Name, E> {
        Ok(Name { member: self.member(name), is_null: None })
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

#[cfg(test)]
#[path = "typed_tests.rs"]
mod tests;
