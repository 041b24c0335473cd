//! What a vendor says about its operations, whatever it is written in.

mod discovery;
mod sample;
pub(crate) mod schema;

pub(crate) use sample::{Origin, answer, scalar};

use regex_lite::Regex;
use serde_json::Value;
use std::sync::Arc;

const VERBS: &[&str] = &["get", "put", "post", "delete", "patch"];

/// One description, as an OpenAPI document.
pub(crate) struct Description {
    pub(crate) doc: Value,
    /// Pairs of path beginnings that mean the same, such as `/me` and `/users/{user-id}`.
    pub(crate) aliases: Vec<(String, String)>,
}

/// One operation of a description.
#[derive(Clone)]
pub(crate) struct Operation {
    pub(crate) description: Arc<Description>,
    pub(crate) id: Option<String>,
    pub(crate) method: String,
    /// As in the description, without a fragment that tells variants apart.
    pub(crate) path: String,
    /// Where it is served: URLs.
    pub(crate) servers: Vec<String>,
    pub(crate) parameters: Vec<Value>,
    pub(crate) node: Value,
}

impl Description {
    /// Reads a document in the format of that name.
    pub(crate) fn new(kind: &str, doc: Value, aliases: Vec<(String, String)>) -> Self {
        let doc = if kind == "discovery" { discovery::to_openapi(&doc) } else { doc };
        Self { doc, aliases }
    }

    fn operations(self: &Arc<Self>) -> impl Iterator<Item = Operation> {
        let paths = self.doc["paths"].as_object().into_iter().flatten();
        paths.flat_map(move |(path, item)| VERBS.iter().filter_map(move |verb| self.operation(path, item, verb)))
    }

    fn operation(self: &Arc<Self>, path: &str, item: &Value, verb: &str) -> Option<Operation> {
        let node = item.get(verb)?;
        let own = node["parameters"].as_array().into_iter().flatten();
        let shared = item["parameters"].as_array().into_iter().flatten();
        let mut parameters: Vec<Value> = Vec::new();
        for parameter in own.chain(shared) {
            let parameter = schema::deref(&self.doc, parameter);
            if !parameters.iter().any(|known| known["name"] == parameter["name"] && known["in"] == parameter["in"]) {
                parameters.push(parameter.clone());
            }
        }
        let servers = [node, item, &self.doc].into_iter().find_map(|place| place["servers"].as_array().filter(|s| !s.is_empty()));
        let servers = servers.into_iter().flatten().filter_map(|server| server["url"].as_str().map(str::to_owned));
        let mut servers: Vec<String> = servers.collect();
        if servers.is_empty() {
            servers.push(String::new());
        }
        Some(Operation {
            description: Arc::clone(self),
            id: node["operationId"].as_str().map(str::to_owned),
            method: verb.to_uppercase(),
            path: path.split('#').next().unwrap_or_default().to_owned(),
            servers,
            parameters,
            node: node.clone(),
        })
    }

    /// The operations that a manifest means by a name: an id, or `METHOD /path` whose placeholders may be named otherwise.
    pub(crate) fn find(self: &Arc<Self>, name: &str) -> Vec<Operation> {
        let by_id: Vec<_> = self.operations().filter(|operation| operation.id.as_deref() == Some(name)).collect();
        let Some((method, path)) = name.split_once(' ').filter(|_| by_id.is_empty()) else { return by_id };
        let mut wanted = vec![anonymous(path)];
        for (short, long) in &self.aliases {
            wanted.extend(path.strip_prefix(short.as_str()).map(|rest| anonymous(&format!("{long}{rest}"))));
        }
        let fits = |operation: &Operation| operation.method == method && wanted.contains(&anonymous(&operation.path));
        let found: Vec<_> = self.operations().filter(fits).collect();
        // An operation that is served at several paths has one id.
        let ids: Vec<_> = found.iter().filter_map(|operation| operation.id.clone()).collect();
        let is_same = |operation: &Operation| fits(operation) || operation.id.as_ref().is_some_and(|id| ids.contains(id));
        self.operations().filter(is_same).collect()
    }
}

