//! Proof that the double bites: our right request, made wrong in one place, must be refused.

use super::{Check, Trial};
use crate::description::schema::{deref, member};
use crate::double::{self, Recorded};
use serde_json::{Map, Value, json};

impl Trial<'_> {
    /// Makes the recorded request wrong in every way that it knows. What must be refused and is not is a fault; what the description cannot see
    /// makes the operation weak, and is returned.
    pub(super) fn bite(&mut self) -> Vec<&'static str> {
        let Some(right) = self.recorded.take() else { return Vec::new() };
        let mut weak = Vec::new();
        let other = if right.method == "POST" { "PUT" } else { "POST" };
        self.must(&Recorded { method: other.into(), ..right.clone() }, "with another method");
        if self.operation.is_graphql() {
            self.bite_graphql(&right, &mut weak);
            return weak;
        }
        let mut more = right.clone();
        more.query.push(("zz_unknown".into(), "1".into()));
        self.must(&more, "with an unknown query name");
        for i in 0..right.query.len() {
            let mut renamed = right.clone();
            renamed.query[i].0 = format!("zz_{}", renamed.query[i].0);
            self.must(&renamed, &format!("with query `{}` misspelt", right.query[i].0));
        }
        let needed: Vec<String> = self
            .expected
            .described
            .iter()
            .take(1)
            .flat_map(|operation| {
                let needed = operation.parameters_in("query").filter(|parameter| parameter["required"] == true);
                needed.filter_map(|parameter| parameter["name"].as_str().map(str::to_owned))
            })
            .collect();
        for name in needed {
            let mut without = right.clone();
            without.query.retain(|(query, _)| *query != name);
            self.must(&without, &format!("without query `{name}`"));
        }
        if !right.body.is_empty() {
            self.bite_body(&right, &mut weak);
        }
        weak
    }

    fn refuses(&self, wrong: &Recorded) -> bool {
        !double::faults(&self.bench.double.world, &self.expected, wrong).is_empty()
    }

    fn must(&mut self, wrong: &Recorded, how: &str) {
        if !self.refuses(wrong) {
            self.fault(Check::Bite, format!("the double takes the request {how}"));
        }
    }

    fn bite_body(&mut self, right: &Recorded, weak: &mut Vec<&'static str>) {
        let Some(shape) = Shape::of(right) else { return };
        let bodies: Vec<Value> = self
            .expected
            .described
            .iter()
            .take(1)
            .flat_map(|operation| operation.bodies().into_iter().map(|(_, schema)| schema.clone()).collect::<Vec<_>>())
            .collect();
        let Some(schema) = bodies.into_iter().find(|schema| !schema.is_null()) else { return weak.push("no body schema") };
        let doc = self.expected.described[0].doc().clone();
        let with = |document: &Value| Recorded { body: shape.write(document), ..right.clone() };

        for path in required(&doc, &[&schema], &shape.document, &[]) {
            let mut less = shape.document.clone();
            take(&mut less, &path);
            self.must(&with(&less), &format!("without body field `{}`", path.join(".")));
        }
        let is_creation = right.method == "POST" && shape.document.as_object().is_some_and(|fields| !fields.is_empty());
        if is_creation && !self.refuses(&with(&emptied(&shape.document))) {
            weak.push("required fields");
        }
        let leaves = leaves(&shape.document, &[]);
        let seen = leaves.iter().filter(|path| {
            let mut changed = shape.document.clone();
            put(&mut changed, path, json!({ "zz": { "zz": [["zz"]] } }));
            self.refuses(&with(&changed))
        });
        let seen = seen.count();
        if !leaves.is_empty() && seen == 0 {
            weak.push("types");
        }
        let mut more = shape.document.clone();
        if let Some(fields) = deepest(&mut more) {
            fields.insert("zz_unknown".into(), json!("zz"));
            if !self.refuses(&with(&more)) {
                weak.push("unknown fields");
            }
        }
    }

    fn bite_graphql(&mut self, right: &Recorded, weak: &mut Vec<&'static str>) {
        let Ok(body) = serde_json::from_slice::<Value>(&right.body) else { return };
        let with = |body: &Value| Recorded { body: body.to_string().into_bytes(), ..right.clone() };
        let misspelt = body["query"].as_str().unwrap_or_default().replacen(self.operation.vendor_op(), "zzUnknown", 1);
        let mut wrong = body.clone();
        wrong["query"] = misspelt.into();
        self.must(&with(&wrong), "with its field misspelt");
        let variables = &body["variables"];
        if variables.as_object().is_none_or(Map::is_empty) {
            return;
        }
        let mut wrong = body.clone();
        wrong["variables"]["zz_unknown"] = json!(1);
        self.must(&with(&wrong), "with an unknown variable");
        let leaves = leaves(variables, &[]);
        let seen = leaves.iter().filter(|path| {
            let mut changed = body.clone();
            put(&mut changed["variables"], path, json!({ "zz": 1 }));
            self.refuses(&with(&changed))
        });
        if !leaves.is_empty() && seen.count() == 0 {
            weak.push("types");
        }
    }
}

