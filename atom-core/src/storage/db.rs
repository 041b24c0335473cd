//! Pools, transactions and the macros that run one text on either engine.

use super::kept::{FRESH, Kept, Turn, Writer};
use super::wake::{Topic, Wakes};
use super::{migrate, once};
use crate::{Error, Result};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{
    ConnectOptions as _, Connection as _, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool, Transaction,
};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The database of one installation.
#[derive(Clone)]
pub(crate) struct Db {
    pub(crate) engine: Engine,
    /// For PostgreSQL.
    kept: Kept,
    wakes: Wakes,
}

#[derive(Clone)]
pub(crate) enum Engine {
    Sqlite(SqlitePools),
    Pg(PgPool),
}

/// A database with the process that opened it: connections do not survive a fork.
#[derive(Clone)]
pub(crate) struct OwnDb {
    db: Db,
    pid: u32,
}

impl OwnDb {
    pub(crate) fn new(db: Db) -> Self {
        Self { db, pid: std::process::id() }
    }

    /// The database, unless this is a fork of the process that opened it.
    pub(crate) fn get(&self) -> Result<&Db> {
        if self.pid == std::process::id() {
            return Ok(&self.db);
        }
        Err(Error::invalid("opened_before_fork", "the database was opened before the process forked: open it again in the child"))
    }
}

/// SQLite has one writer at a time, and so has the process.
#[derive(Clone)]
pub(crate) struct SqlitePools {
    /// Where the file of a private database is. Dropped last.
    _scratch: Option<Arc<Scratch>>,
    pub(crate) read: SqlitePool,
    /// Commits survive a killed process (`synchronous = NORMAL` under WAL).
    pub(crate) write: Writer,
    /// Commits also survive a power cut (`FULL`): for what cannot be done again.
    pub(crate) durable: Writer,
}

/// The folder of a private database, removed with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("atom-{}", uuid::Uuid::now_v7().simple()));
        let failed =
            |e| Error::unavailable("disk_full", "no folder can be made for a private database: check TMPDIR").with_source(e);
        std::fs::create_dir(&folder).map_err(failed)?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The system clears its folder for temporary files some day.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A write transaction.
pub(crate) struct Tx {
    pub(crate) open: OpenTx,
    db: Db,
    /// What its commit makes new.
    topics: u8,
    at_end: AtEnd,
}

/// What is done when a transaction has ended, however it ended.
#[derive(Default)]
struct AtEnd(Vec<Box<dyn FnOnce() + Send + Sync>>);

impl Drop for AtEnd {
    fn drop(&mut self) {
        self.0.drain(..).for_each(|act| act());
    }
}

pub(crate) enum OpenTx {
    Sqlite(Transaction<'static, Sqlite>),
    Pg(Transaction<'static, Postgres>),
}

/// The connection of a transaction: ours, or one of the host's.
pub(crate) enum Conn<'a> {
    Sqlite(&'a mut SqliteConnection),
    Pg(&'a mut PgConnection),
}

/// A connection of our own for one statement that is a transaction of its own: `BEGIN` and `COMMIT` would take two more round trips.
pub(crate) enum Single {
    Sqlite(Turn),
    Pg(PoolConnection<Postgres>, Kept),
}

impl Single {
    pub(crate) fn conn(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(c) => Conn::Sqlite(c),
            Self::Pg(c, _) => Conn::Pg(c),
        }
    }

    /// Has the connection kept at hand, after its statement succeeded.
    pub(crate) fn keep(self) {
        if let Self::Pg(c, kept) = self {
            kept.keep(c);
        }
    }
}

impl Conn<'_> {
    /// The same connection once more.
    pub(crate) fn again(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(c) => Conn::Sqlite(c),
            Self::Pg(c) => Conn::Pg(c),
        }
    }
}

