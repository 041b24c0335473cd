//! The kinds that the installation knows, and what a new job becomes with their defaults.

use super::store::NewRun;
use super::{JobKind, JobLimit, JobState, NewJob, OnDuplicate, RetryPolicy, UniqueJob, UniqueUntil, retry};
use crate::{Error, JobId, Json, Result, UserId, WorkspaceId};
use chrono::{DateTime, Datelike, Utc};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};

/// The largest input and output of a job.
pub(super) const LARGEST: usize = 256 * 1024;
/// How deep values may be nested. What is deeper than 127 could be written and never be read again.
const DEEPEST: usize = 100;
/// The default of `keep_seconds`.
pub(super) const KEPT: i64 = 86400;
/// How long jobs that failed or were cancelled are kept, at least.
pub(super) const KEPT_FAILED: i64 = 30 * 86400;
const QUEUE: &str = "default";
/// The default of `max_attempts`.
const ATTEMPTS: i32 = 5;

/// The declared kinds, by name.
#[derive(Default)]
pub(crate) struct Kinds(HashMap<String, JobKind>);

impl Kinds {
    /// Those of the host, and those that Atom itself uses.
    pub(crate) fn new(declared: Vec<JobKind>, own: Vec<JobKind>) -> Result<Self> {
        let mut kinds = HashMap::new();
        for kind in &declared {
            check_name(&kind.name)?;
            if kind.name.starts_with("atom.") {
                return Err(Error::invalid(
                    "malformed_job_kind",
                    "kinds that start with `atom.` are Atom's own: choose another name",
                ));
            }
        }
        for kind in declared.into_iter().chain(own) {
            check_queue(kind.queue.as_deref())?;
            check_numbers(kind.max_attempts, kind.timeout_seconds, kind.keep_seconds)?;
            kind.retry.as_ref().map_or(Ok(()), retry::check)?;
            if let Some(twice) = kinds.insert(kind.name.clone(), kind) {
                return Err(Error::invalid("malformed_job_kind", format!("the job kind `{}` is declared twice", twice.name)));
            }
        }
        Ok(Self(kinds))
    }

    pub(super) fn get(&self, name: &str) -> Result<&JobKind> {
        self.0.get(name).ok_or_else(|| {
            let text = format!("there is no job kind `{name}`: declare it in `job_kinds` when the installation is opened");
            Error::invalid("unknown_job_kind", text)
        })
    }

    /// The queue of a kind.
    pub(super) fn queue(&self, name: &str) -> Result<&str> {
        Ok(self.get(name)?.queue.as_deref().unwrap_or(QUEUE))
    }

    /// How a kind is retried.
    pub(super) fn retry(&self, name: &str) -> RetryPolicy {
        self.0.get(name).and_then(|kind| kind.retry.clone()).unwrap_or_default()
    }

    /// A new job, checked and with the defaults of its kind.
    pub(crate) fn filled(&self, mut job: NewJob) -> Result<NewJob> {
        let kind = self.get(&job.kind)?;
        check_queue(job.queue.as_deref())?;
        check_numbers(job.max_attempts, job.timeout_seconds, job.keep_seconds)?;
        job.retry.as_ref().map_or(Ok(()), retry::check)?;
        job.limit.as_ref().map_or(Ok(()), check_limit)?;
        job.unique.as_ref().map_or(Ok(()), check_unique)?;
        check_value(job.input.get_or_insert_default(), "input")?;
        if job.run_at.is_some() && job.delay_seconds.is_some() {
            return Err(Error::invalid("malformed_job", "give `run_at` or `delay_seconds`, not both"));
        }
        // PostgreSQL takes later moments than chrono does, and hands them back.
        if job.run_at.is_some_and(|at| at.year() > 9999) {
            return Err(Error::invalid("malformed_job", "`run_at` is in the year 9999 at the latest"));
        }
        if job.delay_seconds.is_some_and(|delay| !(0.0..=3.2e7).contains(&delay)) {
            return Err(Error::invalid("malformed_job", "`delay_seconds` is between 0 and a year"));
        }
        job.queue = job.queue.or_else(|| kind.queue.clone()).or_else(|| Some(QUEUE.into()));
        job.priority = job.priority.or(kind.priority);
        job.max_attempts = job.max_attempts.or(kind.max_attempts).or(Some(ATTEMPTS));
        job.timeout_seconds = job.timeout_seconds.or(kind.timeout_seconds);
        job.keep_seconds = job.keep_seconds.or(kind.keep_seconds).or(Some(KEPT));
        job.announce = job.announce.or(kind.announce);
        Ok(job)
    }
}

