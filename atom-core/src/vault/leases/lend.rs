//! A call of whoever holds the token of a lease.

use super::{LeasedSecret, SecretLease, log, paths, store};
use crate::accounts::{Accounts, Principal};
use crate::audit::AuditAction;
use crate::broker::{Broker, SecretId};
use crate::vault::policies::SecretTarget;
use crate::{Error, ErrorKind, RawRequest, RawResponse, Result};
use std::sync::Arc;

pub(super) async fn run(leased: &LeasedSecret, request: RawRequest) -> Result<RawResponse> {
    let inner = &leased.inner;
    let lease = leased.lease().await?;
    lease.check_living(inner.now())?;
    check_fit(&lease, &request)?;
    let maker = Accounts { inner: Arc::clone(inner) }.member(lease.user_id, leased.workspace).await?;
    let maker = maker.for_purpose(lease.purpose.clone())?;
    let secret = Broker::open(inner, &maker, secret_of(&lease)?).await?;
    count(leased, &lease, &maker).await?;
    secret.request(request).await
}

fn secret_of(lease: &SecretLease) -> Result<SecretId> {
    match lease.target {
        SecretTarget::Connection { connection_id: Some(id), .. } => Ok(SecretId::Connection(id)),
        SecretTarget::ServiceKey { service_key_id: Some(id), .. } => Ok(SecretId::ServiceKey(id)),
        _ => Err(Error::internal("lease_of_nothing", "a stored lease names a secret")),
    }
}

/// Refuses a call that the lease is not for.
fn check_fit(lease: &SecretLease, request: &RawRequest) -> Result<()> {
    let head = RawRequest {
        method: request.method.clone(),
        url: request.url.clone(),
        headers: request.headers.clone(),
        ..Default::default()
    };
    let head = head.into_request(None)?;
    let refused = |text: String| Err(Error::new(ErrorKind::Forbidden, "lease_not_for_this", text));
    if !lease.methods.is_empty() && !head.methods().iter().all(|method| lease.methods.contains(method)) {
        return refused(format!("this lease is for {} only: ask who granted it for another", lease.methods.join(", ")));
    }
    if !paths::fit(&lease.path_prefixes, &request.url, &head.url) {
        let prefixes = lease.path_prefixes.join(", ");
        return refused(format!(
            "this lease is for paths below {prefixes} only, without `.` and `..`: ask who granted it for another"
        ));
    }
    Ok(())
}

/// Counts a use, unless the lease has ended meanwhile. That it is used at all stands in the audit log before its first call is made; how often, in the lease.
async fn count(leased: &LeasedSecret, lease: &SecretLease, maker: &Principal) -> Result<()> {
    let (db, now) = (leased.inner.db()?, leased.inner.now());
    let counted = if lease.use_count > 0 {
        store::count_one(db, leased.workspace, lease.id, now).await?
    } else {
        let mut tx = db.begin().await?;
        let counted = store::count(&mut tx, leased.workspace, lease.id, now).await?;
        if counted == Some(1) {
            log(&mut tx, leased.workspace, maker.actor(), AuditAction::SecretLeaseUsed, lease, &[], now).await?;
        }
        tx.commit().await?;
        counted
    };
    if counted.is_some() {
        return Ok(());
    }
    leased.lease().await?.check_living(now)?;
    Err(Error::internal("lease_uncounted", "a use of a living lease was not counted"))
}
