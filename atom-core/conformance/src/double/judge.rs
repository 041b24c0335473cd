//! Whether the vendor would take a request: everything that its description can see.

use super::Recorded;
use super::body::{Payload, coerce, decode, typed};
use crate::description::Operation;
use crate::description::schema::{alternatives, types, unknown_members, validator};
use serde_json::Value;
use std::collections::BTreeMap;

/// What is wrong with a request, if it is meant for one of these operations: variants of one, of which one must be content.
pub(crate) fn judge(operations: &[Operation], request: &Recorded) -> Vec<String> {
    let is_meant = |operation: &&Operation| operation.method == request.method && operation.serves(&request.path);
    let judged = operations.iter().filter(is_meant).map(|operation| one(operation, request));
    let no_such = || vec![format!("{} {}: the vendor has no such operation", request.method, request.path)];
    judged.min_by_key(Vec::len).unwrap_or_else(no_such)
}

fn one(operation: &Operation, request: &Recorded) -> Vec<String> {
    let mut faults = Vec::new();
    query(operation, request, &mut faults);
    headers(operation, request, &mut faults);
    if let Err(why) = body(operation, request, &mut faults) {
        faults.push(why);
    }
    faults
}

fn query(operation: &Operation, request: &Recorded, faults: &mut Vec<String>) {
    let mut given: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for (name, value) in &request.query {
        // `created[gte]` is a member of `created`, unless the description itself writes brackets.
        let is_whole = operation.parameters_in("query").any(|parameter| parameter["name"] == **name);
        let base = if is_whole { name.as_str() } else { name.split('[').next().unwrap_or_default() };
        given.entry(base).or_default().push((name, value));
    }
    for parameter in operation.parameters_in("query") {
        let name = parameter["name"].as_str().unwrap_or_default();
        match given.remove(name).or_else(|| given.remove(name.trim_end_matches("[]"))) {
            None if parameter["required"] == true => faults.push(format!("query `{name}` is missing")),
            None => {}
            Some(values) => {
                for (written, value) in values {
                    if !written.contains('[') {
                        let wrong = misfits(operation, parameter, value);
                        faults.extend(wrong.into_iter().map(|value| format!("query `{name}` may not be `{value}`")));
                    }
                }
            }
        }
    }
    faults.extend(given.keys().map(|name| format!("query `{name}` is unknown")));
}

/// What of a text is no value of a parameter: of a list, those of its parts.
fn misfits<'t>(operation: &Operation, parameter: &Value, text: &'t str) -> Vec<&'t str> {
    let doc = operation.doc();
    let Some(schema) = parameter.get("schema") else { return Vec::new() };
    let all = alternatives(doc, schema);
    let types = types(doc, schema);
    let valid = |schema: &Value, value: &Value| validator(doc, schema, true).is_ok_and(|checker| checker.is_valid(value));
    if let Some(items) = all.iter().find_map(|schema| schema.get("items")).filter(|_| types.iter().any(|t| t == "array")) {
        let item_types = crate::description::schema::types(doc, items);
        let fits = |part: &&str| valid(items, &typed(&item_types, part)) || valid(items, &Value::from(*part));
        return text.split(',').map(str::trim).filter(|part| !fits(part)).collect();
    }
    if valid(schema, &typed(&types, text)) || valid(schema, &Value::from(text)) { Vec::new() } else { vec![text] }
}

fn headers(operation: &Operation, request: &Recorded, faults: &mut Vec<String>) {
    for parameter in operation.parameters_in("header") {
        let name = parameter["name"].as_str().unwrap_or_default();
        let lower = name.to_lowercase();
        if matches!(lower.as_str(), "authorization" | "accept" | "content-type") {
            continue;
        }
        match request.headers.get(&lower) {
            None if parameter["required"] == true => faults.push(format!("header `{name}` is missing")),
            Some(value) if !misfits(operation, parameter, value).is_empty() => {
                faults.push(format!("header `{name}` may not be `{value}`"))
            }
            _ => {}
        }
    }
}

