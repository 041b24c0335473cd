//! A vendor's schema, as one that `jsonschema` can check.

use jsonschema::Validator;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Keywords that say nothing about what is valid.
const DROPPED: &[&str] =
    &["nullable", "example", "examples", "xml", "readOnly", "writeOnly", "discriminator", "externalDocs", "deprecated"];
/// Keywords whose members are names, not keywords.
const NAMED: &[&str] = &["properties", "patternProperties", "$defs", "schemas", "dependentSchemas", "definitions"];

/// Follows `$ref` until something else stands there.
pub(crate) fn deref<'a>(doc: &'a Value, mut node: &'a Value) -> &'a Value {
    for _ in 0..20 {
        let Some(target) = node.get("$ref").and_then(Value::as_str).and_then(|at| pointer(doc, at)) else { break };
        node = target;
    }
    node
}

fn pointer<'a>(doc: &'a Value, reference: &str) -> Option<&'a Value> {
    let path = reference.strip_prefix('#')?;
    let decoded = url::form_urlencoded::parse(path.replace('+', "%2B").as_bytes()).next().map(|(text, _)| text.into_owned());
    doc.pointer(decoded.as_deref().unwrap_or_default())
}

/// The usual conversion of an OpenAPI schema to JSON Schema 2020-12. In a request the alternatives of `oneOf` are read as `anyOf`: those of the
/// vendors overlap.
pub(crate) fn to_2020(node: &Value, is_request: bool) -> Value {
    match node {
        Value::Array(items) => items.iter().map(|item| to_2020(item, is_request)).collect(),
        Value::Object(members) => object(members, is_request),
        other => other.clone(),
    }
}

fn object(members: &Map<String, Value>, is_request: bool) -> Value {
    let mut out = Map::new();
    for (key, value) in members {
        if DROPPED.contains(&key.as_str()) || key.starts_with("x-") {
            continue;
        }
        let converted = match (key.as_str(), value) {
            ("enum" | "const" | "default", value) => value.clone(),
            (key, Value::Object(named)) if NAMED.contains(&key) => {
                named.iter().map(|(name, schema)| (name.clone(), to_2020(schema, is_request))).collect::<Map<_, _>>().into()
            }
            (_, value) => to_2020(value, is_request),
        };
        let key = if is_request && key == "oneOf" && !members.contains_key("anyOf") { "anyOf" } else { key };
        out.insert(key.to_owned(), converted);
    }
    if out.get("type").is_some_and(|kind| kind.is_null() || kind == "any") {
        out.remove("type");
    }
    // Draft 3 wrote `required` into the property.
    if out.get("required").is_some_and(|required| !required.is_array()) {
        out.remove("required");
    }
    for (bound, limit) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        if let Some(Value::Bool(is_exclusive)) = out.get(bound).cloned() {
            out.remove(bound);
            if let Some(number) = out.get(limit).cloned().filter(|_| is_exclusive) {
                out.remove(limit);
                out.insert(bound.to_owned(), number);
            }
        }
    }
    if out.contains_key("$ref") && out.len() > 1 {
        let reference = out.remove("$ref").unwrap_or_default();
        for said in ["description", "title", "default"] {
            out.remove(said);
        }
        let alone = json!({ "$ref": reference });
        out = if out.is_empty() { into_map(alone) } else { into_map(json!({ "allOf": [alone, out] })) };
    }
    if members.get("nullable") == Some(&Value::Bool(true)) {
        if let Some(Value::Array(values)) = out.get_mut("enum") {
            values.push(Value::Null);
        }
        match out.get("type").cloned() {
            Some(Value::String(kind)) => drop(out.insert("type".into(), json!([kind, "null"]))),
            None if !out.is_empty() => out = into_map(json!({ "anyOf": [out, { "type": "null" }] })),
            _ => {}
        }
    }
    Value::Object(out)
}

fn into_map(value: Value) -> Map<String, Value> {
    if let Value::Object(map) = value { map } else { Map::new() }
}

/// A checker of one schema, which takes along only the components that it reaches.
pub(crate) fn validator(doc: &Value, schema: &Value, is_request: bool) -> Result<Validator, String> {
    let mut names = BTreeMap::new();
    let mut defs = Map::new();
    let root = named(to_2020(schema, is_request), &mut names);
    while let Some((reference, name)) =
        names.iter().find(|(_, name)| !defs.contains_key(*name)).map(|(r, n)| (r.clone(), n.clone()))
    {
        let target = pointer(doc, &reference).ok_or_else(|| format!("`{reference}` leads nowhere"))?;
        let converted = named(to_2020(target, is_request), &mut names);
        defs.insert(name, converted);
    }
    let whole = json!({ "allOf": [root], "$defs": defs });
    jsonschema::draft202012::options().build(&whole).map_err(|e| format!("the schema does not compile: {e}"))
}

