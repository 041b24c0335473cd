//! Steps and signs of a running job. The run's row is locked while a step is written, so that a worker that has lost it writes nothing.

use super::literal::Literal;
use crate::jobs::{JobProgress, Run};
use crate::storage::{Conn, Db, Engine, Timestamp, on, row};
use crate::{Json, Result};
use chrono::{DateTime, Utc};
use sqlx::types::Json as Column;
use std::collections::HashSet;

row! {
    /// A step as it was left.
    pub(in crate::jobs) struct Step {
        state: String,
        output: Option<Column<Json>>,
    }
}

/// A step of a run, if it was begun.
pub(in crate::jobs) async fn step(db: &Db, run: &Run, key: &str) -> Result<Option<Step>> {
    Ok(on!(db, c => sqlx::query_as("SELECT state, output FROM atom_steps WHERE workspace_id = $1 AND run_id = $2 AND key = $3")
        .bind(run.workspace.0).bind(run.id.0).bind(key).fetch_optional(c).await)?)
}

/// The names of the steps of a run.
pub(in crate::jobs) async fn step_names(db: &Db, run: &Run) -> Result<HashSet<String>> {
    let names: Vec<(String,)> = on!(db, c => sqlx::query_as("SELECT key FROM atom_steps WHERE workspace_id = $1 AND run_id = $2")
        .bind(run.workspace.0).bind(run.id.0).fetch_all(c).await)?;
    Ok(names.into_iter().map(|(name,)| name).collect())
}

macro_rules! write {
    ($state:literal, $finished:literal, $lock:literal, $again:literal) => {
        concat!(
            "INSERT INTO atom_steps (workspace_id, run_id, key, state, output, attempt, begun_at, finished_at)
             SELECT r.workspace_id, r.id, $3, '",
            $state,
            "', $4, r.attempt, $5, ",
            $finished,
            " FROM atom_runs r
              WHERE r.workspace_id = $1 AND r.id = $2 AND r.fence = $6 AND r.state = 'running' ",
            $lock,
            " ON CONFLICT (workspace_id, run_id, key) DO ",
            $again
        )
    };
}

macro_rules! done {
    ($lock:literal) => {
        // Of two outcomes the first stays. It is written again, so that the row that changes says that the run is still ours.
        write!(
            "done",
            "$5",
            $lock,
            "UPDATE SET output = CASE WHEN atom_steps.state = 'done' THEN atom_steps.output ELSE excluded.output END,
                attempt = CASE WHEN atom_steps.state = 'done' THEN atom_steps.attempt ELSE excluded.attempt END,
                finished_at = coalesce(atom_steps.finished_at, excluded.finished_at), state = 'done'"
        )
    };
}

impl Step {
    pub(in crate::jobs) fn is_done(&self) -> bool {
        self.state == "done"
    }

    pub(in crate::jobs) fn into_output(self) -> Json {
        self.output.map(|output| output.0).unwrap_or_default()
    }
}

