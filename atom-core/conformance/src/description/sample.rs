//! Answers, out of what a description has: a vendor's example, else one that is put together from examples of properties and from types.

use super::Operation;
use super::schema::deref;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Where an answer comes from, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// The vendor's own.
    Example,
    /// Put together from the vendor's examples of single fields.
    Fields,
    /// Of types and names alone.
    Synthetic,
    /// The description is silent: what our own table reads.
    Ours,
}

/// Objects deeper than this stay empty.
const DEPTH: usize = 7;

/// Makes the same value of the same schema every time.
pub(crate) struct Sampler<'a> {
    doc: &'a Value,
    examples: usize,
    invented: usize,
}

/// The answer of an operation with a status of this class, if the description has one.
pub(crate) fn answer(operation: &Operation, class: char) -> Option<(u16, Value, Origin)> {
    let doc = operation.doc();
    let mut answers = operation.answers(class);
    // These mean something of their own.
    answers.retain(|(status, _)| !matches!(status, 401 | 408 | 429));
    for (status, answer) in &answers {
        if let Some(example) = media(answer).and_then(|media| example(doc, media)) {
            return Some((*status, example, Origin::Example));
        }
    }
    let (status, answer) = answers.iter().find(|(_, answer)| media(answer).is_some()).or(answers.first())?;
    let Some(schema) = media(answer).and_then(|media| media.get("schema")) else {
        return Some((*status, Value::Null, Origin::Synthetic));
    };
    let mut sampler = Sampler { doc, examples: 0, invented: 0 };
    let value = sampler.value(schema, "", 0);
    let origin = if sampler.examples > sampler.invented / 4 { Origin::Fields } else { Origin::Synthetic };
    Some((*status, value, origin))
}

fn media(answer: &Value) -> Option<&Value> {
    let content = answer["content"].as_object()?;
    content.iter().find(|(kind, _)| kind.contains("json")).map(|(_, media)| media)
}

/// The vendor's example of an answer. Some write the JSON as a text.
fn example(doc: &Value, media: &Value) -> Option<Value> {
    let named = media["examples"].as_object().and_then(|all| all.values().next()).map(|first| &deref(doc, first)["value"]);
    let found = media.get("example").or(named).or_else(|| deref(doc, media.get("schema")?).get("example"))?;
    let mut found = deref(doc, found);
    // Some wrap it once more.
    let is_wrapping = |key: &String| key.starts_with("x-") || matches!(key.as_str(), "value" | "summary" | "description");
    if let Some(inner) =
        found.as_object().filter(|members| members.keys().all(is_wrapping)).and_then(|members| members.get("value"))
    {
        found = deref(doc, inner);
    }
    let parsed = found.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    Some(parsed.unwrap_or_else(|| found.clone())).filter(|value| value.is_object() || value.is_array())
}

impl Sampler<'_> {
    fn value(&mut self, schema: &Value, name: &str, depth: usize) -> Value {
        let chosen = settled(self.doc, schema);
        let types = types(&chosen);
        if let Some(example) = chosen.iter().find_map(|schema| schema.get("example").filter(|e| !e.is_null())) {
            // The bundler of one package wrote its own build moment for every date.
            let is_built = example.as_str().is_some_and(|text| text.starts_with("2025-10-15T13:5"));
            if !is_built && fits(&types, example) {
                self.examples += 1;
                return example.clone();
            }
        }
        let fixed = |s: &&Value| s.get("const").or_else(|| s.get("enum")?.as_array()?.iter().find(|v| !v.is_null())).cloned();
        if let Some(value) = chosen.iter().find_map(fixed) {
            return value;
        }
        let is = |kind: &str| types.iter().any(|t| t == kind);
        let has = |key: &str| chosen.iter().any(|schema| schema.get(key).is_some());
        // Where a text may stand for an object of which nothing is known, it does: a reference that is not expanded.
        let is_reference = is("string") && !has("properties");
        if (is("object") && !is_reference) || (types.is_empty() && has("properties")) {
            return self.object(&chosen, depth);
        }
        if is("array") || (types.is_empty() && has("items")) {
            let items = chosen.iter().find_map(|schema| schema.get("items"));
            let item = items.filter(|_| depth <= DEPTH).map(|items| self.value(items, singular(name), depth + 1));
            return item.into_iter().collect();
        }
        self.invented += 1;
        let format = chosen.iter().find_map(|schema| schema.get("format")?.as_str());
        scalar(&types, format.unwrap_or_default(), name)
    }

    fn object(&mut self, chosen: &[&Value], depth: usize) -> Value {
        let mut out = Map::new();
        let declared = chosen.iter().filter_map(|schema| schema.get("properties")?.as_object()).flatten();
        let declared: BTreeMap<&String, &Value> = declared.collect();
        for (name, schema) in declared.into_iter().filter(|_| depth <= DEPTH) {
            let value = self.value(schema, name, depth + 1);
            // An object that had to stay empty is left out, as most vendors do.
            if depth < DEPTH || !value.is_object() {
                out.insert(name.clone(), value);
            }
        }
        Value::Object(out)
    }
}