/// A body that is made of a document.
enum Wire {
    Json,
    Form,
    /// The boundary.
    Related(String),
}

struct Shape {
    wire: Wire,
    document: Value,
}

impl Shape {
    fn of(request: &Recorded) -> Option<Self> {
        let media = request.content_type.split(';').next().unwrap_or_default();
        let document = double::document(request)?;
        let wire = match media {
            "application/x-www-form-urlencoded" => Wire::Form,
            "multipart/related" => Wire::Related(request.content_type.split("boundary=").nth(1)?.trim_matches('"').to_owned()),
            _ => Wire::Json,
        };
        Some(Self { wire, document })
    }

    fn write(&self, document: &Value) -> Vec<u8> {
        match &self.wire {
            Wire::Json => document.to_string().into_bytes(),
            Wire::Related(boundary) => {
                format!("--{boundary}\r\ncontent-type: application/json\r\n\r\n{document}\r\n--{boundary}\r\ncontent-type: text/plain\r\n\r\nx\r\n--{boundary}--\r\n").into_bytes()
            }
            Wire::Form => {
                let mut pairs = url::form_urlencoded::Serializer::new(String::new());
                flatten(document, "", &mut |name, value| {
                    pairs.append_pair(name, value);
                });
                pairs.finish().into_bytes()
            }
        }
    }
}

fn flatten(value: &Value, name: &str, add: &mut impl FnMut(&str, &str)) {
    let inner = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}[{key}]") };
    match value {
        Value::Object(members) => members.iter().for_each(|(key, value)| flatten(value, &inner(key), add)),
        Value::Array(items) => items.iter().enumerate().for_each(|(i, value)| flatten(value, &inner(&i.to_string()), add)),
        Value::String(text) => add(name, text),
        other => add(name, &other.to_string()),
    }
}

/// The fields of a document that its schema requires, wherever they stand.
fn required(doc: &Value, schemas: &[&Value], value: &Value, at: &[String]) -> Vec<Vec<String>> {
    let Value::Object(members) = value else { return Vec::new() };
    let mut found = Vec::new();
    let sure: Vec<&Value> = schemas.iter().flat_map(|schema| certain(doc, schema)).collect();
    let names = sure.iter().filter_map(|schema| schema.get("required")?.as_array()).flatten().filter_map(Value::as_str);
    for name in names.filter(|name| members.contains_key(*name)) {
        found.push([at, &[name.to_owned()]].concat());
    }
    for (name, value) in members {
        let inner = member(doc, &sure, name);
        if inner.len() == 1 {
            found.extend(required(doc, &inner, value, &[at, std::slice::from_ref(name)].concat()));
        }
    }
    found
}

/// The schemas that hold in any case: without the choices.
fn certain<'a>(doc: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    let schema = deref(doc, schema);
    let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
    std::iter::once(schema)
        .filter(|s| s.get("anyOf").is_none() && s.get("oneOf").is_none())
        .chain(parts.flat_map(|part| certain(doc, part)))
        .collect()
}

fn leaves(value: &Value, at: &[String]) -> Vec<Vec<String>> {
    match value {
        Value::Object(members) => {
            members.iter().flat_map(|(name, value)| leaves(value, &[at, std::slice::from_ref(name)].concat())).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(i, value)| leaves(value, &[at, &[i.to_string()]].concat())).collect()
        }
        _ => vec![at.to_vec()],
    }
}

fn step<'a>(value: &'a mut Value, name: &str) -> Option<&'a mut Value> {
    match value {
        Value::Array(items) => items.get_mut(name.parse::<usize>().ok()?),
        value => value.get_mut(name),
    }
}

fn put(document: &mut Value, path: &[String], value: Value) {
    if let Some(at) = path.iter().try_fold(document, |at, name| step(at, name)) {
        *at = value;
    }
}

fn take(document: &mut Value, path: &[String]) {
    let Some((last, before)) = path.split_last() else { return };
    if let Some(Value::Object(members)) = before.iter().try_fold(document, |at, name| step(at, name)) {
        members.remove(last);
    }
}

/// The same envelope without anything in it: `{"data": {}}` of `{"data": {"name": …}}`.
fn emptied(document: &Value) -> Value {
    match document {
        Value::Object(members) if members.len() == 1 && members.values().all(Value::is_object) => {
            members.iter().map(|(name, value)| (name.clone(), emptied(value))).collect::<Map<_, _>>().into()
        }
        _ => json!({}),
    }
}

/// The fields inside the envelopes.
fn deepest(document: &mut Value) -> Option<&mut Map<String, Value>> {
    let is_envelope = document.as_object().is_some_and(|members| members.len() == 1 && members.values().all(Value::is_object));
    let members = document.as_object_mut()?;
    if is_envelope { deepest(members.values_mut().next()?) } else { Some(members) }
}
