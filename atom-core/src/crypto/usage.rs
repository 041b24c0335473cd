//! How often a data key may seal, counted over all processes and from above.
//!
//! A process takes numbers from the database in blocks and gives one to each record that it seals. Those that it did not use are lost
//! with it, so the count is never too low. Each number is given once, which makes it fit to tell subkeys apart ([`record`](super::record)).

use super::BoxFuture;
use super::KeyRing;
use super::keys::DataKey;
use crate::storage::{Db, Tx, on};
use crate::{Error, Result, WorkspaceId};
use chrono::{DateTime, Utc};
use std::sync::{Mutex, PoisonError};
use uuid::Uuid;

/// How many seals are too many, and how they are taken.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// Then somebody is told.
    pub(crate) warning: i64,
    /// Then nothing more is sealed. NIST SP 800-38D has this bound for random nonces under one key, which ours are not.
    pub(crate) refusal: i64,
    /// The first block of a process is small, for processes that start, seal once and end; each one after it is twice as large.
    pub(crate) first_block: i64,
    pub(crate) largest_block: i64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { warning: 1 << 28, refusal: 1 << 32, first_block: 1 << 6, largest_block: 1 << 16 }
    }
}

/// A data key that has sealed so much that it should be rotated.
#[derive(Clone, Copy)]
pub(crate) struct Worn {
    pub(crate) workspace: WorkspaceId,
    pub(crate) key: Uuid,
    pub(crate) seals: i64,
}

/// Tells the workspace, in the transaction that counts.
pub(crate) type OnWorn = for<'a> fn(&'a mut Tx, Worn, DateTime<Utc>) -> BoxFuture<'a, Result<()>>;

/// The numbers that this process has of one data key.
#[derive(Default)]
pub(super) struct Usage {
    block: Mutex<Block>,
    /// Held while the next block is fetched.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Clone, Copy, Default)]
struct Block {
    next: i64,
    end: i64,
    size: i64,
}

impl Usage {
    fn take(&self) -> Option<i64> {
        let mut block = self.block.lock().unwrap_or_else(PoisonError::into_inner);
        let number = block.next;
        (number < block.end).then(|| {
            block.next += 1;
            number
        })
    }
}

/// The number of the next seal; none if the key has sealed all that it may, or is gone.
pub(super) async fn next(db: &Db, ring: &KeyRing, key: &DataKey) -> Result<Option<i64>> {
    if let Some(number) = key.usage.take() {
        return Ok(Some(number));
    }
    let _fetching = key.usage.fetching.lock().await;
    if let Some(number) = key.usage.take() {
        return Ok(Some(number));
    }
    let bounds = ring.tuning().bounds;
    let before = key.usage.block.lock().unwrap_or_else(PoisonError::into_inner).size;
    let size = (before * 2).clamp(bounds.first_block, bounds.largest_block);
    let Some(end) = reserve(db, ring, key, size, bounds).await? else { return Ok(None) };
    *key.usage.block.lock().unwrap_or_else(PoisonError::into_inner) = Block { next: end - size + 1, end, size };
    Ok(Some(end - size))
}

async fn reserve(db: &Db, ring: &KeyRing, key: &DataKey, size: i64, bounds: Bounds) -> Result<Option<i64>> {
    let mut tx = db.begin_durable().await?;
    let taken: Option<(i64,)> = on!(tx: &mut tx, c => sqlx::query_as(
        "UPDATE atom_data_keys SET seals = seals + $3
          WHERE workspace_id = $1 AND id = $2 AND destroyed_at IS NULL AND seals + $3 <= $4 RETURNING seals")
        .bind(key.workspace.0).bind(key.id).bind(size).bind(bounds.refusal).fetch_optional(c).await)?;
    let Some((seals,)) = taken else { return Ok(None) };
    if seals >= bounds.warning && seals - size < bounds.warning {
        tracing::warn!(workspace.id = %key.workspace, key.id = %key.id, key.seals = seals, "a data key should be rotated");
        ring.on_worn(&mut tx, Worn { workspace: key.workspace, key: key.id, seals }).await?;
    }
    tx.commit().await?;
    Ok(Some(seals))
}

pub(super) fn exhausted(key: &DataKey) -> Error {
    let text = format!(
        "data key {} of workspace {} has sealed all the records that it may: call `keys.rotate_workspace` with this workspace",
        key.id, key.workspace
    );
    Error::sealed("data_key_exhausted", text)
}

#[cfg(test)]
#[path = "usage_tests.rs"]
mod tests;
