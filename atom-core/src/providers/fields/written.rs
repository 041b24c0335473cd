//! How a field is written in a manifest: a path, or a table.

use super::money::{Amount, Money};
use super::{Field, How, Piece, Record};
use crate::providers::enums::EnumTable;
use crate::providers::path::Path;
use crate::providers::transform::Transform;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor, value::MapAccessDeserializer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    path: Option<Path>,
    first: Option<Vec<Path>>,
    template: Option<String>,
    #[serde(rename = "as")]
    transform: Option<Transform>,
    #[serde(rename = "enum")]
    table: Option<EnumName>,
    equals: Option<Value>,
    not_equals: Option<Value>,
    otherwise: Option<Value>,
    exists: Option<bool>,
    contains: Option<String>,
    after: Option<String>,
    money: Option<Amount>,
    currency: Option<Path>,
    currency_of: Option<Path>,
    currency_is: Option<String>,
    currency_fact: Option<String>,
    currency_as: Option<Transform>,
    each: Option<Record>,
    each_value: Option<Path>,
    only: Option<BTreeMap<Path, Value>>,
    default: Option<Value>,
    #[serde(default)]
    list: bool,
    write: Option<Path>,
    #[serde(default)]
    read_only: bool,
    #[serde(default)]
    write_only: bool,
}

/// A table, or the name of one of the service's.
enum EnumName {
    Table(EnumTable),
    Name(String),
}

impl<'de> Deserialize<'de> for EnumName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = EnumName;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of values, or the name of one in `enums`")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<EnumName, E> {
                Ok(EnumName::Name(text.to_owned()))
            }
            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<EnumName, M::Error> {
                EnumTable::deserialize(MapAccessDeserializer::new(map)).map(EnumName::Table)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Field;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path, or a table with `path` and a way to read it")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Field, E> {
                let path = Path::parse(text).map_err(E::custom)?;
                let write = Some(path.clone()).filter(Path::is_writable);
                let only = Vec::new();
                Ok(Field { paths: vec![path], write, how: How::Plain, only, default: None, list: false, write_only: false })
            }
            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Field, M::Error> {
                Table::deserialize(MapAccessDeserializer::new(map))?.into_field().map_err(M::Error::custom)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl Table {
    fn into_field(self) -> Result<Field, String> {
        let mut ways = Vec::new();
        ways.extend(self.transform.map(How::Transform));
        ways.extend(self.table.map(|table| match table {
            EnumName::Table(table) => How::Enum(Arc::new(table)),
            EnumName::Name(name) => How::Named(name),
        }));
        let has_equals = self.equals.is_some() || self.not_equals.is_some();
        if self.otherwise.is_some() && !has_equals {
            return Err("`otherwise` stands beside `equals` or `not_equals`".into());
        }
        ways.extend(self.equals.map(|value| How::Equals { value, otherwise: self.otherwise.clone() }));
        ways.extend(self.not_equals.map(|value| How::NotEquals { value, otherwise: self.otherwise }));
        ways.extend(self.exists.map(How::Exists));
        ways.extend(self.contains.map(How::Contains));
        ways.extend(self.after.map(How::After));
        ways.extend(self.each.map(How::Each));
        ways.extend(self.each_value.map(How::EachValue));
        let is_somewhere = [&self.currency, &self.currency_of].iter().any(|path| path.is_some())
            || [&self.currency_is, &self.currency_fact].iter().any(|text| text.is_some());
        match self.money {
            None if self.currency_as.is_none() && !is_somewhere => {}
            Some(amount) if is_somewhere => ways.push(How::Money(Money {
                amount,
                currency: self.currency,
                currency_of: self.currency_of,
                fixed: self.currency_is,
                fact: self.currency_fact,
                currency_as: self.currency_as,
            })),
            _ => {
                return Err(
                    "`money` stands with `currency`, `currency_of`, `currency_is` or `currency_fact`, and they with it".into()
                );
            }
        }
        let is_template = self.template.is_some();
        if let Some(text) = &self.template {
            ways.push(How::Template(pieces(text)?));
        }
        if ways.len() > 1 {
            let text = "give one of `as`, `enum`, `equals`, `not_equals`, `exists`, `contains`, `after`, `money`, `each`, `each_value`, `template`";
            return Err(text.into());
        }
        let paths = match (self.path, self.first) {
            (Some(path), None) if !is_template => vec![path],
            (None, Some(first)) if !is_template && !first.is_empty() => first,
            (None, None) if is_template => vec![Path::default()],
            _ => return Err("say where it stands: one of `path`, `first`, `template`".into()),
        };
        let how = ways.pop().unwrap_or(How::Plain);
        let is_readable_only = self.read_only || matches!(how, How::Exists(_) | How::Contains(_) | How::Template(_));
        if is_readable_only && (self.write_only || self.write.is_some()) {
            return Err("what is read only is not written".into());
        }
        let write = self.write.or_else(|| paths.first().cloned()).filter(|path| path.is_writable() && !is_readable_only);
        if self.write_only && write.is_none() {
            return Err("only a path of keys can be written".into());
        }
        let only: Vec<_> = self.only.into_iter().flatten().collect();
        if only.iter().any(|(path, _)| !path.is_writable()) {
            return Err("`only` names members".into());
        }
        Ok(Field { paths, write, how, only, default: self.default, list: self.list, write_only: self.write_only })
    }
}

/// `{id}/{parent.id}`: the paths in braces; `{$name}`: an input of the call.
fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while let Some((before, after)) = rest.split_once('{') {
        let (path, after) = after.split_once('}').ok_or_else(|| format!("`{text}` has a `{{` without its `}}`"))?;
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        pieces.push(match path.strip_prefix('$') {
            Some(input) => Piece::Input(input.to_owned()),
            None => Piece::Place(Path::parse(path)?),
        });
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Ok(pieces)
}
