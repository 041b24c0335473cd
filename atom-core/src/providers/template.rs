//! Texts with placeholders: `'{folder|drive_quote}' in parents`.
//!
//! A template whose placeholder has no value has no value itself: the query parameter or the body member is left out.

use super::transform::Transform;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::{Map, Value};

/// The values that placeholders stand for.
pub(crate) type Vars = Map<String, Value>;

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Var { name: String, transform: Option<Transform> },
}

/// A text with placeholders. `{{` stands for a brace.
#[derive(Clone, Debug)]
pub(crate) struct Template(Vec<Part>);

impl Template {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            literal.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('{') {
                literal.push('{');
                rest = after;
                continue;
            }
            let (inside, after) = rest.split_once('}').ok_or_else(|| format!("`{text}` has a `{{` without its `}}`"))?;
            let (name, transform) = match inside.split_once('|') {
                Some((name, transform)) => (name, Some(transform.parse()?)),
                None => (inside, None),
            };
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
                return Err(format!("`{name}` in `{text}` is not a placeholder name: use small letters, digits and `_`"));
            }
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(Part::Var { name: name.to_owned(), transform });
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Ok(Self(parts))
    }

    /// The text, or `None` if a placeholder has no value. `encode` is applied to each value, not to the text around it.
    pub(crate) fn render(&self, vars: &Vars, encode: impl Fn(&str) -> String) -> Option<String> {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Var { .. } => out.push_str(&encode(&as_text(&part.value(vars)?)?)),
            }
        }
        Some(out)
    }

    /// The names of the placeholders.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Var { name, .. } => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The text with this in every place.
    pub(crate) fn filled(&self, with: &str) -> String {
        self.0.iter().map(|part| if let Part::Text(text) = part { text.as_str() } else { with }).collect()
    }

    /// The value: of its own type if the template is one placeholder, else a text.
    fn value(&self, vars: &Vars) -> Option<Value> {
        match &self.0[..] {
            [part @ Part::Var { .. }] => part.value(vars),
            _ => self.render(vars, str::to_owned).map(Value::String),
        }
    }
}

impl Part {
    fn value(&self, vars: &Vars) -> Option<Value> {
        let Part::Var { name, transform } = self else { return None };
        let value = vars.get(name).filter(|v| !v.is_null())?;
        match transform {
            Some(transform) => transform.write(value),
            None => Some(value.clone()),
        }
    }
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Template::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A JSON document whose texts are templates. Members without a value are left out.
#[derive(Clone, Debug)]
pub(crate) enum TemplateJson {
    Fixed(Value),
    Text(Template),
    List(Vec<TemplateJson>),
    Object(Vec<(String, TemplateJson)>),
}

impl TemplateJson {
    fn parse(value: Value) -> Result<Self, String> {
        Ok(match value {
            Value::String(text) => Self::Text(Template::parse(&text)?),
            Value::Array(items) => Self::List(items.into_iter().map(Self::parse).collect::<Result<_, _>>()?),
            Value::Object(members) => {
                Self::Object(members.into_iter().map(|(k, v)| Ok((k, Self::parse(v)?))).collect::<Result<_, String>>()?)
            }
            other => Self::Fixed(other),
        })
    }

    /// Adds the names of the placeholders to a list.
    pub(crate) fn names<'a>(&'a self, list: &mut Vec<&'a str>) {
        match self {
            Self::Fixed(_) => {}
            Self::Text(template) => list.extend(template.names()),
            Self::List(items) => items.iter().for_each(|item| item.names(list)),
            Self::Object(members) => members.iter().for_each(|(_, member)| member.names(list)),
        }
    }

    pub(crate) fn render(&self, vars: &Vars) -> Option<Value> {
        match self {
            Self::Fixed(value) => Some(value.clone()),
            Self::Text(template) => template.value(vars),
            Self::List(items) => Some(Value::Array(items.iter().filter_map(|item| item.render(vars)).collect())),
            Self::Object(members) => {
                Some(Value::Object(members.iter().filter_map(|(k, v)| Some((k.clone(), v.render(vars)?))).collect()))
            }
        }
    }
}

impl<'de> Deserialize<'de> for TemplateJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        TemplateJson::parse(Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn vars(value: &Value) -> Vars {
        value.as_object().expect("an object").clone()
    }

    #[test]
    fn a_template_without_all_its_values_has_no_value() {
        let template = Template::parse("'{folder}' in parents").expect("a template");
        assert_eq!(template.render(&vars(&json!({"folder": "x"})), str::to_owned).as_deref(), Some("'x' in parents"));
        assert_eq!(template.render(&vars(&json!({"folder": null})), str::to_owned), None);
        assert_eq!(template.render(&vars(&json!({})), str::to_owned), None);
    }

    #[test]
    fn only_values_are_encoded_and_quotes_in_them_stay_inside() {
        let template = Template::parse("/files/{id}").expect("a template");
        let rendered = template.render(&vars(&json!({"id": "../a?b"})), |v| v.replace('/', "%2F").replace('?', "%3F"));
        assert_eq!(rendered.as_deref(), Some("/files/..%2Fa%3Fb"));
        let quoted = Template::parse("'{q|drive_quote}'").expect("a template");
        assert_eq!(quoted.render(&vars(&json!({"q": r"it's \"})), str::to_owned).as_deref(), Some(r"'it\'s \\'"));
    }

    #[test]
    fn one_placeholder_keeps_its_type_in_a_document() {
        let document = TemplateJson::parse(json!({"n": "{n}", "text": "n={n}", "gone": "{gone}", "deep": [{"on": true}]}))
            .expect("a document");
        assert_eq!(document.render(&vars(&json!({"n": 3}))), Some(json!({"n": 3, "text": "n=3", "deep": [{"on": true}]})));
    }

    #[test]
    fn malformed_templates_are_refused() {
        for text in ["{", "{}", "{A}", "{a|nothing}", "a{b"] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
        assert_eq!(Template::parse("{{a}").expect("escaped").render(&vars(&json!({})), str::to_owned).as_deref(), Some("{a}"));
    }
}
