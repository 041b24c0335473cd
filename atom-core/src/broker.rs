//! A secret of a member's, whichever kind it is, and the way to make calls with it.
//!
//! It stands above the domains that keep secrets, so that what is said of a secret of any kind, such as a lease, need not know what kinds there are.

use crate::accounts::Principal;
use crate::atom::Inner;
use crate::connect::{Connection, Connections};
use crate::vault::policies::SecretTarget;
use crate::vault::service_keys::ServiceKeys;
use crate::{ConnectionId, RawRequest, RawResponse, Result, ServiceKeyId};
use std::sync::Arc;

/// What names a secret.
#[derive(Clone, Copy)]
pub(crate) enum SecretId {
    Connection(ConnectionId),
    ServiceKey(ServiceKeyId),
}

/// A secret, for one principal.
pub(crate) enum Broker {
    Connection(Connection),
    ServiceKey(ServiceKeys, ServiceKeyId),
}

impl Broker {
    /// Fails with `not_found` for a connection that the principal does not see.
    pub(crate) async fn open(inner: &Arc<Inner>, principal: &Principal, secret: SecretId) -> Result<Self> {
        let (inner, principal) = (Arc::clone(inner), principal.clone());
        match secret {
            SecretId::Connection(id) => Ok(Self::Connection(Connections { inner, principal }.open(id).await?)),
            SecretId::ServiceKey(id) => Ok(Self::ServiceKey(ServiceKeys { inner, principal }, id)),
        }
    }

    /// What it is. Fails with `not_found` for a secret that the principal does not see.
    pub(crate) async fn target(&self) -> Result<SecretTarget> {
        match self {
            Self::Connection(connection) => {
                let account = connection.account().await?;
                Ok(SecretTarget::Connection { provider: account.provider, connection_id: Some(account.id) })
            }
            Self::ServiceKey(keys, id) => {
                let key = keys.get(*id).await?;
                Ok(SecretTarget::ServiceKey { service: key.service, service_key_id: Some(key.id) })
            }
        }
    }

    /// Makes a call with it.
    pub(crate) async fn request(&self, request: RawRequest) -> Result<RawResponse> {
        match self {
            Self::Connection(connection) => connection.request(request).await,
            Self::ServiceKey(keys, id) => keys.request(*id, request).await,
        }
    }
}
