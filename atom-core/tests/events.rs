//! Events: there exactly if their act is, in one order, for whoever may see them.

use crate::support::*;
use atom_core::*;
use chrono::TimeDelta;
use serde_json::json;
use std::time::{Duration, Instant};

fn named(name: &str) -> PublishEvent {
    PublishEvent { name: name.into(), ..Default::default() }
}

fn numbered(n: i64) -> PublishEvent {
    PublishEvent { data: Some(Json(json!({ "n": n }))), ..named("number.said") }
}

fn after(sequence: i64) -> EventSubscription {
    EventSubscription { after: Some(sequence), ..Default::default() }
}

async fn everything(events: &Events) -> Vec<Event> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let page = events.list(EventFilter { after: Some(after), page_size: Some(7), ..Default::default() }).await.unwrap();
        all.extend(page.items);
        after = page.cursor;
        if !page.has_more {
            return all;
        }
    }
}

fn names(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.name.as_str()).collect()
}

fn sequences(events: &[Event]) -> Vec<i64> {
    events.iter().map(|event| event.sequence).collect()
}

async fn next(stream: &EventStream) -> Event {
    let next = tokio::time::timeout(Duration::from_secs(20), stream.next()).await.expect("in time");
    next.unwrap().expect("an event")
}

async fn take(stream: &EventStream, count: usize) -> Vec<Event> {
    let mut taken = Vec::new();
    for _ in 0..count {
        taken.push(next(stream).await);
    }
    taken
}

