//! Moments as other programs write them.

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use serde::de::{Deserializer, Error, Visitor};
use std::fmt;

/// Reads what RFC 3339 allows, and whatever else chrono takes for a moment.
pub(crate) fn parse(text: &str) -> chrono::ParseResult<DateTime<Utc>> {
    // By hand the usual form takes a tenth of the time, which shows in long lists.
    usual(text).map_or_else(|| text.parse::<DateTime<FixedOffset>>().map(|at| at.to_utc()), Ok)
}

/// `2026-11-21T17:45:01.456Z`: with up to nine digits of a fraction or none, and with any offset.
fn usual(text: &str) -> Option<DateTime<Utc>> {
    let (at, rest) = text.as_bytes().split_first_chunk::<19>()?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2] = *at else { return None };
    let day = NaiveDate::from_ymd_opt(number(&[y1, y2, y3, y4])?.cast_signed(), number(&[m1, m2])?, number(&[d1, d2])?)?;
    let (nanos, zone) = match rest.strip_prefix(b".") {
        Some(rest) => {
            let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (digits, zone) = rest.split_at(length);
            let scale =
                u32::try_from(length).ok().filter(|length| (1..=9).contains(length)).map(|length| 10_u32.pow(9 - length))?;
            (number(digits)? * scale, zone)
        }
        None => (0, rest),
    };
    let local = day.and_hms_nano_opt(number(&[h1, h2])?, number(&[n1, n2])?, number(&[s1, s2])?, nanos)?;
    let east = match *zone {
        [b'Z'] => return Some(local.and_utc()),
        [sign @ (b'+' | b'-'), h1, h2, b':', n1, n2] => {
            let minutes = number(&[n1, n2]).filter(|minutes| *minutes < 60)?;
            let seconds = (number(&[h1, h2])? * 3600 + minutes * 60).cast_signed();
            FixedOffset::east_opt(if sign == b'+' { seconds } else { -seconds })?
        }
        _ => return None,
    };
    local.and_local_timezone(east).single().map(|at| at.to_utc())
}

/// The number that at most nine digits are.
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0')))
}

/// For serde's `deserialize_with`.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    deserializer.deserialize_str(Moment)
}

/// The same where there may be none.
pub(crate) fn deserialize_option<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    deserializer.deserialize_option(Maybe)
}

struct Moment;

impl Visitor<'_> for Moment {
    type Value = DateTime<Utc>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a moment by RFC 3339")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<DateTime<Utc>, E> {
        parse(text).map_err(E::custom)
    }
}

struct Maybe;

impl<'de> Visitor<'de> for Maybe {
    type Value = Option<DateTime<Utc>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a moment by RFC 3339, or nothing")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserialize(deserializer).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What chrono says without our help.
    fn chrono(text: &str) -> Option<DateTime<Utc>> {
        text.parse::<DateTime<FixedOffset>>().ok().map(|at| at.to_utc())
    }

    /// Numbers that look as if nobody had chosen them: xorshift, always the same.
    fn numbers() -> impl FnMut(u64) -> u64 {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        move |below| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        }
    }

    fn written(any: &mut impl FnMut(u64) -> u64) -> String {
        let fraction = match any(3) {
            0 => String::new(),
            _ => format!(".{:0width$}", any(1_000_000), width = usize::try_from(any(9)).expect("small") + 1),
        };
        let zone = match any(3) {
            0 => "Z".to_owned(),
            1 => format!("+{:02}:{:02}", any(26), any(64)),
            _ => format!("-{:02}:{:02}", any(26), any(64)),
        };
        let (year, month, day) = (any(10_000), any(14), any(33));
        format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}{fraction}{zone}", any(25), any(61), any(62))
    }

    #[test]
    fn a_moment_by_hand_is_the_moment_of_chrono_whatever_its_text() {
        let (mut any, mut by_hand) = (numbers(), 0);
        for _ in 0..200_000 {
            let mut text = written(&mut any);
            if any(4) == 0 {
                let at = usize::try_from(any(text.len() as u64)).expect("small");
                let put =
                    ["", " ", "t", "z", "-", "+", ":", ".", "0", "9", "\u{2212}", "é"][usize::try_from(any(12)).expect("small")];
                text.replace_range(at..=at, put);
            }
            if let Some(at) = usual(&text) {
                by_hand += 1;
                assert_eq!(Some(at), chrono(&text), "{text}");
            }
            assert_eq!(parse(&text).ok(), chrono(&text), "{text}");
        }
        assert!(by_hand > 50_000, "{by_hand}");
    }

    #[test]
    fn the_usual_forms_are_read_by_hand_to_the_last_digit_and_others_by_chrono() {
        for text in [
            "2026-11-21T17:45:01Z",
            "2026-11-21T17:45:01.4Z",
            "2026-11-21T17:45:01.123456789Z",
            "0000-01-01T00:00:00-23:59",
            "9999-12-31T23:59:59.999999999+00:00",
            "2024-02-29T00:00:00+05:30",
        ] {
            assert!(usual(text).is_some_and(|at| Some(at) == chrono(text)), "{text}");
        }
        for text in ["2026-11-21t17:45:01z", "2026-11-21 17:45:01Z", "2016-12-31T23:59:60Z", "+12026-11-21T17:45:01Z"] {
            assert!(usual(text).is_none() && parse(text).ok() == chrono(text) && chrono(text).is_some(), "{text}");
        }
        for text in ["", "2026-11-21", "2026-11-21T17:45:01", "2026-02-29T00:00:00Z", "2026-11-21T17:45:01.Z"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_moment_that_is_not_there_is_none() {
        #[derive(serde::Deserialize)]
        struct Given {
            #[serde(default, deserialize_with = "deserialize_option")]
            at: Option<DateTime<Utc>>,
        }
        let at = |text: &str| serde_json::from_str::<Given>(text).map(|given| given.at).map_err(drop);
        assert_eq!(at("{}"), Ok(None));
        assert_eq!(at(r#"{"at": null}"#), Ok(None));
        assert_eq!(at(r#"{"at": "1970-01-01T00:00:00Z"}"#), Ok(Some(DateTime::UNIX_EPOCH)));
        assert_eq!(at(r#"{"at": "\u0031970-01-01T00:00:00Z"}"#), Ok(Some(DateTime::UNIX_EPOCH)));
        assert!(at(r#"{"at": 0}"#).is_err() && at(r#"{"at": "soon"}"#).is_err());
    }
}
