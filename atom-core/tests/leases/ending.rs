//! When a lease ends: by the clock, by a word, with its uses, with its maker or its secret.

use super::*;

on_both!(a_lease_expires_by_the_clock_of_the_installation, |database| async move {
    let place = Place::open(&database).await;
    let granted = place.grant(NewSecretLease { seconds: Some(60), ..place.on_key() }).await;
    let secret = place.atom.use_lease(granted.token.clone()).await.unwrap();
    place.clock.advance(TimeDelta::seconds(30));
    secret.request(place.call("GET", "/")).await.unwrap();
    place.clock.advance(TimeDelta::seconds(31));
    let error = secret.request(place.call("GET", "/")).await.err().unwrap();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Forbidden, "lease_expired"));
    assert_eq!(reason(place.atom.use_lease(granted.token).await), "lease_expired");
    assert_eq!(reason(place.scope.secret_leases().renew(granted.lease.id, 600).await), "lease_expired");
    assert_eq!((place.calls(), secret.lease().await.unwrap().use_count), (1, 1));
});

on_both!(a_lease_is_renewed_again_and_again_up_to_its_end, |database| async move {
    let place = Place::open(&database).await;
    let new = NewSecretLease { seconds: Some(60), max_seconds: Some(200), ..place.on_key() };
    let (lease, secret) = place.lent(new).await;
    let leases = place.scope.secret_leases();
    for wrong in [59, 86_401, 0, -1] {
        assert_eq!(reason(leases.renew(lease.id, wrong).await), "malformed_lifetime");
    }
    for expected in [110, 160, 200, 200] {
        place.clock.advance(TimeDelta::seconds(49));
        let renewed = leases.renew(lease.id, 60).await.unwrap();
        let lasts = (renewed.expires_at - lease.created_at).num_seconds();
        assert!((expected - 2..=expected + 2).contains(&lasts), "{lasts}, not {expected}");
        assert_eq!(renewed.ends_at, lease.ends_at);
        secret.request(place.call("GET", "/")).await.unwrap();
    }
    place.clock.advance(TimeDelta::seconds(10));
    assert_eq!(reason(secret.request(place.call("GET", "/")).await), "lease_expired");
    assert_eq!(reason(leases.renew(lease.id, 60).await), "lease_expired");
});

on_both!(p41_a_revocation_is_seen_at_once_in_every_process, |database| async move {
    let place = Place::open(&database).await;
    let granted = place.grant(place.on_key()).await;
    let here = place.atom.use_lease(granted.token.clone()).await.unwrap();
    let other = place.elsewhere(&database).await;
    let there = other.use_lease(granted.token.clone()).await.unwrap();
    for secret in [&here, &there] {
        secret.request(place.call("GET", "/")).await.unwrap();
    }
    place.scope.secret_leases().revoke(granted.lease.id).await.unwrap();
    for secret in [&here, &there] {
        let error = secret.request(place.call("GET", "/")).await.err().unwrap();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Forbidden, "lease_revoked"));
        assert!(secret.lease().await.unwrap().revoked_at.is_some());
    }
    assert_eq!(reason(place.atom.use_lease(granted.token).await), "lease_revoked");
    assert_eq!(reason(place.scope.secret_leases().renew(granted.lease.id, 600).await), "lease_revoked");
    assert_eq!(place.calls(), 2);
});

on_both!(a_lease_is_used_up_after_so_many_calls, |database| async move {
    let place = Place::open(&database).await;
    let granted = place.grant(NewSecretLease { max_uses: Some(2), ..place.on_key() }).await;
    let secret = place.atom.use_lease(granted.token.clone()).await.unwrap();
    secret.request(place.call("GET", "/")).await.unwrap();
    place.service.once(500, "", "");
    assert_eq!(secret.request(place.call("GET", "/")).await.unwrap().status, 500, "a call that failed was one, too");
    let error = secret.request(place.call("GET", "/")).await.err().unwrap();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Forbidden, "lease_used_up"));
    assert_eq!(reason(place.atom.use_lease(granted.token).await), "lease_used_up");
    assert_eq!(reason(place.scope.secret_leases().renew(granted.lease.id, 600).await), "lease_used_up");
    assert_eq!((place.calls(), secret.lease().await.unwrap().use_count), (2, 2));
});