/// A path whose placeholders have no names.
fn anonymous(path: &str) -> String {
    let mut out = String::new();
    let mut depth = 0;
    for c in path.split('#').next().unwrap_or_default().trim_end_matches('/').chars() {
        match c {
            '{' => {
                depth += 1;
                out.push_str("{}");
            }
            '}' => depth -= 1,
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

impl Operation {
    pub(crate) fn doc(&self) -> &Value {
        &self.description.doc
    }

    /// Whether a request of this path, as it stands on the wire, is one for this operation.
    pub(crate) fn serves(&self, path: &str) -> bool {
        self.servers.iter().any(|server| {
            // Of a server only the path is compared here; the host is compared once with the manifest.
            let prefix =
                server.split_once("://").map_or(server.as_str(), |(_, rest)| rest.find('/').map_or("", |at| &rest[at..]));
            let pattern = pattern(&format!("{}{}", prefix.trim_end_matches('/'), self.path));
            let is_it = |path: &str| pattern.is_match(path);
            let aliased = self.description.aliases.iter().any(|(short, long)| {
                let filled = anonymous(long).replace("{}", "me");
                path.strip_prefix(prefix.trim_end_matches('/'))
                    .and_then(|rest| rest.strip_prefix(short.as_str()))
                    .is_some_and(|rest| is_it(&format!("{}{filled}{rest}", prefix.trim_end_matches('/'))))
            });
            is_it(path) || aliased
        })
    }

    pub(crate) fn parameters_in(&self, place: &str) -> impl Iterator<Item = &Value> {
        self.parameters.iter().filter(move |parameter| parameter["in"] == place)
    }

    /// The bodies that it takes: media type and schema.
    pub(crate) fn bodies(&self) -> Vec<(&str, &Value)> {
        let body = schema::deref(self.doc(), &self.node["requestBody"]);
        let content = body["content"].as_object().into_iter().flatten();
        content.map(|(kind, media)| (kind.as_str(), &media["schema"])).collect()
    }

    pub(crate) fn needs_body(&self) -> bool {
        schema::deref(self.doc(), &self.node["requestBody"])["required"] == true
    }

    /// Its answers of a class of status (`2`, `4`): status and answer.
    pub(crate) fn answers(&self, class: char) -> Vec<(u16, &Value)> {
        let all = self.node["responses"].as_object().into_iter().flatten();
        let of_class = all.filter(|(status, _)| status.starts_with(class));
        let read = |status: &str| status.parse().unwrap_or(if class == '2' { 200 } else { 404 });
        of_class.map(|(status, answer)| (read(status), schema::deref(self.doc(), answer))).collect()
    }
}

/// The paths that a template stands for.
fn pattern(template: &str) -> Regex {
    let mut out = String::from("^");
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        out += &regex_lite::escape(&rest[..at]);
        let end = rest.find('}').unwrap_or(rest.len() - 1);
        // `{+name}` may hold slashes (RFC 6570).
        out += if rest[at + 1..].starts_with('+') { ".+" } else { "[^/]+" };
        rest = &rest[end + 1..];
    }
    out += &regex_lite::escape(rest);
    // A slash at the end names the same resource.
    Regex::new(&format!("{}/?$", out.trim_end_matches('/'))).expect("an escaped pattern")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_operation_is_found_by_id_by_path_and_by_alias() {
        let doc = json!({"servers": [{"url": "https://graph.example/v1.0"}], "paths": {
            "/users/{user-id}/messages/{message-id}": {"get": {"operationId": "read"}},
            "/files/{id}#copy": {"post": {}},
        }});
        let description = Arc::new(Description::new("openapi", doc, vec![("/me".into(), "/users/{user-id}".into())]));
        assert_eq!(description.find("read").len(), 1);
        let found = description.find("GET /me/messages/{id}");
        assert!(found[0].serves("/v1.0/me/messages/AAk%3D") && found[0].serves("/v1.0/users/7/messages/1"));
        assert!(!found[0].serves("/v1.0/me/messages") && !found[0].serves("/me/messages/1"));
        assert_eq!(description.find("POST /files/{file_id}").len(), 1);
        assert!(description.find("DELETE /files/{file_id}").is_empty());
    }
}
