//! What follows an attempt. No I/O: the rules, and nothing else.

use super::WebhookDisabled;
use chrono::{DateTime, TimeDelta, Utc};

/// How long to wait before each attempt, in seconds: the example of the Standard Webhooks specification, three days in all.
const DELAYS: [i64; 10] = [0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400];
/// The share by which a delay is made longer or shorter by chance, so that what failed together is not repeated together.
const JITTER: f64 = 0.2;
/// A receiver may ask for patience, but not without end.
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(24);
/// How long an overloaded receiver is left alone if it does not say how long.
const BREATHER: TimeDelta = TimeDelta::minutes(1);
/// An endpoint that has failed for so long, without one success, is disabled.
const PATIENCE: TimeDelta = TimeDelta::days(5);
/// Failures further apart than this are not one failing: nothing was tried in between. Longer than the longest delay.
const PAUSE: TimeDelta = TimeDelta::hours(48);

/// What came of an attempt.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    /// The receiver answered, and may have said how long to wait.
    Answered { status: u16, wait: Option<TimeDelta> },
    /// There was no answer.
    Unanswered,
}

/// How an endpoint has been doing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Health {
    /// Since when nothing has succeeded; none while all is well.
    pub(super) failing_since: Option<DateTime<Utc>>,
    pub(super) last_failure_at: Option<DateTime<Utc>>,
    /// Nothing is sent before: the receiver asked for it.
    pub(super) paused_until: Option<DateTime<Utc>>,
}

/// What becomes of a delivery.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Next {
    Delivered,
    Retry(DateTime<Utc>),
    GivenUp,
}

/// What follows.
#[derive(Debug, PartialEq)]
pub(super) struct Decision {
    pub(super) next: Next,
    pub(super) health: Health,
    /// The endpoint is to be disabled, and why.
    pub(super) disable: Option<WebhookDisabled>,
}

/// Decides after attempt number `attempt` (1, 2, …). `chance` is between 0 and 1.
pub(super) fn decide(attempt: i32, outcome: Outcome, health: Health, now: DateTime<Utc>, chance: f64) -> Decision {
    let (status, wait) = match outcome {
        Outcome::Answered { status, wait } => (Some(status), wait.map(|wait| wait.clamp(TimeDelta::zero(), LONGEST_WAIT))),
        Outcome::Unanswered => (None, None),
    };
    if matches!(status, Some(200..=299)) {
        return Decision { next: Next::Delivered, health: Health::default(), disable: None };
    }
    let goes_on = health.last_failure_at.is_some_and(|last| now - last <= PAUSE);
    let since = health.failing_since.filter(|_| goes_on).unwrap_or(now);
    let overloaded = matches!(status, Some(429 | 502..=504));
    let health = Health {
        failing_since: Some(since),
        last_failure_at: Some(now),
        paused_until: overloaded.then(|| now + wait.unwrap_or(BREATHER)),
    };
    let disable = match status {
        Some(410) => Some(WebhookDisabled::Gone),
        _ if now - since >= PATIENCE => Some(WebhookDisabled::Failing),
        _ => None,
    };
    let next = match delay_before(attempt.saturating_add(1), chance) {
        Some(delay) if disable.is_none() => Next::Retry(now + delay.max(wait.unwrap_or_default())),
        _ => Next::GivenUp,
    };
    Decision { next, health, disable }
}

