//! Storing a key.

use super::{KeyPlacement, NewServiceKey, ServiceKey, ServiceKeyOwner, ServiceKeys, hosts, store, upkeep, value};
use crate::accounts::is_label;
use crate::audit::AuditAction;
use crate::events::{self, ServiceKeyAdded};
use crate::storage::Timestamp;
use crate::{Error, Result, ServiceKeyId};
use chrono::{DateTime, TimeDelta, Utc};

const LONGEST_NAME: usize = 100;
const MOST_DAYS: i32 = 3650;

pub(super) async fn run(keys: &ServiceKeys, new: NewServiceKey) -> Result<ServiceKey> {
    let (inner, workspace, now) = (&keys.inner, keys.principal.workspace_id, keys.inner.now());
    let is_shared = new.owner == Some(ServiceKeyOwner::Workspace);
    keys.check_manager(is_shared)?;
    let placement = KeyPlacement::checked(new.placement)?;
    value::check(&new.value, &placement)?;
    let key = ServiceKey {
        id: ServiceKeyId::generate(),
        service: check_service(new.service)?,
        name: check_name(new.name.as_deref().unwrap_or("default"))?,
        user_id: (!is_shared).then_some(keys.principal.user_id),
        hint: value::hint(&new.value),
        placement,
        hosts: hosts::checked(new.hosts.unwrap_or_default(), &inner.egress)?,
        is_exportable: new.exportable.unwrap_or(false),
        revision: 1,
        expires_at: check_expiry(new.expires_at, now)?,
        rotate_every_days: check_days(new.rotate_every_days)?,
        rotation_due_at: new.rotate_every_days.map(|days| now + TimeDelta::days(days.into())),
        previous_until: None,
        use_count: 0,
        last_used_at: None,
        created_at: now,
        updated_at: now,
        rotated_at: now,
    };
    check_usable(&key)?;
    let sealed = value::seal(inner, workspace, key.id, key.revision, &new.value).await?;
    let mut tx = inner.db()?.begin_durable().await?;
    store::insert(&mut tx, workspace, &key).await?;
    store::insert_value(&mut tx, workspace, key.id, key.revision, &sealed).await?;
    upkeep::plan(&mut tx, workspace, None, &key, now).await?;
    keys.log(&mut tx, AuditAction::ServiceKeyAdded, key.id, &[("service", &key.service)], now).await?;
    let added = ServiceKeyAdded { service_key_id: key.id, service: key.service, user_id: key.user_id };
    events::append(&mut tx, workspace, added, now).await?;
    tx.commit().await?;
    store::get(inner.db()?, &keys.principal, key.id).await
}

fn check_service(service: String) -> Result<String> {
    if is_label(&service) {
        return Ok(service);
    }
    let text = "the service is 1 to 64 small letters, digits, `.`, `_` and `-`, such as `openai`";
    Err(Error::invalid("malformed_service", text))
}

pub(super) fn check_name(name: &str) -> Result<String> {
    let name = name.trim();
    if (1..=LONGEST_NAME).contains(&name.chars().count()) && !name.contains(char::is_control) {
        return Ok(name.to_owned());
    }
    let text = "the name of a service key is 1 to 100 characters without line breaks";
    Err(Error::invalid("malformed_service_key_name", text))
}

/// A moment to come, as it is stored.
pub(super) fn check_expiry(at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
    if at.is_some_and(|at| at <= now) {
        return Err(Error::invalid("malformed_expiry", "the key has expired already: store one that is valid"));
    }
    Ok(at.map(|at| Timestamp::from(at).0))
}

pub(super) fn check_days(days: Option<i32>) -> Result<Option<i32>> {
    if days.is_some_and(|days| !(1..=MOST_DAYS).contains(&days)) {
        return Err(Error::invalid("malformed_rotation", format!("rotate_every_days is between 1 and {MOST_DAYS}")));
    }
    Ok(days)
}

/// Refuses a key that could not be used at all.
pub(super) fn check_usable(key: &ServiceKey) -> Result<()> {
    if key.hosts.is_empty() && !key.is_exportable {
        let text = "the key could not be used: name the hosts it may be sent to, or make it `exportable`";
        return Err(Error::invalid("unusable_service_key", text));
    }
    Ok(())
}
