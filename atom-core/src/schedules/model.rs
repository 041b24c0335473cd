//! What the schedules API takes and returns.

use super::MissedRuns;
use crate::{NewJob, UserId};
use atom_macros::model;
use chrono::{DateTime, Utc};

/// When a schedule fires.
#[model]
pub enum ScheduleRule {
    /// When the clock of a time zone shows a fitting time. A time that the clock skips in spring fires at the first moment after the gap; one
    /// that it repeats in autumn fires once, unless the minute or the hour is a `*`.
    Cron {
        /// Minute, hour, day of month, month and day of week; a second may stand before them. Or `@hourly`, `@daily`, `@weekly`, `@monthly`,
        /// `@yearly`.
        expression: String,
        /// An IANA name, such as `Europe/Berlin`. Default: `UTC`.
        time_zone: Option<String>,
    },
    /// Every so many seconds, whatever the clocks do.
    Every {
        /// At least 1.
        seconds: i64,
        /// When for the first time. Default: one interval after the schedule was made.
        start_at: Option<DateTime<Utc>>,
    },
    /// Once.
    Once {
        /// When.
        at: DateTime<Utc>,
    },
}

/// A schedule to be stored.
#[model]
pub struct NewSchedule {
    /// Its name in the workspace, 1 to 200 bytes. A schedule of that name is replaced.
    pub name: String,
    /// When it fires.
    pub rule: ScheduleRule,
    /// What it enqueues. Its `run_at` is the moment that fired. Make it `unique` to let no two of them overlap.
    pub job: NewJob,
    /// What becomes of moments that passed while no worker was running. Default: `one`.
    pub missed: Option<MissedRuns>,
}

/// A schedule as it is stored.
#[model]
pub struct Schedule {
    /// Its name.
    pub name: String,
    /// When it fires.
    pub rule: ScheduleRule,
    /// What it enqueues.
    pub job: NewJob,
    /// What becomes of moments that passed while no worker was running.
    pub missed: MissedRuns,
    /// On whose behalf it enqueues.
    pub user_id: Option<UserId>,
    /// When it fires next; none if it never does again.
    pub next_at: Option<DateTime<Utc>>,
    /// The last moment that fired.
    pub last_at: Option<DateTime<Utc>>,
    /// Whether it is held back.
    pub is_paused: bool,
    /// When it was first stored.
    pub created_at: DateTime<Utc>,
}
