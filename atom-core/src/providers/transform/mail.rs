//! Addresses and bodies of mail.

use crate::crypto::from_base64url;
use serde_json::{Value, json};

/// How deep a MIME tree is followed.
const MAX_PARTS_DEPTH: usize = 32;

/// The body of the first part of this type, depth first: <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages#MessagePart>.
pub(super) fn gmail_body(part: &Value, mime: &str, depth: usize) -> Option<String> {
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
pub(super) fn split_addresses(text: &str) -> impl Iterator<Item = &str> {
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

pub(super) fn address(text: &str) -> Value {
    match text.rsplit_once('<').and_then(|(name, rest)| Some((name.trim(), rest.strip_suffix('>')?.trim()))) {
        Some((name, email)) => {
            let name = name.trim_matches('"').replace("\\\"", "\"");
            json!({"email": email, "name": (!name.is_empty()).then_some(name)})
        }
        None => json!({"email": text, "name": null}),
    }
}

/// Microsoft's recipients as ours: <https://learn.microsoft.com/graph/api/resources/recipient>.
pub(super) fn from_graph(value: &Value) -> Option<Value> {
    let one = |item: &Value| {
        let address = item.get("emailAddress")?;
        Some(json!({"email": address.get("address")?, "name": address.get("name")}))
    };
    match value {
        Value::Array(items) => Some(items.iter().filter_map(one).collect()),
        item => one(item),
    }
}

/// Ours as Microsoft's: texts such as `Ada <ada@example.com>`, or names with addresses.
pub(super) fn to_graph(value: &Value) -> Option<Value> {
    let one = |item: &Value| {
        let ours = item.as_str().map_or_else(|| item.clone(), address);
        let mut theirs = json!({"address": ours.get("email")?});
        if let Some(name) = ours.get("name").filter(|name| !name.is_null()) {
            theirs["name"] = name.clone();
        }
        Some(json!({ "emailAddress": theirs }))
    };
    match value {
        Value::Array(items) => items.iter().map(one).collect::<Option<Vec<_>>>().map(Value::Array),
        item => one(item),
    }
}
/// The parts that are files, in their order.
pub(super) fn gmail_attachments(payload: &Value) -> Value {
    fn walk(part: &Value, found: &mut Vec<Value>, depth: usize) {
        if let Some(name) = part.get("filename").and_then(Value::as_str).filter(|name| !name.is_empty()) {
            let body = |member: &str| part.get("body").and_then(|body| body.get(member));
            found
                .push(json!({"id": body("attachmentId"), "name": name, "mime_type": part.get("mimeType"), "size": body("size")}));
        }
        if depth < MAX_PARTS_DEPTH {
            for inner in part.get("parts").and_then(Value::as_array).into_iter().flatten() {
                walk(inner, found, depth + 1);
            }
        }
    }
    let mut found = Vec::new();
    walk(payload, &mut found, 0);
    found.into()
}

/// Whether a message is unread is a label.
pub(super) fn gmail_labels(is_unread: bool) -> Value {
    if is_unread { json!(["UNREAD"]) } else { json!([]) }
}
