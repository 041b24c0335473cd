//! What one principal may see and do.

use crate::accounts::{
    AuditTrail, EmailAddress, Events, Factors, Identities, Invitations, Members, Password, Principal, Profile, Sessions, StepUp,
    Workspaces,
};
use crate::atom::Inner;
use crate::connect::{Connections, WorkspaceProviders};
use crate::emergency::EmergencyAccess;
use crate::jobs::Jobs;
use crate::schedules::Schedules;
use crate::vault::leases::SecretLeases;
use crate::vault::policies::SecretPolicies;
use crate::vault::service_keys::ServiceKeys;
use crate::webhooks::Webhooks;
use crate::{Purpose, Result};
use atom_macros::{api, handle};
use std::sync::Arc;

/// What one principal may see and do. It is made only from a proof: an access token, or the host's word for a background job.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// # use atom_core::{Atom, LocalKey, NewAccount};
/// # let atom = Atom::builder(url).key(LocalKey::generate()?).open().await?;
/// # let account = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
/// let session = atom.accounts().sign_up(account).await?;
/// let scope = atom.authenticate(session.access_token).await?;
/// assert!(scope.connections().list().await?.is_empty());
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Scope {
    pub(crate) inner: Arc<Inner>,
    pub(crate) principal: Principal,
}

#[api]
impl Scope {
    /// Who is acting.
    pub fn principal(&self) -> Principal {
        self.principal.clone()
    }

    /// The same scope for one purpose, and from then on for no other: policies go by it, and the audit log names it with every use of a secret. Give an
    /// agent such a scope, and it stays within it.
    ///
    /// Fails with `invalid` (`malformed_purpose`) or `forbidden` (`purpose_fixed`: the scope has another purpose, or another tool).
    pub async fn for_purpose(&self, purpose: Purpose) -> Result<Scope> {
        Ok(Scope { inner: Arc::clone(&self.inner), principal: self.principal.clone().for_purpose(purpose)? })
    }

    /// The user's sessions, in all their workspaces: the devices that are signed in.
    pub fn sessions(&self) -> Sessions {
        Sessions { inner: Arc::clone(&self.inner), principal: self.principal.clone() }
    }

    /// The user's e-mail address: verifying it, and getting another.
    pub fn email(&self) -> EmailAddress {
        EmailAddress { inner: Arc::clone(&self.inner), principal: self.principal.clone() }
    }

    /// A fresh proof of who acts, before what asks for one.
    pub fn step_up(&self) -> StepUp {
        StepUp { inner: Arc::clone(&self.inner), principal: self.principal.clone() }
    }

    /// The accounts at providers that the user signs in with.
    pub fn identities(&self) -> Identities {
        Identities { inner: Arc::clone(&self.inner), principal: self.principal.clone() }
    }

    /// The user's profile: what is known of them, and the end of their account.
    pub fn profile(&self) -> Profile {
        Profile { inner: Arc::clone(&self.inner), principal: self.principal.clone() }
    }

    /// The user's password: to change it, or to set one.
    pub fn password(&self) -> Password {
        Password { inner: Arc::clone(&self.inner), principal: self.principal.clone() }
    }

    /// The user's workspaces, and the one that the scope is in.
    pub fn workspaces(&self) -> Workspaces {
        Workspaces { inner: Arc::clone(&self.inner), principal: self.principal.clone() }
    }

    /// The members of the workspace.
    pub fn members(&self) -> Members {
        Members { inner: Arc::clone(&self.inner), principal: self.principal.clone() }
    }

    /// Who is invited to become one.
    pub fn invitations(&self) -> Invitations {
        Invitations { inner: Arc::clone(&self.inner), principal: self.principal.clone() }
    }

    /// The user's second factors.
    pub fn factors(&self) -> Factors {
        Factors { inner: Arc::clone(&self.inner), principal: self.principal.clone() }
    }

    /// The user's connected accounts.
    pub fn connections(&self) -> Connections {
        Connections { inner: Arc::clone(&self.inner), principal: self.principal.clone() }
    }

    /// The providers that the workspace brings, beside those of the installation.
    pub fn providers(&self) -> WorkspaceProviders {
        WorkspaceProviders { inner: Arc::clone(&self.inner), principal: self.principal.clone() }
    }

    /// The API keys of other services that the user may use: their own, and the workspace's.
    pub fn service_keys(&self) -> ServiceKeys {
        ServiceKeys { inner: Arc::clone(&self.inner), principal: self.principal.clone() }
    }

    /// Who may use which of these for what. For owners and admins.
    pub fn secret_policies(&self) -> SecretPolicies {
        SecretPolicies { inner: Arc::clone(&self.inner), principal: self.principal.clone() }
    }

    /// The right to make calls with one of these, handed on for a purpose and a while.
    pub fn secret_leases(&self) -> SecretLeases {
        SecretLeases { inner: Arc::clone(&self.inner), principal: self.principal.clone() }
    }

    /// Secrets that nothing lets out, for emergencies: with the approval of two others.
    pub fn emergency_access(&self) -> EmergencyAccess {
        EmergencyAccess { inner: Arc::clone(&self.inner), principal: self.principal.clone() }
    }

    /// The workspace's jobs. What is enqueued here is enqueued on the user's behalf.
    pub fn jobs(&self) -> Jobs {
        Jobs { inner: Arc::clone(&self.inner), workspace: self.principal.workspace_id, user: Some(self.principal.user_id) }
    }

    /// The workspace's schedules. What they enqueue is enqueued on the user's behalf.
    pub fn schedules(&self) -> Schedules {
        Schedules { inner: Arc::clone(&self.inner), workspace: self.principal.workspace_id, user: Some(self.principal.user_id) }
    }

    /// What happens in the workspace, for those who want to react to it.
    pub fn events(&self) -> Events {
        Events { inner: Arc::clone(&self.inner), principal: self.principal.clone() }
    }

    /// Where the workspace's events are sent.
    pub fn webhooks(&self) -> Webhooks {
        Webhooks { inner: Arc::clone(&self.inner), principal: self.principal.clone() }
    }

    /// What was done in the workspace.
    pub fn audit(&self) -> AuditTrail {
        AuditTrail { inner: Arc::clone(&self.inner), principal: self.principal.clone() }
    }
}
