//! How connections were used in a time.

use super::count::Used;
use super::store::{Range, Sums};
use super::upkeep::{DAYS_KEPT, hours_since};
use super::{OperationUsage, ProviderUsage, UsageBucket, UsageInterval, UsageQuery, UsageReport};
use crate::atom::Inner;
use crate::{ConnectionId, Error, Result, UserId, WorkspaceId, tally};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use std::collections::BTreeMap;
use std::sync::Arc;

const MOST_OPERATIONS: i64 = 50;
const MOST_PROVIDERS: i64 = 500;

/// Whose connections a report is about.
#[derive(Clone, Copy)]
pub(in crate::connect) enum Whose {
    Connection(ConnectionId),
    User(UserId),
    Everybody,
}

pub(in crate::connect) async fn run(
    inner: &Arc<Inner>,
    workspace: WorkspaceId,
    whose: Whose,
    query: UsageQuery,
) -> Result<UsageReport> {
    let (span, since, until) = times(&query, inner.now())?;
    tally::flush::<Used>(inner).await?;
    let (db, range) = (inner.db()?, Range { workspace, whose, since, until });
    let mut totals = Sums::default();
    let mut series: BTreeMap<DateTime<Utc>, Sums> = BTreeMap::new();
    for bucket in range.series(db).await? {
        let starts_at = floor(bucket.starts_at.0, span)?;
        series.entry(starts_at).or_default().add(&bucket.sums());
        totals.add(&bucket.sums());
    }
    let operations = range.operations(db, MOST_OPERATIONS).await?.into_iter().map(|row| {
        let counts = row.sums().shown();
        OperationUsage { provider: row.provider, operation: row.operation, counts }
    });
    let providers = range.providers(db, MOST_PROVIDERS).await?.into_iter().map(|row| {
        let counts = row.sums().shown();
        ProviderUsage { provider: row.provider, user_id: UserId(row.user_id), counts }
    });
    Ok(UsageReport {
        since,
        until,
        totals: totals.shown(),
        series: series.into_iter().map(|(starts_at, sums)| UsageBucket { starts_at, counts: sums.shown() }).collect(),
        operations: operations.collect(),
        providers: providers.collect(),
    })
}

/// How long a bucket is, and when the first one begins and the last one ends.
fn times(query: &UsageQuery, now: DateTime<Utc>) -> Result<(TimeDelta, DateTime<Utc>, DateTime<Utc>)> {
    let (span, usual) = match query.by.unwrap_or(UsageInterval::Day) {
        UsageInterval::Hour => (TimeDelta::hours(1), TimeDelta::hours(24)),
        UsageInterval::Day => (TimeDelta::days(1), TimeDelta::days(30)),
    };
    let until = query.until.unwrap_or(now);
    let since = query.since.unwrap_or(until - usual);
    if since >= until {
        return Err(malformed("`since` is a moment before `until`"));
    }
    if until - since > TimeDelta::days(DAYS_KEPT) {
        return Err(malformed("a report is about 400 days at most: that is how long uses are kept"));
    }
    let since = floor(since, span)?;
    if span < TimeDelta::days(1) && since < hours_since(now) {
        return Err(malformed("hours are kept for seven days: ask for an older time by days"));
    }
    let last = floor(until, span)?;
    let until = if last == until { last } else { last + span };
    Ok((span, since, until))
}

fn floor(at: DateTime<Utc>, span: TimeDelta) -> Result<DateTime<Utc>> {
    at.duration_trunc(span).map_err(|_| malformed("the time is too far from now"))
}

fn malformed(text: &str) -> Error {
    Error::invalid("malformed_usage_query", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).expect("a moment").to_utc()
    }

    #[test]
    fn a_report_is_about_whole_hours_or_days() {
        let now = at("2026-11-21T10:20:30Z");
        let asked = |by, since: Option<&str>, until: Option<&str>| {
            let query = UsageQuery { by, since: since.map(at), until: until.map(at) };
            times(&query, now).map(|(_, since, until)| (since, until)).map_err(|e| e.reason())
        };
        let (hour, day) = (Some(UsageInterval::Hour), Some(UsageInterval::Day));
        assert_eq!(asked(None, None, None), Ok((at("2026-10-22T00:00:00Z"), at("2026-11-22T00:00:00Z"))));
        assert_eq!(asked(hour, None, None), Ok((at("2026-11-20T10:00:00Z"), at("2026-11-21T11:00:00Z"))));
        let exact = (at("2026-11-20T00:00:00Z"), at("2026-11-21T00:00:00Z"));
        for by in [hour, day] {
            assert_eq!(asked(by, Some("2026-11-20T00:00:00Z"), Some("2026-11-21T00:00:00Z")), Ok(exact));
        }
        // The day that was seven days ago still has its hours.
        assert!(asked(hour, Some("2026-11-14T00:00:00Z"), None).is_ok());
        let wrong = [
            (hour, "2026-11-13T23:59:59Z", None),
            (day, "2025-10-17T10:20:29Z", None),
            (day, "2026-11-21T10:20:30Z", None),
            (day, "1066-10-14T09:00:00Z", Some("1066-10-15T00:00:00Z")),
        ];
        for (by, since, until) in wrong {
            assert_eq!(asked(by, Some(since), until), Err("malformed_usage_query"), "{since}");
        }
    }
}
