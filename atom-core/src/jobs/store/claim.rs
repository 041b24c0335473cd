//! Taking jobs. Workspaces take turns; in a workspace, the keys of limits do; within those it goes by priority, then by age.

use crate::jobs::RetryPolicy;
use crate::jobs::rate::Starts;
use crate::storage::{Conn, Db, Engine, OpenTx, Timestamp, Tx, on, row};
use crate::{JobId, Json, Result, UserId, WorkspaceId};
use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::types::Json as Column;
use std::time::Instant;
use uuid::Uuid;

row! {
    /// A workspace that has jobs waiting.
    #[derive(Clone)]
    pub(in crate::jobs) struct Place {
        id: Uuid,
        first_lane: Option<i64>,
        last_lane: Option<i64>,
    }
}

impl Place {
    /// Whether jobs without a limit wait here.
    pub(in crate::jobs) fn has_plain(&self) -> bool {
        self.first_lane == Some(0)
    }

    /// Whether jobs with a limit wait here.
    pub(in crate::jobs) fn has_limited(&self) -> bool {
        self.last_lane.is_some_and(|lane| lane > 0)
    }
}

/// How many workspaces and keys are looked at in one go.
pub(in crate::jobs) const PAGE: i64 = 32;

/// The workspaces from one on that have jobs of these kinds waiting in a queue.
pub(in crate::jobs) async fn workspaces(db: &Db, queue: &str, kinds: &[String], from: Uuid) -> Result<Vec<Place>> {
    // A few probes of the index per workspace, however many jobs it has. `EXISTS` would read better, and PostgreSQL might read all of them
    // for it. In the order of workspaces alone it would read the primary key, and pass all jobs that have ended.
    macro_rules! find {
        ($of_kind:literal) => {
            concat!(
                "WITH RECURSIVE w(id, n) AS (
                    SELECT (SELECT workspace_id FROM atom_runs WHERE state = 'waiting' AND queue = $1 AND workspace_id >= $2 AND ", $of_kind, "
                            ORDER BY workspace_id, lane LIMIT 1), 1
                    UNION ALL
                    SELECT (SELECT workspace_id FROM atom_runs WHERE state = 'waiting' AND queue = $1 AND workspace_id > w.id AND ", $of_kind, "
                            ORDER BY workspace_id, lane LIMIT 1), n + 1
                      FROM w WHERE w.id IS NOT NULL AND n < $3)
                 SELECT id,
                    (SELECT lane FROM atom_runs WHERE state = 'waiting' AND queue = $1 AND workspace_id = w.id AND ", $of_kind, "
                      ORDER BY lane LIMIT 1) AS first_lane,
                    (SELECT lane FROM atom_runs WHERE state = 'waiting' AND queue = $1 AND workspace_id = w.id AND ", $of_kind, "
                      ORDER BY lane DESC LIMIT 1) AS last_lane
                  FROM w WHERE id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM atom_queues WHERE name = $1 AND paused_at IS NOT NULL)"
            )
        };
    }
    Ok(match &db.engine {
        Engine::Sqlite(pools) => {
            let find = sqlx::query_as(find!("instr($4, '|' || kind || '|') > 0")).bind(queue).bind(from).bind(PAGE);
            find.bind(list(kinds)).fetch_all(&pools.read).await?
        }
        Engine::Pg(pool) => {
            sqlx::query_as(find!("kind = ANY($4)")).bind(queue).bind(from).bind(PAGE).bind(kinds).fetch_all(pool).await?
        }
    })
}

/// Kinds for SQLite, which looks into a text faster than into a list.
fn list(kinds: &[String]) -> String {
    format!("|{}|", kinds.join("|"))
}

