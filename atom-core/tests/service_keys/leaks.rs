//! Canaries: values that are looked for in everything that comes out.

use super::*;
use std::sync::{Arc, Mutex};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};

/// What has been seen from outside.
#[derive(Default)]
struct Seen(Vec<String>);

impl Seen {
    fn show(&mut self, thing: impl std::fmt::Debug) {
        self.0.push(format!("{thing:?}"));
    }

    fn error<T>(&mut self, result: Result<T, Error>) {
        let error = result.err().expect("refused");
        self.0.push(format!("{error} {error:?}"));
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            self.0.push(format!("{cause} {cause:?}"));
            source = cause.source();
        }
    }
}

/// The forms in which a value could be seen: as it is, in base64, in a URL, and as PostgreSQL shows bytes.
fn forms(value: &str) -> Vec<String> {
    let hex = value.bytes().map(|b| format!("{b:02x}")).collect();
    let url = value.replace('/', "%2F").replace('+', "%2B");
    // `sk-canary` in base64: at its beginning, and after `api:`.
    let base64 = ["c2stY2FuYXJ5", "NrLWNhbmFyeS"].map(str::to_owned);
    [vec![value.to_owned(), hex, url], base64.to_vec()].concat()
}

on_both!(p39_a_value_is_nowhere_but_where_it_was_sent, |database| async move {
    let place = Place::open(&database).await;
    let (keys, mut seen) = (place.keys(), Seen::default());
    let placements = [
        None,
        Some(KeyPlacement::Query { name: "key".into() }),
        Some(KeyPlacement::Basic { username: Some("api".into()) }),
        Some(KeyPlacement::Basic { username: None }),
    ];
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for (i, placement) in placements.into_iter().enumerate() {
        let new = || NewServiceKey {
            name: Some(format!("key {i}")),
            placement: placement.clone(),
            hosts: Some(vec![place.service.host(), free.to_string()]),
            ..place.key()
        };
        let made = keys.create(new()).await.unwrap();
        seen.error(keys.create(new()).await);
        let rotated = keys.rotate(made.id, next(&made, 600)).await.unwrap();
        seen.error(keys.rotate(made.id, next(&made, 600)).await);

        // A service that shows a request to whoever made it, where both values are sent.
        for status in [401, 400] {
            let echo = [CANARY, NEXT].map(|value| {
                let pairs = ["Bearer ", "Basic "].map(|scheme| format!("{scheme}{value}"));
                format!("{value} {} {} {}", pairs.join(" "), forms(value)[2], encoded(value, placement.as_ref()))
            });
            let location = format!("location: https://x.example/?key={}\r\n", forms(CANARY)[2]);
            place.service.once(status, &format!("{location}x-echo: {}\r\n", echo[1]), &echo.join(" "));
        }
        let answer = keys.request(made.id, place.get("/")).await.unwrap();
        assert_eq!(answer.status, 400);
        assert!(String::from_utf8_lossy(&answer.content.0).contains("[redacted]"));
        seen.0.push(String::from_utf8_lossy(&answer.content.0).into_owned());
        seen.show(&answer);

        seen.error(keys.request(made.id, RawRequest { url: format!("http://{free}/"), ..place.get("/") }).await);
        seen.error(keys.request(made.id, RawRequest { url: "https://evil.example/".into(), ..place.get("/") }).await);
        place.service.once(200, "broken header\r\n", "");
        seen.error(keys.request(made.id, place.get("/")).await);
        seen.error(keys.reveal(made.id).await);
        seen.error(keys.update(made.id, patch(&made)).await);
        seen.show(keys.update(made.id, ServiceKeyPatch { name: Some(format!("other {i}")), ..patch(&rotated) }).await.unwrap());
    }
    let broken = NewServiceKey { value: format!("{CANARY}\n").into(), ..place.key() };
    seen.error(keys.create(broken).await);
    seen.error(keys.create(NewServiceKey { service: "No Service".into(), ..place.key() }).await);
    seen.show(keys.list(ServiceKeyFilter::default()).await.unwrap());
    seen.show(place.scope.events().list(EventFilter::default()).await.unwrap());
    seen.show(place.scope.audit().list(AuditFilter::default()).await.unwrap());
    let worker = place.worker().await;
    place.clock.advance(TimeDelta::days(40));
    worker.stop().await.unwrap();
    place.atom.shut_down().await.unwrap();
    seen.0.extend(dump(&database).await);

    assert!(seen.0.iter().any(|text| text.contains("[redacted]")) && seen.0.iter().any(|text| text.contains("openai")));
    for form in [CANARY, NEXT].into_iter().flat_map(forms) {
        for text in &seen.0 {
            assert!(!text.contains(&form), "`{form}` in {}", &text[..text.len().min(2000)]);
        }
    }
});

/// What HTTP Basic makes of a value.
fn encoded(value: &str, placement: Option<&KeyPlacement>) -> &'static str {
    match (value, placement) {
        (CANARY, Some(KeyPlacement::Basic { username: Some(_) })) => "YXBpOnNrLWNhbmFyeS8wYTFiMmMzZDRlNWYrNjc4OTAtd3h5eg==",
        (CANARY, _) => "c2stY2FuYXJ5LzBhMWIyYzNkNGU1Zis2Nzg5MC13eHl6",
        (_, Some(KeyPlacement::Basic { username: Some(_) })) => "YXBpOnNrLWNhbmFyeS9uZXh0MGExYjJjM2Q0ZTVmKzY3OC1hYmNk",
        (_, _) => "c2stY2FuYXJ5L25leHQwYTFiMmMzZDRlNWYrNjc4LWFiY2Q=",
    }
}

/// Everything that anybody logs, down to the last detail.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn note(&self, record: impl FnOnce(&mut dyn tracing::field::Visit)) {
        struct Line(String);
        impl tracing::field::Visit for Line {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                self.0 += &format!("{}={value:?} ", field.name());
            }
        }
        let mut line = Line(String::new());
        record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.note(|line| span.record(line));
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        self.note(|line| values.record(line));
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        self.note(|line| event.record(line));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// On one thread, so that the log hears of every task.
#[tokio::test]
async fn p39_no_log_line_holds_a_value() {
    let log = Log::default();
    // Were there only one, what another thread logs first would be taken for what nobody listens to.
    let _second = tracing::Dispatch::new(Log::default());
    let _guard = tracing::subscriber::set_default(log.clone());
    let database = Database::sqlite();
    let place = Place::open(&database).await;
    for (i, placement) in [None, Some(KeyPlacement::Query { name: "key".into() })].into_iter().enumerate() {
        let new = NewServiceKey { name: Some(format!("key {i}")), placement, exportable: Some(true), ..place.key() };
        let made = place.keys().create(new).await.unwrap();
        place.keys().rotate(made.id, next(&made, 600)).await.unwrap();
        place.service.once(401, "", "");
        place.keys().request(made.id, place.get("/")).await.unwrap();
        place.service.once(200, "broken header\r\n", "");
        place.keys().request(made.id, place.get("/")).await.expect_err("no answer");
        place.keys().reveal(made.id).await.unwrap();
    }
    place.atom.shut_down().await.unwrap();
    let lines = log.0.lock().unwrap();
    assert!(lines.iter().any(|line| line.contains("0007_service_keys")), "something was logged");
    for form in [CANARY, NEXT].into_iter().flat_map(forms) {
        assert!(!lines.iter().any(|line| line.contains(&form)), "`{form}` was logged");
    }
}
