//! The key ring: the data keys of the workspaces, unwrapped once per process.
//!
//! A workspace may have several data keys. The one of the highest generation seals, all others only open what they have sealed until
//! nothing of it is left (`crate::keys`).

use super::usage::{self, Bounds, OnWorn, Usage, Worn};
use super::wrapping::{Wrapped, WrappingKeys};
use super::{Key, Place, length_prefixed, random_key, record};
use crate::clock::Clock;
use crate::storage::{Db, OpenTx, Timestamp, Tx, on};
use crate::{Error, Result, WorkspaceId};
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use uuid::Uuid;
use zeroize::Zeroizing;

/// The owner of what belongs to the installation itself: signing keys and the key check.
pub(crate) const INSTALLATION: WorkspaceId = WorkspaceId(Uuid::nil());

const KEY_CHECK: Place<'static> =
    Place { workspace: INSTALLATION, table: "atom_installation", row: b"1", field: "key_check", version: 1 };

/// What tests make smaller.
#[derive(Clone, Copy)]
pub(crate) struct Tuning {
    /// How long a process may go on sealing under a key that was the newest when it looked.
    pub(crate) look: Duration,
    /// How long nothing may have named an older data key before it is destroyed: far longer than any process takes from the sealing of a
    /// record to the commit that stores it, or from reading one to opening it.
    pub(crate) quiet: TimeDelta,
    pub(crate) bounds: Bounds,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { look: Duration::from_secs(10), quiet: TimeDelta::days(1), bounds: Bounds::default() }
    }
}

/// Seals and opens records.
pub(crate) struct KeyRing {
    pub(crate) wrapping: WrappingKeys,
    clock: Arc<dyn Clock>,
    worn: OnWorn,
    tuning: RwLock<Tuning>,
    /// What the key check holds: known to this installation only, and the same for ever, whatever keys seal it.
    secret: Zeroizing<Vec<u8>>,
    /// Unwrapped data keys by workspace and id. They never leave this map except by reference count.
    unwrapped: RwLock<HashMap<(WorkspaceId, Uuid), Arc<DataKey>>>,
    /// The newest data key of each workspace, and when this process looked.
    newest: RwLock<HashMap<WorkspaceId, (Uuid, Instant)>>,
}

/// An unwrapped data key.
pub(super) struct DataKey {
    pub(super) workspace: WorkspaceId,
    pub(super) id: Uuid,
    key: Key,
    pub(super) usage: Usage,
}

impl KeyRing {
    /// Opens the ring and proves that this process holds every key that wraps a data key of this installation. A new installation gets
    /// its first data key.
    pub(crate) async fn open(db: &Db, wrapping: WrappingKeys, clock: Arc<dyn Clock>, worn: OnWorn) -> Result<Self> {
        let now = clock.now();
        let (tuning, secret) = (RwLock::default(), Zeroizing::default());
        let mut ring = Self { wrapping, clock, worn, tuning, secret, unwrapped: RwLock::default(), newest: RwLock::default() };
        ring.check(db).await?;
        ring.note(db, now).await?;
        if ring.stored_check(db).await?.is_none() {
            ring.install(db, now).await?;
            // Another process may have installed it, with another key.
            ring.check(db).await?;
        }
        let check = ring
            .stored_check(db)
            .await?
            .ok_or_else(|| Error::internal("no_installation", "the installation row did not appear"))?;
        ring.secret = ring.open_record(db, &KEY_CHECK, &check).await?;
        Ok(ring)
    }

    /// Refuses keys that do not suffice, and tries one data key of each key that wraps any.
    async fn check(&self, db: &Db) -> Result<()> {
        let referenced = referenced(db).await?;
        let needed: Vec<String> = referenced.iter().map(|(fingerprint, ..)| fingerprint.clone()).collect();
        self.wrapping.check(&needed)?;
        for (_, workspace, id) in referenced {
            self.data_key(db, workspace, id).await?;
        }
        Ok(())
    }

    async fn stored_check(&self, db: &Db) -> Result<Option<Vec<u8>>> {
        let row: Option<(Vec<u8>,)> =
            on!(db, c => sqlx::query_as("SELECT key_check FROM atom_installation WHERE id = 1").fetch_optional(c).await)?;
        Ok(row.map(|(check,)| check))
    }

