//! Moments and days, as vendors write them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Map, Value, json};

fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Our own moments are RFC 3339.
pub(super) fn moment(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc())
}

/// A moment in any form, in UTC. Without a zone it is taken for UTC.
pub(super) fn utc(text: &str) -> Option<String> {
    let text = text.trim();
    let zoned = || DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z").ok().map(|at| at.to_utc());
    let naive = || NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok().map(|at| at.and_utc());
    moment(text).or_else(zoned).or_else(naive).or_else(|| dotnet(text)).map(rfc3339)
}

/// `/Date(1539993600000+0000)/`: the zone behind the milliseconds changes nothing.
fn dotnet(text: &str) -> Option<DateTime<Utc>> {
    let inside = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let end = inside.rfind(['+', '-']).filter(|at| *at > 0).unwrap_or(inside.len());
    DateTime::from_timestamp_millis(inside[..end].parse().ok()?)
}

pub(super) fn month(name: &str) -> Option<u32> {
    name.parse::<chrono::Month>().ok().map(|month| month.number_from_month())
}

fn later(seconds: i64) -> Option<DateTime<Utc>> {
    Utc::now().checked_add_signed(TimeDelta::try_seconds(seconds)?)
}

pub(super) fn after(seconds: i64) -> Option<Value> {
    later(seconds).map(|at| rfc3339(at).into())
}

pub(super) fn epoch_after(seconds: i64) -> Option<Value> {
    later(seconds).map(|at| at.timestamp().into())
}

/// The beginning of a day in UTC.
pub(super) fn day(text: &str) -> Option<String> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(rfc3339(day.and_hms_opt(0, 0, 0)?.and_utc()))
}

pub(super) fn from_millis(value: &Value) -> Option<Value> {
    let millis = value.as_i64().or_else(|| value.as_str()?.parse().ok())?;
    Some(rfc3339(DateTime::from_timestamp_millis(millis)?).into())
}

/// Seconds with up to nine digits of a fraction, read as text, because a float would lose the last ones.
pub(super) fn from_seconds(value: &Value) -> Option<Value> {
    let text = super::super::template::as_text(value)?;
    let (seconds, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let nanos: String = fraction.chars().chain(std::iter::repeat('0')).take(9).collect();
    Some(rfc3339(DateTime::from_timestamp(seconds.parse().ok()?, nanos.parse().ok()?)?).into())
}

pub(super) fn from_google(value: &Value) -> Option<Value> {
    match (value.get("dateTime"), value.get("date")) {
        (Some(at), _) => Some(json!({"type": "moment", "at": utc(at.as_str()?)?, "time_zone": value.get("timeZone")})),
        (None, Some(date)) => Some(json!({"type": "day", "date": date})),
        _ => None,
    }
}

pub(super) fn to_google(value: &Value) -> Option<Value> {
    match value.get("type")?.as_str()? {
        "moment" => {
            let mut out = Map::from_iter([("dateTime".to_owned(), value.get("at")?.clone())]);
            out.extend(value.get("time_zone").filter(|z| !z.is_null()).map(|z| ("timeZone".to_owned(), z.clone())));
            Some(Value::Object(out))
        }
        _ => Some(json!({"date": value.get("date")?})),
    }
}

/// A day is a midnight, and the event says so in another place: <https://learn.microsoft.com/graph/api/resources/event>.
pub(super) fn from_graph(event: &Value, edge: &str) -> Option<Value> {
    let at = event.get(edge)?.get("dateTime")?.as_str()?;
    if event.get("isAllDay").and_then(Value::as_bool).unwrap_or_default() {
        return Some(json!({"type": "day", "date": at.get(..10)?}));
    }
    // Names of Windows' own, such as `Pacific Standard Time`, are no use to anybody else.
    let zone = event.pointer(&format!("/original{}{}TimeZone", edge[..1].to_uppercase(), &edge[1..])).and_then(Value::as_str);
    Some(json!({"type": "moment", "at": utc(at)?, "time_zone": zone.filter(|zone| zone.contains('/'))}))
}

/// In UTC: `isAllDay` is written beside it.
pub(super) fn to_graph(value: &Value) -> Option<Value> {
    let at = match value.get("type")?.as_str()? {
        "moment" => moment(value.get("at")?.as_str()?)?.format("%Y-%m-%dT%H:%M:%S").to_string(),
        _ => format!("{}T00:00:00", value.get("date")?.as_str()?),
    };
    Some(json!({"dateTime": at, "timeZone": "UTC"}))
}
/// For a patch, which is merged into what is there.
pub(super) fn to_google_patch(ours: &Value) -> Option<Value> {
    let mut vendor = to_google(ours)?;
    for kind in ["date", "dateTime"] {
        vendor.as_object_mut()?.entry(kind).or_insert(Value::Null);
    }
    Some(vendor)
}
