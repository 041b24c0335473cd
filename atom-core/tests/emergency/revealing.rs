//! What is revealed, how often, and what keeps it from being revealed.

use super::*;

/// Has Bob ask for something of Ada's, and Ada and Cleo approve it.
async fn granted(place: &Place<'_>, bob: &Scope, cleo: &Scope, request: NewEmergencyAccess) -> EmergencyRequestId {
    let request = bob.emergency_access().request(request).await.unwrap();
    for approver in [&place.ada, cleo] {
        approver.emergency_access().approve(request.id).await.unwrap();
    }
    request.id
}

on_both!(p41_the_present_token_of_a_connection_is_revealed_refreshed_if_need_be, |database| async move {
    let place = Place::open(&database).await;
    let bob = place.joins("bob", Role::Admin).await;
    let cleo = place.joins("cleo", Role::Admin).await;
    let connection = place.connection().await;
    assert_eq!(reason(connection.access_token().await), "token_export_not_allowed");
    place.clock.advance(TimeDelta::hours(2));
    let refreshed = place.vendor.hits("/token");

    let id = granted(&place, &bob, &cleo, for_connection(connection.id())).await;
    assert_eq!(place.vendor.hits("/token"), refreshed, "asking is no reason to refresh");
    let secret = bob.emergency_access().reveal(id).await.unwrap();
    assert_eq!(place.vendor.hits("/token"), refreshed + 1);
    assert_eq!((secret.kind, secret.fields.len()), (EmergencySecretKind::AccessToken, 0));
    assert!(secret.expires_at.is_some());

    // Where tokens may leave, the same one does.
    let open = database.builder().clock(place.clock.clone()).provider(place.vendor.app()).open().await.unwrap();
    let ada = open.act_as(place.session.user.id, place.session.workspace.id).await.unwrap();
    let connection = ada.connections().open(connection.id()).await.unwrap();
    assert!(secret.value == Some(connection.access_token().await.unwrap().token));

    let person = NewEmergencyAccess { token_set: Some("person".into()), ..for_connection(connection.id()) };
    let id = granted(&place, &bob, &cleo, person).await;
    let secret = bob.emergency_access().reveal(id).await.unwrap();
    assert!(secret.value == Some(connection.access_token_of("person".into()).await.unwrap().token));
});

on_both!(p41_a_fixed_credential_is_revealed_as_it_was_given, |database| async move {
    let place = Place::open(&database).await;
    let bob = place.joins("bob", Role::Admin).await;
    let cleo = place.joins("cleo", Role::Admin).await;
    let given = [
        ("api_key", vec![("api_key", place.vendor.api_key())]),
        ("basic", vec![("username", "ada".into()), ("password", place.vendor.password())]),
    ];
    for (method, fields) in given {
        let with = ConnectWith {
            provider: "vendor".into(),
            method: Some(method.into()),
            fields: fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            ..Default::default()
        };
        let connection = place.ada.connections().connect(with).await.unwrap();
        let id = granted(&place, &bob, &cleo, for_connection(connection.id())).await;
        let secret = bob.emergency_access().reveal(id).await.unwrap();
        assert_eq!((secret.kind, secret.fields.len()), (EmergencySecretKind::Credentials, fields.len()));
        assert!(secret.value.is_none());
        assert!(fields.iter().all(|(name, value)| secret.fields.get(*name) == Some(value)));
    }
});

on_both!(a_service_key_is_revealed_as_it_is_now_and_counted, |database| async move {
    let place = Place::open(&database).await;
    let bob = place.joins("bob", Role::Admin).await;
    let cleo = place.joins("cleo", Role::Admin).await;
    let key = place.service_key().await;
    let id = granted(&place, &bob, &cleo, for_key(key.id)).await;
    let rotation = ServiceKeyRotation { revision: key.revision, value: "sk-the-next-one".into(), ..Default::default() };
    place.ada.service_keys().rotate(key.id, rotation).await.unwrap();
    let secret = bob.emergency_access().reveal(id).await.unwrap();
    assert!(secret.value == Some("sk-the-next-one".into()));
    assert_eq!(place.ada.service_keys().get(key.id).await.unwrap().use_count, 1);
});