/// The keys of limits in a workspace, from one on, that have jobs of these kinds waiting and let one start. Whether they do is for
/// [`limits`] to say: here it is only guessed, so that however many keys are full, the others are found.
pub(in crate::jobs) async fn lanes(
    db: &Db,
    queue: &str,
    kinds: &[String],
    workspace: Uuid,
    from: i64,
    now: DateTime<Utc>,
) -> Result<Vec<i64>> {
    macro_rules! find {
        ($of_kind:literal) => {
            concat!(
                "WITH RECURSIVE l(lane) AS (
                    SELECT (SELECT lane FROM atom_runs WHERE state = 'waiting' AND queue = $1 AND workspace_id = $2 AND lane >= $3 AND ", $of_kind, "
                            ORDER BY lane LIMIT 1)
                    UNION ALL
                    SELECT (SELECT lane FROM atom_runs WHERE state = 'waiting' AND queue = $1 AND workspace_id = $2 AND lane > l.lane AND ", $of_kind, "
                            ORDER BY lane LIMIT 1)
                      FROM l WHERE l.lane IS NOT NULL)
                 SELECT lane FROM l WHERE (
                    SELECT (m.opens_at IS NULL OR m.opens_at <= $5) AND (m.max_running IS NULL OR m.max_running > (
                        SELECT count(*) FROM atom_runs r WHERE r.state = 'running' AND r.lane <> 0 AND r.workspace_id = $2 AND r.lane = l.lane))
                      FROM atom_limits m WHERE m.workspace_id = $2 AND m.lane = l.lane)
                  LIMIT $4"
            )
        };
    }
    let now = Timestamp::from(now);
    Ok(match &db.engine {
        Engine::Sqlite(pools) => {
            let find = sqlx::query_scalar(find!("instr($6, '|' || kind || '|') > 0")).bind(queue).bind(workspace).bind(from);
            find.bind(PAGE).bind(now).bind(list(kinds)).fetch_all(&pools.read).await?
        }
        Engine::Pg(pool) => {
            let find = sqlx::query_scalar(find!("kind = ANY($6)")).bind(queue).bind(workspace).bind(from);
            find.bind(PAGE).bind(now).bind(kinds).fetch_all(pool).await?
        }
    })
}

/// When a rate lets the next job of a queue start.
pub(in crate::jobs) async fn next_opening(db: &Db, queue: &str, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
    let next: Option<(Timestamp,)> = on!(db, c => sqlx::query_as(
        "SELECT m.opens_at FROM atom_limits m WHERE m.opens_at > $2 AND (
            SELECT 1 FROM atom_runs r WHERE r.state = 'waiting' AND r.queue = $1 AND r.workspace_id = m.workspace_id AND r.lane = m.lane
              ORDER BY r.priority DESC LIMIT 1) = 1
          ORDER BY m.opens_at LIMIT 1")
        .bind(queue).bind(Timestamp::from(now)).fetch_optional(c).await)?;
    Ok(next.map(|(at,)| at.0))
}

row! {
    /// A limit, held by this transaction.
    pub(in crate::jobs) struct Limit {
        lane: i64,
        max_running: Option<i32>,
        max_starts: Option<i32>,
        per_ms: Option<i64>,
        starts: Column<Starts>,
        running: i64,
    }
}

/// Takes the limits of these keys, and counts what runs under them. A limit that another worker has taken is left to that worker.
pub(in crate::jobs) async fn limits(tx: &mut Tx, workspace: Uuid, lanes: &[i64]) -> Result<Vec<Limit>> {
    macro_rules! select {
        ($lanes:literal, $running:literal, $lock:literal) => {
            concat!(
                "SELECT lane, max_running, max_starts, per_ms, starts, ",
                $running,
                " AS running FROM atom_limits l
                  WHERE workspace_id = $1 AND lane ",
                $lanes,
                $lock
            )
        };
    }
    const COUNT: &str = "SELECT lane, count(*) FROM atom_runs WHERE state = 'running' AND workspace_id = $1 AND lane = ANY($2) AND lane <> 0 GROUP BY lane";
    match &mut tx.open {
        OpenTx::Sqlite(t) => Ok(sqlx::query_as(select!(
            "IN (SELECT value FROM json_each($2))",
            "(SELECT count(*) FROM atom_runs r WHERE r.state = 'running' AND r.lane <> 0 AND r.workspace_id = l.workspace_id AND r.lane = l.lane)",
            ""
        ))
        .bind(workspace)
        .bind(json!(lanes).to_string())
        .fetch_all(&mut **t)
        .await?),
        OpenTx::Pg(t) => {
            let mut taken: Vec<Limit> = sqlx::query_as(select!("= ANY($2)", "0::bigint", " FOR UPDATE SKIP LOCKED"))
                .bind(workspace)
                .bind(lanes)
                .fetch_all(&mut **t)
                .await?;
            // Counted after the lock was taken: what was claimed under it before is visible now.
            let running: Vec<(i64, i64)> = sqlx::query_as(COUNT).bind(workspace).bind(lanes).fetch_all(&mut **t).await?;
            for (lane, count) in running {
                taken.iter_mut().filter(|limit| limit.lane == lane).for_each(|limit| limit.running = count);
            }
            Ok(taken)
        }
    }
}