fn body(operation: &Operation, request: &Recorded, faults: &mut Vec<String>) -> Result<(), String> {
    let payload = decode(&request.content_type, &request.body)?;
    let bodies = operation.bodies();
    if matches!(payload, Payload::None) {
        if operation.needs_body() {
            faults.push("the body is missing".into());
        }
        return Ok(());
    }
    if bodies.is_empty() {
        // An empty object where nothing is asked for does no harm.
        let is_empty = matches!(&payload, Payload::Json(value) if value.as_object().is_some_and(serde_json::Map::is_empty));
        if !is_empty && !request.body.is_empty() {
            faults.push("the vendor takes no body here".into());
        }
        return Ok(());
    }
    let media = request.content_type.split(';').next().unwrap_or_default().trim();
    let takes = |kind: &str| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind == media || kind == "*/*" || kind.strip_suffix("/*").is_some_and(|family| media.starts_with(&format!("{family}/")))
    };
    let Some((_, schema)) =
        bodies.iter().find(|(kind, _)| *kind == media).or_else(|| bodies.iter().find(|(kind, _)| takes(kind)))
    else {
        let known: Vec<_> = bodies.iter().map(|(kind, _)| *kind).collect();
        faults.push(format!("the vendor takes {} here, not {media}", known.join(", ")));
        return Ok(());
    };
    let doc = operation.doc();
    let value = match payload {
        Payload::Json(value) => value,
        Payload::Form(value) => coerce(doc, &[schema], value),
        Payload::Parts(parts) => {
            let declared = names(doc, schema);
            let unknown = parts.iter().filter(|(name, _)| !declared.is_empty() && !declared.contains(name));
            faults.extend(unknown.map(|(name, _)| format!("the form has no part `{name}`")));
            return Ok(());
        }
        Payload::None | Payload::Bytes => return Ok(()),
    };
    if schema.is_null() {
        return Ok(());
    }
    let checker = validator(doc, schema, true)?;
    faults.extend(checker.iter_errors(&value).take(8).map(|error| format!("body {}: {error}", error.instance_path())));
    unknown_members(doc, &[schema], &value, "body ", faults);
    Ok(())
}

fn names(doc: &Value, schema: &Value) -> Vec<String> {
    let all = alternatives(doc, schema);
    all.iter().filter_map(|s| s.get("properties")?.as_object()).flat_map(|p| p.keys().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::description::Description;
    use serde_json::json;
    use std::sync::Arc;

    fn faults(query: &[(&str, &str)], content_type: &str, body: &Value) -> Vec<String> {
        let doc = json!({"paths": {"/tasks": {"post": {
            "operationId": "create",
            "parameters": [{"name": "fields", "in": "query", "schema": {"type": "array", "items": {"enum": ["a", "b"]}}},
                           {"name": "team", "in": "query", "required": true, "schema": {"type": "integer"}}],
            "requestBody": {"content": {"application/json": {"schema": {"required": ["title"], "properties": {"title": {"type": "string"}}}}}},
        }}}});
        let operations = Arc::new(Description::new("openapi", doc, Vec::new())).find("create");
        let query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let body = body.to_string().into_bytes();
        let request = Recorded {
            method: "POST".into(),
            path: "/tasks".into(),
            query,
            content_type: content_type.into(),
            body,
            ..Default::default()
        };
        judge(&operations, &request)
    }

    #[test]
    fn a_right_request_passes_and_each_fault_is_named() {
        let right = json!({"title": "x"});
        assert_eq!(faults(&[("team", "7"), ("fields", "a,b")], "application/json", &right), Vec::<String>::new());
        for (query, body, named) in [
            (&[][..], &right, "`team` is missing"),
            (&[("team", "x")], &right, "`team` may not be"),
            (&[("team", "7"), ("fields", "a,c")], &right, "`fields` may not be `c`"),
            (&[("team", "7"), ("teem", "7")], &right, "`teem` is unknown"),
            (&[("team", "7")], &json!({}), "required"),
            (&[("team", "7")], &json!({"title": 7}), "body /title"),
            (&[("team", "7")], &json!({"title": "x", "titel": "x"}), "/titel"),
        ] {
            let found = faults(query, "application/json", body);
            assert!(found.len() == 1 && found[0].contains(named), "{named}: {found:?}");
        }
        assert!(faults(&[("team", "7")], "text/plain", &right)[0].contains("not text/plain"));
    }
}
