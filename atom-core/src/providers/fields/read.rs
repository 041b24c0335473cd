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
        self.read_in(vendor, None, given)
    }

    /// The same in a part of another record.
    pub(super) fn read_in<'v>(&'v self, vendor: &'v Value, around: Option<&Value>, given: &Vars) -> Option<Reading<'v>> {
        if self.write_only {
            return None;
        }
        let value = self.paths.iter().find_map(|path| path.get(vendor));
        let is_meant = |record: &Value| self.only.iter().all(|(path, known)| path.get(record) == Some(known));
        let read = match (&self.how, value) {
            (How::Each(record), Some(value)) => {
                let one = |item: &Value| record.read_part(item, vendor, given);
                Some(Reading::Made(match value {
                    Value::Array(items) => items.iter().filter(|item| is_meant(item)).map(one).collect(),
                    item if is_meant(item) => one(item),
                    _ => return None,
                }))
            }
            (How::EachValue(path), Some(Value::Array(items))) => Some(Reading::Made(
                items.iter().filter(|item| is_meant(item)).filter_map(|item| path.get(item)).cloned().collect(),
            )),
            (How::Each(_) | How::EachValue(_), _) => None,
            _ if !is_meant(vendor) => return None,
            _ => self.how.read(value, vendor, around, given),
        };
        let read = read.or(self.default.as_ref().map(Reading::Same))?;
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
        if !matches!(self.how, How::Each(_) | How::EachValue(_)) {
            self.mark(vendor);
        }
        if let How::Money(money) = &self.how {
            return money.put(ours, path, vendor, given);
        }
        let mut written = self.how.write(ours)?;
        if let How::Each(record) = &self.how {
            let items = if let Value::Array(items) = ours { items.as_slice() } else { std::slice::from_ref(ours) };
            for (name, money) in record.amounts() {
                items.iter().filter_map(|item| item.get(name)).try_for_each(|amount| money.agree(amount, vendor, given))?;
            }
        }
        if matches!(self.how, How::Each(_) | How::EachValue(_)) {
            match &mut written {
                Value::Array(items) => items.iter_mut().for_each(|item| self.mark(item)),
                item => self.mark(item),
            }
        }
        path.set(vendor, written);
        Some(())
    }

    /// Writes what makes a record one that is meant.
    fn mark(&self, vendor: &mut Value) {
        self.only.iter().for_each(|(path, known)| path.set(vendor, known.clone()));
    }
}

impl How {
    fn read<'v>(
        &'v self,
        value: Option<&'v Value>,
        vendor: &'v Value,
        around: Option<&Value>,
        given: &Vars,
    ) -> Option<Reading<'v>> {
        Some(Reading::Made(match self {
            Self::Plain => return value.map(Reading::Same),
            Self::Enum(table) => return table.read(value?).map(Reading::Same),
            Self::Transform(transform) => transform.read(value?)?,
            Self::Named(_) | Self::Each(_) | Self::EachValue(_) => return None,
            Self::Equals { value: known, .. } => (value == Some(known)).into(),
            Self::NotEquals { value: known, .. } => value.is_some_and(|value| value != known).into(),
            Self::Exists(expected) => (value.is_some() == *expected).into(),
            Self::Contains(text) => {
                let items = value.and_then(Value::as_array);
                items.is_some_and(|items| items.iter().any(|item| item.as_str() == Some(text))).into()
            }
            Self::After(prefix) => as_text(value?)?.strip_prefix(prefix.as_str())?.into(),
            Self::Money(money) => money.read(value?, vendor, around, given)?,
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
                    let items = items.iter().filter_map(Value::as_object).map(|item| record.write_part(item));
                    items.collect::<Option<Vec<_>>>().map(Value::Array)
                }
                Value::Object(item) => record.write_part(item),
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
