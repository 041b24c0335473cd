//! What whoever holds the token of a lease gets: calls, and nothing else.

use super::*;

on_both!(p41_a_holder_makes_calls_without_having_the_secret, |database| async move {
    let place = Place::open(&database).await;
    let (_, key) = place.lent(place.on_key()).await;
    place.service.once(200, "", "{\"models\":[]}");
    let answer = key.request(place.call("GET", "/v1/models")).await.unwrap();
    assert_eq!((answer.status, answer.json), (200, Some(Json(serde_json::json!({ "models": [] })))));
    assert_eq!(place.service.received()[0].headers["authorization"], format!("Bearer {CANARY}"));

    let (lease, account) = place.lent(place.on_connection()).await;
    let answer = account.request(google("GET", FILES)).await.unwrap();
    assert_eq!(answer.status, 200);
    account.request(google("GET", FILES)).await.unwrap();
    let used = account.lease().await.unwrap();
    assert_eq!((used.use_count, used.id), (2, lease.id));
    assert!(used.last_used_at.is_some_and(|at| at >= lease.created_at));

    // The bounds of the secret hold, too.
    assert_eq!(reason(key.request(google("GET", "https://evil.example/")).await), "host_not_allowed");
    assert_eq!(reason(account.request(google("GET", "https://evil.example/")).await), "host_not_allowed");
    let smuggled =
        RawRequest { headers: Some([("authorization".to_owned(), "mine".to_owned())].into()), ..place.call("GET", "/") };
    assert_eq!(reason(key.request(smuggled).await), "reserved_header");
});

on_both!(p41_the_token_of_a_lease_opens_nothing_else, |database| async move {
    let place = Place::open(&database).await;
    let token = || async { place.grant(place.on_connection()).await.token };
    assert_eq!(reason(place.atom.authenticate(token().await).await), "invalid_access_token");
    assert_eq!(reason(place.atom.accounts().refresh(token().await).await), "invalid_refresh_token");
    let _ = place.atom.accounts().sign_out(token().await).await;
    let credentials = Credentials { email: "ada@example.com".into(), password: token().await, ..Default::default() };
    assert_eq!(reason(place.atom.accounts().sign_in(credentials).await), "wrong_credentials");
    let connections = place.scope.connections();
    assert_eq!(reason(connections.complete_link(token().await.expose().to_owned(), token().await).await), "state_unknown");
    let callback = format!("http://127.0.0.1/callback?state={}&code=x", token().await.expose());
    assert_eq!(reason(connections.complete(callback).await), "state_unknown");
    // It goes on as before.
    place.connection.access_token().await.unwrap();
    place.atom.authenticate(place.session.access_token.clone()).await.unwrap();
});

on_both!(p41_no_other_token_is_one_of_a_lease, |database| async move {
    let place = Place::open(&database).await;
    let granted = place.grant(place.on_key()).await;
    let text = granted.token.expose();
    let others: Vec<Secret> = vec![
        place.session.access_token.clone(),
        place.session.refresh_token.clone(),
        place.connection.access_token().await.unwrap().token,
        CANARY.into(),
        granted.lease.id.to_string().into(),
        "".into(),
        "atl_".into(),
        text[..51].into(),
        format!("{text}=").into(),
        text.to_lowercase().into(),
        // Well-formed, of another installation: the hash decides.
        place.elsewhere_token().await,
    ];
    for (i, other) in others.into_iter().enumerate() {
        let error = place.atom.use_lease(other).await.err().unwrap_or_else(|| panic!("{i}"));
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Unauthenticated, "lease_unknown"), "{i}");
    }
});

impl Place {
    /// The token of a lease in another installation.
    async fn elsewhere_token(&self) -> Secret {
        let other = Database::sqlite();
        let atom = other.builder().loopback_webhooks(true).open().await.unwrap();
        let (_, scope) = sign_up(&atom, "ada@example.com").await;
        let hosts = Some(vec![self.service.host()]);
        let new = NewServiceKey { service: "openai".into(), value: CANARY.into(), hosts, ..Default::default() };
        let key = scope.service_keys().create(new).await.unwrap();
        let new = NewSecretLease { service_key_id: Some(key.id), ..self.on_key() };
        scope.secret_leases().create(new).await.unwrap().token
    }
}

on_both!(p39_neither_a_secret_nor_a_token_is_in_what_a_holder_or_a_database_shows, |database| async move {
    let place = Place::open(&database).await;
    let granted = place.grant(NewSecretLease { path_prefixes: words(&["/v1"]), ..place.on_key() }).await;
    let token = granted.token.expose().to_owned();
    let secret = place.atom.use_lease(granted.token).await.unwrap();
    let account = place.lent(place.on_connection()).await.1;
    let mut seen = Vec::new();
    // A service that shows a request to whoever made it.
    place.service.once(200, &format!("x-echo: Bearer {CANARY}\r\n"), &format!("{{\"sent\":\"{CANARY}\"}}"));
    let answer = secret.request(place.call("GET", "/v1/echo")).await.unwrap();
    seen.push(format!("{answer:?} {}", String::from_utf8_lossy(&answer.content.0)));
    seen.push(format!("{:?}", account.request(google("GET", FILES)).await.unwrap()));
    place.service.once(200, "broken header\r\n", "");
    for refused in [
        secret.request(place.call("GET", "/v1/broken")).await.err().unwrap(),
        secret.request(place.call("GET", "/v2")).await.err().unwrap(),
        account.request(google("GET", "https://evil.example/")).await.err().unwrap(),
        place.atom.use_lease(format!("{token}x").into()).await.err().unwrap(),
    ] {
        seen.push(format!("{refused} {refused:?} {:?}", std::error::Error::source(&refused)));
    }
    seen.push(format!("{:?} {:?}", secret.lease().await.unwrap(), account.lease().await.unwrap()));
    seen.push(format!("{:?}", place.scope.secret_leases().list(SecretLeaseFilter::default()).await.unwrap()));
    seen.push(format!(
        "{:?}",
        place.scope.audit().list(AuditFilter { page_size: Some(1000), ..Default::default() }).await.unwrap()
    ));
    seen.push(format!(
        "{:?}",
        place.scope.events().list(EventFilter { page_size: Some(1000), ..Default::default() }).await.unwrap()
    ));
    place.atom.shut_down().await.unwrap();
    seen.extend(dump(&database).await);
    let mut secrets: Vec<String> = place.google.secrets().iter().map(|secret| secret.expose().to_owned()).collect();
    secrets.extend([CANARY.to_owned(), token.clone(), token["atl_".len()..].to_owned()]);
    assert!(seen.iter().any(|text| text.contains("[redacted]")) && seen.iter().any(|text| text.contains("crm.search")));
    for text in &seen {
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "`{secret}` in {}", &text.chars().take(2000).collect::<String>());
        }
    }
});
