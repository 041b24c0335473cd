//! Removing a key.

use super::{ServiceKeys, store};
use crate::audit::AuditAction;
use crate::events::{self, ServiceKeyRemoved};
use crate::{ErrorKind, Result, ServiceKeyId};

pub(super) async fn run(keys: &ServiceKeys, id: ServiceKeyId) -> Result<()> {
    let (inner, workspace, now) = (&keys.inner, keys.principal.workspace_id, keys.inner.now());
    let key = match store::get(inner.db()?, &keys.principal, id).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        key => key?,
    };
    keys.check_manager(key.user_id.is_none())?;
    let mut tx = inner.db()?.begin_durable().await?;
    if store::delete(&mut tx, workspace, id).await? {
        keys.log(&mut tx, AuditAction::ServiceKeyRemoved, id, &[("service", &key.service)], now).await?;
        let removed = ServiceKeyRemoved { service_key_id: id, service: key.service, user_id: key.user_id };
        events::append(&mut tx, workspace, removed, now).await?;
        tx.commit().await?;
    }
    Ok(())
}
