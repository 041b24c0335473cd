//! GraphQL services: documents and variables against the schema, answers out of the selected fields.

use crate::description::scalar;
use apollo_compiler::ast::Type;
use apollo_compiler::executable::{Operation, Selection, SelectionSet};
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// A service's schema.
pub(crate) struct GraphQl {
    schema: Valid<Schema>,
}

impl GraphQl {
    pub(crate) fn from_sdl(sdl: &str) -> Result<Self, String> {
        let schema = Schema::parse_and_validate(sdl, "schema.graphql");
        schema.map(|schema| Self { schema }).map_err(|e| first_lines(&e.errors.to_string()))
    }

    pub(crate) fn from_introspection(answer: &Value) -> Result<Self, String> {
        Self::from_sdl(&sdl(answer))
    }

    /// Whether a query or mutation of this name is there.
    pub(crate) fn has(&self, root_field: &str) -> bool {
        let roots = [&self.schema.schema_definition.query, &self.schema.schema_definition.mutation];
        let types = roots.into_iter().flatten().filter_map(|root| self.schema.types.get(root.as_str()));
        types.into_iter().any(|kind| matches!(kind, ExtendedType::Object(object) if object.fields.contains_key(root_field)))
    }

    /// What is wrong with a request body.
    pub(crate) fn judge(&self, body: &Value) -> Vec<String> {
        let Some(text) = body["query"].as_str() else { return vec!["body: `query` is missing".into()] };
        let document = match ExecutableDocument::parse_and_validate(&self.schema, text, "request.graphql") {
            Ok(document) => document,
            Err(e) => return vec![first_lines(&e.errors.to_string())],
        };
        let Ok(operation) = document.operations.get(None) else { return vec!["the document has not one operation".into()] };
        let mut faults = Vec::new();
        for name in body["variables"].as_object().into_iter().flatten().map(|(name, _)| name) {
            if !operation.variables.iter().any(|variable| variable.name.as_str() == name) {
                faults.push(format!("variables: the document declares no ${name}"));
            }
        }
        let variables = serde_json::from_value(match &body["variables"] {
            Value::Null => json!({}),
            variables => variables.clone(),
        });
        match variables {
            Ok(variables) => {
                if let Err(e) = coerce_variable_values(&self.schema, operation, &variables) {
                    faults.push(format!("variables: {}", e.message()));
                }
            }
            Err(e) => faults.push(format!("variables: {e}")),
        }
        faults
    }

    /// The fields of the root that a document asks for.
    pub(crate) fn roots(&self, body: &Value) -> Vec<String> {
        let document =
            body["query"].as_str().and_then(|text| ExecutableDocument::parse(&self.schema, text, "request.graphql").ok());
        let Some(document) = document else { return Vec::new() };
        let Ok(operation) = document.operations.get(None) else { return Vec::new() };
        operation.root_fields(&document).map(|field| field.name.to_string()).collect()
    }

    /// `{data: …}` with a value for every field that is asked for.
    pub(crate) fn answer(&self, body: &Value) -> Value {
        let document =
            body["query"].as_str().and_then(|text| ExecutableDocument::parse(&self.schema, text, "request.graphql").ok());
        let Some(document) = document else { return Value::Null };
        let operation: Option<&Operation> = document.operations.get(None).ok().map(|operation| &**operation);
        json!({ "data": operation.map(|operation| self.object(&document, &operation.selection_set)) })
    }

    fn object(&self, document: &ExecutableDocument, set: &SelectionSet) -> Value {
        let mut out = Map::new();
        self.fields(document, set, &mut out);
        Value::Object(out)
    }

    fn fields(&self, document: &ExecutableDocument, set: &SelectionSet, out: &mut Map<String, Value>) {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    let value = match self.schema.types.get(field.ty().inner_named_type().as_str()) {
                        _ if field.name == "__typename" => json!(set.ty.as_str()),
                        Some(ExtendedType::Enum(kind)) => json!(kind.values.keys().next().map(|value| value.as_str())),
                        Some(ExtendedType::Scalar(kind)) => leaf(kind.name.as_str(), field.name.as_str()),
                        _ => self.object(document, &field.selection_set),
                    };
                    out.insert(field.response_key().to_string(), listed(field.ty(), value));
                }
                Selection::InlineFragment(inline) => self.fields(document, &inline.selection_set, out),
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = document.fragments.get(&spread.fragment_name) {
                        self.fields(document, &fragment.selection_set, out);
                    }
                }
            }
        }
    }
}

fn listed(kind: &Type, value: Value) -> Value {
    match kind {
        Type::List(inner) | Type::NonNullList(inner) => json!([listed(inner, value)]),
        _ => value,
    }
}

fn leaf(kind: &str, name: &str) -> Value {
    let lower = kind.to_lowercase();
    let (types, format) = match kind {
        "Int" => ("integer", ""),
        "Float" => ("number", ""),
        "Boolean" => ("boolean", ""),
        "ID" => return json!("gid://shopify/Thing/42"),
        "TimelessDate" | "Date" => ("string", "date"),
        "Decimal" | "Money" => return json!("12.50"),
        "UnsignedInt64" => return json!("42"),
        "JSON" | "JSONObject" => return json!({}),
        _ if lower.contains("datetime") => ("string", "date-time"),
        _ if lower.contains("ur") => ("string", "uri"),
        _ => ("string", ""),
    };
    scalar(&[types.to_owned()], format, name)
}

