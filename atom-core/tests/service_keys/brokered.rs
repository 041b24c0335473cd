//! Calls on somebody's behalf: the key goes to its hosts, and to nowhere else.

use super::*;
use serde_json::json;

on_both!(the_key_is_added_where_the_service_looks_for_it, |database| async move {
    let place = Place::open(&database).await;
    let header = |name: &str, prefix: Option<&str>| KeyPlacement::Header { name: name.into(), prefix: prefix.map(str::to_owned) };
    let basic = |username: Option<&str>| KeyPlacement::Basic { username: username.map(str::to_owned) };
    let cases = [
        (None, "authorization", format!("Bearer {CANARY}")),
        (Some(header("X-Api-Key", None)), "x-api-key", CANARY.into()),
        (Some(header("authorization", Some("Token token="))), "authorization", format!("Token token={CANARY}")),
        (Some(basic(Some("api"))), "authorization", "Basic YXBpOnNrLWNhbmFyeS8wYTFiMmMzZDRlNWYrNjc4OTAtd3h5eg==".into()),
        (Some(basic(None)), "authorization", "Basic c2stY2FuYXJ5LzBhMWIyYzNkNGU1Zis2Nzg5MC13eHl6Og==".into()),
    ];
    for (i, (placement, name, expected)) in cases.into_iter().enumerate() {
        let new = NewServiceKey { name: Some(format!("key {i}")), placement, ..place.key() };
        let made = place.keys().create(new).await.unwrap();
        place.keys().request(made.id, place.get("/v1/models")).await.unwrap();
        let received = place.service.received().pop().unwrap();
        assert_eq!((received.path.as_str(), &received.headers[name]), ("/v1/models", &expected));
    }
    let new = NewServiceKey { placement: Some(KeyPlacement::Query { name: "key".into() }), ..place.key() };
    let made = place.keys().create(new).await.unwrap();
    let query = Some([("page".to_owned(), "2".to_owned())].into());
    place.keys().request(made.id, RawRequest { query, ..place.get("/v1?q=a b") }).await.unwrap();
    let path = place.service.received().pop().unwrap().path;
    assert_eq!(path, "/v1?q=a%20b&page=2&key=sk-canary%2F0a1b2c3d4e5f%2B67890-wxyz");
});

on_both!(the_rest_of_a_call_goes_through_as_it_is, |database| async move {
    let place = Place::open(&database).await;
    let (keys, made) = (place.keys(), place.stored().await);
    place.service.once(422, "x-request-id: r7\r\n", "{\"error\":\"no such model\"}");
    let post = RawRequest {
        method: "POST".into(),
        json: Some(Json(json!({ "model": "m" }))),
        headers: Some([("X-Trace".to_owned(), "t1".to_owned())].into()),
        ..place.get("/v1/chat")
    };
    let answer = keys.request(made.id, post).await.unwrap();
    assert_eq!((answer.status, answer.headers["x-request-id"].as_str()), (422, "r7"));
    assert_eq!(answer.json, Some(Json(json!({ "error": "no such model" }))));
    let received = place.service.received().pop().unwrap();
    assert_eq!((&received.headers["x-trace"][..], received.json()), ("t1", json!({ "model": "m" })));
    assert_eq!(received.headers["content-type"], "application/json");

    let bytes = RawRequest { method: "PUT".into(), content: Some(Bytes::from(&b"\x00\xff"[..])), ..place.get("/v1/file") };
    keys.request(made.id, bytes).await.unwrap();
    assert_eq!(place.service.received().pop().unwrap().body, b"\x00\xff");
});

on_both!(the_key_goes_to_no_other_host, |database| async move {
    let place = Place::open(&database).await;
    let other = Receiver::start().await;
    let (keys, made) = (place.keys(), place.stored().await);
    let host = place.service.host();
    for url in [
        other.url("/"),
        "https://evil.example/".into(),
        format!("http://{host}.evil.example/"),
        format!("http://{host}@{}/", other.host()),
        format!("http://user:pass@{host}/"),
        format!("http://localhost:{}/", host.rsplit_once(':').unwrap().1),
        "https://169.254.169.254/latest/meta-data".into(),
    ] {
        let error = keys.request(made.id, RawRequest { url: url.clone(), ..place.get("/") }).await.err().unwrap();
        assert!(matches!(error.reason(), "host_not_allowed" | "malformed_url"), "{url}: {error:?}");
    }
    assert_eq!((place.service.received().len(), other.received().len()), (0, 0));
    assert_eq!(keys.get(made.id).await.unwrap().use_count, 0);
});

