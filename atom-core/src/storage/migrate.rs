//! Embedded, numbered, forward-only migrations.

use super::{Db, Engine, OpenTx, Timestamp, Tx, on};
use crate::{Error, ErrorKind, Result};
use chrono::Utc;
use sha2::{Digest, Sha256};

struct Migration {
    version: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! migrations {
    ($($version:literal $name:literal),+ $(,)?) => {
        &[$(Migration {
            version: $version,
            name: $name,
            sqlite: include_str!(concat!("../../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../../migrations/postgres/", $name, ".sql")),
        }),+]
    };
}

/// In the order of their numbers, some of which nobody has. A new one comes last, because a database has all before the last that it has.
const MIGRATIONS: &[Migration] = migrations![
    1 "0001_foundation",
    2 "0002_audit",
    3 "0003_jobs",
    4 "0004_events",
    5 "0005_webhooks",
    6 "0006_refresh",
    7 "0007_service_keys",
    8 "0008_key_rotation",
    9 "0009_methods",
    10 "0010_policies",
    11 "0011_emergency",
    12 "0012_connection_usage",
    13 "0013_workspace_providers",
    14 "0014_mail",
    15 "0015_sessions",
    16 "0016_proofs",
    17 "0017_passwords",
    18 "0018_email_proofs",
    21 "0021_workspaces",
    22 "0022_factors",
    23 "0023_askers",
    24 "0024_users",
    25 "0025_passkeys",
    26 "0026_identities",
];

/// One schema migration and whether this database has it.
#[atom_macros::model]
pub struct MigrationStatus {
    /// Its number.
    pub version: i64,
    /// Its name.
    pub label: String,
    /// Whether it has been applied.
    pub applied: bool,
    /// The statements that are still to be run: empty once applied. This is the dry run.
    pub pending_sql: String,
}

impl Migration {
    fn sql(&self, db: &Db) -> &'static str {
        match &db.engine {
            Engine::Sqlite(_) => self.sqlite,
            Engine::Pg(_) => self.postgres,
        }
    }

    fn checksum(&self, db: &Db) -> Vec<u8> {
        Sha256::digest(self.sql(db).as_bytes()).to_vec()
    }
}

/// Applies what is pending, all of it or nothing, under a lock that other processes respect.
pub(super) async fn apply(db: &Db) -> Result<()> {
    let applied = applied(db).await?;
    if applied.len() == MIGRATIONS.len() {
        return compare(db, &applied);
    }
    let mut tx = db.begin_durable().await?;
    create_table(&mut tx).await?;
    // Another process may have been faster: under the lock, look again.
    let applied = applied_in(&mut tx).await?;
    compare(db, &applied)?;
    for migration in &MIGRATIONS[applied.len()..] {
        on!(tx: &mut tx, c => sqlx::raw_sql(migration.sql(db)).execute(c).await.map(drop))?;
        on!(tx: &mut tx, c => sqlx::query("INSERT INTO atom_migrations (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)")
            .bind(migration.version).bind(migration.name).bind(migration.checksum(db)).bind(Timestamp::from(Utc::now()))
            .execute(c).await.map(drop))?;
        tracing::info!(migration.version = migration.version, migration.name = migration.name, "applied a schema migration");
    }
    tx.commit().await
}

/// Every known migration, applied or pending. Changes nothing.
pub(super) async fn status(db: &Db) -> Result<Vec<MigrationStatus>> {
    let applied = applied(db).await?;
    compare(db, &applied)?;
    let status = |(i, m): (usize, &Migration)| MigrationStatus {
        version: m.version,
        label: m.name.to_owned(),
        applied: i < applied.len(),
        pending_sql: if i < applied.len() { String::new() } else { m.sql(db).to_owned() },
    };
    Ok(MIGRATIONS.iter().enumerate().map(status).collect())
}

type Applied = Vec<(i64, Vec<u8>)>;

/// Refuses a database that a newer Atom has written, or whose history is not ours.
fn compare(db: &Db, applied: &Applied) -> Result<()> {
    for (i, (version, checksum)) in applied.iter().enumerate() {
        let Some(known) = MIGRATIONS.get(i) else {
            let text = format!(
                "the database is at schema {version}, this Atom knows {}: upgrade Atom; nothing was changed",
                MIGRATIONS.last().map_or(0, |last| last.version)
            );
            return Err(Error::new(ErrorKind::Invalid, "schema_newer", text));
        };
        if known.version != *version || known.checksum(db) != *checksum {
            let text = format!(
                "migration {version} of the database is not the one in this Atom: use the release that wrote it, or restore a backup"
            );
            return Err(Error::new(ErrorKind::Invalid, "schema_differs", text));
        }
    }
    Ok(())
}

async fn create_table(tx: &mut Tx) -> Result<()> {
    let sql = match &tx.open {
        OpenTx::Sqlite(_) => {
            "CREATE TABLE IF NOT EXISTS atom_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum BLOB NOT NULL, applied_at INTEGER NOT NULL) STRICT"
        }
        // The advisory lock ends with the transaction; its number is arbitrary and only ours. It must come first: two
        // `IF NOT EXISTS` at once can still collide on PostgreSQL.
        OpenTx::Pg(_) => {
            "SELECT pg_advisory_xact_lock(7310324582374632);
             CREATE TABLE IF NOT EXISTS atom_migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum BYTEA NOT NULL, applied_at TIMESTAMPTZ NOT NULL)"
        }
    };
    on!(tx: tx, c => sqlx::raw_sql(sql).execute(c).await.map(drop))?;
    Ok(())
}

const APPLIED: &str = "SELECT version, checksum FROM atom_migrations ORDER BY version";

async fn applied_in(tx: &mut Tx) -> Result<Applied> {
    Ok(on!(tx: tx, c => sqlx::query_as(APPLIED).fetch_all(c).await)?)
}

async fn applied(db: &Db) -> Result<Applied> {
    let exists: (i64,) = match &db.engine {
        Engine::Sqlite(pools) => {
            sqlx::query_as("SELECT count(*) FROM sqlite_master WHERE name = 'atom_migrations'").fetch_one(&pools.read).await?
        }
        Engine::Pg(pool) => sqlx::query_as("SELECT count(to_regclass('atom_migrations'))").fetch_one(pool).await?,
    };
    if exists.0 == 0 {
        return Ok(Vec::new());
    }
    Ok(on!(db, c => sqlx::query_as(APPLIED).fetch_all(c).await)?)
}
