//! Texts with placeholders: `'{folder|drive_quote}' in parents`.
//!
//! A template whose placeholder has no value has no value itself: the query parameter or the body member is left out.

use super::enums::{EnumTable, Enums};
use super::path::Path;
use super::transform::Transform;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::{Map, Value};
use std::sync::Arc;

/// The values that placeholders stand for.
pub(crate) type Vars = Map<String, Value>;

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Var(Var),
}

/// A placeholder: `{name}`, `{name.member}`, `{names[0]}`, `{name|filter}`.
#[derive(Clone, Debug)]
struct Var {
    name: String,
    inside: Path,
    filter: Option<Filter>,
    /// Where it stands in the text as it is written.
    at: usize,
}

/// What is done to a value before it is put in.
#[derive(Clone, Debug)]
enum Filter {
    Transform(Transform),
    /// In a path, `/` stays between the pieces of the value.
    Path,
    /// A table that the service is to have.
    Named(String),
    Enum(Arc<EnumTable>),
}

/// A text with placeholders. `{{` stands for a brace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Template(Vec<Part>);

impl Template {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            literal.push_str(&rest[..at]);
            let place = text.len() - rest.len() + at;
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('{') {
                literal.push('{');
                rest = after;
                continue;
            }
            let (inside, after) = rest.split_once('}').ok_or_else(|| format!("`{text}` has a `{{` without its `}}`"))?;
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(Part::Var(Var::parse(inside, text, place)?));
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Ok(Self(parts))
    }

    /// Gives the placeholders the tables that they name.
    pub(super) fn bind(&mut self, enums: &Enums) -> Result<(), String> {
        for part in &mut self.0 {
            if let Part::Var(Var { filter: Some(filter), .. }) = part
                && let Filter::Named(name) = filter
            {
                let table = enums.get(name).ok_or_else(|| format!("there is no transform or enum `{name}`"))?;
                *filter = Filter::Enum(Arc::clone(table));
            }
        }
        Ok(())
    }

    /// The text, or `None` if a placeholder has no value. `encode` is applied to each value, not to the text around it.
    pub(crate) fn render(&self, vars: &Vars, encode: impl Fn(&str) -> String) -> Option<String> {
        self.render_each(vars, |_, value| encode(value))
    }

    /// The same; `encode` is told where in the text the placeholder stands.
    pub(super) fn render_each(&self, vars: &Vars, encode: impl Fn(usize, &str) -> String) -> Option<String> {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Var(var) => {
                    let value = as_text(&var.value(vars)?)?;
                    match var.filter {
                        Some(Filter::Path) => {
                            let pieces: Vec<_> = value.split('/').map(|piece| encode(var.at, piece)).collect();
                            out.push_str(&pieces.join("/"));
                        }
                        _ => out.push_str(&encode(var.at, &value)),
                    }
                }
            }
        }
        Some(out)
    }

    /// The names of the placeholders.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.vars().map(|var| var.name.as_str())
    }

    /// The names of the placeholders, and where they stand.
    pub(super) fn places(&self) -> impl Iterator<Item = (&str, usize)> {
        self.vars().map(|var| (var.name.as_str(), var.at))
    }

    fn vars(&self) -> impl Iterator<Item = &Var> {
        self.0.iter().filter_map(|part| if let Part::Var(var) = part { Some(var) } else { None })
    }

    /// The first placeholder whose value is given and makes no sense there: one that a table does not know.
    pub(crate) fn unfit(&self, vars: &Vars) -> Option<&str> {
        let unfit = |var: &&Var| var.given(vars).is_some() && var.value(vars).is_none();
        self.vars().find(unfit).map(|var| var.name.as_str())
    }

    /// Whether the text has no placeholder and says nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value: of its own type if the template is one placeholder, else a text.
    fn value(&self, vars: &Vars) -> Option<Value> {
        match &self.0[..] {
            [Part::Var(var)] => var.value(vars),
            _ => self.render(vars, str::to_owned).map(Value::String),
        }
    }
}

