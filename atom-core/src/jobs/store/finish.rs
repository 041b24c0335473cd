//! What became of attempts. Every write is fenced: it changes nothing if the job was meanwhile given to another worker.

use super::{micros, moment};
use crate::jobs::JobState;
use crate::storage::{OpenTx, Timestamp, Tx, on, row};
use crate::{JobId, Json, Result, WorkspaceId};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

/// The next state of a job that was running.
pub(in crate::jobs) struct Outcome {
    pub(in crate::jobs) workspace: WorkspaceId,
    pub(in crate::jobs) id: JobId,
    pub(in crate::jobs) fence: i64,
    pub(in crate::jobs) state: JobState,
    /// When a job that is to run again may start.
    pub(in crate::jobs) run_at: Option<DateTime<Utc>>,
    pub(in crate::jobs) output: Option<Json>,
    pub(in crate::jobs) error: Option<(String, String)>,
    pub(in crate::jobs) keep_until: Option<DateTime<Utc>>,
    /// Whether the attempt does not count: the worker stopped before the handler could finish.
    pub(in crate::jobs) is_unspent: bool,
}

impl Outcome {
    fn json(&self, now: DateTime<Utc>) -> Value {
        let error = self.error.as_ref();
        json!({
            "w": self.workspace.0.simple().to_string(), "i": self.id.0.simple().to_string(), "f": self.fence, "s": self.state.as_str(),
            "r": self.run_at.map(micros), "o": self.output, "e": error.map(|e| &e.0), "t": error.map(|e| &e.1),
            "d": self.state.is_final().then(|| micros(now)), "k": self.keep_until.map(micros), "u": i32::from(self.is_unspent),
        })
    }
}

row! {
    /// A job whose outcome was stored.
    pub(in crate::jobs) struct Ended {
        workspace_id: Uuid,
        id: Uuid,
        kind: String,
        lane: i64,
        state: String,
        parent_id: Option<Uuid>,
        user_id: Option<Uuid>,
        announce: bool,
        error_reason: Option<String>,
    }
}

macro_rules! ended {
    () => {
        " RETURNING r.workspace_id, r.id, r.kind, r.lane, r.state, r.parent_id, r.user_id, r.announce, r.error_reason"
    };
}

