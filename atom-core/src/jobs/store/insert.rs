//! New rows.

use super::literal::Literal;
use super::{micros, moment};
use crate::jobs::kinds::Unique;
use crate::jobs::{JobLimit, JobState, OnDuplicate, RetryPolicy, UniqueUntil};
use crate::storage::{Conn, Timestamp, on, row};
use crate::{Error, JobId, Json, Result, UserId, WorkspaceId};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

/// A run before it is stored.
#[derive(Clone)]
pub(in crate::jobs) struct NewRun {
    pub(in crate::jobs) workspace: WorkspaceId,
    pub(in crate::jobs) id: JobId,
    pub(in crate::jobs) shape: &'static str,
    pub(in crate::jobs) kind: String,
    pub(in crate::jobs) queue: String,
    pub(in crate::jobs) lane: i64,
    pub(in crate::jobs) limit: Option<JobLimit>,
    pub(in crate::jobs) state: JobState,
    pub(in crate::jobs) priority: i32,
    pub(in crate::jobs) run_at: DateTime<Utc>,
    pub(in crate::jobs) input: Json,
    pub(in crate::jobs) max_attempts: i32,
    pub(in crate::jobs) retry: Option<RetryPolicy>,
    pub(in crate::jobs) timeout_ms: Option<i64>,
    pub(in crate::jobs) keep_seconds: i64,
    pub(in crate::jobs) announce: bool,
    pub(in crate::jobs) unique: Option<Unique>,
    pub(in crate::jobs) parent: Option<JobId>,
    pub(in crate::jobs) children: Option<i32>,
    pub(in crate::jobs) user: Option<UserId>,
    pub(in crate::jobs) created_at: DateTime<Utc>,
}

impl NewRun {
    fn json(&self) -> Value {
        let hex = |id: Uuid| id.simple().to_string();
        json!({
            "w": hex(self.workspace.0), "i": hex(self.id.0), "s": self.shape, "k": self.kind, "q": self.queue, "l": self.lane,
            "st": self.state.as_str(), "p": self.priority, "r": micros(self.run_at), "in": self.input, "m": self.max_attempts,
            "re": self.retry, "t": self.timeout_ms, "ke": self.keep_seconds, "an": self.announce,
            "u": self.unique.as_ref().map(|u| crate::crypto::hex(&u.key)),
            "uu": self.unique.as_ref().map(|u| u.until.as_str()),
            "ux": self.unique.as_ref().and_then(|u| u.expires).map(micros),
            "pa": self.parent.map(|p| hex(p.0)), "ch": self.children, "us": self.user.map(|u| hex(u.0)),
            "c": micros(self.created_at),
        })
    }
}

macro_rules! columns {
    () => {
        "INSERT INTO atom_runs (workspace_id, id, shape, kind, queue, lane, state, priority, run_at, input, max_attempts, retry,
            timeout_ms, keep_seconds, announce, unique_key, unique_until, unique_expires, parent_id, children, user_id, created_at) "
    };
}

macro_rules! sqlite_rows {
    ($from:literal) => {
        concat!(
            columns!(),
            "SELECT unhex(value->>'w'), unhex(value->>'i'), value->>'s', value->>'k', value->>'q', value->>'l', value->>'st', value->>'p',
                value->>'r', value->'in', value->>'m', nullif(value->'re', 'null'), value->>'t', value->>'ke', value->>'an', unhex(value->>'u'),
                value->>'uu', value->>'ux', unhex(value->>'pa'), value->>'ch', unhex(value->>'us'), value->>'c'
             FROM ",
            $from
        )
    };
}

macro_rules! postgres_rows {
    ($from:literal) => {
        concat!(
            columns!(),
            "SELECT w, i, s, k, q, l, st, p, ", moment!("r"), ", coalesce(\"in\", 'null'), m, re, t, ke, an, decode(u, 'hex'), uu, ",
            moment!("ux"), ", pa, ch, us, ", moment!("c"),
            " FROM jsonb_to_recordset(", $from, ") AS j(w uuid, i uuid, s text, k text, q text, l bigint, st text, p int, r bigint,
                \"in\" jsonb, m int, re jsonb, t bigint, ke bigint, an boolean, u text, uu text, ux bigint, pa uuid, ch int, us uuid, c bigint)"
        )
    };
}

