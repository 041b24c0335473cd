//! Many holders of one token, in several processes.

use super::*;

on_both!(p41_twenty_callers_in_two_processes_use_a_lease_as_often_as_it_may_be, |database| async move {
    let place = Place::open(&database).await;
    let other = place.elsewhere(&database).await;
    for most in [1, 7] {
        let before = place.calls();
        let granted = place.grant(NewSecretLease { max_uses: Some(most), ..place.on_key() }).await;
        let mut holders = Vec::new();
        for i in 0..20 {
            let atom = if i % 2 == 0 { &place.atom } else { &other };
            holders.push(atom.use_lease(granted.token.clone()).await.unwrap());
        }
        let call = |secret: LeasedSecret| {
            let request = place.call("GET", "/");
            tokio::spawn(async move { secret.request(request).await.map(|answer| answer.status) })
        };
        let callers: Vec<_> = holders.into_iter().map(call).collect();
        let mut served = 0;
        for caller in callers {
            match caller.await.unwrap() {
                Ok(status) => {
                    assert_eq!(status, 200);
                    served += 1;
                }
                Err(error) => assert_eq!(error.reason(), "lease_used_up", "{error:?}"),
            }
        }
        let lease = place.scope.secret_leases().get(granted.lease.id).await.unwrap();
        assert_eq!((served, lease.use_count), (most, most));
        assert_eq!(i64::try_from(place.calls() - before).unwrap(), most, "nobody slipped through");
        let used = place.actions(lease.id).await.into_iter().filter(|entry| entry.action == AuditAction::SecretLeaseUsed);
        assert_eq!(used.count(), 1, "the first use is in the log, once");
    }
    assert_eq!(place.scope.audit().verify(None).await.unwrap().problem, None);
});

on_both!(no_call_begins_after_a_revocation_has_returned, |database| async move {
    let place = Place::open(&database).await;
    let granted = place.grant(place.on_key()).await;
    let other = place.elsewhere(&database).await;
    let callers: Vec<_> = (0..8)
        .map(|i| {
            let atom = if i % 2 == 0 { place.atom.clone() } else { other.clone() };
            let (token, request) = (granted.token.clone(), place.call("GET", "/"));
            tokio::spawn(async move {
                let secret = atom.use_lease(token).await.unwrap();
                loop {
                    if let Err(error) = secret.request(request.clone()).await {
                        return error.reason();
                    }
                }
            })
        })
        .collect();
    place.service.wait_for(20).await;
    place.scope.secret_leases().revoke(granted.lease.id).await.unwrap();
    let counted = place.scope.secret_leases().get(granted.lease.id).await.unwrap().use_count;
    for caller in callers {
        assert_eq!(caller.await.unwrap(), "lease_revoked");
    }
    let after = place.scope.secret_leases().get(granted.lease.id).await.unwrap().use_count;
    assert_eq!(
        (counted, i64::try_from(place.calls()).unwrap()),
        (after, after),
        "every call that was counted was made, and no other"
    );
});