impl Var {
    fn parse(inside: &str, text: &str, at: usize) -> Result<Self, String> {
        let (path, filter) = match inside.split_once('|') {
            Some((path, "path")) => (path, Some(Filter::Path)),
            Some((path, name)) => {
                let filter = match name.parse() {
                    Ok(transform) => Filter::Transform(transform),
                    Err(_) if is_name(name) => Filter::Named(name.to_owned()),
                    Err(error) => return Err(error),
                };
                (path, Some(filter))
            }
            None => (inside, None),
        };
        let (name, inside) = path.split_at(path.find(['.', '[']).unwrap_or(path.len()));
        if !is_name(name) {
            return Err(format!("`{name}` in `{text}` is not a placeholder name: use small letters, digits and `_`"));
        }
        let inside = Path::parse(inside.strip_prefix('.').unwrap_or(inside))?;
        Ok(Self { name: name.to_owned(), inside, filter, at })
    }

    /// What the caller gave.
    fn given<'v>(&self, vars: &'v Vars) -> Option<&'v Value> {
        self.inside.get(vars.get(&self.name)?)
    }

    fn value(&self, vars: &Vars) -> Option<Value> {
        let value = self.given(vars)?;
        match &self.filter {
            Some(Filter::Transform(transform)) => transform.write(value),
            Some(Filter::Enum(table)) => table.write(value),
            Some(Filter::Named(_)) => None,
            Some(Filter::Path) | None => Some(value.clone()),
        }
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// A scalar as text; a list of them, separated by commas.
pub(super) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Array(items) => Some(items.iter().map(as_text).collect::<Option<Vec<_>>>()?.join(",")),
        Value::Null | Value::Object(_) => None,
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Template::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A member of an object that is left out with all it holds, unless the input of this name is given.
const IF: &str = "$if";
/// The two members of an object that stands for a text of several parts.
const WITH: &str = "$with";
const PARTS: &str = "$parts";

/// A JSON document whose texts are templates. Members without a value are left out, and so is what has nothing but such members. In a list,
/// a placeholder that stands for a list stands for its elements.
#[derive(Clone, Debug)]
pub(crate) enum TemplateJson {
    Fixed(Value),
    Text(Template),
    List(Vec<TemplateJson>),
    Object(Vec<(String, TemplateJson)>),
    /// What it is, if the input of this name is given.
    If(Template, Box<TemplateJson>),
    /// The parts that have a value, and what stands between them.
    Joined(String, Vec<Template>),
}

impl TemplateJson {
    fn parse(value: Value) -> Result<Self, String> {
        Ok(match value {
            Value::String(text) => Self::Text(Template::parse(&text)?),
            Value::Array(items) => Self::List(items.into_iter().map(Self::parse).collect::<Result<_, _>>()?),
            Value::Object(mut members) => match (members.remove(IF), members.remove(WITH), members.remove(PARTS)) {
                (None, None, None) => {
                    Self::Object(members.into_iter().map(|(k, v)| Ok((k, Self::parse(v)?))).collect::<Result<_, String>>()?)
                }
                (Some(Value::String(name)), None, None) => {
                    Self::If(Template::parse(&format!("{{{name}}}"))?, Box::new(Self::parse(Value::Object(members))?))
                }
                (None, Some(Value::String(with)), Some(Value::Array(parts))) if members.is_empty() => {
                    let part = |part: &Value| Template::parse(part.as_str().ok_or("a part is a template")?);
                    Self::Joined(with, parts.iter().map(part).collect::<Result<_, String>>()?)
                }
                _ => return Err("write `\"$if\" = \"input\"`, or an object with `$with` and `$parts` and nothing else".into()),
            },
            other => Self::Fixed(other),
        })
    }

    pub(crate) fn render(&self, vars: &Vars) -> Option<Value> {
        match self {
            Self::Fixed(value) => Some(value.clone()),
            Self::Text(template) => template.value(vars),
            Self::List(items) => {
                let mut values = Vec::new();
                for item in items {
                    match (item, item.render(vars)) {
                        (Self::Text(_), Some(Value::Array(spliced))) => values.extend(spliced),
                        (_, value) => values.extend(value),
                    }
                }
                (!values.is_empty() || items.is_empty()).then_some(Value::Array(values))
            }
            Self::Object(members) => {
                let values: Map<_, _> = members.iter().filter_map(|(k, v)| Some((k.clone(), v.render(vars)?))).collect();
                (!values.is_empty() || members.is_empty()).then_some(Value::Object(values))
            }
            Self::If(input, inner) => input.value(vars).and_then(|_| inner.render(vars)),
            Self::Joined(with, parts) => {
                let parts: Vec<_> = parts.iter().filter_map(|part| part.render(vars, str::to_owned)).collect();
                (!parts.is_empty()).then(|| parts.join(with).into())
            }
        }
    }

    /// Every template in it.
    pub(super) fn templates<'a>(&'a self, found: &mut Vec<&'a Template>) {
        match self {
            Self::Fixed(_) => {}
            Self::Text(template) => found.push(template),
            Self::List(items) => items.iter().for_each(|item| item.templates(found)),
            Self::Object(members) => members.iter().for_each(|(_, member)| member.templates(found)),
            Self::If(input, inner) => {
                found.push(input);
                inner.templates(found);
            }
            Self::Joined(_, parts) => found.extend(parts),
        }
    }

    pub(super) fn bind(&mut self, enums: &Enums) -> Result<(), String> {
        match self {
            Self::Fixed(_) => Ok(()),
            Self::Text(template) => template.bind(enums),
            Self::List(items) => items.iter_mut().try_for_each(|item| item.bind(enums)),
            Self::Object(members) => members.iter_mut().try_for_each(|(_, member)| member.bind(enums)),
            Self::If(_, inner) => inner.bind(enums),
            Self::Joined(_, parts) => parts.iter_mut().try_for_each(|part| part.bind(enums)),
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
    fn members_lists_paths_and_tables_are_put_in() {
        let given = vars(&json!({"who": {"name": "Ada"}, "tags": ["a", "b"], "id": "ada/engine one", "state": "done"}));
        let render = |text: &str| Template::parse(text).expect(text).render(&given, |v| v.replace(['/', ' '], "%"));
        assert_eq!(render("{who.name}").as_deref(), Some("Ada"));
        assert_eq!(render("{who.email}"), None);
        assert_eq!((render("{tags[0]}").as_deref(), render("{tags[2]}")), (Some("a"), None));
        assert_eq!(render("{tags}").as_deref(), Some("a,b"));
        assert_eq!(render("/repos/{id|path}/x").as_deref(), Some("/repos/ada/engine%one/x"));
        let enums: Enums = serde_json::from_value(json!({"states": {"closed": "done", "open": "open"}})).expect("tables");
        let mut state = Template::parse("{state|states}").expect("a template");
        state.bind(&enums).expect("bound");
        assert_eq!(state.render(&given, str::to_owned).as_deref(), Some("closed"));
        let other = vars(&json!({"state": "on_hold"}));
        assert_eq!((state.render(&other, str::to_owned), state.unfit(&other)), (None, Some("state")));
    }

    #[test]
    fn lists_are_spliced_and_parts_are_left_out_or_joined() {
        let document = TemplateJson::parse(json!({
            "add": ["{tags}", "{one}"], "none": ["{gone}"], "text": {"$with": " AND ", "$parts": ["{one}", "{gone}", "x:{tags[1]}"]},
            "filters": [{"$if": "gone", "operator": "EQ", "value": "{gone}"}, {"$if": "one", "value": "{one}"}]
        }));
        let rendered = document.expect("a document").render(&vars(&json!({"tags": ["a", "b"], "one": "c"})));
        let expected = json!({"add": ["a", "b", "c"], "text": "c AND x:b", "filters": [{"value": "c"}]});
        assert_eq!(rendered, Some(expected));
        for wrong in [json!({"$if": 1}), json!({"$with": ","}), json!({"$with": ",", "$parts": ["a"], "more": 1})] {
            assert!(TemplateJson::parse(wrong).is_err());
        }
    }

    #[test]
    fn an_object_of_nothing_but_missing_members_is_left_out() {
        let document = TemplateJson::parse(json!({"project": {"key": "{project}"}, "kind": {"name": "Task", "id": "{kind}"}}));
        assert_eq!(document.expect("a document").render(&vars(&json!({}))), Some(json!({"kind": {"name": "Task"}})));
    }

    #[test]
    fn malformed_templates_are_refused() {
        for text in ["{", "{}", "{A}", "{a|No}", "{.a}", "a{b"] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
        let mut unknown = Template::parse("{a|nothing}").expect("perhaps a table");
        assert!(unknown.bind(&Enums::new()).is_err());
        assert_eq!(Template::parse("{{a}").expect("escaped").render(&vars(&json!({})), str::to_owned).as_deref(), Some("{a}"));
    }
}
