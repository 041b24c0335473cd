//! Ending connections: here at once, at the provider as soon as it can be reached.

use crate::peers::browser::http;
use crate::support::*;
use atom_core::testing::GoogleStandIn;
use atom_core::*;
use chrono::TimeDelta;
use std::time::{Duration, Instant};

struct Place {
    atom: Atom,
    google: GoogleStandIn,
    clock: TestClock,
    scope: Scope,
    connection: Connection,
}

impl Place {
    async fn new(database: &Database) -> Self {
        let (google, clock) = (GoogleStandIn::start().await.unwrap(), TestClock::new());
        let atom = database.builder().clock(clock.clone()).provider(google.app()).open().await.unwrap();
        let (_, scope) = sign_up(&atom, "ada@example.com").await;
        let connection = connect(&scope, &google, "ada@gmail.example").await;
        Self { atom, google, clock, scope, connection }
    }

    async fn withdrawals(&self) -> i64 {
        self.google.hits("/revoke".into()).await.unwrap()
    }

    /// Has a worker do what is due.
    async fn work_until(&self, withdrawals: i64) {
        let options = WorkerOptions { poll_seconds: Some(0.1), ..Default::default() };
        let worker = self.atom.start_worker(Default::default(), Some(options)).await.unwrap();
        let started = Instant::now();
        while self.withdrawals().await < withdrawals {
            assert!(started.elapsed() < Duration::from_secs(20), "the provider is asked");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        worker.stop().await.unwrap();
    }

    /// Why the provider did not withdraw grants, as the audit log says.
    async fn failures(&self) -> Vec<String> {
        let filter = AuditFilter { action: Some(AuditAction::RevocationFailed), ..Default::default() };
        let entries = self.scope.audit().list(filter).await.unwrap().items;
        entries.into_iter().map(|mut entry| entry.details.remove("reason").unwrap()).collect()
    }

    async fn assert_ended(&self) {
        assert_eq!(self.connection.account().await.unwrap().state, ConnectionState::Revoked);
        let error = self.connection.files().list(ListFiles::default()).await.err().unwrap();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::NotConnected, "disconnected"));
    }
}

on_both!(p38_revoking_destroys_the_tokens_here_and_withdraws_the_grant_there, |database| async move {
    let place = Place::new(&database).await;
    let token = place.connection.access_token().await.unwrap().token;
    place.connection.revoke().await.unwrap();
    place.connection.revoke().await.expect("twice is no error");
    place.assert_ended().await;
    assert_eq!(place.withdrawals().await, 1);
    let answer = http().get(format!("{}/v1/userinfo", place.google.url())).bearer_auth(token.expose()).send().await.unwrap();
    assert_eq!(answer.status(), 401, "the provider no longer knows the token");
    place.clock.advance(TimeDelta::minutes(1));
    place.work_until(1).await;
    assert_eq!((place.withdrawals().await, place.failures().await.len()), (1, 0), "a worker finds nothing left to do");
});

on_both!(p38_a_provider_that_is_down_is_asked_again_by_a_worker, |database| async move {
    let place = Place::new(&database).await;
    place.google.fail_next("/revoke".into(), 503, 2).await.unwrap();
    place.connection.revoke().await.expect("the user is done with it");
    place.assert_ended().await;
    assert_eq!(place.withdrawals().await, 1);
    for asked in 2..=3 {
        place.clock.advance(TimeDelta::minutes(5));
        place.work_until(asked).await;
    }
    place.clock.advance(TimeDelta::hours(2));
    place.work_until(3).await;
    assert_eq!((place.withdrawals().await, place.failures().await.len()), (3, 0));
});

on_both!(p38_what_a_provider_refuses_is_audited_and_not_asked_again, |database| async move {
    let place = Place::new(&database).await;
    place.google.fail_next("/revoke".into(), 403, 1).await.unwrap();
    place.connection.revoke().await.unwrap();
    place.assert_ended().await;
    assert_eq!(place.failures().await, ["provider_refused"]);
    place.clock.advance(TimeDelta::hours(2));
    place.work_until(1).await;
    assert_eq!(place.withdrawals().await, 1);
});

on_both!(p38_a_provider_that_stays_down_is_given_up_after_a_day, |database| async move {
    let place = Place::new(&database).await;
    place.google.fail_next("/revoke".into(), 503, 1_000).await.unwrap();
    place.connection.revoke().await.unwrap();
    place.clock.advance(TimeDelta::hours(25));
    place.work_until(2).await;
    assert_eq!(place.failures().await, ["provider_unavailable"]);
});

on_both!(p38_what_a_refresh_under_way_still_gets_is_withdrawn_too, |database| async move {
    let place = Place::new(&database).await;
    place.google.set_rotation(true).await.unwrap();
    place.google.set_delay(300).await.unwrap();
    place.clock.advance(TimeDelta::hours(1));
    let connection = place.connection.clone();
    let caller = tokio::spawn(async move { connection.access_token().await });
    while place.google.hits("/token".into()).await.unwrap() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    place.connection.revoke().await.unwrap();
    assert_eq!(caller.await.unwrap().err().unwrap().reason(), "disconnected");
    assert_eq!(place.withdrawals().await, 2);
    place.assert_ended().await;
});

on_both!(p38_all_connections_at_a_provider_end_together, |database| async move {
    let place = Place::new(&database).await;
    connect(&place.scope, &place.google, "ada@work.example").await;
    let (_, bob) = sign_up(&place.atom, "bob@example.com").await;
    let bobs = connect(&bob, &place.google, "bob@gmail.example").await;
    let connections = place.scope.connections();
    assert_eq!(connections.revoke_all(Some("slack".into())).await.unwrap(), 0);
    assert_eq!(connections.revoke_all(Some("google".into())).await.unwrap(), 2);
    assert_eq!(connections.revoke_all(None).await.unwrap(), 0);
    assert_eq!(place.withdrawals().await, 2);
    place.assert_ended().await;
    bobs.files().list(ListFiles::default()).await.expect("another user's goes on");
});
