//! End a connection: here at once, at the provider as soon as it can be reached.
//!
//! What is to be withdrawn is the installation's: it is sealed under its key and outlives the connection, the user and the workspace.

use super::{Connection, ConnectionState, Connections, methods, store, upkeep, withdrawal};
use crate::accounts::Principal;
use crate::atom::Inner;
use crate::audit::{self, Actor, AuditAction, Entry};
use crate::crypto::{INSTALLATION, Place};
use crate::events::{self, ConnectionRevoked};
use crate::providers::Facts;
use crate::storage::Tx;
use crate::vault::{self, TokenSet};
use crate::{ConnectionId, ErrorKind, Result, UserId, WorkspaceId};
use chrono::TimeDelta;
use std::sync::Arc;
use uuid::Uuid;

/// How long a worker goes on asking a provider to withdraw a grant.
const GIVE_UP: TimeDelta = TimeDelta::days(1);

/// Destroys the tokens here, and then has the provider withdraw the grant: now, or by a worker when it can be reached.
pub(super) async fn run(connection: &Connection) -> Result<()> {
    run_as(connection, connection.principal.actor()).await
}

/// The same as somebody else's act.
pub(super) async fn run_as(connection: &Connection, actor: Actor) -> Result<()> {
    let (inner, workspace) = (&connection.inner, connection.principal.workspace_id);
    let mut withdrawals = Vec::new();
    for name in vault::names(inner.db()?, workspace, connection.id).await? {
        // A set that was made of the first one's grant ends with it.
        let is_own = methods::source(&connection.app, &name) == name;
        let stored = if is_own { vault::load(inner, workspace, connection.id, &name).await? } else { None };
        if let Some(stored) = stored {
            withdrawals.extend(pending(connection, &stored.tokens).await?);
        }
    }
    let provider = &connection.app.manifest.name;
    end(inner, &connection.principal, actor, connection.id, provider, withdrawals).await
}

/// Destroys the tokens of a connection and keeps what is to be withdrawn, and then tries to withdraw it.
pub(super) async fn end(
    inner: &Arc<Inner>,
    principal: &Principal,
    actor: Actor,
    id: ConnectionId,
    provider: &str,
    withdrawals: Vec<store::Revocation>,
) -> Result<()> {
    let (workspace, now) = (principal.workspace_id, inner.now());
    let mut tx = inner.db()?.begin_durable().await?;
    for pending in &withdrawals {
        keep(inner, &mut tx, pending).await?;
    }
    vault::delete_all(&mut tx, inner, workspace, id).await?;
    vault::forget_refusals(&mut tx, workspace, id).await?;
    if store::set_state(&mut tx, principal, id, ConnectionState::Revoked, None, now).await? {
        let (subject, details) = (Some(id.to_string()), [("provider", provider)]);
        let entry = Entry { workspace, actor, action: AuditAction::Disconnected, subject, details: &details };
        audit::append(&mut tx, entry, now).await?;
        let revoked = ConnectionRevoked { connection_id: id, user_id: principal.user_id, provider: provider.to_owned() };
        events::append(&mut tx, workspace, revoked, now).await?;
    }
    tx.commit().await?;
    for pending in withdrawals {
        at_once(inner, pending.id).await;
    }
    Ok(())
}

/// Ends all connections of the user, or those at one provider.
pub(super) async fn all(connections: &Connections, provider: Option<String>) -> Result<i64> {
    let mut ended = 0;
    for account in store::list(connections.inner.db()?, &connections.principal).await? {
        let is_meant = provider.as_ref().is_none_or(|provider| *provider == account.provider);
        if is_meant && account.state != ConnectionState::Revoked {
            run(&connections.connection(&account).await?).await?;
            ended += 1;
        }
    }
    Ok(ended)
}

/// Withdraws a grant that was made for a connection that has ended meanwhile.
pub(super) async fn withdraw(connection: &Connection, tokens: &TokenSet) -> Result<()> {
    let Some(pending) = pending(connection, tokens).await? else { return Ok(()) };
    let mut tx = connection.inner.db()?.begin_durable().await?;
    keep(&connection.inner, &mut tx, &pending).await?;
    tx.commit().await?;
    at_once(&connection.inner, pending.id).await;
    Ok(())
}

