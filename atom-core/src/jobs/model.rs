//! What the jobs API takes and returns.

use crate::{JobId, Json, UserId};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// A kind of job that the installation knows, with its defaults. Every process declares the kinds that it enqueues or handles.
#[model(default)]
pub struct JobKind {
    /// Its name, such as `email.send`: lower-case words, digits and underscores, separated by points. `atom.` is reserved.
    pub name: String,
    /// The queue its jobs wait in. Default: `default`. Kinds that different programs handle belong in different queues.
    pub queue: Option<String>,
    /// Which goes first within a queue and a workspace: the higher number. Default: 0.
    pub priority: Option<i32>,
    /// How often a job is tried. Default: 5.
    pub max_attempts: Option<i32>,
    /// How long to wait between attempts.
    pub retry: Option<RetryPolicy>,
    /// How long one attempt may take, in seconds. Default: without end.
    pub timeout_seconds: Option<f64>,
    /// How long a job that succeeded is kept, in seconds. Default: one day; 0 deletes it at once.
    pub keep_seconds: Option<i64>,
    /// Whether success is an event (`job.succeeded`), as failure always is. Default: false.
    pub announce: Option<bool>,
}

/// How long to wait before the next attempt: `delay * factor^(attempt - 1)`, at most `max_delay`, spread by `jitter`.
#[model(default)]
pub struct RetryPolicy {
    /// Before the second attempt, in seconds. Default: 5.
    pub delay_seconds: Option<f64>,
    /// 1 is a fixed delay. Default: 2.
    pub factor: Option<f64>,
    /// At most this long, in seconds. Default: 3600.
    pub max_delay_seconds: Option<f64>,
    /// The share of the delay that is left to chance, 0 to 1. Default: 0.2.
    pub jitter: Option<f64>,
    /// Reasons for which there is no other attempt, whatever the failure says.
    pub never_on: Option<Vec<String>>,
}

/// A job to be stored and run.
#[model(default)]
pub struct NewJob {
    /// One of the declared kinds.
    pub kind: String,
    /// What its handler gets: at most 256 KiB as JSON. It is stored as it is: put no secret into it.
    pub input: Option<Json>,
    /// Not before this moment. Default: now.
    pub run_at: Option<DateTime<Utc>>,
    /// Not before this many seconds from now, instead of `run_at`.
    pub delay_seconds: Option<f64>,
    /// Instead of the kind's.
    pub queue: Option<String>,
    /// Instead of the kind's.
    pub priority: Option<i32>,
    /// Instead of the kind's.
    pub max_attempts: Option<i32>,
    /// Instead of the kind's.
    pub retry: Option<RetryPolicy>,
    /// Instead of the kind's.
    pub timeout_seconds: Option<f64>,
    /// Instead of the kind's.
    pub keep_seconds: Option<i64>,
    /// Instead of the kind's.
    pub announce: Option<bool>,
    /// How many of its key may run or start, over all processes.
    pub limit: Option<JobLimit>,
    /// There is only one of it.
    pub unique: Option<UniqueJob>,
}

/// How many jobs of one key may run at once, and how many may start in a time, over all processes of the installation. The newest
/// limit that was enqueued for a key holds for all its jobs.
#[model(default)]
pub struct JobLimit {
    /// What shares the limit, within the workspace: `google:account-1`.
    pub key: String,
    /// How many run at once, at least 1.
    pub max_running: Option<i32>,
    /// How many start in any `per_seconds`, at least 1.
    pub max_starts: Option<i32>,
    /// The time of `max_starts`, in seconds. Default: 1.
    pub per_seconds: Option<f64>,
}

/// What happens to a job that is there already.
#[model]
pub enum OnDuplicate {
    /// The new one is not stored.
    Skip,
    /// The new input and priority replace those of the waiting one, which keeps its time. One that runs is left alone, and the new one
    /// is stored beside it: give both a limit if they must not run at once.
    Replace,
    /// As `replace`, and the waiting one waits anew.
    Debounce,
}

/// How long a job stays the only one.
#[model]
pub enum UniqueUntil {
    /// Until an attempt starts.
    Started,
    /// Until it has ended for good.
    Ended,
}

/// Makes a job the only one of its kind and key in its workspace.
#[model(default)]
pub struct UniqueJob {
    /// What makes it the same job among those of its kind. Default: its input.
    pub key: Option<String>,
    /// What happens to the second one. Default: `skip`.
    pub on_duplicate: Option<OnDuplicate>,
    /// How long it stays the only one. Default: `ended`.
    pub until: Option<UniqueUntil>,
    /// At least this long after it was enqueued, in seconds, even when it has started or ended. It is not deleted before.
    pub for_seconds: Option<f64>,
}

/// What became of a new job.
#[model]
pub struct EnqueuedJob {
    /// The id of the job, or of the one that was there already.
    pub id: JobId,
    /// Whether it was there already.
    pub is_duplicate: bool,
}

/// Jobs that belong together.
#[model(default)]
pub struct NewBatch {
    /// The jobs; at least one.
    pub jobs: Vec<NewJob>,
    /// A job that runs when all of them have ended, whatever became of them.
    pub then: Option<NewJob>,
}