on_both!(p41_a_lease_ends_with_its_secret, |database| async move {
    let place = Place::open(&database).await;
    let (_, secret) = place.lent(place.on_key()).await;
    let (_, account) = place.lent(place.on_connection()).await;
    place.scope.service_keys().remove(place.key.id).await.unwrap();
    assert_eq!(reason(secret.request(place.call("GET", "/")).await), "not_found");
    place.connection.revoke().await.unwrap();
    assert_eq!(reason(account.request(google("GET", FILES)).await), "disconnected");
    assert_eq!(place.calls(), 0);
});

on_both!(p41_a_lease_ends_with_the_membership_of_who_granted_it, |database| async move {
    let place = Place::open(&database).await;
    let bob = member(&database, &place.atom, &place.session, "bob@example.com", Role::Member).await;
    let connection = connect(&bob, &place.google, "bob@gmail.example").await;
    let new = NewSecretLease { connection_id: Some(connection.id()), ..place.on_connection() };
    let token = bob.secret_leases().create(new).await.unwrap().token;
    let secret = place.atom.use_lease(token.clone()).await.unwrap();
    secret.request(google("GET", FILES)).await.unwrap();
    let sqlite = "PRAGMA foreign_keys = ON; DELETE FROM atom_memberships WHERE role = 'member'";
    sql(&database, sqlite, "DELETE FROM atom_memberships WHERE role = 'member'").await;
    assert_eq!(reason(secret.request(google("GET", FILES)).await), "lease_unknown");
    assert_eq!(reason(place.atom.use_lease(token).await), "lease_unknown");
});

on_both!(a_lease_does_not_serve_while_who_granted_it_is_disabled, |database| async move {
    let place = Place::open(&database).await;
    let (_, secret) = place.lent(place.on_key()).await;
    sql(&database, "UPDATE atom_users SET disabled_at = 1", "UPDATE atom_users SET disabled_at = now()").await;
    assert_eq!(reason(secret.request(place.call("GET", "/")).await), "not_a_member");
    sql(&database, "UPDATE atom_users SET disabled_at = NULL", "UPDATE atom_users SET disabled_at = NULL").await;
    secret.request(place.call("GET", "/")).await.unwrap();
    assert_eq!(secret.lease().await.unwrap().use_count, 1);
});

on_both!(a_lease_on_a_shared_key_serves_as_long_as_its_maker_may_use_it, |database| async move {
    let place = Place::open(&database).await;
    let bob = member(&database, &place.atom, &place.session, "bob@example.com", Role::Member).await;
    let shared = NewServiceKey {
        service: "openai".into(),
        value: CANARY.into(),
        owner: Some(ServiceKeyOwner::Workspace),
        hosts: Some(vec![place.service.host()]),
        ..Default::default()
    };
    let shared = place.scope.service_keys().create(shared).await.unwrap();
    let new = NewSecretLease { service_key_id: Some(shared.id), ..place.on_key() };
    let token = bob.secret_leases().create(new).await.unwrap().token;
    let secret = place.atom.use_lease(token).await.unwrap();
    secret.request(place.call("GET", "/")).await.unwrap();
    let demotion = "UPDATE atom_memberships SET role = 'guest' WHERE role = 'member'";
    sql(&database, demotion, demotion).await;
    assert_eq!(reason(secret.request(place.call("GET", "/")).await), "not_found");
});

on_both!(leases_that_ended_long_ago_are_deleted_by_a_worker, |database| async move {
    let place = Place::open(&database).await;
    let old = place.grant(place.on_key()).await.lease;
    place.clock.advance(TimeDelta::days(29));
    let newer = place.grant(place.on_key()).await.lease;
    place.clock.advance(TimeDelta::days(2));
    let worker = place.atom.start_worker(Default::default(), None).await.unwrap();
    let (leases, began) = (place.scope.secret_leases(), Instant::now());
    while leases.get(old.id).await.is_ok() {
        assert!(began.elapsed() < Duration::from_secs(20), "it is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    worker.stop().await.unwrap();
    assert_eq!(leases.list(SecretLeaseFilter::default()).await.unwrap().items, [newer]);
});
