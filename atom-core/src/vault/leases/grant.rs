//! Granting a lease.

use super::{GrantedSecretLease, NewSecretLease, SecretLease, SecretLeases, paths, store, token};
use crate::audit::AuditAction;
use crate::broker::{Broker, SecretId};
use crate::events::{self, SecretLeaseGranted};
use crate::raw::method;
use crate::{Error, Result, SecretLeaseId};
use chrono::TimeDelta;
use std::ops::RangeInclusive;

/// How long a lease lasts, and how long one can be made to last, in seconds.
const LIFETIME: RangeInclusive<i64> = 60..=86_400;
const USUAL_LIFETIME: i64 = 900;
const LONGEST: i64 = 30 * 86_400;
const MOST_USES: i64 = 1_000_000;
const MOST_PREFIXES: usize = 20;

pub(super) async fn run(leases: &SecretLeases, new: NewSecretLease) -> Result<GrantedSecretLease> {
    let (inner, workspace, now) = (&leases.inner, leases.principal.workspace_id, leases.inner.now());
    let holder = leases.principal.clone().for_purpose(new.purpose.clone())?;
    let secret = match (new.connection_id, new.service_key_id) {
        (Some(id), None) => SecretId::Connection(id),
        (None, Some(id)) => SecretId::ServiceKey(id),
        _ => {
            let text = "a lease is on one secret: give `connection_id` or `service_key_id`";
            return Err(Error::invalid("malformed_secret_lease", text));
        }
    };
    let seconds = check_lifetime(new.seconds.unwrap_or(USUAL_LIFETIME))?;
    let max_seconds = new.max_seconds.unwrap_or(*LIFETIME.end());
    if !(seconds..=LONGEST).contains(&max_seconds) {
        return Err(Error::invalid("malformed_lifetime", "`max_seconds` is at least `seconds` and at most 30 days"));
    }
    if new.max_uses.is_some_and(|most| !(1..=MOST_USES).contains(&most)) {
        return Err(Error::invalid("malformed_max_uses", format!("`max_uses` is between 1 and {MOST_USES}")));
    }
    let lease = SecretLease {
        id: SecretLeaseId::generate(),
        user_id: holder.user_id,
        target: Broker::open(inner, &holder, secret).await?.target().await?,
        purpose: new.purpose,
        methods: check_methods(new.methods.unwrap_or_default())?,
        path_prefixes: check_prefixes(&new.path_prefixes.unwrap_or_default())?,
        max_uses: new.max_uses,
        use_count: 0,
        last_used_at: None,
        created_at: now,
        expires_at: now + TimeDelta::seconds(seconds),
        ends_at: now + TimeDelta::seconds(max_seconds),
        revoked_at: None,
    };
    let (token, hash) = token::issue()?;
    let mut tx = inner.db()?.begin_durable().await?;
    store::insert(&mut tx, workspace, &lease, &hash).await?;
    let seconds = seconds.to_string();
    leases.log(&mut tx, AuditAction::SecretLeaseGranted, &lease, &[("seconds", &seconds)], now).await?;
    let granted = SecretLeaseGranted {
        lease_id: lease.id,
        user_id: lease.user_id,
        purpose: lease.purpose.purpose,
        tool: lease.purpose.tool,
        expires_at: lease.expires_at,
    };
    events::append(&mut tx, workspace, granted, now).await?;
    tx.commit().await?;
    let lease = store::get(inner.db()?, &leases.sight(), lease.id).await?;
    Ok(GrantedSecretLease { token, lease })
}

/// Fails with `invalid` (`malformed_lifetime`).
pub(super) fn check_lifetime(seconds: i64) -> Result<i64> {
    if LIFETIME.contains(&seconds) {
        return Ok(seconds);
    }
    Err(Error::invalid("malformed_lifetime", "a lease lasts between 60 and 86400 seconds, and can be renewed"))
}

fn check_methods(names: Vec<String>) -> Result<Vec<String>> {
    let mut methods = Vec::new();
    for name in names {
        method(&name)?;
        if !methods.contains(&name) {
            methods.push(name);
        }
    }
    Ok(methods)
}

fn check_prefixes(given: &[String]) -> Result<Vec<String>> {
    if given.len() > MOST_PREFIXES {
        return Err(Error::invalid("malformed_path_prefix", format!("a lease has at most {MOST_PREFIXES} prefixes of paths")));
    }
    given.iter().map(|prefix| paths::checked(prefix)).collect()
}
