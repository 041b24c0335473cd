//! The options of a worker, checked and with their defaults.

use crate::jobs::kinds::check_queue;
use crate::jobs::{Handler, Kinds, WorkerOptions};
use crate::{Error, Result};
use std::collections::HashMap;
use std::time::Duration;

pub(super) struct Settings {
    pub(super) concurrency: i32,
    pub(super) kinds: Vec<String>,
    pub(super) queues: Vec<String>,
    pub(super) lease: Duration,
    pub(super) poll: Duration,
    pub(super) grace: Duration,
    pub(super) drain: Duration,
    /// How many jobs may be fetched in advance.
    pub(super) prefetch: usize,
    pub(super) label: String,
}

impl Settings {
    pub(super) fn new(declared: &Kinds, handlers: &HashMap<String, Handler>, options: WorkerOptions) -> Result<Self> {
        let kinds: Vec<String> = handlers.keys().cloned().collect();
        let mut queues = options.queues.unwrap_or_default();
        queues.iter().try_for_each(|queue| check_queue(Some(queue)))?;
        let all = queues.is_empty();
        for kind in &kinds {
            let queue = declared.queue(kind)?.to_owned();
            // Atom's own work is done wherever there is a worker.
            if all || kind.starts_with("atom.") {
                queues.push(queue);
            }
        }
        queues.sort();
        queues.dedup();
        let concurrency = options.concurrency.unwrap_or(10);
        if !(1..=10_000).contains(&concurrency) {
            return Err(Error::invalid("malformed_option", "`concurrency` is between 1 and 10000"));
        }
        let prefetch = options.prefetch.unwrap_or(1000);
        if options.label.as_ref().is_some_and(|label| label.contains('\0')) {
            return Err(Error::invalid("malformed_option", "`label` does not hold the character U+0000"));
        }
        Ok(Self {
            concurrency,
            kinds,
            queues,
            lease: seconds(options.lease_seconds, 20.0, 1.0, "lease_seconds")?,
            poll: seconds(options.poll_seconds, 1.0, 0.001, "poll_seconds")?,
            grace: seconds(options.grace_seconds, 5.0, 0.0, "grace_seconds")?,
            drain: seconds(options.drain_seconds, 30.0, 0.0, "drain_seconds")?,
            prefetch: usize::try_from(prefetch)
                .ok()
                .filter(|ahead| *ahead <= 100_000)
                .ok_or_else(|| Error::invalid("malformed_option", "`prefetch` is between 0 and 100000"))?,
            label: options.label.unwrap_or_else(|| format!("process {}", std::process::id())),
        })
    }
}

fn seconds(given: Option<f64>, default: f64, least: f64, name: &str) -> Result<Duration> {
    let value = given.unwrap_or(default);
    if !(least..=86400.0).contains(&value) {
        return Err(Error::invalid("malformed_option", format!("`{name}` is between {least} and 86400 seconds")));
    }
    Ok(Duration::from_secs_f64(value))
}