const ALONE: &str = " ON CONFLICT (workspace_id, unique_key) WHERE unique_key IS NOT NULL DO NOTHING";
/// How many rows go into one statement.
const CHUNK: usize = 1000;

/// Stores runs that need not be the only ones of anything.
pub(in crate::jobs) async fn insert_all(mut conn: Conn<'_>, runs: &[&NewRun]) -> Result<()> {
    for chunk in runs.chunks(CHUNK) {
        let rows = Value::Array(chunk.iter().map(|run| run.json()).collect()).to_string();
        match conn.again() {
            Conn::Sqlite(c) => sqlx::query(sqlite_rows!("json_each($1)")).bind(rows).execute(c).await.map(drop)?,
            Conn::Pg(c) => sqlx::query(postgres_rows!("$1::jsonb")).bind(rows).execute(c).await.map(drop)?,
        }
    }
    Ok(())
}

row! {
    /// What stands in the way of a unique job.
    struct Rival {
        id: Uuid,
        state: String,
        attempt: i32,
        unique_until: Option<String>,
        unique_expires: Option<Timestamp>,
        has_steps: bool,
    }
}

/// Stores a run, or does what its policy says if there is one of its key. The id is that of the row that is there afterwards.
pub(in crate::jobs) async fn insert(mut conn: Conn<'_>, run: &NewRun) -> Result<(JobId, bool)> {
    let Some(unique) = &run.unique else {
        insert_all(conn, &[run]).await?;
        return Ok((run.id, false));
    };
    loop {
        let rows = Value::Array(vec![run.json()]).to_string();
        let inserted = match conn.again() {
            // Without a WHERE, SQLite would take ON CONFLICT for a join: https://sqlite.org/lang_upsert.html#parsing_ambiguity
            Conn::Sqlite(c) => sqlx::query(AssertSqlSafe(format!("{} WHERE true{ALONE}", sqlite_rows!("json_each($1)"))))
                .bind(rows)
                .execute(c)
                .await?
                .rows_affected(),
            Conn::Pg(c) => sqlx::query(AssertSqlSafe(format!("{}{ALONE}", postgres_rows!("$1::jsonb"))))
                .bind(rows)
                .execute(c)
                .await?
                .rows_affected(),
        };
        if inserted == 1 {
            return Ok((run.id, false));
        }
        macro_rules! rival {
            ($lock:literal) => {
                concat!(
                    "SELECT id, state, attempt, unique_until, unique_expires,
                        EXISTS (SELECT 1 FROM atom_steps s WHERE s.workspace_id = r.workspace_id AND s.run_id = r.id) AS has_steps
                       FROM atom_runs r WHERE workspace_id = $1 AND unique_key = $2",
                    $lock
                )
            };
        }
        let rival: Option<Rival> = match conn.again() {
            Conn::Sqlite(c) => sqlx::query_as(rival!("")).bind(run.workspace.0).bind(&unique.key[..]).fetch_optional(c).await?,
            Conn::Pg(c) => {
                sqlx::query_as(rival!(" FOR UPDATE OF r")).bind(run.workspace.0).bind(&unique.key[..]).fetch_optional(c).await?
            }
        };
        // It may have ended since the conflict.
        let Some(rival) = rival else { continue };
        let state: JobState = rival.state.parse()?;
        let has_started = rival.attempt > 0 && rival.unique_until.as_deref() == Some(UniqueUntil::Started.as_str());
        let over = (state.is_final() || has_started) && rival.unique_expires.is_none_or(|at| at.0 <= run.created_at);
        // What has begun goes on with the input that it began with.
        let has_begun = state == JobState::Running || rival.has_steps && matches!(state, JobState::Waiting | JobState::Delayed);
        let follows = has_begun && unique.on_duplicate != OnDuplicate::Skip;
        if over || follows {
            on!(conn: conn.again(), c => sqlx::query("UPDATE atom_runs SET unique_key = NULL WHERE workspace_id = $1 AND id = $2")
                .bind(run.workspace.0).bind(rival.id).execute(c).await.map(drop))?;
            continue;
        }
        if unique.on_duplicate != OnDuplicate::Skip && matches!(state, JobState::Waiting | JobState::Delayed) {
            replace(conn, run, rival.id, unique.on_duplicate == OnDuplicate::Debounce).await?;
        }
        return Ok((JobId(rival.id), true));
    }
}