    async fn install(&self, db: &Db, now: DateTime<Utc>) -> Result<()> {
        let first_key = self.new_key(INSTALLATION).await?;
        let check = first_key.seal(&KEY_CHECK, &random_key()?[..])?;
        let mut tx = db.begin_durable().await?;
        // Of several processes that start together, one inserts the row and the others wait here, then find it.
        let first: Option<(i64,)> = on!(tx: &mut tx, c => sqlx::query_as(
            "INSERT INTO atom_installation (id, key_check, created_at) VALUES (1, $1, $2) ON CONFLICT DO NOTHING RETURNING CAST(id AS BIGINT)")
            .bind(check).bind(Timestamp::from(now)).fetch_optional(c).await)?;
        if first.is_some() {
            first_key.insert(&mut tx, now).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Writes down with which keys the installation was opened.
    async fn note(&self, db: &Db, now: DateTime<Utc>) -> Result<()> {
        // In one order: two processes that start together must not wait for each other.
        let mut fingerprints: Vec<&str> = self.wrapping.fingerprints().collect();
        fingerprints.sort_unstable();
        let mut tx = db.begin().await?;
        for fingerprint in fingerprints {
            let in_use = (fingerprint == self.wrapping.current()).then(|| Timestamp::from(now));
            on!(tx: &mut tx, c => sqlx::query(
                "INSERT INTO atom_wrapping_keys (fingerprint, first_seen_at, last_seen_at, in_use_since) VALUES ($1, $2, $2, $3)
                 ON CONFLICT (fingerprint) DO UPDATE SET
                    last_seen_at = excluded.last_seen_at, in_use_since = COALESCE(atom_wrapping_keys.in_use_since, excluded.in_use_since)")
                .bind(fingerprint).bind(Timestamp::from(now)).bind(in_use).execute(c).await.map(drop))?;
        }
        tx.commit().await
    }

    /// A hash that nobody else can compute, and that stays the same when keys are rotated: for what names something that might be guessed.
    pub(crate) fn keyed_hash<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes keys of any length");
        mac.update(&Zeroizing::new(length_prefixed(parts)));
        mac.finalize().into_bytes().into()
    }

    pub(crate) fn tuning(&self) -> Tuning {
        *self.tuning.read().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn tune(&self, tuning: Tuning) {
        *self.tuning.write().unwrap_or_else(PoisonError::into_inner) = tuning;
    }

    pub(super) async fn on_worn(&self, tx: &mut Tx, worn: Worn) -> Result<()> {
        (self.worn)(tx, worn, self.clock.now()).await
    }

    /// A fresh data key, wrapped. The provider may be a service far away, so this happens before any transaction.
    pub(crate) async fn new_key(&self, workspace: WorkspaceId) -> Result<NewKey> {
        let (id, key) = (Uuid::now_v7(), random_key()?);
        let wrapped = self.wrapping.wrap(&key, &context(workspace, id)).await?;
        Ok(NewKey { workspace, id, key, wrapped, seals: AtomicI64::new(0) })
    }

    /// The same data key, wrapped by the key that wraps now.
    pub(crate) async fn rewrap(&self, workspace: WorkspaceId, id: Uuid, wrapped: &Wrapped) -> Result<Wrapped> {
        let context = context(workspace, id);
        self.wrapping.wrap(&self.wrapping.unwrap(wrapped, &context).await?, &context).await
    }

    /// Seals a value for its place under the newest data key of the workspace. Call it before a write transaction, not in one: it may have to
    /// write how much the key has sealed, and on SQLite would wait for its own caller.
    pub(crate) async fn seal_record(&self, db: &Db, place: &Place<'_>, plain: &[u8]) -> Result<Vec<u8>> {
        let mut id = self.newest(db, place.workspace).await?;
        loop {
            let key = self.data_key(db, place.workspace, id).await?;
            if let Some(number) = usage::next(db, self, &key).await? {
                return record::seal(&key.key, id, place, plain, number);
            }
            // It has sealed all that it may. Another process may have replaced it.
            self.look_again(place.workspace);
            let newest = self.newest(db, place.workspace).await?;
            if newest == id {
                return Err(usage::exhausted(&key));
            }
            id = newest;
        }
    }

    /// Opens a value at its place.
    pub(crate) async fn open_record(&self, db: &Db, place: &Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let id = record::key_id(sealed)?;
        record::open(&self.data_key(db, place.workspace, id).await?.key, place, sealed)
    }

    /// The data key that seals for a workspace: the newest, or the one that was the newest a moment ago.
    pub(crate) async fn newest(&self, db: &Db, workspace: WorkspaceId) -> Result<Uuid> {
        let cached = self.newest.read().unwrap_or_else(PoisonError::into_inner).get(&workspace).copied();
        if let Some((id, looked_at)) = cached
            && looked_at.elapsed() < self.tuning().look
        {
            return Ok(id);
        }
        let looked_at = Instant::now();
        let row: Option<(Uuid,)> = on!(db, c => sqlx::query_as(
            "SELECT id FROM atom_data_keys WHERE workspace_id = $1 ORDER BY generation DESC LIMIT 1")
            .bind(workspace.0).fetch_optional(c).await)?;
        let (id,) = row.ok_or_else(|| Error::not_found("workspace"))?;
        self.newest.write().unwrap_or_else(PoisonError::into_inner).insert(workspace, (id, looked_at));
        Ok(id)
    }

    /// Forgets which data key of a workspace is the newest.
    pub(crate) fn look_again(&self, workspace: WorkspaceId) {
        self.newest.write().unwrap_or_else(PoisonError::into_inner).remove(&workspace);
    }

    /// Forgets the data keys of a workspace.
    pub(crate) fn forget(&self, workspace: WorkspaceId) {
        self.look_again(workspace);
        self.unwrapped.write().unwrap_or_else(PoisonError::into_inner).retain(|(owner, _), _| *owner != workspace);
    }

    pub(super) async fn data_key(&self, db: &Db, workspace: WorkspaceId, id: Uuid) -> Result<Arc<DataKey>> {
        let cached = self.unwrapped.read().unwrap_or_else(PoisonError::into_inner).get(&(workspace, id)).cloned();
        if let Some(key) = cached {
            return Ok(key);
        }
        let row: Option<(Vec<u8>, String)> = on!(db, c => sqlx::query_as(
            "SELECT wrapped, wrapped_by FROM atom_data_keys WHERE workspace_id = $1 AND id = $2 AND destroyed_at IS NULL")
            .bind(workspace.0).bind(id).fetch_optional(c).await)?;
        let (bytes, by) = row.ok_or_else(|| {
            Error::sealed("data_key_missing", "a stored secret names a data key that is gone: restore the last backup")
        })?;
        let key = self.wrapping.unwrap(&Wrapped { bytes, by }, &context(workspace, id)).await?;
        let key = Arc::new(DataKey { workspace, id, key, usage: Usage::default() });
        // Of two that came here together, both go on with the first: there is one count for a key.
        let mut unwrapped = self.unwrapped.write().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(unwrapped.entry((workspace, id)).or_insert(key)))
    }
}

/// The keys that wrap data keys, each with one of those.
pub(crate) async fn referenced(db: &Db) -> Result<Vec<(String, WorkspaceId, Uuid)>> {
    let mut found: Vec<(String, WorkspaceId, Uuid)> = Vec::new();
    loop {
        // From one key to the next in the index: their data keys may be millions.
        let after = found.last().map_or("", |(fingerprint, ..)| fingerprint.as_str());
        let row: Option<(String, Uuid, Uuid)> = on!(db, c => sqlx::query_as(
            "SELECT wrapped_by, workspace_id, id FROM atom_data_keys WHERE destroyed_at IS NULL AND wrapped_by > $1
              ORDER BY wrapped_by, workspace_id, id LIMIT 1").bind(after).fetch_optional(c).await)?;
        let Some((fingerprint, workspace, id)) = row else { return Ok(found) };
        found.push((fingerprint, WorkspaceId(workspace), id));
    }
}

/// A data key that is not stored yet.
pub(crate) struct NewKey {
    workspace: WorkspaceId,
    pub(crate) id: Uuid,
    key: Key,
    wrapped: Wrapped,
    seals: AtomicI64,
}

impl NewKey {
    /// Seals a value that is stored in the same transaction as the key.
    pub(crate) fn seal(&self, place: &Place<'_>, plain: &[u8]) -> Result<Vec<u8>> {
        record::seal(&self.key, self.id, place, plain, self.seals.fetch_add(1, Ordering::Relaxed))
    }

    /// Stores the key as the newest of its workspace, and returns its generation.
    ///
    /// Fails with `sealed` (`key_retired`) if the key that wraps it was retired, and with `conflict` if another process stores one.
    pub(crate) async fn insert(self, tx: &mut Tx, now: DateTime<Utc>) -> Result<i64> {
        // Whoever retires a key waits for this transaction, and then sees its data key; or this one waits, and sees that it was retired.
        const RETIRED: &str = "SELECT retired_at FROM atom_wrapping_keys WHERE fingerprint = $1";
        const RETIRED_PG: &str = "SELECT retired_at FROM atom_wrapping_keys WHERE fingerprint = $1 FOR SHARE";
        let sql = if matches!(tx.open, OpenTx::Pg(_)) { RETIRED_PG } else { RETIRED };
        let retired: Option<(Option<Timestamp>,)> =
            on!(tx: tx, c => sqlx::query_as(sql).bind(&self.wrapped.by).fetch_optional(c).await)?;
        if retired.is_some_and(|(at,)| at.is_some()) {
            let text = format!(
                "key {} was retired by a rotation: open this process with the key that took its place, or call `keys.rotate` to go back",
                self.wrapped.by
            );
            return Err(Error::sealed("key_retired", text));
        }
        let (generation,): (i64,) = on!(tx: tx, c => sqlx::query_as(
            "INSERT INTO atom_data_keys (workspace_id, id, wrapped, wrapped_by, seals, created_at, generation)
             VALUES ($1, $2, $3, $4, $5, $6, (SELECT COALESCE(MAX(generation), 0) + 1 FROM atom_data_keys WHERE workspace_id = $1))
             RETURNING generation")
            .bind(self.workspace.0).bind(self.id).bind(self.wrapped.bytes).bind(self.wrapped.by)
            .bind(self.seals.into_inner()).bind(Timestamp::from(now)).fetch_one(c).await)?;
        Ok(generation)
    }
}

fn context(workspace: WorkspaceId, id: Uuid) -> Vec<u8> {
    length_prefixed([&b"atom data key"[..], workspace.0.as_bytes(), id.as_bytes()])
}
