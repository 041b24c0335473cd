//! The SQL of keys.

use super::{DataKey, DataKeyState, WrappingKey};
use crate::crypto::Wrapped;
use crate::storage::{Db, OpenTx, Timestamp, Tx, on, row};
use crate::{DataKeyId, Result, WorkspaceId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

row! {
    struct WrappingRow {
        fingerprint: String,
        first_seen_at: Timestamp,
        last_seen_at: Timestamp,
        in_use_since: Option<Timestamp>,
        retired_at: Option<Timestamp>,
    }
}

row! {
    struct DataKeyRow {
        id: Uuid,
        generation: i64,
        is_newest: i64,
        wrapped_by: String,
        seals: i64,
        created_at: Timestamp,
        idle_since: Option<Timestamp>,
        destroyed_at: Option<Timestamp>,
    }
}

row! {
    /// A data key as another key wraps it.
    pub(super) struct ForeignRow { workspace_id: Uuid, id: Uuid, wrapped: Vec<u8>, wrapped_by: String }
}

impl ForeignRow {
    pub(super) fn wrapped(&self) -> Wrapped {
        Wrapped { bytes: self.wrapped.clone(), by: self.wrapped_by.clone() }
    }
}

impl DataKeyRow {
    fn into_key(self) -> DataKey {
        let state = match (self.is_newest, self.destroyed_at) {
            (_, Some(_)) => DataKeyState::Destroyed,
            (0, None) => DataKeyState::Retiring,
            (_, None) => DataKeyState::Current,
        };
        DataKey {
            id: DataKeyId(self.id),
            generation: self.generation,
            state,
            wrapped_by: self.wrapped_by,
            seals: self.seals,
            created_at: self.created_at.0,
            idle_since: self.idle_since.map(|at| at.0),
            destroyed_at: self.destroyed_at.map(|at| at.0),
        }
    }
}

/// The keys that the installation has seen, with how many data keys each wraps.
pub(super) async fn wrapping_keys(db: &Db) -> Result<Vec<WrappingKey>> {
    let rows = on!(db, c => sqlx::query_as::<_, WrappingRow>(
        "SELECT fingerprint, first_seen_at, last_seen_at, in_use_since, retired_at FROM atom_wrapping_keys ORDER BY first_seen_at, fingerprint")
        .fetch_all(c).await)?;
    let counts: Vec<(String, i64)> = on!(db, c => sqlx::query_as(
        "SELECT wrapped_by, COUNT(*) FROM atom_data_keys WHERE destroyed_at IS NULL GROUP BY wrapped_by").fetch_all(c).await)?;
    let count = |fingerprint: &str| counts.iter().find(|(by, _)| by == fingerprint).map_or(0, |(_, count)| *count);
    let into_key = |row: WrappingRow| WrappingKey {
        is_current: false,
        is_held: false,
        data_keys: count(&row.fingerprint),
        fingerprint: row.fingerprint,
        first_seen_at: row.first_seen_at.0,
        last_seen_at: row.last_seen_at.0,
        in_use_since: row.in_use_since.map(|at| at.0),
        retired_at: row.retired_at.map(|at| at.0),
    };
    Ok(rows.into_iter().map(into_key).collect())
}

/// How many data keys there are, how many of them are not destroyed, and in how many workspaces.
pub(super) async fn counts(db: &Db) -> Result<(i64, i64, i64)> {
    Ok(on!(db, c => sqlx::query_as(
        "SELECT COUNT(*), COUNT(CASE WHEN destroyed_at IS NULL THEN 1 END), COUNT(DISTINCT CASE WHEN destroyed_at IS NULL THEN workspace_id END) FROM atom_data_keys")
        .fetch_one(c).await)?)
}

/// The data keys of a workspace, the newest first.
pub(super) async fn data_keys(db: &Db, workspace: WorkspaceId) -> Result<Vec<DataKey>> {
    let rows = on!(db, c => sqlx::query_as::<_, DataKeyRow>(
        "SELECT id, generation, wrapped_by, seals, created_at, idle_since, destroyed_at,
                CASE WHEN generation = (SELECT MAX(generation) FROM atom_data_keys WHERE workspace_id = $1)
                     THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END AS is_newest
           FROM atom_data_keys WHERE workspace_id = $1 ORDER BY generation DESC")
        .bind(workspace.0).fetch_all(c).await)?;
    Ok(rows.into_iter().map(DataKeyRow::into_key).collect())
}

/// How many data keys other keys than this one wrap.
pub(super) async fn foreign_count(db: &Db, current: &str) -> Result<i64> {
    let (count,): (i64,) = on!(db, c => sqlx::query_as(
        "SELECT COUNT(*) FROM atom_data_keys WHERE destroyed_at IS NULL AND wrapped_by <> $1").bind(current).fetch_one(c).await)?;
    Ok(count)
}

/// The next data keys that a key wraps.
pub(super) async fn wrapped_by(db: &Db, fingerprint: &str, after: (Uuid, Uuid), size: i64) -> Result<Vec<ForeignRow>> {
    Ok(on!(db, c => sqlx::query_as::<_, ForeignRow>(
        "SELECT workspace_id, id, wrapped, wrapped_by FROM atom_data_keys
          WHERE destroyed_at IS NULL AND wrapped_by = $1 AND (workspace_id, id) > ($2, $3) ORDER BY workspace_id, id LIMIT $4")
        .bind(fingerprint).bind(after.0).bind(after.1).bind(size).fetch_all(c).await)?)
}

/// Stores a data key as the new key wraps it, if it is still as it was read.
pub(super) async fn rewrap(tx: &mut Tx, was: &ForeignRow, wrapped: &Wrapped) -> Result<bool> {
    let changed = on!(tx: tx, c => sqlx::query(
        "UPDATE atom_data_keys SET wrapped = $3, wrapped_by = $4
          WHERE workspace_id = $1 AND id = $2 AND wrapped = $5 AND destroyed_at IS NULL")
        .bind(was.workspace_id).bind(was.id).bind(&wrapped.bytes).bind(&wrapped.by).bind(&was.wrapped)
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(changed > 0)
}

/// Lets a key wrap again that was retired.
pub(super) async fn take_into_use(tx: &mut Tx, fingerprint: &str) -> Result<bool> {
    let changed = on!(tx: tx, c => sqlx::query(
        "UPDATE atom_wrapping_keys SET retired_at = NULL WHERE fingerprint = $1 AND retired_at IS NOT NULL")
        .bind(fingerprint).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(changed > 0)
}

/// Retires a key, once, if it wraps no data key any more.
pub(super) async fn retire(tx: &mut Tx, fingerprint: &str, now: DateTime<Utc>) -> Result<bool> {
    if matches!(tx.open, OpenTx::Pg(_)) {
        // Whoever stores a new data key under it holds this row. What was stored meanwhile is seen by the next statement only.
        let held: Option<(String,)> = on!(tx: tx, c => sqlx::query_as(
            "SELECT fingerprint FROM atom_wrapping_keys WHERE fingerprint = $1 FOR UPDATE").bind(fingerprint).fetch_optional(c).await)?;
        if held.is_none() {
            return Ok(false);
        }
    }
    let retired = on!(tx: tx, c => sqlx::query(
        "UPDATE atom_wrapping_keys SET retired_at = $2
          WHERE fingerprint = $1 AND retired_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM atom_data_keys WHERE wrapped_by = $1 AND destroyed_at IS NULL)")
        .bind(fingerprint).bind(Timestamp::from(now)).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(retired > 0)
}

/// Notes since when no record names a data key; none, if one does.
pub(super) async fn set_idle(tx: &mut Tx, workspace: WorkspaceId, id: DataKeyId, since: Option<DateTime<Utc>>) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query("UPDATE atom_data_keys SET idle_since = $3 WHERE workspace_id = $1 AND id = $2")
        .bind(workspace.0).bind(id.0).bind(since.map(Timestamp::from)).execute(c).await.map(drop))?)
}

/// Destroys a data key, once, unless it is the newest of its workspace.
pub(super) async fn destroy(tx: &mut Tx, workspace: WorkspaceId, id: DataKeyId, now: DateTime<Utc>) -> Result<bool> {
    let empty: &[u8] = &[];
    let changed = on!(tx: tx, c => sqlx::query(
        "UPDATE atom_data_keys SET wrapped = $3, destroyed_at = $4
          WHERE workspace_id = $1 AND id = $2 AND destroyed_at IS NULL
            AND generation < (SELECT MAX(generation) FROM atom_data_keys WHERE workspace_id = $1)")
        .bind(workspace.0).bind(id.0).bind(empty).bind(Timestamp::from(now)).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(changed > 0)
}

/// Destroys all data keys of a workspace, and returns those that were not destroyed before.
pub(super) async fn destroy_all(tx: &mut Tx, workspace: WorkspaceId, now: DateTime<Utc>) -> Result<Vec<DataKeyId>> {
    let empty: &[u8] = &[];
    let destroyed: Vec<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_data_keys SET wrapped = $2, destroyed_at = $3 WHERE workspace_id = $1 AND destroyed_at IS NULL RETURNING id")
        .bind(workspace.0).bind(empty).bind(Timestamp::from(now)).fetch_all(c).await)?;
    Ok(destroyed.into_iter().map(|(id,)| DataKeyId(id)).collect())
}
