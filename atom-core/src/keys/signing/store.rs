//! The SQL of signing keys, beside what the ring itself reads and writes.

use super::{SigningKey, SigningKeyState};
use crate::crypto::OVERLAP;
use crate::storage::{Db, Timestamp, Tx, on, row};
use crate::{Result, SigningKeyId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

row! {
    struct KeyRow { id: Uuid, created_at: Timestamp, signs_from: Timestamp, retired_at: Option<Timestamp> }
}

/// All keys, in the order of their turns.
pub(super) async fn list(db: &Db, now: DateTime<Utc>) -> Result<Vec<SigningKey>> {
    let rows: Vec<KeyRow> = on!(db, c => sqlx::query_as(
        "SELECT id, created_at, signs_from, retired_at FROM atom_signing_keys ORDER BY signs_from, id").fetch_all(c).await)?;
    let living: Vec<&KeyRow> = rows.iter().filter(|row| row.retired_at.is_none()).collect();
    // As in the ring: where a clock is behind, the first has its turn.
    let current = living.iter().rposition(|row| row.signs_from.0 <= now).unwrap_or_default();
    let key = |row: &KeyRow| {
        let turn = living.iter().position(|other| other.id == row.id);
        let state = match turn {
            None => SigningKeyState::Retired,
            Some(turn) if turn > current => SigningKeyState::Upcoming,
            Some(turn) if turn == current => SigningKeyState::Current,
            Some(_) => SigningKeyState::Retiring,
        };
        let next = turn.and_then(|turn| living.get(turn + 1));
        SigningKey {
            id: SigningKeyId(row.id),
            state,
            created_at: row.created_at.0,
            signs_from: row.signs_from.0,
            over_at: next.map(|next| next.signs_from.0 + OVERLAP),
            retired_at: row.retired_at.map(|at| at.0),
        }
    };
    Ok(rows.iter().map(key).collect())
}

/// The public halves of the keys that verify tokens, in the order of their turns.
pub(super) async fn public_keys(db: &Db) -> Result<Vec<(Uuid, Vec<u8>)>> {
    Ok(on!(db, c => sqlx::query_as(
        "SELECT id, public_key FROM atom_signing_keys WHERE retired_at IS NULL ORDER BY signs_from, id").fetch_all(c).await)?)
}

/// The key that the next one follows, and when it was made.
pub(super) async fn last(db: &Db) -> Result<Option<(Uuid, DateTime<Utc>)>> {
    let row: Option<(Uuid, Timestamp)> = on!(db, c => sqlx::query_as(
        "SELECT id, created_at FROM atom_signing_keys WHERE succeeded_by IS NULL AND retired_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 1")
        .fetch_optional(c).await)?;
    Ok(row.map(|(id, at)| (id, at.0)))
}

/// Gives a key its successor: true for one of all who would.
pub(super) async fn succeed(tx: &mut Tx, key: Uuid, successor: Uuid) -> Result<bool> {
    let changed = on!(tx: tx, c => sqlx::query("UPDATE atom_signing_keys SET succeeded_by = $2 WHERE id = $1 AND succeeded_by IS NULL")
        .bind(key).bind(successor).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(changed > 0)
}

/// Retires a key, once, and destroys its private half.
pub(super) async fn retire(tx: &mut Tx, key: Uuid, now: DateTime<Utc>) -> Result<bool> {
    let changed = on!(tx: tx, c => sqlx::query(
        "UPDATE atom_signing_keys SET retired_at = $2, private_key = NULL WHERE id = $1 AND retired_at IS NULL")
        .bind(key).bind(Timestamp::from(now)).execute(c).await.map(|done| done.rows_affected()))?;
    // One that had not had its turn: the key before it gets another successor.
    on!(tx: tx, c => sqlx::query(
        "UPDATE atom_signing_keys SET succeeded_by = NULL
          WHERE succeeded_by = $1 AND EXISTS (SELECT 1 FROM atom_signing_keys gone WHERE gone.id = $1 AND gone.succeeded_by IS NULL)")
        .bind(key).execute(c).await.map(drop))?;
    Ok(changed > 0)
}
