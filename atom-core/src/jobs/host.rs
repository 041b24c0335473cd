//! A transaction that the host opened on the same database.

use crate::storage::Conn;
use sqlx::{PgConnection, Postgres, Sqlite, SqliteConnection, Transaction};

/// A transaction of the host's own, on the database of the installation: what is enqueued or completed in it happens if, and only if,
/// it commits. On SQLite, begin it with `BEGIN IMMEDIATE`.
///
/// ```
/// # fn takes<'a>(t: impl Into<atom_core::HostTransaction<'a>>) { let _ = t.into(); }
/// # fn of(transaction: &mut atom_core::sqlx::Transaction<'_, atom_core::sqlx::Sqlite>) {
/// takes(transaction); // as in `jobs.enqueue_in(&mut transaction, job)`
/// # }
/// ```
pub struct HostTransaction<'a>(pub(crate) Conn<'a>);

impl<'a> From<&'a mut SqliteConnection> for HostTransaction<'a> {
    fn from(connection: &'a mut SqliteConnection) -> Self {
        Self(Conn::Sqlite(connection))
    }
}

impl<'a> From<&'a mut PgConnection> for HostTransaction<'a> {
    fn from(connection: &'a mut PgConnection) -> Self {
        Self(Conn::Pg(connection))
    }
}

impl<'a> From<&'a mut Transaction<'_, Sqlite>> for HostTransaction<'a> {
    fn from(transaction: &'a mut Transaction<'_, Sqlite>) -> Self {
        Self(Conn::Sqlite(transaction))
    }
}

impl<'a> From<&'a mut Transaction<'_, Postgres>> for HostTransaction<'a> {
    fn from(transaction: &'a mut Transaction<'_, Postgres>) -> Self {
        Self(Conn::Pg(transaction))
    }
}
