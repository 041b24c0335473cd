//! Connections that are kept at hand between two statements.
//!
//! A pool asks each connection how it is when it comes back, which costs as much as a short statement does.

use crate::Result;
use sqlx::pool::PoolConnection;
use sqlx::{Database, PgPool, Postgres, SqlStr, Sqlite, SqliteConnection, SqlitePool, Transaction};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::OwnedMutexGuard;

/// How long a writer waits for its turn.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a connection to a server may have been idle to be used without a question.
pub(super) const FRESH: Duration = Duration::from_secs(1);

/// A connection that is held between two uses, and may be dropped where no runtime is: as a host's collector drops the last handle.
struct AtHand<DB: Database>(Option<PoolConnection<DB>>);

impl<DB: Database> AtHand<DB> {
    fn new(connection: PoolConnection<DB>) -> Self {
        Self(Some(connection))
    }

    fn into_inner(mut self) -> PoolConnection<DB> {
        self.0.take().expect(AT_HAND)
    }
}

impl<DB: Database> Drop for AtHand<DB> {
    fn drop(&mut self) {
        // The way back to the pool is a task. Without a runtime the connection is just closed.
        if let Some(connection) = self.0.take()
            && tokio::runtime::Handle::try_current().is_err()
        {
            drop(connection.detach());
        }
    }
}

const AT_HAND: &str = "the connection is there until it is taken out";

/// The one connection of this process that writes to a file. Its tasks queue here, in order, instead of polling the file's lock.
#[derive(Clone)]
pub(crate) struct Writer {
    pool: SqlitePool,
    kept: Arc<tokio::sync::Mutex<Option<AtHand<Sqlite>>>>,
}

/// A turn at writing: for one statement that is a transaction of its own.
pub(crate) struct Turn(OwnedMutexGuard<Option<AtHand<Sqlite>>>);

impl Writer {
    pub(super) fn new(pool: SqlitePool) -> Self {
        Self { pool, kept: Arc::default() }
    }

    /// Waits for a turn.
    pub(crate) async fn turn(&self) -> Result<Turn> {
        let lock = tokio::time::timeout(PATIENCE, Arc::clone(&self.kept).lock_owned()).await;
        let mut kept = lock.map_err(|_| sqlx::Error::PoolTimedOut)?;
        if kept.is_none() {
            // A transaction took it, and gives it back to the pool.
            *kept = Some(AtHand::new(self.pool.acquire().await?));
        }
        Ok(Turn(kept))
    }

    /// Begins a transaction that has the file's lock from its first statement on: one that reads first and writes later would fail
    /// instead of waiting.
    pub(super) async fn begin(&self) -> Result<Transaction<'static, Sqlite>> {
        let mut turn = self.turn().await?;
        match turn.0.take() {
            Some(connection) => {
                Ok(Transaction::begin(connection.into_inner(), Some(SqlStr::from_static("BEGIN IMMEDIATE"))).await?)
            }
            None => Err(sqlx::Error::PoolClosed.into()),
        }
    }

    pub(super) async fn close(&self) {
        // Nobody gets a turn meanwhile, and so none keeps the connection that the pool waits for.
        let mut kept = self.kept.lock().await;
        drop(kept.take());
        self.pool.close().await;
    }
}

impl Deref for Turn {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        self.0.as_ref().and_then(|kept| kept.0.as_ref()).expect("a turn has the connection")
    }
}

impl DerefMut for Turn {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.0.as_mut().and_then(|kept| kept.0.as_mut()).expect("a turn has the connection")
    }
}

/// A connection to a server that was used a moment ago.
#[derive(Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<Slot>>);

/// A connection, and when it was used last.
type Slot = Option<(AtHand<Postgres>, Instant)>;

impl Kept {
    /// The connection that is at hand, or one of the pool.
    pub(super) async fn take(&self, pool: &PgPool) -> Result<PoolConnection<Postgres>> {
        let kept = self.slot().take();
        match kept {
            Some((connection, since)) if since.elapsed() < FRESH && !pool.is_closed() => Ok(connection.into_inner()),
            _ => Ok(pool.acquire().await?),
        }
    }

    /// Keeps a connection whose statement succeeded. One whose statement failed goes back to the pool, which asks it how it is.
    pub(super) fn keep(&self, connection: PoolConnection<Postgres>) {
        let before = self.slot().replace((AtHand::new(connection), Instant::now()));
        drop(before);
    }

    /// Closes the pool, and with it the connection that is at hand, or will be when a statement under way has succeeded.
    pub(super) async fn close(&self, pool: &PgPool) {
        let mut closing = std::pin::pin!(pool.close());
        loop {
            drop(self.slot().take());
            if tokio::time::timeout(Duration::from_millis(20), &mut closing).await.is_ok() {
                return;
            }
        }
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Slot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
