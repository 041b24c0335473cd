//! One attempt at a mail: whoever has its lease makes it, and writes what became of it, all of it or nothing.
//!
//! The process that queued a mail makes the first attempt. Where that fails, or the process died, a job makes the others. A process that dies after the
//! server has taken a mail and before that is written sends it again, under the same `Message-ID`; none is lost.

use super::queue::Body;
use super::store::{self, Claim, Known};
use super::{KIND, MailDeliveryState, OutgoingMail, place, sender};
use crate::atom::Inner;
use crate::events::{self, MailFailed};
use crate::jobs::{Handler, JobFailure, JobKind, Jobs, NewJob, RetryPolicy, RunningJob};
use crate::storage::Tx;
use crate::{Error, ErrorKind, Json, MailId, Result, WorkspaceId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How often a job tries a mail: with the delays, for more than two hours.
const ATTEMPTS: i32 = 10;
/// How long to wait after the first attempt, in seconds. It doubles from there.
const DELAY: f64 = 10.0;

/// What came of an attempt.
enum Attempted {
    /// It was sent or has failed for good, here or elsewhere, or was never queued.
    Over,
    /// Another attempt is under way, or was cut off a moment ago.
    Held,
    /// It may succeed later.
    Again(Error),
}

/// The first attempt at a mail, by the process that queued it. It counts as under way until it has ended.
pub(super) struct First {
    inner: Arc<Inner>,
    mail: OutgoingMail,
}

impl First {
    pub(super) fn new(inner: Arc<Inner>, mail: OutgoingMail) -> Self {
        inner.mail.begin(mail.id);
        Self { inner, mail }
    }

    pub(super) async fn run(self) {
        let (inner, id) = (&self.inner, self.mail.id);
        match attempt(inner, id, Some(&self.mail), false).await {
            Ok(Attempted::Over | Attempted::Held) => {}
            Ok(Attempted::Again(error)) => {
                tracing::info!(mail.id = %id, reason = error.reason(), "a mail was not taken; a worker tries again");
            }
            // Its lease runs out, and a worker finds it.
            Err(error) => {
                tracing::warn!(mail.id = %id, %error, reason = error.reason(), "a mail could not be tried; a worker tries again")
            }
        }
    }
}

impl Drop for First {
    fn drop(&mut self) {
        self.inner.mail.end(self.mail.id);
    }
}

/// What a job of [`KIND`] is enqueued with.
#[derive(Serialize, Deserialize)]
struct Due {
    mail: MailId,
}

/// The kind of job that makes the attempts after the first.
pub(crate) fn kind() -> JobKind {
    JobKind {
        name: KIND.into(),
        queue: Some("atom".into()),
        max_attempts: Some(ATTEMPTS),
        retry: Some(RetryPolicy { delay_seconds: Some(2.0 * DELAY), ..Default::default() }),
        timeout_seconds: Some(120.0),
        keep_seconds: Some(0),
        ..Default::default()
    }
}

/// The handler of that kind, for every worker of a process that can send mail.
pub(crate) fn handler(inner: &Arc<Inner>) -> Option<(String, Handler)> {
    let inner = Some(Arc::clone(inner)).filter(|inner| inner.mail.is_configured())?;
    Some((KIND.into(), Handler::new(move |job| run(Arc::clone(&inner), job))))
}

async fn run(inner: Arc<Inner>, job: RunningJob) -> Result<Json, JobFailure> {
    let malformed = |e| JobFailure::fatal("malformed_input", format!("the input is not of a mail: {e}"));
    let due: Due = serde_json::from_value(job.input().0).map_err(malformed)?;
    match attempt(&inner, due.mail, None, job.attempt() >= ATTEMPTS).await? {
        Attempted::Over => Ok(Json::default()),
        Attempted::Held => Err(JobFailure::new("mail_held", "another attempt is under way").retry_after(store::LEASE)),
        Attempted::Again(error) => Err(error.into()),
    }
}

/// Has a worker try a mail, not before a while has passed.
pub(super) async fn enqueue(
    inner: &Arc<Inner>,
    tx: &mut Tx,
    id: MailId,
    workspace: Option<WorkspaceId>,
    wait: Duration,
) -> Result<()> {
    let input = serde_json::to_value(Due { mail: id }).map(Json);
    let job = NewJob {
        kind: KIND.into(),
        input: Some(input.map_err(|e| Error::internal("mail_job", "a mail cannot be scheduled").with_source(e))?),
        delay_seconds: Some(wait.as_secs_f64().min(86400.0)),
        ..Default::default()
    };
    let jobs = Jobs { inner: Arc::clone(inner), workspace: workspace.unwrap_or(WorkspaceId(Uuid::nil())), user: None };
    jobs.enqueue_with(tx, job).await.map(drop)
}

/// Makes an attempt, if it is due and nobody else makes one. `first` is the mail where this process has just queued it.
async fn attempt(inner: &Arc<Inner>, id: MailId, first: Option<&OutgoingMail>, is_last: bool) -> Result<Attempted> {
    let (settings, db) = (inner.mail.settings()?, inner.db()?);
    // Nobody closes it.
    let _permit = inner.mail.permits.acquire().await.ok();
    let is_first = first.is_some();
    let Some(claim) = store::claim(db, id, is_first).await? else {
        return Ok(if store::is_queued(db, id).await? { Attempted::Held } else { Attempted::Over });
    };
    let outcome = if claim.expires_at <= inner.now() {
        Err(expired())
    } else {
        let mail = match first {
            Some(mail) => Cow::Borrowed(mail),
            None => Cow::Owned(open(inner, &claim).await?),
        };
        sender::send(settings.sender.as_ref(), &mail).await
    };
    let now = inner.now();
    // What was sent is sent: this is written even if the power fails.
    let mut tx = db.begin_durable().await?;
    let attempted = match outcome {
        Ok(receipt) => {
            let receipt = receipt.receipt_id.map(|id| id.chars().filter(|c| !c.is_control()).take(200).collect::<String>());
            store::set_sent(&mut tx, &claim, receipt.as_deref(), now).await?;
            Attempted::Over
        }
        Err(error) if is_last || !error.is_retryable() => {
            fail(&mut tx, &claim, &error, now).await?;
            Attempted::Over
        }
        Err(error) => {
            if store::release(&mut tx, &claim, error.reason(), &explanation(&error)).await? && is_first {
                let wait = Duration::from_secs_f64(DELAY).max(error.retry_after().unwrap_or_default());
                enqueue(inner, &mut tx, id, claim.known.workspace, wait).await?;
            }
            Attempted::Again(error)
        }
    };
    tx.commit().await?;
    Ok(attempted)
}

async fn open(inner: &Inner, claim: &Claim) -> Result<OutgoingMail> {
    let damaged = |e| Error::sealed("mail_damaged", "a queued mail does not open: it is given up").with_source(e);
    let plain = inner.keys.open_record(inner.db()?, &place(&claim.known.id), &claim.sealed).await?;
    let body: Body = serde_json::from_slice(&plain).map_err(damaged)?;
    body.into_mail(&claim.known, inner)
}

/// A mail whose time is over.
pub(super) fn expired() -> Error {
    let text = "the mail was not taken while what it says was true: ask for a new one";
    Error::new(ErrorKind::Cancelled, "mail_expired", text)
}

/// Gives a mail up, erases what it said, and tells its workspace.
pub(super) async fn fail(tx: &mut Tx, claim: &Claim, error: &Error, now: DateTime<Utc>) -> Result<()> {
    if !store::set_failed(tx, claim, error.reason(), &explanation(error), now).await? {
        return Ok(());
    }
    let Known { id, kind, user, workspace } = claim.known;
    tracing::warn!(mail.id = %id, mail.kind = kind.as_str(), reason = error.reason(), "a mail failed for good");
    let Some(workspace) = workspace else { return Ok(()) };
    let failed = MailFailed { mail_id: id, kind: kind.as_str().to_owned(), user_id: user, reason: error.reason().to_owned() };
    events::append(tx, workspace, failed, now).await
}

/// What an error says, as it is kept. PostgreSQL stores no NUL.
fn explanation(error: &Error) -> String {
    error.to_string().chars().filter(|c| *c != '\0').take(500).collect()
}

impl MailDeliveryState {
    /// What a report makes of a mail.
    pub(super) fn reported(is_complaint: bool) -> Self {
        if is_complaint { Self::Complained } else { Self::Bounced }
    }
}
