//! Token sets that a provider refuses for an account: remembered, so that it is not asked at every use.

use crate::storage::{Db, Timestamp, Tx, on};
use crate::{ConnectionId, Result, WorkspaceId};
use chrono::{DateTime, Utc};

/// Whether a provider is not to be asked for a token set now. There may be such a set from before.
pub(crate) async fn is_refused(
    db: &Db,
    workspace: WorkspaceId,
    connection: ConnectionId,
    name: &str,
    now: DateTime<Utc>,
) -> Result<bool> {
    let found: Option<(Timestamp,)> = on!(db, c => sqlx::query_as(
        "SELECT until FROM atom_token_set_refusals WHERE workspace_id = $1 AND connection_id = $2 AND name = $3 AND until > $4")
        .bind(workspace.0).bind(connection.0).bind(name).bind(Timestamp::from(now)).fetch_optional(c).await)?;
    Ok(found.is_some())
}

/// Notes that a provider refused a token set, and until when it is not to be asked again.
pub(crate) async fn note_refusal(
    tx: &mut Tx,
    workspace: WorkspaceId,
    connection: ConnectionId,
    name: &str,
    until: DateTime<Utc>,
) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query(
        "INSERT INTO atom_token_set_refusals (workspace_id, connection_id, name, until) VALUES ($1, $2, $3, $4)
         ON CONFLICT (workspace_id, connection_id, name) DO UPDATE SET until = excluded.until")
        .bind(workspace.0).bind(connection.0).bind(name).bind(Timestamp::from(until)).execute(c).await.map(drop))?)
}

/// Forgets what was refused of a connection: the user has agreed anew, or ended it.
pub(crate) async fn forget_refusals(tx: &mut Tx, workspace: WorkspaceId, connection: ConnectionId) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query("DELETE FROM atom_token_set_refusals WHERE workspace_id = $1 AND connection_id = $2")
        .bind(workspace.0).bind(connection.0).execute(c).await.map(drop))?)
}
