//! Amounts of money: ours are whole minor units of an ISO 4217 currency.

use crate::providers::currency::{digits, from_minor, to_minor};
use crate::providers::path::Path;
use crate::providers::template::{Vars, as_text};
use crate::providers::transform::Transform;
use serde::Deserialize;
use serde_json::{Number, Value, json};

/// Where an amount and its currency stand.
#[derive(Clone, Debug)]
pub(super) struct Money {
    pub(super) amount: Amount,
    pub(super) currency: Option<Path>,
    /// The same in the record that this one is part of: the lines of an invoice have its currency.
    pub(super) currency_of: Option<Path>,
    /// The currency where the record names none.
    pub(super) fixed: Option<String>,
    /// The fact of the account that says it where the record does not.
    pub(super) fact: Option<String>,
    /// How the vendor writes it.
    pub(super) currency_as: Option<Transform>,
}

/// How a vendor writes an amount.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Amount {
    /// In minor units.
    Minor,
    /// `19.99` as text; numbers are read, too.
    Decimal,
    /// The same, written as a number.
    DecimalNumber,
}

impl Money {
    pub(super) fn read(&self, amount: &Value, vendor: &Value, around: Option<&Value>, given: &Vars) -> Option<Value> {
        let named = self.currency.as_ref().and_then(|path| path.text(vendor));
        let named = named.or_else(|| self.currency_of.as_ref()?.text(around?));
        let known = named.or_else(|| self.fixed.clone()).or_else(|| self.usual(given).map(str::to_owned));
        let currency = known?.to_ascii_uppercase();
        let text = as_text(amount)?;
        let minor_units = match self.amount {
            Amount::Minor => text.parse::<i64>().ok()?,
            Amount::Decimal | Amount::DecimalNumber => to_minor(&text, digits(&currency))?,
        };
        Some(json!({ "minor_units": minor_units, "currency": currency }))
    }

    /// Whether the record around it can have this amount's currency. Where nobody has said its currency yet, this one is written.
    pub(super) fn agree(&self, ours: &Value, around: &mut Value, given: &Vars) -> Option<()> {
        let (Some(place), Some(currency)) = (&self.currency_of, ours.get("currency").and_then(Value::as_str)) else {
            return Some(());
        };
        match place.text(around).or_else(|| self.usual(given).map(str::to_owned)) {
            Some(known) => known.eq_ignore_ascii_case(currency).then_some(()),
            None => {
                place.set(around, currency.into());
                Some(())
            }
        }
    }

    /// The currency of the account.
    fn usual<'g>(&self, given: &'g Vars) -> Option<&'g str> {
        given.get(self.fact.as_ref()?)?.as_str()
    }

    pub(super) fn put(&self, ours: &Value, path: &Path, vendor: &mut Value, given: &Vars) -> Option<()> {
        let minor_units = ours.get("minor_units")?.as_i64()?;
        let currency = ours.get("currency")?.as_str()?;
        let decimal = || from_minor(minor_units, digits(currency));
        let amount = match self.amount {
            Amount::Minor => minor_units.into(),
            Amount::Decimal => decimal().into(),
            Amount::DecimalNumber => Value::Number(decimal().parse::<Number>().ok()?),
        };
        match &self.currency {
            // An account with one currency does not know the word.
            Some(_) if self.usual(given) == Some(currency) => {}
            Some(place) => {
                let text = Value::from(currency);
                let text = self.currency_as.map_or(Some(text.clone()), |transform| transform.write(&text))?;
                place.set(vendor, text);
            }
            // The record around it has said so.
            None if self.currency_of.is_some() => {}
            None if self.fixed.as_deref().or_else(|| self.usual(given)) != Some(currency) => return None,
            None => {}
        }
        path.set(vendor, amount);
        Some(())
    }
}
