//! Keeping tokens valid: lost answers, faults, pauses, and refreshing ahead.

use crate::support::*;
use atom_core::testing::GoogleStandIn;
use atom_core::*;
use chrono::TimeDelta;
use std::time::{Duration, Instant};

/// Ada with a connected account, at a Google that rotates refresh tokens and ends the family of one that comes back.
struct Place {
    atom: Atom,
    google: GoogleStandIn,
    clock: TestClock,
    session: Session,
    scope: Scope,
    connection: Connection,
}

impl Place {
    async fn new(database: &Database) -> Self {
        let (google, clock) = (GoogleStandIn::start().await.unwrap(), TestClock::new());
        google.set_rotation(true).await.unwrap();
        let atom = database.builder().clock(clock.clone()).provider(google.app()).open().await.unwrap();
        let (session, scope) = sign_up(&atom, "ada@example.com").await;
        let connection = connect(&scope, &google, "ada@gmail.example").await;
        Self { atom, google, clock, session, scope, connection }
    }

    /// How often the provider was asked for tokens.
    async fn asked(&self) -> i64 {
        self.google.hits("/token".into()).await.unwrap()
    }

    async fn refused(&self) -> Error {
        self.connection.access_token().await.err().expect("refused")
    }

    async fn account(&self) -> ConnectedAccount {
        self.connection.account().await.unwrap()
    }

    async fn token(&self) -> String {
        self.connection.access_token().await.unwrap().token.expose().to_owned()
    }
}

/// Waits until something is true.
async fn until<F: Future<Output = bool>>(what: &str, check: impl Fn() -> F) {
    let started = Instant::now();
    while !check().await {
        assert!(started.elapsed() < Duration::from_secs(20), "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

on_both!(p36_a_lost_answer_that_spent_the_token_is_reported_as_that, |database| async move {
    let place = Place::new(&database).await;
    place.clock.advance(TimeDelta::hours(1));
    place.google.lose_next("/token".into(), 1).await.unwrap();
    let error = place.refused().await;
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Unavailable, "broken_answer"));
    assert_eq!(place.account().await.state, ConnectionState::Active, "the old token may still be good");

    place.clock.advance(TimeDelta::seconds(10));
    let error = place.refused().await;
    assert_eq!((error.kind(), error.reason()), (ErrorKind::ReauthRequired, "refresh_lost"));
    let account = place.account().await;
    assert_eq!((account.state, account.state_reason.as_deref()), (ConnectionState::ReauthRequired, Some("refresh_lost")));
    let asked = place.asked().await;
    assert_eq!(place.refused().await.reason(), "refresh_lost");
    assert_eq!(place.asked().await, asked, "it is not tried a third time");

    let events = place.scope.events().list(EventFilter::default()).await.unwrap();
    let required = events.items.iter().find(|event| event.name == "connection.reauth_required").expect("the host is told");
    assert_eq!(required.data.0["reason"], "refresh_lost");
    connect(&place.scope, &place.google, "ada@gmail.example").await;
    place.connection.files().list(ListFiles::default()).await.expect("connecting again mends it");
});

on_both!(p36_a_lost_answer_that_spent_nothing_mends_itself, |database| async move {
    let place = Place::new(&database).await;
    place.google.set_rotation(false).await.unwrap();
    place.clock.advance(TimeDelta::hours(1));
    place.google.lose_next("/token".into(), 1).await.unwrap();
    assert_eq!(place.refused().await.reason(), "broken_answer");
    place.clock.advance(TimeDelta::seconds(10));
    place.token().await;
    // And the doubt is gone: a refusal is the provider's will again.
    place.google.revoke_grants().await.unwrap();
    place.clock.advance(TimeDelta::hours(1));
    assert_eq!(place.refused().await.reason(), "invalid_grant");
});

on_both!(p36_a_holder_that_died_before_it_asked_costs_nothing, |database| async move {
    let place = Place::new(&database).await;
    // What a process leaves that is killed between its intent and its request, when its lease has run out.
    sql(
        &database,
        "UPDATE atom_token_sets SET lease_owner = x'00', lease_until = 0, asked_at = 0",
        "UPDATE atom_token_sets SET lease_owner = '00000000-0000-0000-0000-000000000000', lease_until = '1970-01-01Z', asked_at = '1970-01-01Z'",
    )
    .await;
    place.clock.advance(TimeDelta::hours(1));
    place.token().await;
    place.clock.advance(TimeDelta::hours(1));
    place.token().await;
    assert_eq!(place.asked().await, 3);
});

on_both!(p36_a_token_that_cannot_be_stored_is_kept_until_it_can, |database| async move {
    let place = Place::new(&database).await;
    sql(
        &database,
        "CREATE TRIGGER full BEFORE UPDATE OF sealed ON atom_token_sets BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
        "CREATE FUNCTION full_disk() RETURNS trigger AS $$ BEGIN RAISE SQLSTATE '53100'; END $$ LANGUAGE plpgsql;
         CREATE TRIGGER full_disk BEFORE UPDATE OF sealed ON atom_token_sets FOR EACH ROW EXECUTE FUNCTION full_disk()",
    )
    .await;
    place.clock.advance(TimeDelta::hours(1));
    let connection = place.connection.clone();
    let caller = tokio::spawn(async move { connection.access_token().await });
    until("the provider was asked", || async { place.asked().await == 2 }).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!caller.is_finished(), "nobody sees a token that is not stored");
    sql(&database, "DROP TRIGGER full", "DROP TRIGGER full_disk ON atom_token_sets").await;
    let token = caller.await.unwrap().unwrap().token;
    assert_eq!(place.asked().await, 2, "one exchange, however long it takes to store");
    assert_eq!(place.token().await, token.expose());
    place.clock.advance(TimeDelta::hours(1));
    place.token().await;
});

