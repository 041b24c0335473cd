//! Key management at the pace of a test.

use crate::crypto::{Bounds, Tuning};
use crate::keys::COLUMNS;
use crate::{Atom, Result, Scope, Secret, accounts};
use chrono::TimeDelta;
use std::time::Duration;

/// How fast keys change, and how much they seal.
pub struct KeyPace {
    /// How long a process goes on sealing under a data key that was the newest when it looked. In production: 10 seconds.
    pub look: Duration,
    /// How long nothing may have named an older data key before it is destroyed. In production: a day.
    pub quiet: TimeDelta,
    /// From how many seals on a data key counts as worn. In production: 2^28.
    pub worn_at: i64,
    /// After how many seals a data key seals no more. In production: 2^32.
    pub exhausted_at: i64,
}

impl Default for KeyPace {
    fn default() -> Self {
        let Tuning { look, quiet, bounds } = Tuning::default();
        Self { look, quiet, worn_at: bounds.warning, exhausted_at: bounds.refusal }
    }
}

/// Changes the pace of an open installation, in this process.
pub fn pace_keys(atom: &Atom, pace: &KeyPace) {
    let bounds = Bounds {
        warning: pace.worn_at,
        refusal: pace.exhausted_at,
        first_block: Bounds::default().first_block.min(pace.worn_at).max(1),
        ..Bounds::default()
    };
    atom.inner().keys.tune(Tuning { look: pace.look, quiet: pace.quiet, bounds });
}

/// Gives the user of a scope so many sessions, each with a sealed key of its own, and returns their refresh tokens.
///
/// # Errors
/// Those of the database and of the key ring.
pub async fn fill_sessions(atom: &Atom, scope: &Scope, count: usize) -> Result<Vec<Secret>> {
    accounts::fill_sessions(&atom.inner(), &scope.principal(), count).await
}

/// Every table and column of sealed records that a rotation takes over.
pub fn sealed_columns() -> Vec<(&'static str, &'static str)> {
    COLUMNS.iter().map(|column| (column.table, column.column)).collect()
}