on_both!(every_act_tells_what_it_did_and_the_catalogue_describes_it, |database| async move {
    let (atom, google) = database.with_google().await;
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = connect(&scope, &google, "ada@gmail.example").await;
    google.revoke_grants().await.unwrap();
    google.expire_access_tokens().await.unwrap();
    connection.files().get("x".into()).await.expect_err("the grant is gone");
    connection.revoke().await.unwrap();
    connection.revoke().await.expect("twice is no error, and no second event");
    let credentials = Credentials { email: "ada@example.com".into(), password: PASSWORD.into(), ..Default::default() };
    let again = atom.accounts().sign_in(credentials).await.unwrap().signed_in().unwrap();
    atom.accounts().sign_out(again.refresh_token).await.unwrap();

    let all = everything(&scope.events()).await;
    let expected = [
        "user.signed_up",
        "session.started",
        "connection.connected",
        "connection.reauth_required",
        "connection.revoked",
        "session.started",
        "session.ended",
    ];
    assert_eq!(names(&all), expected);
    assert_eq!(sequences(&all), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(all[3].data.0["reason"], "invalid_grant");
    assert_eq!(all[6].data.0["reason"], "signed_out");
    assert_eq!(all[4].subject, Some(connection.id().to_string()));
    assert!(all.iter().all(|event| event.user_id == Some(session.user.id)));

    let catalogue = atom.event_catalogue();
    for event in &all {
        let kind = catalogue.iter().find(|kind| kind.name == event.name).expect("it is in the catalogue");
        let data = event.data.0.as_object().expect("an object");
        assert_eq!(data.len(), kind.fields.len(), "{}", event.name);
        for field in &kind.fields {
            let value = &data[&field.name];
            let fits = match field.field_type {
                EventFieldType::Id => value.as_str().is_some_and(|id| uuid::Uuid::try_parse(id).is_ok()),
                EventFieldType::Text => value.is_string(),
                EventFieldType::Integer => value.is_i64(),
            };
            assert!(fits || (field.nullable && value.is_null()), "{}: {}", event.name, field.name);
        }
    }
});

on_both!(an_act_that_cannot_be_told_does_not_happen, |database| async move {
    let atom = database.open().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    sql(&database, "ALTER TABLE atom_events RENAME TO gone", "ALTER TABLE atom_events RENAME TO gone").await;
    let credentials = || Credentials { email: "ada@example.com".into(), password: PASSWORD.into(), ..Default::default() };
    atom.accounts().sign_in(credentials()).await.err().expect("refused");
    sql(&database, "ALTER TABLE gone RENAME TO atom_events", "ALTER TABLE gone RENAME TO atom_events").await;
    assert_eq!(scope.audit().list(AuditFilter::default()).await.unwrap().items.len(), 1, "nothing is left of the failed act");
    atom.accounts().sign_in(credentials()).await.expect("and it can be done again");
    assert_eq!(names(&everything(&scope.events()).await), ["user.signed_up", "session.started", "session.started"]);
});

on_both!(what_a_host_publishes_comes_back_as_it_was, |database| async move {
    let atom = database.open().await;
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    let event = PublishEvent {
        subject: Some("order-7".into()),
        user_id: Some(session.user.id),
        data: Some(Json(json!({ "total": 12.5, "lines": [1, 2], "note": "na\u{ef}ve \u{0}", "big": 9007199254740993_i64 }))),
        ..named("order.paid")
    };
    let published = scope.events().publish(event.clone()).await.unwrap();
    assert_eq!(published.sequence, 3);
    assert_eq!((&published.name, &published.subject, published.user_id), (&event.name, &event.subject, event.user_id));
    assert_eq!(Some(&published.data), event.data.as_ref());
    assert_eq!(everything(&scope.events()).await[2], published);
    assert_eq!(scope.events().publish(named("order.paid")).await.unwrap().data, Json(json!({})));
    assert_eq!(scope.events().head().await.unwrap(), 4);
});

on_both!(events_that_are_none_of_the_hosts_or_too_large_are_refused, |database| async move {
    let atom = database.open().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let events = scope.events();
    let refused = async |event| events.publish(event).await.expect_err("refused").reason();
    for name in ["", "paid", "Order.paid", "order.", "order paid.now", "order.paid!", ".paid", "order..paid"] {
        assert_eq!(refused(named(name)).await, "malformed_event_name", "{name}");
    }
    for name in
        ["user.signed_up", "session.x", "connection.connected", "job.failed", "webhook.x", "schedule.x.y", "batch.finished"]
    {
        assert_eq!(refused(named(name)).await, "reserved_event_name", "{name}");
    }
    for subject in ["", "a\0b", &"x".repeat(201)] {
        let event = PublishEvent { subject: Some(subject.into()), ..named("order.paid") };
        assert_eq!(refused(event).await, "malformed_event_subject");
    }
    let sized = |bytes: usize| PublishEvent { data: Some(Json("x".repeat(bytes - 2).into())), ..named("order.paid") };
    assert_eq!(refused(sized(20_001)).await, "event_too_large");
    events.publish(sized(20_000)).await.expect("the largest");
    assert_eq!(events.head().await.unwrap(), 3, "nothing else was appended");
});

on_both!(pages_lead_from_the_first_event_to_the_last_and_on, |database| async move {
    let atom = database.open().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let events = scope.events();
    for n in 3..=10 {
        events.publish(numbered(n)).await.unwrap();
    }
    assert_eq!(sequences(&everything(&events).await), (1..=10).collect::<Vec<_>>());

    let page = |filter| async { events.list(filter).await.unwrap() };
    let first = page(EventFilter { page_size: Some(4), ..Default::default() }).await;
    assert_eq!((sequences(&first.items), first.cursor, first.has_more), (vec![1, 2, 3, 4], 4, true));
    let rest = page(EventFilter { after: Some(first.cursor), ..Default::default() }).await;
    assert_eq!((sequences(&rest.items), rest.cursor, rest.has_more), (vec![5, 6, 7, 8, 9, 10], 10, false));
    let none = page(EventFilter { after: Some(rest.cursor), ..Default::default() }).await;
    assert_eq!((none.items.len(), none.cursor, none.has_more), (0, 10, false));

    let users = EventFilter { names: Some(vec!["user.*".into()]), ..Default::default() };
    let page_of_one = page(users).await;
    assert_eq!((sequences(&page_of_one.items), page_of_one.cursor), (vec![1], 10), "what does not fit need not be read again");
    for size in [0, 1001, -1] {
        let error = events.list(EventFilter { page_size: Some(size), ..Default::default() }).await.unwrap_err();
        assert_eq!(error.reason(), "malformed_page_size");
    }
    for nowhere in [11, -1, i64::MAX, i64::MIN] {
        let error = events.list(EventFilter { after: Some(nowhere), ..Default::default() }).await.unwrap_err();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Invalid, "unknown_event_cursor"));
        assert_eq!(events.subscribe(after(nowhere)).await.err().unwrap().reason(), "unknown_event_cursor");
    }
});

