//! When a schedule fires: pure arithmetic on moments, without a clock and without a database.
//!
//! A [`Recurrence`] is a cron expression in a time zone, an interval from an anchor, or one moment. Intervals count real seconds, so
//! no change of clocks moves them. A cron expression speaks of the clock on the wall, which skips and repeats times where a zone
//! changes its offset. The rules there are those of Vixie cron:
//!
//! - An expression that names its times (no `*` in its minute and hour fields) fires once for each of them. A time that is skipped in
//!   spring fires at the first moment after the gap: `30 2 * * *` at 03:00. A time that is repeated in autumn fires the first time only.
//! - An expression with `*` or `*/n` in its minute or hour field means "as time goes by": it fires whenever the clock shows a fitting
//!   time, in both of two repeated hours and not at all in a skipped one.
//!
//! Days of the month and days of the week are joined by *or* when both are given, by *and* when one of them begins with `*`.

use crate::{Error, Result};
use chrono::{DateTime, MappedLocalTime, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

/// The longest cron expression, in characters.
const MAX_EXPRESSION: usize = 256;
/// The longest interval: ten years, in seconds.
const MAX_INTERVAL: i64 = 3650 * 24 * 3600;
/// An occurrence that came due so recently was not missed: workers look every few seconds, not all the time.
const ON_TIME: TimeDelta = TimeDelta::minutes(1);

/// What becomes of occurrences that passed while no worker was running.
#[atom_macros::model]
pub enum MissedRuns {
    /// They are left out: only an occurrence that is due right now fires.
    Skip,
    /// However many passed, the schedule fires once, for the newest of them.
    One,
    /// Each of them fires, the oldest first.
    All,
}

/// A rule that says when a schedule fires.
#[derive(Clone, Debug)]
pub(crate) enum Recurrence {
    Cron { cron: Box<Cron>, zone: Tz, names_its_times: bool },
    Every { seconds: i64, anchor: DateTime<Utc> },
    Once(DateTime<Utc>),
}

/// Which occurrences are to be fired now.
#[derive(Debug, PartialEq)]
pub(crate) struct Due {
    /// Oldest first.
    pub(crate) occurrences: Vec<DateTime<Utc>>,
    /// What to pass as `last` the next time: everything up to here has been dealt with.
    pub(crate) through: DateTime<Utc>,
}

impl Recurrence {
    /// A cron expression of five fields (minute, hour, day of month, month, day of week) or six (a second first), or one of `@hourly`,
    /// `@daily`, `@weekly`, `@monthly`, `@yearly`; read in an IANA time zone, UTC if none is given.
    ///
    /// Fails with `invalid` (`malformed_cron`, `cron_never_fires`, `unknown_time_zone`).
    pub(crate) fn cron(expression: &str, zone: Option<&str>) -> Result<Self> {
        let malformed = |text: String| Error::invalid("malformed_cron", text);
        let fields = written_out(expression.trim());
        let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
        if !(5..=6).contains(&fields.len()) || expression.len() > MAX_EXPRESSION {
            let text = format!(
                "the cron expression has {} fields: write minute, hour, day of month, month and day of week, or a second before them",
                fields.len()
            );
            return Err(malformed(text));
        }
        let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
        let cron = parser.parse(&fields.join(" "));
        let cron = cron.map_err(|e| malformed(format!("the cron expression cannot be read: {e}")).with_source(e))?;
        let zone = zone.unwrap_or("UTC");
        let zone: Tz = zone.parse().map_err(|_| {
            Error::invalid("unknown_time_zone", "there is no such time zone: use an IANA name such as `Europe/Berlin`, or `UTC`")
        })?;
        let clock = &fields[fields.len() - 5..][..2];
        let rule = Self::Cron { cron: Box::new(cron), zone, names_its_times: !clock.iter().any(|field| field.contains('*')) };
        // The calendar repeats after 400 years: what does not fire after this moment never does.
        if rule.next_after(DateTime::UNIX_EPOCH).is_none() {
            return Err(Error::invalid("cron_never_fires", "no day fits the cron expression: compare its day with its month"));
        }
        Ok(rule)
    }

    /// Every so many seconds, at `anchor` and from then on.
    ///
    /// Fails with `invalid` (`malformed_interval`).
    pub(crate) fn every(seconds: i64, anchor: DateTime<Utc>) -> Result<Self> {
        if !(1..=MAX_INTERVAL).contains(&seconds) {
            return Err(Error::invalid("malformed_interval", "an interval is between one second and ten years"));
        }
        Ok(Self::Every { seconds, anchor })
    }

    /// Once, at a moment.
    pub(crate) fn once(at: DateTime<Utc>) -> Self {
        Self::Once(at)
    }

    /// The first occurrence after a moment; none if there is no other.
    pub(crate) fn next_after(&self, moment: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Cron { cron, zone, names_its_times: true } => next_named(cron, *zone, moment),
            Self::Cron { cron, zone, .. } => {
                Some(cron.find_next_occurrence(&moment.with_timezone(zone), false).ok()?.with_timezone(&Utc))
            }
            Self::Every { anchor, .. } if moment < *anchor => Some(*anchor),
            Self::Every { seconds, anchor } => {
                let rounds = (moment - anchor).num_seconds() / seconds + 1;
                anchor.checked_add_signed(TimeDelta::try_seconds(rounds.checked_mul(*seconds)?)?)
            }
            Self::Once(at) => Some(*at).filter(|at| *at > moment),
        }
    }

    /// Which occurrences to fire at `now` if everything up to `last` has been dealt with: those that came due within the last minute,
    /// and of older ones what the policy says. At most `cap` are given at once; call again with [`Due::through`] for the next ones.
    pub(crate) fn due(&self, last: DateTime<Utc>, now: DateTime<Utc>, policy: MissedRuns, cap: usize) -> Due {
        let from = if policy == MissedRuns::All { last } else { last.max(now - ON_TIME) };
        let passed = std::iter::successors(self.next_after(from), |at| self.next_after(*at)).take_while(|at| *at <= now);
        let mut occurrences: Vec<_> = passed.take(cap).collect();
        let through = occurrences.last().copied().filter(|_| occurrences.len() == cap).unwrap_or_else(|| now.max(last));
        if occurrences.is_empty() && policy == MissedRuns::One {
            occurrences.extend(self.newest(last, now));
        }
        Due { occurrences, through }
    }

    /// The newest occurrence in `(last, now]`, found by halving: a year of missed seconds must not be walked through.
    fn newest(&self, last: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let within = |moment| self.next_after(moment).filter(|at| *at <= now);
        let mut newest = within(last)?;
        let mut until = now;
        while until - newest > TimeDelta::seconds(1) {
            let middle = newest + (until - newest) / 2;
            match within(middle) {
                Some(later) => newest = later,
                None => until = middle,
            }
        }
        within(newest).or(Some(newest))
    }
}

