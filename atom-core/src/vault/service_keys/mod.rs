//! API keys of other services that a workspace, or one of its members, keeps here.
//!
//! A key goes in and is used; it does not come out, unless it was stored with the leave to. [`broker`] makes a request on the caller's behalf: it puts
//! the value where [`placement`] says, sends it to one of the key's [`hosts`] and nowhere else, and takes it out of the answer. What is counted of that is
//! stored a moment later ([`usage`]); everything else is one transaction with its audit entry and its event. [`upkeep`] tells of
//! expiry and rotation, and destroys old values.

mod broker;
mod create;
mod hosts;
mod model;
mod placement;
mod release;
mod remove;
mod reveal;
mod rotate;
mod store;
mod update;
mod upkeep;
mod usage;
mod value;

pub use model::{
    KeyPlacement, NewServiceKey, RevealedServiceKey, ServiceKey, ServiceKeyFilter, ServiceKeyOwner, ServiceKeyPage,
    ServiceKeyPatch, ServiceKeyRotation,
};
pub(crate) use release::{count_reveal, owner, release};
pub(crate) use upkeep::CHORE;
#[cfg(feature = "testing")]
pub(crate) use upkeep::tell;
pub(crate) use usage::Uses;

use crate::accounts::Principal;
use crate::atom::Inner;
use crate::audit::{self, AuditAction, Entry};
use crate::storage::Tx;
use crate::vault::policies::Target;
use crate::{Error, ErrorKind, RawRequest, RawResponse, Result, ServiceKeyId};
use atom_macros::{api, handle};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// The service keys that a user may use: their own, and the workspace's.
///
/// A user's own keys are only theirs. Those of the workspace are used by its members and managed by its owners and admins; guests do not see
/// them. What was done, by whom, is in the audit log, and calls of `request` are there a few seconds later.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// # use atom_core::{Atom, LocalKey, NewAccount, NewServiceKey, RawRequest, ServiceKeyFilter};
/// # let atom = Atom::builder(url).key(LocalKey::generate()?).open().await?;
/// # let account = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
/// let session = atom.accounts().sign_up(account).await?;
/// let keys = atom.authenticate(session.access_token).await?.service_keys();
///
/// let new = NewServiceKey {
///     service: "openai".into(),
///     value: "sk-proj-0123456789abcdefghij".into(),
///     hosts: Some(vec!["api.openai.com".into()]),
///     ..Default::default()
/// };
/// let key = keys.create(new).await?;
/// assert_eq!(key.hint.as_deref(), Some("ghij"));
///
/// // The key is added on the way, and goes to no other host.
/// let elsewhere = RawRequest { method: "GET".into(), url: "https://api.example.com/v1/models".into(), ..Default::default() };
/// assert_eq!(keys.request(key.id, elsewhere).await.unwrap_err().reason(), "host_not_allowed");
/// assert_eq!(keys.reveal(key.id).await.err().unwrap().reason(), "export_not_allowed");
/// assert_eq!(keys.list(ServiceKeyFilter::default()).await?.items, [key]);
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct ServiceKeys {
    pub(crate) inner: Arc<Inner>,
    pub(crate) principal: Principal,
}

#[api]
impl ServiceKeys {
    /// Stores a key.
    ///
    /// Fails with `conflict` (`service_key_exists`: its owner has one of this name for the service), `forbidden` (`not_an_admin`: the workspace's
    /// keys are for owners and admins to make) or `invalid`: `malformed_service`, `malformed_service_key_name`, `malformed_service_key_value`,
    /// `malformed_placement`, `malformed_host`, `address_not_public`, `unusable_service_key` (neither hosts nor `exportable`),
    /// `malformed_expiry`, `malformed_rotation`.
    pub async fn create(&self, key: NewServiceKey) -> Result<ServiceKey> {
        create::run(self, key).await
    }

    /// Lists keys, oldest first, a page at a time. The values stay where they are.
    ///
    /// Fails with `invalid` (`malformed_page_size`, `malformed_cursor`).
    pub async fn list(&self, filter: ServiceKeyFilter) -> Result<ServiceKeyPage> {
        usage::flush(&self.inner).await?;
        store::list(self.inner.db()?, &self.principal, &filter).await
    }

    /// One key. Fails with `not_found`.
    pub async fn get(&self, id: ServiceKeyId) -> Result<ServiceKey> {
        usage::flush(&self.inner).await?;
        store::get(self.inner.db()?, &self.principal, id).await
    }