on_both!(p41_of_many_who_reveal_at_once_one_gets_it, |database| async move {
    let place = Place::open(&database).await;
    let bob = place.joins("bob", Role::Admin).await;
    let cleo = place.joins("cleo", Role::Admin).await;
    let elsewhere = place.elsewhere().await;
    let other = elsewhere.act_as(bob.principal().user_id, place.session.workspace.id).await.unwrap();
    let granted = place.granted(&bob, [&place.ada, &cleo]).await;
    let callers: Vec<_> = (0..20)
        .map(|i| {
            let emergency = if i % 2 == 0 { bob.emergency_access() } else { other.emergency_access() };
            tokio::spawn(async move { emergency.reveal(granted.id).await.map(drop) })
        })
        .collect();
    let mut revealed = 0;
    for caller in callers {
        match caller.await.unwrap() {
            Ok(()) => revealed += 1,
            Err(error) => assert_eq!((error.kind(), error.reason()), (ErrorKind::Conflict, "request_over")),
        }
    }
    assert_eq!(revealed, 1);
    assert_eq!(place.told().await.iter().filter(|name| *name == "revealed").count(), 1);
});

on_both!(what_is_gone_meanwhile_is_not_revealed, |database| async move {
    let place = Place::open(&database).await;
    let bob = place.joins("bob", Role::Admin).await;
    let cleo = place.joins("cleo", Role::Admin).await;
    let (key, connection) = (place.service_key().await, place.connection().await);
    let of_key = granted(&place, &bob, &cleo, for_key(key.id)).await;
    let of_connection = granted(&place, &bob, &cleo, for_connection(connection.id())).await;
    // A process that has read the tokens a moment ago does not give them out, either.
    let elsewhere = place.elsewhere().await;
    let ada = elsewhere.act_as(place.session.user.id, place.session.workspace.id).await.unwrap();
    place.ada.service_keys().remove(key.id).await.unwrap();
    ada.connections().open(connection.id()).await.unwrap().revoke().await.unwrap();

    assert_eq!(reason(bob.emergency_access().reveal(of_key).await), "not_found");
    let error = bob.emergency_access().reveal(of_connection).await.err().unwrap();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::NotConnected, "disconnected"));
    for id in [of_key, of_connection] {
        assert_eq!(place.state(id).await, EmergencyState::Granted, "nothing was revealed, so nothing is spent");
    }
    assert!(!place.told().await.contains(&"revealed".to_owned()));
});

on_both!(p41_whoever_asked_must_still_be_entitled, |database| async move {
    let place = Place::open(&database).await;
    let bob = place.joins("bob", Role::Admin).await;
    let cleo = place.joins("cleo", Role::Admin).await;
    let granted = place.granted(&bob, [&place.ada, &cleo]).await;
    place.becomes("bob", Role::Member).await;
    assert_eq!(reason(bob.emergency_access().reveal(granted.id).await), "not_an_admin");
    place.leaves("bob").await;
    assert_eq!(reason(bob.emergency_access().reveal(granted.id).await), "not_a_member");
    assert_eq!(place.state(granted.id).await, EmergencyState::Granted);
    assert!(!place.told().await.contains(&"revealed".to_owned()));
});

on_both!(a_connection_of_somebody_who_was_disabled_can_still_be_revealed, |database| async move {
    let place = Place::open(&database).await;
    let bob = place.joins("bob", Role::Owner).await;
    let cleo = place.joins("cleo", Role::Admin).await;
    let dan = place.joins("dan", Role::Admin).await;
    let connection = place.connection().await;
    place.run("UPDATE atom_users SET disabled_at = created_at WHERE email = 'ada@example.com'".into()).await;
    let request = bob.emergency_access().request(for_connection(connection.id())).await.unwrap();
    for approver in [cleo, dan] {
        approver.emergency_access().approve(request.id).await.unwrap();
    }
    assert!(bob.emergency_access().reveal(request.id).await.unwrap().value.is_some());
});
