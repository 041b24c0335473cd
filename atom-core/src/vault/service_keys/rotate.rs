//! The next value of a key.

use super::create::check_expiry;
use super::{ServiceKey, ServiceKeyRotation, ServiceKeys, changed, store, upkeep, value};
use crate::audit::AuditAction;
use crate::events::{self, ServiceKeyRotated};
use crate::{Error, Result, ServiceKeyId};
use chrono::TimeDelta;

const LONGEST_GRACE: i64 = 30 * 24 * 3600;

pub(super) async fn run(keys: &ServiceKeys, id: ServiceKeyId, rotation: ServiceKeyRotation) -> Result<ServiceKey> {
    let (inner, workspace, now) = (&keys.inner, keys.principal.workspace_id, keys.inner.now());
    let before = keys.managed(id, rotation.revision).await?;
    value::check(&rotation.value, &before.placement)?;
    let grace = rotation.grace_seconds.unwrap_or(0);
    if !(0..=LONGEST_GRACE).contains(&grace) {
        return Err(Error::invalid("malformed_grace", "grace_seconds is between 0 and 30 days"));
    }
    let graced = now + TimeDelta::seconds(grace);
    // What the service has ended is of no use any longer.
    let until = before.expires_at.map_or(graced, |at| at.min(graced));
    let key = ServiceKey {
        hint: value::hint(&rotation.value),
        revision: before.revision + 1,
        expires_at: check_expiry(rotation.expires_at, now)?,
        rotation_due_at: before.rotate_every_days.map(|days| now + TimeDelta::days(days.into())),
        updated_at: now,
        rotated_at: now,
        ..before.clone()
    };
    let sealed = value::seal(inner, workspace, id, key.revision, &rotation.value).await?;
    let mut tx = inner.db()?.begin_durable().await?;
    if !store::replace(&mut tx, workspace, &key).await? {
        return Err(changed());
    }
    store::retire_values(&mut tx, workspace, id, Some(until).filter(|until| *until > now)).await?;
    store::insert_value(&mut tx, workspace, id, key.revision, &sealed).await?;
    upkeep::plan(&mut tx, workspace, Some(&before), &key, now).await?;
    let grace = grace.to_string();
    let details = [("service", key.service.as_str()), ("grace_seconds", grace.as_str())];
    keys.log(&mut tx, AuditAction::ServiceKeyRotated, id, &details, now).await?;
    let rotated = ServiceKeyRotated { service_key_id: id, service: key.service, user_id: key.user_id };
    events::append(&mut tx, workspace, rotated, now).await?;
    tx.commit().await?;
    store::get(inner.db()?, &keys.principal, id).await
}
