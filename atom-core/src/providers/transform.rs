//! Named transforms: what a field table cannot say with paths alone.

use crate::crypto::{base64url, from_base64url};
use chrono::{DateTime, SecondsFormat};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::str::FromStr;

/// How deep a MIME tree is followed.
const MAX_PARTS_DEPTH: usize = 32;

/// A conversion with a name, in both directions where both make sense.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Transform {
    /// A number that the vendor writes as text.
    IntegerText,
    /// Milliseconds since 1970, as text or number, to RFC 3339.
    EpochMillis,
    /// Google's `{dateTime, timeZone}` or `{date}` to our event time.
    GoogleEventTime,
    /// `Ada <ada@example.com>, b@example.com` to a list of names and addresses.
    AddressList,
    /// The first of such a list.
    Address,
    /// The plain text of a Gmail message payload.
    GmailText,
    /// The HTML of a Gmail message payload.
    GmailHtml,
    /// Quotes a text for a Drive query: <https://developers.google.com/workspace/drive/api/guides/ref-search-terms>.
    DriveQuote,
    /// Bytes that we hold as standard base64, for a vendor that wants the URL-safe alphabet.
    Base64url,
}

impl FromStr for Transform {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, String> {
        serde_json::from_value(Value::String(name.to_owned())).map_err(|_| format!("there is no transform `{name}`"))
    }
}

impl Transform {
    /// The vendor's value to ours; `None` where it makes no sense.
    pub(super) fn read(self, value: &Value) -> Option<Value> {
        match self {
            Self::IntegerText => value.as_i64().or_else(|| value.as_str()?.parse().ok()).map(Value::from),
            Self::EpochMillis => {
                let millis = value.as_i64().or_else(|| value.as_str()?.parse().ok())?;
                Some(DateTime::from_timestamp_millis(millis)?.to_rfc3339_opts(SecondsFormat::AutoSi, true).into())
            }
            Self::GoogleEventTime => match (value.get("dateTime"), value.get("date")) {
                (Some(at), _) => {
                    let at = DateTime::parse_from_rfc3339(at.as_str()?).ok()?.to_utc();
                    let at = at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
                    Some(json!({"type": "moment", "at": at, "time_zone": value.get("timeZone")}))
                }
                (None, Some(date)) => Some(json!({"type": "day", "date": date})),
                _ => None,
            },
            Self::AddressList => Some(Value::Array(split_addresses(value.as_str()?).map(address).collect())),
            Self::Address => split_addresses(value.as_str()?).next().map(address),
            Self::GmailText => gmail_body(value, "text/plain", 0).map(Value::String),
            Self::GmailHtml => gmail_body(value, "text/html", 0).map(Value::String),
            Self::DriveQuote | Self::Base64url => None,
        }
    }

    /// Our value to the vendor's; `None` where it makes no sense.
    pub(super) fn write(self, value: &Value) -> Option<Value> {
        match self {
            Self::IntegerText => value.as_i64().map(|n| Value::String(n.to_string())),
            Self::EpochMillis => {
                let at = DateTime::parse_from_rfc3339(value.as_str()?).ok()?;
                Some(Value::String(at.timestamp_millis().to_string()))
            }
            Self::GoogleEventTime => match value.get("type")?.as_str()? {
                "moment" => {
                    let mut out = Map::from_iter([("dateTime".to_owned(), value.get("at")?.clone())]);
                    out.extend(value.get("time_zone").filter(|z| !z.is_null()).map(|z| ("timeZone".to_owned(), z.clone())));
                    Some(Value::Object(out))
                }
                _ => Some(json!({"date": value.get("date")?})),
            },
            Self::DriveQuote => Some(Value::String(value.as_str()?.replace('\\', r"\\").replace('\'', r"\'"))),
            Self::Base64url => {
                use base64::Engine;
                let bytes = base64::engine::general_purpose::STANDARD.decode(value.as_str()?).ok()?;
                Some(Value::String(base64url(bytes)))
            }
            Self::AddressList | Self::Address | Self::GmailText | Self::GmailHtml => None,
        }
    }
}

/// The body of the first part of this type, depth first: <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages#MessagePart>.
fn gmail_body(part: &Value, mime: &str, depth: usize) -> Option<String> {
    if depth > MAX_PARTS_DEPTH {
        return None;
    }
    let attached = part.get("filename").and_then(Value::as_str).is_some_and(|name| !name.is_empty());
    if part.get("mimeType").and_then(Value::as_str) == Some(mime) && !attached {
        let data = part.pointer("/body/data").and_then(Value::as_str)?;
        return Some(String::from_utf8_lossy(&from_base64url(data.trim_end_matches('='))?).into_owned());
    }
    part.get("parts")?.as_array()?.iter().find_map(|inner| gmail_body(inner, mime, depth + 1))
}

/// Splits at commas outside quotes and angle brackets (RFC 5322 §3.4, groups and comments left out).
fn split_addresses(text: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut bracketed, mut escaped) = (false, false, false);
    text.split(move |c| {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => bracketed = true,
            '>' if !quoted => bracketed = false,
            ',' if !quoted && !bracketed => return true,
            _ => {}
        }
        false
    })
    .map(str::trim)
    .filter(|part| !part.is_empty())
}

fn address(text: &str) -> Value {
    match text.rsplit_once('<').and_then(|(name, rest)| Some((name.trim(), rest.strip_suffix('>')?.trim()))) {
        Some((name, email)) => {
            let name = name.trim_matches('"').replace("\\\"", "\"");
            json!({"email": email, "name": (!name.is_empty()).then_some(name)})
        }
        None => json!({"email": text, "name": null}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_times_survive_both_directions() {
        for vendor in [json!({"dateTime": "2026-11-21T09:00:00Z", "timeZone": "Europe/Paris"}), json!({"date": "2026-11-21"})] {
            let ours = Transform::GoogleEventTime.read(&vendor).expect("read");
            assert_eq!(Transform::GoogleEventTime.write(&ours), Some(vendor));
        }
        let offset = json!({"dateTime": "2026-11-21T10:00:00+01:00"});
        assert_eq!(Transform::GoogleEventTime.read(&offset).expect("read")["at"], "2026-11-21T09:00:00Z");
    }

    #[test]
    fn addresses_with_commas_and_quotes_stay_whole() {
        let list = Transform::AddressList.read(&json!(r#""Lovelace, Ada" <ada@example.com>, bob@example.com, <c@example.com>"#));
        let expected = json!([
            {"email": "ada@example.com", "name": "Lovelace, Ada"},
            {"email": "bob@example.com", "name": null},
            {"email": "c@example.com", "name": null}
        ]);
        assert_eq!(list, Some(expected));
    }

    #[test]
    fn the_text_of_a_nested_message_is_found_and_attachments_are_passed_over() {
        let text = |data: &str| json!({"mimeType": "text/plain", "body": {"data": base64url(data)}});
        let attachment = json!({"mimeType": "text/plain", "filename": "a.txt", "body": {"data": base64url("no")}});
        let payload = json!({"mimeType": "multipart/mixed", "parts": [attachment, {"mimeType": "multipart/alternative", "parts": [text("yes")]}]});
        assert_eq!(Transform::GmailText.read(&payload), Some(json!("yes")));
        assert_eq!(Transform::GmailHtml.read(&payload), None);
    }
}
