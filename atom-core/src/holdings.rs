//! What the parts above accounts keep of a person: shown to them, and forgotten with them. Accounts know nobody above them, so these are handed to them as
//! functions.

use crate::accounts::{Principal, Role};
use crate::atom::Inner;
use crate::connect::Connections;
use crate::crypto::BoxFuture;
use crate::emergency::{self, EmergencyAccess, EmergencyFilter};
use crate::value::written;
use crate::vault::leases::{SecretLeaseFilter, SecretLeases};
use crate::vault::service_keys::{ServiceKeyFilter, ServiceKeyOwner, ServiceKeys};
use crate::{Result, UserId, WorkspaceId, events, webhooks};
use serde_json::{Value, json};
use std::sync::Arc;

/// The two functions.
#[derive(Clone, Copy)]
pub(crate) struct Holdings {
    /// What is kept of a member in a workspace, as one JSON object: never a token and never a value.
    pub(crate) export: fn(Arc<Inner>, WorkspaceId, UserId) -> BoxFuture<'static, Result<Value>>,
    /// Forgets what does not go with the memberships of a user. It may be called again.
    pub(crate) forget: fn(Arc<Inner>, UserId) -> BoxFuture<'static, Result<()>>,
}

/// Those that every installation has.
pub(crate) const HOLDINGS: Holdings = Holdings {
    export: |inner, workspace, user| Box::pin(export(inner, workspace, user)),
    forget: |inner, user| Box::pin(forget(inner, user)),
};

/// The items of all pages that a handle lists.
macro_rules! all {
    ($handle:expr, $filter:ident { $($field:ident: $value:expr),* }) => {{
        let (handle, mut items, mut cursor) = ($handle, Vec::new(), None);
        loop {
            let filter = $filter { $($field: $value,)* page_size: Some(1000), cursor, ..Default::default() };
            let page = handle.list(filter).await?;
            items.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() {
                break items;
            }
        }
    }};
}

async fn export(inner: Arc<Inner>, workspace_id: WorkspaceId, user_id: UserId) -> Result<Value> {
    // A member sees what is their own, and nothing of others.
    let principal = Principal { user_id, workspace_id, role: Role::Member, session_id: None, purpose: None };
    let part = || (Arc::clone(&inner), principal.clone());
    let connections = {
        let (inner, principal) = part();
        Connections { inner, principal }.list().await?
    };
    let service_keys = {
        let (inner, principal) = part();
        all!(ServiceKeys { inner, principal }, ServiceKeyFilter { owner: Some(ServiceKeyOwner::User) })
    };
    let secret_leases = {
        let (inner, principal) = part();
        all!(SecretLeases { inner, principal }, SecretLeaseFilter {})
    };
    let emergency_requests = {
        let (inner, principal) = part();
        all!(EmergencyAccess { inner, principal }, EmergencyFilter {})
    };
    Ok(json!({
        "connections": written(&connections)?,
        "service_keys": written(&service_keys)?,
        "secret_leases": written(&secret_leases)?,
        "emergency_requests": written(&emergency_requests)?,
    }))
}

async fn forget(inner: Arc<Inner>, user: UserId) -> Result<()> {
    let mut tx = inner.db()?.begin_durable().await?;
    emergency::forget_user(&mut tx, user).await?;
    let emptied = events::forget_user(&mut tx, user).await?;
    webhooks::forget_events(&mut tx, &emptied).await?;
    tx.commit().await
}
