//! Limits of sign-ins, which hold over all processes and lock nobody out.
//!
//! An attempt is counted before it is known whether the password is right, in a transaction of its own, and given back if it was: a process that
//! is killed between the two forgets nothing, and of fifty guesses at once each counts. The counts are kept for
//!
//! - an identifier from one network: whoever guesses from elsewhere does not slow its owner down;
//! - a network: it does not get around that by trying one identifier after the other;
//! - a device that has been signed in before, instead of both: it shows a refresh token of its own, ended or not, so the failures of
//!   others, on its own network too, are not its own;
//! - a user whose second factor is asked for after a right first one, from wherever: whoever guesses there knows the password already.
//!
//! Beyond some free attempts each costs twice the delay of the one before, up to a longest; an attempt that comes too early is refused, and
//! counts too. After a day without one, all is forgotten. A malformed or unknown identifier is counted like any other.
//!
//! Attempts for one identifier from one place take turns within a process, and each is taken for wrong until it is known to be right: a burst
//! of guesses gets no further than one after the other, and twenty right passwords at once do not refuse each other. A network is only
//! delayed by what was wrong, because many people may sign in there at the same moment.

use super::{Client, store};
use crate::atom::Inner;
use crate::crypto::{base64url, length_prefixed};
use crate::storage::{Db, Tx};
use crate::{Error, ErrorKind, Result, SessionId, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, Weak};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// How long nobody may have tried for the count to begin anew.
const FORGOTTEN: TimeDelta = TimeDelta::days(1);

/// How attempts of a kind are slowed down.
#[derive(Clone, Copy)]
struct Rule {
    /// How many cost nothing.
    free: i64,
    /// The longest delay, in seconds.
    longest: i64,
    /// Whether it is about one identifier: then attempts take turns, and a right password forgets all of them, not its own only.
    is_personal: bool,
}

/// Somebody's password, from one network.
const PAIR: Rule = Rule { free: 5, longest: 900, is_personal: true };
/// Somebody's password, from who knows where: anybody could have caused the delay, so it is short.
const UNPLACED: Rule = Rule { free: 5, longest: 30, is_personal: true };
/// Anybody's password, from one network: many people may share it, and an account of an attacker's own must not clear its record.
const NETWORK: Rule = Rule { free: 50, longest: 60, is_personal: false };
/// Somebody's password, on a device of theirs.
const DEVICE: Rule = Rule { free: 5, longest: 900, is_personal: true };
/// Somebody's second factor, after a right first one.
const FACTOR: Rule = Rule { free: 5, longest: 900, is_personal: true };

impl Rule {
    /// How long the next attempt must wait after so many.
    fn delay(self, attempts: i64) -> TimeDelta {
        match attempts - self.free {
            ..=0 => TimeDelta::zero(),
            beyond => TimeDelta::seconds(self.longest.min(1 << (beyond - 1).min(20))),
        }
    }
}

/// Who is tried from where.
pub(super) struct Attempt<'a> {
    /// In its one form, see `email::identifier`.
    pub(super) identifier: &'a str,
    /// In its canonical form.
    pub(super) client: Option<&'a Client>,
    /// The session with which the device has proved that it was signed in as this user before.
    pub(super) device: Option<SessionId>,
}

/// Where attempts are counted.
struct Bucket {
    rule: Rule,
    key: String,
}

impl Bucket {
    /// The key names nobody: it is a hash.
    fn new(rule: Rule, kind: &str, parts: &[&str]) -> Self {
        let parts = [&["sign-in", kind], parts].concat();
        let key = base64url(Sha256::digest(length_prefixed(parts.iter().map(|part| part.as_bytes()))));
        Self { rule, key }
    }

    /// Has the next attempt wait. No delay is not a short one: to the clock of another process, this very moment may be to come.
    async fn block(&self, tx: &mut Tx, delay: TimeDelta, now: DateTime<Utc>) -> Result<()> {
        if delay.is_zero() { Ok(()) } else { store::block_attempts(tx, &self.key, now + delay).await }
    }

    fn of(attempt: &Attempt<'_>) -> Vec<Self> {
        if let Some(session) = attempt.device {
            return vec![Self::new(DEVICE, "device", &[attempt.identifier, &session.to_string()])];
        }
        match attempt.client.and_then(Client::network) {
            Some(network) => {
                vec![Self::new(PAIR, "pair", &[attempt.identifier, &network]), Self::new(NETWORK, "network", &[&network])]
            }
            None => vec![Self::new(UNPLACED, "unplaced", &[attempt.identifier])],
        }
    }
}

/// The attempts of this process that take turns, by what they are counted under.
#[derive(Default)]
pub(crate) struct Turns(std::sync::Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    turns: HashMap<String, Weak<Mutex<()>>>,
    /// How many there may be before those that are over are taken out.
    most: usize,
}

