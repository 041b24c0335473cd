//! What keeps the queues in order: leases, due times, retention. Leases go by the real time of the database, whatever the clock of
//! the installation says: they are about processes that died.

use crate::storage::{Db, Engine, OpenTx, Timestamp, Topic, Tx, on, row};
use crate::{JobId, Result, UserId, WorkspaceId};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

use super::Ended;

/// Registers a worker.
pub(in crate::jobs) async fn register(
    db: &Db,
    id: Uuid,
    label: &str,
    queues: &[String],
    concurrency: i32,
    lease: Duration,
    now: DateTime<Utc>,
) -> Result<()> {
    let queues = sqlx::types::Json(queues);
    match &db.engine {
        Engine::Sqlite(pools) => sqlx::query(
            "INSERT INTO atom_workers (id, label, queues, concurrency, started_at, lease_until) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id)
        .bind(label)
        .bind(queues)
        .bind(concurrency)
        .bind(Timestamp::from(now))
        .bind(Timestamp::from(Utc::now() + lease))
        .execute(&mut *pools.write.turn().await?)
        .await
        .map(drop)?,
        Engine::Pg(pool) => sqlx::query(
            "INSERT INTO atom_workers (id, label, queues, concurrency, started_at, lease_until)
            VALUES ($1, $2, $3, $4, $5, clock_timestamp() + $6 * interval '1 second')",
        )
        .bind(id)
        .bind(label)
        .bind(queues)
        .bind(concurrency)
        .bind(Timestamp::from(now))
        .bind(lease.as_secs_f64())
        .execute(pool)
        .await
        .map(drop)?,
    }
    Ok(())
}

/// Prolongs the lease of a worker. False if it has ended: its jobs are no longer its own.
pub(in crate::jobs) async fn beat(db: &Db, id: Uuid, lease: Duration) -> Result<bool> {
    let done = match &db.engine {
        Engine::Sqlite(pools) => sqlx::query("UPDATE atom_workers SET lease_until = $3 WHERE id = $1 AND lease_until > $2")
            .bind(id).bind(Timestamp::from(Utc::now())).bind(Timestamp::from(Utc::now() + lease))
            .execute(&mut *pools.write.turn().await?).await?.rows_affected(),
        Engine::Pg(pool) => sqlx::query("UPDATE atom_workers SET lease_until = clock_timestamp() + $2 * interval '1 second' WHERE id = $1 AND lease_until > clock_timestamp()")
            .bind(id).bind(lease.as_secs_f64()).execute(pool).await?.rows_affected(),
    };
    Ok(done == 1)
}

/// Removes a worker that has stopped.
pub(in crate::jobs) async fn forget(db: &Db, id: Uuid) -> Result<()> {
    Ok(on!(write: db, c => sqlx::query("DELETE FROM atom_workers WHERE id = $1").bind(id).execute(c).await.map(drop))?)
}

row! {
    pub(in crate::jobs) struct Asked {
        workspace_id: Uuid,
        id: Uuid,
        fence: i64,
    }
}

/// The running jobs of a worker that somebody wants cancelled.
pub(in crate::jobs) async fn cancelled(db: &Db, worker: Uuid) -> Result<Vec<(WorkspaceId, JobId, i64)>> {
    let asked: Vec<Asked> = on!(db, c => sqlx::query_as(
        "SELECT workspace_id, id, fence FROM atom_runs WHERE state = 'running' AND lease_owner = $1 AND cancelled_at IS NOT NULL")
        .bind(worker).fetch_all(c).await)?;
    Ok(asked.into_iter().map(|job| (WorkspaceId(job.workspace_id), JobId(job.id), job.fence)).collect())
}

/// The jobs that a worker has, as the database says.
pub(in crate::jobs) async fn held_by(db: &Db, worker: Uuid) -> Result<Vec<(WorkspaceId, JobId, i64)>> {
    let held: Vec<Asked> = on!(db, c => sqlx::query_as("SELECT workspace_id, id, fence FROM atom_runs WHERE state = 'running' AND lease_owner = $1")
        .bind(worker).fetch_all(c).await)?;
    Ok(held.into_iter().map(|job| (WorkspaceId(job.workspace_id), JobId(job.id), job.fence)).collect())
}

/// Gives back jobs that were taken and never started.
pub(in crate::jobs) async fn give_back(db: &Db, jobs: &[(WorkspaceId, JobId, i64)]) -> Result<()> {
    let mut tx = db.begin().await?;
    for (workspace, id, fence) in jobs {
        on!(tx: &mut tx, c => sqlx::query(
            "UPDATE atom_runs SET state = 'waiting', attempt = attempt - 1, lease_owner = NULL WHERE workspace_id = $1 AND id = $2 AND fence = $3 AND state = 'running'")
            .bind(workspace.0).bind(id.0).bind(fence).execute(c).await.map(drop))?;
    }
    tx.wakes(Topic::Jobs);
    tx.commit().await
}

/// Whether there are jobs or rows of workers whose lease has ended.
pub(in crate::jobs) async fn has_orphans(db: &Db) -> Result<bool> {
    macro_rules! look {
        ($now:literal) => {
            concat!(
                "SELECT CASE WHEN EXISTS (SELECT 1 FROM atom_workers WHERE lease_until <= ", $now, ") OR EXISTS (SELECT 1 FROM atom_runs r
                    WHERE r.state = 'running' AND NOT EXISTS (SELECT 1 FROM atom_workers w WHERE w.id = r.lease_owner)) THEN 1 ELSE 0 END"
            )
        };
    }
    let (found,): (i32,) = match &db.engine {
        Engine::Sqlite(pools) => sqlx::query_as(look!("$1")).bind(Timestamp::from(Utc::now())).fetch_one(&pools.read).await?,
        Engine::Pg(pool) => sqlx::query_as(look!("clock_timestamp()")).fetch_one(pool).await?,
    };
    Ok(found == 1)
}

