//! The installation's signing keys: Ed25519, private halves sealed in the database.
//!
//! They take turns. A key is published some time before it signs, so that whoever keeps the public keys has it by then; its predecessor
//! verifies until every token that it signed is over. Each process keeps what it read of the ring and looks again now and then; for a key that
//! it does not know it looks at once. So no token is refused because of a rotation, in whatever process, and however soon.

use super::keys::INSTALLATION;
use super::{KeyRing, Place, jws};
use crate::storage::{Db, Timestamp, Tx, on, row};
use crate::{Error, Result};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;
use tokio::sync::{Mutex, OnceCell};
use uuid::Uuid;
use zeroize::Zeroizing;

/// How long a token is valid at most that is verified by these keys.
pub(crate) const TOKEN_LIFE: TimeDelta = TimeDelta::minutes(15);
/// How old may be what a process knows of the ring. So long a process may sign with the key before, or accept one that was taken away.
const LOOK: TimeDelta = TimeDelta::seconds(30);
/// How long a key verifies after its successor began to sign: a token's life, how long a process may not have looked, and what clocks
/// may differ.
pub(crate) const OVERLAP: TimeDelta = TimeDelta::minutes(20);

row! {
    struct KeyRow { id: Uuid, public_key: Vec<u8>, private_key: Option<Vec<u8>>, created_at: Timestamp, signs_from: Timestamp }
}

/// Signs with the key whose turn it is, and verifies with those whose tokens may live.
pub(crate) struct SigningRing {
    known: RwLock<Arc<Reading>>,
    /// Held by whoever reads the ring: one does for all that wait.
    looking: Mutex<()>,
    /// Held by whoever rotates or retires because it is time: one per process is enough.
    pub(crate) tending: Mutex<()>,
    /// The age at which a key gets a successor; none if only people rotate.
    longest: Option<TimeDelta>,
}

/// The ring as the database had it.
struct Reading {
    read_at: DateTime<Utc>,
    begun: Instant,
    /// In the order of their turns.
    keys: Vec<Arc<RingKey>>,
}

struct RingKey {
    id: Uuid,
    kid: String,
    public: Vec<u8>,
    sealed: Option<Vec<u8>>,
    created_at: DateTime<Utc>,
    signs_from: DateTime<Utc>,
    /// The private half, once it was needed.
    private: OnceCell<Zeroizing<Vec<u8>>>,
}

/// A key pair that is about to be stored.
pub(crate) struct NewSigningKey {
    pub(crate) id: Uuid,
    public: Vec<u8>,
    sealed: Vec<u8>,
}

impl NewSigningKey {
    /// Call it before a write transaction, not in one.
    pub(crate) async fn generate(db: &Db, keys: &KeyRing) -> Result<Self> {
        let id = Uuid::now_v7();
        let (private, public) = jws::generate()?;
        Ok(Self { id, public, sealed: keys.seal_record(db, &place(&id), &private).await? })
    }

    pub(crate) async fn insert(&self, tx: &mut Tx, now: DateTime<Utc>, signs_from: DateTime<Utc>) -> Result<()> {
        Ok(on!(tx: tx, c => sqlx::query(
            "INSERT INTO atom_signing_keys (id, public_key, private_key, created_at, signs_from) VALUES ($1, $2, $3, $4, $5)")
            .bind(self.id).bind(&self.public).bind(&self.sealed).bind(Timestamp::from(now)).bind(Timestamp::from(signs_from))
            .execute(c).await.map(drop))?)
    }
}

impl Reading {
    fn key(&self, kid: &str) -> Option<usize> {
        self.keys.iter().position(|key| key.kid == kid)
    }

    /// The key whose turn it is: the last that has begun, or the first where a clock is behind.
    fn current(&self, now: DateTime<Utc>) -> Option<&Arc<RingKey>> {
        self.keys.iter().rev().find(|key| key.signs_from <= now).or_else(|| self.keys.first())
    }

    /// When nothing lives any more that a key has signed; none as long as no other has its turn after it.
    fn over_at(&self, i: usize) -> Option<DateTime<Utc>> {
        self.keys.get(i + 1).map(|next| next.signs_from + OVERLAP)
    }

    fn over(&self, now: DateTime<Utc>) -> impl Iterator<Item = Uuid> {
        let is_over = move |i: &usize| self.over_at(*i).is_some_and(|at| at <= now);
        (0..self.keys.len()).filter(is_over).map(|i| self.keys[i].id)
    }

    fn is_stale(&self, now: DateTime<Utc>) -> bool {
        // A clock that was set back makes it stale, too.
        (now - self.read_at).abs() > LOOK
    }
}

impl SigningRing {
    /// Reads the ring, or makes the first key.
    pub(crate) async fn open(db: &Db, keys: &KeyRing, longest: Option<TimeDelta>, now: DateTime<Utc>) -> Result<Self> {
        let mut reading = read(db, now, &[]).await?;
        if reading.keys.is_empty() {
            let key = NewSigningKey::generate(db, keys).await?;
            let mut tx = db.begin_durable().await?;
            key.insert(&mut tx, now, now).await?;
            tx.commit().await?;
            reading = read(db, now, &[]).await?;
        }
        Ok(Self { known: RwLock::new(Arc::new(reading)), looking: Mutex::default(), tending: Mutex::default(), longest })
    }