fn first_lines(text: &str) -> String {
    text.lines().take(6).collect::<Vec<_>>().join(" ")
}

/// An answer to the introspection query, as the SDL that it describes.
fn sdl(answer: &Value) -> String {
    let schema =
        [&answer["data"]["__schema"], &answer["__schema"]].into_iter().find(|schema| schema.is_object()).unwrap_or(answer);
    let mut out = String::from("schema {");
    for (root, key) in [("query", "queryType"), ("mutation", "mutationType")] {
        if let Some(name) = schema[key]["name"].as_str() {
            let _ = write!(out, " {root}: {name}");
        }
    }
    out += " }\n";
    let list = |node: &Value| node.as_array().cloned().unwrap_or_default();
    let text = |node: &Value| node.as_str().unwrap_or_default().to_owned();
    for kind in list(&schema["types"]) {
        let name = text(&kind["name"]);
        if name.starts_with("__") || ["Int", "Float", "String", "Boolean", "ID"].contains(&name.as_str()) {
            continue;
        }
        let implements: Vec<_> = list(&kind["interfaces"]).iter().map(|i| text(&i["name"])).collect();
        let implements = if implements.is_empty() { String::new() } else { format!(" implements {}", implements.join(" & ")) };
        let field = |field: &Value| {
            let arguments: Vec<_> = list(&field["args"]).iter().map(argument).collect();
            let arguments = if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
            format!("  {}{arguments}: {}\n", text(&field["name"]), type_name(&field["type"]))
        };
        let fields = || list(&kind["fields"]).iter().map(field).collect::<String>();
        let _ = match text(&kind["kind"]).as_str() {
            "OBJECT" => writeln!(out, "type {name}{implements} {{\n{}}}", fields()),
            "INTERFACE" => writeln!(out, "interface {name}{implements} {{\n{}}}", fields()),
            "UNION" => {
                let members: Vec<_> = list(&kind["possibleTypes"]).iter().map(|member| text(&member["name"])).collect();
                writeln!(out, "union {name} = {}", members.join(" | "))
            }
            "ENUM" => {
                let values: String =
                    list(&kind["enumValues"]).iter().map(|value| format!("  {}\n", text(&value["name"]))).collect();
                writeln!(out, "enum {name} {{\n{values}}}")
            }
            "INPUT_OBJECT" => {
                let fields: String = list(&kind["inputFields"]).iter().map(|field| format!("  {}\n", argument(field))).collect();
                writeln!(out, "input {name} {{\n{fields}}}")
            }
            _ => writeln!(out, "scalar {name}"),
        };
    }
    out
}

fn argument(node: &Value) -> String {
    let default = node["defaultValue"].as_str().map(|value| format!(" = {value}")).unwrap_or_default();
    format!("{}: {}{default}", node["name"].as_str().unwrap_or_default(), type_name(&node["type"]))
}

fn type_name(node: &Value) -> String {
    match node["kind"].as_str() {
        Some("NON_NULL") => format!("{}!", type_name(&node["ofType"])),
        Some("LIST") => format!("[{}]", type_name(&node["ofType"])),
        _ => node["name"].as_str().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDL: &str = "type Query { issue(id: ID!): Issue } type Issue { id: ID! title: String! labels: [Label!]! createdAt: DateTime! } \
        type Label { name: String! } scalar DateTime \
        type Mutation { create(input: New!): Issue } input New { title: String! priority: Int }";

    #[test]
    fn wrong_fields_arguments_and_variables_are_named_and_a_right_document_is_answered() {
        let service = GraphQl::from_sdl(SDL).expect("a schema");
        let create = "mutation($input: New!) { create(input: $input) { id title createdAt labels { name } } }";
        let right = json!({"query": create, "variables": {"input": {"title": "x", "priority": 1}}});
        assert_eq!(service.judge(&right), Vec::<String>::new());
        assert_eq!(service.roots(&right), ["create"]);
        let answer = service.answer(&right);
        assert_eq!(answer["data"]["create"]["createdAt"], "2026-11-28T10:00:00Z");
        assert!(answer["data"]["create"]["labels"][0]["name"].is_string());
        for wrong in [
            json!({"query": "{ issue(id: 1) { nothing } }"}),
            json!({"query": "{ issue { id } }"}),
            json!({"query": create, "variables": {"input": {"priority": 1}}}),
            json!({"query": create, "variables": {"input": {"title": "x", "unknown": 1}}}),
            json!({"query": create, "variables": {"input": {"title": "x", "priority": {"a": 1}}}}),
            json!({"query": create, "variables": {"input": {"title": "x"}, "more": 1}}),
        ] {
            assert_eq!(service.judge(&wrong).len(), 1, "{wrong}");
        }
    }

    #[test]
    fn an_introspection_answer_becomes_the_same_schema() {
        let string = json!({"kind": "NON_NULL", "ofType": {"kind": "SCALAR", "name": "String"}});
        let answer = json!({"data": {"__schema": {"queryType": {"name": "Query"}, "types": [
            {"kind": "OBJECT", "name": "Query", "fields": [{"name": "shop", "args": [{"name": "id", "type": string}], "type": string}]},
        ]}}});
        let service = GraphQl::from_introspection(&answer).expect("a schema");
        assert!(service.has("shop") && !service.has("shops"));
        assert_eq!(service.judge(&json!({"query": "{ shop(id: \"1\") }"})), Vec::<String>::new());
    }
}
