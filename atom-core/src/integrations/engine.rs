//! Carries out one unified operation.

use super::failure;
use crate::connect::{Connection, Meter};
use crate::crypto::{base64url, random};
use crate::http_client::{Request, Response};
use crate::providers::{Answer, Body, Effect, Operation, Param, Service, Vars};
use crate::{Error, ErrorKind, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;
use url::Url;

const TIMEOUT: Duration = Duration::from_secs(60);
/// How often a call that may be repeated is tried.
const ATTEMPTS: u32 = 3;
/// A provider that asks for a longer wait gets it from the caller, who knows what else there is to do.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How many records are fetched at once where a list holds ids only.
const FETCHES: usize = 4;

/// One page of unified records.
#[derive(Deserialize)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next_cursor: Option<String>,
}

/// Lists records, at most `max` on a page.
pub(crate) async fn list<T: DeserializeOwned>(
    connection: &Connection,
    operation: &str,
    max: i64,
    input: &impl Serialize,
) -> Result<Page<T>> {
    let call = Call::new(connection, operation, input)?;
    if call.vars.get("page_size").and_then(Value::as_i64).is_some_and(|size| !(1..=max).contains(&size)) {
        return Err(Error::invalid("malformed_page_size", format!("page_size is between 1 and {max}")));
    }
    let document = call.json().await?;
    let empty = Vec::new();
    let items = call.operation.items.as_ref().and_then(|path| path.get(&document)).and_then(Value::as_array).unwrap_or(&empty);
    let records = if call.operation.fetch.is_some() {
        // Collected first: the compiler cannot prove a stream of borrowing closures to be Send.
        let fetches: Vec<_> = items.iter().map(|item| call.fetch(item)).collect();
        stream::iter(fetches).buffered(FETCHES).try_collect().await?
    } else {
        items.iter().map(|item| call.record(item)).collect::<Result<_>>()?
    };
    let next_cursor = call.operation.next.as_ref().and_then(|path| path.text(&document)).filter(|c| !c.is_empty());
    Ok(Page { items: records, next_cursor })
}

/// Reads or changes one record.
pub(crate) async fn one<T: DeserializeOwned>(connection: &Connection, operation: &str, input: &impl Serialize) -> Result<T> {
    let call = Call::new(connection, operation, input)?;
    let document = call.json().await?;
    if call.operation.fetch.is_some() { call.fetch(&document).await } else { call.record(&document) }
}

/// Reads bytes.
pub(crate) async fn bytes(connection: &Connection, operation: &str, input: &impl Serialize) -> Result<Vec<u8>> {
    let call = Call::new(connection, operation, input)?;
    debug_assert!(call.operation.answer == Answer::Bytes, "the manifest declares what comes back");
    Ok(call.send().await?.body)
}

/// An operation of a connection's provider, with its input.
struct Call<'a> {
    connection: &'a Connection,
    service: &'a Service,
    operation: &'a Operation,
    vars: Vars,
}

impl<'a> Call<'a> {
    fn new(connection: &'a Connection, name: &str, input: &impl Serialize) -> Result<Self> {
        let manifest = &connection.app.manifest;
        let (service, operation) = manifest.operation(name).ok_or_else(|| {
            let text = format!("{} has no `{name}`: ask what it has before offering it", manifest.title);
            Error::new(ErrorKind::Unsupported, "unsupported_operation", text).with_provider(&manifest.name)
        })?;
        let input =
            serde_json::to_value(input).map_err(|e| Error::internal("input", "an input cannot be serialized").with_source(e))?;
        let Value::Object(mut vars) = input else { return Err(Error::internal("input", "an input is an object")) };
        for (name, value) in &operation.defaults {
            let slot = vars.entry(name.clone()).or_insert(Value::Null);
            if slot.is_null() {
                *slot = value.clone();
            }
        }
        Ok(Self { connection, service, operation, vars })
    }

    /// The record that an answer only names.
    async fn fetch<T: DeserializeOwned>(&self, named: &Value) -> Result<T> {
        let fetch = self.operation.fetch.as_deref().and_then(|name| self.service.operations.get(name));
        let operation = fetch.ok_or_else(|| Error::internal("manifest", "a checked manifest names its fetch operation"))?;
        let vars = Map::from_iter([("id".to_owned(), named.get("id").cloned().unwrap_or_default())]);
        let call = Call { operation, vars, ..*self };
        call.record(&call.json().await?)
    }

    /// The vendor's record as ours, with the vendor's own beside it.
    fn record<T: DeserializeOwned>(&self, vendor: &Value) -> Result<T> {
        let manifest = &self.connection.app.manifest;
        let table = self.operation.record.as_ref().and_then(|name| self.service.records.get(name));
        let mut ours = table.map(|table| table.read(vendor)).unwrap_or_default();
        ours.insert("provider".into(), manifest.name.as_str().into());
        ours.insert("raw".into(), vendor.clone());
        serde_json::from_value(Value::Object(ours)).map_err(|e| {
            let text = format!("{} answered `{}` with a record that does not fit: {e}", manifest.title, self.operation.vendor_op);
            Error::new(ErrorKind::Provider, "answer_malformed", text).with_provider(&manifest.name)
        })
    }

    async fn json(&self) -> Result<Value> {
        let answer = self.send().await?;
        serde_json::from_slice(&answer.body).map_err(|e| {
            let manifest = &self.connection.app.manifest;
            let text = format!("{} answered `{}` with something that is no JSON", manifest.title, self.operation.vendor_op);
            Error::new(ErrorKind::Provider, "answer_malformed", text).with_provider(&manifest.name).with_source(e)
        })
    }

