//! Whether there is another attempt, and when. No I/O: the rules, and nothing else.

use super::{JobFailure, RetryPolicy};
use crate::{Error, Result};
use chrono::{DateTime, TimeDelta, Utc};

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Next {
    /// Another attempt, not before this moment.
    Retry(DateTime<Utc>),
    /// None: it is a dead letter.
    Dead,
}

/// A year and some days: longer delays would be a mistake, and far beyond it moments run out of range.
const LONGEST: f64 = 3.2e7;

/// Decides from what is known. `chance` is between 0 and 1.
pub(super) fn next(
    policy: &RetryPolicy,
    attempt: i32,
    max_attempts: i32,
    failure: &JobFailure,
    now: DateTime<Utc>,
    chance: f64,
) -> Next {
    let never = policy.never_on.as_ref().is_some_and(|reasons| reasons.contains(&failure.reason));
    if !failure.retryable || never || attempt >= max_attempts {
        return Next::Dead;
    }
    let wait = delay(policy, attempt, chance).max(failure.retry_after.map_or(0.0, |wait| wait.as_secs_f64()));
    Next::Retry(now + seconds(wait))
}

fn delay(policy: &RetryPolicy, attempt: i32, chance: f64) -> f64 {
    let factor = policy.factor.unwrap_or(2.0);
    // Infinity times a delay of nothing would be no number.
    let growth = factor.powi(attempt.saturating_sub(1).max(0)).min(f64::MAX);
    let grown = policy.delay_seconds.unwrap_or(5.0) * growth;
    let capped = grown.min(policy.max_delay_seconds.unwrap_or(3600.0));
    let jitter = policy.jitter.unwrap_or(0.2);
    // The delay is the middle of what jitter makes of it, so that many retries keep their average pace.
    capped * (1.0 + jitter * (chance - 0.5))
}

/// A time span from seconds that were checked before.
pub(super) fn seconds(seconds: f64) -> TimeDelta {
    #[allow(clippy::cast_possible_truncation)] // clamped to a year in microseconds
    TimeDelta::microseconds((seconds.clamp(0.0, LONGEST) * 1e6).round() as i64)
}

/// Refuses numbers that make no sense.
pub(super) fn check(policy: &RetryPolicy) -> Result<()> {
    let malformed = |text| Err(Error::invalid("malformed_retry", text));
    let within = |value: Option<f64>, low: f64, high: f64| value.is_none_or(|v| (low..=high).contains(&v));
    if !within(policy.delay_seconds, 0.0, LONGEST) || !within(policy.max_delay_seconds, 0.0, LONGEST) {
        return malformed("a delay between attempts is between 0 seconds and a year");
    }
    if !within(policy.factor, 1.0, 100.0) {
        return malformed("`factor` is between 1 (a fixed delay) and 100");
    }
    if !within(policy.jitter, 0.0, 1.0) {
        return malformed("`jitter` is a share between 0 and 1");
    }
    if policy.never_on.iter().flatten().any(|reason| reason.contains('\0')) {
        return malformed("no reason holds the character U+0000: leave it out of `never_on`");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn waits(policy: &RetryPolicy, max_attempts: i32, failure: &JobFailure, chance: f64) -> Vec<f64> {
        let now = DateTime::UNIX_EPOCH;
        let next = |attempt| match next(policy, attempt, max_attempts, failure, now, chance) {
            Next::Retry(at) => Some((at - now).as_seconds_f64()),
            Next::Dead => None,
        };
        (1..).map_while(next).collect()
    }

    fn failure() -> JobFailure {
        JobFailure::new("smtp_refused", "the server said no")
    }

    #[test]
    fn a14_delays_double_up_to_the_longest_and_end_with_the_attempts() {
        let policy = RetryPolicy { delay_seconds: Some(10.0), max_delay_seconds: Some(60.0), ..Default::default() };
        assert_eq!(waits(&policy, 6, &failure(), 0.5), [10.0, 20.0, 40.0, 60.0, 60.0]);
    }

    #[test]
    fn a14_a_factor_of_one_is_a_fixed_delay() {
        let policy = RetryPolicy { delay_seconds: Some(3.0), factor: Some(1.0), ..Default::default() };
        assert_eq!(waits(&policy, 4, &failure(), 0.5), [3.0, 3.0, 3.0]);
    }

    #[test]
    fn a14_jitter_stays_within_its_share() {
        let policy = RetryPolicy { delay_seconds: Some(10.0), jitter: Some(0.4), ..Default::default() };
        assert_eq!(waits(&policy, 2, &failure(), 0.0), [8.0]);
        assert_eq!(waits(&policy, 2, &failure(), 1.0), [12.0]);
    }

    #[test]
    fn a14_retry_after_wins_when_it_is_longer() {
        let policy = RetryPolicy { delay_seconds: Some(10.0), ..Default::default() };
        let patient = failure().retry_after(Duration::from_secs(90));
        assert_eq!(waits(&policy, 3, &patient, 0.5), [90.0, 90.0]);
        let hasty = failure().retry_after(Duration::from_secs(1));
        assert_eq!(waits(&policy, 3, &hasty, 0.5), [10.0, 20.0]);
    }

    #[test]
    fn a14_what_cannot_be_mended_is_not_tried_again() {
        let policy = RetryPolicy { never_on: Some(vec!["smtp_refused".into()]), ..Default::default() };
        assert!(waits(&policy, 9, &failure(), 0.5).is_empty());
        assert!(waits(&RetryPolicy::default(), 9, &JobFailure::fatal("gone", "no"), 0.5).is_empty());
    }

    #[test]
    fn a14_of_10_000_random_histories_none_has_too_many_attempts_or_a_delay_out_of_bounds() {
        let mut state = 7_u64;
        let mut random = || {
            // The xorshift of Marsaglia: no seed to store, the same histories in every run.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        for _ in 0..10_000 {
            let policy = RetryPolicy {
                delay_seconds: Some(random() * 1e4),
                factor: Some(1.0 + random() * 99.0),
                max_delay_seconds: Some(random() * 1e6),
                jitter: Some(random()),
                never_on: (random() < 0.1).then(|| vec!["smtp_refused".into()]),
            };
            check(&policy).expect("all of these make sense");
            let max_attempts = 1 + (random() * 50.0) as i32;
            let mut failure = failure();
            failure.retryable = random() > 0.1;
            failure.retry_after = (random() < 0.2).then(|| Duration::from_secs_f64(random() * 1e5));
            let waits = waits(&policy, max_attempts, &failure, random());
            let may = failure.retryable && policy.never_on.is_none();
            assert_eq!(waits.len(), if may { usize::try_from(max_attempts).unwrap_or(1) - 1 } else { 0 });
            let least = failure.retry_after.map_or(0.0, |wait| wait.as_secs_f64());
            let most = policy.max_delay_seconds.unwrap_or(0.0) * 1.5;
            assert!(waits.iter().all(|wait| *wait >= least - 1e-5 && *wait <= most.max(least) + 1e-5), "{policy:?} {waits:?}");
        }
    }

    #[test]
    fn numbers_that_make_no_sense_are_refused() {
        for policy in [
            RetryPolicy { delay_seconds: Some(-1.0), ..Default::default() },
            RetryPolicy { max_delay_seconds: Some(f64::NAN), ..Default::default() },
            RetryPolicy { factor: Some(0.5), ..Default::default() },
            RetryPolicy { jitter: Some(1.5), ..Default::default() },
        ] {
            assert_eq!(check(&policy).expect_err("nonsense").reason(), "malformed_retry");
        }
    }
}
