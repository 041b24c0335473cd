//! Asking: who may, for what, and who sees it.

use super::*;

on_both!(a_request_is_seen_by_those_who_decide_and_by_whom_it_concerns, |database| async move {
    let place = Place::open(&database).await;
    let (bob, eve) = (place.joins("bob", Role::Admin).await, place.joins("eve", Role::Member).await);
    let connection = place.connection().await;
    let asked = NewEmergencyAccess { reason: format!("  {REASON}\n"), minutes: Some(5), ..for_connection(connection.id()) };
    let request = bob.emergency_access().request(asked).await.unwrap();
    assert_eq!((request.state, request.reason.as_str(), request.minutes), (EmergencyState::Pending, REASON, 5));
    assert_eq!((request.connection_id, request.token_set.as_deref()), (Some(connection.id()), Some("default")));
    assert_eq!((request.user_id, request.service_key_id), (Some(place.session.user.id), None));
    assert_eq!((request.requester_id, request.approvals.len()), (bob.principal().user_id, 0));
    assert_eq!(request.expires_at, request.requested_at + TimeDelta::days(1));
    assert_eq!((request.granted_at, request.ended_at), (None, None));

    for scope in [&bob, &place.ada] {
        assert_eq!(scope.emergency_access().get(request.id).await.unwrap(), request);
        assert_eq!(
            scope.emergency_access().list(EmergencyFilter::default()).await.unwrap().items,
            std::slice::from_ref(&request)
        );
    }
    let (_, stranger) = sign_up(&place.atom, "mallory@example.com").await;
    for scope in [eve, stranger] {
        let emergency = scope.emergency_access();
        assert_eq!(reason(emergency.get(request.id).await), "not_found");
        assert_eq!(reason(emergency.approve(request.id).await), "not_found");
        assert_eq!(reason(emergency.approve_offline(request.id, "00".repeat(64)).await), "not_found");
        assert_eq!(reason(emergency.deny(request.id).await), "not_found");
        assert_eq!(reason(emergency.cancel(request.id).await), "not_found");
        assert_eq!(reason(emergency.reveal(request.id).await), "not_found");
        assert_eq!(emergency.list(EmergencyFilter::default()).await.unwrap().items, []);
    }
    assert_eq!(place.state(request.id).await, EmergencyState::Pending);
    assert_eq!(place.told().await, ["requested"]);
});

on_both!(members_ask_for_what_is_theirs_and_owners_and_admins_for_anything, |database| async move {
    let place = Place::open(&database).await;
    let (key, connection) = (place.service_key().await, place.connection().await);
    let eve = place.joins("eve", Role::Member).await;
    let guest = place.joins("gil", Role::Guest).await;
    let emergency = eve.emergency_access();
    assert_eq!(reason(emergency.request(for_connection(connection.id())).await), "not_found");
    assert_eq!(reason(emergency.request(for_key(key.id)).await), "not_an_admin");
    assert_eq!(reason(guest.emergency_access().request(for_key(key.id)).await), "not_found");
    let own = NewServiceKey {
        service: "openai".into(),
        value: KEY.into(),
        hosts: Some(vec!["api.openai.com".into()]),
        ..Default::default()
    };
    let own = eve.service_keys().create(own).await.unwrap();
    let request = emergency.request(for_key(own.id)).await.unwrap();
    assert_eq!(request.user_id, Some(eve.principal().user_id));
    assert_eq!(emergency.get(request.id).await.unwrap(), request);
    // Whoever has left asks for nothing, whatever their access token says.
    let bob = place.joins("bob", Role::Admin).await;
    place.becomes("bob", Role::Member).await;
    assert_eq!(reason(bob.emergency_access().request(for_key(key.id)).await), "not_an_admin");
    place.leaves("bob").await;
    assert_eq!(reason(bob.emergency_access().request(for_key(key.id)).await), "not_a_member");
    assert_eq!(place.told().await, ["requested"]);
});