/// The row of a job that has its defaults.
pub(super) fn row(workspace: WorkspaceId, user: Option<UserId>, job: NewJob, now: DateTime<Utc>) -> NewRun {
    let input = job.input.unwrap_or_default();
    let delay = retry::seconds(job.delay_seconds.unwrap_or_default());
    let run_at = job.run_at.map_or(now + delay, |at| at.max(DateTime::UNIX_EPOCH));
    // A job that is the only one for a time keeps others away with its row, which must not be deleted at once.
    let least = i64::from(job.unique.as_ref().is_some_and(|unique| unique.for_seconds.is_some()));
    NewRun {
        workspace,
        id: JobId::generate(),
        shape: "job",
        queue: job.queue.unwrap_or_else(|| QUEUE.into()),
        lane: job.limit.as_ref().map_or(0, |limit| lane(&limit.key)),
        limit: job.limit,
        state: if run_at > now { JobState::Delayed } else { JobState::Waiting },
        priority: job.priority.unwrap_or_default(),
        run_at,
        max_attempts: job.max_attempts.unwrap_or(ATTEMPTS),
        retry: job.retry,
        #[allow(clippy::cast_possible_truncation)] // at most a year
        timeout_ms: job.timeout_seconds.map(|seconds| (seconds * 1000.0).ceil() as i64),
        keep_seconds: job.keep_seconds.unwrap_or(KEPT).max(least),
        announce: job.announce.unwrap_or_default(),
        unique: job.unique.map(|unique| Unique::of(unique, &job.kind, &input, now)),
        kind: job.kind,
        input,
        parent: None,
        children: None,
        user,
        created_at: now,
    }
}

/// What makes a job the only one.
#[derive(Clone)]
pub(super) struct Unique {
    pub(super) key: [u8; 32],
    pub(super) on_duplicate: OnDuplicate,
    pub(super) until: UniqueUntil,
    pub(super) expires: Option<DateTime<Utc>>,
}

impl Unique {
    fn of(unique: UniqueJob, kind: &str, input: &Json, now: DateTime<Utc>) -> Self {
        let key = match unique.key {
            Some(key) => crate::crypto::length_prefixed([&b"key"[..], kind.as_bytes(), key.as_bytes()]),
            None => crate::crypto::length_prefixed([&b"input"[..], kind.as_bytes(), canonical(&input.0).as_bytes()]),
        };
        Self {
            key: Sha256::digest(key).into(),
            on_duplicate: unique.on_duplicate.unwrap_or(OnDuplicate::Skip),
            until: unique.until.unwrap_or(UniqueUntil::Ended),
            expires: unique.for_seconds.map(|seconds| now + retry::seconds(seconds)),
        }
    }
}

/// The number that stands for a limit's key in the rows of its jobs.
pub(super) fn lane(key: &str) -> i64 {
    let hash = Sha256::digest(key.as_bytes());
    let (first, _) = hash.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
    (i64::from_be_bytes(*first) & i64::MAX).max(1)
}

