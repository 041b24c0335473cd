//! The SQL of schedules.

use super::{MissedRuns, Schedule, ScheduleRule};
use crate::storage::{Db, Timestamp, Tx, on, row};
use crate::{Error, NewJob, Result, UserId, WorkspaceId};
use chrono::{DateTime, Utc};
use sqlx::types::Json as Column;
use uuid::Uuid;

row! {
    /// A schedule as it is stored.
    pub(super) struct ScheduleRow {
        workspace_id: Uuid,
        name: String,
        rule: Column<ScheduleRule>,
        job: Column<NewJob>,
        missed: String,
        user_id: Option<Uuid>,
        next_at: Option<Timestamp>,
        last_at: Option<Timestamp>,
        paused_at: Option<Timestamp>,
        created_at: Timestamp,
    }
}

impl ScheduleRow {
    pub(super) fn into_schedule(self) -> Result<Schedule> {
        Ok(Schedule {
            name: self.name,
            rule: self.rule.0,
            job: self.job.0,
            missed: self.missed.parse()?,
            user_id: self.user_id.map(UserId),
            next_at: self.next_at.map(|at| at.0),
            last_at: self.last_at.map(|at| at.0),
            is_paused: self.paused_at.is_some(),
            created_at: self.created_at.0,
        })
    }
}

macro_rules! columns {
    () => {
        "SELECT workspace_id, name, rule, job, missed, user_id, next_at, last_at, paused_at, created_at FROM atom_schedules "
    };
}

pub(super) struct Draft<'a> {
    pub(super) name: &'a str,
    pub(super) rule: &'a ScheduleRule,
    pub(super) job: &'a NewJob,
    pub(super) missed: MissedRuns,
    pub(super) user: Option<UserId>,
    pub(super) next_at: Option<DateTime<Utc>>,
}

/// Stores a schedule, or replaces the one of its name.
pub(super) async fn put(tx: &mut Tx, workspace: WorkspaceId, draft: Draft<'_>, now: DateTime<Utc>) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query(
        "INSERT INTO atom_schedules (workspace_id, name, rule, job, missed, user_id, next_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
         ON CONFLICT (workspace_id, name) DO UPDATE SET rule = excluded.rule, job = excluded.job, missed = excluded.missed,
            user_id = excluded.user_id, next_at = excluded.next_at, updated_at = excluded.updated_at")
        .bind(workspace.0).bind(draft.name).bind(Column(draft.rule)).bind(Column(draft.job)).bind(draft.missed.as_str())
        .bind(draft.user.map(|u| u.0)).bind(draft.next_at.map(Timestamp::from)).bind(Timestamp::from(now))
        .execute(c).await.map(drop))?)
}

pub(super) async fn get(db: &Db, workspace: WorkspaceId, name: &str) -> Result<Schedule> {
    let row: Option<ScheduleRow> = on!(db, c => sqlx::query_as(concat!(columns!(), "WHERE workspace_id = $1 AND name = $2"))
        .bind(workspace.0).bind(name).fetch_optional(c).await)?;
    row.ok_or_else(|| Error::not_found("schedule"))?.into_schedule()
}

pub(super) async fn list(db: &Db, workspace: WorkspaceId) -> Result<Vec<Schedule>> {
    let rows: Vec<ScheduleRow> = on!(db, c => sqlx::query_as(concat!(columns!(), "WHERE workspace_id = $1 ORDER BY name"))
        .bind(workspace.0).fetch_all(c).await)?;
    rows.into_iter().map(ScheduleRow::into_schedule).collect()
}

pub(super) async fn remove(tx: &mut Tx, workspace: WorkspaceId, name: &str) -> Result<bool> {
    let done = on!(tx: tx, c => sqlx::query("DELETE FROM atom_schedules WHERE workspace_id = $1 AND name = $2")
        .bind(workspace.0).bind(name).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(done == 1)
}

/// Holds a schedule back (with a moment) or lets it fire again (without one).
pub(super) async fn pause(tx: &mut Tx, workspace: WorkspaceId, name: &str, at: Option<DateTime<Utc>>) -> Result<bool> {
    let done = on!(tx: tx, c => sqlx::query("UPDATE atom_schedules SET paused_at = $3 WHERE workspace_id = $1 AND name = $2")
        .bind(workspace.0).bind(name).bind(at.map(Timestamp::from)).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(done == 1)
}

/// Schedules whose moment has come, of all workspaces.
pub(super) async fn due(db: &Db, now: DateTime<Utc>) -> Result<Vec<ScheduleRow>> {
    Ok(
        on!(db, c => sqlx::query_as(concat!(columns!(), "WHERE next_at <= $1 AND next_at IS NOT NULL AND paused_at IS NULL ORDER BY next_at LIMIT 100"))
        .bind(Timestamp::from(now)).fetch_all(c).await)?,
    )
}

/// When the next schedule of any workspace fires.
pub(super) async fn next(db: &Db) -> Result<Option<DateTime<Utc>>> {
    let next: Option<(Timestamp,)> = on!(db, c => sqlx::query_as(
        "SELECT next_at FROM atom_schedules WHERE next_at IS NOT NULL AND paused_at IS NULL ORDER BY next_at LIMIT 1").fetch_optional(c).await)?;
    Ok(next.map(|(at,)| at.0))
}

/// Moves a schedule on, unless another process was faster: of all that see the same moment, one gets true.
pub(super) async fn advance(
    tx: &mut Tx,
    row: &ScheduleRow,
    last: Option<DateTime<Utc>>,
    next: Option<DateTime<Utc>>,
) -> Result<bool> {
    let done = on!(tx: tx, c => sqlx::query(
        "UPDATE atom_schedules SET next_at = $4, last_at = coalesce($5, last_at)
          WHERE workspace_id = $1 AND name = $2 AND next_at = $3 AND paused_at IS NULL")
        .bind(row.workspace_id).bind(&row.name).bind(row.next_at).bind(next.map(Timestamp::from)).bind(last.map(Timestamp::from))
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(done == 1)
}

/// Deletes the schedules of a workspace that is gone.
pub(crate) async fn forget_workspace(tx: &mut Tx, workspace: WorkspaceId) -> Result<()> {
    Ok(
        on!(tx: tx, c => sqlx::query("DELETE FROM atom_schedules WHERE workspace_id = $1").bind(workspace.0).execute(c).await.map(drop))?,
    )
}
