//! How many jobs of a key may start now. No I/O.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The time is counted in this many slices. A slice counts until all of it is over, so that the limit is never exceeded in any
/// stretch of its length; the price is one slice of waiting.
const SLICES: i64 = 20;

/// The starts of the last stretch of time, per slice. All times are microseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Starts(BTreeMap<i64, i64>);

/// At most `max` starts in any `per` microseconds.
#[derive(Clone, Copy)]
pub(super) struct Rate {
    pub(super) max: i64,
    pub(super) per: i64,
}

impl Rate {
    fn slice(self) -> i64 {
        (self.per / SLICES).max(1)
    }
}

impl Starts {
    /// Forgets what is over.
    fn settle(&mut self, rate: Rate, now: i64) {
        let slice = rate.slice();
        self.0.retain(|number, _| (number + 1) * slice + rate.per > now);
    }

    /// How many may start now.
    pub(super) fn free(&mut self, rate: Rate, now: i64) -> i64 {
        self.settle(rate, now);
        (rate.max - self.0.values().sum::<i64>()).max(0)
    }

    /// Notes that so many start now.
    pub(super) fn note(&mut self, rate: Rate, now: i64, count: i64) {
        *self.0.entry(now.div_euclid(rate.slice())).or_default() += count;
    }

    /// When the next one may start, if none may now.
    pub(super) fn opens_at(&mut self, rate: Rate, now: i64) -> Option<i64> {
        if self.free(rate, now) > 0 {
            return None;
        }
        let mut left = self.0.values().sum::<i64>();
        for (number, count) in &self.0 {
            left -= count;
            if left < rate.max {
                return Some((number + 1) * rate.slice() + rate.per);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Starts as many as allowed at each moment, and returns all starts.
    fn run(rate: Rate, moments: impl Iterator<Item = i64>) -> Vec<i64> {
        let mut starts = Starts::default();
        let mut all = Vec::new();
        for now in moments {
            let free = starts.free(rate, now);
            starts.note(rate, now, free);
            all.extend((0..free).map(|_| now));
        }
        all
    }

    #[test]
    fn a16_no_stretch_of_time_has_more_starts_than_the_limit() {
        for (max, per, step) in
            [(1, 1_000_000, 7_919), (10, 1_000_000, 1_237), (100, 60_000_000, 100_003), (3, 1_000, 1), (5, 7, 1)]
        {
            let rate = Rate { max, per };
            let all = run(rate, (0..20_000).map(|i| 1_700_000_000_000_000 + i * step));
            let limit = usize::try_from(max).expect("small");
            for (i, start) in all.iter().enumerate().skip(limit) {
                assert!(start - all[i - limit] > per, "{max} per {per}: {i}");
            }
            // Waiting for whole slices costs at most a slice or two per stretch.
            let stretches = usize::try_from(20_000 * step / per).expect("small");
            assert!(all.len() >= limit * stretches * 8 / 10, "{max} per {per}: {} starts in {stretches} stretches", all.len());
        }
    }

    #[test]
    fn a16_a_full_limit_says_when_it_opens_and_keeps_its_word() {
        let rate = Rate { max: 2, per: 1_000_000 };
        let mut starts = Starts::default();
        assert_eq!(starts.opens_at(rate, 0), None);
        starts.note(rate, 10, 1);
        starts.note(rate, 500_000, 1);
        let opens = starts.opens_at(rate, 500_001).expect("full");
        assert_eq!(starts.clone().free(rate, opens - 1), 0);
        assert_eq!(starts.free(rate, opens), 1);
    }
}