on_both!(what_cannot_be_asked_for_is_refused_with_its_reason, |database| async move {
    let place = Place::open(&database).await;
    let (key, connection) = (place.service_key().await, place.connection().await);
    let emergency = place.ada.emergency_access();
    let base = || for_key(key.id);
    let wrong = [
        (NewEmergencyAccess { service_key_id: None, ..base() }, "malformed_target"),
        (NewEmergencyAccess { connection_id: Some(connection.id()), ..base() }, "malformed_target"),
        (NewEmergencyAccess { token_set: Some("default".into()), ..base() }, "malformed_target"),
        (NewEmergencyAccess { reason: " too short ".into(), ..base() }, "malformed_reason"),
        (NewEmergencyAccess { reason: "x".repeat(501), ..base() }, "malformed_reason"),
        (NewEmergencyAccess { minutes: Some(4), ..base() }, "malformed_minutes"),
        (NewEmergencyAccess { minutes: Some(61), ..base() }, "malformed_minutes"),
        (NewEmergencyAccess { token_set: Some(String::new()), ..for_connection(connection.id()) }, "malformed_token_set"),
        (NewEmergencyAccess { token_set: Some("a\nb".into()), ..for_connection(connection.id()) }, "malformed_token_set"),
        (NewEmergencyAccess { token_set: Some("other".into()), ..for_connection(connection.id()) }, "no_token_set"),
        (for_key(ServiceKeyId::generate()), "not_found"),
        (for_connection(ConnectionId::generate()), "not_found"),
    ];
    for (request, expected) in wrong {
        assert_eq!(reason(emergency.request(request).await), expected);
    }
    connection.revoke().await.unwrap();
    assert_eq!(reason(emergency.request(for_connection(connection.id())).await), "disconnected");
    for (page_size, cursor, expected) in [(Some(0), None, "malformed_page_size"), (None, Some("x".into()), "malformed_cursor")] {
        let filter = EmergencyFilter { page_size, cursor, ..Default::default() };
        assert_eq!(reason(emergency.list(filter).await), expected);
    }
    for (length, minutes) in [(10, 5), (500, 60)] {
        let request = NewEmergencyAccess { reason: "\u{e4}".repeat(length), minutes: Some(minutes), ..base() };
        emergency.request(request).await.expect("the bounds themselves are fine");
    }
    assert_eq!(place.told().await, ["requested"; 2]);
});

on_both!(requests_are_listed_by_pages_and_nobody_makes_more_than_twenty_a_day, |database| async move {
    let place = Place::open(&database).await;
    let (key, emergency) = (place.service_key().await, place.ada.emergency_access());
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.insert(0, emergency.request(for_key(key.id)).await.unwrap().id);
    }
    let error = emergency.request(for_key(key.id)).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after().is_some()), (ErrorKind::RateLimited, true));
    emergency.cancel(ids[3]).await.unwrap();

    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = emergency.list(EmergencyFilter { page_size: Some(8), cursor, ..Default::default() }).await.unwrap();
        found.extend(page.items.iter().map(|request| request.id));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(found, ids);
    let cancelled = EmergencyFilter { state: Some(EmergencyState::Cancelled), ..Default::default() };
    assert_eq!(emergency.list(cancelled).await.unwrap().items.iter().map(|request| request.id).collect::<Vec<_>>(), [ids[3]]);
    place.clock.advance(TimeDelta::hours(25));
    let expired = EmergencyFilter { state: Some(EmergencyState::Expired), ..Default::default() };
    assert_eq!(emergency.list(expired).await.unwrap().items.len(), 19);
    emergency.request(for_key(key.id)).await.expect("a day later there is room again");
});

on_both!(p41_a_scope_with_a_purpose_has_no_say_in_emergencies, |database| async move {
    let place = Place::open(&database).await;
    let (key, bob) = (place.service_key().await, place.joins("bob", Role::Admin).await);
    let purpose = || Purpose { purpose: "sync".into(), tool: None };
    let agent = place.ada.for_purpose(purpose()).await.unwrap().emergency_access();
    assert_eq!(reason(agent.request(for_key(key.id)).await), "purpose_fixed");
    let request = place.ada.emergency_access().request(for_key(key.id)).await.unwrap();
    let agent = bob.for_purpose(purpose()).await.unwrap().emergency_access();
    assert_eq!(reason(agent.approve(request.id).await), "purpose_fixed");
    assert_eq!(reason(agent.deny(request.id).await), "purpose_fixed");
    assert_eq!(place.state(request.id).await, EmergencyState::Pending);
});
