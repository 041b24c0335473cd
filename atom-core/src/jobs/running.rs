//! A job that is being run, as its handler sees it.

use super::store::{self, StepConn};
use super::{HostTransaction, JobFailure, JobProgress, kinds, retry};
use crate::atom::Inner;
use crate::storage::Engine;
use crate::{Error, ErrorKind, JobId, Json, Result, UserId, WorkspaceId};
use atom_macros::{api, handle, model};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// What a step does to the world outside the database, and so what becomes of it when its worker dies in the middle.
#[model]
pub enum Effect {
    /// It only reads: it is done again.
    Read,
    /// Doing it twice is doing it once, as with an idempotency key: it is done again.
    Idempotent,
    /// It must not be done twice: the job is in doubt until somebody settles it.
    Once,
}

/// A step that was done in this attempt or an earlier one.
#[model]
pub struct RecordedStep {
    /// Its outcome.
    pub output: Json,
}

/// The job that a handler is running.
///
/// ```
/// use atom_core::{Effect, Handler, JobFailure, Json};
///
/// let handler = Handler::new(|job| async move {
///     // A job that is run again after a crash does not charge again.
///     let charge: String = job.step("charge", Effect::Once, async { Ok::<_, JobFailure>("ch_1".to_owned()) }).await?;
///     Ok(Json(charge.into()))
/// });
/// ```
#[handle]
pub struct RunningJob {
    run: Arc<Run>,
}

/// Why an attempt is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Somebody cancelled the job.
    Cancelled,
    /// Its time is over.
    TimedOut,
    /// The worker stops.
    ShuttingDown,
    /// The worker was taken for dead, and the job was given to another.
    Lost,
}

/// How a handler said that its job is not over, whatever it returns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Parked {
    /// It goes on at this moment.
    Until(DateTime<Utc>),
    /// It goes on when somebody has settled a step.
    InDoubt,
}

/// One attempt.
pub(crate) struct Run {
    pub(super) inner: Arc<Inner>,
    pub(super) workspace: WorkspaceId,
    pub(super) id: JobId,
    pub(super) user: Option<UserId>,
    pub(super) kind: String,
    pub(super) run_at: DateTime<Utc>,
    pub(super) input: Json,
    pub(super) attempt: i32,
    pub(super) keep_seconds: i64,
    /// Which of the job's claims this is.
    pub(super) fence: i64,
    pub(super) stop: watch::Receiver<Option<Stop>>,
    pub(super) parked: Mutex<Option<Parked>>,
    pub(super) has_steps: AtomicBool,
    /// The names of the steps that this attempt or an earlier one began; none before they were asked for. A name that is not among them
    /// needs no look into the database.
    pub(super) steps: tokio::sync::Mutex<Option<HashSet<String>>>,
    pub(super) is_completed: AtomicBool,
}

impl Run {
    /// An attempt at a job that is stored nowhere: what its handler writes about it is refused, because it is not this worker's.
    #[cfg(feature = "testing")]
    pub(crate) fn unstored(inner: Arc<Inner>, kind: String, input: Json, stop: watch::Receiver<Option<Stop>>) -> RunningJob {
        let run_at = inner.now();
        RunningJob::new(Arc::new(Self {
            inner,
            workspace: WorkspaceId::generate(),
            id: JobId::generate(),
            user: Some(UserId::generate()),
            kind,
            run_at,
            input,
            attempt: 1,
            keep_seconds: 0,
            fence: 1,
            stop,
            parked: Mutex::default(),
            has_steps: AtomicBool::new(false),
            steps: tokio::sync::Mutex::default(),
            is_completed: AtomicBool::new(false),
        }))
    }

    /// A step as it was left by this attempt or an earlier one.
    async fn step(&self, step: &str) -> Result<Option<store::Step>> {
        let db = self.inner.db()?;
        let mut steps = self.steps.lock().await;
        let is_known = match &*steps {
            Some(names) => names.contains(step),
            // The first claim of a job finds nothing that was done before.
            None if self.fence == 1 => false,
            None => steps.insert(store::step_names(db, self).await?).contains(step),
        };
        drop(steps);
        if is_known { store::step(db, self, step).await } else { Ok(None) }
    }

    /// Notes that a step is about to be in the database.
    async fn know(&self, step: &str) {
        let mut steps = self.steps.lock().await;
        if let Some(names) = &mut *steps {
            names.insert(step.to_owned());
        } else if self.fence == 1 {
            *steps = Some(HashSet::from([step.to_owned()]));
        }
    }