/// Runs one body on whichever engine `$db` is: `on!(db, c => sqlx::query(…).fetch_one(c).await)`.
/// For a [`Tx`], write `on!(tx: tx, c => …)`; for a [`Conn`], `on!(conn: conn, c => …)`; for one statement that is a transaction of its
/// own, `on!(write: db, c => …)`, or `durable:` where it must survive a power cut.
macro_rules! on {
    (tx: $tx:expr, $c:ident => $body:expr) => {
        match &mut ($tx).open {
            $crate::storage::OpenTx::Sqlite(t) => {
                let $c = &mut **t;
                $body
            }
            $crate::storage::OpenTx::Pg(t) => {
                let $c = &mut **t;
                $body
            }
        }
    };
    (conn: $conn:expr, $c:ident => $body:expr) => {
        match $conn {
            $crate::storage::Conn::Sqlite($c) => $body,
            $crate::storage::Conn::Pg($c) => $body,
        }
    };
    (write: $db:expr, $c:ident => $body:expr) => {
        match &($db).engine {
            $crate::storage::Engine::Sqlite(pools) => {
                let mut turn = pools.write.turn().await?;
                let $c = &mut *turn;
                $body
            }
            $crate::storage::Engine::Pg($c) => $body,
        }
    };
    (durable: $db:expr, $c:ident => $body:expr) => {
        match &($db).engine {
            $crate::storage::Engine::Sqlite(pools) => {
                let mut turn = pools.durable.turn().await?;
                let $c = &mut *turn;
                $body
            }
            $crate::storage::Engine::Pg($c) => $body,
        }
    };
    ($db:expr, $c:ident => $body:expr) => {
        match &($db).engine {
            $crate::storage::Engine::Sqlite(pools) => {
                let $c = &pools.read;
                $body
            }
            $crate::storage::Engine::Pg($c) => $body,
        }
    };
}
pub(crate) use on;

