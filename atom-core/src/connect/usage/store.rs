//! The SQL of what is counted.

use super::report::Whose;
use crate::storage::{Db, Timestamp, Tx, on, row};
use crate::{ConnectionId, Result, WorkspaceId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// How long a bucket is, as it is stored.
pub(super) const HOUR: &str = "hour";
pub(super) const DAY: &str = "day";

/// What is counted of a bucket.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sums {
    pub(super) calls: i64,
    pub(super) retries: i64,
    pub(super) unauthorized: i64,
    pub(super) rate_limited: i64,
    pub(super) refused: i64,
    pub(super) provider_faults: i64,
    pub(super) unreachable: i64,
    pub(super) micros: i64,
    pub(super) bytes_sent: i64,
    pub(super) bytes_received: i64,
}

/// Where something is counted.
pub(super) struct Bucket<'a> {
    pub(super) connection: ConnectionId,
    pub(super) span: &'static str,
    pub(super) starts_at: DateTime<Utc>,
    pub(super) operation: &'a str,
}

impl<'a> Bucket<'a> {
    pub(super) fn hour(connection: ConnectionId, starts_at: DateTime<Utc>, operation: &'a str) -> Self {
        Self { connection, span: HOUR, starts_at, operation }
    }

    pub(super) fn day(connection: ConnectionId, starts_at: DateTime<Utc>, operation: &'a str) -> Self {
        Self { connection, span: DAY, starts_at, operation }
    }
}

/// Notes that a connection was used; false if there is none.
pub(super) async fn touch(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: ConnectionId,
    calls: i64,
    last: DateTime<Utc>,
) -> Result<bool> {
    let touched: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_connections SET use_count = use_count + $3,
                last_used_at = CASE WHEN last_used_at > $4 THEN last_used_at ELSE $4 END
          WHERE workspace_id = $1 AND id = $2 RETURNING id")
        .bind(workspace.0).bind(id.0).bind(calls).bind(Timestamp::from(last)).fetch_optional(c).await)?;
    Ok(touched.is_some())
}

/// Adds to a bucket.
pub(super) async fn add(tx: &mut Tx, workspace: WorkspaceId, bucket: &Bucket<'_>, sums: &Sums) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query(
        "INSERT INTO atom_connection_usage AS u
            (workspace_id, connection_id, span, starts_at, operation, calls, retries, unauthorized, rate_limited, refused,
             provider_faults, unreachable, micros, bytes_sent, bytes_received)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         ON CONFLICT (workspace_id, connection_id, span, starts_at, operation) DO UPDATE SET
            calls = u.calls + excluded.calls, retries = u.retries + excluded.retries,
            unauthorized = u.unauthorized + excluded.unauthorized, rate_limited = u.rate_limited + excluded.rate_limited,
            refused = u.refused + excluded.refused, provider_faults = u.provider_faults + excluded.provider_faults,
            unreachable = u.unreachable + excluded.unreachable, micros = u.micros + excluded.micros,
            bytes_sent = u.bytes_sent + excluded.bytes_sent, bytes_received = u.bytes_received + excluded.bytes_received")
        .bind(workspace.0).bind(bucket.connection.0).bind(bucket.span).bind(Timestamp::from(bucket.starts_at)).bind(bucket.operation)
        .bind(sums.calls).bind(sums.retries).bind(sums.unauthorized).bind(sums.rate_limited).bind(sums.refused)
        .bind(sums.provider_faults).bind(sums.unreachable).bind(sums.micros).bind(sums.bytes_sent).bind(sums.bytes_received)
        .execute(c).await.map(drop))?)
}

