//! Push: one shape for notifications on devices.

mod model;

pub use model::{NewPush, PushOutcome, PushPriority, PushResult, PushTarget};

use super::engine;
use crate::connect::Connection;
use crate::{Error, ErrorKind, RawRecord, Result};
use atom_macros::{api, handle};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::HashSet;

const SEND: &str = "push.send";
/// For vendors that take one token with a request.
const SEND_TO_TOKEN: &str = "push.send_to_token";
/// How many targets one call may have.
const MAX_TARGETS: usize = 500;

/// The push notifications of a connected account.
///
/// Where the provider lacks an operation or an input, a call fails with `unsupported` before anything is sent. `not_found`,
/// `conflict`, `rate_limited` (wait for `retry_after`), `reauth_required` (connect the account again), `unavailable` (call again
/// later) and `provider` (change the input) are what the provider itself says.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let (_atom, connection) = atom_core::testing::example().await?;
/// use atom_core::{NewPush, PushOutcome};
///
/// let lunch = NewPush { tokens: Some(vec!["a".into(), "b".into()]), title: Some("Lunch".into()), ..Default::default() };
/// let result = connection.push().send(lunch).await?;
/// for target in result.targets {
///     match target.outcome {
///         PushOutcome::Accepted => {}
///         PushOutcome::InvalidTarget => println!("forget {}", target.target),
///         PushOutcome::Failed => println!("try {} again later", target.target),
///     }
/// }
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Push {
    pub(crate) connection: Connection,
}

/// A vendor's answer to one request.
#[derive(Deserialize)]
struct Sent {
    /// Empty where nobody got it.
    id: Option<String>,
    #[serde(default)]
    invalid_targets: Vec<String>,
    /// Of vendors that answer for each target, in the order in which they were given.
    #[serde(default)]
    tickets: Vec<Ticket>,
    provider: String,
    raw: RawRecord,
}

#[derive(Deserialize)]
struct Ticket {
    id: Option<String>,
    outcome: PushOutcome,
    reason: Option<String>,
}

impl Sent {
    /// What became of each target.
    fn into_result(self, targets: Vec<String>) -> Result<PushResult> {
        let id = self.id.filter(|id| !id.is_empty());
        let targets: Vec<_> = if self.tickets.is_empty() {
            let invalid: HashSet<_> = self.invalid_targets.iter().collect();
            let one = |target: String| match (invalid.contains(&target), &id) {
                (true, _) => target_of(target, PushOutcome::InvalidTarget),
                (false, Some(_)) => target_of(target, PushOutcome::Accepted),
                (false, None) => {
                    PushTarget { reason: Some("nobody_reached".to_owned()), ..target_of(target, PushOutcome::Failed) }
                }
            };
            targets.into_iter().map(one).collect()
        } else if self.tickets.len() == targets.len() {
            let one = |(target, ticket): (String, Ticket)| PushTarget {
                target,
                id: ticket.id,
                outcome: ticket.outcome,
                reason: ticket.reason,
            };
            targets.into_iter().zip(self.tickets).map(one).collect()
        } else {
            let text = "the provider answered for more or fewer targets than it was given";
            return Err(Error::new(ErrorKind::Provider, "answer_malformed", text).with_provider(&self.provider));
        };
        Ok(PushResult { id, provider: self.provider, targets, raw: vec![self.raw] })
    }
}

fn target_of(target: String, outcome: PushOutcome) -> PushTarget {
    PushTarget { target, id: None, outcome, reason: None }
}

#[api]
impl Push {
    /// Sends a notification to devices, to a topic or to users, and says what became of each.
    ///
    /// Fails with `invalid` (`push_targets`: not exactly one of `tokens`, `topic` and `user_ids`, an empty list, or more than 500 targets), and otherwise
    /// only if nothing was sent. What fails later is `failed` at its target, so that nobody gets the notification twice when the rest is tried again.
    /// A provider that takes one token at a time is asked for each in turn, and goes on being asked if the caller goes away.
    pub async fn send(&self, push: NewPush) -> Result<PushResult> {
        let targets = targets(&push)?;
        let manifest = &self.connection.app.manifest;
        match &push.tokens {
            Some(tokens) if manifest.service_of(SEND_TO_TOKEN).is_some() => {
                let sending = tokio::spawn(one_by_one(self.connection.clone(), push.clone(), tokens.clone()));
                sending.await.map_err(|e| Error::internal("push", "the sending of a notification broke off").with_source(e))?
            }
            _ => {
                let sent: Sent = engine::one(&self.connection, SEND, &push).await?;
                sent.into_result(targets)
            }
        }
    }
}

async fn one_by_one(connection: Connection, push: NewPush, tokens: Vec<String>) -> Result<PushResult> {
    let mut result =
        PushResult { id: None, provider: connection.app.manifest.name.clone(), targets: Vec::new(), raw: Vec::new() };
    let mut input = engine_input(&push)?;
    let mut ended: Option<String> = None;
    for token in &tokens {
        let failed = |reason: String| PushTarget { reason: Some(reason), ..target_of(token.clone(), PushOutcome::Failed) };
        if let Some(reason) = &ended {
            result.targets.push(failed(reason.clone()));
            continue;
        }
        input.insert("token".into(), token.as_str().into());
        let sent: Result<Sent> = engine::one(&connection, SEND_TO_TOKEN, &input).await;
        result.targets.push(match sent {
            Ok(sent) => {
                result.raw.push(sent.raw);
                PushTarget { id: sent.id, ..target_of(token.clone(), PushOutcome::Accepted) }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => target_of(token.clone(), PushOutcome::InvalidTarget),
            Err(error) if result.raw.is_empty() && result.targets.is_empty() => return Err(error),
            Err(error) => {
                let reason = error.reason().to_owned();
                // What has nothing to do with this token will not go away with the next one.
                ended = Some(reason.clone()).filter(|_| error.kind() != ErrorKind::Provider);
                failed(reason)
            }
        });
    }
    Ok(result)
}

/// What is sent with each token.
fn engine_input(push: &NewPush) -> Result<Map<String, Value>> {
    let input = serde_json::to_value(NewPush { tokens: None, ..push.clone() });
    match input.map_err(|e| Error::internal("input", "an input cannot be serialized").with_source(e))? {
        Value::Object(input) => Ok(input),
        _ => Err(Error::internal("input", "an input is an object")),
    }
}

fn targets(push: &NewPush) -> Result<Vec<String>> {
    let given = match (&push.tokens, &push.topic, &push.user_ids) {
        (Some(targets), None, None) | (None, None, Some(targets)) => targets.clone(),
        (None, Some(topic), None) => vec![topic.clone()],
        _ => Vec::new(),
    };
    if given.is_empty() || given.len() > MAX_TARGETS {
        let text = format!("give exactly one of `tokens`, `topic` and `user_ids`, with 1 to {MAX_TARGETS} of them");
        return Err(Error::invalid("push_targets", text));
    }
    Ok(given)
}
