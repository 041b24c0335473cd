//! Counting: cheap, exact, and nothing is lost in a clean stop.

use super::*;
use sqlx::{Connection, Executor};

on_both!(uses_are_counted_and_seen_at_once_by_whoever_asks_here, |database| async move {
    let place = Place::open(&database).await;
    let (keys, made) = (place.keys(), place.stored().await);
    for count in 1..=3 {
        keys.request(made.id, place.get("/")).await.unwrap();
        let key = keys.get(made.id).await.unwrap();
        assert_eq!((key.use_count, key.revision), (count, 1));
        assert!(key.last_used_at.is_some_and(|at| at >= made.created_at && at <= place.clock.now()));
    }
    // What is refused before it is sent is no use.
    for (method, url) in [("PURGE", place.service.url("/")), ("GET", place.service.url("/").replace("127", "128"))] {
        keys.request(made.id, RawRequest { method: method.into(), url, ..Default::default() }).await.unwrap_err();
    }
    assert_eq!(keys.list(ServiceKeyFilter::default()).await.unwrap().items[0].use_count, 3);
});

on_both!(uses_reach_other_processes_within_seconds, |database| async move {
    let place = Place::open(&database).await;
    let made = place.stored().await;
    let (_other, elsewhere) = place.elsewhere(&database).await;
    place.keys().request(made.id, place.get("/")).await.unwrap();
    elsewhere.request(made.id, place.get("/")).await.unwrap();
    let start = Instant::now();
    while elsewhere.get(made.id).await.unwrap().use_count < 2 {
        assert!(start.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(elsewhere.get(made.id).await.unwrap().use_count, 2);
});

on_both!(no_use_of_many_at_once_is_lost, |database| async move {
    let place = Place::open(&database).await;
    let made = place.stored().await;
    let (other, elsewhere) = place.elsewhere(&database).await;
    let callers: Vec<_> = (0..100)
        .map(|i| {
            let (keys, request) = (if i % 2 == 0 { place.keys() } else { elsewhere.clone() }, place.get("/"));
            tokio::spawn(async move {
                keys.request(made.id, request).await.unwrap();
                if i % 10 == 0 {
                    // Whoever goes away while uses are stored takes none of them along.
                    let _ = tokio::time::timeout(Duration::from_micros(200), keys.get(made.id)).await;
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    other.shut_down().await.unwrap();
    assert_eq!(place.keys().get(made.id).await.unwrap().use_count, 100);
    let used = place.entries(made.id).await.into_iter().filter(|entry| entry.action == AuditAction::ServiceKeyUsed);
    assert_eq!(used.map(|entry| entry.details["uses"].parse::<i64>().unwrap()).sum::<i64>(), 100);
    assert_eq!(place.scope.audit().verify(None).await.unwrap().problem, None);
});

on_both!(p40_a_clean_stop_stores_who_used_what_and_how_often, |database| async move {
    let place = Place::open(&database).await;
    let made = place.stored().await;
    for _ in 0..3 {
        place.keys().request(made.id, place.get("/")).await.unwrap();
    }
    place.atom.shut_down().await.unwrap();
    let atom = database.open().await;
    let scope = atom.act_as(place.session.user.id, place.session.workspace.id).await.unwrap();
    assert_eq!(scope.service_keys().get(made.id).await.unwrap().use_count, 3);
    let used = AuditFilter { action: Some(AuditAction::ServiceKeyUsed), ..Default::default() };
    let used = scope.audit().list(used).await.unwrap().items;
    assert_eq!(used.iter().map(|entry| entry.details["uses"].parse::<i64>().unwrap()).sum::<i64>(), 3);
    assert_eq!((used[0].user_id, used[0].session_id), (Some(place.session.user.id), Some(place.session.id)));
    assert_eq!(used[0].subject, Some(made.id.to_string()));
});

on_both!(p40_whoever_looks_at_a_value_is_in_the_log, |database| async move {
    let place = Place::open(&database).await;
    let made = place.keys().create(NewServiceKey { exportable: Some(true), ..place.key() }).await.unwrap();
    let revealed = place.keys().reveal(made.id).await.unwrap();
    assert_eq!((revealed.value.expose(), revealed.previous.is_none()), (CANARY, true));
    let entry = place.entries(made.id).await.pop().unwrap();
    assert_eq!((entry.action, entry.session_id), (AuditAction::ServiceKeyRevealed, Some(place.session.id)));
    assert_eq!(place.keys().get(made.id).await.unwrap().use_count, 1);

    // Without its entry, there is no value.
    sql(&database, "DROP TABLE atom_audit", "DROP TABLE atom_audit").await;
    place.keys().reveal(made.id).await.err().expect("no log, no value");
    assert_eq!(place.keys().get(made.id).await.unwrap().use_count, 1);
});

on_both!(a_use_of_a_key_that_is_gone_is_in_the_log, |database| async move {
    let place = Place::open(&database).await;
    let made = place.stored().await;
    place.keys().request(made.id, place.get("/")).await.unwrap();
    place.keys().remove(made.id).await.unwrap();
    place.keys().list(ServiceKeyFilter::default()).await.unwrap();
    use AuditAction::*;
    assert_eq!(place.actions(made.id).await, [ServiceKeyAdded, ServiceKeyRemoved, ServiceKeyUsed]);
});

/// Somebody holds the database for writing while calls are made.
async fn used_while_locked(place: &Place, made: &ServiceKey) {
    let start = Instant::now();
    for _ in 0..5 {
        place.keys().request(made.id, place.get("/")).await.unwrap();
    }
    assert!(start.elapsed() < Duration::from_secs(5), "a call waited for a write: {:?}", start.elapsed());
}

on_both!(a_call_waits_for_no_write, |database| async move {
    let place = Place::open(&database).await;
    let made = place.stored().await;
    if database.url.starts_with("sqlite:") {
        let mut c = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
        c.execute("BEGIN IMMEDIATE").await.unwrap();
        used_while_locked(&place, &made).await;
        c.execute("ROLLBACK").await.unwrap();
    } else {
        let mut c = sqlx::PgConnection::connect(&database.url).await.unwrap();
        c.execute("BEGIN; LOCK TABLE atom_service_keys, atom_audit IN SHARE MODE").await.unwrap();
        used_while_locked(&place, &made).await;
        c.execute("ROLLBACK").await.unwrap();
    }
    assert_eq!(place.keys().get(made.id).await.unwrap().use_count, 5);
});
