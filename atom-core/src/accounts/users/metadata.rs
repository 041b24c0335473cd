//! Metadata: JSON objects of the host's own that a user has, and how they are changed.

use crate::{Error, ErrorKind, Json, Result};
use serde_json::{Map, Value};

/// The most that an object takes as JSON, in bytes.
const LARGEST: usize = 16 * 1024;

/// The object with a patch merged into it (RFC 7396).
///
/// Fails with `invalid` (`malformed_metadata`, `metadata_too_large`).
pub(super) fn merged(stored: Value, patch: &Json) -> Result<Value> {
    let malformed = |text: &str| Error::invalid("malformed_metadata", text);
    if !patch.0.is_object() {
        return Err(malformed("metadata is a JSON object: its members are merged into what is there"));
    }
    // The database cannot hold it.
    if has_nul(&patch.0) {
        return Err(malformed("metadata has no NUL characters in its texts and names"));
    }
    let merged = merge(stored, &patch.0);
    let length = merged.to_string().len();
    if length > LARGEST {
        let text = format!("the metadata would take {length} bytes as JSON, of {LARGEST}: keep it elsewhere, and its id here");
        return Err(Error::new(ErrorKind::Invalid, "metadata_too_large", text));
    }
    Ok(merged)
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(members) => members.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
}

fn merge(target: Value, patch: &Value) -> Value {
    let Value::Object(changes) = patch else { return patch.clone() };
    let mut merged = match target {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    for (name, change) in changes {
        match change {
            Value::Null => drop(merged.remove(name)),
            _ => {
                let before = merged.remove(name).unwrap_or_default();
                merged.insert(name.clone(), merge(before, change));
            }
        }
    }
    Value::Object(merged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_patch_merges_as_the_examples_of_rfc_7396_do() {
        for (target, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            assert_eq!(merged(target, &Json(patch.clone())).expect("an object"), result, "{patch}");
        }
    }

    #[test]
    fn what_is_no_object_or_too_large_is_refused() {
        for wrong in [json!(null), json!([1]), json!("a"), json!({"a": "\0"}), json!({"a\0": 1})] {
            assert_eq!(merged(json!({}), &Json(wrong.clone())).expect_err("refused").reason(), "malformed_metadata", "{wrong}");
        }
        let half = json!({ "a": "x".repeat(LARGEST / 2) });
        let stored = merged(json!({}), &Json(half)).expect("small enough");
        let refused = merged(stored, &Json(json!({ "b": "x".repeat(LARGEST / 2) }))).expect_err("both together");
        assert_eq!(refused.reason(), "metadata_too_large");
    }
}