impl Turns {
    /// Waits for a turn, in the order of asking.
    async fn take(&self, key: &str) -> OwnedMutexGuard<()> {
        let turn = {
            let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.turns.len() >= waiting.most {
                waiting.turns.retain(|_, turn| turn.strong_count() > 0);
                waiting.most = 2 * waiting.turns.len() + 64;
            }
            let turn = waiting.turns.get(key).and_then(Weak::upgrade).unwrap_or_default();
            waiting.turns.insert(key.to_owned(), Arc::downgrade(&turn));
            turn
        };
        turn.lock_owned().await
    }
}

/// An attempt that is counted, in its turn.
pub(super) struct Counted {
    buckets: Vec<Bucket>,
    _turn: Option<OwnedMutexGuard<()>>,
}

/// Counts an attempt, or refuses it if it comes too early.
///
/// Fails with `rate_limited` (`too_many_attempts`).
pub(super) async fn count(inner: &Inner, attempt: &Attempt<'_>) -> Result<Counted> {
    count_in(inner, Bucket::of(attempt)).await
}

/// Counts an attempt at a code of a user's second factor, in a session that stands or to complete a sign-in.
pub(super) async fn count_factor(inner: &Inner, user: UserId, session: Option<SessionId>) -> Result<Counted> {
    let user = user.to_string();
    let bucket = match session {
        Some(session) => Bucket::new(DEVICE, "factor-device", &[&user, &session.to_string()]),
        None => Bucket::new(FACTOR, "factor", &[&user]),
    };
    count_in(inner, vec![bucket]).await
}

async fn count_in(inner: &Inner, buckets: Vec<Bucket>) -> Result<Counted> {
    let turn = match buckets.iter().find(|bucket| bucket.rule.is_personal) {
        Some(bucket) => Some(inner.sign_ins.take(&bucket.key).await),
        None => None,
    };
    let now = inner.now();
    let mut tx = inner.db()?.begin().await?;
    let (mut delays, mut free_at) = (Vec::new(), now);
    for bucket in &buckets {
        let (attempts, blocked_until) = store::count_attempt(&mut tx, &bucket.key, now, now + FORGOTTEN).await?;
        free_at = free_at.max(blocked_until);
        delays.push(bucket.rule.delay(attempts));
    }
    if free_at > now {
        tx.commit().await?;
        let text = "too many attempts: wait as long as `retry_after` says, and try again";
        let wait = (free_at - now).to_std().ok();
        return Err(Error::new(ErrorKind::RateLimited, "too_many_attempts", text).with_retry_after(wait));
    }
    for (bucket, delay) in buckets.iter().zip(delays).filter(|(bucket, _)| bucket.rule.is_personal) {
        bucket.block(&mut tx, delay, now).await?;
    }
    tx.commit().await?;
    Ok(Counted { buckets, _turn: turn })
}

impl Counted {
    /// Takes the attempt back: the password was right.
    pub(super) async fn give_back(self, db: &Db) -> Result<()> {
        let mut tx = db.begin().await?;
        for bucket in &self.buckets {
            if bucket.rule.is_personal {
                store::forget_attempts(&mut tx, &bucket.key).await?;
            } else {
                store::give_attempt_back(&mut tx, &bucket.key).await?;
            }
        }
        tx.commit().await
    }

    /// Has it count for good: the password was wrong.
    pub(super) async fn keep(self, db: &Db, now: DateTime<Utc>) -> Result<()> {
        let mut tx = db.begin().await?;
        for bucket in self.buckets.iter().filter(|bucket| !bucket.rule.is_personal) {
            let attempts = store::attempts(&mut tx, &bucket.key).await?;
            bucket.block(&mut tx, bucket.rule.delay(attempts), now).await?;
        }
        tx.commit().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p07_delays_double_up_to_the_longest() {
        let seconds = |attempts| PAIR.delay(attempts).num_seconds();
        assert_eq!([1, 5, 6, 7, 8, 15, 16, 1000, i64::MAX].map(seconds), [0, 0, 1, 2, 4, 512, 900, 900, 900]);
        assert_eq!(NETWORK.delay(50), TimeDelta::zero());
        assert_eq!(NETWORK.delay(1000).num_seconds(), 60);
    }

    #[test]
    fn p07_the_key_of_a_count_names_nobody_and_no_two_counts_share_one() {
        let client = Client { ip: Some("192.0.2.7".into()), ..Default::default() };
        let attempt = Attempt { identifier: "ada@example.com", client: Some(&client), device: None };
        let unplaced = Attempt { client: None, ..attempt };
        let device = Attempt { device: Some(SessionId::generate()), ..attempt };
        let mut keys: Vec<_> = [attempt, unplaced, device].iter().flat_map(Bucket::of).map(|bucket| bucket.key).collect();
        assert!(keys.iter().all(|key| key.len() == 43 && !key.contains("ada")), "{keys:?}");
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 4);
    }
}
