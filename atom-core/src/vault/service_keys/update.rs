//! Changing what is not the value.

use super::create::{check_days, check_expiry, check_name, check_usable};
use super::{KeyPlacement, ServiceKey, ServiceKeyPatch, ServiceKeys, changed, hosts, store, upkeep, value};
use crate::audit::AuditAction;
use crate::events::{self, ServiceKeyChanged};
use crate::{Error, Result, ServiceKeyId};
use chrono::{DateTime, TimeDelta, Utc};

pub(super) async fn run(keys: &ServiceKeys, id: ServiceKeyId, patch: ServiceKeyPatch) -> Result<ServiceKey> {
    let (inner, workspace, now) = (&keys.inner, keys.principal.workspace_id, keys.inner.now());
    let before = keys.managed(id, patch.revision).await?;
    let key = patched(keys, &before, patch, now)?;
    let fields = differences(&before, &key);
    if fields.is_empty() {
        return Ok(before);
    }
    if key.placement != before.placement {
        for value in value::load(inner, workspace, id, now).await? {
            value::check(&value, &key.placement)?;
        }
    }
    let key = ServiceKey { revision: before.revision + 1, updated_at: now, ..key };
    let mut tx = inner.db()?.begin_durable().await?;
    if !store::replace(&mut tx, workspace, &key).await? {
        return Err(changed());
    }
    upkeep::plan(&mut tx, workspace, Some(&before), &key, now).await?;
    let fields = fields.join(", ");
    let details = [("service", key.service.as_str()), ("fields", fields.as_str())];
    keys.log(&mut tx, AuditAction::ServiceKeyChanged, id, &details, now).await?;
    let changed = ServiceKeyChanged { service_key_id: id, service: key.service, user_id: key.user_id };
    events::append(&mut tx, workspace, changed, now).await?;
    tx.commit().await?;
    store::get(inner.db()?, &keys.principal, id).await
}

fn patched(keys: &ServiceKeys, before: &ServiceKey, patch: ServiceKeyPatch, now: DateTime<Utc>) -> Result<ServiceKey> {
    let mut key = before.clone();
    if let Some(name) = patch.name {
        key.name = check_name(&name)?;
    }
    if patch.placement.is_some() {
        key.placement = KeyPlacement::checked(patch.placement)?;
    }
    if let Some(given) = patch.hosts {
        key.hosts = hosts::checked(given, &keys.inner.egress)?;
        if !key.hosts.iter().all(|host| before.hosts.contains(host)) {
            let text = "hosts can only be taken away from a key: store its value anew for other hosts";
            return Err(Error::invalid("host_not_allowed", text).with_provider(&key.service));
        }
    }
    if let Some(exportable) = patch.exportable {
        if exportable && !before.is_exportable {
            let text = "a key is made exportable when it is stored, and not later: store its value anew";
            return Err(Error::invalid("export_not_allowed", text));
        }
        key.is_exportable = exportable;
    }
    match (patch.expires_at, patch.never_expires.unwrap_or(false)) {
        (Some(_), true) => return Err(Error::invalid("malformed_expiry", "give `expires_at` or `never_expires`, not both")),
        (None, true) => key.expires_at = None,
        (None, false) => {}
        (at, false) => key.expires_at = check_expiry(at, now)?,
    }
    if let Some(days) = patch.rotate_every_days {
        key.rotate_every_days = check_days(Some(days).filter(|days| *days != 0))?;
        key.rotation_due_at = key.rotate_every_days.map(|days| key.rotated_at + TimeDelta::days(days.into()));
    }
    check_usable(&key)?;
    Ok(key)
}

/// The names of what differs, for the log.
fn differences(before: &ServiceKey, after: &ServiceKey) -> Vec<&'static str> {
    let fields = [
        ("name", before.name != after.name),
        ("placement", before.placement != after.placement),
        ("hosts", before.hosts != after.hosts),
        ("exportable", before.is_exportable != after.is_exportable),
        ("expires_at", before.expires_at != after.expires_at),
        ("rotate_every_days", before.rotate_every_days != after.rotate_every_days),
    ];
    fields.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}
