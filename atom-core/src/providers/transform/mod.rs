//! Named transforms: what a field table cannot say with paths alone.

mod documents;
mod mail;
mod states;
mod time;
mod work;

use super::currency::{digits, from_minor};
use crate::crypto::base64url;
use serde::Deserialize;
use serde_json::{Value, json};
use std::str::FromStr;

/// A conversion with a name, in both directions where both make sense.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Transform {
    /// A whole number that the vendor writes as text.
    IntegerText,
    /// A text that the vendor writes as a whole number, as many ids are; a list of them to a list. Zero, which is nobody's, is none.
    IdNumber,
    /// A text that may be empty, which is none.
    NotEmpty,
    /// A number that the vendor writes as text.
    NumberText,
    /// Yes or no that the vendor writes as text.
    BooleanText,
    /// Any value that the vendor writes as JSON text.
    JsonText,
    /// Seconds since 1970, as text or number, to RFC 3339. Written as a number.
    Epoch,
    /// Milliseconds since 1970, as text or number, to RFC 3339. Written as text.
    EpochMillis,
    /// Seconds since 1970 with a fraction, as text: `1712.000100`.
    EpochText,
    /// A moment in any of the forms of ISO 8601 that vendors write, to RFC 3339 in UTC: `+0000`, or no zone at all. `/Date(1539993600000+0000)/`,
    /// too.
    Datetime,
    /// `2026-11-21` to the beginning of that day in UTC.
    Date,
    /// The English name of a month, to its number.
    MonthName,
    /// So many seconds from now, to that moment. Written as seconds since 1970.
    SecondsFromNow,
    /// An amount of money of ours, as a number: 19.99.
    DecimalNumber,
    /// `PT1H30M`, `1m30s` to seconds.
    DurationSeconds,
    /// Google's `{dateTime, timeZone}` or `{date}` to our event time.
    GoogleEventTime,
    /// The same for a patch, which takes away the kind of time that it is not.
    GoogleEventTimePatch,
    /// When an event of Microsoft's starts, which is in UTC: a moment, or a day where the whole event says so. Written as its `start`.
    GraphStart,
    /// When it ends.
    GraphEnd,
    /// Whether our event time is a day.
    IsDay,
    /// No for yes, and yes for no.
    Not,
    /// Small letters, in both directions.
    Lower,
    /// Capital letters, in both directions.
    Upper,
    /// What an object holds under whatever names, as a list without the empty ones.
    Values,
    /// Lines of a text, as a list.
    JoinLines,
    /// Parts of a text between commas, as a list.
    JoinComma,
    /// `Ada <ada@example.com>, b@example.com` to a list of names and addresses.
    AddressList,
    /// The first of such a list.
    Address,
    /// Microsoft's `{emailAddress: {name, address}}` to a name and an address; a list of them to a list. Addresses as text are written, too.
    GraphRecipients,
    /// The plain text of a Gmail message payload.
    GmailText,
    /// The HTML of a Gmail message payload.
    GmailHtml,
    /// The attached files of a Gmail message payload.
    GmailAttachments,
    /// The labels that a message gets when it is to be unread, or not.
    GmailUnread,
    /// The labels that it loses then.
    GmailRead,
    /// Whether a deal is won, by two flags: Salesforce's `IsClosed` and `IsWon`, HubSpot's `hs_is_closed` and `hs_is_closed_won`.
    DealStatus,
    /// How far an invoice of QuickBooks is, which is said by what is still to be paid: `Balance` of `TotalAmt`.
    QuickbooksInvoiceStatus,
    /// A part of one, as text or number, to percent.
    FractionPercent,
    /// The types of Linear's states that are one of ours.
    LinearStateTypes,
    /// How an order of Shopify's is: it may be cancelled, closed, or neither.
    ShopifyOrderStatus,
    /// A value in a criterion of Zoho's: <https://www.zoho.com/crm/developer/docs/api/v8/search-records.html>.
    ZohoCriterion,
    /// A moment as Zoho wants it, with an offset instead of `Z`.
    ZohoTime,
    /// HTML to plain text, and plain text to HTML.
    HtmlText,
    /// The text of Microsoft's `{contentType, content}`, which may be HTML.
    GraphText,
    /// Its HTML, where it is.
    GraphHtml,
    /// Slack's three escapes: <https://docs.slack.dev/messaging/formatting-message-text#escaping>.
    SlackText,
    /// A document of Atlassian's, to plain text: <https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/>.
    AdfText,
    /// A list of Notion's rich texts, to plain text: <https://developers.notion.com/reference/rich-text>.
    NotionText,
    /// The title among the properties of a Notion page, whatever it is called there.
    NotionTitle,
    /// Plain text as paragraphs of Notion's.
    NotionBlocks,
    /// What kind of a channel one of Slack's is.
    SlackChannelKind,
    /// Whether a pull request of GitHub's is open, closed or merged.
    GithubPullState,
    /// The status of a GitHub issue: its state, and why it was closed. Written as the state.
    GithubIssueStatus,
    /// The same, written as the reason.
    GithubIssueReason,
    /// The folder of a path: `/a` of `/a/b`, the empty text of `/a`.
    ParentPath,
    /// What stands after the last `/`.
    LastSegment,
    /// Quotes a text for a Drive query: <https://developers.google.com/workspace/drive/api/guides/ref-search-terms>. Salesforce's queries want
    /// the same.
    DriveQuote,
    /// Quotes a text that stands between double quotes, as in Jira's queries.
    DoubleQuote,
    /// Quotes a text that stands between single quotes in OData, by doubling them.
    OdataQuote,
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
            Self::IntegerText => value.as_i64().or_else(|| value.as_str()?.trim().parse().ok()).map(Value::from),
            Self::IdNumber => id_text(value),
            Self::NotEmpty => value.as_str().filter(|text| !text.is_empty()).map(Value::from),
            Self::NumberText => number(value).map(Value::from),
            Self::BooleanText => value.as_bool().or_else(|| value.as_str()?.parse().ok()).map(Value::from),
            Self::JsonText => serde_json::from_str(value.as_str()?).ok(),
            Self::Epoch | Self::EpochText => time::from_seconds(value),
            Self::EpochMillis => time::from_millis(value),
            Self::Datetime => time::utc(value.as_str()?).map(Value::from),
            Self::Date => time::day(value.as_str()?).map(Value::from),
            Self::MonthName => time::month(value.as_str()?).map(Value::from),
            Self::SecondsFromNow => time::after(value.as_i64()?),
            Self::DurationSeconds => super::limits::duration(value.as_str()?).map(|d| d.as_secs().into()),
            Self::GoogleEventTime => time::from_google(value),
            Self::GraphStart => time::from_graph(value, "start"),
            Self::GmailAttachments => Some(mail::gmail_attachments(value)),
            Self::DealStatus => states::deal(value),
            Self::QuickbooksInvoiceStatus => states::quickbooks_invoice(value).map(Value::from),
            Self::FractionPercent => number(value).map(|part| Value::from(part * 100.0)),
            Self::ShopifyOrderStatus => Some(states::shopify_order(value)),
            Self::GraphEnd => time::from_graph(value, "end"),
            Self::Not => value.as_bool().map(|flag| (!flag).into()),
            Self::Lower => Some(value.as_str()?.to_lowercase().into()),
            Self::Upper => Some(value.as_str()?.to_uppercase().into()),
            Self::Values => Some(value.as_object()?.values().filter(|held| !held.is_null()).cloned().collect()),
            Self::JoinLines => Some(value.as_str()?.lines().map(Value::from).collect()),
            Self::JoinComma => {
                Some(value.as_str()?.split(',').map(str::trim).filter(|part| !part.is_empty()).map(Value::from).collect())
            }
            Self::AddressList => Some(Value::Array(mail::split_addresses(value.as_str()?).map(mail::address).collect())),
            Self::Address => mail::split_addresses(value.as_str()?).next().map(mail::address),
            Self::GraphRecipients => mail::from_graph(value),
            Self::GmailText => mail::gmail_body(value, "text/plain", 0).map(Value::String),
            Self::GmailHtml => mail::gmail_body(value, "text/html", 0).map(Value::String),
            Self::HtmlText => Some(documents::from_html(value.as_str()?).into()),
            Self::SlackText => Some(documents::from_slack(value.as_str()?).into()),
            Self::AdfText => documents::from_adf(value).map(Value::String),
            Self::NotionText => documents::from_notion(value).map(Value::String),
            Self::GraphText => documents::from_graph(value).map(Value::String),
            Self::GraphHtml => documents::graph_html(value).map(Value::from),
            Self::NotionTitle => documents::from_notion_title(value).map(Value::String),
            Self::SlackChannelKind => Some(work::slack_channel_kind(value).into()),
            Self::GithubPullState => work::github_pull_state(value).map(Value::from),
            Self::GithubIssueStatus => work::github_issue_status(value).map(Value::from),
            Self::ParentPath => parent_path(value.as_str()?).map(Value::from),
            Self::LastSegment => last_segment(value.as_str()?).map(Value::from),
            Self::IsDay | Self::NotionBlocks | Self::GithubIssueReason => None,
            Self::DriveQuote
            | Self::DoubleQuote
            | Self::OdataQuote
            | Self::Base64url
            | Self::GoogleEventTimePatch
            | Self::GmailUnread
            | Self::GmailRead
            | Self::LinearStateTypes
            | Self::DecimalNumber
            | Self::ZohoCriterion
            | Self::ZohoTime => None,
        }
    }

    /// Our value to the vendor's; `None` where it makes no sense.
    pub(super) fn write(self, value: &Value) -> Option<Value> {
        match self {
            Self::IntegerText => value.as_i64().map(|n| Value::String(n.to_string())),
            Self::IdNumber => id_number(value),
            Self::NotEmpty => value.as_str().map(Value::from),
            Self::NumberText => value.as_number().map(|n| Value::String(n.to_string())),
            Self::BooleanText => value.as_bool().map(|flag| Value::String(flag.to_string())),
            Self::JsonText => Some(value.to_string().into()),
            Self::Epoch => Some(time::moment(value.as_str()?)?.timestamp().into()),
            Self::EpochMillis => Some(time::moment(value.as_str()?)?.timestamp_millis().to_string().into()),
            Self::EpochText => {
                let at = time::moment(value.as_str()?)?;
                Some(format!("{}.{:06}", at.timestamp(), at.timestamp_subsec_micros()).into())
            }
            Self::Datetime => time::utc(value.as_str()?).map(Value::from),
            Self::Date => Some(time::moment(value.as_str()?)?.format("%Y-%m-%d").to_string().into()),
            Self::SecondsFromNow => time::epoch_after(value.as_i64()?),
            Self::DecimalNumber => {
                let currency = value.get("currency")?.as_str()?;
                let decimal = from_minor(value.get("minor_units")?.as_i64()?, digits(currency));
                Some(Value::Number(decimal.parse().ok()?))
            }
            Self::GoogleEventTime => time::to_google(value),
            Self::GraphStart | Self::GraphEnd => time::to_graph(value),
            Self::GoogleEventTimePatch => time::to_google_patch(value),
            Self::GmailUnread => Some(mail::gmail_labels(value.as_bool()?)),
            Self::GmailRead => Some(mail::gmail_labels(!value.as_bool()?)),
            Self::FractionPercent => Some((value.as_f64()? / 100.0).to_string().into()),
            Self::LinearStateTypes => states::linear_types(value.as_str()?),
            Self::ZohoCriterion => Some(states::zoho_criterion(value.as_str()?).into()),
            Self::ZohoTime => Some(time::moment(value.as_str()?)?.format("%Y-%m-%dT%H:%M:%S+00:00").to_string().into()),
            Self::IsDay => Some((value.get("type")?.as_str()? == "day").into()),
            Self::Not => value.as_bool().map(|flag| (!flag).into()),
            Self::Lower => Some(value.as_str()?.to_lowercase().into()),
            Self::Upper => Some(value.as_str()?.to_uppercase().into()),
            Self::JoinLines => join(value, "\n"),
            Self::JoinComma => join(value, ","),
            Self::GraphRecipients => mail::to_graph(value),
            Self::HtmlText => Some(documents::to_html(value.as_str()?).into()),
            Self::SlackText => Some(documents::to_slack(value.as_str()?).into()),
            Self::AdfText => Some(documents::to_adf(value.as_str()?)),
            Self::NotionText => Some(documents::to_notion(value.as_str()?)),
            Self::GraphText => Some(json!({"contentType": "text", "content": value.as_str()?})),
            Self::NotionTitle => Some(json!({"title": {"title": documents::to_notion(value.as_str()?)}})),
            Self::NotionBlocks => Some(documents::to_notion_blocks(value.as_str()?)),
            Self::GithubIssueStatus => work::to_github_issue_state(value.as_str()?).map(Value::from),
            Self::GithubIssueReason => work::to_github_issue_reason(value.as_str()?).map(Value::from),
            Self::ParentPath => parent_path(value.as_str()?).map(Value::from),
            Self::LastSegment => last_segment(value.as_str()?).map(Value::from),
            Self::GraphHtml | Self::SlackChannelKind | Self::GithubPullState => None,
            Self::DriveQuote => Some(Value::String(value.as_str()?.replace('\\', r"\\").replace('\'', r"\'"))),
            Self::DoubleQuote => Some(Value::String(value.as_str()?.replace('\\', r"\\").replace('"', "\\\""))),
            Self::OdataQuote => Some(Value::String(value.as_str()?.replace('\'', "''"))),
            Self::Base64url => {
                use base64::Engine;
                let bytes = base64::engine::general_purpose::STANDARD.decode(value.as_str()?).ok()?;
                Some(Value::String(base64url(bytes)))
            }
            Self::DurationSeconds
            | Self::MonthName
            | Self::AddressList
            | Self::Address
            | Self::GmailText
            | Self::GmailHtml
            | Self::GmailAttachments
            | Self::DealStatus
            | Self::QuickbooksInvoiceStatus
            | Self::ShopifyOrderStatus
            | Self::Values => None,
        }
    }
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|number| number.is_finite())
}