/// Stores the intent to do a step. False if the run is no longer ours, or the step was begun meanwhile.
pub(in crate::jobs) async fn begin_step(db: &Db, run: &Run, key: &str, now: DateTime<Utc>) -> Result<bool> {
    let sql = match &db.engine {
        Engine::Sqlite(_) => write!("begun", "NULL", "", "NOTHING"),
        Engine::Pg(_) => write!("begun", "NULL", "FOR SHARE OF r", "NOTHING"),
    };
    let written = on!(durable: db, c => sqlx::query(sql).bind(run.workspace.0).bind(run.id.0).bind(key).bind(None::<Column<Json>>)
        .bind(Timestamp::from(now)).bind(run.fence).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(written == 1)
}

/// Stores the outcome of a step. False if the run is no longer ours.
pub(in crate::jobs) async fn record_step(
    conn: StepConn<'_>,
    run: &Run,
    key: &str,
    output: &Json,
    now: DateTime<Utc>,
) -> Result<bool> {
    const SQLITE: &str = done!("");
    const POSTGRES: &str = done!("FOR SHARE OF r");
    macro_rules! record {
        ($sql:expr, $c:expr) => {
            sqlx::query($sql)
                .bind(run.workspace.0)
                .bind(run.id.0)
                .bind(key)
                .bind(Some(Column(output)))
                .bind(Timestamp::from(now))
                .bind(run.fence)
                .execute($c)
                .await?
                .rows_affected()
        };
    }
    let written = match conn {
        StepConn::Of(Conn::Sqlite(c)) => record!(SQLITE, c),
        StepConn::Of(Conn::Pg(c)) => record!(POSTGRES, c),
        StepConn::Own(db) => {
            let mut single = db.single_durable().await?;
            let written = match single.conn() {
                Conn::Sqlite(c) => record!(SQLITE, c),
                Conn::Pg(c) => record!(POSTGRES, c),
            };
            single.keep();
            written
        }
    };
    Ok(written == 1)
}

/// Where a step is recorded: in a transaction of the host, or in one of its own.
pub(in crate::jobs) enum StepConn<'a> {
    Of(Conn<'a>),
    Own(&'a Db),
}

/// Settles a step that is in doubt, by somebody who knows: done with this outcome, or not done at all.
pub(in crate::jobs) async fn settle_step(
    conn: Conn<'_>,
    run: (uuid::Uuid, uuid::Uuid),
    key: &str,
    output: Option<&Json>,
    now: DateTime<Utc>,
) -> Result<bool> {
    // The handler of a run that is not in doubt may be in the middle of the step.
    macro_rules! settle {
        ($what:literal, $how:literal) => {
            concat!(
                $what,
                " atom_steps",
                $how,
                " WHERE workspace_id = $1 AND run_id = $2 AND key = $3 AND state = 'begun'
                    AND EXISTS (SELECT 1 FROM atom_runs r WHERE r.workspace_id = $1 AND r.id = $2 AND r.state = 'in_doubt')"
            )
        };
    }
    let settled = match output {
        Some(output) => on!(conn: conn, c => sqlx::query(settle!("UPDATE", " SET state = 'done', output = $4, finished_at = $5"))
            .bind(run.0).bind(run.1).bind(key).bind(Column(output)).bind(Timestamp::from(now)).execute(c).await.map(|done| done.rows_affected()))?,
        None => on!(conn: conn, c => sqlx::query(settle!("DELETE FROM", ""))
            .bind(run.0).bind(run.1).bind(key).execute(c).await.map(|done| done.rows_affected()))?,
    };
    Ok(settled == 1)
}

/// Stores how far a run has come. False if it is no longer ours.
pub(in crate::jobs) async fn report(db: &Db, run: &Run, progress: &JobProgress) -> Result<bool> {
    let written = on!(write: db, c => sqlx::query(
        "UPDATE atom_runs SET progress = $4 WHERE workspace_id = $1 AND id = $2 AND fence = $3 AND state = 'running'")
        .bind(run.workspace.0).bind(run.id.0).bind(run.fence).bind(Column(progress))
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(written == 1)
}

/// An output, unless it is null: a job that returns nothing has none.
fn something(output: &Json) -> Option<&Json> {
    (!output.0.is_null()).then_some(output)
}

/// Ends a run as succeeded in a transaction of the host. False if it is no longer ours: then that transaction must not be committed.
pub(in crate::jobs) async fn complete(conn: Conn<'_>, run: &Run, output: &Json, now: DateTime<Utc>) -> Result<bool> {
    let keep_until = now + chrono::TimeDelta::seconds(run.keep_seconds);
    let written = on!(conn: conn, c => sqlx::query(
        "UPDATE atom_runs SET state = 'succeeded', output = $4, error_reason = NULL, error_text = NULL, finished_at = $5, keep_until = $6,
            lease_owner = NULL, unique_key = CASE WHEN unique_expires IS NULL OR unique_expires <= $5 THEN NULL ELSE unique_key END
          WHERE workspace_id = $1 AND id = $2 AND fence = $3 AND state = 'running'")
        .bind(run.workspace.0).bind(run.id.0).bind(run.fence).bind(something(output).map(Column))
        .bind(Timestamp::from(now)).bind(Timestamp::from(keep_until)).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(written == 1)
}

/// The same as one statement without parameters, for a transaction that is not ours: it must change one row.
pub(in crate::jobs) fn completion(run: &Run, output: &Json, postgres: bool, now: DateTime<Utc>) -> String {
    let literal = if postgres { Literal::Pg } else { Literal::Sqlite };
    let output = something(output).map_or_else(|| "NULL".into(), |output| literal.json(&output.0));
    let (workspace, id) = (literal.id(run.workspace.0), literal.id(run.id.0));
    let kept = literal.moment(now + chrono::TimeDelta::seconds(run.keep_seconds));
    let now = literal.moment(now);
    format!(
        "UPDATE atom_runs SET state = 'succeeded', output = {output}, error_reason = NULL, error_text = NULL, finished_at = {now}, \
         keep_until = {kept}, lease_owner = NULL, \
         unique_key = CASE WHEN unique_expires IS NULL OR unique_expires <= {now} THEN NULL ELSE unique_key END \
         WHERE workspace_id = {workspace} AND id = {id} AND fence = {} AND state = 'running'",
        run.fence,
    )
}
