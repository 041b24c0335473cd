//! Whatever a vendor answers becomes records or an error.

use super::account::{accounts, check_text, read};
use crate::connect::Connection;
use crate::http_client::Response;
use reqwest::header::HeaderMap;
use std::sync::OnceLock;

/// Reads an answer as an operation of a built-in provider.
///
/// The first line says which, with the status of the answer, and perhaps the page or the offset that was asked for: `jira tasks.list 200 50`.
/// A line that names no operation chooses one by its bytes. What comes after it is the body.
pub fn answer(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (line, body) = (&data[..end], data.get(end + 1..).unwrap_or_default());
    let text = String::from_utf8_lossy(line);
    let mut words = text.split_whitespace();
    let (provider, operation) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let status = words.next().and_then(|status| status.parse().ok()).filter(|status| (100..600).contains(status)).unwrap_or(200);
    let at = words.next().and_then(|at| at.parse().ok());
    let (account, operation) = chosen(provider, operation, line);
    let answer = Response { status, headers: HeaderMap::new(), body: body.to_vec() };
    if let Err(error) = read(account, operation, at, answer) {
        check_text(&error);
    }
}

fn chosen(provider: &str, operation: &str, line: &[u8]) -> (&'static Connection, &'static str) {
    let all = operations();
    let is_named = |(account, name): &&(&Connection, &str)| account.app.manifest.name == provider && *name == operation;
    let sum = line.iter().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)));
    *all.iter().find(is_named).unwrap_or(&all[sum % all.len()])
}

/// Every operation of every built-in provider, with its variants.
fn operations() -> &'static [(&'static Connection, &'static str)] {
    static OPERATIONS: OnceLock<Vec<(&'static Connection, &'static str)>> = OnceLock::new();
    OPERATIONS.get_or_init(|| {
        let of_account = |account: &'static Connection| {
            let services = account.app.manifest.services.values();
            services.flat_map(move |service| service.operations.keys().map(move |name| (account, name.as_str())))
        };
        accounts().iter().flat_map(of_account).collect()
    })
}
