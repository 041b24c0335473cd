//! Bodies, by their encodings.

use super::call::Call;
use super::request::header_value;
use crate::crypto::{base64url, random};
use crate::providers::{Body, BodyPart, Path, Vars};
use crate::{Error, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderValue;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use url::form_urlencoded;

const OCTETS: &str = "application/octet-stream";

impl Call<'_> {
    /// The content type and the body.
    pub(super) fn body(&self, body: &Body) -> Result<(HeaderValue, Vec<u8>)> {
        let sized = self.sized();
        let vars = sized.as_ref().unwrap_or(&self.vars);
        match body {
            Body::Json { record, wrap, json } => {
                let document = self.document(record.as_ref(), wrap.as_ref(), json.as_ref().and_then(|json| json.render(vars)))?;
                Ok((HeaderValue::from_static("application/json"), document.to_string().into_bytes()))
            }
            Body::Form { record, wrap, json } => {
                let document = self.document(record.as_ref(), wrap.as_ref(), json.as_ref().and_then(|json| json.render(vars)))?;
                let body = form(&document).into_bytes();
                Ok((HeaderValue::from_static("application/x-www-form-urlencoded"), body))
            }
            Body::Graphql { document, variables, record, under } => {
                let written = variables.as_ref().and_then(|variables| variables.render(vars));
                let variables = self.document(record.as_ref(), under.as_ref(), written)?;
                let document = json!({ "query": document.text(), "variables": variables });
                Ok((HeaderValue::from_static("application/json"), document.to_string().into_bytes()))
            }
            Body::Bytes { content_type } => {
                let content_type = content_type.render(vars, str::to_owned);
                Ok((mime_type(content_type.as_deref().unwrap_or(OCTETS))?, self.content()?))
            }
            Body::Text { text, content_type } => {
                let text = text.render(vars, str::to_owned).ok_or_else(|| self.missing())?;
                Ok((mime_type(content_type)?, text.into_bytes()))
            }
            Body::MultipartRelated { json } => {
                let document = json.render(vars).unwrap_or_default();
                let content_type = vars.get("mime_type").and_then(Value::as_str).unwrap_or(OCTETS);
                mime_type(content_type)?;
                let parts = [
                    (vec![("content-type", "application/json; charset=UTF-8".to_owned())], document.to_string().into_bytes()),
                    (vec![("content-type", content_type.to_owned())], self.content()?),
                ];
                multipart("related", &parts)
            }
            Body::Multipart { parts } => {
                let parts = parts.iter().filter_map(|part| self.part(part, vars).transpose()).collect::<Result<Vec<_>>>()?;
                multipart("form-data", &parts)
            }
        }
    }

    /// The inputs that a field table writes, where they belong, with more on top.
    fn document(&self, record: Option<&String>, at: Option<&Path>, more: Option<Value>) -> Result<Value> {
        let table = record.and_then(|name| self.service.records.get(name));
        let mut document = Value::Object(Map::new());
        if let Some(table) = table {
            let written = table.write(&self.vars).map_err(|input| self.unsupported(input))?;
            match at {
                Some(path) => path.set(&mut document, written),
                None => document = written,
            }
        }
        if let Some(more) = more {
            merge(&mut document, more);
        }
        Ok(document)
    }

    /// The bytes that are to be sent. In inputs they are base64.
    fn content(&self) -> Result<Vec<u8>> {
        if let Some(content) = &self.content {
            return Ok(content.clone());
        }
        let text = self.vars.get("content").and_then(Value::as_str).unwrap_or_default();
        STANDARD.decode(text).map_err(|e| Error::invalid("malformed_content", "`content` is bytes in base64").with_source(e))
    }

    fn part(&self, part: &BodyPart, vars: &Vars) -> Result<Option<Part>> {
        let mut disposition = format!("form-data; name=\"{}\"", quoted(&part.name)?);
        if let Some(name) = part.filename.as_ref().and_then(|name| name.render(vars, str::to_owned)) {
            disposition.push_str(&format!("; filename=\"{}\"", quoted(&name)?));
        }
        let mut headers = vec![("content-disposition", disposition)];
        let given = part.content_type.as_ref().and_then(|kind| kind.render(vars, str::to_owned));
        let (usual, body) = if part.content {
            (Some(OCTETS), self.content()?)
        } else if let Some(json) = &part.json {
            let Some(json) = json.render(vars) else { return Ok(None) };
            (Some("application/json"), json.to_string().into_bytes())
        } else {
            let Some(text) = part.text.as_ref().and_then(|text| text.render(vars, str::to_owned)) else { return Ok(None) };
            (None, text.into_bytes())
        };
        if let Some(kind) = given.or_else(|| usual.map(str::to_owned)) {
            mime_type(&kind)?;
            headers.push(("content-type", kind));
        }
        Ok(Some((headers, body)))
    }
}

