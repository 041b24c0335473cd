//! However a vendor says to wait, the wait is one that a person might keep.

use crate::http_client::Response;
use crate::integrations::failure;
use crate::providers::Manifest;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use serde_json::json;
use std::sync::OnceLock;
use std::time::Duration;

const FORMATS: [&str; 7] = ["auto", "seconds", "millis", "epoch", "epoch_millis", "iso", "duration"];
const OWN_HEADER: HeaderName = HeaderName::from_static("x-wait");
const A_YEAR: Duration = Duration::from_secs(365 * 86_400);

/// Reads a text as the wait in each of the dialects: in the vendor's own header, in everybody's, and in the body.
pub fn retry_after(data: &[u8]) {
    let header = HeaderValue::from_bytes(data).ok();
    let text = String::from_utf8_lossy(data);
    let of_header = |name: &HeaderName| HeaderMap::from_iter(header.clone().map(|value| (name.clone(), value)));
    let answers = [
        (of_header(&OWN_HEADER), Vec::new()),
        (of_header(&RETRY_AFTER), Vec::new()),
        (HeaderMap::new(), json!({ "wait": text }).to_string().into_bytes()),
        (HeaderMap::new(), format!("{{\"wait\": {text}}}").into_bytes()),
    ];
    for manifest in dialects() {
        for (headers, body) in &answers {
            let answer = Response { status: 429, headers: headers.clone(), body: body.clone() };
            let asked = failure::wait(manifest, &answer);
            assert!(asked.is_none_or(|wait| wait < A_YEAR), "{asked:?}");
            failure::classify(manifest, "wait", &answer);
        }
    }
}

/// A provider for each dialect.
fn dialects() -> &'static [Manifest] {
    static DIALECTS: OnceLock<Vec<Manifest>> = OnceLock::new();
    let dialect = |format: &&str| {
        let text = format!(
            r#"
schema = 1
name = "waits"
title = "Waits"
docs = "https://waits.example/docs"
verified_at = "2026-11-28"
hosts = ["waits.example"]
[methods.key]
type = "api_key"
title = "Key"
send = {{ headers = {{ X-Key = "{{api_key}}" }} }}
[identity]
url = "https://waits.example/me"
account_id = "id"
[limits]
retry_after = [{{ header = "x-wait", format = "{format}" }}, {{ path = "wait", format = "{format}" }}]
"#
        );
        Manifest::parse("waits", &text).expect("it is well-formed")
    };
    DIALECTS.get_or_init(|| FORMATS.iter().map(dialect).collect())
}