/// A row of sums with what they are of.
macro_rules! sums_of {
    ($(#[$meta:meta])* struct $name:ident { $($field:ident: $ty:ty),* $(,)? }) => {
        row! {
            $(#[$meta])*
            pub(super) struct $name {
                $($field: $ty,)*
                calls: i64,
                retries: i64,
                unauthorized: i64,
                rate_limited: i64,
                refused: i64,
                provider_faults: i64,
                unreachable: i64,
                micros: i64,
                bytes_sent: i64,
                bytes_received: i64,
            }
        }

        impl $name {
            pub(super) fn sums(&self) -> Sums {
                let Self {
                    calls, retries, unauthorized, rate_limited, refused, provider_faults, unreachable, micros, bytes_sent,
                    bytes_received, ..
                } = *self;
                Sums {
                    calls, retries, unauthorized, rate_limited, refused, provider_faults, unreachable, micros, bytes_sent,
                    bytes_received,
                }
            }
        }
    };
}

sums_of! {
    /// An hour or a day.
    struct InBucket { starts_at: Timestamp }
}

sums_of! {
    struct ByOperation { provider: String, operation: String }
}

sums_of! {
    struct ByProvider { provider: String, user_id: Uuid }
}

sums_of! {
    /// What was taken out of hours, to be put into days.
    struct Taken { operation: String }
}

/// Sums over the buckets of a time, by what is named.
macro_rules! sums {
    ($of:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $of,
            ", CAST(sum(u.calls) AS BIGINT) AS calls, CAST(sum(u.retries) AS BIGINT) AS retries,
                CAST(sum(u.unauthorized) AS BIGINT) AS unauthorized, CAST(sum(u.rate_limited) AS BIGINT) AS rate_limited,
                CAST(sum(u.refused) AS BIGINT) AS refused, CAST(sum(u.provider_faults) AS BIGINT) AS provider_faults,
                CAST(sum(u.unreachable) AS BIGINT) AS unreachable, CAST(sum(u.micros) AS BIGINT) AS micros,
                CAST(sum(u.bytes_sent) AS BIGINT) AS bytes_sent, CAST(sum(u.bytes_received) AS BIGINT) AS bytes_received
           FROM atom_connection_usage u
           JOIN atom_connections c ON c.workspace_id = u.workspace_id AND c.id = u.connection_id
          WHERE u.workspace_id = $1 AND ($2 IS NULL OR u.connection_id = $2) AND ($3 IS NULL OR c.user_id = $3)
            AND u.starts_at >= $4 AND u.starts_at < $5
          GROUP BY ",
            $of,
            " ",
            $rest
        )
    };
}

/// A workspace's buckets, from one moment until another.
pub(super) struct Range {
    pub(super) workspace: WorkspaceId,
    pub(super) whose: Whose,
    pub(super) since: DateTime<Utc>,
    pub(super) until: DateTime<Utc>,
}

impl Range {
    fn connection(&self) -> Option<Uuid> {
        if let Whose::Connection(id) = self.whose { Some(id.0) } else { None }
    }

    fn user(&self) -> Option<Uuid> {
        if let Whose::User(id) = self.whose { Some(id.0) } else { None }
    }

    /// By hours and days, oldest first.
    pub(super) async fn series(&self, db: &Db) -> Result<Vec<InBucket>> {
        Ok(on!(db, c => sqlx::query_as(sums!("u.starts_at", "ORDER BY u.starts_at"))
            .bind(self.workspace.0).bind(self.connection()).bind(self.user()).bind(Timestamp::from(self.since))
            .bind(Timestamp::from(self.until)).fetch_all(c).await)?)
    }

    pub(super) async fn operations(&self, db: &Db, most: i64) -> Result<Vec<ByOperation>> {
        Ok(on!(db, c => sqlx::query_as(
            sums!("c.provider, u.operation", "ORDER BY sum(u.calls) DESC, c.provider, u.operation LIMIT $6"))
            .bind(self.workspace.0).bind(self.connection()).bind(self.user()).bind(Timestamp::from(self.since))
            .bind(Timestamp::from(self.until)).bind(most).fetch_all(c).await)?)
    }

    pub(super) async fn providers(&self, db: &Db, most: i64) -> Result<Vec<ByProvider>> {
        Ok(
            on!(db, c => sqlx::query_as(sums!("c.provider, c.user_id", "ORDER BY sum(u.calls) DESC, c.provider, c.user_id LIMIT $6"))
            .bind(self.workspace.0).bind(self.connection()).bind(self.user()).bind(Timestamp::from(self.since))
            .bind(Timestamp::from(self.until)).bind(most).fetch_all(c).await)?,
        )
    }
}

row! {
    /// A stored hour.
    pub(super) struct OldHour { workspace_id: Uuid, connection_id: Uuid, starts_at: Timestamp }
}

/// Some of the hours that began before a moment, the oldest first.
pub(super) async fn hours_before(db: &Db, before: DateTime<Utc>, most: i64) -> Result<Vec<OldHour>> {
    Ok(on!(db, c => sqlx::query_as(
        "SELECT workspace_id, connection_id, starts_at FROM atom_connection_usage
          WHERE span = 'hour' AND starts_at < $1 ORDER BY starts_at LIMIT $2")
        .bind(Timestamp::from(before)).bind(most).fetch_all(c).await)?)
}

/// Takes the hours of a connection out of a time: each is given to one caller.
pub(super) async fn take_hours(
    tx: &mut Tx,
    workspace: WorkspaceId,
    connection: ConnectionId,
    (since, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<Taken>> {
    Ok(on!(tx: tx, c => sqlx::query_as(
        "DELETE FROM atom_connection_usage
          WHERE workspace_id = $1 AND connection_id = $2 AND span = 'hour' AND starts_at >= $3 AND starts_at < $4
      RETURNING operation, calls, retries, unauthorized, rate_limited, refused, provider_faults, unreachable, micros, bytes_sent,
                bytes_received")
        .bind(workspace.0).bind(connection.0).bind(Timestamp::from(since)).bind(Timestamp::from(until)).fetch_all(c).await)?)
}

/// Deletes the days that began before a moment.
pub(super) async fn delete_days(db: &Db, before: DateTime<Utc>) -> Result<()> {
    Ok(on!(write: db, c => sqlx::query("DELETE FROM atom_connection_usage WHERE span = 'day' AND starts_at < $1")
        .bind(Timestamp::from(before)).execute(c).await.map(drop))?)
}
