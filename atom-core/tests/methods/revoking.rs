//! Ending credentials that were not made by consent, by the request that their method has for it.

use super::*;
use chrono::TimeDelta;
use std::time::{Duration, Instant};

impl Place {
    /// Has a worker do what is due, until a path was asked so often.
    async fn work_until(&self, path: &str, hits: i64) {
        let options = WorkerOptions { poll_seconds: Some(0.1), ..Default::default() };
        let worker = self.atom.start_worker(Default::default(), Some(options)).await.unwrap();
        let started = Instant::now();
        while self.vendor.hits(path) < hits {
            assert!(started.elapsed() < Duration::from_secs(20), "the vendor is asked");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        worker.stop().await.unwrap();
    }

    /// Why the vendor did not end something, as the audit log says.
    async fn failures(&self) -> Vec<String> {
        let filter = AuditFilter { action: Some(AuditAction::RevocationFailed), ..Default::default() };
        let entries = self.scope.audit().list(filter).await.unwrap().items;
        entries.into_iter().map(|mut entry| entry.details.remove("reason").unwrap()).collect()
    }

    async fn keyed(&self) -> Connection {
        let fields = [("api_key", self.vendor.api_key()), ("account", "shop one".into())];
        self.connect("unasked", fields).await.unwrap()
    }

    async fn linked(&self) -> Connection {
        let start = StartConnection { method: Some("link".into()), ..start("vendor") };
        let link_token = self.scope.connections().start(start).await.unwrap().link_token.unwrap();
        let public_token = self.vendor.finish_link(&link_token).unwrap();
        self.scope.connections().complete_link(link_token, public_token).await.unwrap()
    }
}

on_both!(p38_whatever_has_a_request_for_it_is_ended_at_the_vendor, |database| async move {
    let place = Place::new(&database).await;
    let client = [("client_id", "acme".into()), ("client_secret", place.vendor.password())];
    let connections = [
        (place.keyed().await, "/keys/shop%20one"),
        (place.linked().await, "/link/remove"),
        (place.agree("oauth1", "ada").await.unwrap(), "/oauth1/invalidate"),
        (place.connect("client", client).await.unwrap(), "/revoke"),
    ];
    for (connection, path) in &connections {
        assert_eq!(place.vendor.hits(path), 0);
        connection.revoke().await.unwrap();
        assert_eq!(place.vendor.hits(path), 1, "{path}");
        assert_eq!(reason(connection.request(place.get("/me")).await), "disconnected");
    }
    place.clock.advance(TimeDelta::hours(2));
    place.work_until("/revoke", 1).await;
    for (_, path) in &connections {
        assert_eq!(place.vendor.hits(path), 1, "{path}: a worker finds nothing left to do");
    }
    assert!(place.failures().await.is_empty());
});

on_both!(p38_an_answer_that_is_lost_is_asked_for_again_and_what_is_gone_is_done, |database| async move {
    let place = Place::new(&database).await;
    let connections = [
        (place.keyed().await, "/keys/shop%20one"),
        (place.linked().await, "/link/remove"),
        (place.agree("oauth1", "ada").await.unwrap(), "/oauth1/invalidate"),
    ];
    for (connection, path) in &connections {
        place.vendor.lose_next(path, 1);
        connection.revoke().await.expect("the user is done with it");
    }
    place.clock.advance(TimeDelta::minutes(5));
    for (_, path) in &connections {
        place.work_until(path, 2).await;
    }
    place.clock.advance(TimeDelta::hours(2));
    place.work_until("/link/remove", 2).await;
    for (_, path) in &connections {
        assert_eq!(place.vendor.hits(path), 2, "{path}");
    }
    assert!(place.failures().await.is_empty(), "a 404, or a code that the manifest names, says that it was ended");
});

on_both!(p38_what_a_vendor_does_not_end_is_audited, |database| async move {
    let place = Place::new(&database).await;
    let connection = place.keyed().await;
    place.vendor.withdraw_credentials();
    connection.revoke().await.unwrap();
    assert_eq!((place.vendor.hits("/keys/shop%20one"), place.failures().await.len()), (1, 1));
    place.clock.advance(TimeDelta::hours(2));
    place.work_until("/keys/shop%20one", 1).await;
    assert_eq!(place.vendor.hits("/keys/shop%20one"), 1);
});

on_both!(what_the_user_gave_is_the_users_to_withdraw_where_the_vendor_has_no_request_for_it, |database| async move {
    let place = Place::new(&database).await;
    let connection = place.connect("api_key", [("api_key", place.vendor.api_key())]).await.unwrap();
    connection.revoke().await.unwrap();
    place.connect("api_key", [("api_key", place.vendor.api_key())]).await.expect("the key is as it was");
    assert!(place.failures().await.is_empty());
});
