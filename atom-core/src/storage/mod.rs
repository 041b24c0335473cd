//! The database: SQLite or PostgreSQL behind one [`Db`], with the same behaviour.
//!
//! SQL lives here and in the `store.rs` of each domain, as static texts with `$1…$N` that both engines read alike. Where they
//! must differ, two texts stand side by side. [`once`] holds the two primitives that carry everything that may happen once.

mod db;
mod error;
mod kept;
mod migrate;
pub(crate) mod once;
mod schema;
mod time;
mod wake;

pub(crate) use db::{Conn, Db, Engine, OpenTx, OwnDb, PRIVATE, Tx, on, row};
pub use migrate::MigrationStatus;
pub use schema::Schema;
pub(crate) use time::Timestamp;
pub(crate) use wake::{CHANNEL, Topic};

#[cfg(test)]
pub(crate) mod testing;
