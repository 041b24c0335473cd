//! A scope for one purpose: it is in the log with every use of a secret, and nobody gets out of it.

use super::*;

on_both!(p41_a_scope_stays_with_its_purpose, |database| async move {
    let place = Place::open(&database).await;
    assert_eq!(place.scope.principal().purpose, None);
    let sync = place.scope.for_purpose(purpose("invoice-sync", Some("crm.search"))).await.unwrap();
    assert_eq!(sync.principal().purpose, Some(purpose("invoice-sync", Some("crm.search"))));
    assert_eq!(sync.principal().user_id, place.session.user.id);
    sync.for_purpose(purpose("invoice-sync", Some("crm.search"))).await.expect("the same is no other");
    for other in [purpose("chat", Some("crm.search")), purpose("invoice-sync", None), purpose("invoice-sync", Some("mail"))] {
        let error = sync.for_purpose(other).await.err().unwrap();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Forbidden, "purpose_fixed"));
    }
    for wrong in [purpose("", None), purpose("Invoice sync", None), purpose("sync", Some("")), purpose(&"x".repeat(65), None)] {
        assert_eq!(reason(place.scope.for_purpose(wrong).await), "malformed_purpose");
    }
    assert_eq!(place.scope.principal().purpose, None, "the scope that it was made of is as it was");
});

on_both!(p41_a_scope_with_a_purpose_does_not_change_what_decides_over_it, |database| async move {
    let place = Place::open(&database).await;
    place.put(deny("no-chat")).await;
    let chat = place.scope.for_purpose(purpose("chat", None)).await.unwrap();
    let policies = chat.secret_policies();
    assert_eq!(reason(policies.put(allow("mine")).await), "purpose_fixed");
    assert_eq!(reason(policies.remove("no-chat".into()).await), "purpose_fixed");
    assert_eq!(policies.list().await.unwrap().len(), 1, "looking changes nothing");
    let lease = |purpose| NewSecretLease { service_key_id: Some(place.key.id), purpose, ..Default::default() };
    assert_eq!(reason(chat.secret_leases().create(lease(purpose("sync", None))).await), "purpose_fixed");
    chat.secret_leases().create(lease(purpose("chat", None))).await.expect("its own purpose it may hand on");
});

on_both!(p40_every_use_of_a_secret_has_its_purpose_in_the_log, |database| async move {
    let place = Place::open(&database).await;
    let sync = place.scope.for_purpose(purpose("invoice-sync", Some("crm.search"))).await.unwrap();
    let connection = sync.connections().open(place.connection.id()).await.unwrap();
    connection.access_token().await.unwrap();
    sync.service_keys().reveal(place.key.id).await.unwrap();
    for scope in [&sync, &sync, &place.scope] {
        scope.service_keys().request(place.key.id, place.call("GET")).await.unwrap();
    }
    place.scope.service_keys().get(place.key.id).await.unwrap();
    for action in [AuditAction::TokenExported, AuditAction::ServiceKeyRevealed] {
        let entry = place.entries(action).await.pop().unwrap();
        assert_eq!((entry.details["purpose"].as_str(), entry.details["tool"].as_str()), ("invoice-sync", "crm.search"));
    }
    let used = place.entries(AuditAction::ServiceKeyUsed).await;
    let uses = |purpose: Option<&str>| -> i64 {
        let meant = used.iter().filter(|entry| entry.details.get("purpose").map(String::as_str) == purpose);
        meant.map(|entry| entry.details["uses"].parse::<i64>().unwrap()).sum()
    };
    assert_eq!((uses(Some("invoice-sync")), uses(None)), (2, 1));
});

on_both!(a_token_that_leaves_for_another_purpose_is_in_the_log_again, |database| async move {
    let place = Place::open(&database).await;
    for name in ["sync", "chat", "sync"] {
        let scope = place.scope.for_purpose(purpose(name, None)).await.unwrap();
        scope.connections().open(place.connection.id()).await.unwrap().access_token().await.unwrap();
    }
    let exported = place.entries(AuditAction::TokenExported).await;
    let purposes: Vec<_> = exported.iter().map(|entry| entry.details["purpose"].as_str()).collect();
    assert_eq!(purposes, ["sync", "chat"]);
});
