//! How long sessions last.

use crate::config::OpenOptions;
use crate::{Error, Result};
use chrono::{DateTime, TimeDelta, Utc};

/// How long sessions of this installation last.
#[derive(Clone, Copy)]
pub(crate) struct SessionSettings {
    /// A session that nobody refreshes for so long is over.
    idle: TimeDelta,
    /// A session is over after this time, however often it is refreshed.
    longest: TimeDelta,
    /// How long a refresh token gives the same answer after its first use, whatever became of that answer.
    pub(super) grace: TimeDelta,
}

impl SessionSettings {
    /// Fails with `invalid` (`malformed_option`).
    pub(crate) fn new(options: &OpenOptions) -> Result<Self> {
        let days = |name: &str, days: Option<i32>, default| {
            let days = days.unwrap_or(default);
            let text = format!("{name} is between 1 and 3650");
            if (1..=3650).contains(&days) {
                Ok(TimeDelta::days(days.into()))
            } else {
                Err(Error::invalid("malformed_option", text))
            }
        };
        let grace = options.refresh_grace_seconds.unwrap_or(30);
        if !(0..=600).contains(&grace) {
            return Err(Error::invalid("malformed_option", "refresh_grace_seconds is between 0 and 600"));
        }
        Ok(Self {
            idle: days("session_idle_days", options.session_idle_days, 30)?,
            longest: days("session_max_days", options.session_max_days, 180)?,
            grace: TimeDelta::seconds(grace.into()),
        })
    }

    /// When a session ends that begins now, however often it is refreshed.
    pub(super) fn ends_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now + self.longest
    }

    /// When a session ends that was last refreshed then, and must end at `ends_at`.
    pub(super) fn expires_at(&self, refreshed_at: DateTime<Utc>, ends_at: DateTime<Utc>) -> DateTime<Utc> {
        ends_at.min(refreshed_at + self.idle)
    }

    /// The sessions that were refreshed before this are over.
    pub(super) fn idle_since(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now - self.idle
    }
}
