//! What the usage reports take and return.

use crate::UserId;
use atom_macros::model;
use chrono::{DateTime, Utc};

/// How finely a report is divided.
#[model]
pub enum UsageInterval {
    /// By hours. They are kept for seven days, and are days from then on.
    Hour,
    /// By days, in UTC. They are kept for 400 days.
    Day,
}

/// Which time a report is about, and how finely it is divided.
#[model(default)]
pub struct UsageQuery {
    /// From when; the hour or day that it falls into is the first. Default: 24 hours or 30 days before `until`.
    pub since: Option<DateTime<Utc>>,
    /// Until when; the hour or day that it falls into is the last. Default: now.
    pub until: Option<DateTime<Utc>>,
    /// Hours or days. Default: days.
    pub by: Option<UsageInterval>,
}

/// How calls failed, by the provider's last answer. An answer that a caller of `request` got with an error status counts too.
#[model]
pub struct UsageFailures {
    /// All of them.
    pub total: i64,
    /// The credential was refused (401 or 403), or the connection is to be connected again.
    pub unauthorized: i64,
    /// The provider asked for patience (429, or what its manifest says means the same).
    pub rate_limited: i64,
    /// Any other status from 400 to 499.
    pub refused: i64,
    /// The provider has a fault: a status from 500 on, or an answer that is none.
    pub provider_faults: i64,
    /// It was not reached, did not answer in time, or was left alone after faults.
    pub unreachable: i64,
}

/// What was counted. What is refused before anything is sent, such as a URL at another host, is not.
#[model]
pub struct UsageCounts {
    /// How many calls were made: operations, `request`s, and tokens that were handed out.
    pub calls: i64,
    /// How many of them failed.
    pub failures: UsageFailures,
    /// How often a request was sent once more within a call: with a new token, or after a failure.
    pub retries: i64,
    /// How long the calls took together, in milliseconds, with waiting and repeating.
    pub milliseconds: i64,
    /// The bodies that were sent, in bytes, each as often as it was sent.
    pub bytes_sent: i64,
    /// The bodies of the answers that callers got, in bytes.
    pub bytes_received: i64,
}

/// One hour or day of a report.
#[model]
pub struct UsageBucket {
    /// When it began.
    pub starts_at: DateTime<Utc>,
    /// What was counted in it.
    pub counts: UsageCounts,
}

/// One of the operations of a report.
#[model]
pub struct OperationUsage {
    /// The provider.
    pub provider: String,
    /// The vendor's own name of the call, such as `drive.files.list`; `raw` for `Connection.request`, `export` for an access token that was
    /// handed out.
    pub operation: String,
    /// What was counted of it.
    pub counts: UsageCounts,
}

/// What one user did at one provider.
#[model]
pub struct ProviderUsage {
    /// The provider.
    pub provider: String,
    /// Whose connections they were.
    pub user_id: UserId,
    /// What was counted.
    pub counts: UsageCounts,
}

/// How connections were used. What other processes have counted may come a few seconds late.
#[model]
pub struct UsageReport {
    /// When the first hour or day begins.
    pub since: DateTime<Utc>,
    /// When the last one ends.
    pub until: DateTime<Utc>,
    /// Everything together.
    pub totals: UsageCounts,
    /// The hours or days in which there were calls, oldest first.
    pub series: Vec<UsageBucket>,
    /// The operations with the most calls, at most 50.
    pub operations: Vec<OperationUsage>,
    /// Providers and users, those with the most calls first, at most 500.
    pub providers: Vec<ProviderUsage>,
}
