//! How often a vendor may be asked, and how it says to wait.

use super::path::Path;
use super::template::as_text;
use crate::http_client::{LONGEST_WAIT, read_retry_after};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// What is known of a vendor's limits.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    /// Where an answer says how long to wait; the first that does.
    #[serde(default)]
    pub(crate) retry_after: Vec<WaitSource>,
    /// The header that counts down. At 0 nothing is sent before the moment that `retry_after` tells.
    pub(crate) remaining: Option<String>,
    /// Our own budgets, by name.
    #[serde(default)]
    pub(crate) buckets: BTreeMap<String, Bucket>,
}

/// A budget that all callers of one connection share in this process.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bucket {
    /// So many requests in so many seconds.
    pub(crate) requests: Option<u32>,
    #[serde(default = "second")]
    pub(crate) seconds: f64,
    /// So many at once.
    pub(crate) concurrent: Option<u32>,
}

fn second() -> f64 {
    1.0
}

impl Bucket {
    pub(super) fn check(&self) -> Result<(), String> {
        let fine = self.requests.is_none_or(|n| (1..=100_000).contains(&n))
            && (0.001..=86_400.0).contains(&self.seconds)
            && self.concurrent.is_none_or(|n| (1..=10_000).contains(&n))
            && (self.requests.is_some() || self.concurrent.is_some());
        if fine {
            Ok(())
        } else {
            Err("give `requests` (1 to 100000) in `seconds` (at most a day), `concurrent`, or both".into())
        }
    }
}

/// Where an answer says how long to wait.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WaitSource {
    pub(crate) header: Option<String>,
    pub(crate) path: Option<Path>,
    #[serde(default)]
    pub(crate) format: WaitFormat,
}

/// How it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WaitFormat {
    /// RFC 9110 §10.2.3: seconds or a date.
    #[default]
    Auto,
    Seconds,
    Millis,
    /// The moment, in seconds since 1970.
    Epoch,
    EpochMillis,
    /// The moment, as RFC 3339 or RFC 2822 has it.
    Iso,
    /// `1m30s`, `120ms`, `PT1M`.
    Duration,
}

impl WaitSource {
    /// How long an answer asks to wait.
    pub(crate) fn read<'h>(
        &self,
        header: impl Fn(&str) -> Option<&'h str>,
        document: impl FnOnce() -> Option<Value>,
        now: DateTime<Utc>,
    ) -> Option<Duration> {
        if let Some(name) = &self.header {
            return self.format.read(header(name)?, now);
        }
        let path = self.path.as_ref()?;
        let document = document()?;
        self.format.read(&path.get(&document).and_then(as_text)?, now)
    }
}

impl WaitFormat {
    fn read(self, text: &str, now: DateTime<Utc>) -> Option<Duration> {
        let text = text.trim();
        let seconds = |scale: f64| Duration::try_from_secs_f64(text.parse::<f64>().ok()? * scale).ok();
        let until = |at: DateTime<Utc>| (at - now).to_std().ok();
        let moment = |millis: f64| {
            #[allow(clippy::cast_possible_truncation)] // beyond its bounds there is no such moment
            until(DateTime::from_timestamp_millis(millis as i64)?)
        };
        let wait = match self {
            Self::Auto => read_retry_after(text, now).or_else(|| seconds(1.0)),
            Self::Seconds => seconds(1.0),
            Self::Millis => seconds(0.001),
            Self::Epoch => moment(text.parse::<f64>().ok()? * 1000.0),
            Self::EpochMillis => moment(text.parse().ok()?),
            Self::Iso => {
                let at = DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_rfc2822(text)).ok()?;
                until(at.to_utc())
            }
            Self::Duration => duration(text),
        };
        wait.filter(|wait| *wait < LONGEST_WAIT)
    }
}

/// `1m30s`, `6m0s`, `120ms`, `PT1H30M`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let text = text.to_ascii_lowercase();
    let mut rest = text.strip_prefix("pt").unwrap_or(&text);
    let mut total = 0.0;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| c.is_ascii_alphabetic())?);
        let (unit, after) = after.split_at(after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len()));
        let scale = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * scale;
        rest = after;
    }
    if text.is_empty() { None } else { Duration::try_from_secs_f64(total).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_dialect_of_waiting_is_understood() {
        let now = DateTime::parse_from_rfc3339("2026-11-21T08:00:00Z").expect("a date").to_utc();
        let read = |format: &str, text: &str| {
            let format: WaitFormat = serde_json::from_value(json!(format)).expect(format);
            format.read(text, now).map(|wait| wait.as_millis())
        };
        assert_eq!(read("auto", "30"), Some(30_000));
        assert_eq!(read("auto", "1.5"), Some(1500));
        assert_eq!(read("auto", "Sat, 21 Nov 2026 08:00:05 GMT"), Some(5000));
        assert_eq!(read("seconds", "0.25"), Some(250));
        assert_eq!(read("millis", "1500"), Some(1500));
        assert_eq!(read("epoch", &(now.timestamp() + 7).to_string()), Some(7000));
        assert_eq!(read("epoch_millis", &(now.timestamp_millis() + 7).to_string()), Some(7));
        assert_eq!(read("iso", "2026-11-21T08:00:02Z"), Some(2000));
        assert_eq!(read("duration", "1m30s"), Some(90_000));
        assert_eq!(read("duration", "120ms"), Some(120));
        assert_eq!(read("duration", "PT1H30M"), Some(5_400_000));
        for (format, nonsense) in [
            ("auto", "soon"),
            ("seconds", "-1"),
            ("seconds", "NaN"),
            ("seconds", "inf"),
            ("epoch", "1"),
            ("epoch", "1e300"),
            ("iso", "2026-11-21T07:00:00Z"),
            ("duration", "m"),
            ("duration", ""),
            ("duration", "3x"),
            ("millis", "99999999999999999999"),
        ] {
            assert_eq!(read(format, nonsense), None, "{format} {nonsense}");
        }
    }
}
