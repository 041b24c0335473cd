//! Wherever a header `Link` leads, the next page is asked of the provider or not at all.

use super::account::{accounts, read};
use crate::http_client::Response;
use reqwest::header::{HeaderMap, HeaderValue, LINK};

/// Reads each line as a header `Link` of one of GitHub's lists.
pub fn link(data: &[u8]) {
    let account = accounts().iter().find(|account| account.app.manifest.name == "github").expect("it is built in");
    let lines = data.split(|byte| *byte == b'\n').filter_map(|line| HeaderValue::from_bytes(line).ok());
    let headers: HeaderMap = lines.map(|line| (LINK, line)).collect();
    let answer = Response { status: 200, headers, body: b"[]".to_vec() };
    // Refused is as good as right.
    let _ = read(account, "code.list_repositories", None, answer);
}
