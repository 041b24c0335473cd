//! Events: <https://developers.google.com/workspace/calendar/api/v3/reference/events>.

use super::{Shared, page, refuse, with_account};
use crate::crypto::random;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde_json::{Value, json};
use std::collections::HashMap;

type Params = HashMap<String, String>;

pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/calendar/v3/calendars/{calendar}/events", get(list).post(insert))
}

/// When something starts or ends, as a moment to compare.
fn moment(at: &Value) -> Option<DateTime<Utc>> {
    match (at["dateTime"].as_str(), at["date"].as_str()) {
        (Some(text), _) => DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc()),
        (None, Some(day)) => NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0).map(|at| at.and_utc()),
        _ => None,
    }
}

async fn list(
    State(world): State<Shared>,
    headers: HeaderMap,
    Path(calendar): Path<String>,
    Query(query): Query<Params>,
) -> Response {
    let found = with_account(&world, &headers, |email, account| {
        if calendar != "primary" && calendar != email {
            return refuse(404, "notFound");
        }
        if query.get("orderBy").is_some_and(|by| by == "startTime")
            && query.get("singleEvents").is_none_or(|single| single != "true")
        {
            return refuse(400, "badRequest");
        }
        let bound = |name: &str| query.get(name).map(|text| DateTime::parse_from_rfc3339(text).map(|at| at.to_utc())).transpose();
        let (Ok(after), Ok(before)) = (bound("timeMin"), bound("timeMax")) else { return refuse(400, "badRequest") };
        let text = query.get("q").map(|q| q.to_lowercase());
        let fits = |event: &&Value| {
            after.is_none_or(|after| moment(&event["end"]).is_some_and(|end| end > after))
                && before.is_none_or(|before| moment(&event["start"]).is_some_and(|start| start < before))
                && text.as_ref().is_none_or(|text| event.to_string().to_lowercase().contains(text))
        };
        let mut events: Vec<_> = account.events.iter().filter(fits).collect();
        events.sort_by_key(|event| moment(&event["start"]));
        let (events, next) = page(&events, query.get("pageToken"), query.get("maxResults"), 250);
        let mut body = json!({"kind": "calendar#events", "summary": email, "timeZone": "UTC", "items": events});
        if let Some(next) = next {
            body["nextPageToken"] = next.into();
        }
        Json(body).into_response()
    });
    found.unwrap_or_else(|refused| *refused)
}

async fn insert(
    State(world): State<Shared>,
    headers: HeaderMap,
    Path(calendar): Path<String>,
    Json(body): Json<Value>,
) -> Response {
    let found = with_account(&world, &headers, |email, account| {
        if calendar != "primary" && calendar != email {
            return refuse(404, "notFound");
        }
        let (Some(start), Some(end)) = (moment(&body["start"]), moment(&body["end"])) else { return refuse(400, "required") };
        if end < start {
            return refuse(400, "timeRangeEmpty");
        }
        let id = random::<13>().unwrap_or_default().iter().map(|b| char::from(b'a' + b % 22)).collect::<String>();
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let mut event = body.clone();
        for (name, value) in [
            ("kind", json!("calendar#event")),
            ("id", json!(id)),
            ("status", json!("confirmed")),
            ("htmlLink", json!(format!("https://www.google.com/calendar/event?eid={id}"))),
            ("created", json!(now)),
            ("updated", json!(now)),
            ("organizer", json!({"email": email, "self": true})),
        ] {
            event[name] = value;
        }
        for attendee in event["attendees"].as_array_mut().into_iter().flatten() {
            if attendee.get("responseStatus").is_none() {
                attendee["responseStatus"] = json!("needsAction");
            }
        }
        account.events.push(event.clone());
        Json(event).into_response()
    });
    found.unwrap_or_else(|refused| *refused)
}