on_both!(a_redirect_to_another_host_is_an_answer_and_does_not_carry_the_key, |database| async move {
    let place = Place::open(&database).await;
    let other = Receiver::start().await;
    let (keys, made) = (place.keys(), place.stored().await);
    for (status, location) in
        [(301, other.url("/")), (302, other.url("/")), (307, place.service.url("/again")), (308, other.url("/"))]
    {
        place.service.once(status, &format!("location: {location}\r\n"), "");
        let answer = keys.request(made.id, place.get("/")).await.unwrap();
        assert_eq!((answer.status, &answer.headers["location"]), (status.into(), &location));
    }
    assert_eq!((place.service.received().len(), other.received().len()), (4, 0));
});

on_both!(a_key_is_sent_over_https_only, |database| async move {
    let place = Place::open(&database).await;
    let hosts = Some(vec!["api.example.com:80".into(), "api.example.com".into()]);
    let made = place.keys().create(NewServiceKey { hosts, ..place.key() }).await.unwrap();
    for url in ["http://api.example.com/", "ftp://api.example.com/", "ws://api.example.com/"] {
        let refused = place.keys().request(made.id, RawRequest { url: url.into(), ..place.get("/") }).await;
        assert!(matches!(reason(refused), "https_only" | "host_not_allowed"), "{url}");
    }
});

on_both!(p27_this_machine_and_private_networks_are_closed_without_the_switch, |database| async move {
    let place = Place::open(&database).await;
    let made = place.stored().await;
    let atom = database.open().await;
    let keys = atom.act_as(place.session.user.id, place.session.workspace.id).await.unwrap().service_keys();
    assert_eq!(reason(keys.request(made.id, place.get("/")).await), "https_only");
    let https = RawRequest { url: place.service.url("/").replace("http:", "https:"), ..place.get("/") };
    assert_eq!(reason(keys.request(made.id, https).await), "address_not_public");
    let new = NewServiceKey { name: Some("again".into()), ..place.key() };
    assert_eq!(reason(keys.create(new).await), "address_not_public");
    assert_eq!(place.service.received().len(), 0);
});

on_both!(what_is_ours_to_set_is_refused_from_the_caller, |database| async move {
    let place = Place::open(&database).await;
    let keys = place.keys();
    let in_header = KeyPlacement::Header { name: "x-api-key".into(), prefix: None };
    let in_header = keys.create(NewServiceKey { placement: Some(in_header), ..place.key() }).await.unwrap();
    let with = |name: &str| RawRequest { headers: Some([(name.to_owned(), "x".to_owned())].into()), ..place.get("/") };
    for name in ["X-API-Key", "Host"] {
        assert_eq!(reason(keys.request(in_header.id, with(name)).await), "reserved_header");
    }
    keys.request(in_header.id, with("authorization")).await.expect("this service looks for the key elsewhere");

    let in_query = KeyPlacement::Query { name: "key".into() };
    let new = NewServiceKey { name: Some("query".into()), placement: Some(in_query), ..place.key() };
    let in_query = keys.create(new).await.unwrap();
    let query = Some([("key".to_owned(), "x".to_owned())].into());
    for request in [place.get("/?key=x"), RawRequest { query, ..place.get("/") }] {
        assert_eq!(reason(keys.request(in_query.id, request).await), "reserved_query");
    }
});

on_both!(a_service_that_is_down_is_a_clear_error, |database| async move {
    let place = Place::open(&database).await;
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let new = NewServiceKey { hosts: Some(vec![free.to_string()]), ..place.key() };
    let made = place.keys().create(new).await.unwrap();
    let request = RawRequest { url: format!("http://{free}/"), ..place.get("/") };
    let error = place.keys().request(made.id, request).await.err().unwrap();
    assert_eq!((error.kind(), error.reason(), error.provider()), (ErrorKind::Unavailable, "unreachable", Some("openai")));
});
