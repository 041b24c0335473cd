//! The value itself, for the few who may have it.

use super::{RevealedServiceKey, ServiceKeys, check_unexpired, store, value};
use crate::audit::AuditAction;
use crate::vault::policies;
use crate::{Error, ErrorKind, Result, ServiceKeyId};

pub(super) async fn run(keys: &ServiceKeys, id: ServiceKeyId) -> Result<RevealedServiceKey> {
    let (inner, workspace, now) = (&keys.inner, keys.principal.workspace_id, keys.inner.now());
    let key = store::get(inner.db()?, &keys.principal, id).await?;
    if !key.is_exportable {
        let text = "this service key does not leave the vault: make the call with `request`, or store the key as `exportable`";
        return Err(Error::new(ErrorKind::Forbidden, "export_not_allowed", text).with_provider(&key.service));
    }
    keys.check_manager(key.user_id.is_none())?;
    policies::check_export(inner, &keys.principal, key.target()).await?;
    check_unexpired(&key, now)?;
    let mut values = value::load(inner, workspace, id, now).await?.into_iter();
    let value = values.next().ok_or_else(|| Error::not_found("service key"))?;
    let mut tx = inner.db()?.begin_durable().await?;
    store::count_uses(&mut tx, workspace, id, 1, now).await?;
    keys.log(&mut tx, AuditAction::ServiceKeyRevealed, id, &[("service", &key.service)], now).await?;
    tx.commit().await?;
    Ok(RevealedServiceKey { value, previous: values.next(), expires_at: key.expires_at })
}
