//! What the vendor answers to a right request.

use super::{Expected, Recorded, Reply, World, json, raw};
use crate::description::{self, Origin};
use crate::manifest::fulfil;
use crate::place;
use axum::response::Response;
use serde_json::{Value, json};
use url::form_urlencoded;

/// The query name by which the double knows a next page's URL again.
pub(crate) const NEXT: &str = "conformance_next";
/// The cursor of a second page.
pub(crate) const CURSOR: &str = "cursor-2";

pub(super) fn of(world: &World, expected: &Expected, request: &Recorded, reply: Reply) -> Response {
    let operation = &expected.operation;
    match reply {
        Reply::Error { status, headers, body } => json(status, &headers, &body),
        Reply::Refusal => {
            let (status, mut body) = (200, json!({}));
            world.manifest.refuse(operation, &mut body);
            world.manifest.put_code(&mut body, "conformance_refusal");
            json(status, &[], &body)
        }
        Reply::Answer { .. } if operation.answer() == "bytes" => raw(200, "application/octet-stream", &[], b"hello".to_vec()),
        Reply::Answer { .. } if operation.answer() == "text" => raw(200, "text/plain", &[], b"hello".to_vec()),
        Reply::Answer { more } => {
            let (status, mut body, _) = sample(world, expected, request);
            let mut headers = Vec::new();
            let has_body = !body.is_null();
            prepare(world, expected, request, more, &mut body, &mut headers);
            if has_body || operation.answer() == "json" {
                json(status, &headers, &body)
            } else {
                raw(status, "text/plain", &headers, Vec::new())
            }
        }
        Reply::Truncated => {
            let (status, mut body, _) = sample(world, expected, request);
            prepare(world, expected, request, false, &mut body, &mut Vec::new());
            let text = body.to_string();
            let half = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
            raw(status, "application/json", &[], text.as_bytes()[..half].to_vec())
        }
    }
}

/// The best answer that the descriptions have.
pub(crate) fn sample(world: &World, expected: &Expected, request: &Recorded) -> (u16, Value, Origin) {
    if let Some(service) = world.descriptions.graphql.as_ref().filter(|_| expected.operation.is_graphql()) {
        let body = serde_json::from_slice(&request.body).unwrap_or_default();
        return (200, service.answer(&body), Origin::Synthetic);
    }
    let by_path = expected.described.iter().map(|operation| format!("{} {}", operation.method, operation.path));
    let elsewhere =
        by_path.flat_map(|name| world.descriptions.answers.iter().flat_map(move |description| description.find(&name)));
    let candidates = elsewhere.chain(expected.described.iter().cloned());
    let mut found: Vec<_> = candidates.filter_map(|operation| description::answer(&operation, '2')).collect();
    found.sort_by_key(|(_, value, origin)| (value.is_null(), *origin));
    let best = found.into_iter().next().unwrap_or((200, Value::Null, Origin::Synthetic));
    let is_empty = |value: &Value| value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty);
    let items = expected.operation.items().and_then(|path| place::get(&best.1, path)?.as_array());
    // A list of things of which nothing is said is as silent as no answer.
    let is_silent = is_empty(&best.1) || items.is_some_and(|items| items.iter().all(is_empty));
    match expected.operation.answer_by_table().filter(|_| is_silent && expected.operation.answer() == "json") {
        Some(body) => (best.0, body, Origin::Ours),
        None => best,
    }
}

/// Makes a sample one that fits the manifest: a list with items, a success, the page that is wanted.
fn prepare(
    world: &World,
    expected: &Expected,
    request: &Recorded,
    more: bool,
    body: &mut Value,
    headers: &mut Vec<(String, String)>,
) {
    let operation = &expected.operation;
    if body.is_null() {
        *body = json!({});
    }
    if let Some(path) = operation.table["item"].as_str() {
        let item = place::slot(body, path);
        if item.is_null() {
            *item = json!({ "id": "a1b2c3d4" });
        }
    }
    if let Some(path) = operation.items() {
        let list = place::slot(body, path);
        if let Some(items) = list.as_array_mut() {
            items.iter_mut().for_each(|item| fulfil(&operation.table["items_where"], item, true));
        }
    }
    if let Some(pages) = operation.pages() {
        turn(world, expected, request, &pages, more, body, headers);
    }
    world.manifest.succeed(Some(operation), body);
}

/// Says that another page follows, or that none does, in the way that the manifest reads.
fn turn(
    world: &World,
    expected: &Expected,
    request: &Recorded,
    pages: &Value,
    more: bool,
    body: &mut Value,
    headers: &mut Vec<(String, String)>,
) {
    let next = pages["next"].as_str();
    let url = || {
        let base = world.origin(&expected.operation.base_url);
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&request.query).append_pair(NEXT, "2").finish();
        format!("{base}{}?{query}", request.path)
    };
    match (pages["by"].as_str().unwrap_or_default(), next) {
        ("link", _) if more => headers.push(("link".into(), format!("<{}>; rel=\"next\"", url()))),
        ("url", Some(next)) if more => place::set(body, next, url().into()),
        ("cursor", Some(next)) if more => place::set(body, next, CURSOR.into()),
        ("url" | "cursor", Some(next)) => place::remove(body, next),
        ("offset" | "page" | "last", _) => {
            let path = expected.operation.items().unwrap_or_default();
            if let Some(items) = place::slot(body, path).as_array_mut()
                && let Some(first) = items.first().cloned()
            {
                *items = vec![first; if more { 2 } else { 1 }];
            }
            for (key, value) in [("total", if more { 3 } else { 1 }), ("pages", if more { 2 } else { 1 })] {
                if let Some(path) = pages[key].as_str() {
                    place::set(body, path, value.into());
                }
            }
        }
        _ => {}
    }
    fulfil(&pages["more"], body, more);
}

impl World {
    /// Scheme and host of a URL of the manifest, with its placeholders filled.
    pub(crate) fn origin(&self, template: &str) -> String {
        let filled = self.inputs.filled(&self.manifest.name, template);
        let end = filled
            .split_once("://")
            .map_or(filled.len(), |(scheme, rest)| scheme.len() + 3 + rest.find('/').unwrap_or(rest.len()));
        filled[..end].to_owned()
    }
}
