//! Granting, listing and what is written down.

use super::*;

on_both!(a_lease_is_granted_and_says_what_it_is, |database| async move {
    let place = Place::open(&database).await;
    let new = NewSecretLease {
        methods: words(&["GET", "POST", "GET"]),
        path_prefixes: words(&["/v1/files"]),
        seconds: Some(120),
        max_seconds: Some(600),
        max_uses: Some(3),
        ..place.on_key()
    };
    let now = place.clock.now();
    let granted = place.grant(new).await;
    let lease = granted.lease;
    assert!(granted.token.expose().starts_with("atl_") && granted.token.expose().len() == 52);
    assert_eq!(lease.target, SecretTarget::ServiceKey { service: "openai".into(), service_key_id: Some(place.key.id) });
    assert_eq!((lease.user_id, lease.purpose.tool.as_deref()), (place.session.user.id, Some("crm.search")));
    assert_eq!((lease.methods.join(" ").as_str(), lease.path_prefixes.join(" ").as_str()), ("GET POST", "/v1/files"));
    assert_eq!((lease.max_uses, lease.use_count, lease.last_used_at, lease.revoked_at), (Some(3), 0, None, None));
    assert_eq!(
        (lease.expires_at - lease.created_at, lease.ends_at - lease.created_at),
        (TimeDelta::seconds(120), TimeDelta::seconds(600))
    );
    assert!(lease.created_at - now < TimeDelta::seconds(60));
    assert_eq!(place.scope.secret_leases().get(lease.id).await.unwrap(), lease);
    assert_eq!(place.atom.use_lease(granted.token).await.unwrap().lease().await.unwrap(), lease);

    let usual = place.grant(place.on_connection()).await.lease;
    assert_eq!(
        (usual.expires_at - usual.created_at, usual.ends_at - usual.created_at),
        (TimeDelta::minutes(15), TimeDelta::days(1))
    );
    let target = SecretTarget::Connection { provider: "google".into(), connection_id: Some(place.connection.id()) };
    assert_eq!((usual.target, usual.methods, usual.path_prefixes, usual.max_uses), (target, vec![], vec![], None));
});

on_both!(what_is_no_lease_is_refused, |database| async move {
    let place = Place::open(&database).await;
    let purpose = |name: &str| Purpose { purpose: name.into(), tool: None };
    let many = (0..21).map(|i| format!("/p{i}")).collect();
    let cases = [
        (NewSecretLease { service_key_id: None, ..place.on_key() }, "malformed_secret_lease"),
        (NewSecretLease { connection_id: Some(place.connection.id()), ..place.on_key() }, "malformed_secret_lease"),
        (NewSecretLease { service_key_id: Some(ServiceKeyId::generate()), ..place.on_key() }, "not_found"),
        (NewSecretLease { connection_id: Some(ConnectionId::generate()), ..place.on_connection() }, "not_found"),
        (NewSecretLease { purpose: purpose(""), ..place.on_key() }, "malformed_purpose"),
        (NewSecretLease { purpose: purpose("A b"), ..place.on_key() }, "malformed_purpose"),
        (NewSecretLease { methods: words(&["get"]), ..place.on_key() }, "unknown_method"),
        (NewSecretLease { path_prefixes: words(&["v1"]), ..place.on_key() }, "malformed_path_prefix"),
        (NewSecretLease { path_prefixes: words(&["/v1/../admin"]), ..place.on_key() }, "malformed_path_prefix"),
        (NewSecretLease { path_prefixes: Some(many), ..place.on_key() }, "malformed_path_prefix"),
        (NewSecretLease { seconds: Some(59), ..place.on_key() }, "malformed_lifetime"),
        (NewSecretLease { seconds: Some(86_401), ..place.on_key() }, "malformed_lifetime"),
        (NewSecretLease { seconds: Some(600), max_seconds: Some(599), ..place.on_key() }, "malformed_lifetime"),
        (NewSecretLease { max_seconds: Some(30 * 86_400 + 1), ..place.on_key() }, "malformed_lifetime"),
        (NewSecretLease { max_uses: Some(0), ..place.on_key() }, "malformed_max_uses"),
        (NewSecretLease { max_uses: Some(1_000_001), ..place.on_key() }, "malformed_max_uses"),
    ];
    for (new, expected) in cases {
        assert_eq!(reason(place.scope.secret_leases().create(new.clone()).await), expected, "{new:?}");
    }
    assert_eq!(place.scope.secret_leases().list(SecretLeaseFilter::default()).await.unwrap().items, []);
});

