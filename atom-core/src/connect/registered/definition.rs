//! What is registered of a provider: its manifest and the workspace's client, as they are sealed.

use super::{CheckedManifest, WorkspaceProvider, rules, store};
use crate::atom::Inner;
use crate::connect::App;
use crate::crypto::Place;
use crate::providers::Manifest;
use crate::{Error, Result, Secret, UserId, WorkspaceId, WorkspaceProviderId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use zeroize::Zeroizing;

/// A manifest and a client. Also what is kept to withdraw a grant after the provider was removed.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::connect) struct Definition {
    pub(in crate::connect) id: WorkspaceProviderId,
    pub(in crate::connect) revision: i64,
    pub(in crate::connect) manifest: String,
    pub(in crate::connect) client_id: String,
    pub(in crate::connect) client_secret: Option<String>,
}

fn place(workspace: WorkspaceId, row: &[u8], revision: i64) -> Place<'_> {
    Place { workspace, table: "atom_workspace_providers", row, field: "sealed", version: revision }
}

impl Definition {
    /// Seals it for its revision, before the transaction that stores it.
    pub(super) async fn seal(&self, inner: &Inner, workspace: WorkspaceId) -> Result<Vec<u8>> {
        let plain = serde_json::to_vec(self).map(Zeroizing::new);
        let plain = plain.map_err(|e| Error::internal("definition", "a provider cannot be serialized").with_source(e))?;
        inner.keys.seal_record(inner.db()?, &place(workspace, self.id.0.as_bytes(), self.revision), &plain).await
    }

    pub(super) async fn open(inner: &Inner, workspace: WorkspaceId, row: &store::ProviderRow) -> Result<Self> {
        let place = place(workspace, row.id.as_bytes(), row.revision);
        let plain = inner.keys.open_record(inner.db()?, &place, &row.sealed).await?;
        let damaged = |_| Error::sealed("provider_damaged", "a stored provider is malformed: register it anew");
        serde_json::from_slice(&plain).map_err(damaged)
    }

    /// The manifest. It was checked when it was registered; a grammar that knows less by now refuses it.
    pub(in crate::connect) fn parsed(&self) -> Result<Manifest> {
        Manifest::parse("workspace", &self.manifest)
    }

    /// The provider, for requests.
    pub(in crate::connect) fn into_app(self, inner: &Inner, manifest: Arc<Manifest>) -> Result<App> {
        App::registered(self, manifest, inner.workspace_callback_url.as_deref())
    }

    pub(super) fn set_secret(&mut self, secret: Option<&Secret>) {
        self.client_secret = secret.map(|secret| secret.expose().to_owned());
    }
}

/// A stored provider, for people.
pub(super) async fn shown(inner: &Inner, workspace: WorkspaceId, row: store::ProviderRow) -> Result<WorkspaceProvider> {
    let definition = Definition::open(inner, workspace, &row).await?;
    let (text, client_id) = (definition.manifest.clone(), definition.client_id.clone());
    let has_client_secret = definition.client_secret.is_some();
    let manifest = Arc::new(definition.parsed()?);
    let app = definition.into_app(inner, Arc::clone(&manifest))?;
    Ok(WorkspaceProvider {
        id: WorkspaceProviderId(row.id),
        name: row.name,
        redirect_uri: app.redirect_uris.all().first().cloned(),
        client_id,
        has_client_secret,
        manifest: text,
        hosts: texts(&manifest.hosts),
        download_hosts: texts(&manifest.download_hosts),
        upload_hosts: texts(&manifest.upload_hosts),
        provider: app.describe(),
        revision: row.revision,
        created_by: UserId(row.created_by),
        created_at: row.created_at.0,
        updated_by: UserId(row.updated_by),
        updated_at: row.updated_at.0,
    })
}

/// A manifest that is not stored, for people.
pub(super) fn describe(manifest: Manifest) -> CheckedManifest {
    let app = App::unregistered(Arc::new(manifest));
    CheckedManifest {
        provider: app.describe(),
        hosts: texts(&app.manifest.hosts),
        download_hosts: texts(&app.manifest.download_hosts),
        upload_hosts: texts(&app.manifest.upload_hosts),
        needs_redirect: rules::needs_redirect(&app),
    }
}

fn texts(hosts: &[crate::providers::Host]) -> Vec<String> {
    hosts.iter().map(|host| host.text().to_owned()).collect()
}
