//! What comes with time: notices, each told once, and the end of old values.

use super::*;
use sqlx::Connection;

fn expiring_in(days: i64, place: &Place) -> NewServiceKey {
    NewServiceKey { expires_at: Some(place.clock.now() + TimeDelta::days(days)), ..place.key() }
}

/// How many values are stored.
async fn values(database: &Database) -> i64 {
    let count = "SELECT count(*) FROM atom_service_key_values";
    if database.url.starts_with("sqlite:") {
        let mut c = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
        sqlx::query_scalar(count).fetch_one(&mut c).await.unwrap()
    } else {
        let mut c = sqlx::PgConnection::connect(&database.url).await.unwrap();
        sqlx::query_scalar(count).fetch_one(&mut c).await.unwrap()
    }
}

on_both!(a_key_is_said_to_expire_a_week_before_and_to_have_expired, |database| async move {
    let place = Place::open(&database).await;
    let made = place.keys().create(expiring_in(30, &place)).await.unwrap();
    for (days, expected) in [(22, 1), (2, 2), (5, 2), (2, 3)] {
        place.clock.advance(TimeDelta::days(days));
        let worker = place.worker().await;
        place.told_after(expected).await;
        worker.stop().await.unwrap();
        assert_eq!(place.told().await, ["added", "expiring", "expired"][..expected], "{days}");
    }
    let filter = EventFilter { names: Some(vec!["service_key.*".into()]), ..Default::default() };
    let events = place.scope.events().list(filter).await.unwrap().items;
    for (event, field) in [(&events[1], "expires_at"), (&events[2], "expired_at")] {
        let at: DateTime<Utc> = serde_json::from_value(event.data.0[field].clone()).unwrap();
        assert_eq!((Some(at), event.user_id), (made.expires_at, Some(place.session.user.id)));
        assert_eq!((event.subject.clone(), &event.data.0["service"]), (Some(made.id.to_string()), &"openai".into()));
    }
});

on_both!(an_expired_key_is_refused_until_it_is_rotated, |database| async move {
    let place = Place::open(&database).await;
    let keys = place.keys();
    let made = keys.create(NewServiceKey { exportable: Some(true), ..expiring_in(30, &place) }).await.unwrap();
    place.clock.advance(TimeDelta::days(31));
    for error in [keys.reveal(made.id).await.err().unwrap(), keys.request(made.id, place.get("/")).await.err().unwrap()] {
        assert_eq!(
            (error.kind(), error.reason(), error.provider()),
            (ErrorKind::Conflict, "service_key_expired", Some("openai"))
        );
    }
    assert_eq!(place.service.received().len(), 0);
    keys.rotate(made.id, next(&made, 0)).await.unwrap();
    keys.request(made.id, place.get("/")).await.unwrap();
});

on_both!(a_rotation_is_asked_for_once_for_each_value, |database| async move {
    let place = Place::open(&database).await;
    let keys = place.keys();
    let made = keys.create(NewServiceKey { rotate_every_days: Some(90), ..place.key() }).await.unwrap();
    let told = |days: i64, count: usize| {
        let place = &place;
        async move {
            place.clock.advance(TimeDelta::days(days));
            let worker = place.worker().await;
            let told = place.told_after(count).await;
            worker.stop().await.unwrap();
            told
        }
    };
    assert_eq!(told(89, 1).await, ["added"]);
    assert_eq!(told(2, 2).await, ["added", "rotation_due"]);
    assert_eq!(told(200, 2).await, ["added", "rotation_due"]);
    let rotated = keys.rotate(made.id, next(&made, 0)).await.unwrap();
    assert_eq!(rotated.rotation_due_at, Some(rotated.rotated_at + TimeDelta::days(90)));
    assert_eq!(told(91, 4).await, ["added", "rotation_due", "rotated", "rotation_due"]);

    // A shorter interval is a new occurrence, and another change is none.
    let renamed = ServiceKeyPatch { name: Some("other".into()), ..patch(&rotated) };
    let renamed = keys.update(made.id, renamed).await.unwrap();
    let shorter = ServiceKeyPatch { rotate_every_days: Some(30), ..patch(&renamed) };
    keys.update(made.id, shorter).await.unwrap();
    assert_eq!(told(0, 7).await[4..], ["changed", "changed", "rotation_due"]);
});

