//! Copies of descriptions that are in no package: only the operations that a manifest or the table of sign-ins names, and what they need.

use crate::description::Description;
use crate::description::schema::to_2020;
use crate::manifest::Manifest;
use crate::sign_in::SignIn;
use crate::sources::home;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// Where words are, and nothing that a check needs.
const PROSE: &[&str] = &["description", "summary", "title", "externalDocs", "tags", "x-stripeBypassValidation"];

/// Writes `descriptions/<provider>.json` from a whole description. Returns its size in bytes.
///
/// # Errors
/// A sentence: a file that cannot be read, an operation that is not there.
pub fn trim(provider: &str, whole: &Path, aliases: &BTreeMap<String, String>) -> Result<usize, String> {
    let text = std::fs::read_to_string(whole).map_err(|e| format!("{}: {e}", whole.display()))?;
    let doc: Value = serde_json::from_str(&text).map_err(|e| format!("{}: {e}", whole.display()))?;
    let description = Arc::new(Description::new("openapi", doc, aliases.clone().into_iter().collect()));
    let doc = &description.doc;
    let mut wanted = BTreeSet::new();
    for operation in Manifest::read(provider)?.operations() {
        let found = description.find(operation.vendor_op());
        if found.is_empty() {
            return Err(format!("{provider} {}: the description has no `{}`", operation.name, operation.vendor_op()));
        }
        wanted.extend(found.into_iter().map(|found| (found.path, found.method.to_lowercase())));
    }
    for op in SignIn::read(provider)?.iter().flat_map(SignIn::operations) {
        wanted.extend(description.find(op).into_iter().map(|found| (found.path, found.method.to_lowercase())));
    }
    let mut paths = Map::new();
    for (path, item) in doc["paths"].as_object().into_iter().flatten() {
        let plain = path.split('#').next().unwrap_or_default();
        let is_kept = |key: &str| key == "parameters" || key == "servers" || wanted.contains(&(plain.to_owned(), key.to_owned()));
        let kept: Map<String, Value> =
            item.as_object().into_iter().flatten().filter(|(key, _)| is_kept(key)).map(|(k, v)| (k.clone(), v.clone())).collect();
        if kept.keys().any(|key| key != "parameters" && key != "servers") {
            paths.insert(path.clone(), prose_free(&kept.into(), false));
        }
    }
    let mut out =
        json!({ "openapi": doc["openapi"], "info": doc["info"], "servers": prose_free(&doc["servers"], false), "paths": paths });
    let mut done = BTreeSet::new();
    loop {
        let mut references = BTreeSet::new();
        collect(&out, &mut references);
        let Some(reference) = references.into_iter().find(|reference| !done.contains(reference)) else { break };
        let pointer = reference.trim_start_matches('#').to_owned();
        let target = doc.pointer(&pointer).ok_or_else(|| format!("`{reference}` leads nowhere"))?;
        let mut at = &mut out;
        for part in pointer.split('/').skip(1) {
            at = &mut at[part.replace("~1", "/").replace("~0", "~")];
        }
        *at = prose_free(target, false);
        done.insert(reference);
    }
    let text = out.to_string();
    let to = home().join("descriptions").join(format!("{provider}.json"));
    std::fs::write(&to, &text).map_err(|e| format!("{}: {e}", to.display()))?;
    // What was written can be checked with: its schemas convert.
    let _ = to_2020(&out["components"], true);
    Ok(text.len())
}

fn collect(node: &Value, found: &mut BTreeSet<String>) {
    match node {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| collect(member, found));
        }
        _ => {}
    }
}

/// Without the words for people. Inside `properties` and examples a key is a name.
fn prose_free(node: &Value, is_named: bool) -> Value {
    match node {
        Value::Array(items) => items.iter().map(|item| prose_free(item, false)).collect(),
        Value::Object(members) => {
            let kept = members.iter().filter(|(key, value)| is_named || !PROSE.contains(&key.as_str()) || value.is_object());
            let inner = |key: &str, value: &Value| match key {
                "example" | "examples" | "enum" | "default" | "const" if !is_named => value.clone(),
                "properties" | "patternProperties" | "parameters" | "schemas" | "responses" if !is_named => {
                    prose_free(value, value.is_object())
                }
                _ => prose_free(value, false),
            };
            kept.map(|(key, value)| (key.clone(), inner(key, value))).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}