on_both!(p37_a_provider_with_a_fault_is_left_alone_for_a_while, |database| async move {
    let place = Place::new(&database).await;
    place.clock.advance(TimeDelta::hours(1));
    for (status, kind, reason) in
        [(503, ErrorKind::Unavailable, "provider_unavailable"), (429, ErrorKind::RateLimited, "provider_rate_limit")]
    {
        place.google.fail_next("/token".into(), status, 1).await.unwrap();
        let error = place.refused().await;
        assert_eq!((error.kind(), error.reason(), error.is_retryable()), (kind, reason, true));
        let asked = place.asked().await;
        for _ in 0..5 {
            let error = place.refused().await;
            assert_eq!((error.kind(), error.reason()), (ErrorKind::Unavailable, "refresh_paused"));
            assert!(error.retry_after().is_some_and(|wait| wait <= Duration::from_secs(3)) && error.to_string().contains(reason));
        }
        assert_eq!(place.asked().await, asked);
        place.clock.advance(TimeDelta::seconds(5));
    }
    let health = place.account().await.health;
    assert_eq!((health.failures, health.failed_because.as_deref()), (2, Some("provider_rate_limit")));
    assert!(health.failed_at.is_some() && health.retry_at.is_some());
    assert_eq!(place.account().await.state, ConnectionState::Active, "a fault is no refusal");

    place.token().await;
    let healthy = place.account().await.health;
    assert_eq!((healthy.failures, healthy.retry_at, healthy.failed_at), (0, None, health.failed_at));
    assert!(healthy.refreshed_at > health.refreshed_at);
});

on_both!(p37_an_old_token_serves_while_the_provider_has_a_fault, |database| async move {
    let place = Place::new(&database).await;
    place.clock.advance(TimeDelta::seconds(3550));
    place.google.fail_next("/token".into(), 503, 1).await.unwrap();
    let first = place.token().await;
    assert_eq!(place.token().await, first, "and the provider is left alone");
    assert_eq!(place.asked().await, 2);
    place.clock.advance(TimeDelta::seconds(5));
    assert_ne!(place.token().await, first, "it is replaced when the fault has passed");
});

on_both!(p37_a_grant_without_a_refresh_token_says_so_when_it_ends, |database| async move {
    let place = Place::new(&database).await;
    let manifest = include_str!("../providers/google.toml").replace("access_type = \"offline\"", "access_type = \"online\"");
    let app = ProviderApp { manifest: Some(manifest), ..place.google.app() };
    let atom = database.builder().clock(place.clock.clone()).provider(app).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "bob@example.com").await;
    let connection = connect(&scope, &place.google, "bob@gmail.example").await;
    place.clock.advance(TimeDelta::hours(1));
    let error = connection.access_token().await.err().unwrap();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::ReauthRequired, "no_refresh_token"));
    assert_eq!(connection.account().await.unwrap().state_reason.as_deref(), Some("no_refresh_token"));
});