    /// Changes what is not the value. Hosts can only be taken away, and the leave to export only be withdrawn: whoever does not know the value must
    /// not be able to send it elsewhere. For more, store the key anew.
    ///
    /// Fails with `not_found`, `forbidden` (`not_an_admin`), `conflict` (`service_key_changed`: read it again; `service_key_exists`) or `invalid`
    /// (`host_not_allowed`, `export_not_allowed`, and as `create` does).
    pub async fn update(&self, id: ServiceKeyId, patch: ServiceKeyPatch) -> Result<ServiceKey> {
        update::run(self, id, patch).await
    }

    /// Stores the next value. The one before it serves for `grace_seconds` where the service refuses the new one, and is then destroyed; an even
    /// older one is destroyed at once.
    ///
    /// Fails with `not_found`, `forbidden` (`not_an_admin`), `conflict` (`service_key_changed`: somebody was faster; read it again) or `invalid`
    /// (`malformed_service_key_value`, `malformed_grace`, `malformed_expiry`).
    pub async fn rotate(&self, id: ServiceKeyId, rotation: ServiceKeyRotation) -> Result<ServiceKey> {
        rotate::run(self, id, rotation).await
    }

    /// The value itself, for a vendor's own SDK, if the key was stored as `exportable`. Prefer `request`, which keeps it inside. That somebody
    /// looked at it is in the audit log, or it is not shown.
    ///
    /// Fails with `not_found`, `forbidden` (`export_not_allowed`, `not_an_admin`, `secret_policy_denied`) or `conflict` (`service_key_expired`: rotate it).
    pub async fn reveal(&self, id: ServiceKeyId) -> Result<RevealedServiceKey> {
        reveal::run(self, id).await
    }

    /// Any call of the service's API, with the key added, to one of the key's hosts. It is made over https; redirects are not followed. What the
    /// service repeats of the key is cut out of its answer.
    ///
    /// An answer with an error status is an answer, not an error. Fails with `not_found`, `forbidden` (`secret_policy_denied`), `conflict`
    /// (`service_key_expired`: rotate it), `invalid`
    /// (`host_not_allowed`, `https_only`, `reserved_header`, `reserved_query`, `malformed_url`, `address_not_public`, …), `provider`
    /// (`answer_too_large`) or `unavailable` (`timeout`, `unreachable`, `broken_answer`).
    pub async fn request(&self, id: ServiceKeyId, request: RawRequest) -> Result<RawResponse> {
        broker::run(self, id, request).await
    }

    /// Removes a key and destroys its values. Removing it twice is no error. At the service it lives on: end it there, too.
    ///
    /// Fails with `forbidden` (`not_an_admin`).
    pub async fn remove(&self, id: ServiceKeyId) -> Result<()> {
        remove::run(self, id).await
    }
}

impl ServiceKeys {
    /// Refuses whoever may use a key and not change it.
    fn check_manager(&self, is_shared: bool) -> Result<()> {
        if is_shared { self.principal.check_admin("manage its service keys") } else { Ok(()) }
    }

    /// A key for whoever may change it, at the revision that they read.
    async fn managed(&self, id: ServiceKeyId, revision: i64) -> Result<ServiceKey> {
        let key = store::get(self.inner.db()?, &self.principal, id).await?;
        self.check_manager(key.user_id.is_none())?;
        if key.revision == revision { Ok(key) } else { Err(changed()) }
    }

    /// Writes the audit entry of an act.
    async fn log(
        &self,
        tx: &mut Tx,
        action: AuditAction,
        id: ServiceKeyId,
        details: &[(&'static str, &str)],
        now: DateTime<Utc>,
    ) -> Result<()> {
        let (workspace, actor) = (self.principal.workspace_id, self.principal.actor());
        let details: Vec<_> = details.iter().copied().chain(self.principal.purpose_details()).collect();
        audit::append(tx, Entry { workspace, actor, action, subject: Some(id.to_string()), details: &details }, now).await
    }
}

impl ServiceKey {
    /// What policies say of it.
    fn target(&self) -> Target<'_> {
        Target::ServiceKey { service: &self.service, id: Some(self.id) }
    }
}

fn changed() -> Error {
    let text = "the service key has changed since it was read: read it again and decide";
    Error::new(ErrorKind::Conflict, "service_key_changed", text)
}

/// Refuses a key whose value the service does not take any more.
fn check_unexpired(key: &ServiceKey, now: DateTime<Utc>) -> Result<()> {
    if key.expires_at.is_none_or(|at| at > now) {
        return Ok(());
    }
    let text = "the service key has expired: rotate it with a new value of the service";
    Err(Error::new(ErrorKind::Conflict, "service_key_expired", text).with_provider(&key.service))
}