on_both!(names_and_subjects_choose_and_beginnings_end_at_a_dot, |database| async move {
    let atom = database.open().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let events = scope.events();
    for (name, subject) in
        [("order.paid", "a"), ("order.line.added", "a"), ("orders.paid", "b"), ("orderxpaid.x", "b"), ("ord_r.x", "b")]
    {
        events.publish(PublishEvent { subject: Some(subject.into()), ..named(name) }).await.unwrap();
    }
    let found = |filter: EventFilter| async {
        let page = events.list(filter).await.unwrap();
        page.items.iter().map(|event| event.name.clone()).collect::<Vec<_>>()
    };
    let of = |names: &[&str]| EventFilter { names: Some(names.iter().map(|n| (*n).to_owned()).collect()), ..Default::default() };
    assert_eq!(found(of(&["order.*"])).await, ["order.paid", "order.line.added"]);
    assert_eq!(found(of(&["ord_r.*", "user.signed_up"])).await, ["user.signed_up", "ord_r.x"]);
    assert_eq!(found(of(&["order.paid"])).await, ["order.paid"]);
    let subject = |subject: &str| EventFilter { subject: Some(subject.into()), ..Default::default() };
    assert_eq!(found(subject("b")).await, ["orders.paid", "orderxpaid.x", "ord_r.x"]);
    for wrong in ["*", "order", "order*", "Order.*", "order.%"] {
        assert_eq!(events.list(of(&[wrong])).await.unwrap_err().reason(), "malformed_event_name", "{wrong}");
    }

    // A stream reads what is behind from the database and what is new from memory: both choose alike.
    let stream = events.subscribe(EventSubscription { after: Some(0), names: of(&["order.*"]).names }).await.unwrap();
    let old = take(&stream, 2).await;
    for name in ["orders.paid", "order.sent"] {
        events.publish(named(name)).await.unwrap();
    }
    assert_eq!((names(&old), next(&stream).await.name.as_str()), (vec!["order.paid", "order.line.added"], "order.sent"));
});

on_both!(nobody_sees_another_workspaces_events, |database| async move {
    let atom = database.open().await;
    let (_, ada) = sign_up(&atom, "ada@example.com").await;
    let (_, bob) = sign_up(&atom, "bob@example.com").await;
    let (of_ada, of_bob) = (ada.events().subscribe(after(0)).await.unwrap(), bob.events().subscribe(after(0)).await.unwrap());
    for n in 0..20 {
        ada.events().publish(PublishEvent { subject: Some("ada".into()), ..numbered(n) }).await.unwrap();
        bob.events().publish(PublishEvent { subject: Some("bob".into()), ..numbered(n) }).await.unwrap();
    }
    for (scope, stream, own) in [(&ada, &of_ada, "ada"), (&bob, &of_bob, "bob")] {
        let user = scope.principal().user_id;
        let (followed, listed) = (take(stream, 22).await, everything(&scope.events()).await);
        assert_eq!(followed, listed);
        assert!(followed[..2].iter().all(|event| event.user_id == Some(user)));
        assert!(followed[2..].iter().all(|event| event.subject.as_deref() == Some(own)));
    }
});

on_both!(members_see_what_concerns_them_or_all_and_guests_what_concerns_them, |database| async move {
    let atom = database.open().await;
    let (session, _) = sign_up(&atom, "ada@example.com").await;
    let (own, other) = (Some(session.user.id), Some(UserId::generate()));
    for (role, expected) in [
        ("UPDATE atom_memberships SET role = 'owner'", vec!["to.other", "to.all", "to.ada"]),
        ("UPDATE atom_memberships SET role = 'admin'", vec!["to.other", "to.all", "to.ada"]),
        ("UPDATE atom_memberships SET role = 'member'", vec!["to.all", "to.ada"]),
        ("UPDATE atom_memberships SET role = 'guest'", vec!["to.ada"]),
    ] {
        sql(&database, role, role).await;
        let events = atom.act_as(session.user.id, session.workspace.id).await.unwrap().events();
        let start = events.head().await.unwrap();
        let publish = || async {
            for (name, user_id) in [("to.other", other), ("to.all", None), ("to.ada", own)] {
                events.publish(PublishEvent { user_id, ..named(name) }).await.unwrap();
            }
        };
        publish().await;
        let page = events.list(EventFilter { after: Some(start), ..Default::default() }).await.unwrap();
        assert_eq!(names(&page.items), expected, "{role}");
        let stream = events.subscribe(after(start)).await.unwrap();
        assert_eq!(names(&take(&stream, expected.len()).await), expected, "{role}: what is behind");
        publish().await;
        assert_eq!(names(&take(&stream, expected.len()).await), expected, "{role}: what is new");
    }
});

