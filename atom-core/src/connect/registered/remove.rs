//! Removing a provider, with the connections at it.

use super::{WorkspaceProviders, store};
use crate::accounts::{Principal, Role};
use crate::audit::AuditAction;
use crate::connect::{Connection, revoke};
use crate::events::{self, ProviderRemoved};
use crate::{ConnectionId, Error, ErrorKind, Result, UserId, WorkspaceProviderId};
use std::sync::Arc;

pub(super) async fn run(providers: &WorkspaceProviders, name: &str, end_connections: bool) -> Result<i64> {
    let (inner, workspace) = (&providers.inner, providers.principal.workspace_id);
    let id = WorkspaceProviderId(providers.row(name).await?.id);
    let mut ended = 0;
    loop {
        if end_connections {
            ended += end_all(providers, id).await?;
        }
        let now = inner.now();
        let mut tx = inner.db()?.begin_durable().await?;
        inner.registered.forget_after(&mut tx, (workspace, id));
        // Whoever is connecting holds the row until they are done, and is seen then.
        if !store::delete(&mut tx, workspace, id).await? {
            return Err(Error::not_found("provider of the workspace"));
        }
        if store::is_in_use(&mut tx, workspace, id).await? {
            if end_connections {
                continue;
            }
            let text = "members have connections at this provider: have them ended with `end_connections`, or ask the members to";
            return Err(Error::new(ErrorKind::Conflict, "provider_in_use", text).with_provider(name));
        }
        let ended_text = ended.to_string();
        let details = [("provider", name), ("connections", ended_text.as_str())];
        providers.log(&mut tx, AuditAction::ProviderRemoved, id, &details, now).await?;
        events::append(&mut tx, workspace, ProviderRemoved { provider_id: id, name: name.to_owned() }, now).await?;
        tx.commit().await?;
        return Ok(ended);
    }
}

/// Ends every connection at a provider: their owners', but the admin's act.
async fn end_all(providers: &WorkspaceProviders, id: WorkspaceProviderId) -> Result<i64> {
    let (inner, workspace_id) = (&providers.inner, providers.principal.workspace_id);
    let app = super::of(inner, workspace_id, "", Some(id)).await?;
    let mut ended = 0;
    for (connection, user) in store::connected(inner.db()?, workspace_id, id).await? {
        let user_id = UserId(user);
        let principal = Principal { user_id, workspace_id, role: Role::Member, session_id: None, purpose: None };
        let (inner, app) = (Arc::clone(inner), Arc::clone(&app));
        let connection = Connection { inner, principal, id: ConnectionId(connection), app };
        revoke::run_as(&connection, providers.principal.actor()).await?;
        ended += 1;
    }
    Ok(ended)
}
