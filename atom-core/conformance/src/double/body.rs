//! Bodies as they stand on the wire.

use crate::description::schema::{member, types};
use serde_json::{Map, Value};
use url::form_urlencoded;

/// A body, taken apart.
pub(super) enum Payload {
    None,
    Json(Value),
    Form(Value),
    /// Names of the parts of `multipart/form-data`, and those that are JSON.
    Parts(Vec<(String, Option<Value>)>),
    Bytes,
}

/// Takes a body apart by its media type.
pub(super) fn decode(content_type: &str, body: &[u8]) -> Result<Payload, String> {
    let media = content_type.split(';').next().unwrap_or_default().trim().to_lowercase();
    if body.is_empty() && media.is_empty() {
        return Ok(Payload::None);
    }
    if media == "application/json" || media.ends_with("+json") {
        return serde_json::from_slice(body).map(Payload::Json).map_err(|e| format!("the body is no JSON: {e}"));
    }
    if media == "application/x-www-form-urlencoded" {
        return Ok(Payload::Form(form(form_urlencoded::parse(body).into_owned())));
    }
    if media.starts_with("multipart/") {
        let boundary = content_type.split("boundary=").nth(1).ok_or("multipart without a boundary")?;
        let parts = parts(body, boundary.trim_matches('"'))?;
        if media == "multipart/related" {
            let json = parts.into_iter().next().and_then(|(_, json)| json);
            return json.map(Payload::Json).ok_or_else(|| "the first part of multipart/related is no JSON".to_owned());
        }
        return Ok(Payload::Parts(parts));
    }
    Ok(Payload::Bytes)
}

fn parts(body: &[u8], boundary: &str) -> Result<Vec<(String, Option<Value>)>, String> {
    let text = String::from_utf8_lossy(body);
    let mut found = Vec::new();
    for part in text.split(&format!("--{boundary}")).skip(1).filter(|part| !part.starts_with("--")) {
        let (head, content) =
            part.trim_start_matches("\r\n").split_once("\r\n\r\n").ok_or("a part without an empty line after its head")?;
        let name = head.split("name=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        let json = serde_json::from_str(content.trim_end_matches("\r\n")).ok().filter(|value: &Value| value.is_object());
        found.push((name.to_owned(), json));
    }
    Ok(found)
}

/// A flat form whose names say how deep its values are: `metadata[k]=v`, `items[0][price]=x`, `expand[]=y`.
pub(super) fn form(pairs: impl Iterator<Item = (String, String)>) -> Value {
    let mut root = Value::Object(Map::new());
    for (name, value) in pairs {
        let mut at = &mut root;
        let mut keys = name.split('[').map(|key| key.trim_end_matches(']'));
        at = &mut at[keys.next().unwrap_or_default()];
        for key in keys {
            if key.is_empty() || key.parse::<usize>().is_ok() {
                if !at.is_array() {
                    *at = Value::Array(Vec::new());
                }
                let Value::Array(items) = at else { break };
                let index = key.parse().unwrap_or(items.len());
                if items.len() <= index {
                    items.resize(index + 1, Value::Null);
                }
                at = &mut items[index];
            } else {
                if !at.is_object() {
                    *at = Value::Object(Map::new());
                }
                at = &mut at[key];
            }
        }
        // A name that comes again makes a list.
        *at = match at.take() {
            Value::Null => Value::String(value),
            Value::Array(mut items) => {
                items.push(Value::String(value));
                Value::Array(items)
            }
            first => Value::Array(vec![first, Value::String(value)]),
        };
    }
    root
}

/// A form has texts only: numbers and flags where the schema wants them.
pub(super) fn coerce(doc: &Value, schemas: &[&Value], value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let typed = members.into_iter().map(|(name, value)| {
                let declared = member(doc, schemas, &name);
                let value = coerce(doc, &declared, value);
                (name, value)
            });
            Value::Object(typed.collect())
        }
        Value::Array(items) => {
            let inner: Vec<&Value> = schemas.iter().flat_map(|s| crate::description::schema::alternatives(doc, s)).collect();
            let inner: Vec<&Value> = inner.into_iter().filter_map(|schema| schema.get("items")).collect();
            items.into_iter().map(|item| coerce(doc, &inner, item)).collect()
        }
        Value::String(text) => {
            let types: Vec<String> = schemas.iter().flat_map(|schema| types(doc, schema)).collect();
            typed(&types, &text)
        }
        other => other,
    }
}

/// A text as what one of the types makes of it.
pub(super) fn typed(types: &[String], text: &str) -> Value {
    let is = |kind: &str| types.iter().any(|t| t == kind);
    match text {
        "true" | "false" if is("boolean") => Value::Bool(text == "true"),
        _ if is("integer") && text.parse::<i64>().is_ok() => Value::from(text.parse::<i64>().unwrap_or_default()),
        _ if is("number") && text.parse::<f64>().is_ok() => Value::from(text.parse::<f64>().unwrap_or_default()),
        _ => Value::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_names_of_a_form_say_how_deep_its_values_are() {
        let pairs = [("a", "1"), ("m[k]", "v"), ("items[0][price]", "x"), ("items[1][price]", "y"), ("e[]", "p"), ("e[]", "q")];
        let form = form(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(form, json!({"a": "1", "m": {"k": "v"}, "items": [{"price": "x"}, {"price": "y"}], "e": ["p", "q"]}));
        let schema = json!({"properties": {"a": {"type": "integer"}}});
        assert_eq!(coerce(&json!({}), &[&schema], json!({"a": "1", "b": "2"})), json!({"a": 1, "b": "2"}));
    }
}