fn check_limit(limit: &JobLimit) -> Result<()> {
    let malformed = |text| Err(Error::invalid("malformed_limit", text));
    if limit.key.is_empty() || limit.key.len() > 500 || limit.key.contains('\0') {
        return malformed("the key of a limit has between 1 and 500 bytes, none of them U+0000");
    }
    if limit.max_running.is_none() && limit.max_starts.is_none() {
        return malformed("a limit says how many may run (`max_running`) or start (`max_starts`)");
    }
    if limit.max_running.is_some_and(|max| max < 1) || limit.max_starts.is_some_and(|max| max < 1) {
        return malformed("a limit lets at least 1 run or start: pause the queue instead of a limit of 0");
    }
    if limit.per_seconds.is_some_and(|per| !(0.001..=3.2e6).contains(&per)) {
        return malformed("`per_seconds` is between a millisecond and a month");
    }
    Ok(())
}

fn check_unique(unique: &UniqueJob) -> Result<()> {
    if unique.key.as_ref().is_some_and(|key| key.is_empty() || key.len() > 500) {
        return Err(Error::invalid("malformed_unique_key", "a unique key has between 1 and 500 bytes"));
    }
    if unique.for_seconds.is_some_and(|seconds| !(0.0..=3.2e7).contains(&seconds)) {
        return Err(Error::invalid("malformed_unique_key", "`for_seconds` is between 0 and a year"));
    }
    Ok(())
}

fn check_numbers(max_attempts: Option<i32>, timeout: Option<f64>, keep: Option<i64>) -> Result<()> {
    let malformed = |text| Err(Error::invalid("malformed_job", text));
    if max_attempts.is_some_and(|max| max < 1) {
        return malformed("`max_attempts` is at least 1");
    }
    if timeout.is_some_and(|seconds| !(0.001..=3.2e7).contains(&seconds)) {
        return malformed("`timeout_seconds` is between a millisecond and a year");
    }
    if keep.is_some_and(|seconds| !(0..=3_200_000_000).contains(&seconds)) {
        return malformed("`keep_seconds` is between 0 and a century");
    }
    Ok(())
}

/// Refuses what cannot be stored, or not well.
pub(super) fn check_value(value: &Json, what: &str) -> Result<()> {
    if is_deeper(&value.0, DEEPEST) {
        let text = format!("the {what} of a job is nested more than {DEEPEST} levels deep: flatten it, or pass it as text");
        return Err(Error::invalid("malformed_job", text));
    }
    if has_nul(&value.0) {
        let text = format!("the {what} of a job holds the character U+0000, which PostgreSQL cannot store: leave it out");
        return Err(Error::invalid("malformed_job", text));
    }
    let size = value.0.to_string().len();
    if size > LARGEST {
        let text = format!("the {what} of a job has {size} bytes, more than {LARGEST}: store it elsewhere and pass its id");
        return Err(Error::invalid("job_too_large", text));
    }
    Ok(())
}

fn is_deeper(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(_) | Value::Object(_) if levels == 0 => true,
        Value::Array(items) => items.iter().any(|item| is_deeper(item, levels - 1)),
        Value::Object(members) => members.values().any(|item| is_deeper(item, levels - 1)),
        _ => false,
    }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(members) => members.iter().any(|(name, item)| name.contains('\0') || has_nul(item)),
        _ => false,
    }
}

/// JSON with the names of objects in order, so that equal values have equal texts.
fn canonical(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::Object(members) => {
            let sorted: BTreeMap<_, _> = members.iter().collect();
            let member = |(name, item): (&String, &Value)| format!("{}:{}", Value::from(name.as_str()), canonical(item));
            format!("{{{}}}", sorted.into_iter().map(member).collect::<Vec<_>>().join(","))
        }
        plain => plain.to_string(),
    }
}

fn check_name(name: &str) -> Result<()> {
    let word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    if name.len() <= 100 && name.split('.').all(word) {
        return Ok(());
    }
    let text = "a job kind is lower-case words, digits and underscores, separated by points, such as `email.send`";
    Err(Error::invalid("malformed_job_kind", text))
}

pub(super) fn check_queue(queue: Option<&str>) -> Result<()> {
    if queue.is_none_or(|queue| !queue.is_empty() && queue.len() <= 100 && !queue.contains('\0')) {
        return Ok(());
    }
    Err(Error::invalid("malformed_queue", "the name of a queue has between 1 and 100 bytes, none of them U+0000"))
}
