//! Renewing a lease.

use super::grant::check_lifetime;
use super::{SecretLease, SecretLeases, store};
use crate::audit::AuditAction;
use crate::events::{self, SecretLeaseRenewed};
use crate::{Error, ErrorKind, Result, SecretLeaseId};
use chrono::TimeDelta;

pub(super) async fn run(leases: &SecretLeases, id: SecretLeaseId, seconds: i64) -> Result<SecretLease> {
    let (inner, workspace, now) = (&leases.inner, leases.principal.workspace_id, leases.inner.now());
    let lease = store::get(inner.db()?, &leases.sight(), id).await?;
    if lease.user_id != leases.principal.user_id {
        let text = "a lease is renewed by the member who granted it, on whose behalf it is used: ask them, or revoke it";
        return Err(Error::new(ErrorKind::Forbidden, "not_the_grantor", text));
    }
    let seconds = check_lifetime(seconds)?;
    let expires_at = (now + TimeDelta::seconds(seconds)).min(lease.ends_at);
    let mut tx = inner.db()?.begin_durable().await?;
    if !store::renew(&mut tx, workspace, id, expires_at, now).await? {
        drop(tx);
        let lease = store::get(inner.db()?, &leases.sight(), id).await?;
        lease.check_living(now)?;
        return Err(Error::internal("lease_not_renewed", "a living lease was not renewed"));
    }
    let seconds = (expires_at - now).num_seconds().to_string();
    leases.log(&mut tx, AuditAction::SecretLeaseRenewed, &lease, &[("seconds", &seconds)], now).await?;
    let renewed = SecretLeaseRenewed { lease_id: id, user_id: lease.user_id, expires_at };
    events::append(&mut tx, workspace, renewed, now).await?;
    tx.commit().await?;
    store::get(inner.db()?, &leases.sight(), id).await
}
