//! Our requests beside those of the vendors' own clients for the same calls: `twins/requests.json`, which `twins/capture.mjs` writes.

use crate::asked::asked;
use crate::checks::Bench;
use crate::double::{Recorded, document};
use crate::inputs::Inputs;
use crate::manifest::{Manifest, Operation};
use crate::sources::{Descriptions, home};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use url::form_urlencoded;

/// One call, as a vendor's client makes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Twin {
    provider: String,
    /// With its version.
    client: String,
    operation: String,
    input: Value,
    request: Sent,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    method: String,
    path: String,
    query: Vec<(String, String)>,
    headers: BTreeMap<String, String>,
    body: String,
}

/// `twins/differences.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Differences {
    difference: Vec<Difference>,
}

/// A place where our requests may differ from those of a vendor's client.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    provider: String,
    /// Every operation, where none is named.
    operation: Option<String>,
    /// As `query.fields`, `header.accept`, `body/name`; with everything below it.
    at: String,
    /// For people.
    #[allow(dead_code)]
    reason: String,
}

impl Difference {
    fn covers(&self, twin: &Twin, place: &str) -> bool {
        let is_at = place.strip_prefix(&self.at).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        is_at && self.provider == twin.provider && self.operation.as_ref().is_none_or(|operation| *operation == twin.operation)
    }
}

fn read(file: &str) -> Result<String, String> {
    std::fs::read_to_string(home().join("twins").join(file)).map_err(|e| format!("twins/{file}: {e}"))
}

fn twins() -> Result<Vec<Twin>, String> {
    serde_json::from_str(&read("requests.json")?).map_err(|e| format!("twins/requests.json: {e}"))
}

/// Which client stands beside each operation, with its version: by provider and operation.
pub(crate) fn clients() -> Result<BTreeMap<(String, String), String>, String> {
    let mut found = BTreeMap::new();
    for twin in twins()? {
        // Of the variants, the one that these inputs choose.
        let operations = Manifest::read(&twin.provider)?.operations();
        let is_chosen = |operation: &&Operation| {
            let (base, given) = operation.base();
            base == twin.operation && given.iter().all(|input| twin.input.get(input).is_some())
        };
        if let Some(chosen) = operations.iter().filter(is_chosen).max_by_key(|operation| operation.base().1.len()) {
            found.insert((twin.provider, chosen.name.clone()), twin.client);
        }
    }
    Ok(found)
}

/// Where our requests differ from those of the vendors' clients, and no reason is given; and the reasons that are of no use any more.
///
/// # Errors
/// A sentence, where the comparison cannot begin: a malformed file, a provider that does not connect.
pub async fn misfits() -> Result<Vec<String>, String> {
    let differences: Differences =
        toml::from_str(&read("differences.toml")?).map_err(|e| format!("twins/differences.toml: {e}"))?;
    let mut by_provider: BTreeMap<String, Vec<Twin>> = BTreeMap::new();
    for twin in twins()? {
        by_provider.entry(twin.provider.clone()).or_default().push(twin);
    }
    let (mut used, mut found) = (BTreeSet::new(), Vec::new());
    for (provider, twins) in by_provider {
        let bench = Bench::start(Manifest::read(&provider)?, Descriptions::default(), Inputs::read()?, 1).await?;
        for (i, twin) in twins.iter().enumerate() {
            let named = format!("{provider} {} beside {}", twin.operation, twin.client);
            let ours = bench.record(i + 1, &twin.operation, &twin.input).await.map_err(|why| format!("{named}: {why}"))?;
            for (place, fault) in compare(&parts(&ours), &parts(&twin.request.recorded())) {
                let reasons = differences.difference.iter().enumerate().filter(|(_, known)| known.covers(twin, &place));
                let reasons: Vec<usize> = reasons.map(|(i, _)| i).collect();
                if reasons.is_empty() {
                    found.push(format!("{named}: {place} {fault}"));
                }
                used.extend(reasons);
            }
        }
    }
    let idle = differences.difference.iter().enumerate().filter(|(i, _)| !used.contains(i));
    found.extend(idle.map(|(_, idle)| format!("{} {}: there is no such difference any more", idle.provider, idle.at)));
    Ok(found)
}