/// A grant to withdraw, sealed; none where the provider has no way to.
async fn pending(connection: &Connection, tokens: &TokenSet) -> Result<Option<store::Revocation>> {
    let inner = &connection.inner;
    let Some(mut needed) = withdrawal::needed(&connection.app, tokens) else { return Ok(None) };
    // Any part of the request may need them, and the connection may be gone by then; whoever ended it with its user left none.
    needed.captured = match store::facts(inner.db()?, &connection.principal, connection.id).await {
        Err(error) if error.kind() == ErrorKind::NotFound => Facts::default(),
        facts => facts?,
    };
    let (id, plain) = (Uuid::now_v7(), withdrawal::kept(&connection.app, &needed)?);
    let sealed = inner.keys.seal_record(inner.db()?, &place(id.as_bytes()), &plain).await?;
    Ok(Some(store::Revocation {
        id,
        workspace_id: connection.principal.workspace_id.0,
        connection_id: connection.id.0,
        user_id: connection.principal.user_id.0,
        provider: connection.app.manifest.name.clone(),
        sealed,
        created_at: inner.now().into(),
    }))
}

/// Stores a grant to withdraw, with the job that sees to it.
async fn keep(inner: &Arc<Inner>, tx: &mut Tx, pending: &store::Revocation) -> Result<()> {
    store::insert_revocation(tx, pending).await?;
    upkeep::enqueue_revocation(inner, tx, pending.id).await
}

/// Tries at once, because there may be no worker. What fails is left to one.
async fn at_once(inner: &Arc<Inner>, id: Uuid) {
    let inner = Arc::clone(inner);
    // A caller who goes away leaves it running.
    let trying = tokio::spawn(async move {
        if let Err(error) = attempt(&inner, id).await {
            tracing::warn!(revocation.id = %id, reason = error.reason(), "a grant is still to be withdrawn at its provider");
        }
    });
    let _ = trying.await;
}

/// Asks the provider to withdraw a grant. Fails if it is to be asked again.
pub(super) async fn attempt(inner: &Arc<Inner>, id: Uuid) -> Result<()> {
    let db = inner.db()?;
    let Some(pending) = store::revocation(db, id).await? else { return Ok(()) };
    let plain = inner.keys.open_record(db, &place(id.as_bytes()), &pending.sealed).await?;
    let (own, tokens) = withdrawal::of_kept(inner, &plain)?;
    let app = own.map_or_else(|| inner.apps.get(&pending.provider), Ok);
    let asked = match app {
        Ok(app) => withdrawal::ask(inner, &app, &tokens).await,
        Err(error) => Err(error),
    };
    let (now, is_old) = (inner.now(), inner.now() - pending.created_at.0 > GIVE_UP);
    let refused = match asked {
        Ok(()) => None,
        Err(error) if error.is_retryable() && !is_old => return Err(error),
        Err(error) => Some(error),
    };
    let mut tx = db.begin().await?;
    if store::delete_revocation(&mut tx, id).await?
        && let Some(error) = refused
    {
        let workspace = WorkspaceId(pending.workspace_id);
        tracing::warn!(connection.id = %pending.connection_id, provider = pending.provider, reason = error.reason(), "a provider did not withdraw a grant");
        // The log of a workspace that is gone has no reader.
        if store::has_workspace(&mut tx, workspace).await? {
            let details = [("provider", pending.provider.as_str()), ("reason", error.reason())];
            let entry = Entry {
                workspace,
                actor: Actor { user: UserId(pending.user_id), session: None },
                action: AuditAction::RevocationFailed,
                subject: Some(ConnectionId(pending.connection_id).to_string()),
                details: &details,
            };
            audit::append(&mut tx, entry, now).await?;
        }
    }
    tx.commit().await
}

/// The place of what a sealed withdrawal needs.
fn place(row: &[u8]) -> Place<'_> {
    Place { workspace: INSTALLATION, table: "atom_revocations", row, field: "sealed", version: 1 }
}
