//! The right to ask a provider for a connection's next token set: one holder at a time, over all processes.

use crate::storage::{Db, Engine, Timestamp, Tx, on};
use crate::{ConnectionId, Result, WorkspaceId};
use chrono::{DateTime, Utc};
use std::time::Duration;
use uuid::Uuid;

/// How long a holder may take: more than twice the time-out of its request, so that a living one never loses it midway.
const TERM: Duration = Duration::from_secs(25);

/// A lease on one revision of a token set. It ends with the write that makes the next revision, with [`fail`](Lease::fail), or by the
/// database's clock.
pub(crate) struct Lease {
    workspace: WorkspaceId,
    connection: ConnectionId,
    /// The set's name.
    name: String,
    revision: i64,
    pub(super) owner: Uuid,
    /// An earlier holder asked the provider, and its answer was lost: the provider may have spent the stored refresh token.
    pub(crate) in_doubt: bool,
    /// How many refreshes have failed since the last that did not.
    pub(crate) failures: i64,
}

/// What is remembered of a refresh that failed.
pub(crate) struct Failure<'a> {
    pub(crate) at: DateTime<Utc>,
    pub(crate) because: &'a str,
    /// The provider has certainly not made a new token set.
    pub(crate) is_certain: bool,
    /// When the provider may be asked again.
    pub(crate) retry_at: Option<DateTime<Utc>>,
}

impl Lease {
    /// Takes the lease, unless the set has another revision or somebody has it.
    pub(crate) async fn take(
        db: &Db,
        workspace: WorkspaceId,
        connection: ConnectionId,
        name: &str,
        revision: i64,
    ) -> Result<Option<Self>> {
        let owner = Uuid::now_v7();
        let taken: Option<(bool, i64)> = match &db.engine {
            Engine::Sqlite(pools) => {
                sqlx::query_as(
                    "UPDATE atom_token_sets SET lease_owner = $5, lease_until = $6
                      WHERE workspace_id = $1 AND connection_id = $2 AND name = $3 AND revision = $4
                        AND (lease_owner IS NULL OR lease_until <= $7)
                  RETURNING asked_at IS NOT NULL, failures",
                )
                .bind(workspace.0)
                .bind(connection.0)
                .bind(name)
                .bind(revision)
                .bind(owner)
                .bind(Timestamp::from(Utc::now() + TERM))
                .bind(Timestamp::from(Utc::now()))
                .fetch_optional(&mut *pools.write.turn().await?)
                .await?
            }
            Engine::Pg(pool) => {
                sqlx::query_as(
                    "UPDATE atom_token_sets SET lease_owner = $5, lease_until = clock_timestamp() + $6 * interval '1 second'
                      WHERE workspace_id = $1 AND connection_id = $2 AND name = $3 AND revision = $4
                        AND (lease_owner IS NULL OR lease_until <= clock_timestamp())
                  RETURNING asked_at IS NOT NULL, failures",
                )
                .bind(workspace.0)
                .bind(connection.0)
                .bind(name)
                .bind(revision)
                .bind(owner)
                .bind(TERM.as_secs_f64())
                .fetch_optional(pool)
                .await?
            }
        };
        let name = name.to_owned();
        Ok(taken.map(|(in_doubt, failures)| Self { workspace, connection, name, revision, owner, in_doubt, failures }))
    }

    /// Notes, so that it survives this process and a power cut, that the provider is asked now. False if the lease was lost.
    pub(crate) async fn ask(&self, db: &Db, now: DateTime<Utc>) -> Result<bool> {
        let noted = on!(durable: db, c => sqlx::query_as::<_, (i64,)>(
            "UPDATE atom_token_sets SET asked_at = $6
              WHERE workspace_id = $1 AND connection_id = $2 AND name = $3 AND revision = $4 AND lease_owner = $5 RETURNING revision")
            .bind(self.workspace.0).bind(self.connection.0).bind(&self.name).bind(self.revision).bind(self.owner)
            .bind(Timestamp::from(now)).fetch_optional(c).await)?;
        Ok(noted.is_some())
    }

    /// Gives the lease back without having asked.
    pub(crate) async fn release(&self, db: &Db) -> Result<()> {
        Ok(on!(write: db, c => sqlx::query(
            "UPDATE atom_token_sets SET lease_owner = NULL, lease_until = NULL
              WHERE workspace_id = $1 AND connection_id = $2 AND name = $3 AND lease_owner = $4")
            .bind(self.workspace.0).bind(self.connection.0).bind(&self.name).bind(self.owner).execute(c).await.map(drop))?)
    }

    /// Gives the lease back after what was asked for was stored elsewhere. False if it was lost, or the set has a newer revision.
    pub(crate) async fn finish(&self, tx: &mut Tx) -> Result<bool> {
        let noted: Option<(i64,)> = on!(tx: tx, c => sqlx::query_as(
            "UPDATE atom_token_sets SET lease_owner = NULL, lease_until = NULL, asked_at = NULL, failures = 0, retry_at = NULL
              WHERE workspace_id = $1 AND connection_id = $2 AND name = $3 AND revision = $4 AND lease_owner = $5 RETURNING revision")
            .bind(self.workspace.0).bind(self.connection.0).bind(&self.name).bind(self.revision).bind(self.owner)
            .fetch_optional(c).await)?;
        Ok(noted.is_some())
    }

    /// Gives the lease back after a failure. False if it was lost, or the set has a newer revision.
    pub(crate) async fn fail(&self, tx: &mut Tx, failure: &Failure<'_>) -> Result<bool> {
        let noted: Option<(i64,)> = on!(tx: tx, c => sqlx::query_as(
            "UPDATE atom_token_sets
                SET lease_owner = NULL, lease_until = NULL, failures = failures + 1, failed_at = $6, failed_because = $7, retry_at = $8,
                    asked_at = CASE WHEN $9 THEN NULL ELSE asked_at END
              WHERE workspace_id = $1 AND connection_id = $2 AND name = $3 AND revision = $4 AND lease_owner = $5 RETURNING revision")
            .bind(self.workspace.0).bind(self.connection.0).bind(&self.name).bind(self.revision).bind(self.owner)
            .bind(Timestamp::from(failure.at)).bind(failure.because).bind(failure.retry_at.map(Timestamp::from))
            .bind(failure.is_certain && !self.in_doubt).fetch_optional(c).await)?;
        Ok(noted.is_some())
    }
}
