//! Amounts of money: ours are whole minor units of an ISO 4217 currency.

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
    pub(super) fn read(&self, amount: &Value, vendor: &Value, given: &Vars) -> Option<Value> {
        let named = self.currency.as_ref().and_then(|path| path.text(vendor));
        let known = named.or_else(|| self.fixed.clone()).or_else(|| self.usual(given).map(str::to_owned));
        let currency = known?.to_ascii_uppercase();
        let text = as_text(amount)?;
        let minor_units = match self.amount {
            Amount::Minor => text.parse::<i64>().ok()?,
            Amount::Decimal | Amount::DecimalNumber => to_minor(&text, digits(&currency))?,
        };
        Some(json!({ "minor_units": minor_units, "currency": currency }))
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
            None if self.fixed.as_deref() != Some(currency) => return None,
            None => {}
        }
        path.set(vendor, amount);
        Some(())
    }
}

/// The digits after the point: <https://www.iso.org/iso-4217-currency-codes.html>, two for all that are not listed.
fn digits(currency: &str) -> usize {
    match currency.to_ascii_uppercase().as_str() {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND" | "VUV" | "XAF" | "XOF"
        | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

/// `-19.9` is -1990. What is smaller than a minor unit is cut off.
fn to_minor(text: &str, digits: usize) -> Option<i64> {
    let (is_negative, plain) = match text.trim().strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.trim()),
    };
    let plain = if plain.contains(['e', 'E']) { format!("{:.*}", digits, plain.parse::<f64>().ok()?) } else { plain.to_owned() };
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || whole.len() + fraction.len() == 0 {
        return None;
    }
    let fraction: String = fraction.chars().chain(std::iter::repeat('0')).take(digits).collect();
    let minor: i64 = format!("{whole}{fraction}").parse().ok()?;
    Some(if is_negative { -minor } else { minor })
}

fn from_minor(minor_units: i64, digits: usize) -> String {
    let sign = if minor_units < 0 { "-" } else { "" };
    let plain = format!("{:0>width$}", minor_units.unsigned_abs(), width = digits + 1);
    let (whole, fraction) = plain.split_at(plain.len() - digits);
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_and_minor_units_are_the_same_amount_to_the_last_digit() {
        for (text, currency, minor) in [
            ("19.99", "EUR", 1999),
            ("19.9", "EUR", 1990),
            ("19", "EUR", 1900),
            ("-0.01", "USD", -1),
            ("1500", "JPY", 1500),
            ("1.234", "KWD", 1234),
            ("0.1", "USD", 10),
            ("1e3", "USD", 100_000),
            ("90071992547409.93", "USD", 9_007_199_254_740_993),
        ] {
            assert_eq!(to_minor(text, digits(currency)), Some(minor), "{text} {currency}");
        }
        assert_eq!(from_minor(-1, 2), "-0.01");
        assert_eq!(from_minor(1999, 2), "19.99");
        assert_eq!(from_minor(1500, 0), "1500");
        for nonsense in ["", "-", ".", "1,5", "x", "1.2.3", "99999999999999999999"] {
            assert_eq!(to_minor(nonsense, 2), None, "{nonsense}");
        }
    }
}
