//! Secret leases: the right to make calls with one secret, for a purpose and a while, handed to whoever is not to have the secret itself.
//!
//! [`grant`] makes a lease and its token, of which the database has a hash; [`lend`] is a call of a holder. A lease gives nothing that its maker does not have: it acts as
//! that member, with their role and under the policies of the moment. These are not the leases of jobs and refreshes, which say which process may work on something.

mod grant;
mod lend;
mod model;
mod paths;
mod renew;
mod revoke;
mod store;
mod token;
mod upkeep;

pub use model::{GrantedSecretLease, NewSecretLease, SecretLease, SecretLeaseFilter, SecretLeasePage};
pub(crate) use upkeep::CHORE;

use crate::accounts::{Principal, Role};
use crate::atom::Inner;
use crate::audit::{self, Actor, AuditAction, Entry};
use crate::storage::Tx;
use crate::vault::policies::SecretTarget;
use crate::{Error, ErrorKind, RawRequest, RawResponse, Result, Secret, SecretLeaseId, WorkspaceId};
use atom_macros::{api, handle};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// The leases that a member has granted on their connections and on the service keys that they see: for an agent, a script, a colleague's tool.
///
/// Members see their own; owners and admins see and revoke those of all. A scope with a purpose grants for this purpose, and sees no others.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// # use atom_core::*;
/// # let atom = Atom::builder(url).key(LocalKey::generate()?).open().await?;
/// # let account = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
/// let session = atom.accounts().sign_up(account).await?;
/// let scope = atom.authenticate(session.access_token).await?;
/// # let new = NewServiceKey { service: "openai".into(), value: "sk-proj-0123456789abcdefghij".into(), hosts: Some(vec!["api.openai.com".into()]), ..Default::default() };
/// # let key = scope.service_keys().create(new).await?;
///
/// let new = NewSecretLease {
///     service_key_id: Some(key.id),
///     purpose: Purpose { purpose: "summaries".into(), tool: Some("summarize".into()) },
///     methods: Some(vec!["POST".into()]),
///     path_prefixes: Some(vec!["/v1/responses".into()]),
///     max_uses: Some(20),
///     ..Default::default()
/// };
/// let granted = scope.secret_leases().create(new).await?;
/// let token = granted.token; // for the agent, which gets nothing else
///
/// let secret = atom.use_lease(token).await?;
/// let elsewhere = RawRequest { method: "GET".into(), url: "https://api.openai.com/v1/files".into(), ..Default::default() };
/// assert_eq!(secret.request(elsewhere).await.err().unwrap().reason(), "lease_not_for_this");
///
/// scope.secret_leases().revoke(granted.lease.id).await?;
/// assert!(secret.lease().await?.revoked_at.is_some());
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct SecretLeases {
    pub(crate) inner: Arc<Inner>,
    pub(crate) principal: Principal,
}

#[api]
impl SecretLeases {
    /// Grants a lease. Its token is shown here and never again.
    ///
    /// Fails with `not_found`, `forbidden` (`purpose_fixed`: the scope has another purpose) or `invalid`: `malformed_secret_lease` (name exactly one
    /// connection or service key), `malformed_purpose`, `unknown_method`, `malformed_path_prefix`, `malformed_lifetime`, `malformed_max_uses`.
    pub async fn create(&self, lease: NewSecretLease) -> Result<GrantedSecretLease> {
        grant::run(self, lease).await
    }

    /// Lists leases, oldest first, a page at a time. Those that ended 30 days ago are deleted.
    ///
    /// Fails with `invalid` (`malformed_page_size`, `malformed_cursor`).
    pub async fn list(&self, filter: SecretLeaseFilter) -> Result<SecretLeasePage> {
        store::list(self.inner.db()?, &self.sight(), &filter, self.inner.now()).await
    }

    /// One lease. Fails with `not_found`.
    pub async fn get(&self, id: SecretLeaseId) -> Result<SecretLease> {
        store::get(self.inner.db()?, &self.sight(), id).await
    }

    /// Has a lease end so many seconds from now, 60 seconds to a day, and not after its `ends_at`.
    ///
    /// Fails with `not_found`, `forbidden` (`not_the_grantor`: somebody else's lease is theirs to renew; `lease_expired`, `lease_revoked`: grant a new
    /// one) or `invalid` (`malformed_lifetime`).
    pub async fn renew(&self, id: SecretLeaseId, seconds: i64) -> Result<SecretLease> {
        renew::run(self, id, seconds).await
    }

