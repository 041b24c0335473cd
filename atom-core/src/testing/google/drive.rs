//! Files: <https://developers.google.com/workspace/drive/api/reference/rest/v3/files>.

use super::{Shared, page, refuse, with_account};
use crate::crypto::{base64url, random};
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::header::{CONTENT_RANGE, CONTENT_TYPE, LOCATION, RANGE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::{SecondsFormat, Utc};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

type Params = HashMap<String, String>;

/// A piece is a multiple of this.
const PIECE: usize = 256 * 1024;
const FOLDER: &str = "application/vnd.google-apps.folder";

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/drive/v3/files", get(list).post(create))
        .route("/drive/v3/files/{id}", get(one).patch(change))
        .route("/upload/drive/v3/files", post(upload).put(piece).delete(cancel).layer(DefaultBodyLimit::max(64 * 1024 * 1024)))
}

async fn list(State(world): State<Shared>, headers: HeaderMap, Query(query): Query<Params>) -> Response {
    let found = with_account(&world, &headers, |_, account| {
        let q = query.get("q").map(String::as_str).unwrap_or_default();
        let Some(terms) = terms(q) else { return refuse(400, "invalid") };
        let fits = |file: &Value, content: &[u8]| terms.iter().all(|term| term.fits(file, content));
        let files: Vec<_> = account.files.iter().filter(|(file, content)| fits(file, content)).map(|(file, _)| file).collect();
        let (files, next) = page(&files, query.get("pageToken"), query.get("pageSize"), 100);
        let mut body = json!({"kind": "drive#fileList", "incompleteSearch": false, "files": files});
        if let Some(next) = next {
            body["nextPageToken"] = next.into();
        }
        Json(body).into_response()
    });
    found.unwrap_or_else(|refused| *refused)
}

async fn one(State(world): State<Shared>, headers: HeaderMap, Path(id): Path<String>, Query(query): Query<Params>) -> Response {
    let found = with_account(&world, &headers, |_, account| {
        let Some((file, content)) = account.files.iter().find(|(file, _)| file["id"] == id) else {
            return refuse(404, "notFound");
        };
        if query.get("alt").is_some_and(|alt| alt == "media") {
            let mime = file["mimeType"].as_str().unwrap_or_default().to_owned();
            return ([(CONTENT_TYPE, mime)], content.clone()).into_response();
        }
        Json(file.clone()).into_response()
    });
    found.unwrap_or_else(|refused| *refused)
}

/// <https://developers.google.com/workspace/drive/api/guides/manage-uploads#resumable>: begun with a description, which gives the address.
fn begin(account: &mut super::Account, headers: &HeaderMap, described: &[u8]) -> Response {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let Ok(described) = serde_json::from_slice::<Value>(described) else { return refuse(400, "badContent") };
    let size = text("x-upload-content-length").and_then(|size| size.parse().ok());
    let Some((size, host)) = size.zip(text("host")) else { return refuse(400, "badRequest") };
    let id = base64url(random::<18>().unwrap_or_default());
    let place = format!("http://{host}/upload/drive/v3/files?uploadType=resumable&upload_id={id}");
    account.uploads.insert(id, super::Resumable { described, size, content: Vec::new() });
    ([(LOCATION, place)], "").into_response()
}