on_both!(a_promise_twenty_writers_make_one_order_without_gaps, |database| async move {
    let atom = database.open().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let stream = scope.events().subscribe(EventSubscription::default()).await.unwrap();
    let writers: Vec<_> = (0..20)
        .map(|writer| {
            let events = scope.events();
            tokio::spawn(async move {
                let mut own = Vec::new();
                for n in 0..20 {
                    own.push(events.publish(numbered(writer * 100 + n)).await.unwrap());
                }
                own
            })
        })
        .collect();
    // Read while they write: a number that became visible late would be missing here.
    let followed = take(&stream, 400).await;
    assert_eq!(sequences(&followed), (3..403).collect::<Vec<_>>());
    for writer in writers {
        let own = writer.await.unwrap();
        assert!(own.windows(2).all(|pair| pair[0].sequence < pair[1].sequence), "each writer finds its own order");
        assert!(own.iter().all(|event| followed[(event.sequence - 3) as usize] == *event));
    }
});

on_both!(a_promise_a_stream_goes_on_exactly_where_another_ended, |database| async move {
    let atom = database.open().await;
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    for n in 0..300 {
        scope.events().publish(numbered(n)).await.unwrap();
    }
    let mut seen = Vec::new();
    // Another process each time, as after a crash.
    for part in [1, 63, 64, 65, 100] {
        let atom = database.open().await;
        let events = atom.act_as(session.user.id, session.workspace.id).await.unwrap().events();
        let stream = events.subscribe(after(seen.last().copied().unwrap_or(0))).await.unwrap();
        seen.extend(sequences(&take(&stream, part).await));
        assert_eq!(stream.cursor(), seen.last().copied().unwrap());
        atom.shut_down().await.unwrap();
    }
    let stream = scope.events().subscribe(after(293)).await.unwrap();
    for n in 0..3 {
        scope.events().publish(numbered(n)).await.unwrap();
    }
    seen.extend(sequences(&take(&stream, 12).await));
    assert_eq!(seen, (1..=305).collect::<Vec<_>>());
});

on_both!(a_stream_that_nobody_reads_holds_nothing_and_misses_nothing, |database| async move {
    let atom = database.open().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let (quick, slow) = (
        scope.events().subscribe(EventSubscription::default()).await.unwrap(),
        scope.events().subscribe(EventSubscription::default()).await.unwrap(),
    );
    scope.events().publish(numbered(0)).await.unwrap();
    assert_eq!(next(&slow).await.sequence, 3);
    for n in 1..500 {
        scope.events().publish(numbered(n)).await.unwrap();
    }
    assert_eq!(sequences(&take(&quick, 500).await), (3..503).collect::<Vec<_>>());
    assert_eq!(slow.cursor(), 3, "it is a place in the log, whatever was published");
    assert_eq!(sequences(&take(&slow, 499).await), (4..503).collect::<Vec<_>>());
});

on_both!(a_dropped_wait_takes_no_event_and_callers_share_a_stream, |database| async move {
    let atom = database.open().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let stream = scope.events().subscribe(EventSubscription::default()).await.unwrap();
    let publisher = {
        let events = scope.events();
        tokio::spawn(async move {
            for n in 0..100 {
                events.publish(numbered(n)).await.unwrap();
            }
        })
    };
    let mut seen = Vec::new();
    while seen.len() < 50 {
        if let Ok(event) = tokio::time::timeout(Duration::from_micros(300), stream.next()).await {
            seen.push(event.unwrap().unwrap().sequence);
        }
    }
    let readers: Vec<_> = (0..5)
        .map(|_| {
            let stream = stream.clone();
            tokio::spawn(async move { sequences(&take(&stream, 10).await) })
        })
        .collect();
    for reader in readers {
        seen.extend(reader.await.unwrap());
    }
    publisher.await.unwrap();
    seen.sort_unstable();
    assert_eq!(seen, (3..103).collect::<Vec<_>>());
});

