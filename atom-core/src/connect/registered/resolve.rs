//! Which provider a name or a connection means: one of the installation, or one of the workspace.

use super::{Definition, changed, store};
use crate::atom::Inner;
use crate::connect::App;
use crate::providers::Manifest;
use crate::storage::Tx;
use crate::vault::Cache;
use crate::{Error, ErrorKind, Result, WorkspaceId, WorkspaceProviderId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The providers of workspaces that this process has read, under the rules of the token cache.
pub(crate) type RegisteredCache = Cache<(WorkspaceId, WorkspaceProviderId), Arc<App>>;

/// How many parsed manifests are kept. One that is forgotten is only parsed once more.
const MOST: usize = 500;

/// The manifests that this process has parsed, with the revisions that they are of: they hold no secret, so they stay.
#[derive(Default)]
pub(crate) struct Known(Mutex<HashMap<(WorkspaceId, WorkspaceProviderId), Parsed>>);

/// A manifest, and the revision that it is of.
type Parsed = (i64, Arc<Manifest>);

impl Known {
    fn get(&self, workspace: WorkspaceId, definition: &Definition) -> Result<Arc<Manifest>> {
        let key = (workspace, definition.id);
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some((_, manifest)) = known.filter(|(revision, _)| *revision == definition.revision) {
            return Ok(manifest);
        }
        let manifest = Arc::new(definition.parsed()?);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(key, (definition.revision, Arc::clone(&manifest)));
        Ok(manifest)
    }
}

/// The provider of a name: the installation's, else the workspace's.
///
/// Fails with `not_found` (`unknown_provider`).
pub(in crate::connect) async fn find(inner: &Inner, workspace: WorkspaceId, name: &str) -> Result<Arc<App>> {
    match inner.apps.get(name) {
        Err(error) if error.kind() == ErrorKind::NotFound => match store::id_of(inner.db()?, workspace, name).await? {
            Some(id) => load(inner, workspace, id).await,
            None => Err(error),
        },
        app => app,
    }
}

/// The provider that something was begun or connected with: of the workspace where its id is known, and otherwise the installation's. A name that both
/// have leads from one to the other in neither direction.
pub(in crate::connect) async fn of(
    inner: &Inner,
    workspace: WorkspaceId,
    name: &str,
    id: Option<WorkspaceProviderId>,
) -> Result<Arc<App>> {
    match id {
        Some(id) => load(inner, workspace, id).await,
        None => inner.apps.get(name),
    }
}

/// The provider that something was begun with which is completed now. One that the workspace has changed meanwhile may lead elsewhere.
///
/// Fails with `conflict` (`provider_changed`).
pub(in crate::connect) async fn begun(
    inner: &Inner,
    workspace: WorkspaceId,
    name: &str,
    registration: Option<(WorkspaceProviderId, i64)>,
) -> Result<Arc<App>> {
    let app = of(inner, workspace, name, registration.map(|(id, _)| id)).await?;
    if app.registration() == registration {
        return Ok(app);
    }
    let text = "the workspace has changed this provider since the connection was begun: start again";
    Err(Error::new(ErrorKind::Conflict, "provider_changed", text).with_provider(name))
}

/// The workspace's providers, by name.
pub(in crate::connect) async fn all(inner: &Inner, workspace: WorkspaceId) -> Result<Vec<Arc<App>>> {
    let mut apps = Vec::new();
    for id in store::ids(inner.db()?, workspace).await? {
        apps.push(load(inner, workspace, id).await?);
    }
    Ok(apps)
}

async fn load(inner: &Inner, workspace: WorkspaceId, id: WorkspaceProviderId) -> Result<Arc<App>> {
    // A fork has its parent's memory, but may not use it.
    let db = inner.db()?;
    let load = async {
        let row = store::get(db, workspace, id).await?.ok_or_else(|| {
            let text = "the workspace has removed this provider: use another one";
            Error::new(ErrorKind::NotFound, "unknown_provider", text)
        })?;
        let definition = Definition::open(inner, workspace, &row).await?;
        let manifest = inner.known_manifests.get(workspace, &definition)?;
        definition.into_app(inner, manifest).map(Arc::new)
    };
    inner.registered.read((workspace, id), load).await
}

/// Refuses to store what was obtained with a provider that was changed or removed meanwhile, and has whoever would change it now wait.
///
/// Fails with `conflict` (`provider_changed`).
pub(in crate::connect) async fn check_current(tx: &mut Tx, workspace: WorkspaceId, app: &App) -> Result<()> {
    let Some((id, revision)) = app.registration() else { return Ok(()) };
    if store::hold(tx, workspace, id).await? == Some(revision) {
        return Ok(());
    }
    Err(changed().with_provider(&app.manifest.name))
}