/// Headers and content.
type Part = (Vec<(&'static str, String)>, Vec<u8>);

/// Puts a document on top of another, object into object.
fn merge(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (name, value) in more {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, more) => *into = more,
    }
}

/// A document as a form, with brackets for what is nested.
fn form(document: &Value) -> String {
    let mut pairs = Vec::new();
    flatten(String::new(), document, &mut pairs);
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn flatten(name: String, value: &Value, pairs: &mut Vec<(String, String)>) {
    let inner = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}[{key}]") };
    match value {
        Value::Object(members) => {
            // In one order, whatever the host compiles `serde_json` with.
            let members: BTreeMap<_, _> = members.iter().collect();
            members.into_iter().for_each(|(key, value)| flatten(inner(key), value, pairs));
        }
        Value::Array(items) => items.iter().enumerate().for_each(|(at, value)| flatten(inner(&at.to_string()), value, pairs)),
        Value::String(text) => pairs.push((name, text.clone())),
        // An empty value clears a field.
        Value::Null => pairs.push((name, String::new())),
        other => pairs.push((name, other.to_string())),
    }
}

fn mime_type(text: &str) -> Result<HeaderValue> {
    header_value(text).map_err(|_| Error::invalid("malformed_mime_type", "the MIME type has characters that HTTP does not allow"))
}

/// RFC 7578 §4.2: what ends a name in a header is escaped as browsers do.
fn quoted(text: &str) -> Result<String> {
    if text.chars().any(|c| c.is_control() && !matches!(c, '\r' | '\n')) {
        return Err(Error::invalid("malformed_name", "a name has control characters in it: take them out"));
    }
    Ok(text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A"))
}

/// RFC 2046 §5.1.
fn multipart(kind: &str, parts: &[Part]) -> Result<(HeaderValue, Vec<u8>)> {
    // Random, so that no content can hold it.
    let boundary = base64url(random::<18>()?);
    let mut body = Vec::with_capacity(parts.iter().map(|(_, content)| content.len() + 256).sum());
    for (headers, content) in parts {
        body.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        for (name, value) in headers {
            body.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        body.extend_from_slice(b"\r\n");
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    let content_type = HeaderValue::from_str(&format!("multipart/{kind}; boundary={boundary}"));
    Ok((content_type.map_err(|e| Error::internal("boundary", "a boundary is ASCII").with_source(e))?, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_brackets_for_what_is_nested() {
        let document = json!({"amount": 1999, "metadata": {"a b": "c&d"}, "items": [{"price": "p1"}], "expand": ["x"], "off": false, "gone": null});
        let pairs: Vec<_> = form_urlencoded::parse(form(&document).as_bytes()).into_owned().collect();
        let expected = [
            ("amount", "1999"),
            ("expand[0]", "x"),
            ("gone", ""),
            ("items[0][price]", "p1"),
            ("metadata[a b]", "c&d"),
            ("off", "false"),
        ];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn a_name_in_a_header_does_not_end_it() {
        assert_eq!(quoted("a\"\r\nx: y").expect("escaped"), "a%22%0D%0Ax: y");
        assert!(quoted("a\0").is_err());
    }
}
