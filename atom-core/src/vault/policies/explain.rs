//! What would be: for whoever sets policies up.

use super::decide::{Target, Use, decide};
use super::{SecretDecision, SecretPolicies, SecretUse, store};
use crate::accounts::{Accounts, Principal};
use crate::raw::method;
use crate::{Purpose, Result};
use std::sync::Arc;

pub(super) async fn run(policies: &SecretPolicies, question: SecretUse) -> Result<SecretDecision> {
    let SecretUse { target, action, user_id, role, purpose, method: asked } = question;
    purpose.as_ref().map_or(Ok(()), Purpose::check)?;
    if let Some(asked) = &asked {
        method(asked)?;
    }
    let (inner, asker) = (&policies.inner, &policies.principal);
    let user_id = user_id.unwrap_or(asker.user_id);
    let role = match role {
        Some(role) => role,
        None => Accounts { inner: Arc::clone(inner) }.member(user_id, asker.workspace_id).await?.role,
    };
    let principal = Principal { user_id, workspace_id: asker.workspace_id, role, session_id: None, purpose };
    let used = Use { action, target: Target::from(&target), method: asked.as_deref() };
    let policies = store::list(inner.db()?, asker.workspace_id).await?;
    Ok(decide(&policies, &principal, &used).describe())
}
