//! Policies that are kept in memory for a moment: what may be noticed late, and what never.

use super::*;
use std::time::{Duration, Instant};

on_both!(p41_a_new_policy_is_seen_at_once_here_and_within_the_cache_time_elsewhere, |database| async move {
    let place = Place::with_cache(&database, 2.0).await;
    let elsewhere = place.elsewhere(&database, 2.0).await.connections().open(place.connection.id()).await.unwrap();
    elsewhere.access_token().await.unwrap();
    place.connection.access_token().await.unwrap();
    place.put(deny("nothing")).await;
    assert_eq!(reason(place.connection.access_token().await), DENIED);
    let began = Instant::now();
    while elsewhere.access_token().await.is_ok() {
        // With room for a busy machine.
        assert!(began.elapsed() < Duration::from_secs(4), "it goes unnoticed");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    place.remove("nothing").await;
    place.connection.access_token().await.expect("and so is its removal");
});

on_both!(without_a_cache_time_every_use_reads_the_policies, |database| async move {
    let place = Place::with_cache(&database, 0.0).await;
    let elsewhere = place.elsewhere(&database, 0.0).await.connections().open(place.connection.id()).await.unwrap();
    for _ in 0..3 {
        elsewhere.access_token().await.unwrap();
        place.put(deny("nothing")).await;
        assert_eq!(reason(elsewhere.access_token().await), DENIED);
        place.remove("nothing").await;
    }
});

on_both!(within_the_cache_time_policies_are_read_once, |database| async move {
    let place = Place::open(&database).await;
    place.connection.access_token().await.unwrap();
    sql(&database, "DROP TABLE atom_secret_policies", "DROP TABLE atom_secret_policies").await;
    place.connection.access_token().await.expect("they are in memory");
    let elsewhere = place.elsewhere(&database, 60.0);
    assert!(elsewhere.await.connections().open(place.connection.id()).await.unwrap().access_token().await.is_err());
});

on_both!(a_policy_that_cannot_be_read_lets_nothing_through, |database| async move {
    let place = Place::with_cache(&database, 0.0).await;
    sql(&database, "DROP TABLE atom_secret_policies", "DROP TABLE atom_secret_policies").await;
    assert!(place.connection.access_token().await.is_err());
    assert!(place.scope.service_keys().reveal(place.key.id).await.is_err());
    assert!(place.scope.service_keys().request(place.key.id, place.call("GET")).await.is_err());
    assert_eq!(place.service.received().len(), 0);
});