/// Notes the starts under a limit, and when it lets the next one happen if it lets none now.
pub(in crate::jobs) async fn note_starts(
    tx: &mut Tx,
    workspace: Uuid,
    lane: i64,
    starts: &Starts,
    opens_at: Option<DateTime<Utc>>,
) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query("UPDATE atom_limits SET starts = $3, opens_at = $4 WHERE workspace_id = $1 AND lane = $2")
        .bind(workspace).bind(lane).bind(Column(starts)).bind(opens_at.map(Timestamp::from)).execute(c).await.map(drop))?)
}

/// How many jobs to take where.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::jobs) struct Share {
    pub(in crate::jobs) workspace: Uuid,
    pub(in crate::jobs) lane: i64,
    pub(in crate::jobs) count: i64,
}

row! {
    struct ClaimedRow {
        workspace_id: Uuid,
        id: Uuid,
        kind: String,
        lane: i64,
        priority: i32,
        run_at: Timestamp,
        input: Column<Json>,
        attempt: i32,
        max_attempts: i32,
        retry: Option<Column<RetryPolicy>>,
        timeout_ms: Option<i64>,
        keep_seconds: i64,
        fence: i64,
        lease_owner: Uuid,
        user_id: Option<Uuid>,
        cancelled_at: Option<Timestamp>,
    }
}

/// A job that is ours until our lease ends.
pub(in crate::jobs) struct Claimed {
    pub(in crate::jobs) workspace: WorkspaceId,
    pub(in crate::jobs) id: JobId,
    pub(in crate::jobs) kind: String,
    pub(in crate::jobs) lane: i64,
    pub(in crate::jobs) run_at: DateTime<Utc>,
    pub(in crate::jobs) input: Json,
    pub(in crate::jobs) attempt: i32,
    pub(in crate::jobs) max_attempts: i32,
    pub(in crate::jobs) retry: Option<RetryPolicy>,
    pub(in crate::jobs) timeout_ms: Option<i64>,
    pub(in crate::jobs) keep_seconds: i64,
    pub(in crate::jobs) fence: i64,
    /// As whom the worker took it.
    pub(in crate::jobs) owner: Uuid,
    pub(in crate::jobs) user: Option<UserId>,
    pub(in crate::jobs) is_cancelled: bool,
    /// When it is too late to start it: under a rate, another one may take its turn then.
    pub(in crate::jobs) start_by: Option<Instant>,
}

macro_rules! take {
    () => {
        "UPDATE atom_runs SET state = 'running', attempt = attempt + 1, fence = fence + 1, lease_owner = $1, started_at = $2,
            progress = NULL,
            unique_key = CASE WHEN unique_until = 'started' AND (unique_expires IS NULL OR unique_expires <= $2) THEN NULL ELSE unique_key END "
    };
}

macro_rules! returning {
    () => {
        " RETURNING workspace_id, id, kind, lane, priority, run_at, input, attempt, max_attempts, retry, timeout_ms, keep_seconds, fence,
            lease_owner, user_id, cancelled_at"
    };
}

