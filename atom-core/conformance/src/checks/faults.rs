//! Calls that go wrong at the vendor.

use super::{Check, Trial};
use crate::description;
use crate::double::{Recorded, Reply};
use crate::place;
use atom_core::{Error, ErrorKind};
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

/// How long the vendor asks to wait, in seconds: longer than Atom waits by itself.
const WAIT: i64 = 45;
/// More often than Atom tries.
const ALWAYS: usize = 10;

impl Trial<'_> {
    /// A documented refusal, or a plain 404; and where the vendor refuses with status 200, one of those.
    pub(super) async fn refusal(&mut self) {
        let documented = self.expected.described.iter().find_map(|operation| description::answer(operation, '4'));
        let (status, mut body) = documented.map_or((404, Value::Null), |(status, body, _)| (status, body));
        if body.is_null() {
            body = json!({});
            self.bench.double.world.manifest.put_code(&mut body, "conformance_refusal");
        }
        if !self.operation.is_graphql() {
            self.refused(status, Reply::Error { status, headers: Vec::new(), body }).await;
        }
        if self.bench.double.world.manifest.refuse(self.operation, &mut json!({})) && self.operation.answer() != "bytes" {
            self.refused(200, Reply::Refusal).await;
        }
    }

    async fn refused(&mut self, status: u16, reply: Reply) {
        let input = self.minimal_input();
        match self.call(Check::Refusal, &input, vec![reply; ALWAYS]).await.0 {
            Ok(_) => self.fault(Check::Refusal, format!("a refusal with {status} is taken for a success")),
            Err(error) if !self.is_named(&error) || error.status() != Some(status) => {
                let (kind, said) = (error.code(), error.status());
                self.fault(Check::Refusal, format!("a refusal with {status} is `{kind}` with status {said:?}: {error}"));
            }
            Err(_) => {}
        }
    }

    /// An error of the provider, not a fault of Atom.
    fn is_named(&self, error: &Error) -> bool {
        error.provider() == Some(self.bench.provider()) && error.kind() != ErrorKind::Internal
    }

    pub(super) async fn rate_limit(&mut self) {
        let (mut headers, mut body) = (Vec::new(), json!({}));
        let rule = self.bench.double.world.manifest.table["limits"]["retry_after"][0].clone();
        let until = Utc::now() + TimeDelta::seconds(WAIT);
        let value = match rule["format"].as_str().unwrap_or("auto") {
            "millis" => (WAIT * 1000).to_string(),
            "epoch" => until.timestamp().to_string(),
            "epoch_millis" => until.timestamp_millis().to_string(),
            "iso" => until.to_rfc3339(),
            "duration" => format!("{WAIT}s"),
            _ => WAIT.to_string(),
        };
        match rule["path"].as_str() {
            Some(path) => place::set(&mut body, path, value.parse::<i64>().map_or(value.into(), Value::from)),
            None => headers.push((rule["header"].as_str().unwrap_or("retry-after").to_owned(), value)),
        }
        let input = self.minimal_input();
        let (called, requests) =
            self.call(Check::RateLimit, &input, vec![Reply::Error { status: 429, headers, body }; ALWAYS]).await;
        match called {
            Ok(_) => self.fault(Check::RateLimit, "a 429 is taken for a success"),
            Err(error) => {
                let wait = error.retry_after().map(|wait| wait.as_secs());
                let is_right = wait.is_some_and(|wait| wait.abs_diff(WAIT.unsigned_abs()) <= 3);
                if error.kind() != ErrorKind::RateLimited || !is_right || !self.is_named(&error) {
                    self.fault(Check::RateLimit, format!("a 429 for {WAIT} s is `{}` after {wait:?} s: {error}", error.code()));
                }
            }
        }
        if self.own(&requests) != 1 {
            self.fault(Check::RateLimit, format!("{} requests although the vendor asked to wait", self.own(&requests)));
        }
    }

    pub(super) async fn outage(&mut self) {
        let headers = vec![("retry-after".to_owned(), "0".to_owned())];
        let input = self.minimal_input();
        let (called, requests) =
            self.call(Check::Fault, &input, vec![Reply::Error { status: 503, headers, body: json!({}) }]).await;
        let sent = self.own(&requests);
        match (self.operation.is_repeatable(), called) {
            (true, Ok(_)) if sent == 2 => self.same_idempotency_key(&requests),
            (false, Err(error)) if sent == 1 && error.kind() == ErrorKind::Unavailable && self.is_named(&error) => {}
            (true, called) => {
                let came = called.err().map_or_else(|| "a success".to_owned(), |error| error.to_string());
                self.fault(Check::Fault, format!("a fault of a moment took {sent} requests and ended with {came}"));
            }
            (false, _) => self.fault(Check::Fault, format!("what may happen once was sent {sent} times after a fault")),
        }
    }

    /// A write that is made repeatable by a key has the same key at each attempt.
    fn same_idempotency_key(&mut self, requests: &[Recorded]) {
        let Some(name) = self.operation.table["idempotency"].as_str().map(str::to_lowercase) else { return };
        let keys: Vec<_> = requests.iter().map(|request| request.headers.get(&name)).collect();
        if keys.iter().any(Option::is_none) || keys.windows(2).any(|pair| pair[0] != pair[1]) {
            self.fault(Check::Fault, format!("`{name}` is not the same at each attempt"));
        }
    }

    pub(super) async fn refresh(&mut self) {
        if !self.bench.double.world.manifest.has_consent() {
            return;
        }
        self.refreshes();
        let input = self.minimal_input();
        let reply = Reply::Error { status: 401, headers: Vec::new(), body: json!({}) };
        let (called, requests) = self.call(Check::Refresh, &input, vec![reply]).await;
        let (refreshes, sent) = (self.refreshes(), self.own(&requests));
        if let Err(error) = &called {
            self.fault(Check::Refresh, format!("a token that died early: {error}"));
        } else if (refreshes, sent) != (1, 2) {
            self.fault(Check::Refresh, format!("a token that died early took {refreshes} refreshes and {sent} requests"));
        }
    }

    pub(super) async fn truncated(&mut self) {
        if self.operation.answer() != "json" {
            return;
        }
        let input = self.minimal_input();
        match self.call(Check::Truncated, &input, vec![Reply::Truncated; ALWAYS]).await.0 {
            Ok(value) => self.fault(Check::Truncated, format!("half an answer is taken for a whole one: {value}")),
            Err(error) if error.kind() == ErrorKind::Provider && self.is_named(&error) => {}
            Err(error) => self.fault(Check::Truncated, format!("half an answer is `{}`: {error}", error.code())),
        }
    }

    /// How many of the requests were for the operation itself, not for what its answer names.
    fn own(&self, requests: &[Recorded]) -> usize {
        if self.operation.is_graphql() {
            return requests.len();
        }
        // What is read before is what the fault meets.
        if self.operation.before().is_some() {
            let first = requests.first();
            let is_first =
                |request: &&Recorded| first.is_some_and(|first| (&first.method, &first.path) == (&request.method, &request.path));
            return requests.iter().filter(is_first).count();
        }
        let is_own = |request: &&Recorded| {
            self.expected.described.iter().any(|operation| operation.method == request.method && operation.serves(&request.path))
        };
        requests.iter().filter(is_own).count()
    }
}
