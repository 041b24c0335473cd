//! Stores what was granted, as a new connection or as one that the user had before.

use super::identity::{self, Identity};
use super::methods::{self, Ask, Granted, Way};
use super::{App, Connection, ConnectionState, Connections, introspection, registered, store};
use crate::audit::{self, AuditAction, Entry};
use crate::events::{self, ConnectionConnected};
use crate::vault;
use crate::{ConnectionId, Error, ErrorKind, Result};
use std::sync::Arc;
use uuid::Uuid;

/// How it came to be granted.
#[derive(Clone, Copy)]
pub(super) struct Kept<'a> {
    pub(super) method: &'a str,
    /// The only account that will do, where one is connected again.
    pub(super) account_id: Option<&'a str>,
    /// The device flow that ends with it.
    pub(super) device_flow: Option<Uuid>,
}

/// Asks whose account it is, and stores it.
pub(super) async fn run(connections: &Connections, app: &Arc<App>, kept: Kept<'_>, granted: Granted) -> Result<Connection> {
    let inner = &connections.inner;
    let way = Way::find(app, kept.method)?;
    let mut granted = way.mark(granted);
    let facts = granted.facts.clone();
    let ask = Ask { inner, app, facts: &facts };
    let mut identity = identity::of(ask, &way, &mut granted, connections.principal.workspace_id).await?;
    for (name, value) in facts {
        identity.facts.entry(name).or_insert(value);
    }
    if kept.account_id.is_some_and(|expected| expected != identity.account_id) {
        let text = "another account was chosen than the one to connect again: start again and choose that one, or connect this one as new";
        return Err(Error::new(ErrorKind::Conflict, "other_account", text).with_provider(&app.manifest.name));
    }
    loop {
        if let Some(connection) = attempt(connections, app, kept, &granted, &identity).await? {
            for name in granted.sets.keys() {
                introspection::learn_of(&connection, name).await;
            }
            return Ok(connection);
        }
        // Another process connected or refreshed the same account meanwhile: look again.
    }
}

async fn attempt(
    connections: &Connections,
    app: &Arc<App>,
    Kept { method, device_flow, .. }: Kept<'_>,
    granted: &Granted,
    identity: &Identity,
) -> Result<Option<Connection>> {
    let (inner, principal) = (&connections.inner, &connections.principal);
    let (db, workspace, now) = (inner.db()?, principal.workspace_id, inner.now());
    let provider_id = app.registration().map(|(id, _)| id.0);
    let found = store::find(db, principal, &app.manifest.name, &identity.account_id).await?;
    if let Some(found) = found.as_ref().filter(|found| found.provider_id != provider_id) {
        let state: ConnectionState = found.state.parse()?;
        if state != ConnectionState::Revoked {
            // Its tokens are another provider's, which only has the same name.
            let text = "this account is connected at another provider of this name, the workspace's or the installation's: disconnect it there first";
            return Err(Error::new(ErrorKind::Conflict, "other_provider", text).with_provider(&app.manifest.name));
        }
    }
    let known = found.map(|found| ConnectionId(found.id));
    let id = known.unwrap_or_else(crate::ConnectionId::generate);
    let mut sets = Vec::new();
    for (name, tokens) in &granted.sets {
        let older = if known.is_some() { vault::load(inner, workspace, id, name).await? } else { None };
        let revision = older.as_ref().map(|older| older.revision);
        let merged = match older {
            Some(older) => tokens.clone().over(older.tokens),
            None => tokens.clone(),
        };
        let mut stamped = merged.stamp(inner, workspace, id, name, revision.unwrap_or_default() + 1).await?;
        stamped.keep_alive_at = app.keep_alive_at(&merged, now);
        sets.push((stamped, revision.is_some()));
    }
    let stale = if known.is_some() { vault::names(db, workspace, id).await? } else { Vec::new() };

    let mut tx = db.begin_durable().await?;
    registered::check_current(&mut tx, workspace, app).await?;
    let provider = (app.manifest.name.as_str(), provider_id);
    if store::upsert(&mut tx, principal, id, provider, method, identity, now).await? != Some(id) {
        return Ok(None);
    }
    for (stamped, is_known) in sets {
        let stored = if is_known {
            vault::replace(&mut tx, stamped, None, now).await?
        } else {
            vault::insert(&mut tx, stamped, now).await.is_ok()
        };
        if !stored {
            return Ok(None);
        }
    }
    // What was made of the grant before is made again of this one.
    for name in stale.iter().filter(|name| !granted.sets.contains_key(*name) && methods::source(app, name) != name.as_str()) {
        vault::delete(&mut tx, inner, workspace, id, name).await?;
    }
    vault::forget_refusals(&mut tx, workspace, id).await?;
    if let Some(flow) = device_flow {
        store::connect_device_flow(&mut tx, principal, flow, id).await?;
    }
    let provider = app.manifest.name.as_str();
    let details = [("provider", provider), ("method", method)];
    let (actor, subject) = (principal.actor(), Some(id.to_string()));
    audit::append(&mut tx, Entry { workspace, actor, action: AuditAction::Connected, subject, details: &details }, now).await?;
    let connected = ConnectionConnected { connection_id: id, user_id: principal.user_id, provider: provider.to_owned() };
    events::append(&mut tx, workspace, connected, now).await?;
    tx.commit().await?;
    Ok(Some(Connection { inner: Arc::clone(inner), principal: principal.clone(), id, app: Arc::clone(app) }))
}
