//! What the harness reads of a manifest. It reads the file itself, not Atom's view of it.

use crate::description::scalar;
use crate::place;
use crate::sources::home;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// A provider's manifest.
pub(crate) struct Manifest {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) table: Value,
}

/// One operation, or a variant of one.
#[derive(Clone)]
pub(crate) struct Operation {
    pub(crate) service: String,
    /// As in the manifest: `files.list`, `files.list+search`.
    pub(crate) name: String,
    pub(crate) table: Value,
    pub(crate) base_url: String,
    records: Value,
    /// What templates know of the account without being told.
    facts: BTreeSet<String>,
}

/// Every provider of the catalogue.
pub(crate) fn names() -> Result<Vec<String>, String> {
    let folder = home().join("../providers");
    let entries = std::fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let files = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = files.filter_map(|file| file.strip_suffix(".toml").map(str::to_owned)).collect();
    names.sort();
    Ok(names)
}

impl Manifest {
    pub(crate) fn read(provider: &str) -> Result<Self, String> {
        let path = home().join("../providers").join(format!("{provider}.toml"));
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let table = toml::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(Self { name: provider.to_owned(), text, table })
    }

    /// Its operations and their variants.
    pub(crate) fn operations(&self) -> Vec<Operation> {
        let services = self.table["services"].as_object().into_iter().flatten();
        let all = services.flat_map(|(service, table)| {
            let operations = table["operations"].as_object().into_iter().flatten();
            operations.map(move |(name, operation)| Operation {
                service: service.clone(),
                name: name.clone(),
                table: operation.clone(),
                base_url: operation["base_url"].as_str().or(table["base_url"].as_str()).unwrap_or_default().to_owned(),
                records: table["records"].clone(),
                facts: self.facts(),
            })
        });
        all.collect()
    }

    /// The names of what is known of an account: what was said before connecting, and what was captured while connecting.
    fn facts(&self) -> BTreeSet<String> {
        let (auth, identity) = (&self.table["auth"], &self.table["identity"]);
        let more = identity["more"].as_array().into_iter().flatten().map(|more| &more["facts"]);
        let tables =
            [&self.table["inputs"], &auth["capture"], &auth["capture_callback"], &identity["facts"]].into_iter().chain(more);
        tables.filter_map(Value::as_object).flat_map(|table| table.keys().cloned()).collect()
    }

    /// The way to connect that the harness takes: consent where there is one.
    pub(crate) fn has_consent(&self) -> bool {
        self.table["auth"].is_object()
    }
}

impl Operation {
    pub(crate) fn vendor_op(&self) -> &str {
        self.table["vendor_op"].as_str().unwrap_or_default()
    }

    /// The operation that a caller names, and the inputs that choose this variant. Of alternatives (`+search|email`) the first is given.
    pub(crate) fn base(&self) -> (&str, Vec<&str>) {
        let mut parts = self.name.split('+');
        (parts.next().unwrap_or_default(), parts.map(|part| part.split('|').next().unwrap_or_default()).collect())
    }

    /// One that is chosen by a cursor is the next page of its base.
    pub(crate) fn is_continuation(&self) -> bool {
        self.base().1.contains(&"cursor")
    }

    pub(crate) fn answer(&self) -> &str {
        self.table["answer"].as_str().unwrap_or("json")
    }

    pub(crate) fn items(&self) -> Option<&str> {
        self.table["items"].as_str()
    }

    /// The operation that reads what this one's answer only names.
    pub(crate) fn fetch(&self) -> Option<&str> {
        self.table["fetch"].as_str()
    }

    /// The operation that is called after it.
    pub(crate) fn then(&self) -> Option<&str> {
        self.table["then"].as_str()
    }

    /// The operation that is called before it.
    pub(crate) fn before(&self) -> Option<&str> {
        self.table["before"].as_str()
    }

    /// How its pages follow each other; the short form `next` is a cursor.
    pub(crate) fn pages(&self) -> Option<Value> {
        match (&self.table["pages"], &self.table["next"]) {
            (Value::Null, Value::Null) => None,
            (Value::Null, next) => Some(serde_json::json!({ "by": "cursor", "next": next })),
            (pages, _) => Some(pages.clone()),
        }
    }

