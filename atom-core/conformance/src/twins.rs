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
    moved: Vec<Moved>,
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

/// A vendor takes the same arguments in two places, and its client puts them into the other one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Moved {
    provider: String,
    /// Every operation, where none is named.
    operation: Option<String>,
    /// Where the client has them, and where we have: `query`, `body`.
    from: String,
    to: String,
    /// For people.
    #[allow(dead_code)]
    reason: String,
}

impl Moved {
    /// Puts the client's arguments where ours stand, and compares both as texts then. False where there are none to be moved, or ours stand there too.
    fn apply(&self, twin: &Twin, ours: &mut Parts, theirs: &mut Parts) -> bool {
        let is_meant = self.provider == twin.provider
            && self.operation.as_ref().is_none_or(|name| *name == twin.operation)
            && !ours.keys().any(|place| argument(place, &self.from).is_some());
        let found: Vec<String> =
            theirs.keys().filter(|place| is_meant && argument(place, &self.from).is_some()).cloned().collect();
        for place in &found {
            if let (Some(name), Some(value)) = (argument(place, &self.from).map(str::to_owned), theirs.remove(place)) {
                let sign = if self.to == "body" { '/' } else { '.' };
                theirs.insert(format!("{}{sign}{name}", self.to), value);
            }
        }
        if found.is_empty() {
            return false;
        }
        for side in [ours, theirs] {
            // What the body is written in goes with it.
            side.remove("header.content-type");
            let moved = side.iter_mut().filter(|(place, _)| argument(place, &self.to).is_some());
            moved.for_each(|(_, value)| *value = value.trim_matches('"').to_owned());
        }
        true
    }
}

/// The name of an argument that stands there.
fn argument<'p>(place: &'p str, at: &str) -> Option<&'p str> {
    place.strip_prefix(at)?.strip_prefix(['.', '/'])
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
    let (mut used, mut used_moves, mut found) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for (provider, twins) in by_provider {
        let bench = Bench::start(Manifest::read(&provider)?, Descriptions::default(), Inputs::read()?, 1).await?;
        for (i, twin) in twins.iter().enumerate() {
            let named = format!("{provider} {} beside {}", twin.operation, twin.client);
            let ours = bench.record(i + 1, &twin.operation, &twin.input).await.map_err(|why| format!("{named}: {why}"))?;
            let (mut ours, mut theirs) = (parts(&ours), parts(&twin.request.recorded()));
            let moves = differences.moved.iter().enumerate();
            used_moves.extend(moves.filter_map(|(i, moved)| moved.apply(twin, &mut ours, &mut theirs).then_some(i)));
            for (place, fault) in compare(&ours, &theirs) {
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
    let idle = differences.moved.iter().enumerate().filter(|(i, _)| !used_moves.contains(i));
    found.extend(idle.map(|(_, idle)| format!("{}: nothing is moved from its {} any more", idle.provider, idle.from)));
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

/// What stands at each place of a request.
type Parts = BTreeMap<String, String>;

/// What a request says, place by place, without what means nothing: the order of names, how a path is escaped.
fn parts(request: &Recorded) -> Parts {
    let mut found = BTreeMap::new();
    // In a path these stand for themselves.
    let escaped = request.path.replace('+', "%2B").replace('=', "%3D").replace('&', "%26");
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
    // A body without a type may be JSON all the same.
    let document = document(request).or_else(|| serde_json::from_slice(&request.body).ok());
    match document.filter(|_| !request.body.is_empty()) {
        Some(document) => leaves("body", &asked(&document).unwrap_or(document), &mut found),
        None if !request.body.is_empty() => drop(found.insert("body".into(), String::from_utf8_lossy(&request.body).into())),
        None => {}
    }
    found
}

fn leaves(at: &str, value: &Value, found: &mut Parts) {
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

fn compare(ours: &Parts, theirs: &Parts) -> Vec<(String, String)> {
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
        let one = request("/a%20b%3D", &[("x", "1"), ("y", "2")], r#"{"a": 1, "b": ["c"]}"#);
        let same = request("/a b=", &[("y", "2"), ("x", "1")], r#"{"b":["c"],"a":1}"#);
        assert_eq!(compare(&parts(&one), &parts(&same)), []);
        for (other, place) in [
            (request("/a%20b", &[("x", "1"), ("y", "2")], r#"{"a": 1, "b": ["c"]}"#), "path"),
            (request("/a%20b=", &[("x", "1")], r#"{"a": 1, "b": ["c"]}"#), "query.y"),
            (request("/a%20b=", &[("x", "1"), ("y", "2")], r#"{"a": "1", "b": ["c"]}"#), "body/a"),
            (request("/a%20b=", &[("x", "1"), ("y", "2")], r#"{"a": 1, "b": ["d"]}"#), "body/b/0"),
        ] {
            let found = compare(&parts(&one), &parts(&other));
            assert!(found.len() == 1 && found[0].0 == place, "{found:?}");
        }
    }

    #[test]
    fn arguments_that_stand_in_another_place_are_compared_all_the_same() {
        let twin = |provider: &str| Twin {
            provider: provider.into(),
            client: "client 1".into(),
            operation: "tasks.create".into(),
            input: Value::Null,
            request: Sent {
                method: String::new(),
                path: String::new(),
                query: Vec::new(),
                headers: BTreeMap::new(),
                body: String::new(),
            },
        };
        let moved =
            Moved { provider: "trello".into(), operation: None, from: "query".into(), to: "body".into(), reason: String::new() };
        let both = || {
            (
                parts(&request("/cards", &[], r#"{"name": "G", "done": true}"#)),
                parts(&request("/cards", &[("name", "H"), ("done", "true")], "")),
            )
        };
        let (mut ours, mut theirs) = both();
        assert!(moved.apply(&twin("trello"), &mut ours, &mut theirs));
        let found = compare(&ours, &theirs);
        assert!(found.len() == 1 && found[0].0 == "body/name", "{found:?}");
        let (mut ours, mut theirs) = both();
        assert!(!moved.apply(&twin("asana"), &mut ours, &mut theirs));
        assert_eq!(compare(&ours, &theirs).len(), 5);
    }
}
