//! The schema, for hosts that bring it up to date themselves.

use super::{Db, MigrationStatus, OwnDb};
use crate::Result;
use atom_macros::{api, handle};

/// The schema of a database: what has been applied, what is pending, and the way to apply it.
///
/// Opening an [`Atom`](crate::Atom) brings the schema up to date. With `migrate: false` it refuses instead, and this is how a
/// deployment looks at the statements first and applies them when it is ready.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// use atom_core::Schema;
///
/// let schema = Schema::connect(url).await?;
/// for migration in schema.migrations().await?.iter().filter(|m| !m.applied) {
///     assert!(migration.pending_sql.contains(" TABLE ")); // the dry run
/// }
/// schema.migrate().await?;
/// assert!(schema.migrations().await?.iter().all(|m| m.applied));
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Schema {
    pub(crate) db: OwnDb,
}

#[api]
impl Schema {
    /// Connects to a database without changing it. No key is needed.
    ///
    /// Fails with `invalid` (`malformed_database_url`, …) or `unavailable` (`database_unreachable`).
    pub async fn connect(database_url: String) -> Result<Self> {
        Ok(Self { db: OwnDb::new(Db::connect(&database_url).await?) })
    }

    /// Every migration that this Atom knows, applied or pending, with the statements that are still to be run.
    ///
    /// Fails with `invalid` (`schema_newer`, `schema_differs`).
    pub async fn migrations(&self) -> Result<Vec<MigrationStatus>> {
        self.db.get()?.migration_status().await
    }

    /// Applies what is pending, all of it or nothing. Several processes may call it at once.
    pub async fn migrate(&self) -> Result<()> {
        self.db.get()?.migrate().await
    }
}