    /// Whether Atom may send it again.
    pub(crate) fn is_repeatable(&self) -> bool {
        self.table["effect"] != "once" || self.table["idempotency"].is_string()
    }

    pub(crate) fn is_graphql(&self) -> bool {
        self.table["body"]["encoding"] == "graphql"
    }

    /// The inputs in its path: without them there is no call.
    pub(crate) fn path_inputs(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        placeholders(&self.table["path"], &mut found);
        found.remove("cursor");
        found.retain(|name| !self.facts.contains(name));
        found
    }

    /// All inputs that it uses: those in templates, and the fields that it writes.
    pub(crate) fn inputs(&self) -> BTreeSet<String> {
        let mut found = self.path_inputs();
        for part in [&self.table["query"], &self.table["headers"]] {
            placeholders(part, &mut found);
        }
        let body = &self.table["body"];
        for part in ["json", "variables", "parts", "content_type", "text"] {
            placeholders(&body[part], &mut found);
        }
        if matches!(body["encoding"].as_str(), Some("bytes" | "multipart_related" | "multipart")) {
            found.insert("content".into());
        }
        if let Some(record) = body["record"].as_str() {
            let fields = self.records[record].as_object().into_iter().flatten();
            // The id goes into the path.
            found.extend(fields.filter(|(name, field)| *name != "id" && is_written(field)).map(|(name, _)| name.clone()));
        }
        for page in ["cursor", "page_size", "offset", "page"] {
            found.remove(page);
        }
        found.retain(|name| !self.facts.contains(name));
        found.extend(self.path_inputs());
        found
    }

    /// An answer that holds what our own table reads, for a vendor who does not describe its answers.
    pub(crate) fn answer_by_table(&self) -> Option<Value> {
        let mut record = Value::Object(Map::new());
        write_table(&self.records[self.table["record"].as_str()?], &mut record);
        let mut answer = Value::Null;
        match (self.items(), self.table["item"].as_str()) {
            (Some(path), _) => place::set(&mut answer, path, Value::Array(vec![record])),
            (None, Some(path)) => place::set(&mut answer, path, record),
            (None, None) => answer = record,
        }
        Some(answer)
    }

    /// Whether the page size goes into the request.
    pub(crate) fn has_page_size(&self) -> bool {
        let mut found = BTreeSet::new();
        for part in [&self.table["query"], &self.table["body"]["json"], &self.table["body"]["variables"]] {
            placeholders(part, &mut found);
        }
        found.contains("page_size")
    }
}

/// Puts a value at each place of a field table that is a plain one.
fn write_table(table: &Value, record: &mut Value) {
    for (name, field) in table.as_object().into_iter().flatten() {
        let Some(path) = field.as_str().or_else(|| field["path"].as_str()).filter(|path| !path.is_empty()) else { continue };
        let leaf = path.rsplit('.').next().unwrap_or_default();
        let value = match field {
            Value::Object(table) if table.contains_key("each") => {
                let mut item = Value::Object(Map::new());
                write_table(&table["each"], &mut item);
                let is_list = name.ends_with('s') && table.get("list") != Some(&Value::Bool(true));
                if is_list { Value::Array(vec![item]) } else { item }
            }
            Value::Object(table)
                if ["as", "enum", "equals", "contains", "each_value", "money"].iter().any(|key| table.contains_key(*key)) =>
            {
                continue;
            }
            _ if name.ends_with("_at") => "2026-11-28T10:00:00Z".into(),
            _ if name.starts_with("is_") || name == "deleted" => false.into(),
            _ if name == "custom_fields" => continue,
            _ if name == "size" || name.ends_with("_count") => 42.into(),
            _ if matches!(name.as_str(), "labels" | "tags") => Value::Array(vec!["notes".into()]),
            _ => scalar(&["string".into()], "", leaf),
        };
        place::set(record, path, value);
    }
}

