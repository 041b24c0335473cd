//! Storing, listing, changing and removing keys, and what is refused.

use super::*;

on_both!(a_key_is_stored_listed_changed_and_removed_and_its_value_is_not_shown, |database| async move {
    let place = Place::open(&database).await;
    let keys = place.keys();
    let made = place.stored().await;
    assert_eq!((made.service.as_str(), made.name.as_str(), made.revision), ("openai", "default", 1));
    assert_eq!((made.user_id, made.hint.as_deref()), (Some(place.session.user.id), Some("wxyz")));
    let bearer = KeyPlacement::Header { name: "authorization".into(), prefix: Some("Bearer ".into()) };
    assert_eq!((&made.placement, made.is_exportable, made.use_count, made.last_used_at), (&bearer, false, 0, None));
    assert_eq!(keys.list(ServiceKeyFilter::default()).await.unwrap().items, std::slice::from_ref(&made));
    assert_eq!(keys.get(made.id).await.unwrap(), made);

    let change = ServiceKeyPatch {
        name: Some(" Production API key ".into()),
        placement: Some(KeyPlacement::Query { name: "key".into() }),
        rotate_every_days: Some(90),
        ..patch(&made)
    };
    let changed = keys.update(made.id, change).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.revision, changed.hint.as_deref()), ("Production API key", 2, Some("wxyz")));
    assert_eq!(changed.rotation_due_at, Some(made.rotated_at + TimeDelta::days(90)));
    assert_eq!(keys.update(made.id, patch(&changed)).await.unwrap(), changed, "nothing to change is no change");
    let cleared = ServiceKeyPatch { rotate_every_days: Some(0), ..patch(&changed) };
    assert_eq!(keys.update(made.id, cleared).await.unwrap().rotation_due_at, None);

    keys.remove(made.id).await.unwrap();
    keys.remove(made.id).await.expect("twice is no error");
    assert_eq!(reason(keys.get(made.id).await), "not_found");
    assert_eq!(reason(keys.request(made.id, place.get("/")).await), "not_found");
    use AuditAction::*;
    assert_eq!(place.actions(made.id).await, [ServiceKeyAdded, ServiceKeyChanged, ServiceKeyChanged, ServiceKeyRemoved]);
    assert_eq!(place.entries(made.id).await[1].details["fields"], "name, placement, rotate_every_days");
    assert_eq!(place.told().await, ["added", "changed", "changed", "removed"]);
});

on_both!(an_owner_has_several_keys_of_a_service_and_one_of_each_name, |database| async move {
    let place = Place::open(&database).await;
    let keys = place.keys();
    let mut ids = Vec::new();
    for (service, name, owner) in [
        ("openai", "default", ServiceKeyOwner::User),
        ("openai", "staging", ServiceKeyOwner::User),
        ("openai", "default", ServiceKeyOwner::Workspace),
        ("sendgrid", "default", ServiceKeyOwner::User),
    ] {
        let new = || NewServiceKey { service: service.into(), name: Some(name.into()), owner: Some(owner), ..place.key() };
        ids.push(keys.create(new()).await.unwrap().id);
        let again = keys.create(new()).await.err().unwrap();
        assert_eq!((again.kind(), again.reason()), (ErrorKind::Conflict, "service_key_exists"));
    }
    let list = |filter: ServiceKeyFilter| {
        let keys = place.keys();
        async move { keys.list(filter).await.unwrap().items.into_iter().map(|key| key.id).collect::<Vec<_>>() }
    };
    assert_eq!(list(ServiceKeyFilter::default()).await, ids);
    assert_eq!(list(ServiceKeyFilter { service: Some("sendgrid".into()), ..Default::default() }).await, ids[3..]);
    assert_eq!(list(ServiceKeyFilter { name: Some("staging".into()), ..Default::default() }).await, ids[1..2]);
    let owner = Some(ServiceKeyOwner::Workspace);
    assert_eq!(list(ServiceKeyFilter { owner, ..Default::default() }).await, ids[2..3]);
    let owner = Some(ServiceKeyOwner::User);
    assert_eq!(list(ServiceKeyFilter { owner, ..Default::default() }).await, [ids[0], ids[1], ids[3]]);
    assert_eq!(list(ServiceKeyFilter { service: Some("x\0".into()), ..Default::default() }).await, []);

    let first = keys.list(ServiceKeyFilter { page_size: Some(3), ..Default::default() }).await.unwrap();
    assert_eq!((first.items.len(), first.next_cursor.is_some()), (3, true));
    let second = ServiceKeyFilter { page_size: Some(3), cursor: first.next_cursor, ..Default::default() };
    let second = keys.list(second).await.unwrap();
    assert_eq!((second.items[0].id, second.items.len(), second.next_cursor), (ids[3], 1, None));

    // A name is free again after its key, and another key's is not.
    let staging = keys.get(ids[1]).await.unwrap();
    let rename = ServiceKeyPatch { name: Some("default".into()), ..patch(&staging) };
    assert_eq!(reason(keys.update(ids[1], rename.clone()).await), "service_key_exists");
    keys.remove(ids[0]).await.unwrap();
    keys.update(ids[1], rename).await.unwrap();
});

