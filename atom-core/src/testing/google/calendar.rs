//! Events: <https://developers.google.com/workspace/calendar/api/v3/reference/events>.

use super::{Shared, page, refuse, with_account};
use crate::crypto::random;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde_json::{Value, json};
use std::collections::HashMap;

type Params = HashMap<String, String>;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/calendar/v3/users/me/calendarList", get(calendars))
        .route("/calendar/v3/calendars/{calendar}/events", get(list).post(insert))
        .route("/calendar/v3/calendars/{calendar}/events/{id}", get(one).patch(change).delete(cancel))
}

/// When something starts or ends, as a moment to compare.
fn moment(at: &Value) -> Option<DateTime<Utc>> {
    match (at["dateTime"].as_str(), at["date"].as_str()) {
        (Some(text), _) => DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc()),
        (None, Some(day)) => NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0).map(|at| at.and_utc()),
        _ => None,
    }
}

async fn calendars(State(world): State<Shared>, headers: HeaderMap) -> Response {
    let found = with_account(&world, &headers, |email, _| {
        let main = json!({
            "kind": "calendar#calendarListEntry", "id": email, "summary": email, "timeZone": "UTC", "primary": true, "accessRole": "owner"
        });
        Json(json!({"kind": "calendar#calendarList", "items": [main]})).into_response()
    });
    found.unwrap_or_else(|refused| *refused)
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
            event["status"] != "cancelled"
                && after.is_none_or(|after| moment(&event["end"]).is_some_and(|end| end > after))
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

async fn one(State(world): State<Shared>, headers: HeaderMap, Path((calendar, id)): Path<(String, String)>) -> Response {
    with_event(&world, &headers, &calendar, &id, |event| Json(event.clone()).into_response())
}

/// What is given replaces what is there; an object is changed member by member, and null takes a member away.
async fn change(
    State(world): State<Shared>,
    headers: HeaderMap,
    Path((calendar, id)): Path<(String, String)>,
    Json(body): Json<Value>,
) -> Response {
    with_event(&world, &headers, &calendar, &id, |event| {
        let mut changed = event.clone();
        merge(&mut changed, &body);
        let both = |at: &Value| at.get("date").is_some() && at.get("dateTime").is_some();
        let (Some(start), Some(end)) = (moment(&changed["start"]), moment(&changed["end"])) else {
            return refuse(400, "required");
        };
        if both(&changed["start"])
            || both(&changed["end"])
            || changed["start"].get("date").is_some() != changed["end"].get("date").is_some()
        {
            return refuse(400, "invalid");
        }
        if end < start {
            return refuse(400, "timeRangeEmpty");
        }
        changed["updated"] = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true).into();
        *event = changed;
        Json(event.clone()).into_response()
    })
}

async fn cancel(State(world): State<Shared>, headers: HeaderMap, Path((calendar, id)): Path<(String, String)>) -> Response {
    with_event(&world, &headers, &calendar, &id, |event| {
        if event["status"] == "cancelled" {
            return refuse(410, "deleted");
        }
        event["status"] = "cancelled".into();
        StatusCode::NO_CONTENT.into_response()
    })
}

fn with_event(
    world: &Shared,
    headers: &HeaderMap,
    calendar: &str,
    id: &str,
    work: impl FnOnce(&mut Value) -> Response,
) -> Response {
    let found = with_account(world, headers, |email, account| {
        let events = Some(&mut account.events).filter(|_| calendar == "primary" || calendar == email);
        match events.and_then(|events| events.iter_mut().find(|event| event["id"] == id)) {
            Some(event) => work(event),
            None => refuse(404, "notFound"),
        }
    });
    found.unwrap_or_else(|refused| *refused)
}

/// RFC 7396.
fn merge(target: &mut Value, patch: &Value) {
    let (Value::Object(members), Value::Object(changes)) = (&mut *target, patch) else {
        *target = patch.clone();
        return;
    };
    for (name, change) in changes {
        if change.is_null() {
            members.remove(name);
        } else {
            merge(members.entry(name.clone()).or_insert(Value::Null), change);
        }
    }
}
