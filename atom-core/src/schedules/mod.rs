//! Schedules: when work comes due, again and again.

mod recurrence;

pub use recurrence::MissedRuns;
pub(crate) use recurrence::{Due, Recurrence};