    async fn send(&self) -> Result<Response> {
        let mut meter = Meter::begin(self.connection, self.operation.vendor_op.clone());
        let outcome = self.try_send(&mut meter).await;
        meter.end(outcome)
    }

    /// Sends the request; repeats it only where a repetition does nothing that once would not.
    async fn try_send(&self, meter: &mut Meter<'_>) -> Result<Response> {
        let request = self.request()?;
        let attempts = if self.operation.effect == Effect::Once { 1 } else { ATTEMPTS };
        let mut attempt = 1;
        loop {
            let failed = match self.connection.send(self.token_set(), request.clone(), meter).await {
                Ok(answer) if (200..300).contains(&answer.status) => return Ok(answer),
                Ok(answer) => failure::classify(&self.connection.app.manifest, &self.operation.vendor_op, &answer),
                Err(error) => error,
            };
            let wait = failed.retry_after().unwrap_or_else(|| backoff(attempt));
            if !failed.is_retryable() || attempt == attempts || wait > LONGEST_WAIT {
                return Err(failed);
            }
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    /// The token set that its requests are authenticated with.
    fn token_set(&self) -> Option<&str> {
        self.operation.token_set.as_deref().or(self.service.token_set.as_deref())
    }

    fn request(&self) -> Result<Request> {
        let missing = || {
            let text = format!("an input that `{}` needs is missing or empty", self.operation.vendor_op);
            Error::invalid("missing_input", text)
        };
        let encoded =
            |value: &str| url::form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>().replace('+', "%20");
        let path = self.operation.path.render(&self.vars, encoded).ok_or_else(missing)?;
        // An empty id must not address the list, and an id of `..` must not climb out of its place in the path.
        if path.split('/').skip(1).any(|segment| matches!(segment, "" | "." | "..")) {
            return Err(missing());
        }
        let mut url: Url = self.service.base_url.clone();
        url.set_path(&format!("{}{path}", self.service.base_url.path().trim_end_matches('/')));
        for (name, param) in &self.operation.query {
            if let Some(value) = self.param(param) {
                url.query_pairs_mut().append_pair(name, &value);
            }
        }
        let mut headers = HeaderMap::new();
        let body = match &self.operation.body {
            None => Vec::new(),
            Some(body) => {
                let (content_type, body) = self.body(body)?;
                headers.insert(CONTENT_TYPE, content_type);
                body
            }
        };
        Ok(Request { method: self.operation.method.into(), url, headers, body, timeout: TIMEOUT })
    }

    fn param(&self, param: &Param) -> Option<String> {
        match param {
            Param::One(template) => template.render(&self.vars, str::to_owned),
            Param::Joined { with, parts } => {
                let parts: Vec<_> = parts.iter().filter_map(|part| part.render(&self.vars, str::to_owned)).collect();
                (!parts.is_empty()).then(|| parts.join(with))
            }
        }
    }

    fn body(&self, body: &Body) -> Result<(HeaderValue, Vec<u8>)> {
        match body {
            Body::Json { record, json } => {
                let table = record.as_ref().and_then(|name| self.service.records.get(name));
                let mut document = table.map_or_else(|| Value::Object(Map::new()), |table| table.write(&self.vars));
                if let (Some(Value::Object(more)), Some(document)) =
                    (json.as_ref().and_then(|j| j.render(&self.vars)), document.as_object_mut())
                {
                    document.extend(more);
                }
                Ok((HeaderValue::from_static("application/json"), document.to_string().into_bytes()))
            }
            Body::MultipartRelated { json } => {
                let document = json.render(&self.vars).unwrap_or_default();
                let text = |name: &str| self.vars.get(name).and_then(Value::as_str);
                let content = STANDARD.decode(text("content").unwrap_or_default());
                let content = content.map_err(|e| Error::internal("input", "content is base64 inside").with_source(e))?;
                related(&document, text("mime_type").unwrap_or("application/octet-stream"), &content)
            }
        }
    }
}

/// RFC 2387: a document and the bytes that it describes.
fn related(document: &Value, mime_type: &str, content: &[u8]) -> Result<(HeaderValue, Vec<u8>)> {
    let malformed = |_| Error::invalid("malformed_mime_type", "the MIME type has characters that HTTP does not allow");
    HeaderValue::from_str(mime_type).map_err(malformed)?;
    // Random, so that no content can hold it.
    let boundary = base64url(random::<18>()?);
    let head = format!(
        "--{boundary}\r\ncontent-type: application/json; charset=UTF-8\r\n\r\n{document}\r\n--{boundary}\r\ncontent-type: {mime_type}\r\n\r\n"
    );
    let body = [head.as_bytes(), content, format!("\r\n--{boundary}--\r\n").as_bytes()].concat();
    let content_type = HeaderValue::from_str(&format!("multipart/related; boundary={boundary}"));
    Ok((content_type.map_err(|e| Error::internal("boundary", "a boundary is ASCII").with_source(e))?, body))
}

/// A quarter of a second, doubled each time, plus up to as much again: callers that failed together do not come back together.
fn backoff(attempt: u32) -> Duration {
    let base = 250_u64 << attempt.min(6).saturating_sub(1);
    let jitter = random::<2>().map_or(0, |bytes| u64::from(u16::from_be_bytes(bytes)) * base / u64::from(u16::MAX));
    Duration::from_millis(base + jitter)
}
