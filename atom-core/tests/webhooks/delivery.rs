//! Delivering: to whom, in which form, how often.

use super::*;
use chrono::TimeDelta;

on_both!(an_event_arrives_signed_at_the_endpoints_that_want_it, |database| async move {
    let place = Place::open(&database).await;
    let only_orders = NewWebhookEndpoint {
        event_names: Some(vec!["order.*".into(), "user.signed_up".into()]),
        signing: Some(WebhookSigning::KeyPair),
        ..endpoint(place.receiver.url("/orders"))
    };
    let orders = place.webhooks().create(only_orders).await.unwrap();
    let everything = place.webhooks().create(endpoint(place.receiver.url("/all"))).await.unwrap();
    let paid = place.publish("order.paid").await;
    let opened = place.publish("door.opened").await;

    let received = place.receiver.wait_for(3).await;
    let at = |path: &str, event: &Event| {
        let fits = |r: &&Received| r.path == path && r.id() == event.id.to_string();
        received.iter().find(fits).unwrap_or_else(|| panic!("{path} {}", event.name))
    };
    let webhook = at("/orders", &paid);
    let timestamp = paid.at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    assert_eq!(webhook.json(), json!({ "type": "order.paid", "timestamp": timestamp, "data": { "total": 7 } }));
    assert!(webhook.body.starts_with(br#"{"type":"order.paid","timestamp":""#));
    assert_eq!(webhook.headers["content-type"], "application/json");
    let public = place.webhooks().verification_key(orders.id).await.unwrap();
    assert!(public.expose().starts_with("whpk_") && genuine(vec![public], webhook).await);
    let secret = place.webhooks().verification_key(everything.id).await.unwrap();
    for event in [&paid, &opened] {
        assert!(genuine(vec![secret.clone()], at("/all", event)).await);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(place.receiver.received().len(), 3, "what happened before the endpoints were made is not sent");
    place.newest(|d| d.state == WebhookDeliveryState::Delivered).await;
    assert!(place.get(orders.id).await.last_success_at.is_some());
});

on_both!(a_failed_delivery_is_repeated_under_the_same_id_and_a_new_time, |database| async move {
    let place = Place::open(&database).await;
    place.endpoint().await;
    place.receiver.once(500, "", "no\u{0}good");
    place.receiver.once(302, "location: http://127.0.0.1:1/\r\n", "");
    let event = place.publish("order.paid").await;
    for number in 1..=2 {
        let waiting = place.newest(|d| d.attempts == number).await;
        let wait = waiting.next_attempt_at.unwrap() - waiting.created_at;
        assert!(number == 2 || (TimeDelta::seconds(4)..=TimeDelta::seconds(7)).contains(&wait), "{wait}");
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(place.receiver.received().len(), number as usize, "not before its time");
        place.clock.advance(TimeDelta::seconds(if number == 1 { 7 } else { 360 }));
    }
    let done = place.newest(|d| d.state == WebhookDeliveryState::Delivered).await;
    assert_eq!((done.attempts, done.event_id, done.next_attempt_at), (3, event.id, None));

    let received = place.receiver.received();
    assert!(received.iter().all(|r| r.id() == event.id.to_string() && r.body == received[0].body));
    let times: Vec<i64> = received.iter().map(|r| r.headers["webhook-timestamp"].parse().unwrap()).collect();
    assert!(times[0] < times[1] && times[1] < times[2], "{times:?}");
    let attempts = place.webhooks().attempts(done.id).await.unwrap();
    let seen: Vec<_> = attempts.iter().map(|a| (a.number, a.status, a.reason.as_deref(), a.answer.as_deref())).collect();
    let expected = [
        (1, Some(500), Some("refused"), Some("no\u{fffd}good")),
        (2, Some(302), Some("refused"), None),
        (3, Some(204), None, None),
    ];
    assert_eq!(seen, expected);
});

on_both!(the_schedule_is_kept_to_its_end_under_a_fake_clock, |database| async move {
    let place = Place::open(&database).await;
    let made = place.endpoint().await;
    place.receiver.always(500);
    place.publish("order.paid").await;
    let delays = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400];
    for (number, delay) in (1..).zip(delays) {
        let waiting = place.newest(|d| d.attempts == number).await;
        let attempts = place.webhooks().attempts(waiting.id).await.unwrap();
        let wait = (waiting.next_attempt_at.unwrap() - attempts.last().unwrap().at).num_seconds();
        assert!((delay * 8 / 10 - 1..=delay * 12 / 10 + 2).contains(&wait), "{delay}: {wait}");
        place.clock.advance(TimeDelta::seconds(wait + 2));
    }
    let failed = place.newest(|d| d.state == WebhookDeliveryState::Failed).await;
    assert_eq!((failed.attempts, failed.reason.as_deref()), (10, Some("no_more_attempts")));
    assert!(place.get(made.id).await.is_enabled, "one delivery alone does not disable its endpoint");
    assert!(place.get(made.id).await.failing_since.is_some());
});

on_both!(a_receiver_that_is_gone_is_disabled_at_once_and_everyone_is_told, |database| async move {
    let place = Place::open(&database).await;
    let made = place.endpoint().await;
    place.receiver.once(410, "", "");
    place.publish("order.paid").await;
    let failed = place.newest(|d| d.state == WebhookDeliveryState::Failed).await;
    assert_eq!((failed.attempts, failed.reason.as_deref()), (1, Some("endpoint_disabled")));
    let gone = place.get(made.id).await;
    assert_eq!((gone.is_enabled, gone.disabled_because), (false, Some(WebhookDisabled::Gone)));
    assert_eq!(place.actions().await.last(), Some(&AuditAction::WebhookDisabled));
    let events = place.scope.events().list(EventFilter::default()).await.unwrap().items;
    let told = events.last().unwrap();
    assert_eq!((told.name.as_str(), told.subject.clone()), ("webhook.endpoint_disabled", Some(made.id.to_string())));
    assert_eq!(told.data.0["reason"], "gone");

    place.publish("order.paid").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(place.receiver.received().len(), 1, "a disabled endpoint gets nothing");
});

on_both!(five_days_of_failures_disable_an_endpoint, |database| async move {
    let place = Place::open(&database).await;
    let made = place.endpoint().await;
    place.receiver.always(500);
    let start = Instant::now();
    let mut half_days = 0;
    while place.get(made.id).await.is_enabled {
        let event = place.publish("order.paid").await;
        let tried = async || place.deliveries().await.iter().any(|d| d.event_id == event.id && d.attempts > 0);
        while !tried().await && place.get(made.id).await.is_enabled {
            assert!(start.elapsed() < Duration::from_secs(60));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        place.clock.advance(TimeDelta::hours(12));
        half_days += 1;
    }
    assert!((10..=12).contains(&half_days), "{half_days} half days");
    assert_eq!(place.get(made.id).await.disabled_because, Some(WebhookDisabled::Failing));
    let enabled = place.webhooks().enable(made.id).await.unwrap();
    assert_eq!((enabled.disabled_because, enabled.failing_since), (None, None), "and may be tried anew");
});

on_both!(an_overloaded_receiver_is_left_alone_for_as_long_as_it_asks, |database| async move {
    let place = Place::open(&database).await;
    place.endpoint().await;
    place.receiver.once(429, "retry-after: 90\r\n", "");
    place.publish("order.paid").await;
    let first = place.newest(|d| d.attempts == 1).await;
    let wait = first.next_attempt_at.unwrap() - first.created_at;
    assert!((TimeDelta::seconds(89)..=TimeDelta::seconds(95)).contains(&wait), "{wait}");
    // Another event does not get through meanwhile, and no attempt of it is spent.
    place.publish("order.shipped").await;
    let second = place.newest(|d| d.event_name == "order.shipped" && d.next_attempt_at > Some(d.created_at)).await;
    assert_eq!((second.attempts, place.receiver.received().len()), (0, 1));
    place.clock.advance(TimeDelta::seconds(100));
    place.receiver.wait_for(3).await;
    place.newest(|d| d.state == WebhookDeliveryState::Delivered && d.attempts == 1).await;
});

on_both!(an_endpoint_that_was_disabled_or_removed_meanwhile_gets_no_second_attempt, |database| async move {
    let place = Place::open(&database).await;
    let (disabled, removed) = (place.endpoint().await, place.endpoint().await);
    place.receiver.always(500);
    place.publish("order.paid").await;
    place.receiver.wait_for(2).await;
    let both_tried = async {
        while place.deliveries().await.iter().any(|d| d.attempts == 0) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), both_tried).await.unwrap();
    place.webhooks().disable(disabled.id).await.unwrap();
    place.webhooks().remove(removed.id).await.unwrap();
    place.clock.advance(TimeDelta::minutes(1));
    let failed = place.newest(|d| d.state == WebhookDeliveryState::Failed).await;
    assert_eq!((failed.endpoint_id, failed.attempts, failed.reason.as_deref()), (disabled.id, 1, Some("endpoint_disabled")));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(place.receiver.received().len(), 2);
    assert_eq!(place.deliveries().await.len(), 1, "the log of a removed endpoint is gone with it");
});

on_both!(a_ping_tells_at_once_what_the_receiver_says_and_changes_nothing, |database| async move {
    let place = Place::without_a_worker(&database).await;
    let made = place.endpoint().await;
    let ping = place.webhooks().ping(made.id).await.unwrap();
    assert_eq!((ping.state, ping.event_name.as_str()), (WebhookDeliveryState::Delivered, "webhook.ping"));
    assert_eq!(place.receiver.received()[0].json()["data"]["endpoint_id"], made.id.to_string());
    for status in [500, 410] {
        place.receiver.once(status, "", "go away");
        let ping = place.webhooks().ping(made.id).await.unwrap();
        assert_eq!((ping.state, ping.reason.as_deref()), (WebhookDeliveryState::Failed, Some("not_repeated")));
        let attempts = place.webhooks().attempts(ping.id).await.unwrap();
        assert_eq!((attempts[0].status, attempts[0].answer.as_deref()), (Some(status.into()), Some("go away")));
    }
    assert_eq!(place.get(made.id).await, made);
    place.webhooks().disable(made.id).await.unwrap();
    assert_eq!(place.webhooks().ping(made.id).await.unwrap().state, WebhookDeliveryState::Delivered);

    let patch = WebhookEndpointPatch { url: Some("http://127.0.0.1:1/".into()), ..Default::default() };
    place.webhooks().update(made.id, patch).await.unwrap();
    let ping = place.webhooks().ping(made.id).await.unwrap();
    let attempts = place.webhooks().attempts(ping.id).await.unwrap();
    assert_eq!((attempts[0].status, attempts[0].reason.as_deref()), (None, Some("unreachable")));
});