/// The schemas that a sample follows: all of `allOf`, and of each choice the first that is not null.
fn settled<'a>(doc: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    let (mut found, mut todo) = (Vec::<&Value>::new(), vec![schema]);
    while let Some(next) = todo.pop() {
        let here = deref(doc, next);
        if found.len() > 50 || found.iter().any(|known| std::ptr::eq(*known, here)) {
            continue;
        }
        found.push(here);
        todo.extend(here.get("allOf").and_then(Value::as_array).into_iter().flatten());
        for key in ["oneOf", "anyOf"] {
            let choices = here.get(key).and_then(Value::as_array).into_iter().flatten();
            todo.extend(choices.filter(|choice| choice["type"] != "null").take(1));
        }
    }
    found
}

fn types(chosen: &[&Value]) -> Vec<String> {
    let kinds = chosen.iter().filter_map(|schema| schema.get("type"));
    let named = kinds.flat_map(|kind| match kind {
        Value::Array(kinds) => kinds.iter().collect(),
        kind => vec![kind],
    });
    named.filter_map(Value::as_str).filter(|kind| *kind != "null").map(str::to_owned).collect()
}

/// Whether an example of a property has the type of the property: in some descriptions it does not.
fn fits(types: &[String], example: &Value) -> bool {
    let kind = match example {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    types.is_empty() || types.iter().any(|t| t == kind || (t == "integer" && kind == "number"))
}

fn singular(name: &str) -> &str {
    name.strip_suffix('s').unwrap_or(name)
}

/// A text, number or flag that looks like what its name and format say.
pub(crate) fn scalar(types: &[String], format: &str, name: &str) -> Value {
    let is = |kind: &str| types.iter().any(|t| t == kind);
    let lower = name.to_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|end| lower.ends_with(end));
    let is_time =
        ends(&["_at", "time", "date", "_on", "timestamp", "created", "updated", "modified", "expires"]) || name.ends_with("At");
    if is("boolean") && !is("string") {
        return json!(false);
    }
    if is("integer") || is("number") {
        return if is_time { json!(1_764_324_000) } else { json!(42) };
    }
    let text = match format {
        "date-time" | "google-datetime" => "2026-11-28T10:00:00Z",
        "date" => "2026-11-28",
        "time" => "10:00:00",
        "uuid" => "0b0e6a4e-9c1e-4a37-8e0f-3d3f5c1f2a10",
        "email" => "ada@example.com",
        "uri" | "url" | "uri-reference" => "https://example.com/things/42",
        "byte" | "base64" => "aGVsbG8",
        "int64" | "uint64" if lower.contains("date") || is_time => "1764324000000",
        "int32" | "int64" | "uint32" | "uint64" => "42",
        _ if lower.contains("email") => "ada@example.com",
        _ if ends(&["url", "uri", "link", "href", "permalink"]) => "https://example.com/things/42",
        _ if lower == "ts" || ends(&["_ts"]) => "1764324000.000100",
        _ if lower.contains("timezone") || ends(&["tz", "time_zone"]) => "Europe/Paris",
        _ if lower.contains("mime") || lower.contains("contenttype") => "text/plain",
        _ if lower.contains("currency") => "eur",
        _ if is_time => "2026-11-28T10:00:00Z",
        _ if ends(&["id", "gid", "key", "etag", "token", "cursor", "sha"]) => "a1b2c3d4",
        _ if ends(&["amount", "price", "total", "size", "count"]) => "42",
        _ => "Analytical engine",
    };
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::description::Description;
    use std::sync::Arc;

    fn first(responses: &Value) -> Option<(u16, Value, Origin)> {
        let doc = json!({"paths": {"/a": {"get": {"operationId": "a", "responses": responses}}}});
        answer(&Arc::new(Description::new("openapi", doc, Vec::new())).find("a")[0], '2')
    }

    #[test]
    fn an_example_goes_before_examples_of_fields_and_those_before_types() {
        let content = |media: Value| json!({"200": {"content": {"application/json": media}}});
        let schema = |example: Value| json!({"type": "object", "properties": {"id": example, "created_at": {"type": "string"}}});
        let (_, value, origin) = first(&content(json!({"example": "{\"id\": 7}"}))).expect("an answer");
        assert_eq!((value, origin), (json!({"id": 7}), Origin::Example));
        let (_, value, origin) =
            first(&content(json!({"schema": schema(json!({"type": "string", "example": "x9"}))}))).expect("an answer");
        assert_eq!((value, origin), (json!({"id": "x9", "created_at": "2026-11-28T10:00:00Z"}), Origin::Fields));
        let (_, value, origin) = first(&content(json!({"schema": schema(json!({"type": "string"}))}))).expect("an answer");
        assert_eq!((value["id"].clone(), origin), (json!("a1b2c3d4"), Origin::Synthetic));
    }
}
