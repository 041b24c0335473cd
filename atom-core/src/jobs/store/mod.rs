//! The SQL of jobs. Lists of rows go in as one JSON text, so that a thousand of them are one statement on either engine.

mod claim;
mod finish;
mod insert;
mod inspect;
mod literal;
mod steps;
mod upkeep;

pub(super) use claim::{Claimed, PAGE, Place, Share, claim, lanes, limits, next_opening, note_starts, workspaces};
pub(super) use finish::{Ended, Outcome, completed, delete, finish, release_parent};
pub(super) use insert::{NewRun, insert, insert_all, open_limit, statement};
#[cfg(feature = "testing")]
pub(super) use inspect::has_work;
pub(crate) use inspect::of_user;
pub(super) use inspect::{batch, cancel, counts, get, go_on, has_ended, list, queues, replay, replay_all, workers};
pub(super) use steps::{Step, StepConn, begin_step, complete, completion, record_step, report, settle_step, step, step_names};
pub(super) use upkeep::{
    beat, cancelled, delete_old, forget, forgotten_parents, give_back, has_orphans, held_by, next_due, pause, promote_if_due,
    reap, register, resume,
};
pub(crate) use upkeep::{forget_user, forget_workspace};

use chrono::{DateTime, Utc};

/// A moment as both engines take it from JSON.
fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

/// On PostgreSQL, a moment from microseconds in JSON.
macro_rules! moment {
    ($micros:literal) => {
        concat!("(timestamptz 'epoch' + ", $micros, " * interval '1 microsecond')")
    };
}
use moment;
