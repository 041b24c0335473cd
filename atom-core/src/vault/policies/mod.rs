//! Who may use which secret for what: the policies of a workspace, and the border where they are applied.
//!
//! A policy is data; [`decide`] is the rule, a function of the policies, of who asks and of what they are about to do. [`check`] applies it wherever a
//! secret is used for a caller: to requests and exports of connections (`crate::connect`) and of service keys. Atom's own use of a secret, to refresh a token
//! or to withdraw a grant, is nobody's and is not asked for. What is refused is noted by [`denied`].

mod check;
mod decide;
mod denied;
mod explain;
mod model;
mod put;
mod remove;
mod store;

pub(crate) use check::{PolicyCache, check_export, check_request};
pub(crate) use decide::Target;
pub(crate) use denied::Denials;
pub use model::{
    NewSecretPolicy, SecretAction, SecretDecision, SecretDecisionReason, SecretEffect, SecretPolicy, SecretTarget, SecretUse,
};

use crate::accounts::Principal;
use crate::atom::Inner;
use crate::audit::{self, AuditAction, Entry};
use crate::storage::Tx;
use crate::{Error, Result};
use atom_macros::{api, handle};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// The policies of a workspace: who may use which connections and service keys, for what, with which tool.
///
/// A `deny` policy that fits a use refuses it. Otherwise, where there is an `allow` policy for the secret and the action, one of them must fit; where there is none,
/// members use their own connections and the service keys that they see, and values leave only where `export_tokens` or `exportable` says so, which no policy widens.
///
/// Owners and admins see and change them, with a scope that has no purpose. A change holds at once in this process and within `token_cache_seconds` in others.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let folder = tempfile::tempdir().unwrap();
/// # let url = format!("sqlite:{}", folder.path().join("atom.db").display());
/// # use atom_core::*;
/// # let atom = Atom::builder(url).key(LocalKey::generate()?).open().await?;
/// # let account = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
/// let session = atom.accounts().sign_up(account).await?;
/// let policies = atom.authenticate(session.access_token).await?.secret_policies();
///
/// // OpenAI's keys are for summaries, whoever asks, and are never shown.
/// let summaries = NewSecretPolicy {
///     name: "openai-for-summaries".into(),
///     effect: SecretEffect::Allow,
///     actions: Some(vec![SecretAction::Request]),
///     services: Some(vec!["openai".into()]),
///     purposes: Some(vec!["summaries".into()]),
///     ..Default::default()
/// };
/// policies.put(summaries).await?;
/// let hidden = NewSecretPolicy {
///     name: "openai-stays-inside".into(),
///     effect: SecretEffect::Deny,
///     actions: Some(vec![SecretAction::Export]),
///     services: Some(vec!["openai".into()]),
///     ..Default::default()
/// };
/// policies.put(hidden).await?;
///
/// let mut asked = SecretUse {
///     target: SecretTarget::ServiceKey { service: "openai".into(), service_key_id: None },
///     action: SecretAction::Request,
///     user_id: None,
///     role: Some(Role::Member),
///     purpose: Some(Purpose { purpose: "summaries".into(), tool: None }),
///     method: None,
/// };
/// assert_eq!(policies.explain(asked.clone()).await?.policy.as_deref(), Some("openai-for-summaries"));
/// asked.purpose = None;
/// assert_eq!(policies.explain(asked.clone()).await?.reason, SecretDecisionReason::NotAllowed);
/// asked.action = SecretAction::Export;
/// assert_eq!(policies.explain(asked).await?.policy.as_deref(), Some("openai-stays-inside"));
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct SecretPolicies {
    pub(crate) inner: Arc<Inner>,
    pub(crate) principal: Principal,
}

#[api]
impl SecretPolicies {
    /// Stores a policy, or replaces the one of its name.
    ///
    /// Fails with `forbidden` (`not_an_admin`, `purpose_fixed`) or `invalid`: `malformed_secret_policy`, `too_many_secret_policies` (100 are the most).
    pub async fn put(&self, policy: NewSecretPolicy) -> Result<SecretPolicy> {
        self.check_writer()?;
        put::run(self, policy).await
    }

    /// The workspace's policies, by name.
    ///
    /// Fails with `forbidden` (`not_an_admin`).
    pub async fn list(&self) -> Result<Vec<SecretPolicy>> {
        self.check_role()?;
        store::list(self.inner.db()?, self.principal.workspace_id).await
    }

    /// One policy.
    ///
    /// Fails with `forbidden` (`not_an_admin`) or `not_found`.
    pub async fn get(&self, name: String) -> Result<SecretPolicy> {
        self.check_role()?;
        store::get(self.inner.db()?, self.principal.workspace_id, &name).await
    }

    /// Removes a policy. True if there was one.
    ///
    /// Fails with `forbidden` (`not_an_admin`, `purpose_fixed`).
    pub async fn remove(&self, name: String) -> Result<bool> {
        self.check_writer()?;
        remove::run(self, name).await
    }

    /// What the policies say of a use that nobody makes, and which of them decides. Whether a value may leave at all is also for the provider's
    /// `export_tokens` and the key's `exportable` to say.
    ///
    /// Fails with `forbidden` (`not_an_admin`; `not_a_member`: the user of the question is none) or `invalid` (`malformed_purpose`, `unknown_method`).
    pub async fn explain(&self, question: SecretUse) -> Result<SecretDecision> {
        self.check_role()?;
        explain::run(self, question).await
    }
}

impl SecretPolicies {
    fn check_role(&self) -> Result<()> {
        self.principal.check_admin("manage its secret policies")
    }

    fn check_writer(&self) -> Result<()> {
        self.check_role()?;
        self.principal.check_unbound()
    }

    /// Writes the audit entry of an act.
    async fn log(
        &self,
        tx: &mut Tx,
        action: AuditAction,
        name: &str,
        details: &[(&'static str, &str)],
        now: DateTime<Utc>,
    ) -> Result<()> {
        let (workspace, actor) = (self.principal.workspace_id, self.principal.actor());
        audit::append(tx, Entry { workspace, actor, action, subject: Some(name.to_owned()), details }, now).await
    }
}

fn malformed(text: impl Into<String>) -> Error {
    Error::invalid("malformed_secret_policy", text)
}
