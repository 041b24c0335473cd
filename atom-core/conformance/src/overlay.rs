//! `overlays/<provider>.toml`: the known faults of a description, each a small patch with its reason.

use crate::sources::home;
use serde::Deserialize;
use serde_json::Value;

/// The patches of one provider.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Overlay {
    #[serde(default)]
    patch: Vec<Patch>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Patch {
    reason: String,
    /// From the root of the document: a key, `*` for each member, or `[name=limit]` for the items of a list that have this member.
    at: Vec<String>,
    /// One of these.
    set: Option<Value>,
    /// Merged into what is there.
    merge: Option<Value>,
    /// Put at the end of the list.
    append: Option<Value>,
    /// The member that gets a copy of what stands at the given key beside it.
    copy: Option<Copy>,
    #[serde(default)]
    remove: bool,
    #[serde(skip)]
    changes: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Copy {
    from: String,
    to: String,
}

/// Those of a provider; none where it needs none.
pub(crate) fn read(provider: &str) -> Result<Overlay, String> {
    let path = home().join("overlays").join(format!("{provider}.toml"));
    match std::fs::read_to_string(&path) {
        Ok(text) => toml::from_str(&text).map_err(|e| format!("{}: {e}", path.display())),
        Err(_) => Ok(Overlay::default()),
    }
}

impl Overlay {
    pub(crate) fn apply(&mut self, doc: &mut Value) {
        for patch in &mut self.patch {
            let at = patch.at.clone();
            walk(doc, &at, patch);
        }
    }

    /// A patch that changes nothing mends a fault that is no longer there.
    pub(crate) fn check(&self) -> Result<(), String> {
        match self.patch.iter().find(|patch| patch.changes == 0) {
            Some(patch) => {
                Err(format!("an overlay changes nothing any more, remove it: {} ({})", patch.at.join(" → "), patch.reason))
            }
            None => Ok(()),
        }
    }
}

fn walk(node: &mut Value, at: &[String], patch: &mut Patch) {
    let Some((step, rest)) = at.split_first() else { return change(node, patch) };
    if rest.is_empty() && patch.remove {
        return remove(node, step, patch);
    }
    match node {
        Value::Object(members) if step == "*" => members.values_mut().for_each(|member| walk(member, rest, patch)),
        Value::Array(items) if step == "*" => items.iter_mut().for_each(|item| walk(item, rest, patch)),
        Value::Array(items) => items.iter_mut().filter(|item| is_meant(item, step)).for_each(|item| walk(item, rest, patch)),
        Value::Object(members) => {
            // What is set need not be there before.
            if rest.is_empty() && patch.set.is_some() && !members.contains_key(step) {
                members.insert(step.clone(), Value::Null);
            }
            if let Some(member) = members.get_mut(step) {
                walk(member, rest, patch);
            }
        }
        _ => {}
    }
}

fn is_meant(item: &Value, step: &str) -> bool {
    let condition = step.strip_prefix('[').and_then(|s| s.strip_suffix(']')).and_then(|s| s.split_once('='));
    condition.is_some_and(|(key, value)| item[key] == value)
}

fn remove(node: &mut Value, step: &str, patch: &mut Patch) {
    match node {
        Value::Array(items) => {
            let before = items.len();
            items.retain(|item| !is_meant(item, step));
            patch.changes += before - items.len();
        }
        Value::Object(members) => patch.changes += usize::from(members.remove(step).is_some()),
        _ => {}
    }
}

fn change(node: &mut Value, patch: &mut Patch) {
    let before = node.clone();
    if let Some(value) = &patch.set {
        *node = value.clone();
    }
    if let Some(value) = &patch.merge {
        merge(node, value);
    }
    if let (Some(value), Value::Array(items)) = (&patch.append, &mut *node) {
        items.push(value.clone());
    }
    if let (Some(copy), Value::Object(members)) = (&patch.copy, &mut *node)
        && let Some(value) = members.get(&copy.from).cloned()
        && !members.contains_key(&copy.to)
    {
        members.insert(copy.to.clone(), value);
    }
    patch.changes += usize::from(*node != before);
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_patch_reaches_every_place_that_it_names_and_one_that_changes_nothing_is_refused() {
        let text = r#"
            [[patch]]
            reason = "the token goes into a header"
            at = ["paths", "*", "*", "parameters", "[name=token]"]
            remove = true
            [[patch]]
            reason = "JSON is taken too"
            at = ["paths", "*", "post", "content"]
            copy = { from = "form", to = "json" }
        "#;
        let mut overlay: Overlay = toml::from_str(text).expect("an overlay");
        let mut doc =
            json!({"paths": {"/a": {"post": {"parameters": [{"name": "token"}, {"name": "x"}], "content": {"form": 1}}}}});
        overlay.apply(&mut doc);
        assert_eq!(doc, json!({"paths": {"/a": {"post": {"parameters": [{"name": "x"}], "content": {"form": 1, "json": 1}}}}}));
        assert!(overlay.check().is_ok());
        let mut again: Overlay = toml::from_str(text).expect("an overlay");
        again.apply(&mut doc);
        assert!(again.check().is_err_and(|why| why.contains("header")));
    }
}