/// Takes the jobs of dead workers away from them: to be run again; or, if that was the last attempt, to the dead letters; or, if it was
/// in a step that must not be repeated, into doubt.
pub(in crate::jobs) async fn reap(tx: &mut Tx, now: DateTime<Utc>, keep_until: DateTime<Utc>) -> Result<Vec<Ended>> {
    macro_rules! in_doubt {
        () => {
            "EXISTS (SELECT 1 FROM atom_steps s WHERE s.workspace_id = atom_runs.workspace_id AND s.run_id = atom_runs.id AND s.state = 'begun')"
        };
    }
    macro_rules! ended {
        () => {
            concat!("(cancelled_at IS NOT NULL OR attempt >= max_attempts) AND NOT ", in_doubt!())
        };
    }
    macro_rules! release {
        ($lock:literal) => {
            concat!(
                "UPDATE atom_runs SET lease_owner = NULL,
                    state = CASE WHEN ",
                in_doubt!(),
                " THEN 'in_doubt' WHEN cancelled_at IS NOT NULL THEN 'cancelled'
                                 WHEN attempt >= max_attempts THEN 'failed' ELSE 'waiting' END,
                    error_reason = 'worker_lost', error_text = 'the worker ended or hung in the middle of the attempt',
                    finished_at = CASE WHEN ",
                ended!(),
                " THEN $1 END,
                    keep_until = CASE WHEN ",
                ended!(),
                " THEN $2 END,
                    unique_key = CASE WHEN ",
                ended!(),
                " AND (unique_expires IS NULL OR unique_expires <= $1) THEN NULL ELSE unique_key END
                  WHERE (workspace_id, id) IN (SELECT workspace_id, id FROM atom_runs r
                    WHERE r.state = 'running' AND NOT EXISTS (SELECT 1 FROM atom_workers w WHERE w.id = r.lease_owner) ",
                $lock,
                ")
                 RETURNING workspace_id, id, kind, lane, state, parent_id, user_id, announce, error_reason"
            )
        };
    }
    let (at, kept) = (Timestamp::from(now), Timestamp::from(keep_until));
    Ok(match &mut tx.open {
        OpenTx::Sqlite(t) => {
            sqlx::query("DELETE FROM atom_workers WHERE lease_until <= $1")
                .bind(Timestamp::from(Utc::now()))
                .execute(&mut **t)
                .await?;
            sqlx::query_as(release!("")).bind(at).bind(kept).fetch_all(&mut **t).await?
        }
        OpenTx::Pg(t) => {
            sqlx::query("DELETE FROM atom_workers WHERE id IN (SELECT id FROM atom_workers WHERE lease_until <= clock_timestamp() FOR UPDATE SKIP LOCKED)")
                .execute(&mut **t)
                .await?;
            sqlx::query_as(release!("FOR UPDATE SKIP LOCKED")).bind(at).bind(kept).fetch_all(&mut **t).await?
        }
    })
}

/// Makes jobs wait for a worker whose time has come. Returns how many; there may be more.
async fn promote(db: &Db, now: DateTime<Utc>) -> Result<u64> {
    const SQLITE: &str = "UPDATE atom_runs SET state = 'waiting' WHERE rowid IN (SELECT rowid FROM atom_runs WHERE state = 'delayed' AND run_at <= $1 ORDER BY run_at LIMIT 1000)";
    const POSTGRES: &str = "UPDATE atom_runs SET state = 'waiting' WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM atom_runs WHERE state = 'delayed' AND run_at <= $1 ORDER BY run_at LIMIT 1000 FOR UPDATE SKIP LOCKED))";
    let now = Timestamp::from(now);
    Ok(match &db.engine {
        Engine::Sqlite(pools) => sqlx::query(SQLITE).bind(now).execute(&mut *pools.write.turn().await?).await?.rows_affected(),
        Engine::Pg(pool) => sqlx::query(POSTGRES).bind(now).execute(pool).await?.rows_affected(),
    })
}

/// The same, if there is any. Says whether there may be more.
pub(in crate::jobs) async fn promote_if_due(db: &Db, now: DateTime<Utc>) -> Result<bool> {
    if next_due(db).await?.is_none_or(|due| due > now) {
        return Ok(false);
    }
    Ok(promote(db, now).await? >= 1000)
}

/// When the next delayed job is due.
pub(in crate::jobs) async fn next_due(db: &Db) -> Result<Option<DateTime<Utc>>> {
    let next: Option<(Timestamp,)> = on!(db, c => sqlx::query_as("SELECT run_at FROM atom_runs WHERE state = 'delayed' ORDER BY run_at LIMIT 1")
        .fetch_optional(c).await)?;
    Ok(next.map(|(at,)| at.0))
}

/// Deletes ended jobs, and their steps, that are not to be kept any longer. Returns how many; there may be more.
pub(in crate::jobs) async fn delete_old(db: &Db, now: DateTime<Utc>) -> Result<usize> {
    let mut tx = db.begin().await?;
    let now = Timestamp::from(now);
    // A worker may still claim that it runs it: only what has ended is deleted.
    let gone: Vec<(Uuid, Uuid)> = match &mut tx.open {
        OpenTx::Sqlite(t) => sqlx::query_as("DELETE FROM atom_runs WHERE rowid IN (SELECT rowid FROM atom_runs WHERE keep_until < $1 AND (unique_key IS NULL OR unique_expires IS NULL OR unique_expires <= $1) LIMIT 2000) RETURNING workspace_id, id")
            .bind(now).fetch_all(&mut **t).await?,
        OpenTx::Pg(t) => sqlx::query_as("DELETE FROM atom_runs WHERE ctid = ANY (ARRAY(SELECT ctid FROM atom_runs WHERE keep_until < $1 AND (unique_key IS NULL OR unique_expires IS NULL OR unique_expires <= $1) LIMIT 2000 FOR UPDATE SKIP LOCKED)) RETURNING workspace_id, id")
            .bind(now).fetch_all(&mut **t).await?,
    };
    if !gone.is_empty() {
        let (workspaces, runs): (Vec<_>, Vec<_>) = gone.iter().copied().unzip();
        match &mut tx.open {
            OpenTx::Sqlite(t) => {
                let rows: Vec<_> = gone.iter().map(|(w, r)| [w.simple().to_string(), r.simple().to_string()]).collect();
                sqlx::query("DELETE FROM atom_steps WHERE (workspace_id, run_id) IN (SELECT unhex(value->>0), unhex(value->>1) FROM json_each($1))")
                    .bind(json!(rows).to_string()).execute(&mut **t).await?;
            }
            OpenTx::Pg(t) => {
                sqlx::query("DELETE FROM atom_steps s USING unnest($1::uuid[], $2::uuid[]) AS g(w, r) WHERE s.workspace_id = g.w AND s.run_id = g.r")
                    .bind(workspaces).bind(runs).execute(&mut **t).await?;
            }
        }
    }
    tx.commit().await?;
    Ok(gone.len())
}

/// Holds the jobs of a queue back.
pub(in crate::jobs) async fn pause(db: &Db, queue: &str, now: DateTime<Utc>) -> Result<()> {
    Ok(
        on!(write: db, c => sqlx::query("INSERT INTO atom_queues (name, paused_at) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET paused_at = excluded.paused_at")
        .bind(queue).bind(Timestamp::from(now)).execute(c).await.map(drop))?,
    )
}

/// Lets the jobs of a queue run again.
pub(in crate::jobs) async fn resume(tx: &mut Tx, queue: &str) -> Result<()> {
    Ok(
        on!(tx: tx, c => sqlx::query("UPDATE atom_queues SET paused_at = NULL WHERE name = $1").bind(queue).execute(c).await.map(drop))?,
    )
}

/// The batches that wait although all their jobs have ended: whoever ended the last one died before it could say so.
pub(in crate::jobs) async fn forgotten_parents(db: &Db) -> Result<Vec<(Uuid, Uuid)>> {
    Ok(on!(db, c => sqlx::query_as(
        "SELECT workspace_id, id FROM atom_runs p WHERE state = 'held' AND NOT EXISTS (
            SELECT 1 FROM atom_runs c WHERE c.workspace_id = p.workspace_id AND c.parent_id = p.id AND c.finished_at IS NULL) LIMIT 1000")
        .fetch_all(c).await)?)
}

/// Deletes the jobs of a workspace that is gone, those that run now too: what they write about themselves then finds no row.
pub(crate) async fn forget_workspace(tx: &mut Tx, workspace: WorkspaceId) -> Result<()> {
    for table in [
        "DELETE FROM atom_steps WHERE workspace_id = $1",
        "DELETE FROM atom_runs WHERE workspace_id = $1",
        "DELETE FROM atom_limits WHERE workspace_id = $1",
    ] {
        on!(tx: tx, c => sqlx::query(table).bind(workspace.0).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// Has the jobs that ran on a user's behalf be forgotten at the next clearing up, and those that still wait or run as soon as they have ended.
pub(crate) async fn forget_user(tx: &mut Tx, user: UserId, now: DateTime<Utc>) -> Result<()> {
    on!(tx: tx, c => sqlx::query("UPDATE atom_runs SET keep_seconds = 0 WHERE user_id = $1").bind(user.0).execute(c).await.map(drop))?;
    Ok(on!(tx: tx, c => sqlx::query(
        "UPDATE atom_runs SET keep_until = $2, unique_key = NULL WHERE user_id = $1 AND finished_at IS NOT NULL")
        .bind(user.0).bind(Timestamp::from(now)).execute(c).await.map(drop))?)
}