/// How long to wait before an attempt; none if there is no such attempt.
fn delay_before(attempt: i32, chance: f64) -> Option<TimeDelta> {
    let seconds = DELAYS.get(usize::try_from(attempt).ok()?.checked_sub(1)?)?;
    let spread = 1.0 + JITTER * (2.0 * chance - 1.0);
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // a day in milliseconds at most
    let milliseconds = (*seconds as f64 * 1000.0 * spread) as i64;
    Some(TimeDelta::milliseconds(milliseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: DateTime<Utc> = DateTime::UNIX_EPOCH;
    const REFUSED: Outcome = Outcome::Answered { status: 500, wait: None };
    /// The middle of the jitter.
    const EVEN: f64 = 0.5;

    fn first(outcome: Outcome) -> Decision {
        decide(1, outcome, Health::default(), START, EVEN)
    }

    fn answered(status: u16) -> Outcome {
        Outcome::Answered { status, wait: None }
    }

    /// The moments of all attempts of a delivery that never succeeds, in seconds, and the last decision.
    fn run(outcome: Outcome, chance: f64) -> (Vec<i64>, Decision) {
        let (mut now, mut health, mut moments) = (START, Health::default(), Vec::new());
        for attempt in 1.. {
            moments.push((now - START).num_seconds());
            let decision = decide(attempt, outcome, health, now, chance);
            let Next::Retry(at) = decision.next else { return (moments, decision) };
            (now, health) = (at, decision.health);
        }
        unreachable!("a delivery ends")
    }

    #[test]
    fn a_failing_delivery_is_tried_ten_times_over_three_days() {
        let (moments, last) = run(REFUSED, EVEN);
        assert_eq!(moments, [0, 5, 305, 2105, 9305, 27305, 63305, 113_705, 185_705, 272_105]);
        assert_eq!((last.next, last.disable), (Next::GivenUp, None));
    }

    #[test]
    fn chance_moves_a_delay_by_a_fifth_at_most() {
        let after = |chance| match decide(2, REFUSED, Health::default(), START, chance).next {
            Next::Retry(at) => (at - START).num_seconds(),
            other => panic!("{other:?}"),
        };
        assert_eq!((after(0.0), after(EVEN), after(1.0)), (240, 300, 360));
    }

    #[test]
    fn every_2xx_is_a_success_and_makes_the_endpoint_well() {
        let ill = Health { failing_since: Some(START), last_failure_at: Some(START), paused_until: Some(START) };
        for status in [200, 201, 202, 204, 299] {
            let decision = decide(3, answered(status), ill, START + TimeDelta::days(9), EVEN);
            assert_eq!(decision, Decision { next: Next::Delivered, health: Health::default(), disable: None }, "{status}");
        }
        for outcome in [100, 199, 300, 301, 302, 304, 307, 400, 401, 404, 408, 422, 500, 503, 599].map(answered) {
            assert!(matches!(first(outcome).next, Next::Retry(_)), "{outcome:?}");
        }
        assert!(matches!(first(Outcome::Unanswered).next, Next::Retry(_)));
    }

    #[test]
    fn a_receiver_that_is_gone_is_disabled_at_once() {
        let decision = first(answered(410));
        assert_eq!((decision.next, decision.disable), (Next::GivenUp, Some(WebhookDisabled::Gone)));
    }

    #[test]
    fn the_receivers_wish_for_a_later_time_is_honoured_up_to_a_day() {
        let next = |attempt, seconds| {
            let outcome = Outcome::Answered { status: 503, wait: Some(TimeDelta::seconds(seconds)) };
            match decide(attempt, outcome, Health::default(), START, EVEN).next {
                Next::Retry(at) => (at - START).num_seconds(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(next(1, 120), 120, "longer than the schedule's five seconds");
        assert_eq!(next(3, 120), 1800, "shorter than the schedule's half hour");
        assert_eq!(next(1, 99_999_999), 86400);
        assert_eq!(next(1, -5), 5);
    }

    #[test]
    fn an_overloaded_receiver_is_left_alone_and_a_broken_one_is_not() {
        let paused = |status, wait: Option<i64>| {
            let until = first(Outcome::Answered { status, wait: wait.map(TimeDelta::seconds) }).health.paused_until;
            until.map(|until| (until - START).num_seconds())
        };
        for status in [429, 502, 503, 504] {
            assert_eq!((paused(status, None), paused(status, Some(300))), (Some(60), Some(300)), "{status}");
        }
        for status in [400, 404, 500, 501] {
            assert_eq!(paused(status, Some(300)), None, "{status}");
        }
    }

    #[test]
    fn five_days_of_failures_without_a_success_disable_an_endpoint() {
        let (mut health, mut disabled) = (Health::default(), None);
        for hour in 0..200 {
            let now = START + TimeDelta::hours(hour);
            let decision = decide(1, REFUSED, health, now, EVEN);
            health = decision.health;
            if decision.disable.is_some() {
                disabled = Some((hour, decision.disable));
                break;
            }
        }
        assert_eq!(disabled, Some((120, Some(WebhookDisabled::Failing))));
    }

    #[test]
    fn a_success_or_a_long_silence_starts_the_five_days_anew() {
        let health = first(REFUSED).health;
        let at = |hours| START + TimeDelta::hours(hours);
        let later = decide(1, REFUSED, health, at(40), EVEN);
        assert_eq!(later.health.failing_since, Some(START));
        let well = decide(1, answered(200), later.health, at(41), EVEN);
        assert_eq!(decide(1, REFUSED, well.health, at(42), EVEN).health.failing_since, Some(at(42)));
        let silent = decide(1, REFUSED, health, at(24 * 30), EVEN);
        assert_eq!((silent.health.failing_since, silent.disable), (Some(at(24 * 30)), None));
    }

    #[test]
    fn one_delivery_alone_never_disables_its_endpoint() {
        for chance in [0.0, EVEN, 1.0] {
            assert_eq!(run(Outcome::Unanswered, chance).1.disable, None);
        }
    }
}
