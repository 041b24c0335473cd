//! Storing a policy.

use super::{NewSecretPolicy, SecretPolicies, SecretPolicy, malformed, store};
use crate::accounts::is_label;
use crate::audit::AuditAction;
use crate::events::{self, SecretPolicyChanged};
use crate::raw::method;
use crate::{Error, Result};
use chrono::{DateTime, Utc};

/// The most policies of one workspace: each use of a secret is compared with all of them.
const MOST: usize = 100;
/// The most entries of one list.
const LONGEST_LIST: usize = 50;

pub(super) async fn run(policies: &SecretPolicies, new: NewSecretPolicy) -> Result<SecretPolicy> {
    let (inner, workspace, now) = (&policies.inner, policies.principal.workspace_id, policies.inner.now());
    let policy = checked(new, now)?;
    let known = store::list(inner.db()?, workspace).await?;
    if known.len() >= MOST && known.iter().all(|known| known.name != policy.name) {
        let text = format!("a workspace has at most {MOST} secret policies: remove one, or say more in one of them");
        return Err(Error::invalid("too_many_secret_policies", text));
    }
    let rule = serde_json::to_string(&policy)
        .map_err(|e| Error::internal("secret_policy", "a policy cannot be written").with_source(e))?;
    let mut tx = inner.db()?.begin_durable().await?;
    inner.policy_cache.forget_after(&mut tx, workspace);
    store::put(&mut tx, workspace, &policy).await?;
    let details = [("effect", policy.effect.as_str()), ("rule", rule.as_str())];
    policies.log(&mut tx, AuditAction::SecretPolicyChanged, &policy.name, &details, now).await?;
    let changed = SecretPolicyChanged { name: policy.name.clone(), effect: policy.effect.as_str().to_owned() };
    events::append(&mut tx, workspace, changed, now).await?;
    tx.commit().await?;
    store::get(inner.db()?, workspace, &policy.name).await
}

fn checked(new: NewSecretPolicy, now: DateTime<Utc>) -> Result<SecretPolicy> {
    if !is_label(&new.name) {
        return Err(malformed("the name of a policy is 1 to 64 small letters, digits, `.`, `_` and `-`"));
    }
    let methods = list("methods", new.methods)?;
    methods.iter().try_for_each(|name| method(name).map(drop)).map_err(|e| malformed(e.to_string()))?;
    Ok(SecretPolicy {
        name: new.name,
        effect: new.effect,
        actions: list("actions", new.actions)?,
        providers: labels("providers", new.providers)?,
        services: labels("services", new.services)?,
        connection_ids: list("connection_ids", new.connection_ids)?,
        service_key_ids: list("service_key_ids", new.service_key_ids)?,
        roles: list("roles", new.roles)?,
        user_ids: list("user_ids", new.user_ids)?,
        purposes: labels("purposes", new.purposes)?,
        tools: labels("tools", new.tools)?,
        methods,
        created_at: now,
        updated_at: now,
    })
}

/// A list that is short enough, with each entry once.
fn list<T: PartialEq>(field: &str, given: Option<Vec<T>>) -> Result<Vec<T>> {
    let mut list = Vec::new();
    for entry in given.into_iter().flatten() {
        if !list.contains(&entry) {
            list.push(entry);
        }
        if list.len() > LONGEST_LIST {
            return Err(malformed(format!("`{field}` has at most {LONGEST_LIST} entries: put a second policy for the others")));
        }
    }
    Ok(list)
}

fn labels(field: &str, given: Option<Vec<String>>) -> Result<Vec<String>> {
    let list = list(field, given)?;
    if list.iter().all(|label| is_label(label)) {
        return Ok(list);
    }
    Err(malformed(format!("`{field}` are 1 to 64 small letters, digits, `.`, `_` and `-` each")))
}