on_both!(a_stream_ends_when_it_is_stopped_and_when_atom_is_shut_down, |database| async move {
    let atom = database.open().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let subscribe = || async { scope.events().subscribe(EventSubscription::default()).await.unwrap() };
    let (stopped, shut) = (subscribe().await, subscribe().await);
    let waiting: Vec<_> = [&stopped, &shut]
        .map(|stream| {
            let stream = stream.clone();
            tokio::spawn(async move { stream.next().await.unwrap() })
        })
        .into_iter()
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    stopped.stop().await.unwrap();
    scope.events().publish(named("order.paid")).await.unwrap();
    assert_eq!(stopped.next().await.unwrap(), None);
    let mut ends = Vec::new();
    for waiter in waiting {
        ends.push(waiter.await.unwrap().map(|event| event.sequence));
    }
    assert_eq!(ends, [None, Some(3)]);
    let waiting = tokio::spawn(async move { shut.next().await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    atom.shut_down().await.unwrap();
    let end = tokio::time::timeout(Duration::from_secs(5), waiting).await.expect("it ends").unwrap();
    assert_eq!(end.unwrap(), None);
});

on_both!(a_stream_without_news_polls_and_finds_what_nobody_announced, |database| async move {
    let atom = database.open().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let stream = scope.events().subscribe(EventSubscription::default()).await.unwrap();
    let waiting = tokio::spawn(async move { next(&stream).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    const APPEND: &str = "INSERT INTO atom_events (workspace_id, sequence, id, name, at, data)
            SELECT workspace_id, 3, id, 'order.paid', at, '{}' FROM atom_events WHERE sequence = 2;
        UPDATE atom_event_heads SET sequence = 3";
    let began = Instant::now();
    sql(&database, APPEND, APPEND).await;
    assert_eq!(waiting.await.unwrap().name, "order.paid");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
});

on_both!(old_events_are_forgotten_and_a_cursor_before_them_says_so, |database| async move {
    let clock = TestClock::new();
    let atom = database.builder().clock(clock.clone()).open().await.unwrap();
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    let (_, bob) = sign_up(&atom, "bob@example.com").await;
    let stream = scope.events().subscribe(EventSubscription::default()).await.unwrap();
    scope.events().publish(numbered(0)).await.unwrap();
    clock.advance(TimeDelta::days(20));
    for n in 1..4 {
        scope.events().publish(numbered(n)).await.unwrap();
    }
    clock.advance(TimeDelta::days(15));
    let later = database.builder().clock(clock.clone()).open().await.unwrap();
    let events = later.act_as(session.user.id, session.workspace.id).await.unwrap().events();

    let kept = events.list(EventFilter::default()).await.unwrap();
    assert_eq!(sequences(&kept.items), [4, 5, 6], "without a cursor, from the oldest that is kept");
    let expired = events.list(EventFilter { after: Some(2), ..Default::default() }).await.unwrap_err();
    assert_eq!((expired.kind(), expired.reason()), (ErrorKind::Conflict, "events_expired"));
    assert!(expired.to_string().contains("kept from number 4 on"), "{expired}");
    assert_eq!(events.subscribe(after(2)).await.err().unwrap().reason(), "events_expired");
    assert_eq!(stream.next().await.unwrap_err().reason(), "events_expired", "a stream that was left alone for weeks");
    assert_eq!(sequences(&take(&events.subscribe(after(3)).await.unwrap(), 3).await), [4, 5, 6]);

    let bob = later.act_as(bob.principal().user_id, bob.principal().workspace_id).await.unwrap().events();
    assert!(bob.list(EventFilter::default()).await.unwrap().items.is_empty());
    let resumed = bob.subscribe(after(2)).await.expect("nothing after the cursor was forgotten");
    bob.publish(numbered(0)).await.unwrap();
    assert_eq!(next(&resumed).await.sequence, 3, "numbers go on");

    clock.advance(TimeDelta::days(31));
    let latest = database.builder().clock(clock).open().await.unwrap();
    let events = latest.act_as(session.user.id, session.workspace.id).await.unwrap().events();
    let page = events.list(EventFilter::default()).await.unwrap();
    assert_eq!((page.items.len(), page.cursor), (0, 6), "all is forgotten but how far the log had come");
    events.subscribe(after(6)).await.expect("and who had seen all of it has missed nothing");
    assert_eq!(database.builder().keep_events_days(0).open().await.err().unwrap().reason(), "malformed_option");
});