on_both!(p37_a_process_with_workers_refreshes_ahead_and_others_do_not, |database| async move {
    let place = Place::new(&database).await;
    let first = place.token().await;
    place.clock.advance(TimeDelta::seconds(3600 - 100));
    assert_eq!(place.token().await, first);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(place.asked().await, 1, "a process that may end at once does not begin what it cannot finish");

    let worker = place.atom.start_worker(Default::default(), None).await.unwrap();
    assert_eq!(place.token().await, first, "nobody waits");
    until("a new token", || async { place.token().await != first }).await;
    assert_eq!(place.asked().await, 2);
    worker.stop().await.unwrap();
});

on_both!(p37_a_grant_that_nobody_uses_is_used_before_it_is_forgotten, |database| async move {
    let place = Place::new(&database).await;
    place.clock.advance(TimeDelta::days(89));
    let worker = place.atom.start_worker(Default::default(), None).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    worker.stop().await.unwrap();
    assert_eq!(place.asked().await, 1, "not yet");

    place.clock.advance(TimeDelta::days(2));
    let open = || database.builder().clock(place.clock.clone()).provider(place.google.app()).open();
    let mut workers = Vec::new();
    for atom in [open().await.unwrap(), open().await.unwrap()] {
        workers.push(atom.start_worker(Default::default(), None).await.unwrap());
    }
    until("the grant is used", || async { place.asked().await == 2 }).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(place.asked().await, 2, "by one of the workers");
    for worker in workers {
        worker.stop().await.unwrap();
    }
});

on_both!(p36_a_process_that_shuts_down_stores_what_it_was_asking_for, |database| async move {
    let place = Place::new(&database).await;
    place.google.set_delay(400).await.unwrap();
    place.clock.advance(TimeDelta::hours(1));
    let connection = place.connection.clone();
    let caller = tokio::spawn(async move { connection.access_token().await });
    until("the provider is asked", || async { place.asked().await == 2 }).await;
    place.atom.shut_down().await.unwrap();
    // Whether the caller still gets it is a race with the end of the database; that it is stored is not.
    drop(caller.await);

    place.google.set_delay(0).await.unwrap();
    let atom = database.builder().clock(place.clock.clone()).provider(place.google.app()).open().await.unwrap();
    let scope = atom.act_as(place.session.user.id, place.session.workspace.id).await.unwrap();
    let connection = scope.connections().open(place.connection.id()).await.unwrap();
    place.clock.advance(TimeDelta::hours(1));
    connection.access_token().await.expect("the token of the exchange before was not lost");
});

on_both!(a_caller_waits_for_another_process_but_not_for_ever, |database| async move {
    let place = Place::new(&database).await;
    // A holder that goes on taking its lease and never gets an answer.
    sql(
        &database,
        "UPDATE atom_token_sets SET lease_owner = x'00', lease_until = 9999999999999999",
        "UPDATE atom_token_sets SET lease_owner = '00000000-0000-0000-0000-000000000000', lease_until = '2200-01-01Z'",
    )
    .await;
    place.clock.advance(TimeDelta::hours(1));
    let started = Instant::now();
    let error = place.refused().await;
    assert_eq!((error.kind(), error.reason(), error.is_retryable()), (ErrorKind::Unavailable, "refresh_busy", true));
    assert!(started.elapsed() > Duration::from_secs(30), "longer than a lease");
    assert_eq!(place.asked().await, 1);
});

on_both!(a_slow_provider_is_given_up_and_asked_again, |database| async move {
    let place = Place::new(&database).await;
    place.google.set_rotation(false).await.unwrap();
    place.clock.advance(TimeDelta::hours(1));
    // Longer than the time-out of a request, which is less than half of a lease.
    place.google.set_delay(30_000).await.unwrap();
    let error = place.refused().await;
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Unavailable, "timeout"));
    place.google.set_delay(0).await.unwrap();
    place.clock.advance(TimeDelta::seconds(10));
    place.token().await;
    assert_eq!(place.asked().await, 3);
});