    /// Ends a lease at once, in all processes. Ending it twice is no error.
    ///
    /// Fails with `not_found`.
    pub async fn revoke(&self, id: SecretLeaseId) -> Result<()> {
        revoke::run(self, id).await
    }
}

impl SecretLeases {
    fn sight(&self) -> store::Sight<'_> {
        let sees_all = matches!(self.principal.role, Role::Owner | Role::Admin);
        store::Sight { principal: &self.principal, sees_all }
    }

    /// Writes the audit entry of an act.
    async fn log(
        &self,
        tx: &mut Tx,
        action: AuditAction,
        lease: &SecretLease,
        details: &[(&'static str, &str)],
        now: DateTime<Utc>,
    ) -> Result<()> {
        log(tx, self.principal.workspace_id, self.principal.actor(), action, lease, details, now).await
    }
}

async fn log(
    tx: &mut Tx,
    workspace: WorkspaceId,
    actor: Actor,
    action: AuditAction,
    lease: &SecretLease,
    details: &[(&'static str, &str)],
    now: DateTime<Utc>,
) -> Result<()> {
    let (kind, name) = match &lease.target {
        SecretTarget::Connection { provider, .. } => ("provider", provider),
        SecretTarget::ServiceKey { service, .. } => ("service", service),
    };
    let known = [(kind, name.as_str())].into_iter().chain(lease.purpose.details());
    let details: Vec<_> = known.chain(details.iter().copied()).collect();
    audit::append(tx, Entry { workspace, actor, action, subject: Some(lease.id.to_string()), details: &details }, now).await
}

/// A secret in the hands of whoever holds the token of a lease: calls can be made with it, and nothing else.
///
/// See [`SecretLeases`] for an example.
#[handle]
pub struct LeasedSecret {
    inner: Arc<Inner>,
    workspace: WorkspaceId,
    id: SecretLeaseId,
}

#[api]
impl LeasedSecret {
    /// What the lease is for, how long it lasts, and how often it was used.
    ///
    /// Fails with `unauthenticated` (`lease_unknown`: it was deleted).
    pub async fn lease(&self) -> Result<SecretLease> {
        store::of_holder(self.inner.db()?, self.workspace, self.id).await
    }

    /// Makes a call with the secret, on behalf of the member who granted the lease, as `Connection.request` or `ServiceKeys.request` does. A call that the lease lets through is a use
    /// of it, whatever becomes of it then.
    ///
    /// Fails with `unauthenticated` (`lease_unknown`), `forbidden` (`lease_expired`, `lease_revoked`, `lease_used_up`; `lease_not_for_this`: it is for other methods
    /// or paths; `not_a_member`: who granted it has left; `secret_policy_denied`), and as the calls of these names do.
    pub async fn request(&self, request: RawRequest) -> Result<RawResponse> {
        lend::run(self, request).await
    }
}

impl LeasedSecret {
    /// The secret of a token.
    pub(crate) async fn open(inner: Arc<Inner>, token: &Secret) -> Result<Self> {
        let hash = token::hash(token).ok_or_else(unknown)?;
        let (workspace, lease) = store::by_token(inner.db()?, &hash).await?.ok_or_else(unknown)?;
        lease.check_living(inner.now())?;
        Ok(Self { inner, workspace, id: lease.id })
    }
}

impl SecretLease {
    /// Refuses a lease that has ended.
    fn check_living(&self, now: DateTime<Utc>) -> Result<()> {
        let refused = |reason, text| Err(Error::new(ErrorKind::Forbidden, reason, text));
        if self.revoked_at.is_some() {
            return refused("lease_revoked", "this lease was revoked: ask who granted it for a new one");
        }
        if self.expires_at <= now {
            return refused(
                "lease_expired",
                "this lease has expired: ask who granted it for a new one, and to renew that in time",
            );
        }
        if self.max_uses.is_some_and(|most| self.use_count >= most) {
            return refused("lease_used_up", "this lease was used as often as it may be: ask who granted it for a new one");
        }
        Ok(())
    }
}

fn unknown() -> Error {
    let text = "this is not the token of a secret lease of this installation, or the lease is gone: ask who gave it to you for a new one";
    Error::new(ErrorKind::Unauthenticated, "lease_unknown", text)
}
