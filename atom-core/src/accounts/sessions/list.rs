//! The list of a user's sessions.

use super::ActiveSession;
use super::begin::client_place;
use super::store;
use crate::accounts::{Client, Principal};
use crate::atom::Inner;
use crate::{Result, SessionId, UserId, WorkspaceId};
use serde_json::{Value, json};

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
            client: client(inner, workspace_id, id, row.client.as_deref(), row.client_revision).await,
            created_at: row.created_at.0,
            last_used_at: row.refreshed_at.0,
            expires_at: inner.sessions.expires_at(row.refreshed_at.0, row.expires_at.0),
        });
    }
    Ok(sessions)
}

/// All sessions of a user that are kept, those that have ended too, as JSON objects.
pub(in crate::accounts) async fn all(inner: &Inner, user: UserId) -> Result<Vec<Value>> {
    let rows = store::all(inner.db()?, user).await?;
    let mut sessions = Vec::with_capacity(rows.len());
    for row in rows {
        let (id, workspace_id) = (SessionId(row.id), WorkspaceId(row.workspace_id));
        let client = client(inner, workspace_id, id, row.client.as_deref(), row.client_revision).await;
        sessions.push(json!({
            "id": id,
            "workspace_id": workspace_id,
            "client": client,
            "methods": row.methods.0,
            "created_at": row.created_at.0,
            "last_used_at": row.refreshed_at.0,
            "expires_at": row.expires_at.0,
            "ended_at": row.revoked_at.map(|at| at.0),
            "ended_because": row.revoked_because,
        }));
    }
    Ok(sessions)
}

/// What is known of a client. A session that cannot say is listed too: it may be the one to end.
async fn client(inner: &Inner, workspace: WorkspaceId, id: SessionId, sealed: Option<&[u8]>, revision: i64) -> Option<Client> {
    let opened = inner.keys.open_record(inner.db().ok()?, &client_place(workspace, &id, revision), sealed?).await;
    let plain = opened.inspect_err(|error| tracing::warn!(session.id = %id, %error, "the client of a session cannot be read"));
    serde_json::from_slice(&plain.ok()?).ok()
}
