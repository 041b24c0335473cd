//! Messages: <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages>.

use super::{Shared, page, refuse, with_account};
use crate::crypto::{base64url, from_base64url, random};
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::Utc;
use serde_json::{Value, json};
use std::collections::HashMap;

type Params = HashMap<String, String>;

/// <https://developers.google.com/workspace/gmail/api/guides/labels>.
const LABELS: &[&str] = &["INBOX", "SENT", "DRAFT", "TRASH", "SPAM", "UNREAD", "STARRED", "IMPORTANT"];

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/gmail/v1/users/me/messages", get(list))
        .route("/gmail/v1/users/me/messages/send", post(send))
        .route("/gmail/v1/users/me/messages/{id}", get(one))
        .route("/gmail/v1/users/me/messages/{id}/modify", post(modify))
        .route("/gmail/v1/users/me/messages/{id}/trash", post(trash))
        .route("/gmail/v1/users/me/labels", get(labels))
}

async fn list(State(world): State<Shared>, headers: HeaderMap, Query(query): Query<Params>) -> Response {
    let found = with_account(&world, &headers, |_, account| {
        let text = query.get("q").map(|q| q.to_lowercase());
        let has =
            |message: &Value, label: &str| message["labelIds"].as_array().is_some_and(|ids| ids.iter().any(|id| id == label));
        let fits = |message: &Value| {
            let asked = query.get("labelIds").map(String::as_str);
            let shown = asked == Some("TRASH") || !has(message, "TRASH");
            shown
                && asked.is_none_or(|label| has(message, label))
                && text.as_ref().is_none_or(|t| message.to_string().to_lowercase().contains(t))
        };
        let ids: Vec<_> = account
            .messages
            .iter()
            .rev()
            .filter(|m| fits(m))
            .map(|m| json!({"id": m["id"], "threadId": m["threadId"]}))
            .collect();
        let (ids, next) = page(&ids, query.get("pageToken"), query.get("maxResults"), 100);
        let mut body = json!({"resultSizeEstimate": ids.len()});
        if !ids.is_empty() {
            body["messages"] = ids.into();
        }
        if let Some(next) = next {
            body["nextPageToken"] = next.into();
        }
        Json(body).into_response()
    });
    found.unwrap_or_else(|refused| *refused)
}

async fn one(State(world): State<Shared>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    let found = with_account(&world, &headers, |_, account| match account.messages.iter().find(|m| m["id"] == id) {
        Some(message) => Json(message.clone()).into_response(),
        None => refuse(404, "notFound"),
    });
    found.unwrap_or_else(|refused| *refused)
}

async fn labels(State(world): State<Shared>, headers: HeaderMap) -> Response {
    let found = with_account(&world, &headers, |_, _| {
        let labels: Vec<_> = LABELS.iter().map(|name| json!({"id": name, "name": name, "type": "system"})).collect();
        Json(json!({ "labels": labels })).into_response()
    });
    found.unwrap_or_else(|refused| *refused)
}

async fn modify(State(world): State<Shared>, headers: HeaderMap, Path(id): Path<String>, Json(body): Json<Value>) -> Response {
    let listed = |name: &str| body[name].as_array().cloned().unwrap_or_default();
    relabel(&world, &headers, &id, &listed("addLabelIds"), &listed("removeLabelIds"))
}

async fn trash(State(world): State<Shared>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    relabel(&world, &headers, &id, &["TRASH".into()], &["INBOX".into()])
}

/// Answers the ids and the labels only, as Gmail does.
fn relabel(world: &Shared, headers: &HeaderMap, id: &str, add: &[Value], remove: &[Value]) -> Response {
    let found = with_account(world, headers, |_, account| {
        if add.iter().chain(remove).any(|label| !label.as_str().is_some_and(|label| LABELS.contains(&label))) {
            return refuse(400, "invalidArgument");
        }
        let Some(message) = account.messages.iter_mut().find(|m| m["id"] == id) else { return refuse(404, "notFound") };
        let mut labels = message["labelIds"].as_array().cloned().unwrap_or_default();
        labels.retain(|label| !remove.contains(label) && !add.contains(label));
        labels.extend_from_slice(add);
        message["labelIds"] = labels.clone().into();
        Json(json!({"id": message["id"], "threadId": message["threadId"], "labelIds": labels})).into_response()
    });
    found.unwrap_or_else(|refused| *refused)
}

