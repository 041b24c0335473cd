//! Places in a document, written as manifests write them: `error.errors[0].code`, `properties."due.date"`.

use serde_json::{Map, Value};

enum Step {
    Key(String),
    Index(usize),
}

fn steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut key = String::new();
    let mut rest = path.chars();
    let flush = |key: &mut String, steps: &mut Vec<Step>| {
        if !key.is_empty() {
            steps.push(Step::Key(std::mem::take(key)));
        }
    };
    while let Some(c) = rest.next() {
        match c {
            '.' => flush(&mut key, &mut steps),
            '"' => {
                key.extend(rest.by_ref().take_while(|c| *c != '"'));
                flush(&mut key, &mut steps);
            }
            '[' => {
                flush(&mut key, &mut steps);
                let inside: String = rest.by_ref().take_while(|c| *c != ']').collect();
                // A selector such as `[name=Subject]`, or the last: the harness makes lists of one item.
                steps.push(Step::Index(inside.parse().unwrap_or(0)));
            }
            c => key.push(c),
        }
    }
    flush(&mut key, &mut steps);
    steps
}

/// What stands there.
pub(crate) fn get<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    steps(path).iter().try_fold(document, |at, step| match step {
        Step::Key(key) => at.get(key.as_str()),
        Step::Index(index) => at.get(*index),
    })
}

/// Puts a value there, and makes what is missing on the way.
pub(crate) fn set(document: &mut Value, path: &str, value: Value) {
    *slot(document, path) = value;
}

/// The place itself, made if it is missing.
pub(crate) fn slot<'a>(document: &'a mut Value, path: &str) -> &'a mut Value {
    let mut at = document;
    for step in steps(path) {
        match step {
            Step::Key(key) => {
                if !at.is_object() {
                    *at = Value::Object(Map::new());
                }
                at = &mut at[key];
            }
            Step::Index(index) => {
                if !at.is_array() {
                    *at = Value::Array(Vec::new());
                }
                if let Value::Array(items) = at
                    && items.len() <= index
                {
                    items.resize(index + 1, Value::Null);
                }
                at = &mut at[index];
            }
        }
    }
    at
}

/// Takes it away.
pub(crate) fn remove(document: &mut Value, path: &str) {
    let mut steps = steps(path);
    let Some(last) = steps.pop() else { return };
    let mut at = document;
    for step in steps {
        let next = match step {
            Step::Key(key) => at.get_mut(key.as_str()),
            Step::Index(index) => at.get_mut(index),
        };
        let Some(next) = next else { return };
        at = next;
    }
    match (at, last) {
        (Value::Object(members), Step::Key(last)) => drop(members.remove(&last)),
        (Value::Array(items), Step::Index(index)) if index < items.len() => drop(items.remove(index)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_is_put_where_it_is_read_again() {
        let mut document = json!({});
        for path in ["a.b[1].c", r#""@odata.nextLink""#, r#"p."due.date".x"#] {
            set(&mut document, path, json!(7));
            assert_eq!(get(&document, path), Some(&json!(7)), "{path}");
            remove(&mut document, path);
            assert_eq!(get(&document, path), None, "{path}");
        }
    }
}
