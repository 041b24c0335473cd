//! Any text is a manifest that can be worked with, or an error that says what is wrong with it.

use super::account::{account, read};
use crate::http_client::Response;
use crate::providers::{self, Manifest};
use crate::{Error, ErrorKind};
use reqwest::header::HeaderMap;

/// As long as a workspace's may be.
const LONGEST: usize = 256 * 1024;
/// What each operation of a manifest reads, and at which page.
const ANSWERS: [(&str, Option<i64>); 3] = [
    ("[]", None),
    (
        r#"{"id": 1, "name": "x", "items": [{"id": "2", "at": [1, null, {}]}, null], "next": "/x?page=2", "total": 9}"#,
        Some(i64::MAX),
    ),
    (r#"{"data": [{"id": "3"}], "value": [[]], "next": {"cursor": "https://other.example/"}, "more": true}"#, Some(i64::MIN)),
];

/// Reads a text as the manifest of a provider, and as changes to a built-in one. Has the provider read a few answers.
pub fn manifest(data: &[u8]) {
    let Some(text) = str::from_utf8(data).ok().filter(|text| text.len() <= LONGEST) else { return };
    if let Err(error) = providers::built_in_with("trello", text).expect("it is built in") {
        check(&error);
    }
    let manifest = match Manifest::parse("fuzz", text) {
        Ok(manifest) => manifest,
        Err(error) => return check(&error),
    };
    providers::capabilities(&manifest);
    let account = account(manifest);
    for operation in account.app.manifest.services.values().flat_map(|service| service.operations.keys()) {
        for (body, at) in ANSWERS {
            let answer = Response { status: 200, headers: HeaderMap::new(), body: body.into() };
            // Refused is as good as right.
            let _ = read(&account, operation, at, answer);
        }
    }
}

fn check(error: &Error) {
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Invalid, "malformed_manifest"));
}