/// A row type for both engines, without a derive macro.
macro_rules! row {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$fmeta:meta])* $field:ident: $ty:ty),* $(,)? }) => {
        $(#[$meta])*
        $vis struct $name { $($(#[$fmeta])* pub(crate) $field: $ty),* }

        impl<'r, R: ::sqlx::Row> ::sqlx::FromRow<'r, R> for $name
        where
            &'static str: ::sqlx::ColumnIndex<R>,
            $($ty: ::sqlx::Decode<'r, R::Database> + ::sqlx::Type<R::Database>),*
        {
            fn from_row(row: &'r R) -> ::sqlx::Result<Self> {
                Ok(Self { $($field: row.try_get(stringify!($field))?),* })
            }
        }
    };
}
pub(crate) use row;

/// The URL of a database that nobody else sees and that vanishes when it is closed.
pub(crate) const PRIVATE: &str = "memory:";

impl Db {
    fn of(engine: Engine) -> Self {
        Self { engine, kept: Kept::default(), wakes: Wakes::new() }
    }

    /// Connects to `sqlite:PATH` (the file is made if it is missing), `postgres://…` or `memory:`. Nothing is migrated yet.
    pub(crate) async fn connect(url: &str) -> Result<Self> {
        if url == PRIVATE {
            let scratch = Scratch::new()?;
            let file = scratch.0.join("atom.db").display().to_string();
            Self::connect_sqlite(&file, Some(scratch)).await
        } else if let Some(path) = url.strip_prefix("sqlite:") {
            Self::connect_sqlite(path.strip_prefix("//").unwrap_or(path), None).await
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let options = PgConnectOptions::from_str(url).map_err(|e| malformed_url().with_source(e))?;
            let options = options.application_name("atom");
            // A pool would hide why it cannot connect behind its own time-out.
            options.connect().await?.close().await?;
            // Short statements over lists of rows look expensive to the planner, which would then compile each of them for 10 ms.
            // And a process that was frozen or cut off in a transaction must not hold its locks until it is missed as a peer of TCP.
            const SETTINGS: &str = "SET jit = off; SET idle_in_transaction_session_timeout = '10s'";
            let pool = PgPoolOptions::new()
                .max_connections(16)
                .acquire_timeout(Duration::from_secs(10))
                // Asking a connection how it is costs as much as a short statement: only one that had time to break is asked.
                .test_before_acquire(false)
                .before_acquire(|c, about| {
                    Box::pin(async move {
                        if about.idle_for > FRESH {
                            c.ping().await?;
                        }
                        Ok(true)
                    })
                })
                .after_connect(|c, _| Box::pin(async move { sqlx::raw_sql(SETTINGS).execute(c).await.map(drop) }));
            let pool = pool.connect_with(options).await?;
            Ok(Self::of(Engine::Pg(pool)))
        } else {
            Err(malformed_url())
        }
    }

    async fn connect_sqlite(path: &str, scratch: Option<Scratch>) -> Result<Self> {
        if path.is_empty() || path.starts_with(":memory:") || path.contains('?') {
            return Err(malformed_url());
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(30));
        let is_private = scratch.is_some();
        let pool = |synchronous, connections| {
            let synchronous = if is_private { SqliteSynchronous::Off } else { synchronous };
            // A file does not hang up: no connection is asked how it is before it is used.
            let pool = SqlitePoolOptions::new().max_connections(connections).acquire_timeout(Duration::from_secs(60));
            let pool = pool.test_before_acquire(false);
            pool.connect_with(options.clone().synchronous(synchronous))
        };
        // The first connection makes the file and switches it to WAL before the others look at it.
        let write = Writer::new(pool(SqliteSynchronous::Normal, 1).await?);
        let durable = Writer::new(pool(SqliteSynchronous::Full, 1).await?);
        // One of them is kept by whoever watches for the commits of other processes.
        let read = pool(SqliteSynchronous::Normal, 5).await?;
        Ok(Self::of(Engine::Sqlite(SqlitePools { _scratch: scratch.map(Arc::new), read, write, durable })))
    }

    /// Begins a write transaction.
    pub(crate) async fn begin(&self) -> Result<Tx> {
        let open = match &self.engine {
            Engine::Sqlite(pools) => OpenTx::Sqlite(pools.write.begin().await?),
            Engine::Pg(pool) => OpenTx::Pg(pool.begin().await?),
        };
        Ok(Tx { open, db: self.clone(), topics: 0, at_end: AtEnd::default() })
    }

    /// A connection for one statement that writes.
    pub(crate) async fn single(&self) -> Result<Single> {
        Ok(match &self.engine {
            Engine::Sqlite(pools) => Single::Sqlite(pools.write.turn().await?),
            Engine::Pg(pool) => Single::Pg(self.kept.take(pool).await?, self.kept.clone()),
        })
    }

    /// The same for one whose commit survives a power cut.
    pub(crate) async fn single_durable(&self) -> Result<Single> {
        match &self.engine {
            Engine::Sqlite(pools) => Ok(Single::Sqlite(pools.durable.turn().await?)),
            Engine::Pg(_) => self.single().await,
        }
    }

    /// Tells those who wait for this, after a statement that was no [`Tx`].
    pub(crate) fn announce(&self, topic: Topic) {
        self.wakes.announce(&self.engine, topic as u8);
    }

    /// Begins a write transaction whose commit survives a power cut: for what cannot be done again, such as a rotated token.
    pub(crate) async fn begin_durable(&self) -> Result<Tx> {
        let open = match &self.engine {
            Engine::Sqlite(pools) => OpenTx::Sqlite(pools.durable.begin().await?),
            Engine::Pg(pool) => OpenTx::Pg(pool.begin().await?),
        };
        Ok(Tx { open, db: self.clone(), topics: 0, at_end: AtEnd::default() })
    }

    /// Brings the schema up to date.
    pub(crate) async fn migrate(&self) -> Result<()> {
        migrate::apply(self).await
    }

    /// What has been applied and what is pending.
    pub(crate) async fn migration_status(&self) -> Result<Vec<migrate::MigrationStatus>> {
        migrate::status(self).await
    }

    /// Deletes what has expired. Cheap enough to run at every start.
    pub(crate) async fn sweep(&self, now: chrono::DateTime<chrono::Utc>) -> Result<()> {
        once::sweep(self, now).await
    }

    /// A receiver that changes when there may be something new, in this process or another.
    pub(crate) fn subscribe(&self, topic: Topic) -> watch::Receiver<()> {
        self.wakes.subscribe(&self.engine, topic)
    }

    /// Wakes whoever waits in this process.
    #[cfg(feature = "testing")]
    pub(crate) fn wake(&self, topic: Topic) {
        self.wakes.wake(topic as u8);
    }

    pub(crate) async fn close(&self) {
        match &self.engine {
            Engine::Sqlite(pools) => {
                pools.read.close().await;
                pools.durable.close().await;
                pools.write.close().await;
            }
            Engine::Pg(pool) => self.kept.close(pool).await,
        }
    }
}

impl Tx {
    pub(crate) async fn commit(self) -> Result<()> {
        match self.open {
            OpenTx::Sqlite(t) => t.commit().await?,
            OpenTx::Pg(t) => t.commit().await?,
        }
        // Before anybody is woken.
        drop(self.at_end);
        if self.topics != 0 {
            self.db.wakes.announce(&self.db.engine, self.topics);
        }
        Ok(())
    }

    /// Has something done when the transaction has ended: committed, rolled back, or cut off so that nobody knows.
    pub(crate) fn at_end(&mut self, act: impl FnOnce() + Send + Sync + 'static) {
        self.at_end.0.push(Box::new(act));
    }

    /// Has the commit wake those who wait for this.
    pub(crate) fn wakes(&mut self, topic: Topic) {
        self.topics |= topic as u8;
    }

    pub(crate) fn conn(&mut self) -> Conn<'_> {
        match &mut self.open {
            OpenTx::Sqlite(t) => Conn::Sqlite(t),
            OpenTx::Pg(t) => Conn::Pg(t),
        }
    }
}

fn malformed_url() -> Error {
    Error::invalid(
        "malformed_database_url",
        "unknown database URL: use `sqlite:./atom.db` or `postgres://user:password@host/database`",
    )
}
