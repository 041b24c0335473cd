//! The installation's signing keys: Ed25519, private halves sealed in the database.

use super::keys::INSTALLATION;
use super::{KeyRing, Place, jws};
use crate::storage::{Db, Timestamp, on};
use crate::{Error, Result};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use uuid::Uuid;
use zeroize::Zeroizing;

/// Signs with the newest key and verifies with any key that is not retired.
pub(crate) struct SigningKeys {
    kid: Uuid,
    private: Zeroizing<Vec<u8>>,
    /// Public keys by id; another process may add one at any time.
    public: RwLock<HashMap<String, Vec<u8>>>,
}

impl SigningKeys {
    /// Loads the newest key, or makes the first one.
    pub(crate) async fn open(db: &Db, keys: &KeyRing, now: DateTime<Utc>) -> Result<Self> {
        let (kid, private) = match newest(db, keys).await? {
            Some(found) => found,
            None => {
                create(db, keys, now).await?;
                newest(db, keys).await?.ok_or_else(|| Error::internal("no_signing_key", "the signing key did not appear"))?
            }
        };
        let signing = Self { kid, private, public: RwLock::default() };
        signing.load_public(db).await?;
        Ok(signing)
    }

    /// A token of a type (its `typ`), signed.
    pub(crate) fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String> {
        jws::sign(&self.private, &self.kid.to_string(), typ, claims)
    }

    /// The claims of a token of ours, or `None`. No database is asked unless the key is new to this process.
    pub(crate) async fn verify<T: DeserializeOwned>(&self, db: &Db, typ: &str, token: &str) -> Result<Option<T>> {
        let Some(kid) = jws::kid(token) else { return Ok(None) };
        if self.public_key(&kid).is_none() {
            self.load_public(db).await?;
        }
        Ok(self.public_key(&kid).and_then(|key| jws::verify(&key, typ, token)))
    }

    fn public_key(&self, kid: &str) -> Option<Vec<u8>> {
        self.public.read().unwrap_or_else(PoisonError::into_inner).get(kid).cloned()
    }

    async fn load_public(&self, db: &Db) -> Result<()> {
        let rows: Vec<(Uuid, Vec<u8>)> = on!(db, c => sqlx::query_as("SELECT id, public_key FROM atom_signing_keys WHERE retired_at IS NULL").fetch_all(c).await)?;
        *self.public.write().unwrap_or_else(PoisonError::into_inner) =
            rows.into_iter().map(|(id, key)| (id.to_string(), key)).collect();
        Ok(())
    }
}

fn place(id: &Uuid) -> Place<'_> {
    Place { workspace: INSTALLATION, table: "atom_signing_keys", row: id.as_bytes(), field: "private_key", version: 1 }
}

async fn newest(db: &Db, keys: &KeyRing) -> Result<Option<(Uuid, Zeroizing<Vec<u8>>)>> {
    let row: Option<(Uuid, Vec<u8>)> = on!(db, c => sqlx::query_as(
        "SELECT id, private_key FROM atom_signing_keys WHERE retired_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 1")
        .fetch_optional(c).await)?;
    let Some((id, sealed)) = row else { return Ok(None) };
    Ok(Some((id, keys.open_record(db, &place(&id), &sealed).await?)))
}

async fn create(db: &Db, keys: &KeyRing, now: DateTime<Utc>) -> Result<()> {
    let id = Uuid::now_v7();
    let (private, public) = jws::generate()?;
    let sealed = keys.seal_record(db, &place(&id), &private).await?;
    let mut tx = db.begin_durable().await?;
    on!(tx: &mut tx, c => sqlx::query("INSERT INTO atom_signing_keys (id, public_key, private_key, created_at) VALUES ($1, $2, $3, $4)")
        .bind(id).bind(public).bind(sealed).bind(Timestamp::from(now)).execute(c).await.map(drop))?;
    tx.commit().await
}
