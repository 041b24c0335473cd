//! The vendor's records as ours, without copying more than ours hold.

use super::call::Call;
use super::send::Answered;
use super::text::{self, Vendor};
use super::typed::Plan;
use crate::providers::Reading;
use crate::{Error, ErrorKind, Result};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// What a page holds.
pub(super) struct Items {
    pub(super) items: Vec<Vendor>,
    pub(super) next_cursor: Option<String>,
}

impl Call<'_> {
    /// Takes the items out of an answer, and finds the next page.
    pub(super) fn take_items(&self, answer: Answered) -> Result<Items> {
        let mut items = match answer.items {
            text::Items::List(items) => items,
            text::Items::Pieces(at) => {
                let text =
                    String::from_utf8(answer.body).map_err(|e| self.malformed("something that is no UTF-8").with_source(e))?;
                text::pieces(text, at)
            }
            text::Items::None => Vec::new(),
            text::Items::Else => return Err(self.malformed("something that is no list where its items stand")),
        };
        let next_cursor = self.next_cursor(&answer.document, &answer.headers, &items)?;
        if let Some(condition) = &self.operation.items_where {
            let mut kept = Vec::with_capacity(items.len());
            for item in items {
                if condition.holds(&self.value(&item)?) {
                    kept.push(item);
                }
            }
            items = kept;
        }
        if let Some(path) = &self.operation.item {
            let parts = items.iter().filter_map(|item| text::part(item.get(), path, false).transpose());
            items = parts.collect::<std::result::Result<_, _>>().map_err(|e| self.unreadable(e))?;
        }
        Ok(Items { items, next_cursor })
    }

    /// Takes the one record out of an answer.
    pub(super) fn take_item(&self, answer: &Answered) -> Result<Vendor> {
        let nothing = Default::default();
        let path = self.operation.item.as_ref().unwrap_or(&nothing);
        let is_whole = self.operation.item.is_none();
        let text = if answer.document.is_null() { "null" } else { answer.text(self)? };
        let taken = if is_whole { text::whole(text).map(Some) } else { text::part(text, path, true) };
        taken.map_err(|e| self.unreadable(e))?.ok_or_else(|| {
            let manifest = self.manifest();
            let text = format!(
                "{} answered `{}` without a record: the account has no such thing",
                manifest.title, self.operation.vendor_op
            );
            Error::new(ErrorKind::NotFound, "not_found_at_provider", text).with_provider(&manifest.name)
        })
    }

    /// The id of a record, by which another operation reads it.
    pub(super) fn id_of(&self, vendor: &Vendor) -> Result<Option<Value>> {
        let vendor = self.value(vendor)?;
        Ok(match self.record() {
            Some(table) => table.read_one("id", &vendor, &self.given).map(Reading::into_value),
            None => vendor.get("id").cloned().or_else(|| Some(vendor).filter(Value::is_string)),
        })
    }

    /// What a record has under `text`.
    pub(super) fn text_of(&self, vendor: &Vendor) -> Result<Option<String>> {
        let vendor = self.value(vendor)?;
        let read = self.record().and_then(|table| table.read_one("text", &vendor, &self.given)).map(Reading::into_value);
        Ok(read.and_then(|value| if let Value::String(text) = value { Some(text) } else { None }))
    }

    /// The vendor's records as ours, with the vendor's own beside them.
    pub(super) fn typed<T: DeserializeOwned>(&self, vendors: &[Vendor]) -> Result<Vec<T>> {
        let plan = Plan::new(self.record(), &self.manifest().name, &self.given);
        let one = |vendor: &Vendor| T::deserialize(plan.read(vendor.get()));
        // What serde says may have the value in it, which may be anybody's.
        let unfit = |_| self.malformed(&format!("a record whose `{}` does not fit", plan.field()));
        vendors.iter().map(one).collect::<std::result::Result<_, _>>().map_err(unfit)
    }

    /// The same for one.
    pub(super) fn typed_one<T: DeserializeOwned>(&self, vendor: &Vendor) -> Result<T> {
        self.typed(std::slice::from_ref(vendor))?.pop().ok_or_else(|| self.malformed("no record"))
    }

    /// The same for whoever does not know its type.
    pub(super) fn untyped(&self, vendor: &Vendor) -> Result<Value> {
        let vendor = self.value(vendor)?;
        let read = self.record().into_iter().flat_map(|table| table.read(&vendor, &self.given));
        let mut ours: Map<String, Value> = read.map(|(name, value)| (name.to_owned(), value.into_value())).collect();
        ours.insert("provider".into(), self.manifest().name.as_str().into());
        ours.insert("raw".into(), vendor);
        Ok(Value::Object(ours))
    }

    pub(super) fn value(&self, vendor: &Vendor) -> Result<Value> {
        serde_json::from_str(vendor.get()).map_err(|e| self.unreadable(e))
    }

    fn unreadable(&self, why: serde_json::Error) -> Error {
        self.malformed("a record that is nested too deep, or no JSON").with_source(why)
    }
}