    fn park(&self, parked: Parked) {
        *self.parked.lock().unwrap_or_else(PoisonError::into_inner) = Some(parked);
    }
}

fn lost() -> Error {
    let text = "this worker was taken for dead and the job was given to another: end the handler; nothing was written";
    Error::new(ErrorKind::Cancelled, "job_lost", text)
}

fn check_step(step: &str) -> Result<()> {
    if step.is_empty() || step.len() > 200 || step.contains('\0') {
        return Err(Error::invalid("malformed_step", "the name of a step has between 1 and 200 bytes, none of them U+0000"));
    }
    Ok(())
}

impl RunningJob {
    pub(super) fn new(run: Arc<Run>) -> Self {
        Self { run }
    }

    /// Does a step unless an earlier attempt has done it, and returns its outcome.
    ///
    /// # Errors
    /// What the step fails with; then it is done again in the next attempt. `step_in_doubt` if an earlier attempt may have done an
    /// [`Effect::Once`], also where it failed: nobody knows how far it came. `job_lost` if the job is no longer this worker's.
    pub async fn step<T, E>(&self, step: &str, effect: Effect, work: impl Future<Output = Result<T, E>>) -> Result<T, JobFailure>
    where
        T: Serialize + DeserializeOwned,
        E: Into<JobFailure>,
    {
        let malformed =
            |e: serde_json::Error| JobFailure::fatal("malformed_output", format!("the outcome of a step is not JSON: {e}"));
        if let Some(recorded) = self.begin_step(step.to_owned(), effect).await? {
            return serde_json::from_value(recorded.output.0).map_err(malformed);
        }
        let output = work.await.map_err(Into::into)?;
        self.finish_step(step.to_owned(), Json(serde_json::to_value(&output).map_err(malformed)?)).await?;
        Ok(output)
    }

    /// Records the outcome of a step in the host's own transaction: both are there, or neither.
    ///
    /// # Errors
    /// `cancelled` (`job_lost`): the transaction must be rolled back.
    pub async fn finish_step_in(&self, transaction: impl Into<HostTransaction<'_>>, step: &str, output: Json) -> Result<()> {
        let HostTransaction(conn) = transaction.into();
        self.record(StepConn::Of(conn), step, &output).await
    }

    /// Ends the job as succeeded in the host's own transaction: what the handler wrote and the end of the job are there, or neither. What
    /// the handler returns afterwards is not stored.
    ///
    /// # Errors
    /// `cancelled` (`job_lost`): the transaction must be rolled back.
    pub async fn complete_in(&self, transaction: impl Into<HostTransaction<'_>>, output: Json) -> Result<()> {
        kinds::check_value(&output, "output")?;
        let HostTransaction(conn) = transaction.into();
        self.run.is_completed.store(true, Ordering::Relaxed);
        if store::complete(conn, &self.run, &output, self.run.inner.now()).await? { Ok(()) } else { Err(lost()) }
    }

    async fn record(&self, conn: StepConn<'_>, step: &str, output: &Json) -> Result<()> {
        check_step(step)?;
        kinds::check_value(output, "outcome of a step")?;
        self.run.has_steps.store(true, Ordering::Relaxed);
        self.run.know(step).await;
        if store::record_step(conn, &self.run, step, output, self.run.inner.now()).await? { Ok(()) } else { Err(lost()) }
    }
}

#[api]
impl RunningJob {
    /// The job's id.
    pub fn id(&self) -> JobId {
        self.run.id
    }

    /// What kind of job it is.
    pub fn kind(&self) -> String {
        self.run.kind.clone()
    }

    /// The workspace it belongs to.
    pub fn workspace_id(&self) -> WorkspaceId {
        self.run.workspace
    }

    /// On whose behalf it was enqueued, if on someone's.
    pub fn user_id(&self) -> Option<UserId> {
        self.run.user
    }

    /// What it was enqueued with.
    pub fn input(&self) -> Json {
        self.run.input.clone()
    }

    /// Which attempt this is: 1, 2, 3, …
    pub fn attempt(&self) -> i32 {
        self.run.attempt
    }

    /// When it was due: the moment that a schedule meant, whenever a worker was free.
    pub fn run_at(&self) -> DateTime<Utc> {
        self.run.run_at
    }

    /// Whether this attempt is to end: the job was cancelled, its time is over, the worker stops or has lost the job to another.
    pub fn is_cancelled(&self) -> bool {
        self.run.stop.borrow().is_some()
    }