/// A job that somebody cancelled does not run again.
macro_rules! set {
    ($state:literal, $run_at:literal, $output:literal, $reason:literal, $text:literal, $done:literal, $kept:literal, $unspent:literal, $now:literal, $forever:literal) => {
        concat!(
            "state = CASE WHEN r.cancelled_at IS NOT NULL AND ",
            $done,
            " IS NULL THEN 'cancelled' ELSE ",
            $state,
            " END,
             run_at = coalesce(",
            $run_at,
            ", r.run_at), output = ",
            $output,
            ", error_reason = ",
            $reason,
            ", error_text = ",
            $text,
            ",
             finished_at = CASE WHEN r.cancelled_at IS NOT NULL THEN ",
            $now,
            " ELSE ",
            $done,
            " END,
             keep_until = CASE WHEN r.cancelled_at IS NOT NULL AND ",
            $kept,
            " IS NULL THEN ",
            $forever,
            " ELSE ",
            $kept,
            " END,
             attempt = r.attempt - ",
            $unspent,
            ", lease_owner = NULL,
             unique_key = CASE WHEN (",
            $done,
            " IS NOT NULL OR r.cancelled_at IS NOT NULL)
                AND (r.unique_expires IS NULL OR r.unique_expires <= ",
            $now,
            ") THEN NULL ELSE r.unique_key END"
        )
    };
}

/// Stores outcomes. What is not returned was no longer ours.
pub(in crate::jobs) async fn finish(
    tx: &mut Tx,
    outcomes: &[&Outcome],
    now: DateTime<Utc>,
    keep_cancelled: DateTime<Utc>,
) -> Result<Vec<Ended>> {
    if outcomes.is_empty() {
        return Ok(Vec::new());
    }
    const SQLITE: &str = concat!(
        "UPDATE atom_runs AS r SET ",
        set!("j.s", "j.r", "nullif(j.o, 'null')", "j.e", "j.t", "j.d", "j.k", "j.u", "$2", "$3"),
        " FROM (SELECT unhex(value->>'w') AS w, unhex(value->>'i') AS i, value->>'f' AS f, value->>'s' AS s, value->>'r' AS r, value->'o' AS o,
                value->>'e' AS e, value->>'t' AS t, value->>'d' AS d, value->>'k' AS k, value->>'u' AS u FROM json_each($1)) AS j
          WHERE r.workspace_id = j.w AND r.id = j.i AND r.fence = j.f AND r.state = 'running'",
        // SQLite does not know the alias here.
        " RETURNING workspace_id, id, kind, lane, state, parent_id, user_id, announce, error_reason"
    );
    const POSTGRES: &str = concat!(
        "UPDATE atom_runs AS r SET ",
        set!("j.s", "j.run_at", "j.o", "j.e", "j.t", "j.done", "j.kept", "j.u", "$2", "$3"),
        " FROM (SELECT w, i, f, s, o, e, t, u, ",
        moment!("r"),
        " AS run_at, ",
        moment!("d"),
        " AS done, ",
        moment!("k"),
        " AS kept
                  FROM jsonb_to_recordset($1::jsonb)
                    AS j(w uuid, i uuid, f bigint, s text, r bigint, o jsonb, e text, t text, d bigint, k bigint, u int)) AS j
          WHERE r.workspace_id = j.w AND r.id = j.i AND r.fence = j.f AND r.state = 'running'",
        ended!()
    );
    let rows = Value::Array(outcomes.iter().map(|outcome| outcome.json(now)).collect()).to_string();
    let (now, forever) = (Timestamp::from(now), Timestamp::from(keep_cancelled));
    Ok(match &mut tx.open {
        OpenTx::Sqlite(t) => sqlx::query_as(SQLITE).bind(rows).bind(now).bind(forever).fetch_all(&mut **t).await?,
        OpenTx::Pg(t) => sqlx::query_as(POSTGRES).bind(rows).bind(now).bind(forever).fetch_all(&mut **t).await?,
    })
}

/// A job that a transaction of the host ended, under the claim that shows this fence.
pub(in crate::jobs) async fn completed(tx: &mut Tx, workspace: WorkspaceId, id: JobId, fence: i64) -> Result<Option<Ended>> {
    Ok(on!(tx: tx, c => sqlx::query_as(
        "SELECT workspace_id, id, kind, lane, state, parent_id, user_id, announce, error_reason FROM atom_runs
          WHERE workspace_id = $1 AND id = $2 AND fence = $3 AND state = 'succeeded'")
        .bind(workspace.0).bind(id.0).bind(fence).fetch_optional(c).await)?)
}

/// Deletes jobs that succeeded and are not kept, with their steps.
pub(in crate::jobs) async fn delete(tx: &mut Tx, jobs: &[(WorkspaceId, JobId, i64)], with_steps: bool) -> Result<Vec<Ended>> {
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    let row = |(workspace, id, fence): &(WorkspaceId, JobId, i64)| json!({"w": workspace.0.simple().to_string(), "i": id.0.simple().to_string(), "f": fence});
    let rows = Value::Array(jobs.iter().map(row).collect()).to_string();
    const SQLITE: &str = "
        DELETE FROM atom_runs
         WHERE rowid IN (SELECT r.rowid FROM json_each($1) AS j CROSS JOIN atom_runs AS r
                          WHERE r.workspace_id = unhex(j.value->>'w') AND r.id = unhex(j.value->>'i') AND r.fence = j.value->>'f' AND r.state = 'running')
        RETURNING workspace_id, id, kind, lane, 'succeeded' AS state, parent_id, user_id, announce, error_reason";
    const POSTGRES: &str = "
        DELETE FROM atom_runs AS r USING jsonb_to_recordset($1::jsonb) AS j(w uuid, i uuid, f bigint)
         WHERE r.workspace_id = j.w AND r.id = j.i AND r.fence = j.f AND r.state = 'running'
        RETURNING r.workspace_id, r.id, r.kind, r.lane, 'succeeded' AS state, r.parent_id, r.user_id, r.announce, r.error_reason";
    let ended: Vec<Ended> = match &mut tx.open {
        OpenTx::Sqlite(t) => sqlx::query_as(SQLITE).bind(rows).fetch_all(&mut **t).await?,
        OpenTx::Pg(t) => sqlx::query_as(POSTGRES).bind(rows).fetch_all(&mut **t).await?,
    };
    if with_steps {
        for job in &ended {
            on!(tx: tx, c => sqlx::query("DELETE FROM atom_steps WHERE workspace_id = $1 AND run_id = $2")
                .bind(job.workspace_id).bind(job.id).execute(c).await.map(drop))?;
        }
    }
    Ok(ended)
}

/// Lets the run that waits for a batch go on if all of the batch has ended. If it has, says on whose behalf it was enqueued.
pub(in crate::jobs) async fn release_parent(
    tx: &mut Tx,
    workspace: Uuid,
    parent: Uuid,
    now: DateTime<Utc>,
    keep_until: DateTime<Utc>,
) -> Result<Option<Option<Uuid>>> {
    // Two workers may end the last two jobs at once. The second one waits here, and sees what the first one did.
    if let OpenTx::Pg(t) = &mut tx.open {
        sqlx::query("SELECT 1 FROM atom_runs WHERE workspace_id = $1 AND id = $2 FOR UPDATE")
            .bind(workspace)
            .bind(parent)
            .execute(&mut **t)
            .await?;
    }
    let released: Option<(Option<Uuid>,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_runs SET state = CASE WHEN shape = 'batch' THEN 'succeeded' WHEN run_at > $3 THEN 'delayed' ELSE 'waiting' END,
            finished_at = CASE WHEN shape = 'batch' THEN $3 END, keep_until = CASE WHEN shape = 'batch' THEN $4 END
          WHERE workspace_id = $1 AND id = $2 AND state = 'held'
            AND NOT EXISTS (SELECT 1 FROM atom_runs c WHERE c.workspace_id = $1 AND c.parent_id = $2 AND c.finished_at IS NULL)
        RETURNING user_id")
        .bind(workspace).bind(parent).bind(Timestamp::from(now)).bind(Timestamp::from(keep_until)).fetch_optional(c).await)?;
    Ok(released.map(|(user,)| user))
}
