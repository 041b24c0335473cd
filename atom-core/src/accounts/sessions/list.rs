//! The list of a user's sessions.

use super::ActiveSession;
use super::begin::client_place;
use super::store::{self, ListedRow};
use crate::accounts::{Client, Principal};
use crate::atom::Inner;
use crate::{Result, SessionId, WorkspaceId};

pub(in crate::accounts) async fn run(inner: &Inner, principal: &Principal) -> Result<Vec<ActiveSession>> {
    let (db, now) = (inner.db()?, inner.now());
    let rows = store::list(db, principal.user_id, now, inner.sessions.idle_since(now)).await?;
    let mut sessions = Vec::with_capacity(rows.len());
    for row in rows {
        let (id, workspace_id) = (SessionId(row.id), WorkspaceId(row.workspace_id));
        sessions.push(ActiveSession {
            id,
            workspace_id,
            is_current: principal.session_id == Some(id),
            client: client(inner, &row).await,
            created_at: row.created_at.0,
            last_used_at: row.refreshed_at.0,
            expires_at: inner.sessions.expires_at(row.refreshed_at.0, row.expires_at.0),
        });
    }
    Ok(sessions)
}

/// What is known of a client. A session that cannot say is listed too: it may be the one to end.
async fn client(inner: &Inner, row: &ListedRow) -> Option<Client> {
    let (workspace, id) = (WorkspaceId(row.workspace_id), SessionId(row.id));
    let sealed = row.client.as_ref()?;
    let opened = inner.keys.open_record(inner.db().ok()?, &client_place(workspace, &id, row.client_revision), sealed).await;
    let plain = opened.inspect_err(|error| tracing::warn!(session.id = %id, %error, "the client of a session cannot be read"));
    serde_json::from_slice(&plain.ok()?).ok()
}
