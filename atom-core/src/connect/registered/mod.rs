//! Providers that a workspace brings at run time, with manifests of its own.
//!
//! What is registered is a [`definition`]: the manifest and the client, sealed together. [`rules`] says what such a manifest may not, [`resolve`] finds the
//! provider that a name or a connection means. The acts are [`register`], [`update`] and [`remove`].

mod definition;
mod model;
mod register;
mod remove;
mod resolve;
mod rules;
mod store;
mod update;

pub(super) use definition::Definition;
pub use model::{
    CheckedManifest, NewWorkspaceProvider, WorkspaceProvider, WorkspaceProviderFilter, WorkspaceProviderPage,
    WorkspaceProviderPatch,
};
pub(crate) use resolve::{Known, RegisteredCache};
pub(super) use resolve::{all, begun, check_current, find, of};

use crate::accounts::Principal;
use crate::atom::Inner;
use crate::audit::{self, AuditAction, Entry};
use crate::storage::Tx;
use crate::{Error, ErrorKind, Result, WorkspaceProviderId};
use atom_macros::{api, handle};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// The providers that a workspace brings, beside those of the installation.
///
/// Owners and admins register and change them, with a scope that has no purpose; every member sees them and connects with `Scope.connections`, by their
/// names. Nobody else does. Such a provider has no hooks and hands out no tokens, and its requests go to the public internet only.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// # use atom_core::{Atom, LocalKey, NewAccount, NewWorkspaceProvider};
/// # let atom = Atom::builder(url).key(LocalKey::generate()?).open().await?;
/// # let account = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
/// let session = atom.accounts().sign_up(account).await?;
/// let providers = atom.authenticate(session.access_token).await?.providers();
///
/// let manifest = r#"
///     schema = 1
///     name = "acme"
///     title = "Acme"
///     docs = "https://docs.acme.example"
///     verified_at = "2026-11-29"
///     hosts = ["api.acme.example"]
///     [methods.api_key]
///     type = "api_key"
///     title = "API key"
///     send = { headers = { X-Key = "{api_key}" } }
///     [services.main]
///     base_url = "https://api.acme.example/v1"
///     [services.main.operations."acme.ping"]
///     vendor_op = "ping"
///     path = "/ping"
///     effect = "read"
/// "#;
/// assert_eq!(providers.check(manifest.into()).await?.hosts, ["api.acme.example"]);
/// let acme = providers.register(NewWorkspaceProvider { manifest: manifest.into(), ..Default::default() }).await?;
/// assert_eq!((acme.name.as_str(), acme.revision, acme.redirect_uri), ("acme", 1, None));
///
/// let shadow = manifest.replace(r#""acme""#, r#""google""#);
/// let refused = providers.register(NewWorkspaceProvider { manifest: shadow, ..Default::default() }).await.unwrap_err();
/// assert_eq!(refused.reason(), "provider_name_taken");
/// assert_eq!(providers.remove("acme".into(), None).await?, 0);
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct WorkspaceProviders {
    pub(crate) inner: Arc<Inner>,
    pub(crate) principal: Principal,
}

#[api]
impl WorkspaceProviders {
    /// What a manifest would register, without storing it.
    ///
    /// Fails with `forbidden` (`not_an_admin`), `conflict` (`provider_name_taken`) or `invalid`, as `register` does.
    pub async fn check(&self, manifest: String) -> Result<CheckedManifest> {
        self.check_role()?;
        let manifest = rules::checked(&self.inner, &manifest)?;
        let taken = store::id_of(self.inner.db()?, self.principal.workspace_id, &manifest.name).await?.is_some();
        if taken { Err(name_taken(&manifest.name)) } else { Ok(definition::describe(manifest)) }
    }

    /// Registers a provider under the name of its manifest.
    ///
    /// Fails with `forbidden` (`not_an_admin`, `purpose_fixed`), `conflict` (`provider_name_taken`: a built-in provider, one of the installation or one of
    /// the workspace has the name) or `invalid`: `malformed_manifest`, `manifest_too_large` (over 256 KiB), `hook_not_allowed`, `address_not_public`,
    /// `malformed_client`, `too_many_providers` (50 are the most), `workspace_callback_url_missing` (a method needs a redirect, and the installation was
    /// opened without that option).
    pub async fn register(&self, provider: NewWorkspaceProvider) -> Result<WorkspaceProvider> {
        self.check_writer()?;
        register::run(self, provider).await
    }