    /// Waits until this attempt is to end.
    pub async fn cancelled(&self) -> Result<()> {
        let mut stop = self.run.stop.clone();
        // A worker that is gone wants nothing any more.
        let _ = stop.wait_for(Option::is_some).await;
        Ok(())
    }

    /// Stores how far the job has come, for whoever looks at it. Each call is a write: a few per second are plenty.
    ///
    /// Fails with `cancelled` (`job_lost`) and `invalid` (`malformed_job`, `job_too_large`).
    pub async fn report(&self, progress: JobProgress) -> Result<()> {
        kinds::check_value(&Json(serde_json::json!(progress)), "progress")?;
        if store::report(self.run.inner.db()?, &self.run, &progress).await? { Ok(()) } else { Err(lost()) }
    }

    /// Begins a step of the job: its outcome, if this attempt or an earlier one has finished it; nothing, if it is to be done now.
    ///
    /// Fails with `conflict` (`step_in_doubt`) where an earlier attempt began a step that must not be done twice and did not finish it:
    /// let the error leave the handler, and the job waits until somebody calls `Jobs.settle`. Fails with `cancelled` (`job_lost`) and
    /// `invalid` (`malformed_step`).
    pub async fn begin_step(&self, step: String, effect: Effect) -> Result<Option<RecordedStep>> {
        check_step(&step)?;
        let (run, db) = (&self.run, self.run.inner.db()?);
        match run.step(&step).await? {
            Some(known) if known.is_done() => return Ok(Some(RecordedStep { output: known.into_output() })),
            Some(_) => {
                run.park(Parked::InDoubt);
                let text = "an earlier attempt may have done this step: find out, and call `settle` on the jobs";
                return Err(Error::new(ErrorKind::Conflict, "step_in_doubt", text));
            }
            None => {}
        }
        if effect == Effect::Once {
            run.has_steps.store(true, Ordering::Relaxed);
            run.know(&step).await;
            if !store::begin_step(db, run, &step, run.inner.now()).await? {
                if store::step(db, run, &step).await?.is_none() {
                    return Err(lost());
                }
                let text = "this attempt does the step already: do it once";
                return Err(Error::new(ErrorKind::Conflict, "step_in_doubt", text));
            }
        }
        Ok(None)
    }

    /// Records the outcome of a step: it is not done again. Of two outcomes, the first stays.
    ///
    /// Fails with `cancelled` (`job_lost`) and `invalid` (`malformed_step`, `job_too_large`).
    pub async fn finish_step(&self, step: String, output: Json) -> Result<()> {
        let db = self.run.inner.db()?.clone();
        self.record(StepConn::Own(&db), &step, &output).await
    }

    /// Lets the job sleep, however long: it fails with `cancelled` (`job_sleeps`) until the time has passed. Let that error leave the
    /// handler. The job is run again from its beginning when the time has come, in any process, and gets here without an error; the
    /// attempt does not count.
    pub async fn sleep(&self, step: String, seconds: f64) -> Result<()> {
        check_step(&step)?;
        let (run, now) = (&self.run, self.run.inner.now());
        let until = match run.step(&step).await? {
            Some(known) => {
                let micros = known.into_output().0.as_i64().and_then(DateTime::from_timestamp_micros);
                micros.ok_or_else(|| {
                    Error::invalid("malformed_step", "this name belongs to another step of the job: choose another")
                })?
            }
            None if !(0.0..=3.2e7).contains(&seconds) => {
                return Err(Error::invalid("malformed_step", "a job sleeps between 0 seconds and a year"));
            }
            None => {
                let until = now + retry::seconds(seconds);
                self.finish_step(step, Json(until.timestamp_micros().into())).await?;
                until
            }
        };
        if until <= now {
            return Ok(());
        }
        run.park(Parked::Until(until));
        Err(Error::new(ErrorKind::Cancelled, "job_sleeps", "the job sleeps: let this error leave the handler"))
    }

    /// The SQL statement that ends the job as succeeded, for the host's own transaction, in any language and with any driver. It has no
    /// parameters and must change one row: otherwise the job was lost to another worker, and the transaction must be rolled back.
    ///
    /// Fails with `invalid` (`job_too_large`).
    pub async fn completion(&self, output: Json) -> Result<String> {
        kinds::check_value(&output, "output")?;
        let postgres = matches!(self.run.inner.db()?.engine, Engine::Pg(_));
        self.run.is_completed.store(true, Ordering::Relaxed);
        Ok(store::completion(&self.run, &output, postgres, self.run.inner.now()))
    }
}