on_both!(of_many_who_store_a_name_at_once_one_does, |database| async move {
    let place = Place::open(&database).await;
    let (_other, elsewhere) = place.elsewhere(&database).await;
    for owner in [ServiceKeyOwner::User, ServiceKeyOwner::Workspace] {
        let callers: Vec<_> = (0..10)
            .map(|i| {
                let keys = if i % 2 == 0 { place.keys() } else { elsewhere.clone() };
                let new = NewServiceKey { owner: Some(owner), ..place.key() };
                tokio::spawn(async move { keys.create(new).await })
            })
            .collect();
        let mut made = 0;
        for caller in callers {
            match caller.await.unwrap() {
                Ok(_) => made += 1,
                Err(error) => assert_eq!(error.reason(), "service_key_exists"),
            }
        }
        assert_eq!(made, 1);
    }
    assert_eq!(place.keys().list(ServiceKeyFilter::default()).await.unwrap().items.len(), 2);
    assert_eq!(place.told().await, ["added", "added"]);
});

on_both!(whoever_changes_what_they_have_not_read_is_told, |database| async move {
    let place = Place::open(&database).await;
    let (keys, made) = (place.keys(), place.stored().await);
    let rename = |name: &str| ServiceKeyPatch { name: Some(name.into()), ..patch(&made) };
    let (a, b) = tokio::join!(keys.update(made.id, rename("a")), keys.update(made.id, rename("b")));
    let lost: Vec<_> = [&a, &b].into_iter().filter_map(|verdict| verdict.as_ref().err()).collect();
    assert_eq!(lost.iter().map(|e| (e.kind(), e.reason())).collect::<Vec<_>>(), [(ErrorKind::Conflict, "service_key_changed")]);
    assert_eq!(reason(keys.update(made.id, rename("c")).await), "service_key_changed");
    assert_eq!(reason(keys.update(made.id, ServiceKeyPatch::default()).await), "service_key_changed");
    assert_eq!(keys.get(made.id).await.unwrap().revision, 2);
});

on_both!(whoever_does_not_know_the_value_cannot_send_it_elsewhere, |database| async move {
    let place = Place::open(&database).await;
    let keys = place.keys();
    let hosts = Some(vec!["api.openai.com".into(), "eu.api.openai.com".into()]);
    let made = keys.create(NewServiceKey { hosts, exportable: Some(true), ..place.key() }).await.unwrap();
    for hosts in [vec![place.service.host()], vec!["api.openai.com".into(), "api.openai.com:8443".into()]] {
        let wider = ServiceKeyPatch { hosts: Some(hosts), ..patch(&made) };
        assert_eq!(reason(keys.update(made.id, wider).await), "host_not_allowed");
    }
    let fewer = ServiceKeyPatch { hosts: Some(vec!["API.openai.com:443".into()]), ..patch(&made) };
    let made = keys.update(made.id, fewer).await.unwrap();
    assert_eq!(made.hosts, ["api.openai.com"]);
    let back = ServiceKeyPatch { hosts: Some(vec!["eu.api.openai.com".into()]), ..patch(&made) };
    assert_eq!(reason(keys.update(made.id, back).await), "host_not_allowed");

    keys.reveal(made.id).await.unwrap();
    let withdrawn = keys.update(made.id, ServiceKeyPatch { exportable: Some(false), ..patch(&made) }).await.unwrap();
    assert_eq!(reason(keys.reveal(made.id).await), "export_not_allowed");
    let again = ServiceKeyPatch { exportable: Some(true), ..patch(&withdrawn) };
    assert_eq!(reason(keys.update(made.id, again).await), "export_not_allowed");
    let unusable = ServiceKeyPatch { hosts: Some(vec![]), ..patch(&withdrawn) };
    assert_eq!(reason(keys.update(made.id, unusable).await), "unusable_service_key");
});

