//! Looking at jobs, and changing those that do not run.

use super::Ended;
use crate::jobs::{Batch, JobCount, JobFilter, JobPage, JobProgress, JobState, QueueStatus, StoredJob, WorkerStatus};
use crate::storage::{Conn, Db, Timestamp, on, row};
use crate::{Error, JobId, Json, Result, UserId, WorkspaceId};
use chrono::{DateTime, Utc};
use sqlx::types::Json as Column;
use uuid::Uuid;

row! {
    /// A job with all that can be seen of it.
    pub(in crate::jobs) struct JobRow {
        id: Uuid,
        kind: String,
        queue: String,
        state: String,
        priority: i32,
        input: Column<Json>,
        output: Option<Column<Json>>,
        error_reason: Option<String>,
        error_text: Option<String>,
        attempt: i32,
        max_attempts: i32,
        progress: Option<Column<JobProgress>>,
        cancelled_at: Option<Timestamp>,
        user_id: Option<Uuid>,
        parent_id: Option<Uuid>,
        created_at: Timestamp,
        run_at: Timestamp,
        started_at: Option<Timestamp>,
        finished_at: Option<Timestamp>,
    }
}

macro_rules! columns {
    () => {
        "SELECT id, kind, queue, state, priority, input, output, error_reason, error_text, attempt, max_attempts, progress, cancelled_at,
            user_id, parent_id, created_at, run_at, started_at, finished_at FROM atom_runs "
    };
}

impl JobRow {
    fn into_job(self) -> Result<StoredJob> {
        Ok(StoredJob {
            id: JobId(self.id),
            kind: self.kind,
            queue: self.queue,
            state: self.state.parse()?,
            priority: self.priority,
            input: self.input.0,
            output: self.output.map(|output| output.0),
            error_reason: self.error_reason,
            error_text: self.error_text,
            attempt: self.attempt,
            max_attempts: self.max_attempts,
            progress: self.progress.map(|progress| progress.0),
            is_cancel_requested: self.cancelled_at.is_some(),
            user_id: self.user_id.map(UserId),
            batch_id: self.parent_id.map(JobId),
            created_at: self.created_at.0,
            run_at: self.run_at.0,
            started_at: self.started_at.map(|at| at.0),
            finished_at: self.finished_at.map(|at| at.0),
        })
    }
}

pub(in crate::jobs) async fn get(db: &Db, workspace: WorkspaceId, id: JobId) -> Result<StoredJob> {
    let row: Option<JobRow> = on!(db, c => sqlx::query_as(concat!(columns!(), "WHERE workspace_id = $1 AND id = $2"))
        .bind(workspace.0).bind(id.0).fetch_optional(c).await)?;
    row.ok_or_else(|| Error::not_found("job"))?.into_job()
}

/// Whether a job has ended, without reading all of it. None if there is no such job.
pub(in crate::jobs) async fn has_ended(db: &Db, workspace: WorkspaceId, id: JobId) -> Result<Option<bool>> {
    let state: Option<(String,)> = on!(db, c => sqlx::query_as("SELECT state FROM atom_runs WHERE workspace_id = $1 AND id = $2")
        .bind(workspace.0).bind(id.0).fetch_optional(c).await)?;
    state.map(|(state,)| Ok(state.parse::<JobState>()?.is_final())).transpose()
}

