//! Revealing the secret: once, in its minutes, to whoever asked for it, if all that it was granted for still holds.

use super::store::{self, RequestRow};
use super::{EmergencyAccess, EmergencySecret, EmergencySecretKind, EmergencyState, rights};
use crate::audit::AuditAction;
use crate::connect::Connection;
use crate::events::{self, EmergencyRevealed};
use crate::vault::{DEFAULT, service_keys};
use crate::{ConnectionId, EmergencyRequestId, Error, ErrorKind, Result, ServiceKeyId};
use std::collections::HashMap;

pub(super) async fn run(access: &EmergencyAccess, id: EmergencyRequestId) -> Result<EmergencySecret> {
    let (inner, principal) = (&access.inner, &access.principal);
    let workspace = principal.workspace_id;
    let row = access.own(id).await?;
    match row.state_at(inner.now())? {
        EmergencyState::Granted => {}
        EmergencyState::Pending => return Err(not_granted()),
        state => return Err(super::decided(state)),
    }
    // The provider may have to be asked for a new token. If it does not answer, the grant is not spent.
    let secret = secret(access, &row).await?;
    let now = inner.now();
    let mut tx = inner.db()?.begin_durable().await?;
    let Some(row) = store::consume(&mut tx, workspace, id, principal.user_id, now).await? else {
        drop(tx);
        return Err(super::decided(access.read(id).await?.state));
    };
    rights::check_requester(&mut tx, principal, row.owner()).await?;
    if !rights::are_enough(&mut tx, &row, now).await? {
        let text = "somebody who approved this is no owner or admin any more, or the offline key was changed: ask again";
        return Err(Error::new(ErrorKind::Conflict, "approvals_lapsed", text));
    }
    let service_key_id = row.service_key_id.map(ServiceKeyId);
    if let Some(key) = service_key_id {
        service_keys::count_reveal(&mut tx, workspace, key, now).await?;
    }
    access.log(&mut tx, AuditAction::EmergencyRevealed, Some(id), &[], now).await?;
    let revealed = EmergencyRevealed {
        request_id: id,
        requester_id: principal.user_id,
        connection_id: row.connection_id.map(ConnectionId),
        service_key_id,
        user_id: row.owner(),
    };
    events::append(&mut tx, workspace, revealed, now).await?;
    tx.commit().await?;
    Ok(secret)
}

fn not_granted() -> Error {
    let text = "this request has not been approved by two others yet: ask them, or have it approved with the offline key";
    Error::new(ErrorKind::Conflict, "not_granted", text)
}

/// The secret as it is now.
async fn secret(access: &EmergencyAccess, row: &RequestRow) -> Result<EmergencySecret> {
    let inner = &access.inner;
    if let Some(id) = row.connection_id {
        let (connection, _) = Connection::of_owner(inner, row.workspace(), ConnectionId(id)).await?;
        let tokens = connection.release(row.token_set.as_deref().unwrap_or(DEFAULT)).await?;
        return Ok(EmergencySecret {
            kind: if tokens.is_bearer { EmergencySecretKind::AccessToken } else { EmergencySecretKind::Credentials },
            value: tokens.access_token,
            fields: tokens.fields,
            expires_at: tokens.expires_at,
        });
    }
    let id = ServiceKeyId(row.service_key_id.unwrap_or_default());
    let (value, expires_at) = service_keys::release(inner, row.workspace(), id).await?;
    Ok(EmergencySecret { kind: EmergencySecretKind::ServiceKey, value: Some(value), fields: HashMap::new(), expires_at })
}