on_both!(p21_nobody_lends_what_is_not_theirs, |database| async move {
    let place = Place::open(&database).await;
    let (_, eve) = sign_up(&place.atom, "eve@example.com").await;
    let bob = member(&database, &place.atom, &place.session, "bob@example.com", Role::Admin).await;
    for scope in [&eve, &bob] {
        assert_eq!(reason(scope.secret_leases().create(place.on_key()).await), "not_found");
        assert_eq!(reason(scope.secret_leases().create(place.on_connection()).await), "not_found");
    }
});

on_both!(p22_members_see_their_own_leases_and_owners_and_admins_those_of_all, |database| async move {
    let place = Place::open(&database).await;
    let bob = member(&database, &place.atom, &place.session, "bob@example.com", Role::Member).await;
    let mia = member(&database, &place.atom, &place.session, "mia@example.com", Role::Member).await;
    let (_, eve) = sign_up(&place.atom, "eve@example.com").await;
    let connection = connect(&bob, &place.google, "bob@gmail.example").await;
    let new = NewSecretLease { connection_id: Some(connection.id()), ..place.on_connection() };
    let granted = bob.secret_leases().create(new).await.unwrap();
    let id = granted.lease.id;
    for scope in [&mia, &eve] {
        let leases = scope.secret_leases();
        assert_eq!(leases.list(SecretLeaseFilter::default()).await.unwrap().items, []);
        assert_eq!(reason(leases.get(id).await), "not_found");
        assert_eq!(reason(leases.renew(id, 600).await), "not_found");
        assert_eq!(reason(leases.revoke(id).await), "not_found");
    }
    let admin = place.scope.secret_leases();
    assert_eq!(admin.list(SecretLeaseFilter::default()).await.unwrap().items, [granted.lease]);
    assert_eq!(reason(admin.renew(id, 600).await), "not_the_grantor");
    bob.secret_leases().renew(id, 600).await.unwrap();
    admin.revoke(id).await.unwrap();
    assert_eq!(reason(place.atom.use_lease(granted.token).await), "lease_revoked");
});

on_both!(a_scope_with_a_purpose_sees_the_leases_of_that_purpose, |database| async move {
    let place = Place::open(&database).await;
    let of = |name: &str, tool: Option<&str>| Purpose { purpose: name.into(), tool: tool.map(str::to_owned) };
    let mut ids = Vec::new();
    for purpose in [of("sync", None), of("sync", Some("mail")), of("chat", None)] {
        ids.push(place.grant(NewSecretLease { purpose, ..place.on_key() }).await.lease.id);
    }
    for (purpose, seen) in [(of("sync", None), ids[0]), (of("sync", Some("mail")), ids[1]), (of("chat", None), ids[2])] {
        let leases = place.scope.for_purpose(purpose).await.unwrap().secret_leases();
        let items = leases.list(SecretLeaseFilter::default()).await.unwrap().items;
        assert_eq!(items.iter().map(|lease| lease.id).collect::<Vec<_>>(), [seen]);
        for id in &ids {
            assert_eq!(leases.get(*id).await.is_ok(), *id == seen);
            assert_eq!(leases.renew(*id, 600).await.is_ok(), *id == seen);
        }
    }
    let none = place.scope.for_purpose(of("other", None)).await.unwrap().secret_leases();
    assert_eq!(reason(none.revoke(ids[0]).await), "not_found");
});