/// A piece, or the question how far it came.
async fn piece(State(world): State<Shared>, headers: HeaderMap, Query(query): Query<Params>, body: Bytes) -> Response {
    let found = with_account(&world, &headers, |email, account| {
        let Some(id) = query.get("upload_id") else { return refuse(400, "badRequest") };
        let Some(upload) = account.uploads.get_mut(id) else { return refuse(404, "notFound") };
        let range = headers.get(CONTENT_RANGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let Some((part, whole)) = range.strip_prefix("bytes ").and_then(|range| range.split_once('/')) else {
            return refuse(400, "badRequest");
        };
        if whole.parse() != Ok(upload.size) {
            return refuse(400, "badRequest");
        }
        if let Some((from, last)) = part.split_once('-') {
            let (from, last) = (from.parse::<usize>(), last.parse::<usize>());
            let is_fine = from == Ok(upload.content.len()) && last == Ok(upload.content.len() + body.len() - 1);
            let is_last = upload.content.len() + body.len() == upload.size;
            if !is_fine || !(is_last || body.len().is_multiple_of(PIECE)) {
                return refuse(400, "badRequest");
            }
            upload.content.extend_from_slice(&body);
        }
        if upload.content.len() < upload.size {
            let mut answer = StatusCode::PERMANENT_REDIRECT.into_response();
            if let Some(last) = upload.content.len().checked_sub(1)
                && let Ok(range) = HeaderValue::from_str(&format!("bytes=0-{last}"))
            {
                answer.headers_mut().insert(RANGE, range);
            }
            return answer;
        }
        let Some(upload) = account.uploads.remove(id) else { return refuse(404, "notFound") };
        store(email, account, described_as(&upload.described), &upload.content)
    });
    found.unwrap_or_else(|refused| *refused)
}

fn store(email: &str, account: &mut super::Account, mut file: Value, content: &[u8]) -> Response {
    file["size"] = content.len().to_string().into();
    file["sha256Checksum"] = Sha256::digest(content).iter().map(|b| format!("{b:02x}")).collect::<String>().into();
    file["owners"] = owners(email);
    account.files.push((file.clone(), content.to_vec()));
    Json(file).into_response()
}

/// Google takes back what was not finished.
async fn cancel(State(world): State<Shared>, headers: HeaderMap, Query(query): Query<Params>) -> Response {
    let found =
        with_account(&world, &headers, |_, account| match query.get("upload_id").and_then(|id| account.uploads.remove(id)) {
            Some(_) => refuse(499, "cancelled"),
            None => refuse(404, "notFound"),
        });
    found.unwrap_or_else(|refused| *refused)
}

async fn upload(State(world): State<Shared>, headers: HeaderMap, Query(query): Query<Params>, body: Bytes) -> Response {
    let found = with_account(&world, &headers, |email, account| {
        if query.get("uploadType").is_some_and(|kind| kind == "resumable") {
            return begin(account, &headers, &body);
        }
        let parts = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).and_then(|kind| related(kind, &body));
        let (Some((described, mime, content)), Some("multipart")) = (parts, query.get("uploadType").map(String::as_str)) else {
            return refuse(400, "badContent");
        };
        let mut file = described_as(&described);
        if file.get("mimeType").is_none() {
            file["mimeType"] = mime.into();
        }
        store(email, account, file, content)
    });
    found.unwrap_or_else(|refused| *refused)
}

async fn create(State(world): State<Shared>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let found = with_account(&world, &headers, |email, account| {
        let mut file = described_as(&body);
        if file.get("mimeType").is_none() {
            file["mimeType"] = "application/octet-stream".into();
        }
        file["owners"] = owners(email);
        account.files.push((file.clone(), Vec::new()));
        Json(file).into_response()
    });
    found.unwrap_or_else(|refused| *refused)
}

/// A file is in one folder: <https://developers.google.com/workspace/drive/api/guides/folder#move-files>.
async fn change(
    State(world): State<Shared>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(query): Query<Params>,
    Json(body): Json<Value>,
) -> Response {
    let found = with_account(&world, &headers, |_, account| {
        let add = query.get("addParents");
        let is_folder = |(file, _): &(Value, Vec<u8>)| add.is_some_and(|add| file["id"] == *add && file["mimeType"] == FOLDER);
        if add.is_some_and(|add| add != "root") && !account.files.iter().any(is_folder) {
            return refuse(404, "notFound");
        }
        let Some((file, _)) = account.files.iter_mut().find(|(file, _)| file["id"] == id) else {
            return refuse(404, "notFound");
        };
        if body.get("parents").is_some() {
            return refuse(403, "fieldNotWritable");
        }
        if let Some(add) = add {
            let leaves = query.get("removeParents").is_some_and(|remove| file["parents"][0] == *remove);
            if !leaves && file["parents"][0] != *add {
                return refuse(403, "cannotAddParent");
            }
            file["parents"] = json!([add]);
        }
        for name in ["name", "mimeType", "trashed", "properties"] {
            if let Some(value) = body.get(name) {
                file[name] = value.clone();
            }
        }
        file["modifiedTime"] = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true).into();
        Json(file.clone()).into_response()
    });
    found.unwrap_or_else(|refused| *refused)
}