/// The next of the times that an expression names. Each wall-clock time stands for one moment, and later times for later moments.
fn next_named(cron: &Cron, zone: Tz, moment: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let mut wall = moment.with_timezone(&zone).naive_local();
    loop {
        wall = cron.find_next_occurrence(&wall, false).ok()?;
        // A time of the first of two repeated hours lies behind someone who is in the second.
        if let Some(at) = moment_of(zone, wall).filter(|at| *at > moment) {
            return Some(at);
        }
    }
}

/// The moment at which a clock on the wall first shows a time or, where it is skipped, the first moment after the gap.
fn moment_of(zone: Tz, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&wall) {
        MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => Some(at.with_timezone(&Utc)),
        MappedLocalTime::None => {
            // Read with the offset from before the gap, the time lies as far behind the gap's start as it does on the wall.
            let before = (1..=48).find_map(|hours| zone.from_local_datetime(&(wall - TimeDelta::hours(hours))).latest())?;
            let offset = before.naive_local() - before.naive_utc();
            let (mut inside, mut outside) = (before.to_utc(), (wall - offset).and_utc());
            let changed = |at: DateTime<Utc>| at.with_timezone(&zone).naive_local() - at.naive_utc() != offset;
            while outside - inside > TimeDelta::seconds(1) {
                let middle = inside + TimeDelta::seconds((outside - inside).num_seconds() / 2);
                if changed(middle) {
                    outside = middle;
                } else {
                    inside = middle;
                }
            }
            Some(outside)
        }
    }
}

/// The expression that a nickname stands for.
fn written_out(expression: &str) -> &str {
    match expression {
        "@hourly" => "0 * * * *",
        "@daily" => "0 0 * * *",
        "@weekly" => "0 0 * * 0",
        "@monthly" => "0 0 1 * *",
        "@yearly" => "0 0 1 1 *",
        _ => expression,
    }
}

#[cfg(test)]
#[path = "recurrence_tests.rs"]
mod tests;