on_both!(bad_input_is_refused_with_its_reason, |database| async move {
    let place = Place::open(&database).await;
    let (keys, base) = (place.keys(), || place.key());
    let past = Some(Utc::now() - TimeDelta::minutes(1));
    let wrong = [
        (NewServiceKey { service: "Open AI".into(), ..base() }, "malformed_service"),
        (NewServiceKey { service: String::new(), ..base() }, "malformed_service"),
        (NewServiceKey { service: "x".repeat(65), ..base() }, "malformed_service"),
        (NewServiceKey { name: Some("  ".into()), ..base() }, "malformed_service_key_name"),
        (NewServiceKey { name: Some("x".repeat(101)), ..base() }, "malformed_service_key_name"),
        (NewServiceKey { name: Some("a\nb".into()), ..base() }, "malformed_service_key_name"),
        (NewServiceKey { value: "short".into(), ..base() }, "malformed_service_key_value"),
        (NewServiceKey { value: "two\nlines of it".into(), ..base() }, "malformed_service_key_value"),
        (NewServiceKey { placement: Some(KeyPlacement::Query { name: String::new() }), ..base() }, "malformed_placement"),
        (NewServiceKey { hosts: Some(vec!["https://api.openai.com".into()]), ..base() }, "malformed_host"),
        (NewServiceKey { hosts: Some(vec!["*.openai.com".into()]), ..base() }, "malformed_host"),
        (NewServiceKey { hosts: Some((0..21).map(|i| format!("h{i}.example.com")).collect()), ..base() }, "malformed_host"),
        (NewServiceKey { hosts: Some(vec!["169.254.169.254".into()]), ..base() }, "address_not_public"),
        (NewServiceKey { hosts: None, ..base() }, "unusable_service_key"),
        (NewServiceKey { expires_at: past, ..base() }, "malformed_expiry"),
        (NewServiceKey { rotate_every_days: Some(0), ..base() }, "malformed_rotation"),
        (NewServiceKey { rotate_every_days: Some(i32::MAX), ..base() }, "malformed_rotation"),
    ];
    for (new, expected) in wrong {
        let error = keys.create(new).await.err().unwrap();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Invalid, expected));
    }
    let made = place.stored().await;
    let later = Some(Utc::now() + TimeDelta::days(1));
    for (change, expected) in [
        (ServiceKeyPatch { name: Some(String::new()), ..patch(&made) }, "malformed_service_key_name"),
        (ServiceKeyPatch { expires_at: past, ..patch(&made) }, "malformed_expiry"),
        (ServiceKeyPatch { expires_at: later, never_expires: Some(true), ..patch(&made) }, "malformed_expiry"),
        (ServiceKeyPatch { rotate_every_days: Some(-1), ..patch(&made) }, "malformed_rotation"),
    ] {
        assert_eq!(reason(keys.update(made.id, change).await), expected);
    }
    for grace in [-1, 30 * 86400 + 1] {
        assert_eq!(reason(keys.rotate(made.id, next(&made, grace)).await), "malformed_grace");
    }
    for (page_size, cursor, expected) in [(Some(0), None, "malformed_page_size"), (None, Some("x".into()), "malformed_cursor")] {
        let filter = ServiceKeyFilter { page_size, cursor, ..Default::default() };
        assert_eq!(reason(keys.list(filter).await), expected);
    }
    assert_eq!(place.told().await, ["added"]);
});

on_both!(a_placement_that_the_value_does_not_fit_is_refused, |database| async move {
    let place = Place::open(&database).await;
    let basic = KeyPlacement::Basic { username: Some("api".into()) };
    let new = NewServiceKey { value: "two lines\nof a secret".into(), placement: Some(basic), ..place.key() };
    let made = place.keys().create(new).await.unwrap();
    let header = KeyPlacement::Header { name: "x-api-key".into(), prefix: None };
    let change = ServiceKeyPatch { placement: Some(header), ..patch(&made) };
    assert_eq!(reason(place.keys().update(made.id, change).await), "malformed_service_key_value");
});
