//! What break-glass asks of a connection: whose it is, and its credential as it stands. Whether it may be given away is not decided here.

use super::methods::Way;
use super::{Connection, refresh, registered, store};
use crate::accounts::{Principal, Role};
use crate::atom::Inner;
use crate::vault::DEFAULT;
use crate::{ConnectionId, Error, Result, Secret, UserId, WorkspaceId, WorkspaceProviderId};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::sync::Arc;

/// A credential that leaves the vault.
pub(crate) struct Released {
    /// Whether the token alone is the credential.
    pub(crate) is_bearer: bool,
    pub(crate) access_token: Option<Secret>,
    /// What the account was connected with, where that is the credential.
    pub(crate) fields: HashMap<String, Secret>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

impl Connection {
    /// A connection on behalf of the member whose it is, and who that is.
    ///
    /// Fails with `not_found`.
    pub(crate) async fn of_owner(inner: &Arc<Inner>, workspace: WorkspaceId, id: ConnectionId) -> Result<(Self, UserId)> {
        let owner = store::owner(inner.db()?, workspace, id).await?.ok_or_else(|| Error::not_found("connection"))?;
        let user_id = UserId(owner.user_id);
        let principal = Principal { user_id, workspace_id: workspace, role: Role::Member, session_id: None, purpose: None };
        let app = registered::of(inner, workspace, &owner.provider, owner.provider_id.map(WorkspaceProviderId)).await?;
        Ok((Self { inner: Arc::clone(inner), principal, id, app }, user_id))
    }

    /// Refuses a token set that cannot be had.
    ///
    /// Fails with `not_connected` (`disconnected`, `no_token_set`).
    pub(crate) async fn check_releasable(&self, set: &str) -> Result<()> {
        let is_stored = self.stored(set).await?.is_some();
        let is_known = self.app.manifest.auth.as_ref().is_some_and(|auth| auth.token_sets.contains_key(set));
        if is_stored || is_known || set == DEFAULT { Ok(()) } else { Err(refresh::no_set(self)) }
    }

    /// The credential of a token set, refreshed first if it is about to expire.
    pub(crate) async fn release(&self, set: &str) -> Result<Released> {
        // What is in memory may be of a connection that another process has ended.
        self.forget();
        let tokens = refresh::valid_tokens(self, set).await?.tokens;
        let is_bearer = !Way::find(&self.app, &tokens.method)?.how.is_fixed();
        let fields = if is_bearer { HashMap::new() } else { tokens.fields.into_iter().collect() };
        Ok(Released { is_bearer, access_token: tokens.access_token, fields, expires_at: tokens.expires_at })
    }
}
