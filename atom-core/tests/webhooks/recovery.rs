//! After an outage: ours, or the receiver's.

use super::*;
use chrono::TimeDelta;
use std::collections::HashMap;
use std::process::{Child, Command, Stdio};

on_both!(what_happened_while_no_worker_ran_is_sent_when_one_starts, |database| async move {
    let place = Place::without_a_worker(&database).await;
    place.endpoint().await;
    let mut ids = Vec::new();
    for _ in 0..450 {
        ids.push(place.publish("order.paid").await.id.to_string());
    }
    place.start_worker().await;
    let received = place.receiver.wait_for(450).await;
    let mut got: Vec<_> = received.iter().map(|r| r.id().to_owned()).collect();
    got.sort();
    ids.sort();
    assert_eq!(got, ids);
});

on_both!(many_processes_send_each_event_once, |database| async move {
    let place = Place::open(&database).await;
    let made = place.endpoint().await;
    let mut others = Vec::new();
    for _ in 0..3 {
        let atom = database.builder().loopback_webhooks(true).open().await.unwrap();
        atom.start_worker(Default::default(), None).await.unwrap();
        others.push(atom);
    }
    let publishing: Vec<_> = (0..8)
        .map(|_| {
            let events = place.scope.events();
            tokio::spawn(async move {
                for _ in 0..25 {
                    events.publish(PublishEvent { name: "order.paid".into(), ..Default::default() }).await.unwrap();
                }
            })
        })
        .collect();
    for task in publishing {
        task.await.unwrap();
    }
    place.receiver.wait_for(200).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut counts: HashMap<String, usize> = HashMap::new();
    for received in place.receiver.received() {
        *counts.entry(received.id().to_owned()).or_default() += 1;
    }
    assert_eq!((counts.len(), counts.values().max()), (200, Some(&1)));
    assert_eq!(place.deliveries().await.iter().filter(|d| d.endpoint_id == made.id).count(), 100, "a page of the log");
    for atom in others {
        atom.shut_down().await.unwrap();
    }
});

on_both!(a_delivery_is_sent_once_more_as_a_new_one_under_the_same_id, |database| async move {
    let place = Place::open(&database).await;
    let made = place.endpoint().await;
    place.publish("order.paid").await;
    let first = place.newest(|d| d.state == WebhookDeliveryState::Delivered).await;
    let again = place.webhooks().resend(first.id).await.unwrap();
    assert!(again.id != first.id && again.event_id == first.event_id);
    let received = place.receiver.wait_for(2).await;
    assert_eq!((received[0].id(), &received[0].body), (received[1].id(), &received[1].body));
    place.webhooks().disable(made.id).await.unwrap();
    let error = place.webhooks().resend(first.id).await.unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Conflict, "endpoint_disabled"));
});

on_both!(a_replay_sends_what_was_missed_and_nothing_else, |database| async move {
    let place = Place::open(&database).await;
    let orders = NewWebhookEndpoint { event_names: Some(vec!["order.*".into()]), ..endpoint(place.receiver.url("/hook")) };
    let made = place.webhooks().create(orders).await.unwrap();
    let forgotten = place.publish("order.long_ago").await;
    place.newest(|d| d.state == WebhookDeliveryState::Delivered).await;
    place.clock.advance(TimeDelta::days(1));
    let delivered = place.publish("order.delivered").await;
    place.newest(|d| d.event_id == delivered.id && d.state == WebhookDeliveryState::Delivered).await;
    place.receiver.once(410, "", "");
    let refused = place.publish("order.refused").await;
    place.newest(|d| d.state == WebhookDeliveryState::Failed).await;
    let missed = place.publish("order.missed").await;
    place.publish("door.opened").await;
    assert_eq!(place.webhooks().replay(made.id, forgotten.at).await.unwrap_err().reason(), "endpoint_disabled");
    place.webhooks().enable(made.id).await.unwrap();

    let before = place.receiver.received().len();
    let since = delivered.at;
    assert_eq!(place.webhooks().replay(made.id, since).await.unwrap(), 2);
    let received = place.receiver.wait_for(before + 2).await;
    let mut got: Vec<_> = received[before..].iter().map(|r| r.id().to_owned()).collect();
    let mut expected = [refused.id.to_string(), missed.id.to_string()];
    got.sort();
    expected.sort();
    assert_eq!(got, expected);
    assert_eq!(place.webhooks().replay(made.id, since).await.unwrap(), 0, "nothing is missing any more");
});

on_both!(a_new_endpoint_gets_the_past_if_somebody_asks, |database| async move {
    let place = Place::open(&database).await;
    for _ in 0..420 {
        place.publish("order.paid").await;
    }
    place.clock.advance(TimeDelta::days(3));
    let start = place.publish("order.paid").await.at;
    for _ in 0..29 {
        place.publish("order.paid").await;
    }
    let made = place.endpoint().await;
    assert_eq!(place.webhooks().replay(made.id, start).await.unwrap(), 30);
    place.receiver.wait_for(30).await;
    let everything = start - TimeDelta::days(10);
    // The sign-up and its session are events too.
    assert_eq!(place.webhooks().replay(made.id, everything).await.unwrap(), 422);
});

