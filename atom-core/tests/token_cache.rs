//! Token sets that are kept in memory for a moment: what may be noticed late, and what never.

use crate::support::*;
use atom_core::testing::GoogleStandIn;
use atom_core::*;
use chrono::TimeDelta;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Ada with a connected account, and the same installation in another process: here, an installation of its own.
struct Place {
    google: GoogleStandIn,
    clock: TestClock,
    here: Atom,
    scope: Scope,
    connection: Connection,
    elsewhere: Connection,
}

impl Place {
    async fn new(database: &Database, token_cache_seconds: f64) -> Self {
        let (google, clock) = (GoogleStandIn::start().await.unwrap(), TestClock::new());
        let open = || {
            let builder = database.builder().clock(clock.clone()).provider(google.app());
            builder.token_cache_seconds(token_cache_seconds).open()
        };
        let here = open().await.unwrap();
        let (session, scope) = sign_up(&here, "ada@example.com").await;
        let connection = connect(&scope, &google, "ada@gmail.example").await;
        let other = open().await.unwrap();
        let elsewhere = other.act_as(session.user.id, session.workspace.id).await.unwrap().connections();
        let elsewhere = elsewhere.open(connection.id()).await.unwrap();
        Self { google, clock, here, scope, connection, elsewhere }
    }
}

async fn token(connection: &Connection) -> String {
    connection.access_token().await.unwrap().token.expose().to_owned()
}

async fn refusal(connection: &Connection) -> &'static str {
    connection.access_token().await.err().expect("refused").reason()
}

/// How long it takes until a connection's token is another one, or refused.
async fn noticed(connection: &Connection, old: &str) -> Duration {
    let began = Instant::now();
    while connection.access_token().await.is_ok_and(|token| token.token.expose() == old) {
        assert!(began.elapsed() < Duration::from_secs(20), "it goes unnoticed");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    began.elapsed()
}

async fn destroy_tokens(database: &Database) {
    sql(database, "DELETE FROM atom_token_sets", "DELETE FROM atom_token_sets").await;
}

on_both!(a_revocation_is_seen_at_once_in_this_process_and_within_the_cache_time_in_others, |database| async move {
    let place = Place::new(&database, 2.0).await;
    let old = token(&place.connection).await;
    assert_eq!(token(&place.elsewhere).await, old);
    place.connection.revoke().await.unwrap();
    assert_eq!(refusal(&place.connection).await, "disconnected");
    let late = noticed(&place.elsewhere, &old).await;
    // With room for a busy machine.
    assert!(late < Duration::from_secs(4), "{late:?}");
    assert_eq!(refusal(&place.elsewhere).await, "disconnected");
});

on_both!(a_reconnection_is_seen_at_once_in_this_process_and_within_the_cache_time_in_others, |database| async move {
    let place = Place::new(&database, 2.0).await;
    let old = token(&place.connection).await;
    assert_eq!(token(&place.elsewhere).await, old);
    connect(&place.scope, &place.google, "ada@gmail.example").await;
    assert_ne!(token(&place.connection).await, old);
    let late = noticed(&place.elsewhere, &old).await;
    assert!(late < Duration::from_secs(4), "{late:?}");
    assert_eq!(token(&place.elsewhere).await, token(&place.connection).await);

    place.connection.revoke().await.unwrap();
    connect(&place.scope, &place.google, "ada@gmail.example").await;
    token(&place.connection).await;
});

on_both!(a_token_is_read_from_the_database_once_within_the_cache_time, |database| async move {
    let place = Place::new(&database, 60.0).await;
    let first = token(&place.connection).await;
    destroy_tokens(&database).await;
    assert_eq!(token(&place.connection).await, first);
    place.connection.files().list(ListFiles::default()).await.expect("operations use it too");
    assert_eq!(refusal(&place.elsewhere).await, "disconnected", "who has not read it has nothing to go by");
});

on_both!(without_a_cache_time_every_call_reads_the_database, |database| async move {
    let place = Place::new(&database, 0.0).await;
    token(&place.connection).await;
    destroy_tokens(&database).await;
    assert_eq!(refusal(&place.connection).await, "disconnected");
});

on_both!(a_kept_token_expires_by_the_clock_of_the_installation, |database| async move {
    let place = Place::new(&database, 60.0).await;
    place.google.set_rotation(true).await.unwrap();
    let first = token(&place.connection).await;
    assert_eq!(token(&place.elsewhere).await, first);
    place.clock.advance(TimeDelta::hours(1));
    let second = token(&place.connection).await;
    assert_ne!(second, first);
    assert_eq!(token(&place.connection).await, second);
    assert_eq!(token(&place.elsewhere).await, second, "an expired one is looked up before the provider is asked");
    place.clock.advance(TimeDelta::hours(1));
    let third = token(&place.elsewhere).await;
    assert_eq!(token(&place.connection).await, third);
    assert_eq!(place.google.hits("/token".into()).await.unwrap(), 3);
});

on_both!(a_token_that_the_provider_refuses_is_read_anew, |database| async move {
    let place = Place::new(&database, 60.0).await;
    let old = token(&place.elsewhere).await;
    // Here it is replaced and the old one dies, as with providers that end it on a refresh.
    place.google.expire_access_tokens().await.unwrap();
    place.connection.files().list(ListFiles::default()).await.expect("one refresh mends it");
    let new = token(&place.connection).await;
    assert_ne!(new, old);
    assert_eq!(place.google.hits("/token".into()).await.unwrap(), 2);
    place.elsewhere.files().list(ListFiles::default()).await.expect("the refused token is looked up");
    assert_eq!(place.google.hits("/token".into()).await.unwrap(), 2, "and what another process got is enough");
    assert_eq!(token(&place.elsewhere).await, new);
});

on_both!(nobody_gets_an_older_token_after_a_newer_one, |database| async move {
    let place = Place::new(&database, 60.0).await;
    let ended = Arc::new(AtomicBool::new(false));
    // They go on filling the cache while the tokens change under them.
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (connection, ended) = (place.connection.clone(), Arc::clone(&ended));
            tokio::spawn(async move {
                while !ended.load(Ordering::Relaxed) {
                    token(&connection).await;
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for _ in 0..25 {
        place.clock.advance(TimeDelta::hours(1));
        let newest = token(&place.connection).await;
        for _ in 0..20 {
            assert_eq!(token(&place.connection).await, newest);
        }
    }
    ended.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.unwrap();
    }
});

on_both!(a_process_that_shut_down_gives_out_nothing, |database| async move {
    let place = Place::new(&database, 60.0).await;
    token(&place.connection).await;
    place.here.shut_down().await.unwrap();
    assert!(place.connection.access_token().await.is_err());
});

#[tokio::test]
async fn a_cache_time_out_of_bounds_is_refused() {
    for seconds in [-0.1, 60.1, f64::NAN, f64::INFINITY] {
        let error = Database::sqlite().builder().token_cache_seconds(seconds).open().await.err().unwrap();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Invalid, "malformed_option"));
    }
}
