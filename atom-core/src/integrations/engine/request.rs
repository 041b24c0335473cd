//! Writes a call down as a request.

use super::call::Call;
use crate::http_client::Request;
use crate::providers::{Answer, HeaderTemplate, Vars};
use crate::{Error, Result};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use std::cell::Cell;
use std::fmt::Write;
use std::time::Duration;
use uuid::Uuid;

pub(super) const TIMEOUT: Duration = Duration::from_secs(60);

impl Call<'_> {
    /// The request, complete but for the credential.
    pub(super) fn request(&self) -> Result<Request> {
        let mut headers = self.headers()?;
        let (url, mut body) = match &self.url {
            Some(url) => (url.clone(), Vec::new()),
            None => (self.address()?, Vec::new()),
        };
        if let Some(spec) = self.operation.body.as_ref().filter(|_| self.url.is_none()) {
            let content_type;
            (content_type, body) = self.body(spec)?;
            headers.entry(CONTENT_TYPE).or_insert(content_type);
        }
        if self.operation.answer == Answer::Json {
            headers.entry(ACCEPT).or_insert(HeaderValue::from_static("application/json"));
        }
        if let Some(name) = &self.operation.idempotency {
            headers.insert(header_name(name)?, header_value(&Uuid::new_v4().to_string())?);
        }
        Ok(Request { method: self.operation.method().into(), url, headers, body, timeout: TIMEOUT })
    }

    pub(super) fn address(&self) -> Result<url::Url> {
        // An empty id must not address the list, and an id of `..` must not climb out of its place in the path.
        let is_fine = Cell::new(true);
        let encoded = |value: &str| {
            is_fine.set(is_fine.get() && !matches!(value, "" | "." | ".."));
            url::form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>().replace('+', "%20")
        };
        let sized = self.sized();
        let vars = sized.as_ref().unwrap_or(&self.vars);
        let path = self.operation.path.render(vars, encoded).filter(|_| is_fine.get()).ok_or_else(|| self.missing())?;
        let base_url = self.operation.base_url.as_ref().unwrap_or(&self.service.base_url);
        let mut url = base_url.fill(&self.facts).map_err(|name| {
            let text = format!(
                "the connection does not know its `{name}`, which stands in the provider's address: connect the account again"
            );
            Error::invalid("malformed_field", text).with_provider(&self.manifest().name)
        })?;
        url.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
        for (name, param) in &self.operation.query {
            if let Some(value) = param.render(vars) {
                url.query_pairs_mut().append_pair(name, &value);
            }
        }
        Ok(url)
    }

    /// The values with a page size that the vendor takes, where the caller's is larger.
    pub(super) fn sized(&self) -> Option<Vars> {
        let size = self.asked_size().filter(|size| Some(*size) != self.page_size())?;
        let mut vars = self.vars.clone();
        vars.insert("page_size".into(), size.into());
        Some(vars)
    }

    fn headers(&self) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.manifest().headers {
            headers.insert(header_name(name)?, header_value(value)?);
        }
        for (name, template) in self.service.headers.iter().chain(&self.operation.headers) {
            let value = match template {
                HeaderTemplate::Text(template) => template.render(&self.vars, str::to_owned),
                HeaderTemplate::Json(json) => json.render(&self.vars).map(|json| one_line(&json)),
            };
            if let Some(value) = value {
                headers.insert(header_name(name)?, header_value(&value)?);
            }
        }
        Ok(headers)
    }
}

/// JSON in ASCII, which is all that a header carries.
fn one_line(json: &Value) -> String {
    json.to_string().chars().fold(String::new(), |mut out, c| {
        if c.is_ascii() && c != '\u{7f}' {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
        out
    })
}

fn header_name(name: &str) -> Result<HeaderName> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| malformed())
}

pub(super) fn header_value(value: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(value).map_err(|_| malformed())
}

fn malformed() -> Error {
    Error::invalid("malformed_header", "an input that goes into a header has characters that HTTP does not allow there")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_in_a_header_is_ascii_on_one_line() {
        assert_eq!(one_line(&json!({"path": "/Grüße\n😀"})), r#"{"path":"/Gr\u00fc\u00dfe\n\ud83d\ude00"}"#);
    }
}
