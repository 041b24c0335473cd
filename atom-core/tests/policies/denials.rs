//! What a refusal says, and to whom.

use super::*;
use std::time::Duration;

async fn told(place: &Place) -> Vec<Event> {
    let filter = EventFilter { names: Some(vec!["secret.denied".into()]), ..Default::default() };
    place.scope.events().list(filter).await.unwrap().items
}

on_both!(p40_a_refusal_names_the_policy_to_the_caller_the_log_and_who_watches, |database| async move {
    let place = Place::open(&database).await;
    place.put(NewSecretPolicy { services: words(&["openai"]), purposes: words(&["chat"]), ..deny("no-chat") }).await;
    let chat = place.scope.for_purpose(purpose("chat", Some("ask"))).await.unwrap();
    let error = chat.service_keys().reveal(place.key.id).await.err().unwrap();
    assert_eq!((error.kind(), error.reason(), error.provider()), (ErrorKind::Forbidden, DENIED, Some("openai")));
    assert!(error.to_string().contains("`no-chat`"), "{error}");

    let [entry] = &place.entries(AuditAction::SecretUseDenied).await[..] else { panic!("one entry") };
    assert_eq!((entry.user_id, entry.subject.clone()), (Some(place.session.user.id), Some(place.key.id.to_string())));
    assert_eq!(entry.session_id, Some(place.session.id));
    let details = [("action", "export"), ("policy", "no-chat"), ("purpose", "chat"), ("service", "openai"), ("tool", "ask")];
    assert_eq!(entry.details, details.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    let [event] = &told(&place).await[..] else { panic!("one event") };
    let data = serde_json::json!({
        "secret_id": place.key.id, "user_id": place.session.user.id, "provider": null, "service": "openai", "action": "export",
        "purpose": "chat", "tool": "ask", "policy": "no-chat"
    });
    assert_eq!((event.user_id, &event.data.0), (Some(place.session.user.id), &data));
});

on_both!(a_refusal_by_no_policy_in_particular_says_so, |database| async move {
    let place = Place::open(&database).await;
    place.put(NewSecretPolicy { providers: words(&["google"]), purposes: words(&["sync"]), ..allow("sync-only") }).await;
    let error = place.connection.request(listing("GET")).await.err().unwrap();
    assert_eq!((error.reason(), error.provider()), (DENIED, Some("google")));
    assert!(!error.to_string().contains("sync-only"), "what others may do is not told: {error}");
    let [entry] = &place.entries(AuditAction::SecretUseDenied).await[..] else { panic!("one entry") };
    let details = [("action", "request"), ("provider", "google")];
    assert_eq!(entry.details, details.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    assert_eq!(told(&place).await[0].data.0["policy"], serde_json::Value::Null);
});

on_both!(a_loop_that_is_refused_does_not_fill_the_log, |database| async move {
    let place = Place::open(&database).await;
    place.put(deny("nothing")).await;
    let bob = member(&database, &place.atom, &place.session, "bob@example.com", Role::Member).await;
    let chat = place.scope.for_purpose(purpose("chat", None)).await.unwrap();
    let began = std::time::Instant::now();
    for _ in 0..50 {
        for scope in [&place.scope, &bob, &chat] {
            assert_eq!(reason(scope.service_keys().request(place.key.id, place.call("GET")).await), DENIED);
        }
        assert_eq!(reason(place.connection.access_token().await), DENIED);
    }
    // Ada and Bob, Ada for a purpose, and Ada with another secret: each once, and once more in every second that it took.
    let rounds = usize::try_from(began.elapsed().as_secs()).unwrap() + 1;
    let noted = place.entries(AuditAction::SecretUseDenied).await.len();
    assert!((4..=4 * rounds).contains(&noted), "{noted} in {:?}", began.elapsed());
    assert_eq!(told(&place).await.len(), noted);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(reason(place.connection.access_token().await), DENIED);
    assert_eq!(place.entries(AuditAction::SecretUseDenied).await.len(), noted + 1);
    assert_eq!(place.scope.audit().verify(None).await.unwrap().problem, None);
});

on_both!(many_refusals_at_once_are_noted_once, |database| async move {
    let place = Place::open(&database).await;
    place.put(deny("nothing")).await;
    let callers: Vec<_> = (0..20)
        .map(|_| {
            let connection = place.connection.clone();
            tokio::spawn(async move { reason(connection.access_token().await) })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), DENIED);
    }
    assert_eq!(place.entries(AuditAction::SecretUseDenied).await.len(), 1);
});

on_both!(whoever_goes_away_leaves_a_trace_too, |database| async move {
    let place = Place::open(&database).await;
    let purposes = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t"]
        .map(|name| name.repeat(8));
    let purposes = purposes.each_ref().map(String::as_str);
    place.put(NewSecretPolicy { purposes: words(&purposes), ..deny("no-chat") }).await;
    place.connection.access_token().await.expect("what is needed to decide is in memory now");
    let mut left = None;
    for name in purposes {
        let chat = place.scope.for_purpose(purpose(name, None)).await.unwrap();
        let connection = chat.connections().open(place.connection.id()).await.unwrap();
        // On a busy machine the log may be written before the caller gets to go away: then the next one tries.
        if tokio::time::timeout(Duration::ZERO, connection.access_token()).await.is_err() {
            left = Some(name);
            break;
        }
    }
    let left = left.expect("it was refused in its first step, and did not wait for the log");
    let began = std::time::Instant::now();
    while !place.entries(AuditAction::SecretUseDenied).await.iter().any(|entry| format!("{entry:?}").contains(left)) {
        assert!(began.elapsed() < Duration::from_secs(20), "nothing was noted");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
});

on_both!(p39_a_refusal_shows_no_secret, |database| async move {
    let place = Place::open(&database).await;
    place.put(deny("nothing")).await;
    let keys = place.scope.service_keys();
    let mut seen = Vec::new();
    let errors = [
        keys.reveal(place.key.id).await.err().unwrap(),
        keys.request(place.key.id, place.call("GET")).await.err().unwrap(),
        place.connection.access_token().await.err().unwrap(),
    ];
    seen.extend(errors.map(|error| format!("{error} {error:?}")));
    seen.push(format!("{:?}", place.scope.audit().list(AuditFilter::default()).await.unwrap()));
    seen.push(format!("{:?}", place.scope.events().list(EventFilter::default()).await.unwrap()));
    seen.push(format!("{:?}", place.scope.secret_policies().list().await.unwrap()));
    let mut secrets: Vec<String> = place.google.secrets().iter().map(|secret| secret.expose().to_owned()).collect();
    secrets.push(CANARY.to_owned());
    for text in &seen {
        assert!(!secrets.iter().any(|secret| text.contains(secret)), "{text}");
    }
});