/// The jobs that fit, newest first.
pub(in crate::jobs) async fn list(db: &Db, workspace: WorkspaceId, filter: &JobFilter) -> Result<JobPage> {
    let size = filter.page_size.unwrap_or(100);
    if !(1..=1000).contains(&size) {
        return Err(Error::invalid("malformed_page_size", "page_size is between 1 and 1000"));
    }
    let malformed = |_| Error::invalid("malformed_cursor", "pass the cursor as the last page returned it");
    // Nothing has such a name, and PostgreSQL would take it for an error of ours.
    if [&filter.kind, &filter.queue].into_iter().flatten().any(|name| name.contains('\0')) {
        return Ok(JobPage { items: Vec::new(), next_cursor: None });
    }
    let before: Option<JobId> = filter.cursor.as_deref().map(str::parse).transpose().map_err(malformed)?;
    let rows: Vec<JobRow> = on!(db, c => sqlx::query_as(concat!(columns!(),
        "WHERE workspace_id = $1 AND ($2 IS NULL OR id < $2) AND ($3 IS NULL OR state = $3) AND ($4 IS NULL OR kind = $4)
           AND ($5 IS NULL OR queue = $5) AND ($6 IS NULL OR parent_id = $6) ORDER BY id DESC LIMIT $7"))
        .bind(workspace.0).bind(before.map(|id| id.0)).bind(filter.state.map(|state| state.as_str())).bind(&filter.kind).bind(&filter.queue)
        .bind(filter.batch_id.map(|id| id.0)).bind(i64::from(size) + 1).fetch_all(c).await)?;
    let more = rows.len() > usize::try_from(size).unwrap_or_default();
    let mut items = rows.into_iter().map(JobRow::into_job).collect::<Result<Vec<_>>>()?;
    if more {
        items.pop();
    }
    let next_cursor = items.last().filter(|_| more).map(|last| last.id.to_string());
    Ok(JobPage { items, next_cursor })
}

row! {
    struct CountRow {
        queue: String,
        kind: String,
        state: String,
        count: i64,
        oldest: Option<Timestamp>,
    }
}

/// How many jobs of a workspace stand where.
pub(in crate::jobs) async fn counts(db: &Db, workspace: WorkspaceId) -> Result<Vec<JobCount>> {
    let rows: Vec<CountRow> = on!(db, c => sqlx::query_as(
        "SELECT queue, kind, state, count(*) AS count, CASE WHEN state = 'waiting' THEN min(run_at) END AS oldest
           FROM atom_runs WHERE workspace_id = $1 GROUP BY queue, kind, state ORDER BY queue, kind, state")
        .bind(workspace.0).fetch_all(c).await)?;
    let count = |row: CountRow| {
        Ok(JobCount {
            queue: row.queue,
            kind: row.kind,
            state: row.state.parse()?,
            count: row.count,
            oldest: row.oldest.map(|at| at.0),
        })
    };
    rows.into_iter().map(count).collect()
}

row! {
    struct BatchRow {
        children: Option<i32>,
        pending: i64,
        failed: i64,
        cancelled: i64,
    }
}

pub(in crate::jobs) async fn batch(db: &Db, workspace: WorkspaceId, id: JobId) -> Result<Batch> {
    let row: Option<BatchRow> = on!(db, c => sqlx::query_as(
        "SELECT p.children, count(CASE WHEN c.finished_at IS NULL AND c.id IS NOT NULL THEN 1 END) AS pending,
                count(CASE WHEN c.state = 'failed' THEN 1 END) AS failed, count(CASE WHEN c.state = 'cancelled' THEN 1 END) AS cancelled
           FROM atom_runs p LEFT JOIN atom_runs c ON c.workspace_id = p.workspace_id AND c.parent_id = p.id
          WHERE p.workspace_id = $1 AND p.id = $2 GROUP BY p.children")
        .bind(workspace.0).bind(id.0).fetch_optional(c).await)?;
    let row = row.filter(|row| row.children.is_some()).ok_or_else(|| Error::not_found("batch"))?;
    let total = i64::from(row.children.unwrap_or_default());
    let succeeded = total - row.pending - row.failed - row.cancelled;
    Ok(Batch { id, total, pending: row.pending, succeeded, failed: row.failed, cancelled: row.cancelled })
}

/// Ends a job that does not run, or asks for the end of one that does. None if it has ended already.
pub(in crate::jobs) async fn cancel(
    conn: Conn<'_>,
    workspace: WorkspaceId,
    id: JobId,
    now: DateTime<Utc>,
    keep_until: DateTime<Utc>,
) -> Result<Option<Ended>> {
    Ok(on!(conn: conn, c => sqlx::query_as(
        "UPDATE atom_runs SET cancelled_at = $3, state = CASE WHEN state = 'running' THEN state ELSE 'cancelled' END,
            finished_at = CASE WHEN state = 'running' THEN NULL ELSE $3 END, keep_until = CASE WHEN state = 'running' THEN NULL ELSE $4 END,
            unique_key = CASE WHEN state = 'running' OR unique_expires > $3 THEN unique_key ELSE NULL END
          WHERE workspace_id = $1 AND id = $2 AND finished_at IS NULL
        RETURNING workspace_id, id, kind, lane, state, parent_id, user_id, announce, error_reason")
        .bind(workspace.0).bind(id.0).bind(Timestamp::from(now)).bind(Timestamp::from(keep_until)).fetch_optional(c).await)?)
}

/// Has a job that failed or was cancelled run again, with all its attempts; one that was to follow a batch, when that has ended. False if
/// it did neither.
pub(in crate::jobs) async fn replay(conn: Conn<'_>, workspace: WorkspaceId, id: JobId, now: DateTime<Utc>) -> Result<bool> {
    let done = on!(conn: conn, c => sqlx::query(
        "UPDATE atom_runs SET attempt = 0,
            state = CASE WHEN EXISTS (SELECT 1 FROM atom_runs c WHERE c.workspace_id = $1 AND c.parent_id = $2 AND c.finished_at IS NULL)
                THEN 'held' ELSE 'waiting' END, run_at = $3, cancelled_at = NULL, finished_at = NULL, keep_until = NULL,
            progress = NULL, unique_key = NULL
          WHERE workspace_id = $1 AND id = $2 AND state IN ('failed', 'cancelled') AND shape = 'job'")
        .bind(workspace.0).bind(id.0).bind(Timestamp::from(now)).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(done == 1)
}

/// Has every dead letter of a kind (or of all kinds) run again. Returns how many.
pub(in crate::jobs) async fn replay_all(
    conn: Conn<'_>,
    workspace: WorkspaceId,
    kind: Option<&str>,
    now: DateTime<Utc>,
) -> Result<i64> {
    // No kind has such a name, and PostgreSQL would take it for an error of ours.
    if kind.is_some_and(|kind| kind.contains('\0')) {
        return Ok(0);
    }
    let done = on!(conn: conn, c => sqlx::query(
        "UPDATE atom_runs SET state = 'waiting', attempt = 0, run_at = $3, cancelled_at = NULL, finished_at = NULL, keep_until = NULL,
            progress = NULL, unique_key = NULL
          WHERE workspace_id = $1 AND state = 'failed' AND shape = 'job' AND ($2 IS NULL OR kind = $2)")
        .bind(workspace.0).bind(kind).bind(Timestamp::from(now)).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(i64::try_from(done).unwrap_or(i64::MAX))
}

/// Lets a run go on whose doubt was settled.
pub(in crate::jobs) async fn go_on(conn: Conn<'_>, workspace: WorkspaceId, id: JobId, now: DateTime<Utc>) -> Result<bool> {
    let done = on!(conn: conn, c => sqlx::query(
        "UPDATE atom_runs SET state = 'waiting', run_at = $3, max_attempts = CASE WHEN attempt >= max_attempts THEN attempt + 1 ELSE max_attempts END
          WHERE workspace_id = $1 AND id = $2 AND state = 'in_doubt'
            AND NOT EXISTS (SELECT 1 FROM atom_steps s WHERE s.workspace_id = $1 AND s.run_id = $2 AND s.state = 'begun')")
        .bind(workspace.0).bind(id.0).bind(Timestamp::from(now)).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(done == 1)
}

row! {
    struct QueueRow {
        name: String,
        paused: bool,
        waiting: i64,
        delayed: i64,
        running: i64,
        failed: i64,
        oldest: Option<Timestamp>,
    }
}

/// All queues of the installation.
pub(in crate::jobs) async fn queues(db: &Db, now: DateTime<Utc>) -> Result<Vec<QueueStatus>> {
    // What has ended well is most of the table, and not asked for.
    let rows: Vec<QueueRow> = on!(db, c => sqlx::query_as(
        "SELECT n.name, EXISTS (SELECT 1 FROM atom_queues p WHERE p.name = n.name AND p.paused_at IS NOT NULL) AS paused,
                count(CASE WHEN n.state = 'waiting' THEN 1 END) AS waiting, count(CASE WHEN n.state = 'delayed' THEN 1 END) AS delayed,
                count(CASE WHEN n.state = 'running' THEN 1 END) AS running, count(CASE WHEN n.state = 'failed' THEN 1 END) AS failed,
                min(CASE WHEN n.state = 'waiting' THEN n.run_at END) AS oldest
           FROM (SELECT queue AS name, state, run_at FROM atom_runs WHERE state = 'waiting'
                 UNION ALL SELECT queue, state, NULL FROM atom_runs WHERE state = 'delayed'
                 UNION ALL SELECT queue, state, NULL FROM atom_runs WHERE state = 'running'
                 UNION ALL SELECT queue, state, NULL FROM atom_runs WHERE state IN ('failed', 'in_doubt')
                 UNION ALL SELECT name, NULL, NULL FROM atom_queues) n
          GROUP BY n.name ORDER BY n.name")
        .fetch_all(c).await)?;
    let status = |row: QueueRow| QueueStatus {
        name: row.name,
        is_paused: row.paused,
        waiting: row.waiting,
        delayed: row.delayed,
        running: row.running,
        failed: row.failed,
        latency_seconds: row.oldest.map_or(0.0, |at| (now - at.0).as_seconds_f64().max(0.0)),
    };
    Ok(rows.into_iter().map(status).collect())
}

row! {
    struct WorkerRow {
        label: String,
        queues: Column<Vec<String>>,
        concurrency: i32,
        running: i64,
        started_at: Timestamp,
        lease_until: Timestamp,
    }
}

/// The workers of the installation.
pub(in crate::jobs) async fn workers(db: &Db) -> Result<Vec<WorkerStatus>> {
    let rows: Vec<WorkerRow> = on!(db, c => sqlx::query_as(
        "SELECT label, queues, concurrency, (SELECT count(*) FROM atom_runs r WHERE r.state = 'running' AND r.lease_owner = w.id) AS running,
                started_at, lease_until
           FROM atom_workers w ORDER BY started_at, id")
        .fetch_all(c).await)?;
    let status = |row: WorkerRow| WorkerStatus {
        label: row.label,
        queues: row.queues.0,
        concurrency: row.concurrency,
        running: row.running,
        started_at: row.started_at.0,
        lease_until: row.lease_until.0,
    };
    Ok(rows.into_iter().map(status).collect())
}

/// Whether any job of these kinds, or of Atom's own, runs or could.
#[cfg(feature = "testing")]
pub(in crate::jobs) async fn has_work(db: &Db, kinds: &[String], now: DateTime<Utc>) -> Result<bool> {
    let work: Vec<(String,)> = on!(db, c => sqlx::query_as(
        "SELECT DISTINCT kind FROM atom_runs WHERE state IN ('waiting', 'running') OR (state = 'delayed' AND run_at <= $1)")
        .bind(Timestamp::from(now)).fetch_all(c).await)?;
    Ok(work.iter().any(|(kind,)| kinds.contains(kind) || kind.starts_with("atom.")))
}

/// The jobs that were enqueued on a user's behalf, in all workspaces. It looks at every job, so this is for what is rare.
pub(crate) async fn of_user(db: &Db, user: UserId) -> Result<Vec<StoredJob>> {
    let rows: Vec<JobRow> = on!(db, c => sqlx::query_as(concat!(columns!(), "WHERE user_id = $1 AND shape = 'job' ORDER BY id"))
        .bind(user.0).fetch_all(c).await)?;
    rows.into_iter().map(JobRow::into_job).collect()
}