async fn send(State(world): State<Shared>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let found = with_account(&world, &headers, |email, account| {
        let mime = body["raw"].as_str().and_then(from_base64url).and_then(|bytes| String::from_utf8(bytes).ok());
        let Some((head, content)) = mime.as_deref().and_then(|m| m.split_once("\r\n\r\n")) else {
            return refuse(400, "invalidArgument");
        };
        // RFC 5322 §2.2.3: a line that starts with a space continues the one before.
        let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        let mut listed: Vec<_> =
            unfolded.lines().filter_map(|line| line.split_once(": ")).map(|(n, v)| json!({"name": n, "value": v})).collect();
        let has = |name: &str| listed.iter().any(|h| h["name"].as_str().is_some_and(|n| n.eq_ignore_ascii_case(name)));
        if !has("To") {
            return refuse(400, "invalidArgument");
        }
        if !has("From") {
            listed.push(json!({"name": "From", "value": email}));
        }
        let kind = listed
            .iter()
            .find(|h| h["name"] == "Content-Type")
            .and_then(|h| h["value"].as_str())
            .unwrap_or("text/plain")
            .to_owned();
        let payload = if let Some((_, boundary)) = kind.split_once("boundary=\"") {
            let boundary = boundary.split('"').next().unwrap_or_default();
            let parts: Vec<_> = content.split(&format!("--{boundary}")).filter_map(part).collect();
            json!({"mimeType": "multipart/alternative", "headers": listed, "parts": parts, "body": {"size": 0}})
        } else {
            json!({"mimeType": "text/plain", "headers": listed, "body": {"size": content.len(), "data": base64url(decoded(head, content))}})
        };
        let id = random::<8>().unwrap_or_default().iter().map(|b| format!("{b:02x}")).collect::<String>();
        let thread = body["threadId"].as_str().unwrap_or(&id).to_owned();
        let preview: String = content.chars().take(100).collect();
        account.messages.push(json!({
            "id": id, "threadId": thread, "labelIds": ["SENT"], "snippet": preview,
            "internalDate": Utc::now().timestamp_millis().to_string(), "payload": payload, "sizeEstimate": content.len()
        }));
        Json(json!({"id": id, "threadId": thread, "labelIds": ["SENT"]})).into_response()
    });
    found.unwrap_or_else(|refused| *refused)
}

fn part(text: &str) -> Option<Value> {
    let (head, content) = text.trim_start().split_once("\r\n\r\n")?;
    let kind = head.lines().find_map(|line| line.strip_prefix("Content-Type: "))?;
    let mime = kind.split(';').next()?.trim();
    Some(json!({"mimeType": mime, "filename": "", "body": {"data": base64url(decoded(head, content.trim_end()))}}))
}

/// Undoes the transfer encoding, as Gmail does before it shows a part.
fn decoded(head: &str, content: &str) -> Vec<u8> {
    let encoding = head.lines().find_map(|line| line.strip_prefix("Content-Transfer-Encoding: ")).unwrap_or("7bit");
    match encoding.trim() {
        "base64" => {
            use base64::Engine;
            let joined: String = content.split_whitespace().collect();
            base64::engine::general_purpose::STANDARD.decode(joined).unwrap_or_default()
        }
        "quoted-printable" => quoted_printable(content),
        _ => content.as_bytes().to_vec(),
    }
}

/// RFC 2045 §6.7.
fn quoted_printable(content: &str) -> Vec<u8> {
    let joined = content.replace("=\r\n", "");
    let (mut out, mut rest) = (Vec::new(), joined.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'=').then(|| after.get(..2)).flatten();
        let byte = escaped.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        out.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    out
}
