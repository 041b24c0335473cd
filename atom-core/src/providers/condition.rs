//! A question about a JSON document that is answered with yes or no.

use super::path::Path;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use serde_json::Value;

/// How deep conditions stand in conditions.
const MAX_DEPTH: usize = 4;

/// One test, or several that are put together.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    Test { path: Path, test: Test },
    Not(Box<Condition>),
    Any(Vec<Condition>),
    All(Vec<Condition>),
}

/// What is asked of the value at a path. Null is no value.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    Equals(Value),
    Exists(bool),
    /// A text has this part, or a list this text.
    Contains(String),
    OneOf(Vec<Value>),
}

impl Condition {
    pub(crate) fn holds(&self, document: &Value) -> bool {
        match self {
            Self::Test { path, test } => test.holds(path.get(document)),
            Self::Not(inner) => !inner.holds(document),
            Self::Any(inner) => inner.iter().any(|condition| condition.holds(document)),
            Self::All(inner) => inner.iter().all(|condition| condition.holds(document)),
        }
    }

    /// The places that it looks at.
    pub(crate) fn paths(&self) -> Vec<&Path> {
        match self {
            Self::Test { path, .. } => vec![path],
            Self::Not(inner) => inner.paths(),
            Self::Any(inner) | Self::All(inner) => inner.iter().flat_map(Self::paths).collect(),
        }
    }

    fn depth(&self) -> usize {
        1 + match self {
            Self::Test { .. } => 0,
            Self::Not(inner) => inner.depth(),
            Self::Any(inner) | Self::All(inner) => inner.iter().map(Self::depth).max().unwrap_or_default(),
        }
    }
}

impl Test {
    fn holds(&self, value: Option<&Value>) -> bool {
        match self {
            Self::Equals(expected) => value.map_or(expected.is_null(), |value| value == expected),
            Self::Exists(expected) => value.is_some() == *expected,
            Self::Contains(part) => match value {
                Some(Value::String(text)) => text.contains(part),
                Some(Value::Array(items)) => items.iter().any(|item| item.as_str() == Some(part)),
                _ => false,
            },
            Self::OneOf(expected) => value.is_some_and(|value| expected.contains(value)),
        }
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            path: Option<Path>,
            equals: Option<Value>,
            exists: Option<bool>,
            contains: Option<String>,
            one_of: Option<Vec<Value>>,
            not: Option<Box<Condition>>,
            any: Option<Vec<Condition>>,
            all: Option<Vec<Condition>>,
        }
        let written = Written::deserialize(deserializer)?;
        let mut tests = Vec::new();
        tests.extend(written.equals.map(Test::Equals));
        tests.extend(written.exists.map(Test::Exists));
        tests.extend(written.contains.map(Test::Contains));
        tests.extend(written.one_of.map(Test::OneOf));
        let mut whole = Vec::new();
        whole.extend(written.not.map(Self::Not));
        whole.extend(written.any.map(Self::Any));
        whole.extend(written.all.map(Self::All));
        let condition = match (written.path, tests.pop(), whole.pop()) {
            (Some(path), Some(test), None) if tests.is_empty() => Self::Test { path, test },
            (None, None, Some(condition)) if whole.is_empty() => condition,
            _ => {
                let text =
                    "a condition is a `path` with one of `equals`, `exists`, `contains`, `one_of`, or one of `not`, `any`, `all`";
                return Err(D::Error::custom(text));
            }
        };
        if condition.depth() > MAX_DEPTH {
            return Err(D::Error::custom(format!("conditions stand in conditions at most {MAX_DEPTH} deep")));
        }
        Ok(condition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parsed(condition: Value) -> Result<Condition, String> {
        serde_json::from_value(condition).map_err(|e| e.to_string())
    }

    fn holds(condition: Value, document: &Value) -> bool {
        parsed(condition).expect("a condition").holds(document)
    }

    #[test]
    fn each_test_is_answered_by_the_value_at_its_path() {
        let document = json!({"ok": true, "n": 3, "text": "an error", "list": ["a", "b"], "null": null});
        for (condition, expected) in [
            (json!({"path": "ok", "equals": true}), true),
            (json!({"path": "n", "equals": 4}), false),
            (json!({"path": "text", "contains": "err"}), true),
            (json!({"path": "list", "contains": "b"}), true),
            (json!({"path": "list", "contains": "c"}), false),
            (json!({"path": "null", "exists": true}), false),
            (json!({"path": "nothing", "exists": false}), true),
            (json!({"path": "n", "one_of": [1, 3]}), true),
            (json!({"not": {"path": "ok", "equals": true}}), false),
            (json!({"any": [{"path": "n", "equals": 4}, {"path": "ok", "equals": true}]}), true),
            (json!({"all": [{"path": "n", "equals": 4}, {"path": "ok", "equals": true}]}), false),
        ] {
            assert_eq!(holds(condition.clone(), &document), expected, "{condition}");
        }
    }

    #[test]
    fn what_is_no_condition_or_too_deep_is_refused() {
        for wrong in [
            json!({}),
            json!({"path": "a"}),
            json!({"equals": 1}),
            json!({"path": "a", "equals": 1, "exists": true}),
            json!({"path": "a", "equals": 1, "not": {"path": "a", "equals": 1}}),
            json!({"path": "a", "equal": 1}),
            json!({"not": {"not": {"not": {"not": {"path": "a", "exists": true}}}}}),
        ] {
            assert!(parsed(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
