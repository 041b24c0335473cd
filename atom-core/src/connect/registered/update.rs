//! Changing a provider.

use super::definition::{Definition, shown};
use super::{WorkspaceProvider, WorkspaceProviderPatch, WorkspaceProviders, changed, rules, store};
use crate::audit::AuditAction;
use crate::events::{self, ProviderUpdated};
use crate::{Error, Result};
use std::sync::Arc;

pub(super) async fn run(providers: &WorkspaceProviders, name: &str, patch: WorkspaceProviderPatch) -> Result<WorkspaceProvider> {
    let (inner, principal, now) = (&providers.inner, &providers.principal, providers.inner.now());
    let workspace = principal.workspace_id;
    let row = providers.row(name).await?;
    if row.revision != patch.revision {
        return Err(changed());
    }
    let before = Definition::open(inner, workspace, &row).await?;
    let mut after = Definition { revision: row.revision + 1, ..before.clone() };
    let mut fields = Vec::new();
    if let Some(text) = patch.manifest.filter(|text| *text != before.manifest) {
        after.manifest = text;
        fields.push("manifest");
    }
    if let Some(id) = patch.client_id.filter(|id| *id != before.client_id) {
        rules::check_client_id(&id)?;
        after.client_id = id;
        fields.push("client_id");
    }
    match (&patch.client_secret, patch.no_client_secret.unwrap_or(false)) {
        (Some(_), true) => {
            return Err(Error::invalid("malformed_client", "give `client_secret` or `no_client_secret`, not both"));
        }
        (None, false) => {}
        (secret, _) => {
            after.set_secret(secret.as_ref());
            fields.push("client_secret");
        }
    }
    if fields.is_empty() {
        return shown(inner, workspace, row).await;
    }
    let is_described_anew = fields.contains(&"manifest");
    let manifest = if is_described_anew { rules::checked(inner, &after.manifest)? } else { before.parsed()? };
    if manifest.name != row.name {
        let text = format!("the manifest is for `{}`, not for `{}`: register it as another provider", manifest.name, row.name);
        return Err(Error::invalid("provider_renamed", text));
    }
    let manifest = Arc::new(manifest);
    rules::check_redirect(&after.clone().into_app(inner, Arc::clone(&manifest))?)?;
    let row = store::ProviderRow {
        sealed: after.seal(inner, workspace).await?,
        revision: after.revision,
        updated_by: principal.user_id.0,
        updated_at: now.into(),
        ..row
    };
    let old = before.parsed();
    let mut tx = inner.db()?.begin_durable().await?;
    inner.registered.forget_after(&mut tx, (workspace, after.id));
    // From here on nobody connects with the revision before: `check_current` waits for this row.
    if !store::replace(&mut tx, workspace, &row).await? {
        return Err(changed());
    }
    if is_described_anew && store::is_in_use(&mut tx, workspace, after.id).await? {
        // What this release cannot read has no routes to compare with.
        rules::check_routes((&old?, &before.manifest), (&manifest, &after.manifest))?;
    }
    let fields = fields.join(", ");
    let details = [("provider", row.name.as_str()), ("fields", fields.as_str())];
    providers.log(&mut tx, AuditAction::ProviderUpdated, after.id, &details, now).await?;
    let updated = ProviderUpdated { provider_id: after.id, name: row.name.clone() };
    events::append(&mut tx, workspace, updated, now).await?;
    tx.commit().await?;
    shown(inner, workspace, row).await
}