    /// A token of a type (its `typ`), signed.
    pub(crate) async fn sign(
        &self,
        db: &Db,
        keys: &KeyRing,
        typ: &str,
        claims: &impl Serialize,
        now: DateTime<Utc>,
    ) -> Result<String> {
        if self.known().is_stale(now) {
            let _looking = self.looking.lock().await;
            if self.known().is_stale(now) {
                self.read_anew(db, now).await?;
            }
        }
        let reading = self.known();
        let missing = || Error::internal("no_signing_key", "there is no signing key");
        let key = reading.current(now).ok_or_else(missing)?;
        let open = || async {
            let sealed = key.sealed.as_ref().ok_or_else(missing)?;
            keys.open_record(db, &place(&key.id), sealed).await
        };
        jws::sign(key.private.get_or_try_init(open).await?, &key.kid, typ, claims)
    }

    /// The claims of a token of ours, or `None`. No database is asked but for a key that this process does not know, and by one caller now and then.
    pub(crate) async fn verify<T: DeserializeOwned>(
        &self,
        db: &Db,
        typ: &str,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<T>> {
        let Some(kid) = jws::kid(token).filter(|kid| is_kid(kid)) else { return Ok(None) };
        if self.known().is_stale(now)
            && let Ok(_looking) = self.looking.try_lock()
            && let Err(error) = self.read_anew(db, now).await
        {
            tracing::warn!(%error, "the signing keys cannot be read again: those that are known go on verifying");
            self.postpone(now);
        }
        if self.known().key(&kid).is_none() {
            self.look_for(db, &kid, now).await?;
        }
        let reading = self.known();
        let found = reading.key(&kid).filter(|i| reading.over_at(*i).is_none_or(|at| at > now));
        Ok(found.and_then(|i| jws::verify(&reading.keys[i].public, typ, token)))
    }

    /// The claims of a text that somebody kept, signed by any key that the installation ever had.
    pub(crate) async fn verify_kept<T: DeserializeOwned>(&self, db: &Db, typ: &str, text: &str) -> Result<Option<T>> {
        let id = jws::kid(text).filter(|kid| is_kid(kid)).and_then(|kid| Uuid::try_parse(&kid).ok());
        let Some(id) = id else { return Ok(None) };
        let key: Option<(Vec<u8>,)> = on!(db, c => sqlx::query_as("SELECT public_key FROM atom_signing_keys WHERE id = $1")
            .bind(id).fetch_optional(c).await)?;
        Ok(key.and_then(|(key,)| jws::verify(&key, typ, text)))
    }

    /// Whether it is time for the next key: the age of the newest says so.
    pub(crate) fn is_worn(&self, now: DateTime<Utc>) -> bool {
        let newest = self.known().keys.iter().map(|key| key.created_at).max();
        newest.is_some_and(|at| self.is_too_old(at, now))
    }

    /// Whether a key that was made then needs a successor.
    pub(crate) fn is_too_old(&self, created_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        self.longest.is_some_and(|longest| created_at + longest <= now)
    }

    /// The keys that can be retired, as far as this process knows.
    pub(crate) fn over(&self, now: DateTime<Utc>) -> Vec<Uuid> {
        self.known().over(now).collect()
    }

    /// Reads the ring again, after it was changed.
    pub(crate) async fn look_again(&self, db: &Db, now: DateTime<Utc>) -> Result<()> {
        let _looking = self.looking.lock().await;
        self.read_anew(db, now).await
    }

    /// Looks for a key that is new to this process. However many look for one, the ring is read by one at a time, and a reading that began after
    /// somebody asked answers them too: unknown keys of somebody's invention cost one reading, not one each.
    async fn look_for(&self, db: &Db, kid: &str, now: DateTime<Utc>) -> Result<()> {
        let asked = Instant::now();
        let _looking = self.looking.lock().await;
        let reading = self.known();
        if reading.key(kid).is_some() || reading.begun > asked {
            return Ok(());
        }
        self.read_anew(db, now).await
    }

    /// Whoever calls it holds `looking`.
    async fn read_anew(&self, db: &Db, now: DateTime<Utc>) -> Result<()> {
        let reading = read(db, now, &self.known().keys).await?;
        self.put(reading);
        Ok(())
    }

    /// Lets the next attempt to read wait as long as if this one had succeeded.
    fn postpone(&self, now: DateTime<Utc>) {
        let reading = self.known();
        self.put(Reading { read_at: now, begun: reading.begun, keys: reading.keys.clone() });
    }

    fn known(&self) -> Arc<Reading> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(&self, reading: Reading) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(reading);
    }
}

/// A `kid` is an id as it is written: nobody else's spelling of it, and no text of any length.
fn is_kid(kid: &str) -> bool {
    kid.len() == 36 && Uuid::try_parse(kid).is_ok_and(|id| id.to_string() == kid)
}

/// The place of a sealed private half.
fn place(id: &Uuid) -> Place<'_> {
    Place { workspace: INSTALLATION, table: "atom_signing_keys", row: id.as_bytes(), field: "private_key", version: 1 }
}

/// Reads the ring. Private halves that were opened before stay open.
async fn read(db: &Db, now: DateTime<Utc>, known: &[Arc<RingKey>]) -> Result<Reading> {
    let begun = Instant::now();
    let rows: Vec<KeyRow> = on!(db, c => sqlx::query_as(
        "SELECT id, public_key, private_key, created_at, signs_from FROM atom_signing_keys WHERE retired_at IS NULL ORDER BY signs_from, id")
        .fetch_all(c).await)?;
    let key = |row: KeyRow| {
        let opened = known.iter().find(|key| key.id == row.id && key.private.initialized());
        opened.cloned().unwrap_or_else(|| {
            Arc::new(RingKey {
                id: row.id,
                kid: row.id.to_string(),
                public: row.public_key,
                sealed: row.private_key,
                created_at: row.created_at.0,
                signs_from: row.signs_from.0,
                private: OnceCell::new(),
            })
        })
    };
    Ok(Reading { read_at: now, begun, keys: rows.into_iter().map(key).collect() })
}
