//! The two primitives of everything that may happen once, or only so often.
//!
//! Each is one conditional statement in its own short transaction: there is no moment between looking and writing. A counter
//! stays bumped whatever becomes of the work that bumped it.

use super::{Db, Timestamp, on};
use crate::{Error, ErrorKind, Result};
use chrono::{DateTime, Duration, Utc};
use sha2::{Digest, Sha256};

/// What makes a single-use credential: only the hash of `key` is stored, and `binding` (who, for what) must be shown again.
pub(crate) struct SingleUse<'a> {
    pub(crate) kind: &'static str,
    pub(crate) key: &'a [u8],
    pub(crate) binding: &'a [u8],
}

impl SingleUse<'_> {
    fn hashes(&self) -> (Vec<u8>, Vec<u8>) {
        (Sha256::digest(self.key).to_vec(), Sha256::digest(self.binding).to_vec())
    }
}

/// Stores a credential that [`consume_once`] hands out at most once before `expires_at`.
pub(crate) async fn issue(db: &Db, what: SingleUse<'_>, payload: &[u8], expires_at: DateTime<Utc>) -> Result<()> {
    let (key, binding) = what.hashes();
    let mut tx = db.begin().await?;
    on!(tx: &mut tx, c => sqlx::query(
        "INSERT INTO atom_single_use (kind, key_hash, binding_hash, payload, expires_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(what.kind).bind(key).bind(binding).bind(payload).bind(Timestamp::from(expires_at)).execute(c).await.map(drop))?;
    tx.commit().await
}

/// Takes a credential: the payload for exactly one caller, `None` for every other, for a wrong binding and after its expiry.
/// A wrong binding does not spend it.
pub(crate) async fn consume_once(db: &Db, what: SingleUse<'_>, now: DateTime<Utc>) -> Result<Option<Vec<u8>>> {
    let (key, binding) = what.hashes();
    let mut tx = db.begin_durable().await?;
    let taken: Option<(Vec<u8>,)> = on!(tx: &mut tx, c => sqlx::query_as(
        "UPDATE atom_single_use SET consumed_at = $4
          WHERE kind = $1 AND key_hash = $2 AND binding_hash = $3 AND consumed_at IS NULL AND expires_at > $4
          RETURNING payload")
        .bind(what.kind).bind(key).bind(binding).bind(Timestamp::from(now)).fetch_optional(c).await)?;
    tx.commit().await?;
    Ok(taken.map(|(payload,)| payload))
}

/// The payload of a credential that could be taken now; it stays there.
pub(crate) async fn peek(db: &Db, what: SingleUse<'_>, now: DateTime<Utc>) -> Result<Option<Vec<u8>>> {
    let (key, binding) = what.hashes();
    let found: Option<(Vec<u8>,)> = on!(db, c => sqlx::query_as(
        "SELECT payload FROM atom_single_use
          WHERE kind = $1 AND key_hash = $2 AND binding_hash = $3 AND consumed_at IS NULL AND expires_at > $4")
        .bind(what.kind).bind(key).bind(binding).bind(Timestamp::from(now)).fetch_optional(c).await)?;
    Ok(found.map(|(payload,)| payload))
}

/// Counts one more under `key`, or fails with `rate_limited` once `limit` is reached within `window`. Limits hold over all
/// processes.
pub(crate) async fn bump_counter(db: &Db, key: &str, limit: i64, window: Duration, now: DateTime<Utc>) -> Result<i64> {
    let mut tx = db.begin().await?;
    let bumped: Option<(i64,)> = on!(tx: &mut tx, c => sqlx::query_as(
        "INSERT INTO atom_counters (key, value, resets_at) VALUES ($1, 1, $3)
         ON CONFLICT (key) DO UPDATE SET
            value = CASE WHEN atom_counters.resets_at <= $2 THEN 1 ELSE atom_counters.value + 1 END,
            resets_at = CASE WHEN atom_counters.resets_at <= $2 THEN excluded.resets_at ELSE atom_counters.resets_at END
         WHERE atom_counters.resets_at <= $2 OR atom_counters.value < $4
         RETURNING value")
        .bind(key).bind(Timestamp::from(now)).bind(Timestamp::from(now + window)).bind(limit).fetch_optional(c).await)?;
    tx.commit().await?;
    match bumped {
        Some((value,)) if limit > 0 => Ok(value),
        _ => {
            let resets: Option<(Timestamp,)> = on!(db, c => sqlx::query_as("SELECT resets_at FROM atom_counters WHERE key = $1").bind(key).fetch_optional(c).await)?;
            let wait = resets.and_then(|(at,)| (at.0 - now).to_std().ok());
            Err(Error::new(ErrorKind::RateLimited, "too_many_attempts", "too many attempts: wait and call again")
                .with_retry_after(wait))
        }
    }
}

/// Deletes credentials and counters that have run out.
pub(crate) async fn sweep(db: &Db, now: DateTime<Utc>) -> Result<()> {
    // A consumed credential is kept for a day, so that a replay can be told from a key that never existed.
    let before = Timestamp::from(now - Duration::days(1));
    let mut tx = db.begin().await?;
    on!(tx: &mut tx, c => sqlx::query("DELETE FROM atom_single_use WHERE expires_at < $1").bind(before).execute(c).await.map(drop))?;
    on!(tx: &mut tx, c => sqlx::query("DELETE FROM atom_counters WHERE resets_at < $1").bind(before).execute(c).await.map(drop))?;
    tx.commit().await
}

#[cfg(test)]
#[path = "once_tests.rs"]
mod tests;