fn is_written(field: &Value) -> bool {
    match field {
        Value::String(path) => !path.contains('['),
        Value::Object(table) => table.get("read_only") != Some(&Value::Bool(true)) && !table.contains_key("template"),
        _ => false,
    }
}

/// The names between braces in all texts of a value.
fn placeholders(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let text = text.replace("{{", "");
            for part in text.split('{').skip(1) {
                let inside = part.split('}').next().unwrap_or_default();
                let name = inside.split(['|', '.', '[']).next().unwrap_or_default();
                let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
                found.extend(is_name.then(|| name.to_owned()));
            }
        }
        Value::Array(items) => items.iter().for_each(|item| placeholders(item, found)),
        Value::Object(members) => members.values().for_each(|member| placeholders(member, found)),
        _ => {}
    }
}

/// What the double must know of a manifest to play the vendor's part around the operations.
impl Manifest {
    /// Makes an answer one that the manifest takes for a success.
    pub(crate) fn succeed(&self, operation: Option<&Operation>, answer: &mut Value) {
        let own = operation.map(|operation| &operation.table["success"]).filter(|own| own.is_object());
        fulfil(own.unwrap_or(&self.table["errors"]["success"]), answer, true);
        if own.is_none() {
            fulfil(&self.table["errors"]["failure"], answer, false);
        }
    }

    /// Makes an answer with status 200 one that the manifest takes for a refusal; false where it knows no such.
    pub(crate) fn refuse(&self, operation: &Operation, answer: &mut Value) -> bool {
        let own = Some(&operation.table["success"]).filter(|own| own.is_object());
        let success = own.unwrap_or(&self.table["errors"]["success"]);
        if success.is_object() {
            fulfil(success, answer, false);
            return true;
        }
        let failure = &self.table["errors"]["failure"];
        fulfil(failure, answer, true);
        failure.is_object()
    }

    /// The refusal's code at the first place where the manifest looks for one.
    pub(crate) fn put_code(&self, answer: &mut Value, code: &str) {
        if let Some(path) = self.table["errors"]["code"].as_array().and_then(|paths| paths.first()?.as_str()) {
            place::set(answer, path, code.into());
        }
    }
}

/// Changes a document so that a condition holds, or does not.
pub(crate) fn fulfil(condition: &Value, document: &mut Value, holds: bool) {
    let Some(table) = condition.as_object() else { return };
    if let Some(inner) = table.get("not") {
        return fulfil(inner, document, !holds);
    }
    for (key, all) in [("all", true), ("any", false)] {
        if let Some(parts) = table.get(key).and_then(Value::as_array) {
            // One part is enough to make `any` hold and `all` fail.
            let needed = if all == holds { parts.len() } else { 1 };
            parts.iter().take(needed).for_each(|part| fulfil(part, document, holds));
            return;
        }
    }
    let Some(path) = table.get("path").and_then(Value::as_str) else { return };
    let other = |value: &Value| match value {
        Value::Bool(flag) => Value::Bool(!flag),
        Value::Null => Value::from("something"),
        _ => Value::Null,
    };
    let (set, unset) = match table {
        table if table.contains_key("equals") => (table["equals"].clone(), other(&table["equals"])),
        table if table.contains_key("one_of") => (table["one_of"][0].clone(), Value::Null),
        table if table.contains_key("contains") => (table["contains"].clone(), Value::Null),
        table if table.get("exists") == Some(&Value::Bool(false)) => return fulfil(&exists(path), document, !holds),
        _ => (Value::Object(Map::from_iter([("message".to_owned(), "refused".into())])), Value::Null),
    };
    let is_there = place::get(document, path).is_some_and(|value| !value.is_null());
    match (holds, table.contains_key("exists")) {
        (true, true) if is_there => {}
        (false, true) => place::remove(document, path),
        (true, _) => place::set(document, path, set),
        (false, _) => place::set(document, path, unset),
    }
}

fn exists(path: &str) -> Value {
    serde_json::json!({ "path": path, "exists": true })
}
