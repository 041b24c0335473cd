//! The vendor's records as ours, without copying more than ours hold.

use super::call::Call;
use super::send::Answered;
use super::typed;
use crate::providers::Reading;
use crate::{Error, ErrorKind, Result};
use serde::de::DeserializeOwned;
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
        if let Some(path) = &self.operation.item {
            items = items.iter_mut().filter_map(|item| path.take(item)).collect();
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
            let text = format!(
                "{} answered `{}` without a record: the account has no such thing",
                manifest.title, self.operation.vendor_op
            );
            Error::new(ErrorKind::NotFound, "not_found_at_provider", text).with_provider(&manifest.name)
        })
    }

    /// The id of a record, by which another operation reads it.
    pub(super) fn id_of(&self, vendor: &Value) -> Option<Value> {
        match self.record() {
            Some(table) => table.read_one("id", vendor, &self.given).map(Reading::into_value),
            None => vendor.get("id").cloned().or_else(|| Some(vendor.clone()).filter(Value::is_string)),
        }
    }

    /// What a record has under `text`.
    pub(super) fn text_of(&self, vendor: &Value) -> Option<String> {
        match self.record()?.read_one("text", vendor, &self.given)?.into_value() {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The vendor's record as ours, with the vendor's own beside it.
    pub(super) fn typed<T: DeserializeOwned>(&self, vendor: Value) -> Result<T> {
        let record = T::deserialize(typed::Typed::new(self.record(), &self.manifest().name, vendor, &self.given));
        record.map_err(|e| self.malformed(&format!("a record that does not fit: {e}")))
    }

    /// The same for whoever does not know its type.
    pub(super) fn untyped(&self, vendor: Value) -> Value {
        let read = self.record().into_iter().flat_map(|table| table.read(&vendor, &self.given));
        let mut ours: Map<String, Value> = read.map(|(name, value)| (name.to_owned(), value.into_value())).collect();
        ours.insert("provider".into(), self.manifest().name.as_str().into());
        ours.insert("raw".into(), vendor);
        Value::Object(ours)
    }
}
