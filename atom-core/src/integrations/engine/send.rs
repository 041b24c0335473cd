//! Sends a call, within its connection's budget, and again where a repetition does nothing that once would not.

use super::budget::Budget;
use super::call::Call;
use super::text;
use crate::connect::Meter;
use crate::crypto::{BoxFuture, random};
use crate::http_client::{Request, Response};
use crate::integrations::failure;
use crate::providers::{Answer, Effect};
use crate::{Error, ErrorKind, Json, Result};
use reqwest::header::HeaderMap;
use serde::de::Error as _;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;

/// How often a call that may be repeated is tried.
const ATTEMPTS: u32 = 3;
/// How often one is that the vendor had too much of: it was not carried out, whatever it does.
const LIMITED_ATTEMPTS: u32 = 4;
/// A provider that asks for a longer wait gets it from the caller, who knows what else there is to do.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// The budget of operations that name none.
const DEFAULT_BUCKET: &str = "default";

/// An answer that is no refusal.
#[derive(Default)]
pub(super) struct Answered {
    /// All that is read of it: null where no JSON is expected, and without the items of a list.
    pub(super) document: Value,
    pub(super) items: text::Items,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answered {
    pub(super) fn text(&self, call: &Call<'_>) -> Result<&str> {
        str::from_utf8(&self.body).map_err(|e| call.malformed("something that is no UTF-8").with_source(e))
    }
}

impl Call<'_> {
    /// The answer, from the vendor or from a hook. On the heap: what stands below is deep, and callers hold several.
    pub(super) fn answer(&self) -> BoxFuture<'_, Result<Answered>> {
        Box::pin(async move {
            let Some(name) = &self.operation.hook else { return self.send().await };
            let input = Json(Value::Object(self.vars.clone()));
            let Json(document) = self.connection.inner.hooks.run(name, self.name, self.connection, input).await?;
            self.said(document.to_string().into_bytes(), HeaderMap::new())
        })
    }

    /// The budget that its requests are counted against.
    pub(super) fn budget(&self) -> Arc<Budget> {
        let buckets = &self.manifest().limits.buckets;
        let name = self.operation.bucket.as_deref().unwrap_or(DEFAULT_BUCKET);
        self.connection.inner.budgets.of(self.connection.id, name, buckets.get(name))
    }

    async fn send(&self) -> Result<Answered> {
        let mut meter = Meter::begin(self.connection, self.operation.vendor_op.clone());
        let outcome = self.try_send(&mut meter).await;
        meter.end_with(outcome)
    }

    async fn try_send(&self, meter: &mut Meter<'_>) -> Result<Answered> {
        let request = self.request()?;
        let budget = self.budget();
        let is_repeatable = self.operation.effect != Effect::Once || self.operation.idempotency.is_some();
        let mut attempt = 1;
        // Why an earlier attempt may have been carried out nevertheless. A refusal of a later one does not say that nothing happened.
        let mut unsure: Option<Error> = None;
        loop {
            let turn = budget.turn().await.map_err(|wait| unsure.clone().unwrap_or_else(|| self.over_budget(wait)))?;
            let sent = self.connection.send(self.token_set(), &self.facts, request.clone(), meter).await;
            let sent = match sent {
                Ok(answer) => self.follow(answer).await,
                failed => failed,
            };
            let failed = match sent {
                Ok(answer) => {
                    meter.receives(&answer);
                    self.observe(&budget, &answer);
                    match self.read(answer) {
                        Ok(answered) => return Ok(answered),
                        Err(failed) => failed,
                    }
                }
                Err(failed) => failed,
            };
            let is_limited = failed.kind() == ErrorKind::RateLimited;
            // What was refused or never arrived was not carried out.
            let was_not_carried_out = is_limited || failed.reason() == "unreachable";
            let may_repeat = is_repeatable || was_not_carried_out;
            let attempts = if is_limited { LIMITED_ATTEMPTS } else { ATTEMPTS };
            let wait = failed.retry_after().unwrap_or_else(|| backoff(attempt));
            if is_limited {
                budget.stop_for(wait);
            }
            // Not before: whoever gets the turn next must find the stop.
            drop(turn);
            if !failed.is_retryable() || !may_repeat || attempt >= attempts || wait > LONGEST_WAIT {
                return Err(unsure.filter(|_| was_not_carried_out).unwrap_or(failed));
            }
            if !was_not_carried_out && self.operation.effect != Effect::Read {
                unsure = Some(failed);
            }
            if !is_limited {
                tokio::time::sleep(wait).await;
            }
            attempt += 1;
        }
    }

    /// Sends a request once, within the budget, and returns the answer whatever it is. Without the credential it goes to an address that is its own.
    pub(super) async fn exchange(&self, request: Request, authenticated: bool) -> Result<Response> {
        let mut meter = Meter::begin(self.connection, self.operation.vendor_op.clone());
        let budget = self.budget();
        let turn = budget.turn().await.map_err(|wait| self.over_budget(wait))?;
        let sent = if authenticated {
            Box::pin(self.connection.send(self.token_set(), &self.facts, request, &mut meter)).await
        } else {
            meter.sends(&request);
            self.connection.outlet().send(request).await.map_err(|e| e.with_provider(&self.manifest().name))
        };
        drop(turn);
        let answer = meter.end(sent)?;
        self.observe(&budget, &answer);
        if answer.status == 429 {
            budget.stop_for(failure::wait(self.manifest(), &answer).unwrap_or_else(|| backoff(1)));
        }
        Ok(answer)
    }

    pub(super) fn over_budget(&self, wait: Duration) -> Error {
        let manifest = self.manifest();
        let text = format!("too many calls of this connection wait for {}: wait and call again", manifest.title);
        Error::new(ErrorKind::RateLimited, "local_budget", text).with_provider(&manifest.name).with_retry_after(Some(wait))
    }

    /// Stops everyone where the vendor's own count is at its end.
    pub(super) fn observe(&self, budget: &Budget, answer: &Response) {
        let limits = &self.manifest().limits;
        let header = |name: &str| answer.headers.get(name)?.to_str().ok();
        let is_spent = limits.remaining.as_ref().and_then(|name| header(name)).is_some_and(|left| left.trim().parse() == Ok(0.0));
        if is_spent && let Some(wait) = failure::wait(self.manifest(), answer) {
            budget.stop_for(wait);
        }
    }

    /// What an answer holds, or why it is a refusal.
    pub(super) fn read(&self, answer: Response) -> Result<Answered> {
        let (manifest, operation) = (self.manifest(), self.operation);
        let refused = |answer: &Response| Err(failure::classify(manifest, &operation.vendor_op, answer));
        if !(200..300).contains(&answer.status) {
            return refused(&answer);
        }
        let is_read = operation.answer == Answer::Json;
        // What is no JSON cannot say that it is a refusal, unless the operation itself says how.
        let is_asked = operation.success.is_some()
            || operation.answer == Answer::None && (manifest.errors.success.is_some() || manifest.errors.failure.is_some());
        if !is_read && !is_asked {
            return Ok(Answered { headers: answer.headers, body: answer.body, ..Default::default() });
        }
        let status = answer.status;
        let answered = if is_read {
            self.said(answer.body, answer.headers).map_err(|e| e.with_status(status))?
        } else {
            let document = serde_json::from_slice(&answer.body).unwrap_or_default();
            Answered { document, headers: answer.headers, body: answer.body, ..Default::default() }
        };
        if !answered.document.is_null() && failure::is_refusal(manifest, operation.success.as_ref(), &answered.document) {
            return refused(&Response { status, headers: answered.headers, body: answered.body });
        }
        Ok(answered)
    }

    /// A document with what its headers say beside it. What is no document stays as it is.
    fn with_headers(&self, body: Vec<u8>, headers: &HeaderMap) -> Vec<u8> {
        let said = |(member, header): (&String, &String)| Some((member.clone(), headers.get(header)?.to_str().ok()?.into()));
        let said: Vec<(String, Value)> = self.operation.answer_headers.iter().filter_map(said).collect();
        if said.is_empty() {
            return body;
        }
        let document = if body.is_empty() { Ok(Value::Object(Map::new())) } else { serde_json::from_slice(&body) };
        match document {
            Ok(Value::Object(mut members)) => {
                members.extend(said);
                Value::Object(members).to_string().into_bytes()
            }
            _ => body,
        }
    }

    /// What an answer in JSON says.
    fn said(&self, body: Vec<u8>, headers: HeaderMap) -> Result<Answered> {
        let mut answered = Answered { body: self.with_headers(body, &headers), headers, ..Default::default() };
        if answered.body.is_empty() {
            return Ok(answered);
        }
        let read = || {
            let text = str::from_utf8(&answered.body).map_err(serde_json::Error::custom)?;
            match &self.operation.items {
                Some(path) if !self.operation.looks_into_items() => text::read(text, path),
                path => {
                    let rest: Value = serde_json::from_str(text)?;
                    let items = path.as_ref().map(|path| text::take(&mut rest.clone(), path)).transpose()?;
                    Ok(text::Document { rest, items: items.unwrap_or_default() })
                }
            }
        };
        let read = read().map_err(|e| self.malformed("something that is no JSON").with_source(e))?;
        (answered.document, answered.items) = (read.rest, read.items);
        Ok(answered)
    }
}

/// A quarter of a second, doubled each time, plus up to as much again: callers that failed together do not come back together.
pub(super) fn backoff(attempt: u32) -> Duration {
    let base = 250_u64 << attempt.min(6).saturating_sub(1);
    let jitter = random::<2>().map_or(0, |bytes| u64::from(u16::from_be_bytes(bytes)) * base / u64::from(u16::MAX));
    Duration::from_millis(base + jitter)
}