/// The text of an id that is a number, or of each in a list.
fn id_text(value: &Value) -> Option<Value> {
    match value {
        Value::Array(ids) => ids.iter().map(id_text).collect::<Option<Vec<_>>>().map(Value::Array),
        Value::String(id) => Some(id.as_str().into()).filter(|_| !id.is_empty()),
        id => id.as_i64().filter(|id| *id != 0).map(|id| id.to_string().into()),
    }
}

fn id_number(value: &Value) -> Option<Value> {
    match value {
        Value::Array(ids) => ids.iter().map(id_number).collect::<Option<Vec<_>>>().map(Value::Array),
        id => id.as_str()?.parse::<i64>().ok().map(Value::from),
    }
}

fn parent_path(path: &str) -> Option<&str> {
    path.rsplit_once('/').filter(|_| path.starts_with('/')).map(|(parent, _)| parent)
}

fn last_segment(path: &str) -> Option<&str> {
    path.rsplit('/').next().filter(|last| !last.is_empty())
}

fn join(value: &Value, with: &str) -> Option<Value> {
    let items: Option<Vec<_>> = value.as_array()?.iter().map(Value::as_str).collect();
    Some(items?.join(with).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both_ways(transform: Transform, vendor: &Value, ours: &Value) {
        assert_eq!(transform.read(vendor).as_ref(), Some(ours), "{transform:?} reads");
        assert_eq!(transform.write(ours).as_ref(), Some(vendor), "{transform:?} writes");
    }

    #[test]
    fn simple_values_survive_both_directions() {
        both_ways(Transform::IntegerText, &json!("7"), &json!(7));
        both_ways(Transform::IdNumber, &json!(7), &json!("7"));
        both_ways(Transform::IdNumber, &json!([7, 8]), &json!(["7", "8"]));
        assert_eq!((Transform::IdNumber.read(&json!(0)), Transform::IdNumber.write(&json!("ada"))), (None, None));
        assert_eq!(Transform::NotEmpty.read(&json!("")), None);
        assert_eq!(Transform::DecimalNumber.write(&json!({"minor_units": 1999, "currency": "EUR"})), Some(json!(19.99)));
        assert_eq!(Transform::Datetime.read(&json!("/Date(1539993600000+0000)/")), Some(json!("2018-10-20T00:00:00Z")));
        assert_eq!(Transform::Datetime.read(&json!("/Date(1552326816230)/")), Some(json!("2019-03-11T17:53:36.230Z")));
        assert_eq!((Transform::MonthName.read(&json!("April")), Transform::MonthName.read(&json!("4"))), (Some(json!(4)), None));
        let in_a_minute = Transform::SecondsFromNow.read(&json!(60)).expect("a moment");
        let seconds = |value: Option<Value>| value.and_then(|value| value.as_i64()).expect("seconds");
        let (then, now) = (Transform::Epoch.write(&in_a_minute), Transform::SecondsFromNow.write(&json!(0)));
        assert!((59..=60).contains(&(seconds(then) - seconds(now))));
        both_ways(Transform::NumberText, &json!("7.5"), &json!(7.5));
        both_ways(Transform::BooleanText, &json!("true"), &json!(true));
        both_ways(Transform::JsonText, &json!("{\"a\":1}"), &json!({"a": 1}));
        both_ways(Transform::Epoch, &json!(1_700_000_000), &json!("2023-11-14T22:13:20Z"));
        both_ways(Transform::EpochText, &json!("1700000000.000100"), &json!("2023-11-14T22:13:20.000100Z"));
        both_ways(Transform::Date, &json!("2026-11-21"), &json!("2026-11-21T00:00:00Z"));
        both_ways(Transform::JoinLines, &json!("a\nb"), &json!(["a", "b"]));
        both_ways(Transform::JoinComma, &json!("a,b"), &json!(["a", "b"]));
        both_ways(Transform::SlackText, &json!("a &lt;b&gt; &amp; c"), &json!("a <b> & c"));
        assert_eq!(Transform::Datetime.read(&json!("2026-11-21T10:00:00.000+0100")), Some(json!("2026-11-21T09:00:00Z")));
        assert_eq!(Transform::Datetime.read(&json!("2026-11-21T10:00:00.0000000")), Some(json!("2026-11-21T10:00:00Z")));
        assert_eq!(Transform::DurationSeconds.read(&json!("PT1M")), Some(json!(60)));
        assert_eq!(Transform::Not.write(&json!(true)), Some(json!(false)));
        for (path, parent, last) in [
            ("/a/b", Some("/a"), Some("b")),
            ("/a", Some(""), Some("a")),
            ("id:1", None, Some("id:1")),
            ("/a/", Some("/a"), None),
        ] {
            assert_eq!(Transform::ParentPath.write(&json!(path)), parent.map(Value::from), "{path}");
            assert_eq!(Transform::LastSegment.write(&json!(path)), last.map(Value::from), "{path}");
        }
        assert_eq!(Transform::OdataQuote.write(&json!("it's")), Some(json!("it''s")));
        assert_eq!(Transform::DoubleQuote.write(&json!(r#"a "b" \ c"#)), Some(json!(r#"a \"b\" \\ c"#)));
        for transform in [Transform::Epoch, Transform::EpochMillis, Transform::Date, Transform::Datetime, Transform::IntegerText]
        {
            assert_eq!(transform.read(&json!("nonsense")), None, "{transform:?}");
        }
    }

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
