//! How connections are used: by whom, for what, how often in vain, and how long it took.
//!
//! A [`Meter`] goes along with each call and counts it in memory, per connection, operation and hour ([`count`]); the counts are stored a moment
//! later. Hours become days after a week, and days are kept for 400 days ([`upkeep`]). [`report`] reads both.

mod count;
mod model;
mod report;
mod store;
mod upkeep;

pub(super) use count::RAW;
pub(crate) use count::{Meter, Used};
pub use model::{OperationUsage, ProviderUsage, UsageBucket, UsageCounts, UsageFailures, UsageInterval, UsageQuery, UsageReport};
pub(super) use report::{Whose, run};
pub(crate) use upkeep::CHORE;
