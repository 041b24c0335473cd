//! Both directions of one field.

use super::{Field, How, Piece};
use crate::providers::path::Path;
use crate::providers::template::{Vars, as_text};
use serde_json::{Map, Value};

/// What a field holds: the vendor's own value, or one that was made of it.
pub(crate) enum Reading<'v> {
    Same(&'v Value),
    Made(Value),
}

impl Reading<'_> {
    pub(crate) fn into_value(self) -> Value {
        match self {
            Self::Same(value) => value.clone(),
            Self::Made(value) => value,
        }
    }
}

impl Field {
    /// What stands there, as ours.
    pub(crate) fn read<'v>(&'v self, vendor: &'v Value, given: &Vars) -> Option<Reading<'v>> {
        if self.write_only {
            return None;
        }
        let value = self.paths.iter().find_map(|path| path.get(vendor));
        let read = self.how.read(value, vendor, given).or(self.default.as_ref().map(Reading::Same))?;
        match read {
            Reading::Same(Value::Array(_)) | Reading::Made(Value::Array(_)) => Some(read),
            _ if self.list => Some(Reading::Made(Value::Array(vec![read.into_value()]))),
            _ => Some(read),
        }
    }

    /// Writes our value into the vendor's record.
    pub(super) fn put(&self, ours: &Value, path: &Path, vendor: &mut Value, given: &Vars) -> Option<()> {
        let ours = match ours {
            Value::Array(items) if self.list => {
                // The vendor has one where we have several.
                if items.len() > 1 {
                    return None;
                }
                items.first().unwrap_or(&Value::Null)
            }
            _ => ours,
        };
        if ours.is_null() {
            path.set(vendor, Value::Null);
            return Some(());
        }
        if let How::Money(money) = &self.how {
            return money.put(ours, path, vendor, given);
        }
        path.set(vendor, self.how.write(ours)?);
        Some(())
    }
}

impl How {
    fn read<'v>(&'v self, value: Option<&'v Value>, vendor: &'v Value, given: &Vars) -> Option<Reading<'v>> {
        Some(Reading::Made(match self {
            Self::Plain => return value.map(Reading::Same),
            Self::Enum(table) => return table.read(value?).map(Reading::Same),
            Self::Transform(transform) => transform.read(value?)?,
            Self::Named(_) => return None,
            Self::Equals { value: known, .. } => (value == Some(known)).into(),
            Self::NotEquals { value: known, .. } => value.is_some_and(|value| value != known).into(),
            Self::Exists(expected) => (value.is_some() == *expected).into(),
            Self::Contains(text) => {
                let items = value.and_then(Value::as_array);
                items.is_some_and(|items| items.iter().any(|item| item.as_str() == Some(text))).into()
            }
            Self::After(prefix) => as_text(value?)?.strip_prefix(prefix.as_str())?.into(),
            Self::Money(money) => money.read(value?, vendor, given)?,
            Self::Each(record) => {
                let one = |item: &Value| -> Value {
                    Value::Object(record.read(item, given).map(|(name, value)| (name.to_owned(), value.into_value())).collect())
                };
                match value? {
                    Value::Array(items) => Value::Array(items.iter().map(one).collect()),
                    item => one(item),
                }
            }
            Self::EachValue(path) => Value::Array(value?.as_array()?.iter().filter_map(|item| path.get(item)).cloned().collect()),
            Self::Template(pieces) => {
                let part = |piece: &Piece| match piece {
                    Piece::Text(text) => Some(text.clone()),
                    Piece::Place(path) => as_text(path.get(vendor)?),
                    Piece::Input(name) => as_text(given.get(name)?),
                };
                pieces.iter().map(part).collect::<Option<String>>()?.into()
            }
        }))
    }

    fn write(&self, ours: &Value) -> Option<Value> {
        match self {
            Self::Plain => Some(ours.clone()),
            Self::Transform(transform) => transform.write(ours),
            Self::Enum(table) => table.write(ours),
            Self::Equals { value, otherwise } => flag(ours.as_bool()?, value, otherwise.as_ref()),
            Self::NotEquals { value, otherwise } => flag(!ours.as_bool()?, value, otherwise.as_ref()),
            Self::After(prefix) => Some(format!("{prefix}{}", as_text(ours)?).into()),
            Self::Each(record) => match ours {
                Value::Array(items) => {
                    let items = items.iter().filter_map(Value::as_object).map(|item| record.write(item).ok());
                    items.collect::<Option<Vec<_>>>().map(Value::Array)
                }
                Value::Object(item) => record.write(item).ok(),
                _ => None,
            },
            Self::EachValue(path) => {
                let one = |value: &Value| {
                    let mut item = Value::Object(Map::new());
                    path.set(&mut item, value.clone());
                    item
                };
                Some(Value::Array(ours.as_array()?.iter().map(one).collect()))
            }
            Self::Named(_) | Self::Exists(_) | Self::Contains(_) | Self::Money(_) | Self::Template(_) => None,
        }
    }
}

/// What a yes or a no writes. The vendor's own yes and no need no other word.
fn flag(is_value: bool, value: &Value, otherwise: Option<&Value>) -> Option<Value> {
    match (is_value, value) {
        (true, _) => Some(value.clone()),
        (false, Value::Bool(flag)) => Some((!flag).into()),
        (false, _) => otherwise.cloned(),
    }
}
