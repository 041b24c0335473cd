//! The key ring: one data key per workspace, unwrapped once per process.

use super::{Key, KeyProvider, Place, length_prefixed, random_key, record};
use crate::storage::{Db, Timestamp, Tx, on};
use crate::{Error, Result, WorkspaceId};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use uuid::Uuid;
use zeroize::Zeroizing;

/// The owner of what belongs to the installation itself: signing keys and the key check.
pub(crate) const INSTALLATION: WorkspaceId = WorkspaceId(Uuid::nil());

const KEY_CHECK: Place<'static> =
    Place { workspace: INSTALLATION, table: "atom_installation", row: b"1", field: "key_check", version: 1 };

/// Seals and opens records.
pub(crate) struct KeyRing {
    provider: Arc<dyn KeyProvider>,
    /// Unwrapped data keys by workspace and id. They never leave this map except by reference count.
    unwrapped: RwLock<HashMap<(WorkspaceId, Uuid), Arc<Key>>>,
    /// The newest data key of each workspace: the one that seals.
    newest: RwLock<HashMap<WorkspaceId, Uuid>>,
}

impl KeyRing {
    /// Opens the ring and proves that the provider holds the key of this installation. A new installation gets its first key.
    pub(crate) async fn open(db: &Db, provider: Arc<dyn KeyProvider>, now: DateTime<Utc>) -> Result<Self> {
        let ring = Self { provider, unwrapped: RwLock::default(), newest: RwLock::default() };
        if ring.stored_check(db).await?.is_none() {
            ring.install(db, now).await?;
        }
        let check = ring
            .stored_check(db)
            .await?
            .ok_or_else(|| Error::internal("no_installation", "the installation row did not appear"))?;
        ring.open_record(db, &KEY_CHECK, &check).await?;
        Ok(ring)
    }

    async fn stored_check(&self, db: &Db) -> Result<Option<Vec<u8>>> {
        let row: Option<(Vec<u8>,)> =
            on!(db, c => sqlx::query_as("SELECT key_check FROM atom_installation WHERE id = 1").fetch_optional(c).await)?;
        Ok(row.map(|(check,)| check))
    }

    async fn install(&self, db: &Db, now: DateTime<Utc>) -> Result<()> {
        let first_key = self.new_key(INSTALLATION).await?;
        let check = first_key.seal(&KEY_CHECK, b"atom")?;
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

    /// A fresh data key, wrapped. The provider may be a service far away, so this happens before any transaction.
    pub(crate) async fn new_key(&self, workspace: WorkspaceId) -> Result<NewKey> {
        let (id, key) = (Uuid::now_v7(), random_key()?);
        let wrapped = self.provider.wrap(&key[..], &context(workspace, id)).await?;
        Ok(NewKey { workspace, id, key, wrapped, wrapped_by: self.provider.fingerprint() })
    }

    /// Seals a value for its place under the newest data key of the workspace.
    pub(crate) async fn seal_record(&self, db: &Db, place: &Place<'_>, plain: &[u8]) -> Result<Vec<u8>> {
        let cached = self.newest.read().unwrap_or_else(PoisonError::into_inner).get(&place.workspace).copied();
        let id = match cached {
            Some(id) => id,
            None => {
                let row: Option<(Uuid,)> = on!(db, c => sqlx::query_as(
                    "SELECT id FROM atom_data_keys WHERE workspace_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1")
                    .bind(place.workspace.0).fetch_optional(c).await)?;
                let (id,) = row.ok_or_else(|| Error::not_found("workspace"))?;
                self.newest.write().unwrap_or_else(PoisonError::into_inner).insert(place.workspace, id);
                id
            }
        };
        record::seal(&*self.data_key(db, place.workspace, id).await?, id, place, plain)
    }

    /// Opens a value at its place.
    pub(crate) async fn open_record(&self, db: &Db, place: &Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let id = record::key_id(sealed)?;
        record::open(&*self.data_key(db, place.workspace, id).await?, place, sealed)
    }

    async fn data_key(&self, db: &Db, workspace: WorkspaceId, id: Uuid) -> Result<Arc<Key>> {
        let cached = self.unwrapped.read().unwrap_or_else(PoisonError::into_inner).get(&(workspace, id)).cloned();
        if let Some(key) = cached {
            return Ok(key);
        }
        let row: Option<(Vec<u8>, String)> = on!(db, c => sqlx::query_as(
            "SELECT wrapped, wrapped_by FROM atom_data_keys WHERE workspace_id = $1 AND id = $2")
            .bind(workspace.0).bind(id).fetch_optional(c).await)?;
        let (wrapped, wrapped_by) = row.ok_or_else(|| {
            Error::sealed("data_key_missing", "a stored secret names a data key that is gone: restore the last backup")
        })?;
        let ours = self.provider.fingerprint();
        if wrapped_by != ours {
            let text =
                format!("this database was sealed with key {wrapped_by}, but {ours} was given: give the key it was made with");
            return Err(Error::sealed("wrong_key", text));
        }
        let plain = self.provider.unwrap(&wrapped, &context(workspace, id)).await?;
        let bytes = <[u8; 32]>::try_from(&plain[..])
            .map_err(|_| Error::sealed("data_key_malformed", "the key provider returned a data key of a wrong length"))?;
        let key = Arc::new(Zeroizing::new(bytes));
        self.unwrapped.write().unwrap_or_else(PoisonError::into_inner).insert((workspace, id), Arc::clone(&key));
        Ok(key)
    }
}

/// A data key that is not stored yet.
pub(crate) struct NewKey {
    workspace: WorkspaceId,
    id: Uuid,
    key: Key,
    wrapped: Vec<u8>,
    wrapped_by: String,
}

impl NewKey {
    /// Seals a value that is stored in the same transaction as the key.
    pub(crate) fn seal(&self, place: &Place<'_>, plain: &[u8]) -> Result<Vec<u8>> {
        record::seal(&self.key, self.id, place, plain)
    }

    /// Stores the key, in the transaction that makes its workspace.
    pub(crate) async fn insert(self, tx: &mut Tx, now: DateTime<Utc>) -> Result<()> {
        Ok(on!(tx: tx, c => sqlx::query(
            "INSERT INTO atom_data_keys (workspace_id, id, wrapped, wrapped_by, created_at) VALUES ($1, $2, $3, $4, $5)")
            .bind(self.workspace.0).bind(self.id).bind(self.wrapped).bind(self.wrapped_by).bind(Timestamp::from(now))
            .execute(c).await.map(drop))?)
    }
}

fn context(workspace: WorkspaceId, id: Uuid) -> Vec<u8> {
    length_prefixed([&b"atom data key"[..], workspace.0.as_bytes(), id.as_bytes()])
}