on_both!(the_log_is_read_by_pages_and_by_what_is_looked_for, |database| async move {
    let place = Place::open(&database).await;
    let (first, second) = (place.endpoint().await, place.endpoint().await);
    for _ in 0..10 {
        place.publish("order.paid").await;
    }
    place.publish("door.opened").await;
    place.receiver.wait_for(22).await;
    let list = |filter| async { place.webhooks().deliveries(filter).await.unwrap() };
    let (mut cursor, mut seen) = (None, Vec::new());
    loop {
        let page = list(WebhookDeliveryFilter { page_size: Some(5), cursor, ..Default::default() }).await;
        seen.extend(page.items.into_iter().map(|d| d.id));
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(seen.len(), 22);
    assert!(seen.is_sorted_by(|a, b| a.to_string() > b.to_string()), "newest first, each once");
    let one = WebhookDeliveryFilter { endpoint_id: Some(first.id), ..Default::default() };
    assert_eq!(list(one).await.items.len(), 11);
    let doors = WebhookDeliveryFilter { event_name: Some("door.opened".into()), ..Default::default() };
    assert_eq!(list(doors).await.items.len(), 2);
    let failed = WebhookDeliveryFilter { state: Some(WebhookDeliveryState::Failed), ..Default::default() };
    assert_eq!(list(failed).await.items.len(), 0);
    place.webhooks().remove(second.id).await.unwrap();
    assert_eq!(list(WebhookDeliveryFilter::default()).await.items.len(), 11);
});

on_both!(events_that_were_deleted_before_they_were_sent_do_not_stop_the_rest, |database| async move {
    let place = Place::without_a_worker(&database).await;
    place.endpoint().await;
    for _ in 0..5 {
        place.publish("order.paid").await;
    }
    sql(
        &database,
        "DELETE FROM atom_events WHERE sequence < 6; UPDATE atom_event_heads SET oldest = 6",
        "DELETE FROM atom_events WHERE sequence < 6; UPDATE atom_event_heads SET oldest = 6",
    )
    .await;
    place.start_worker().await;
    place.receiver.wait_for(2).await;
});

/// What another process does: it works until it is killed. The test below starts it as a child; run among the others it has nothing
/// to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sender() {
    let Ok(url) = std::env::var("ATOM_SEND_URL") else { return };
    let database = Database { url, folder: tempfile::tempdir().unwrap() };
    let atom = database.builder().loopback_webhooks(true).open().await.unwrap();
    let options = WorkerOptions { poll_seconds: Some(0.02), lease_seconds: Some(1.0), ..Default::default() };
    atom.start_worker(Default::default(), Some(options)).await.unwrap();
    std::future::pending().await
}

fn start_sender(database: &Database) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "webhooks::recovery::sender"])
        .env("ATOM_SEND_URL", &database.url)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

on_both!(a_promise_no_webhook_is_lost_with_a_killed_process, |database| async move {
    let place = Place::without_a_worker(&database).await;
    place.endpoint().await;
    let mut published = 0;
    for kill in 1..=10 {
        let mut child = start_sender(&database);
        let before = place.receiver.received().len();
        // Killed in the middle of its work, at a different place each time.
        while place.receiver.received().len() < before + kill * 2 {
            place.publish("order.paid").await;
            published += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        child.kill().expect("SIGKILL");
        child.wait().unwrap();
    }
    let options = WorkerOptions { poll_seconds: Some(0.02), lease_seconds: Some(1.0), ..Default::default() };
    place.atom.start_worker(Default::default(), Some(options)).await.unwrap();
    let pending = async || {
        let filter = WebhookDeliveryFilter { state: Some(WebhookDeliveryState::Pending), ..Default::default() };
        place.webhooks().deliveries(filter).await.unwrap().items.len()
    };
    let (start, mut made) = (Instant::now(), Vec::new());
    while made.len() < published || pending().await > 0 {
        assert!(start.elapsed() < Duration::from_secs(60), "{} of {published}, {} pending", made.len(), pending().await);
        tokio::time::sleep(Duration::from_millis(100)).await;
        let (mut cursor, mut all) = (None, Vec::new());
        loop {
            let filter = WebhookDeliveryFilter { cursor, page_size: Some(1000), ..Default::default() };
            let page = place.webhooks().deliveries(filter).await.unwrap();
            all.extend(page.items.iter().map(|d| d.event_id.to_string()));
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        made = all;
    }
    made.sort();
    let count = made.len();
    made.dedup();
    assert_eq!((made.len(), count), (published, published), "one delivery of each event");
    let mut received: Vec<_> = place.receiver.received().iter().map(|r| r.id().to_owned()).collect();
    received.sort();
    received.dedup();
    assert_eq!(received, made, "and each got there");
});
