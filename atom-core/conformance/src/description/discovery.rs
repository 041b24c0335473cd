//! Google's discovery documents as OpenAPI: <https://developers.google.com/discovery/v1/reference/apis>.

use serde_json::{Map, Value, json};

pub(super) fn to_openapi(document: &Value) -> Value {
    let mut paths = Map::new();
    let root = document["rootUrl"].as_str().unwrap_or_default().trim_end_matches('/');
    let service = document["servicePath"].as_str().unwrap_or_default();
    let common = parameters(&document["parameters"]);
    walk(document, &mut |method| {
        let path = method["path"].as_str().unwrap_or_default();
        let mut operation = operation(document, method, &common);
        let upload = method["mediaUpload"]["protocols"]["simple"]["path"].as_str();
        add(&mut paths, &format!("/{service}{path}"), method, operation.clone());
        if let Some(upload) = upload {
            let schema = operation["requestBody"]["content"]["application/json"]["schema"].clone();
            operation["requestBody"] =
                json!({ "content": { "multipart/related": { "schema": schema }, "*/*": { "schema": {} } } });
            add(&mut paths, upload, method, operation);
        }
    });
    let schemas = document["schemas"].as_object().into_iter().flatten();
    let schemas: Map<_, _> = schemas.map(|(name, schema)| (name.clone(), convert(schema))).collect();
    json!({ "openapi": "3.1.0", "servers": [{ "url": root }], "paths": paths, "components": { "schemas": schemas } })
}

fn walk(node: &Value, found: &mut impl FnMut(&Value)) {
    node["methods"].as_object().into_iter().flatten().for_each(|(_, method)| found(method));
    node["resources"].as_object().into_iter().flatten().for_each(|(_, resource)| walk(resource, found));
}

fn add(paths: &mut Map<String, Value>, path: &str, method: &Value, operation: Value) {
    let verb = method["httpMethod"].as_str().unwrap_or_default().to_lowercase();
    paths.entry(path.to_owned()).or_insert_with(|| json!({}))[verb] = operation;
}

fn operation(document: &Value, method: &Value, common: &[Value]) -> Value {
    let id = method["id"].as_str().unwrap_or_default();
    let mut all = parameters(&method["parameters"]);
    let is_own = |name: &Value| all.iter().any(|own| own["name"] == *name);
    let inherited: Vec<_> = common.iter().filter(|parameter| !is_own(&parameter["name"])).cloned().collect();
    all.extend(inherited);
    let mut operation = json!({ "operationId": id, "parameters": all, "responses": {} });
    if let Some(name) = method["request"]["$ref"].as_str() {
        let mut schema = json!({ "allOf": [{ "$ref": format!("#/components/schemas/{name}") }] });
        let needed = required(&document["schemas"][name], id);
        if !needed.is_empty() {
            schema["required"] = needed.into();
        }
        operation["requestBody"] = json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    }
    let content = match method["response"]["$ref"].as_str() {
        Some(name) => json!({ "application/json": { "schema": { "$ref": format!("#/components/schemas/{name}") } } }),
        None => json!({}),
    };
    operation["responses"]["200"] = json!({ "content": content });
    operation["x-media"] = method["supportsMediaDownload"].clone();
    operation
}

/// The fields that the document calls required for this method.
fn required(schema: &Value, id: &str) -> Vec<String> {
    let properties = schema["properties"].as_object().into_iter().flatten();
    let is_needed =
        |property: &Value| property["annotations"]["required"].as_array().is_some_and(|ids| ids.iter().any(|i| i == id));
    properties.filter(|(_, property)| is_needed(property)).map(|(name, _)| name.clone()).collect()
}

fn parameters(node: &Value) -> Vec<Value> {
    let all = node.as_object().into_iter().flatten();
    all.map(|(name, parameter)| {
        let schema = convert(parameter);
        let is_list = parameter["repeated"] == true;
        let schema = if is_list { json!({ "type": "array", "items": schema }) } else { schema };
        let place = parameter["location"].as_str().unwrap_or("query");
        json!({ "name": name, "in": place, "required": parameter["required"] == true, "schema": schema })
    })
    .collect()
}

/// `$ref` is a name here, and `required` a flag of the property.
fn convert(node: &Value) -> Value {
    match node {
        Value::Array(items) => items.iter().map(convert).collect(),
        Value::Object(members) => {
            // A keyword here is no object, while a property of the same name is one.
            let kept = members.iter().filter(|(key, value)| match key.as_str() {
                "required" | "location" | "repeated" | "id" | "enumDescriptions" | "default" => value.is_object(),
                "annotations" => !value["required"].is_array(),
                _ => true,
            });
            let converted = kept.map(|(key, value)| match (key.as_str(), value) {
                ("$ref", Value::String(name)) => (key.clone(), json!(format!("#/components/schemas/{name}"))),
                // Minimum and maximum of a parameter are texts.
                ("minimum" | "maximum", Value::String(text)) => {
                    (key.clone(), text.parse::<i64>().map_or(Value::Null, Value::from))
                }
                (_, value) => (key.clone(), convert(value)),
            });
            Value::Object(converted.collect())
        }
        other => other.clone(),
    }
}