impl Sent {
    fn recorded(&self) -> Recorded {
        Recorded {
            method: self.method.clone(),
            path: self.path.clone(),
            query: self.query.clone(),
            headers: self.headers.clone(),
            content_type: self.headers.get("content-type").cloned().unwrap_or_default(),
            body: self.body.clone().into_bytes(),
        }
    }
}

/// What a request says, place by place, without what means nothing: the order of names, how a path is escaped.
fn parts(request: &Recorded) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let escaped = request.path.replace('+', "%2B");
    let path = form_urlencoded::parse(escaped.as_bytes()).map(|(path, _)| path.into_owned()).collect();
    found.insert("method".to_owned(), request.method.clone());
    found.insert("path".to_owned(), path);
    for (name, value) in &request.query {
        found.insert(format!("query.{name}"), value.clone());
    }
    if !request.body.is_empty() {
        let media = request.content_type.split(';').next().unwrap_or_default();
        found.insert("header.content-type".to_owned(), media.trim().to_owned());
    }
    for name in ["accept", "stripe-version", "notion-version", "x-github-api-version"] {
        // Anything and JSON are what every vendor answers with anyway.
        let said = request.headers.get(name).filter(|value| !value.contains("*/*") && !value.starts_with("application/json"));
        found.extend(said.map(|value| (format!("header.{name}"), value.clone())));
    }
    match document(request).filter(|_| !request.body.is_empty()) {
        Some(document) => leaves("body", &asked(&document).unwrap_or(document), &mut found),
        None if !request.body.is_empty() => drop(found.insert("body".into(), String::from_utf8_lossy(&request.body).into())),
        None => {}
    }
    found
}

fn leaves(at: &str, value: &Value, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            members.iter().for_each(|(name, value)| leaves(&format!("{at}/{name}"), value, found))
        }
        Value::Array(items) if !items.is_empty() => {
            items.iter().enumerate().for_each(|(i, item)| leaves(&format!("{at}/{i}"), item, found))
        }
        leaf => drop(found.insert(at.to_owned(), leaf.to_string())),
    }
}

fn compare(ours: &BTreeMap<String, String>, theirs: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let places: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let differs = |place: &&String| ours.get(*place) != theirs.get(*place);
    let said = |side: Option<&String>| side.map_or_else(|| "absent".to_owned(), |value| format!("`{value}`"));
    let found = places.into_iter().filter(differs);
    found.map(|place| (place.clone(), format!("is {}, theirs {}", said(ours.get(place)), said(theirs.get(place))))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str, query: &[(&str, &str)], body: &str) -> Recorded {
        let query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let content_type = "application/json; charset=utf-8".to_owned();
        Recorded { method: "POST".into(), path: path.into(), query, content_type, body: body.into(), ..Default::default() }
    }

    #[test]
    fn order_and_escapes_mean_nothing_and_every_other_difference_is_named() {
        let one = request("/a%20b", &[("x", "1"), ("y", "2")], r#"{"a": 1, "b": ["c"]}"#);
        let same = request("/a b", &[("y", "2"), ("x", "1")], r#"{"b":["c"],"a":1}"#);
        assert_eq!(compare(&parts(&one), &parts(&same)), []);
        for (other, place) in [
            (request("/a%20c", &[("x", "1"), ("y", "2")], r#"{"a": 1, "b": ["c"]}"#), "path"),
            (request("/a%20b", &[("x", "1")], r#"{"a": 1, "b": ["c"]}"#), "query.y"),
            (request("/a%20b", &[("x", "1"), ("y", "2")], r#"{"a": "1", "b": ["c"]}"#), "body/a"),
            (request("/a%20b", &[("x", "1"), ("y", "2")], r#"{"a": 1, "b": ["d"]}"#), "body/b/0"),
        ] {
            let found = compare(&parts(&one), &parts(&other));
            assert!(found.len() == 1 && found[0].0 == place, "{found:?}");
        }
    }
}