/// A new file, from the document that describes it.
fn described_as(described: &Value) -> Value {
    let id = base64url(random::<18>().unwrap_or_default());
    let now = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
    let parents = described.get("parents").filter(|p| p.as_array().is_some_and(|p| !p.is_empty())).cloned();
    let mut file = json!({
        "id": id,
        "name": described.get("name").cloned().unwrap_or_else(|| "Untitled".into()),
        "parents": parents.unwrap_or_else(|| json!(["root"])),
        "createdTime": now,
        "modifiedTime": now,
        "webViewLink": format!("https://drive.google.com/file/d/{id}/view"),
        "trashed": false,
    });
    if let Some(kind) = described.get("mimeType") {
        file["mimeType"] = kind.clone();
    }
    file
}

fn owners(email: &str) -> Value {
    json!([{"kind": "drive#user", "displayName": email.split('@').next(), "emailAddress": email, "me": true}])
}

/// The document, the content's type and the content of a `multipart/related` body.
fn related<'a>(content_type: &str, body: &'a [u8]) -> Option<(Value, String, &'a [u8])> {
    let boundary = content_type.strip_prefix("multipart/related;")?.trim().strip_prefix("boundary=")?.trim_matches('"');
    let find = |haystack: &[u8], needle: &str| haystack.windows(needle.len()).position(|w| w == needle.as_bytes());
    let split =
        |part: &'a [u8]| find(part, "\r\n\r\n").map(|at| (String::from_utf8_lossy(&part[..at]).into_owned(), &part[at + 4..]));
    let separator = format!("\r\n--{boundary}");
    let rest = body.strip_prefix(format!("--{boundary}\r\n").as_bytes())?;
    let at = find(rest, &separator)?;
    let (_, document) = split(&rest[..at])?;
    let (headers, content) = split(&rest[at + separator.len()..])?;
    let content = &content[..content.windows(separator.len()).rposition(|w| w == separator.as_bytes())?];
    let mime = headers.lines().find_map(|line| line.strip_prefix("content-type:").or_else(|| line.strip_prefix("Content-Type:")));
    Some((serde_json::from_slice(document).ok()?, mime.unwrap_or("application/octet-stream").trim().to_owned(), content))
}

/// The part of Drive's query language that is understood here.
enum Term {
    Trashed(bool),
    In(String),
    Text(String),
}

impl Term {
    fn fits(&self, file: &Value, content: &[u8]) -> bool {
        match self {
            Self::Trashed(trashed) => file["trashed"] == *trashed,
            Self::In(folder) => file["parents"].as_array().is_some_and(|p| p.iter().any(|p| p == folder)),
            Self::Text(text) => {
                let text = text.to_lowercase();
                let name = file["name"].as_str().unwrap_or_default().to_lowercase();
                name.contains(&text) || String::from_utf8_lossy(content).to_lowercase().contains(&text)
            }
        }
    }
}

fn terms(q: &str) -> Option<Vec<Term>> {
    let mut terms = Vec::new();
    let mut rest = q.trim();
    while !rest.is_empty() {
        let (term, after) = if let Some(after) = rest.strip_prefix("trashed = ") {
            let (value, after) = after.split_at(after.find(' ').unwrap_or(after.len()));
            (Term::Trashed(value.parse().ok()?), after)
        } else if let Some(after) = rest.strip_prefix("fullText contains ") {
            let (text, after) = quoted(after)?;
            (Term::Text(text), after)
        } else {
            let (text, after) = quoted(rest)?;
            (Term::In(text), after.strip_prefix(" in parents")?)
        };
        terms.push(term);
        rest = match after.strip_prefix(" and ") {
            Some(more) => more,
            None if after.is_empty() => "",
            None => return None,
        };
    }
    Some(terms)
}

fn quoted(text: &str) -> Option<(String, &str)> {
    let inside = text.strip_prefix('\'')?;
    let mut out = String::new();
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            c if escaped => {
                out.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '\'' => return Some((out, &inside[at + 1..])),
            c => out.push(c),
        }
    }
    None
}