/// How far a batch has come.
#[model]
pub struct Batch {
    /// Its id; that of the job in `then`, if there is one.
    pub id: JobId,
    /// How many jobs it has.
    pub total: i64,
    /// How many have not ended.
    pub pending: i64,
    /// How many succeeded and are still kept, or were deleted at once.
    pub succeeded: i64,
    /// How many failed for good.
    pub failed: i64,
    /// How many were cancelled.
    pub cancelled: i64,
}

/// Where a job stands.
#[model]
pub enum JobState {
    /// It waits for the jobs of its batch.
    Held,
    /// It waits for its time: a later start, or the next attempt.
    Delayed,
    /// It waits for a worker.
    Waiting,
    /// A worker runs it.
    Running,
    /// Its handler returned.
    Succeeded,
    /// Its last attempt failed: a dead letter.
    Failed,
    /// It was cancelled.
    Cancelled,
    /// A worker died in a step that must not be repeated: somebody has to find out what became of it.
    InDoubt,
}

impl JobState {
    /// Whether it has ended for good.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// How far a job has come, as its handler says.
#[model]
pub struct JobProgress {
    /// How much is done.
    pub done: i64,
    /// Of how much, if that is known.
    pub total: Option<i64>,
    /// What it is doing, for people.
    pub note: Option<String>,
}

/// A job as it is stored.
#[model]
pub struct StoredJob {
    /// Its id.
    pub id: JobId,
    /// Its kind.
    pub kind: String,
    /// Its queue.
    pub queue: String,
    /// Where it stands.
    pub state: JobState,
    /// The higher number goes first.
    pub priority: i32,
    /// What it was enqueued with.
    pub input: Json,
    /// What its handler returned.
    pub output: Option<Json>,
    /// Why the last attempt failed, for programs.
    pub error_reason: Option<String>,
    /// Why the last attempt failed, for people.
    pub error_text: Option<String>,
    /// How many attempts were started.
    pub attempt: i32,
    /// How many there may be.
    pub max_attempts: i32,
    /// How far it has come.
    pub progress: Option<JobProgress>,
    /// Whether somebody asked to cancel it.
    pub is_cancel_requested: bool,
    /// On whose behalf it was enqueued.
    pub user_id: Option<UserId>,
    /// The batch it belongs to.
    pub batch_id: Option<JobId>,
    /// When it was enqueued.
    pub created_at: DateTime<Utc>,
    /// When it may start, or may start again.
    pub run_at: DateTime<Utc>,
    /// When the last attempt started.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended for good.
    pub finished_at: Option<DateTime<Utc>>,
}

/// Which jobs to list, newest first.
#[model(default)]
pub struct JobFilter {
    /// Only this state; `failed` are the dead letters.
    pub state: Option<JobState>,
    /// Only this kind.
    pub kind: Option<String>,
    /// Only this queue.
    pub queue: Option<String>,
    /// Only those of this batch.
    pub batch_id: Option<JobId>,
    /// How many at most on a page, 1 to 1000. Default: 100.
    pub page_size: Option<i32>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A page of jobs.
#[model]
pub struct JobPage {
    /// The jobs, newest first.
    pub items: Vec<StoredJob>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}

/// How many jobs of one kind stand where.
#[model]
pub struct JobCount {
    /// The queue.
    pub queue: String,
    /// The kind.
    pub kind: String,
    /// Where they stand.
    pub state: JobState,
    /// How many.
    pub count: i64,
    /// Since when the oldest of those that wait could have started: the latency of the queue.
    pub oldest: Option<DateTime<Utc>>,
}

/// A queue of the installation.
#[model]
pub struct QueueStatus {
    /// Its name.
    pub name: String,
    /// Whether its jobs are held back.
    pub is_paused: bool,
    /// How many jobs could start now.
    pub waiting: i64,
    /// How many wait for their time.
    pub delayed: i64,
    /// How many are running.
    pub running: i64,
    /// How many are dead letters.
    pub failed: i64,
    /// How long the oldest waiting job has been able to start, in seconds.
    pub latency_seconds: f64,
}

/// A process that runs jobs.
#[model]
pub struct WorkerStatus {
    /// The host's name for it.
    pub label: String,
    /// The queues it serves.
    pub queues: Vec<String>,
    /// How many jobs it runs at once.
    pub concurrency: i32,
    /// How many it is running.
    pub running: i64,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// Until when it is known to live.
    pub lease_until: DateTime<Utc>,
}

/// How a worker works.
#[model(default)]
pub struct WorkerOptions {
    /// How many jobs at once. Default: 10.
    pub concurrency: Option<i32>,
    /// Which queues. Default: those of the kinds it has handlers for.
    pub queues: Option<Vec<String>>,
    /// How long its jobs stay its own without a sign of life, in seconds. Default: 20; at least 1. A job of a worker that died is run
    /// again by another one within this time and two seconds.
    pub lease_seconds: Option<f64>,
    /// How often to look for jobs, should a notification get lost, in seconds. Default: 1.
    pub poll_seconds: Option<f64>,
    /// How long a handler may go on after it was told to end, in seconds. Default: 5.
    pub grace_seconds: Option<f64>,
    /// How long `stop` lets running jobs finish before it tells them to end, in seconds. Default: 30.
    pub drain_seconds: Option<f64>,
    /// How many jobs may be fetched in advance. Default: up to 1000, as long as they are done within a tenth of a second; 0 fetches only
    /// what can start at once.
    pub prefetch: Option<i32>,
    /// What to call it in lists. Default: its process id.
    pub label: Option<String>,
}
