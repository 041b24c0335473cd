//! New values: who gets to store one, how long the old one serves, and that it is destroyed then.

use super::*;

fn exportable(place: &Place) -> NewServiceKey {
    NewServiceKey { exportable: Some(true), ..place.key() }
}

async fn revealed(keys: &ServiceKeys, id: ServiceKeyId) -> (String, Option<String>) {
    let revealed = keys.reveal(id).await.unwrap();
    (revealed.value.expose().to_owned(), revealed.previous.map(|previous| previous.expose().to_owned()))
}

on_both!(a_new_value_takes_the_place_of_the_old_one, |database| async move {
    let place = Place::open(&database).await;
    let keys = place.keys();
    let made = keys.create(exportable(&place)).await.unwrap();
    let rotated = keys.rotate(made.id, next(&made, 0)).await.unwrap();
    assert_eq!((rotated.revision, rotated.hint.as_deref(), rotated.previous_until), (2, Some("abcd"), None));
    assert!(rotated.rotated_at > made.rotated_at && rotated.created_at == made.created_at);
    assert_eq!(revealed(&keys, made.id).await, (NEXT.into(), None));
    keys.request(made.id, place.get("/")).await.unwrap();
    assert_eq!(place.service.received()[0].headers["authorization"], format!("Bearer {NEXT}"));
    let entry = &place.entries(made.id).await[1];
    assert_eq!((entry.action, entry.details["grace_seconds"].as_str()), (AuditAction::ServiceKeyRotated, "0"));
    assert_eq!(place.told().await, ["added", "rotated"]);
});

on_both!(the_old_value_serves_during_its_grace_and_not_after_it, |database| async move {
    let place = Place::open(&database).await;
    let keys = place.keys();
    let made = keys.create(exportable(&place)).await.unwrap();
    let rotated = keys.rotate(made.id, next(&made, 600)).await.unwrap();
    assert_eq!(rotated.previous_until, Some(rotated.rotated_at + TimeDelta::seconds(600)));
    assert_eq!(revealed(&keys, made.id).await, (NEXT.into(), Some(CANARY.into())));

    // The service does not know the new one yet.
    place.service.once(401, "", "who are you");
    let answer = keys.request(made.id, place.get("/")).await.unwrap();
    let sent: Vec<_> = place.service.received().iter().map(|r| r.headers["authorization"].clone()).collect();
    assert_eq!((answer.status, sent), (200, vec![format!("Bearer {NEXT}"), format!("Bearer {CANARY}")]));
    // It knows neither: what it said of the new one is the answer.
    place.service.once(401, "", "not the new one");
    place.service.once(401, "", "not the old one");
    let answer = keys.request(made.id, place.get("/")).await.unwrap();
    assert_eq!((answer.status, &answer.content.0[..]), (401, &b"not the new one"[..]));

    place.clock.advance(TimeDelta::seconds(601));
    assert_eq!(revealed(&keys, made.id).await, (NEXT.into(), None));
    place.service.once(401, "", "");
    assert_eq!(keys.request(made.id, place.get("/")).await.unwrap().status, 401);
    assert_eq!(place.service.received().len(), 5);
});

on_both!(an_even_older_value_is_destroyed_at_once, |database| async move {
    let place = Place::open(&database).await;
    let keys = place.keys();
    let made = keys.create(exportable(&place)).await.unwrap();
    let second = keys.rotate(made.id, next(&made, 600)).await.unwrap();
    let third = ServiceKeyRotation { value: "the third value".into(), ..next(&second, 600) };
    let third = keys.rotate(made.id, third).await.unwrap();
    assert_eq!(revealed(&keys, made.id).await, ("the third value".into(), Some(NEXT.into())));
    // After a leak there is no grace, and what was left of the others ends with it.
    let fourth = ServiceKeyRotation { value: "the fourth value".into(), ..next(&third, 0) };
    keys.rotate(made.id, fourth).await.unwrap();
    assert_eq!(revealed(&keys, made.id).await, ("the fourth value".into(), None));
});

on_both!(what_the_service_has_ended_gets_no_grace, |database| async move {
    let place = Place::open(&database).await;
    let keys = place.keys();
    let soon = Utc::now() + TimeDelta::seconds(300);
    let made = keys.create(NewServiceKey { expires_at: Some(soon), ..exportable(&place) }).await.unwrap();
    let rotated = keys.rotate(made.id, next(&made, 600)).await.unwrap();
    assert_eq!((rotated.previous_until, rotated.expires_at), (made.expires_at, None));

    let again = ServiceKeyRotation { expires_at: Some(soon), ..next(&rotated, 0) };
    let rotated = keys.rotate(made.id, again).await.unwrap();
    place.clock.advance(TimeDelta::seconds(301));
    let late = keys.rotate(made.id, next(&rotated, 600)).await.unwrap();
    assert_eq!((late.previous_until, late.expires_at), (None, None));
    assert_eq!(revealed(&keys, made.id).await, (NEXT.into(), None));
});

on_both!(of_many_rotations_at_once_one_is_made, |database| async move {
    let place = Place::open(&database).await;
    let (_other, elsewhere) = place.elsewhere(&database).await;
    let mut key = place.keys().create(exportable(&place)).await.unwrap();
    for round in 1..=3 {
        let callers: Vec<_> = (0..10)
            .map(|i| {
                let keys = if i % 2 == 0 { place.keys() } else { elsewhere.clone() };
                let rotation = ServiceKeyRotation { value: format!("value {round} of caller {i}").into(), ..next(&key, 600) };
                let (id, value) = (key.id, rotation.value.expose().to_owned());
                tokio::spawn(async move { (value, keys.rotate(id, rotation).await) })
            })
            .collect();
        let mut won = Vec::new();
        for caller in callers {
            match caller.await.unwrap() {
                (value, Ok(_)) => won.push(value),
                (_, Err(error)) => assert_eq!((error.kind(), error.reason()), (ErrorKind::Conflict, "service_key_changed")),
            }
        }
        assert_eq!(won.len(), 1);
        assert_eq!(revealed(&place.keys(), key.id).await.0, won[0]);
        key = place.keys().get(key.id).await.unwrap();
        assert_eq!(key.revision, 1 + round);
    }
    let rotations = place.told().await.iter().filter(|name| *name == "rotated").count();
    assert_eq!(rotations, 3);
});

on_both!(a_writer_that_read_before_another_change_is_told, |database| async move {
    let place = Place::open(&database).await;
    let (keys, made) = (place.keys(), place.stored().await);
    keys.update(made.id, ServiceKeyPatch { name: Some("other".into()), ..patch(&made) }).await.unwrap();
    let error = keys.rotate(made.id, next(&made, 0)).await.err().unwrap();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Conflict, "service_key_changed"));
    assert_eq!(keys.get(made.id).await.unwrap().hint.as_deref(), Some("wxyz"));
});