async fn replace(conn: Conn<'_>, run: &NewRun, id: Uuid, anew: bool) -> Result<()> {
    let (state, run_at) = (run.state.as_str(), Timestamp::from(run.run_at));
    Ok(on!(conn: conn, c => sqlx::query(
        "UPDATE atom_runs SET input = $3, priority = $4, queue = $5, user_id = $6,
            state = CASE WHEN $7 THEN $8 ELSE state END, run_at = CASE WHEN $7 THEN $9 ELSE run_at END
          WHERE workspace_id = $1 AND id = $2 AND state IN ('waiting', 'delayed')")
        .bind(run.workspace.0).bind(id).bind(sqlx::types::Json(&run.input)).bind(run.priority).bind(&run.queue)
        .bind(run.user.map(|u| u.0)).bind(anew).bind(state).bind(run_at).execute(c).await.map(drop))?)
}

/// Makes a limit's newest numbers hold.
pub(in crate::jobs) async fn open_limit(mut conn: Conn<'_>, workspace: WorkspaceId, lane: i64, limit: &JobLimit) -> Result<()> {
    #[allow(clippy::cast_possible_truncation)] // checked when the job was
    let per_ms = limit.max_starts.map(|_| (limit.per_seconds.unwrap_or(1.0) * 1000.0).round() as i64);
    let known: Option<(Option<i32>, Option<i32>, Option<i64>)> = on!(conn: conn.again(), c => sqlx::query_as(
        "SELECT max_running, max_starts, per_ms FROM atom_limits WHERE workspace_id = $1 AND lane = $2")
        .bind(workspace.0).bind(lane).fetch_optional(c).await)?;
    // Written only when it changes: a row that every job touches would make the jobs of a key wait for each other.
    if known == Some((limit.max_running, limit.max_starts, per_ms)) {
        return Ok(());
    }
    Ok(on!(conn: conn, c => sqlx::query(
        "INSERT INTO atom_limits (workspace_id, lane, key, max_running, max_starts, per_ms, starts) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (workspace_id, lane) DO UPDATE SET max_running = excluded.max_running, max_starts = excluded.max_starts,
            starts = CASE WHEN atom_limits.per_ms = excluded.per_ms THEN atom_limits.starts ELSE excluded.starts END,
            per_ms = excluded.per_ms, opens_at = NULL")
        .bind(workspace.0).bind(lane).bind(&limit.key).bind(limit.max_running).bind(limit.max_starts).bind(per_ms)
        .bind(sqlx::types::Json(json!({}))).execute(c).await.map(drop))?)
}

/// One statement that stores a run, for a transaction that is not ours. It has no parameters.
pub(in crate::jobs) fn statement(run: &NewRun, postgres: bool) -> Result<String> {
    if run.limit.is_some() || run.unique.as_ref().is_some_and(|u| u.on_duplicate != OnDuplicate::Skip || u.expires.is_some()) {
        let text = "a statement cannot carry a limit, replace a job or be the only one for a time: enqueue it through Atom";
        return Err(Error::invalid("unsupported_in_statement", text));
    }
    let literal = if postgres { Literal::Pg } else { Literal::Sqlite };
    let or_null = |value: Option<String>| value.unwrap_or_else(|| "NULL".into());
    let unique = run.unique.as_ref();
    let values = [
        literal.id(run.workspace.0),
        literal.id(run.id.0),
        literal.text(run.shape),
        literal.text(&run.kind),
        literal.text(&run.queue),
        run.lane.to_string(),
        literal.text(run.state.as_str()),
        run.priority.to_string(),
        literal.moment(run.run_at),
        literal.json(&run.input.0),
        run.max_attempts.to_string(),
        or_null(run.retry.as_ref().map(|retry| literal.json(&json!(retry)))),
        or_null(run.timeout_ms.map(|ms| ms.to_string())),
        run.keep_seconds.to_string(),
        run.announce.to_string(),
        or_null(unique.map(|u| literal.bytes(&u.key))),
        or_null(unique.map(|u| literal.text(u.until.as_str()))),
        or_null(unique.and_then(|u| u.expires).map(|at| literal.moment(at))),
        or_null(run.parent.map(|parent| literal.id(parent.0))),
        or_null(run.children.map(|children| children.to_string())),
        or_null(run.user.map(|user| literal.id(user.0))),
        literal.moment(run.created_at),
    ];
    Ok(format!("{}VALUES ({}){ALONE}", columns!(), values.join(", ")))
}