on_both!(leases_are_listed_by_pages_and_by_whether_they_serve, |database| async move {
    let place = Place::open(&database).await;
    let leases = place.scope.secret_leases();
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(place.grant(place.on_key()).await.lease.id);
    }
    let used_up = place.lent(NewSecretLease { max_uses: Some(1), ..place.on_key() }).await;
    used_up.1.request(place.call("GET", "/")).await.unwrap();
    leases.revoke(ids[1]).await.unwrap();
    let of = |items: &[SecretLease]| items.iter().map(|lease| lease.id).collect::<Vec<_>>();
    let mut seen = Vec::new();
    let mut filter = SecretLeaseFilter { page_size: Some(2), ..Default::default() };
    loop {
        let page = leases.list(filter.clone()).await.unwrap();
        seen.extend(of(&page.items));
        let Some(cursor) = page.next_cursor else { break };
        filter.cursor = Some(cursor);
    }
    assert_eq!(seen, [&ids[..], &[used_up.0.id]].concat());
    let active = |active| SecretLeaseFilter { active: Some(active), ..Default::default() };
    assert_eq!(of(&leases.list(active(true)).await.unwrap().items), [ids[0], ids[2], ids[3], ids[4]]);
    assert_eq!(of(&leases.list(active(false)).await.unwrap().items), [ids[1], used_up.0.id]);
    place.clock.advance(TimeDelta::hours(1));
    assert_eq!(leases.list(active(true)).await.unwrap().items, []);
    for (wrong, expected) in [
        (SecretLeaseFilter { page_size: Some(0), ..Default::default() }, "malformed_page_size"),
        (SecretLeaseFilter { cursor: Some("x".into()), ..Default::default() }, "malformed_cursor"),
    ] {
        assert_eq!(reason(leases.list(wrong).await), expected);
    }
});

on_both!(p40_what_becomes_of_a_lease_is_in_the_log_and_told, |database| async move {
    let place = Place::open(&database).await;
    let (lease, secret) = place.lent(place.on_key()).await;
    for _ in 0..3 {
        secret.request(place.call("GET", "/")).await.unwrap();
    }
    let leases = place.scope.secret_leases();
    leases.renew(lease.id, 1200).await.unwrap();
    leases.revoke(lease.id).await.unwrap();
    leases.revoke(lease.id).await.expect("twice is no error");

    let entries = place.actions(lease.id).await;
    let actions: Vec<_> = entries.iter().map(|entry| entry.action).collect();
    use AuditAction::*;
    assert_eq!(actions, [SecretLeaseGranted, SecretLeaseUsed, SecretLeaseRenewed, SecretLeaseRevoked]);
    for entry in &entries {
        let details = ["service", "purpose", "tool"].map(|name| entry.details[name].as_str());
        assert_eq!((details, entry.user_id), (["openai", "sync", "crm.search"], Some(place.session.user.id)));
    }
    assert_eq!((entries[0].session_id, entries[1].session_id), (Some(place.session.id), None), "it is used without Ada");
    assert_eq!((entries[0].details["seconds"].as_str(), entries[2].details["seconds"].as_str()), ("900", "1200"));
    let events = place.told().await;
    let names: Vec<_> = events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["secret_lease.granted", "secret_lease.renewed", "secret_lease.revoked"]);
    assert!(events.iter().all(|event| event.subject == Some(lease.id.to_string()) && event.user_id == Some(lease.user_id)));
    // The uses of the key itself are counted as ever, with the purpose.
    assert_eq!(place.scope.service_keys().get(place.key.id).await.unwrap().use_count, 3);
    let filter = AuditFilter { action: Some(ServiceKeyUsed), ..Default::default() };
    let used = place.scope.audit().list(filter).await.unwrap().items;
    assert!(!used.is_empty() && used.iter().all(|entry| entry.details["purpose"] == "sync"));
});
