//! The SQL of events.

use super::Event;
use super::names::Names;
use super::read::Sight;
use crate::storage::{Conn, Db, Engine, Timestamp, Tx, on, row};
use crate::{Error, EventId, Json, Result, UserId, WorkspaceId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

row! {
    struct EventRow {
        workspace_id: Uuid,
        sequence: i64,
        id: Uuid,
        name: String,
        at: Timestamp,
        subject: Option<String>,
        user_id: Option<Uuid>,
        data: String,
    }
}

macro_rules! events {
    ($rest:literal) => {
        concat!("SELECT workspace_id, sequence, id, name, at, subject, user_id, data FROM atom_events ", $rest)
    };
}

impl EventRow {
    fn into_event(self) -> Result<Event> {
        let damaged =
            |e| Error::sealed("database_damaged", "a stored event is malformed: restore the last backup").with_source(e);
        Ok(Event {
            sequence: self.sequence,
            id: EventId(self.id),
            name: self.name,
            at: self.at.0,
            subject: self.subject,
            user_id: self.user_id.map(UserId),
            data: serde_json::from_str(&self.data).map_err(damaged)?,
        })
    }
}

/// An event that is about to be appended.
pub(crate) struct Draft {
    pub(super) name: String,
    pub(super) subject: Option<String>,
    pub(super) user_id: Option<UserId>,
    pub(super) data: Json,
}

/// Takes the next places in a log, and with them the right to append until the transaction ends; then fills them.
pub(super) async fn insert(
    mut conn: Conn<'_>,
    workspace: WorkspaceId,
    drafts: Vec<Draft>,
    now: DateTime<Utc>,
) -> Result<Vec<Event>> {
    let (now, count) = (Timestamp::from(now), i64::try_from(drafts.len()).unwrap_or(i64::MAX));
    let first = take(&mut conn, workspace, count, now).await? - count + 1;
    let event = |(sequence, draft)| {
        let Draft { name, subject, user_id, data } = draft;
        Event { sequence, id: EventId::generate(), name, at: now.0, subject, user_id, data }
    };
    let events: Vec<Event> = (first..).zip(drafts).map(event).collect();
    for event in &events {
        on!(conn: conn.again(), c => sqlx::query(
            "INSERT INTO atom_events (workspace_id, sequence, id, name, at, subject, user_id, data) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
            .bind(workspace.0).bind(event.sequence).bind(event.id.0).bind(&event.name).bind(now).bind(&event.subject)
            .bind(event.user_id.map(|u| u.0)).bind(event.data.0.to_string()).execute(c).await.map(drop))?;
    }
    Ok(events)
}

/// The last of the places that are taken.
async fn take(conn: &mut Conn<'_>, workspace: WorkspaceId, count: i64, now: Timestamp) -> Result<i64> {
    const TAKE: &str = "UPDATE atom_event_heads SET sequence = sequence + $2, oldest_at = COALESCE(oldest_at, $3)
         WHERE workspace_id = $1 RETURNING sequence";
    let taken: Option<(i64,)> =
        on!(conn: conn.again(), c => sqlx::query_as(TAKE).bind(workspace.0).bind(count).bind(now).fetch_optional(c).await)?;
    if let Some((taken,)) = taken {
        return Ok(taken);
    }
    on!(conn: conn.again(), c => sqlx::query("INSERT INTO atom_event_heads (workspace_id, sequence, oldest) VALUES ($1, 0, 1) ON CONFLICT DO NOTHING")
        .bind(workspace.0).execute(c).await.map(drop))?;
    let taken: (i64,) =
        on!(conn: conn.again(), c => sqlx::query_as(TAKE).bind(workspace.0).bind(count).bind(now).fetch_one(c).await)?;
    Ok(taken.0)
}

row! {
    /// How far a log reaches.
    pub(super) struct Head { sequence: i64, oldest: i64 }
}

/// How far a log reaches. One without events ends before its first.
pub(super) async fn head(db: &Db, workspace: WorkspaceId) -> Result<Head> {
    let head = on!(db, c => sqlx::query_as("SELECT sequence, oldest FROM atom_event_heads WHERE workspace_id = $1")
        .bind(workspace.0).fetch_optional(c).await)?;
    Ok(head.unwrap_or(Head { sequence: 0, oldest: 1 }))
}

/// Where the logs of these workspaces end, of those that have one.
pub(super) async fn ends(db: &Db, workspaces: &[WorkspaceId]) -> Result<Vec<(WorkspaceId, i64)>> {
    let ends: Vec<(Uuid, i64)> = match &db.engine {
        Engine::Sqlite(pools) => {
            let ids: Vec<_> = workspaces.iter().map(|w| w.0.simple().to_string()).collect();
            sqlx::query_as("SELECT workspace_id, sequence FROM atom_event_heads WHERE workspace_id IN (SELECT unhex(value) FROM json_each($1))")
                .bind(serde_json::json!(ids).to_string()).fetch_all(&pools.read).await?
        }
        Engine::Pg(pool) => {
            let ids: Vec<_> = workspaces.iter().map(|w| w.0).collect();
            sqlx::query_as("SELECT workspace_id, sequence FROM atom_event_heads WHERE workspace_id = ANY($1)")
                .bind(ids)
                .fetch_all(pool)
                .await?
        }
    };
    Ok(ends.into_iter().map(|(id, sequence)| (WorkspaceId(id), sequence)).collect())
}

/// A stretch of a log.
pub(super) struct Stretch {
    /// Only what comes after this place,
    pub(super) after: i64,
    /// and up to this one.
    pub(super) until: i64,
    pub(super) limit: i64,
}

/// The events of a stretch that fit, in order.
pub(super) async fn stretch(
    db: &Db,
    workspace: WorkspaceId,
    stretch: &Stretch,
    sight: Sight,
    names: &Names,
    subject: Option<&str>,
) -> Result<Vec<Event>> {
    let rows: Vec<EventRow> = match &db.engine {
        Engine::Sqlite(pools) => {
            sqlx::query_as(events!(
                "WHERE workspace_id = $1 AND sequence > $2 AND sequence <= $3
                AND ($5 IS NULL OR user_id = $5 OR (user_id IS NULL AND $6))
                AND ($7 IS NULL OR EXISTS (SELECT 1 FROM json_each($7) WHERE name GLOB value))
                AND ($8 IS NULL OR subject = $8)
              ORDER BY sequence LIMIT $4"
            ))
            .bind(workspace.0)
            .bind(stretch.after)
            .bind(stretch.until)
            .bind(stretch.limit)
            .bind(sight.user.map(|u| u.0))
            .bind(sight.common)
            .bind(names.globs())
            .bind(subject)
            .fetch_all(&pools.read)
            .await?
        }
        Engine::Pg(pool) => {
            sqlx::query_as(events!(
                "WHERE workspace_id = $1 AND sequence > $2 AND sequence <= $3
                AND ($5 IS NULL OR user_id = $5 OR (user_id IS NULL AND $6))
                AND ($7 IS NULL OR name LIKE ANY($7))
                AND ($8 IS NULL OR subject = $8)
              ORDER BY sequence LIMIT $4"
            ))
            .bind(workspace.0)
            .bind(stretch.after)
            .bind(stretch.until)
            .bind(stretch.limit)
            .bind(sight.user.map(|u| u.0))
            .bind(sight.common)
            .bind(names.likes())
            .bind(subject)
            .fetch_all(pool)
            .await?
        }
    };
    rows.into_iter().map(EventRow::into_event).collect()
}

/// A workspace that keeps events from before this moment: the one whose oldest is the oldest of all.
pub(super) async fn overdue(db: &Db, before: DateTime<Utc>) -> Result<Option<WorkspaceId>> {
    let overdue: Option<(Uuid,)> = on!(db, c => sqlx::query_as(
        "SELECT workspace_id FROM atom_event_heads WHERE oldest_at < $1 ORDER BY oldest_at LIMIT 1")
        .bind(Timestamp::from(before)).fetch_optional(c).await)?;
    Ok(overdue.map(|(id,)| WorkspaceId(id)))
}

/// The places and times of a workspace's oldest events.
pub(super) async fn oldest(db: &Db, workspace: WorkspaceId, limit: i64) -> Result<Vec<(i64, DateTime<Utc>)>> {
    let rows: Vec<(i64, Timestamp)> = on!(db, c => sqlx::query_as(
        "SELECT sequence, at FROM atom_events WHERE workspace_id = $1 ORDER BY sequence LIMIT $2")
        .bind(workspace.0).bind(limit).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(sequence, at)| (sequence, at.0)).collect())
}

/// Deletes a workspace's events before a place.
pub(super) async fn cut(db: &Db, workspace: WorkspaceId, oldest: i64) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(tx: &mut tx, c => sqlx::query("UPDATE atom_event_heads SET oldest = $2 WHERE workspace_id = $1 AND oldest < $2")
        .bind(workspace.0).bind(oldest).execute(c).await.map(drop))?;
    on!(tx: &mut tx, c => sqlx::query("DELETE FROM atom_events WHERE workspace_id = $1 AND sequence < $2")
        .bind(workspace.0).bind(oldest).execute(c).await.map(drop))?;
    // Only now: whoever appended meanwhile has committed, and is seen by a new statement.
    on!(tx: &mut tx, c => sqlx::query(
        "UPDATE atom_event_heads SET oldest_at = (SELECT at FROM atom_events e WHERE e.workspace_id = $1 ORDER BY sequence LIMIT 1)
          WHERE workspace_id = $1")
        .bind(workspace.0).execute(c).await.map(drop))?;
    tx.commit().await
}

/// Deletes the events of a workspace that is gone.
pub(crate) async fn forget_workspace(tx: &mut Tx, workspace: WorkspaceId) -> Result<()> {
    for table in ["DELETE FROM atom_events WHERE workspace_id = $1", "DELETE FROM atom_event_heads WHERE workspace_id = $1"] {
        on!(tx: tx, c => sqlx::query(table).bind(workspace.0).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// The events that are only a user's, or about them.
pub(super) async fn of_user(db: &Db, user: UserId) -> Result<Vec<(WorkspaceId, Event)>> {
    let rows: Vec<EventRow> = on!(db, c => sqlx::query_as(events!("WHERE user_id = $1 OR subject = $2 ORDER BY workspace_id, sequence"))
        .bind(user.0).bind(user.to_string()).fetch_all(c).await)?;
    rows.into_iter().map(|row| Ok((WorkspaceId(row.workspace_id), row.into_event()?))).collect()
}

/// Their names.
pub(super) async fn names_of_user(tx: &mut Tx, user: UserId) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = on!(tx: tx, c => sqlx::query_as("SELECT DISTINCT name FROM atom_events WHERE user_id = $1 OR subject = $2")
        .bind(user.0).bind(user.to_string()).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

/// Takes the data out of those of one name.
pub(super) async fn empty_of_user(tx: &mut Tx, user: UserId, name: &str) -> Result<Vec<(WorkspaceId, EventId)>> {
    let rows: Vec<(Uuid, Uuid)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_events SET data = '{}' WHERE (user_id = $1 OR subject = $2) AND name = $3 AND data <> '{}' RETURNING workspace_id, id")
        .bind(user.0).bind(user.to_string()).bind(name).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(workspace, id)| (WorkspaceId(workspace), EventId(id))).collect())
}