on_both!(a_later_end_is_told_anew_and_no_end_is_not_told, |database| async move {
    let place = Place::open(&database).await;
    let keys = place.keys();
    let made = keys.create(expiring_in(3, &place)).await.unwrap();
    let worker = place.worker().await;
    assert_eq!(place.told_after(2).await, ["added", "expiring"]);
    let later = ServiceKeyPatch { expires_at: Some(place.clock.now() + TimeDelta::days(5)), ..patch(&made) };
    let made = keys.update(made.id, later).await.unwrap();
    assert_eq!(place.told_after(4).await, ["added", "expiring", "changed", "expiring"]);
    worker.stop().await.unwrap();

    keys.update(made.id, ServiceKeyPatch { never_expires: Some(true), ..patch(&made) }).await.unwrap();
    place.clock.advance(TimeDelta::days(60));
    keys.create(NewServiceKey { name: Some("last".into()), ..expiring_in(1, &place) }).await.unwrap();
    place.worker().await;
    assert_eq!(place.told_after(7).await[4..], ["changed", "added", "expiring"]);
});

on_both!(many_workers_tell_each_notice_once, |database| async move {
    let place = Place::open(&database).await;
    for i in 0..20 {
        let new = NewServiceKey { name: Some(format!("key {i}")), rotate_every_days: Some(10), ..expiring_in(8, &place) };
        place.keys().create(new).await.unwrap();
    }
    place.clock.advance(TimeDelta::days(11));
    let mut others = Vec::new();
    for _ in 0..4 {
        others.push(place.elsewhere(&database).await.0);
    }
    let starting = others.iter().map(|atom| atom.start_worker(Default::default(), None));
    futures_util::future::try_join_all(starting).await.unwrap();
    place.told_after(20 + 60).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let told = place.told().await;
    for name in ["expiring", "expired", "rotation_due"] {
        assert_eq!(told.iter().filter(|told| *told == name).count(), 20, "{name}");
    }
    for atom in others {
        atom.shut_down().await.unwrap();
    }
});

on_both!(a_running_worker_hears_of_what_will_be_due, |database| async move {
    let place = Place::open(&database).await;
    place.worker().await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let (_other, elsewhere) = place.elsewhere(&database).await;
    let soon = Some(place.clock.now() + TimeDelta::seconds(2));
    elsewhere.create(NewServiceKey { expires_at: soon, ..place.key() }).await.unwrap();
    assert_eq!(place.told_after(2).await, ["added", "expiring"]);
    assert_eq!(place.told_after(3).await, ["added", "expiring", "expired"]);
});

on_both!(what_is_removed_is_told_of_no_more, |database| async move {
    let place = Place::open(&database).await;
    let made = place.keys().create(expiring_in(8, &place)).await.unwrap();
    place.keys().remove(made.id).await.unwrap();
    place.clock.advance(TimeDelta::days(9));
    place.keys().create(expiring_in(1, &place)).await.unwrap();
    place.worker().await;
    assert_eq!(place.told_after(4).await, ["added", "removed", "added", "expiring"]);
    assert_eq!(values(&database).await, 1);
});

on_both!(a_worker_destroys_an_old_value_when_its_grace_is_over, |database| async move {
    let place = Place::open(&database).await;
    let made = place.stored().await;
    place.keys().rotate(made.id, next(&made, 1)).await.unwrap();
    assert_eq!(values(&database).await, 2);
    place.worker().await;
    let start = Instant::now();
    while values(&database).await == 2 {
        assert!(start.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(start.elapsed() > Duration::from_millis(700), "not before");
    assert_eq!(place.keys().get(made.id).await.unwrap().previous_until, None);
});