    /// The workspace's providers, oldest first, a page at a time.
    ///
    /// Fails with `invalid` (`malformed_page_size`, `malformed_cursor`).
    pub async fn list(&self, filter: WorkspaceProviderFilter) -> Result<WorkspaceProviderPage> {
        let page = store::list(self.inner.db()?, self.principal.workspace_id, &filter).await?;
        let mut items = Vec::with_capacity(page.rows.len());
        for row in page.rows {
            items.push(definition::shown(&self.inner, self.principal.workspace_id, row).await?);
        }
        Ok(WorkspaceProviderPage { items, next_cursor: page.next_cursor })
    }

    /// One of them. Fails with `not_found`.
    pub async fn get(&self, name: String) -> Result<WorkspaceProvider> {
        let row = self.row(&name).await?;
        definition::shown(&self.inner, self.principal.workspace_id, row).await
    }

    /// Changes a provider; what is absent stays. Connections go on with the new manifest, a `Connection` that was opened before with the one that it
    /// began with. While there are connections, hosts can be taken away and not added, and how accounts are connected (`inputs`, `auth`, `methods`,
    /// `identity`, base URLs) stays: the tokens are their members', and no admin can have them sent elsewhere.
    ///
    /// Fails with `not_found`, `forbidden` (`not_an_admin`, `purpose_fixed`), `conflict` (`provider_changed`: read it again; `hosts_changed`: register the
    /// new manifest under another name, or end the connections first) or `invalid`, as `register` does, and `provider_renamed`.
    pub async fn update(&self, name: String, patch: WorkspaceProviderPatch) -> Result<WorkspaceProvider> {
        self.check_writer()?;
        update::run(self, &name, patch).await
    }

    /// Removes a provider. With `end_connections`, the connections of all members at it are ended first, as `Connection.revoke` does; how many is returned. If
    /// that is interrupted, call again: what has ended stays ended.
    ///
    /// Fails with `not_found`, `forbidden` (`not_an_admin`, `purpose_fixed`) or `conflict` (`provider_in_use`: members have connections, and their end was
    /// not asked for).
    pub async fn remove(&self, name: String, end_connections: Option<bool>) -> Result<i64> {
        self.check_writer()?;
        remove::run(self, &name, end_connections.unwrap_or(false)).await
    }
}

impl WorkspaceProviders {
    fn check_role(&self) -> Result<()> {
        self.principal.check_admin("manage its providers")
    }

    fn check_writer(&self) -> Result<()> {
        self.check_role()?;
        self.principal.check_unbound()
    }

    async fn row(&self, name: &str) -> Result<store::ProviderRow> {
        let unknown = || Error::not_found("provider of the workspace");
        let (db, workspace) = (self.inner.db()?, self.principal.workspace_id);
        let id = store::id_of(db, workspace, name).await?.ok_or_else(unknown)?;
        store::get(db, workspace, id).await?.ok_or_else(unknown)
    }

    /// Writes the audit entry of an act.
    async fn log(
        &self,
        tx: &mut Tx,
        action: AuditAction,
        id: WorkspaceProviderId,
        details: &[(&'static str, &str)],
        now: DateTime<Utc>,
    ) -> Result<()> {
        let (workspace, actor) = (self.principal.workspace_id, self.principal.actor());
        audit::append(tx, Entry { workspace, actor, action, subject: Some(id.to_string()), details }, now).await
    }
}

fn name_taken(name: &str) -> Error {
    let text = format!("there is a provider `{name}` already: give the manifest another name");
    Error::new(ErrorKind::Conflict, "provider_name_taken", text)
}

fn changed() -> Error {
    let text = "the provider has changed since it was read: read it again and decide";
    Error::new(ErrorKind::Conflict, "provider_changed", text)
}
