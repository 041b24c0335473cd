//! Where the time comes from.

use chrono::{DateTime, Utc};

/// The source of the current time; tests bring their own.
///
/// ```
/// use atom_core::Clock;
/// use chrono::{DateTime, Utc};
///
/// struct Stopped(DateTime<Utc>);
///
/// impl Clock for Stopped {
///     fn now(&self) -> DateTime<Utc> {
///         self.0
///     }
/// }
/// ```
pub trait Clock: Send + Sync + 'static {
    /// The current moment.
    fn now(&self) -> DateTime<Utc>;
}

/// The clock of the operating system.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}
