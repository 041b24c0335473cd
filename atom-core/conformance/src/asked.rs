//! What a GraphQL request asks of the root, whatever it calls its variables and whichever fields it wants back.

use apollo_compiler::ast::{Document, Value as Ast};
use serde_json::{Map, Value, json};

/// Each field of the root with its arguments, under the type of the operation; nothing if the body is no such request.
pub(crate) fn asked(body: &Value) -> Option<Value> {
    let document = Document::parse(body.get("query")?.as_str()?, "request.graphql").ok()?;
    let operation = document.definitions.iter().find_map(|definition| definition.as_operation_definition())?;
    let mut fields = Map::new();
    for field in operation.selection_set.iter().filter_map(|selection| selection.as_field()) {
        let given = |value: &Ast| filled(value, body.get("variables").unwrap_or(&Value::Null));
        let arguments = field.arguments.iter().filter_map(|argument| Some((argument.name.to_string(), given(&argument.value)?)));
        fields.insert(field.name.to_string(), arguments.collect());
    }
    Some(json!({ operation.operation_type.name(): fields }))
}

/// A value with its variables; nothing where they are not given.
fn filled(value: &Ast, variables: &Value) -> Option<Value> {
    Some(match value {
        Ast::Variable(name) => return variables.get(name.as_str()).cloned(),
        Ast::Null => Value::Null,
        Ast::Enum(name) => name.as_str().into(),
        Ast::String(text) => text.as_str().into(),
        Ast::Boolean(flag) => (*flag).into(),
        Ast::Int(number) => serde_json::from_str(number.as_str()).ok()?,
        Ast::Float(number) => serde_json::from_str(number.as_str()).ok()?,
        Ast::List(items) => items.iter().filter_map(|item| filled(item, variables)).collect(),
        Ast::Object(members) => {
            members.iter().filter_map(|(name, member)| Some((name.to_string(), filled(member, variables)?))).collect()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_that_ask_for_the_same_in_other_words_are_the_same() {
        let one = json!({
            "query": "query Issues($first: Int, $id: ID) { issues(first: $first, filter: { id: { eq: $id } }, orderBy: updatedAt) { id } }",
            "variables": {"first": 2, "id": "7"}
        });
        let other = json!({
            "query": "query q($n: Int, $f: F, $o: O) { issues(orderBy: $o, filter: $f, first: $n) { ...All } } fragment All on Issue { id name }",
            "variables": {"n": 2, "f": {"id": {"eq": "7"}}, "o": "updatedAt"}
        });
        let expected = json!({"query": {"issues": {"first": 2, "filter": {"id": {"eq": "7"}}, "orderBy": "updatedAt"}}});
        assert_eq!((asked(&one), asked(&other)), (Some(expected.clone()), Some(expected)));
        assert_eq!(asked(&json!({"query": "engine"})), None, "a search is no document");
        assert_eq!(asked(&json!({"title": "G"})), None);
    }
}
