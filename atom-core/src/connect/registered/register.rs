//! Registering a provider.

use super::definition::{Definition, shown};
use super::{NewWorkspaceProvider, WorkspaceProvider, WorkspaceProviders, name_taken, rules, store};
use crate::audit::AuditAction;
use crate::events::{self, ProviderRegistered};
use crate::{Error, ErrorKind, Result, WorkspaceProviderId};
use std::sync::Arc;

/// The most providers of one workspace.
const MOST: i64 = 50;

pub(super) async fn run(providers: &WorkspaceProviders, new: NewWorkspaceProvider) -> Result<WorkspaceProvider> {
    let (inner, principal, now) = (&providers.inner, &providers.principal, providers.inner.now());
    let workspace = principal.workspace_id;
    let manifest = Arc::new(rules::checked(inner, &new.manifest)?);
    let mut definition = Definition {
        id: WorkspaceProviderId::generate(),
        revision: 1,
        manifest: new.manifest,
        client_id: new.client_id.unwrap_or_default(),
        client_secret: None,
    };
    rules::check_client_id(&definition.client_id)?;
    definition.set_secret(new.client_secret.as_ref());
    rules::check_redirect(&definition.clone().into_app(inner, Arc::clone(&manifest))?)?;
    let row = store::ProviderRow {
        id: definition.id.0,
        name: manifest.name.clone(),
        sealed: definition.seal(inner, workspace).await?,
        revision: 1,
        created_by: principal.user_id.0,
        created_at: now.into(),
        updated_by: principal.user_id.0,
        updated_at: now.into(),
    };
    let mut tx = inner.db()?.begin_durable().await?;
    // The provider's row comes before the log, as in every act on a provider: two that took the two in different orders would wait for each other.
    store::insert(&mut tx, workspace, &row).await.map_err(|error| match error.kind() {
        ErrorKind::Conflict => name_taken(&row.name),
        _ => error,
    })?;
    // The entry holds the end of the workspace's log, so that of several registrations at once each counts those before it.
    providers.log(&mut tx, AuditAction::ProviderRegistered, definition.id, &[("provider", &row.name)], now).await?;
    if store::count(&mut tx, workspace).await? > MOST {
        let text = format!("a workspace has at most {MOST} providers of its own: remove one");
        return Err(Error::invalid("too_many_providers", text));
    }
    let registered = ProviderRegistered { provider_id: definition.id, name: row.name.clone() };
    events::append(&mut tx, workspace, registered, now).await?;
    tx.commit().await?;
    shown(inner, workspace, row).await
}
