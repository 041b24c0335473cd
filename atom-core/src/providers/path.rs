//! Where a value stands in a JSON document: `a.b`, `files[0].id`, `files[-1]`, `headers[name=Subject].value`, `"@odata.nextLink"`.

use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::{Map, Value};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Key(String),
    Index(usize),
    /// Counted from the end: 1 is the last.
    FromEnd(usize),
    /// The first element whose member equals the text, letter case aside (header names).
    Where(String, String),
}

/// A path into a JSON document. The empty path is the document itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Path(Vec<Step>);

impl Path {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let malformed = || format!("`{text}` is not a path: write `a.b`, `a[0]`, `a[-1]`, `a[name=Text]` or `\"a.b\"`");
        let (mut steps, mut rest) = (Vec::new(), text);
        while !rest.is_empty() {
            let (key, after) = match rest.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').ok_or_else(malformed)?,
                None => rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len())),
            };
            if key.is_empty() && (!steps.is_empty() || !after.starts_with('[')) {
                return Err(malformed());
            }
            if !key.is_empty() {
                steps.push(Step::Key(key.to_owned()));
            }
            rest = after;
            while let Some(inside) = rest.strip_prefix('[') {
                let (selector, after) = inside.split_once(']').ok_or_else(malformed)?;
                steps.push(selector_step(selector).ok_or_else(malformed)?);
                rest = after;
            }
            rest = match rest.strip_prefix('.') {
                Some("") => return Err(malformed()),
                Some(more) => more,
                None if rest.is_empty() => rest,
                None => return Err(malformed()),
            };
        }
        Ok(Self(steps))
    }

    /// The value there, unless it is missing or null.
    pub(crate) fn get<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        let mut at = document;
        for step in &self.0 {
            at = match step {
                Step::Key(key) => at.get(key)?,
                Step::Index(index) => at.get(index)?,
                Step::FromEnd(back) => {
                    let items = at.as_array()?;
                    items.get(items.len().checked_sub(*back)?)?
                }
                Step::Where(member, text) => at.as_array()?.iter().find(|item| {
                    item.get(member).and_then(Value::as_str).is_some_and(|value| value.eq_ignore_ascii_case(text))
                })?,
            };
        }
        (!at.is_null()).then_some(at)
    }

    /// Takes the value out of the document, if it stands under keys and numbers only.
    pub(crate) fn take(&self, document: &mut Value) -> Option<Value> {
        let mut at = document;
        for step in &self.0 {
            at = match step {
                Step::Key(key) => at.get_mut(key)?,
                Step::Index(index) => at.get_mut(index)?,
                Step::FromEnd(_) | Step::Where(..) => return self.get(at).cloned(),
            };
        }
        Some(at.take()).filter(|value| !value.is_null())
    }

    /// The keys that it leads through; nothing if it leads through anything else.
    pub(crate) fn keys(&self) -> Option<Vec<&str>> {
        self.0.iter().map(|step| if let Step::Key(key) = step { Some(key.as_str()) } else { None }).collect()
    }

    /// Whether it leads into what stands at another one.
    pub(crate) fn is_below(&self, other: &Self) -> bool {
        self.0.len() > other.0.len() && self.0.starts_with(&other.0)
    }

    /// The key that it begins with.
    pub(crate) fn first_key(&self) -> Option<&str> {
        if let [Step::Key(key), ..] = &self.0[..] { Some(key) } else { None }
    }

    /// Of a path that leads to a member, or to the first element of the list there: its key, and whether it is the element.
    pub(crate) fn member(&self) -> Option<(&str, bool)> {
        match &self.0[..] {
            [Step::Key(key)] => Some((key, false)),
            [Step::Key(key), Step::Index(0)] => Some((key, true)),
            _ => None,
        }
    }

    /// The text there.
    pub(crate) fn text(&self, document: &Value) -> Option<String> {
        match self.get(document)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// Puts a value there, making the objects and lists on the way.
    pub(crate) fn set(&self, document: &mut Value, value: Value) {
        let mut at = document;
        for step in &self.0 {
            at = match step {
                Step::Key(key) => {
                    if !at.is_object() {
                        *at = Value::Object(Map::new());
                    }
                    let Value::Object(members) = at else { return };
                    members.entry(key.clone()).or_insert(Value::Null)
                }
                // Lists are filled from their beginning.
                Step::Index(0) => {
                    if !at.is_array() {
                        *at = Value::Array(vec![Value::Null]);
                    }
                    let Some(first) = at.get_mut(0) else { return };
                    first
                }
                _ => return,
            };
        }
        *at = value;
    }

    /// Whether the path leads through keys only, so that it can be written.
    pub(crate) fn is_writable(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|step| matches!(step, Step::Key(_)))
    }
}

fn selector_step(selector: &str) -> Option<Step> {
    if let Some((member, value)) = selector.split_once('=') {
        return Some(Step::Where(member.to_owned(), value.to_owned()));
    }
    match selector.strip_prefix('-') {
        Some(back) => back.parse().ok().filter(|back| *back > 0).map(Step::FromEnd),
        None => selector.parse().ok().map(Step::Index),
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Path::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_finds_keys_elements_and_members_by_name() {
        let document = json!({
            "files": [{"id": "a"}, {"id": "b"}], "headers": [{"name": "subject", "value": "Hi"}], "none": null,
            "@odata.nextLink": "next", "properties": {"due.date": "today", "a": [1, 2]}
        });
        let get = |path: &str| Path::parse(path).expect(path).get(&document).cloned();
        assert_eq!(get("files[1].id"), Some(json!("b")));
        assert_eq!(get("files[-1].id"), Some(json!("b")));
        assert_eq!(get("files[-2].id"), Some(json!("a")));
        assert_eq!(get("headers[name=Subject].value"), Some(json!("Hi")));
        assert_eq!(get("\"@odata.nextLink\""), Some(json!("next")));
        assert_eq!(get("properties.\"due.date\""), Some(json!("today")));
        assert_eq!(get("\"properties\".a[1]"), Some(json!(2)));
        assert_eq!(get(""), Some(document.clone()));
        for missing in ["files[2].id", "files[-3].id", "files.id", "none", "nothing.at.all", "headers[name=To].value"] {
            assert_eq!(get(missing), None, "{missing}");
        }
    }

    #[test]
    fn writing_makes_the_objects_on_the_way() {
        let mut document = json!({"a": {"kept": 1}});
        Path::parse("a.b.c").expect("a path").set(&mut document, json!(2));
        Path::parse("a.\"d.e\"").expect("a path").set(&mut document, json!(3));
        assert_eq!(document, json!({"a": {"kept": 1, "b": {"c": 2}, "d.e": 3}}));
        let mut document = json!({});
        Path::parse("data[0]").expect("a path").set(&mut document, json!({"a": 1}));
        assert_eq!(document, json!({"data": [{"a": 1}]}));
    }

    #[test]
    fn what_is_taken_is_gone() {
        let mut document = json!({"a": {"items": [1, 2]}});
        assert_eq!(Path::parse("a.items").expect("a path").take(&mut document), Some(json!([1, 2])));
        assert_eq!(document, json!({"a": {"items": null}}));
        assert_eq!(Path::parse("a.items").expect("a path").take(&mut document), None);
    }

    #[test]
    fn a_malformed_path_is_refused() {
        for text in ["a..b", ".a", "a.", "a[", "a[x]", "a[0]b", "a[-0]", "a[--1]", "\"a", "\"a\"b", "a.\"\""] {
            assert!(Path::parse(text).is_err(), "{text}");
        }
    }
}