/// Takes the shares, as far as there are jobs, in the order in which they are to start. A worker whose lease has ended gets none, and a
/// queue that is paused gives none.
pub(in crate::jobs) async fn claim(
    conn: Conn<'_>,
    worker: Uuid,
    queue: &str,
    kinds: &[String],
    shares: &[Share],
    now: DateTime<Utc>,
) -> Result<Vec<Claimed>> {
    const SQLITE: &str = concat!(
        take!(),
        "WHERE rowid IN (
            SELECT rowid FROM atom_runs
             WHERE state = 'waiting' AND queue = $3 AND workspace_id = $4 AND lane = $5 AND kind IN (SELECT value FROM json_each($6))
               AND EXISTS (SELECT 1 FROM atom_workers WHERE id = $1 AND lease_until > $8)
               AND NOT EXISTS (SELECT 1 FROM atom_queues WHERE name = $3 AND paused_at IS NOT NULL)
             ORDER BY priority DESC, run_at, id LIMIT $7)",
        returning!()
    );
    // The rows are locked, so their places cannot change before the update finds them by these.
    const POSTGRES: &str = concat!(
        take!(),
        "WHERE ctid = ANY (ARRAY(
            SELECT p.at FROM jsonb_to_recordset($5::jsonb) AS s(w uuid, l bigint, n bigint)
             CROSS JOIN LATERAL (
                SELECT r.ctid AS at FROM atom_runs r
                 WHERE r.state = 'waiting' AND r.queue = $3 AND r.workspace_id = s.w AND r.lane = s.l AND r.kind = ANY($4)
                   AND EXISTS (SELECT 1 FROM atom_workers WHERE id = $1 AND lease_until > clock_timestamp())
                   AND NOT EXISTS (SELECT 1 FROM atom_queues WHERE name = $3 AND paused_at IS NOT NULL)
                 ORDER BY r.priority DESC, r.run_at, r.id LIMIT s.n FOR UPDATE OF r SKIP LOCKED) p))",
        returning!()
    );
    let started = Timestamp::from(now);
    let mut rows: Vec<ClaimedRow> = Vec::new();
    match conn {
        Conn::Sqlite(c) => {
            let kinds = json!(kinds).to_string();
            for share in shares {
                rows.extend(
                    sqlx::query_as(SQLITE)
                        .bind(worker)
                        .bind(started)
                        .bind(queue)
                        .bind(share.workspace)
                        .bind(share.lane)
                        .bind(&kinds)
                        .bind(share.count)
                        .bind(Timestamp::from(Utc::now()))
                        .fetch_all(&mut *c)
                        .await? as Vec<ClaimedRow>,
                );
            }
        }
        Conn::Pg(c) => {
            let shares: Vec<_> =
                shares.iter().map(|s| json!({"w": s.workspace.simple().to_string(), "l": s.lane, "n": s.count})).collect();
            rows = sqlx::query_as(POSTGRES)
                .bind(worker)
                .bind(started)
                .bind(queue)
                .bind(kinds)
                .bind(json!(shares).to_string())
                .fetch_all(c)
                .await?;
        }
    }
    // Neither engine returns rows in the order of the search. The shares are in the order of turns.
    let turn = |row: &ClaimedRow| shares.iter().position(|s| s.workspace == row.workspace_id && s.lane == row.lane);
    let mut rows: Vec<_> = rows.into_iter().map(|row| (turn(&row), row)).collect();
    rows.sort_by(|(a, x), (b, y)| a.cmp(b).then(y.priority.cmp(&x.priority)).then(x.run_at.cmp(&y.run_at)).then(x.id.cmp(&y.id)));
    Ok(rows.into_iter().map(|(_, row)| row.into()).collect())
}

impl From<ClaimedRow> for Claimed {
    fn from(row: ClaimedRow) -> Self {
        Self {
            workspace: WorkspaceId(row.workspace_id),
            id: JobId(row.id),
            kind: row.kind,
            lane: row.lane,
            run_at: row.run_at.0,
            input: row.input.0,
            attempt: row.attempt,
            max_attempts: row.max_attempts,
            retry: row.retry.map(|retry| retry.0),
            timeout_ms: row.timeout_ms,
            keep_seconds: row.keep_seconds,
            fence: row.fence,
            owner: row.lease_owner,
            user: row.user_id.map(UserId),
            is_cancelled: row.cancelled_at.is_some(),
            start_by: None,
        }
    }
}
