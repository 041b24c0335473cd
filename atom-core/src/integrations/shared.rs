//! What several capabilities have in common.

use crate::{Error, Result};
use atom_macros::model;
use serde::Serialize;
use serde_json::{Map, Value};

/// How many records a caller may ask for on one page.
pub(super) const MAX_PAGE: i64 = 1000;

/// Someone, as far as the provider says who.
#[model(default)]
pub struct Person {
    /// The provider's id.
    pub id: Option<String>,
    /// The name to show.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
}

/// An amount of money.
#[model(default)]
pub struct Money {
    /// How many of the currency's smallest unit: 1999 for 19.99 EUR, 1999 for 1999 JPY.
    pub minor_units: i64,
    /// The currency (ISO 4217), in capitals: `EUR`.
    pub currency: String,
}

/// Which page of a list that has no filter.
#[model(default)]
pub struct Paging {
    /// How many at most on a page, 1 to 1000; a provider that allows fewer gives fewer. Default: as the provider does.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// The input of an operation that changes the record with this id.
pub(super) fn changed(id: &str, changes: &impl Serialize) -> Result<Map<String, Value>> {
    let changes = serde_json::to_value(changes);
    let changes = changes.map_err(|e| Error::internal("input", "an input cannot be serialized").with_source(e))?;
    let Value::Object(mut input) = changes else { return Err(Error::internal("input", "an input is an object")) };
    input.insert("id".into(), id.into());
    Ok(input)
}