/// Gives each reference a short name below `$defs`, because a JSON pointer into a path breaks easily.
fn named(mut node: Value, names: &mut BTreeMap<String, String>) -> Value {
    match &mut node {
        Value::Array(items) => {
            for item in items {
                *item = named(item.take(), names);
            }
        }
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get_mut("$ref") {
                let next = names.len();
                let name = names.entry(reference.clone()).or_insert_with(|| format!("d{next}"));
                *reference = format!("#/$defs/{name}");
            }
            for (key, value) in members {
                if !matches!(key.as_str(), "enum" | "const" | "default" | "$ref") {
                    *value = named(value.take(), names);
                }
            }
        }
        _ => {}
    }
    node
}

/// All schemas that a value of this one may follow: through references, `allOf`, `anyOf` and `oneOf`.
pub(crate) fn alternatives<'a>(doc: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    let mut found: Vec<&Value> = Vec::new();
    let mut todo = vec![schema];
    while let Some(next) = todo.pop() {
        let here = deref(doc, next);
        if found.len() > 300 || found.iter().any(|known| std::ptr::eq(*known, here)) {
            continue;
        }
        found.push(here);
        for key in ["allOf", "anyOf", "oneOf"] {
            todo.extend(here.get(key).and_then(Value::as_array).into_iter().flatten());
        }
    }
    found
}

/// The types that a value may have by its schema; none where the schema leaves it open.
pub(crate) fn types(doc: &Value, schema: &Value) -> Vec<String> {
    let mut types = Vec::new();
    for alternative in alternatives(doc, schema) {
        match alternative.get("type") {
            Some(Value::String(kind)) => types.push(kind.clone()),
            Some(Value::Array(kinds)) => types.extend(kinds.iter().filter_map(Value::as_str).map(str::to_owned)),
            _ => {}
        }
    }
    types
}

/// The schema of a member of an object; more than one where alternatives have it.
pub(crate) fn member<'a>(doc: &'a Value, schemas: &[&'a Value], name: &str) -> Vec<&'a Value> {
    let all = schemas.iter().flat_map(|schema| alternatives(doc, schema));
    all.filter_map(|schema| schema.get("properties")?.get(name)).collect()
}

/// Whether an object may have members that nobody declared.
fn is_open(schemas: &[&Value]) -> bool {
    let mut has_properties = false;
    for schema in schemas {
        match schema.get("additionalProperties") {
            Some(Value::Bool(true) | Value::Object(_)) => return true,
            _ if schema.get("patternProperties").is_some() => return true,
            _ => has_properties |= schema.get("properties").is_some(),
        }
    }
    !has_properties
}

/// Members that the description does not know. Most descriptions do not close their bodies, and yet the vendor ignores or refuses what it does not know.
pub(crate) fn unknown_members(doc: &Value, schemas: &[&Value], value: &Value, at: &str, found: &mut Vec<String>) {
    let all: Vec<&Value> = schemas.iter().flat_map(|schema| alternatives(doc, schema)).collect();
    match value {
        Value::Object(members) => {
            let open = is_open(&all);
            for (name, value) in members {
                let here = format!("{at}/{name}");
                let declared = member(doc, schemas, name);
                if !declared.is_empty() {
                    unknown_members(doc, &declared, value, &here, found);
                } else if !open {
                    found.push(format!("{here}: the description has no such field"));
                }
            }
        }
        Value::Array(items) => {
            let schemas: Vec<&Value> = all.iter().filter_map(|schema| schema.get("items")).collect();
            for (i, item) in items.iter().enumerate().filter(|_| !schemas.is_empty()) {
                unknown_members(doc, &schemas, item, &format!("{at}/{i}"), found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nullable_enum_takes_null_and_an_overlapping_one_of_does_not_refuse() {
        let doc = json!({"components": {"schemas": {"Colour": {"enum": ["red"], "type": "string", "nullable": true}}}});
        let schema = json!({"properties": {"c": {"$ref": "#/components/schemas/Colour"}, "n": {"oneOf": [{"type": "number"}, {"type": "integer"}]}}});
        let checker = validator(&doc, &schema, true).expect("it compiles");
        assert!(checker.is_valid(&json!({"c": null, "n": 1})));
        assert!(!checker.is_valid(&json!({"c": "blue"})));
        assert!(!validator(&doc, &schema, false).expect("it compiles").is_valid(&json!({"n": 1})));
    }

    #[test]
    fn a_field_that_no_alternative_declares_is_unknown_unless_the_object_is_open() {
        let doc = json!({});
        let schema = json!({"allOf": [{"properties": {"a": {"properties": {"b": {}}}}}, {"anyOf": [{"properties": {"c": {"additionalProperties": true}}}]}]});
        let mut found = Vec::new();
        unknown_members(&doc, &[&schema], &json!({"a": {"b": {"x": 1}, "y": 1}, "c": {"z": 1}, "d": 1}), "", &mut found);
        assert_eq!(found.iter().map(|f| f.split(':').next().unwrap_or_default()).collect::<Vec<_>>(), ["/a/y", "/d"]);
    }
}
