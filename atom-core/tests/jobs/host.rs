//! The host's own tables beside Atom's, on the same database: the ledgers of what its jobs did.

use crate::support::Database;
use atom_core::{Error, JobFailure};
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, PgPool, Row, SqlitePool};
use std::str::FromStr;
use std::time::Duration;

#[derive(Clone)]
pub(super) enum Host {
    Sqlite(SqlitePool),
    Pg(PgPool),
}

/// What goes wrong in the host, or in Atom.
#[derive(Debug)]
pub(super) enum Failed {
    Host(sqlx::Error),
    Atom(Error),
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Self::Host(error)
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Atom(error)
    }
}

impl From<Failed> for JobFailure {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Host(error) => Self::new("host", error.to_string()),
            Failed::Atom(error) => error.into(),
        }
    }
}

/// Runs one body on whichever engine the host has.
macro_rules! host {
    ($host:expr, $c:ident => $body:expr) => {
        match $host {
            Host::Sqlite($c) => $body,
            Host::Pg($c) => $body,
        }
    };
}

/// Runs one body in a transaction, which is dropped, and so rolled back, unless the body commits it.
macro_rules! host_tx {
    ($host:expr, $tx:ident => $body:expr) => {
        match $host {
            $crate::jobs::host::Host::Sqlite(pool) => {
                #[allow(unused_mut)]
                let mut $tx = pool.begin_with("BEGIN IMMEDIATE").await?;
                $body
            }
            $crate::jobs::host::Host::Pg(pool) => {
                #[allow(unused_mut)]
                let mut $tx = pool.begin().await?;
                $body
            }
        }
    };
}
pub(super) use host_tx;

impl Host {
    pub(super) fn connect(url: &str) -> Self {
        if url.starts_with("sqlite:") {
            let options =
                SqliteConnectOptions::from_str(url).unwrap().create_if_missing(true).busy_timeout(Duration::from_secs(30));
            let pool = SqlitePoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(60));
            Self::Sqlite(pool.connect_lazy_with(options))
        } else {
            Self::Pg(PgPoolOptions::new().max_connections(4).connect_lazy(url).unwrap())
        }
    }

    /// The host with its tables. No ledger has a key: what happens twice stands there twice.
    pub(super) async fn found(database: &Database) -> Self {
        let host = Self::connect(&database.url);
        let tables = "
            CREATE TABLE host_orders (id BIGINT PRIMARY KEY);
            CREATE TABLE host_starts (id BIGINT, attempt BIGINT, process BIGINT, at BIGINT);
            CREATE TABLE host_steps (id BIGINT, step BIGINT, attempt BIGINT, token BIGINT);
            CREATE TABLE host_known (id BIGINT, step BIGINT, attempt BIGINT, token BIGINT);
            CREATE TABLE host_effects (id BIGINT, attempt BIGINT, process BIGINT, at BIGINT)";
        host!(&host, c => sqlx::raw_sql(tables).execute(c).await.map(drop)).unwrap();
        host
    }

    pub(super) async fn write(&self, sql: &'static str, values: &[i64]) -> Result<(), Failed> {
        Ok(host!(self, c => bind(sqlx::query(sql), values).execute(c).await.map(drop))?)
    }

    /// Runs a statement that Atom wrote. Says how many rows it changed.
    pub(super) async fn execute(&self, sql: &str) -> Result<u64, Failed> {
        Ok(host!(self, c => sqlx::query(AssertSqlSafe(sql)).execute(c).await.map(|done| done.rows_affected()))?)
    }

    pub(super) async fn read(&self, sql: &'static str) -> Result<Vec<Vec<i64>>, Failed> {
        Ok(host!(self, c => sqlx::query(sql).map(|row| numbers(&row)).fetch_all(c).await)?)
    }
}

/// A statement with numbers.
pub(super) fn bind<'q, D: sqlx::Database>(
    query: sqlx::query::Query<'q, D, D::Arguments>,
    values: &[i64],
) -> sqlx::query::Query<'q, D, D::Arguments>
where
    i64: sqlx::Encode<'q, D> + sqlx::Type<D>,
{
    values.iter().fold(query, |query, value| query.bind(*value))
}

fn numbers<R: Row>(row: &R) -> Vec<i64>
where
    usize: sqlx::ColumnIndex<R>,
    for<'r> i64: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    (0..row.len()).map(|i| row.get(i)).collect()
}
