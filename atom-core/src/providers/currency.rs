//! Amounts in minor units and as decimals.

/// The digits after the point: <https://www.iso.org/iso-4217-currency-codes.html>, two for all that are not listed.
pub(super) fn digits(currency: &str) -> usize {
    match currency.to_ascii_uppercase().as_str() {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND" | "VUV" | "XAF" | "XOF"
        | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

/// `-19.9` is -1990. What is smaller than a minor unit is cut off.
pub(super) fn to_minor(text: &str, digits: usize) -> Option<i64> {
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

pub(super) fn from_minor(minor_units: i64, digits: usize) -> String {
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
