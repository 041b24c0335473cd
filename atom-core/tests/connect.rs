//! Connecting an account and keeping it connected.

use crate::support::*;
use atom_core::testing::GoogleStandIn;
use atom_core::{
    AuditAction, AuditFilter, ConnectionState, Credentials, Error, ErrorKind, ListFiles, ProviderApp, RawRequest, StartConnection,
};
use chrono::TimeDelta;

fn reason<T>(result: Result<T, Error>) -> &'static str {
    result.err().expect("refused").reason()
}

fn get(url: &str) -> RawRequest {
    RawRequest { method: "GET".into(), url: url.into(), ..Default::default() }
}

on_both!(an_account_is_connected_through_the_whole_consent, |database| async move {
    let (atom, google) = database.with_google().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = connect(&scope, &google, "ada@gmail.example").await;
    let account = connection.account().await.unwrap();
    assert_eq!((account.provider.as_str(), account.email.as_deref()), ("google", Some("ada@gmail.example")));
    assert_eq!(account.state, ConnectionState::Active);
    assert!(account.scopes.iter().any(|s| s.ends_with("/auth/drive")));
    assert_eq!(scope.connections().list().await.unwrap(), [account]);
});

on_both!(p25_a_callback_works_once, |database| async move {
    let (atom, google) = database.with_google().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let authorization = scope.connections().start(start("google")).await.unwrap();
    let callback = google.approve(authorization.url, "ada@gmail.example".into()).await.unwrap();
    let callers: Vec<_> = (0..10)
        .map(|_| {
            let (connections, callback) = (scope.connections(), callback.clone());
            tokio::spawn(async move { connections.complete(callback).await.map(drop) })
        })
        .collect();
    let mut won = 0;
    for caller in callers {
        match caller.await.unwrap() {
            Ok(()) => won += 1,
            Err(error) => assert_eq!(error.reason(), "state_unknown"),
        }
    }
    assert_eq!((won, google.hits("/token".into()).await.unwrap()), (1, 1));
});

on_both!(p25_a_callback_in_another_session_user_or_workspace_never_sends_the_code, |database| async move {
    let (atom, google) = database.with_google().await;
    let (ada, scope) = sign_up(&atom, "ada@example.com").await;
    let (_, bob) = sign_up(&atom, "bob@example.com").await;
    let credentials = Credentials { email: "ada@example.com".into(), password: PASSWORD.into(), ..Default::default() };
    let other_session = atom.accounts().sign_in(credentials).await.unwrap().signed_in().unwrap();
    let other_session = atom.authenticate(other_session.access_token).await.unwrap();
    let no_session = atom.act_as(ada.user.id, ada.workspace.id).await.unwrap();

    let authorization = scope.connections().start(start("google")).await.unwrap();
    let callback = google.approve(authorization.url, "ada@gmail.example".into()).await.unwrap();
    for stranger in [&bob, &other_session, &no_session] {
        assert_eq!(reason(stranger.connections().complete(callback.clone()).await), "state_unknown");
    }
    assert_eq!(google.hits("/token".into()).await.unwrap(), 0);
    scope.connections().complete(callback).await.expect("the one who began is not locked out by them");
});

on_both!(p25_a_callback_that_does_not_fit_never_sends_the_code, |database| async move {
    let (atom, google) = database.with_google().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let iss = "iss=https%3A%2F%2Faccounts.google.com";
    for (from, to, expected) in [
        (iss, "iss=https%3A%2F%2Fevil.example", "wrong_issuer"),
        (iss, "iss=https%3A%2F%2Faccounts.google.com%2F", "wrong_issuer"),
        ("http://127.0.0.1/callback", "http://127.0.0.1/other", "wrong_redirect_uri"),
        ("code=", "kode=", "malformed_callback"),
        ("state=", "state=x", "state_unknown"),
        ("state=", "estate=", "state_unknown"),
        ("http://127.0.0.1/callback?", "", "malformed_callback"),
    ] {
        let authorization = scope.connections().start(start("google")).await.unwrap();
        let callback = google.approve(authorization.url, "ada@gmail.example".into()).await.unwrap();
        assert!(callback.contains(from), "{callback}");
        assert_eq!(reason(scope.connections().complete(callback.replacen(from, to, 1)).await), expected, "{to}");
    }
    assert_eq!(google.hits("/token".into()).await.unwrap(), 0);
});

on_both!(p25_a_consent_expires_and_can_be_declined, |database| async move {
    let google = GoogleStandIn::start().await.unwrap();
    let clock = TestClock::new();
    let atom = database.builder().clock(clock.clone()).provider(google.app()).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let authorization = scope.connections().start(start("google")).await.unwrap();
    let declined = google.decline(authorization.url).await.unwrap();
    let error = scope.connections().complete(declined).await.err().unwrap();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Cancelled, "consent_declined"));

    let authorization = scope.connections().start(start("google")).await.unwrap();
    let callback = google.approve(authorization.url, "ada@gmail.example".into()).await.unwrap();
    clock.advance(TimeDelta::minutes(11));
    assert_eq!(reason(scope.connections().complete(callback).await), "state_unknown");
});

on_both!(connecting_the_same_account_again_keeps_its_id_and_its_refresh_token, |database| async move {
    let (atom, google) = database.with_google().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let first = connect(&scope, &google, "ada@gmail.example").await;
    let again = connect(&scope, &google, "ada@gmail.example").await;
    let second_account = connect(&scope, &google, "ada@work.example").await;
    assert_eq!(first.id(), again.id());
    assert_ne!(first.id(), second_account.id());
    assert_eq!(scope.connections().list().await.unwrap().len(), 2);
});

on_both!(an_expired_token_is_refreshed_by_one_of_a_hundred_callers, |database| async move {
    let (google, clock) = (GoogleStandIn::start().await.unwrap(), TestClock::new());
    let atom = database.builder().clock(clock.clone()).provider(google.app()).open().await.unwrap();
    google.set_rotation(true).await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = connect(&scope, &google, "ada@gmail.example").await;
    google.set_delay(50).await.unwrap();
    for round in 1..=5 {
        clock.advance(TimeDelta::hours(1));
        let callers: Vec<_> = (0..100)
            .map(|_| {
                let connection = connection.clone();
                tokio::spawn(async move { connection.access_token().await.unwrap().token.expose().to_owned() })
            })
            .collect();
        let mut tokens = std::collections::HashSet::new();
        for caller in callers {
            tokens.insert(caller.await.unwrap());
        }
        assert_eq!(tokens.len(), 1, "all get the same token");
        assert_eq!(google.hits("/token".into()).await.unwrap(), 1 + round, "one exchange per expiry");
    }
});

on_both!(a_token_that_dies_early_is_refreshed_after_the_401, |database| async move {
    let (atom, google) = database.with_google().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = connect(&scope, &google, "ada@gmail.example").await;
    google.expire_access_tokens().await.unwrap();
    connection.files().list(ListFiles::default()).await.unwrap();
    assert_eq!(google.hits("/token".into()).await.unwrap(), 2);
    assert_eq!(google.hits("/drive/v3/files".into()).await.unwrap(), 2);
});

on_both!(a_caller_who_goes_away_leaves_the_refresh_running, |database| async move {
    let (atom, google) = database.with_google().await;
    google.set_rotation(true).await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = connect(&scope, &google, "ada@gmail.example").await;
    google.set_delay(200).await.unwrap();
    for _ in 0..3 {
        google.expire_access_tokens().await.unwrap();
        let gone =
            tokio::time::timeout(std::time::Duration::from_millis(300), connection.files().list(ListFiles::default())).await;
        assert!(gone.is_err(), "the caller gave up during the refresh");
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    }
    google.set_delay(0).await.unwrap();
    connection.files().list(ListFiles::default()).await.expect("the rotated token was not lost");
});

on_both!(two_processes_on_one_database_refresh_once, |database| async move {
    let (google, clock) = (GoogleStandIn::start().await.unwrap(), TestClock::new());
    google.set_rotation(true).await.unwrap();
    let open = || database.builder().clock(clock.clone()).provider(google.app()).open();
    let (one, other) = (open().await.unwrap(), open().await.unwrap());
    let (session, scope) = sign_up(&one, "ada@example.com").await;
    let connection = connect(&scope, &google, "ada@gmail.example").await;
    let scope = other.act_as(session.user.id, session.workspace.id).await.unwrap();
    let same = scope.connections().open(connection.id()).await.unwrap();
    for round in 1..=5 {
        clock.advance(TimeDelta::hours(1));
        let (a, b) = tokio::join!(connection.access_token(), same.access_token());
        assert!(a.unwrap().token == b.unwrap().token);
        assert_eq!(google.hits("/token".into()).await.unwrap(), 1 + round);
    }
});

on_both!(p36_the_lease_of_a_killed_process_runs_out_by_the_databases_clock, |database| async move {
    let (google, clock) = (GoogleStandIn::start().await.unwrap(), TestClock::new());
    let atom = database.builder().clock(clock.clone()).provider(google.app()).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = connect(&scope, &google, "ada@gmail.example").await;
    sql(
        &database,
        "UPDATE atom_token_sets SET lease_owner = x'00', lease_until = CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER) + 1000000",
        "UPDATE atom_token_sets SET lease_owner = '00000000-0000-0000-0000-000000000000', lease_until = now() + interval '1 second'",
    )
    .await;
    clock.advance(TimeDelta::hours(1));
    let started = std::time::Instant::now();
    connection.access_token().await.unwrap();
    assert!(started.elapsed() > std::time::Duration::from_millis(500), "a clock that was moved does not end a lease");
    assert_eq!(google.hits("/token".into()).await.unwrap(), 2);
});

on_both!(one_call_says_what_is_connected_and_what_is_missing_for_what, |database| async move {
    let (atom, google) = database.with_google().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let connections = scope.connections();
    let [nothing] = &connections.status().await.unwrap()[..] else { panic!("one provider is configured") };
    assert_eq!((nothing.provider.as_str(), nothing.is_connected, &nothing.email), ("google", false, &None));
    assert!(nothing.accounts.is_empty() && nothing.last_connected_at.is_none());

    let drive_only = StartConnection { services: Some(vec!["drive".into()]), ..start("google") };
    let authorization = connections.start(drive_only).await.unwrap();
    let callback = google.approve(authorization.url, "ada@gmail.example".into()).await.unwrap();
    let connection = connections.complete(callback).await.unwrap();
    let status = connections.status().await.unwrap().remove(0);
    assert_eq!((status.is_connected, status.email.as_deref()), (true, Some("ada@gmail.example")));
    let services = &status.accounts[0].services;
    let of = |name: &str| services.iter().find(|service| service.name == name).unwrap();
    assert!(of("drive").is_available && of("drive").operations.contains(&"files.list".to_owned()));
    assert!(!of("gmail").is_available && of("gmail").missing_scopes.iter().any(|scope| scope.contains("gmail")));

    // Asking for the service asks for what is missing, and what was granted stays.
    let authorization =
        connections.start(StartConnection { services: Some(vec!["gmail".into()]), ..start("google") }).await.unwrap();
    assert!(authorization.url.contains("include_granted_scopes=true") && authorization.url.contains("gmail"));
    connection.revoke().await.unwrap();
    let status = connections.status().await.unwrap().remove(0);
    assert_eq!((status.is_connected, status.email), (false, None));
    assert!(status.accounts[0].services.iter().all(|service| !service.is_available));
});

on_both!(reconnecting_asks_for_the_same_account_and_scopes_and_takes_no_other, |database| async move {
    let (atom, google) = database.with_google().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let connections = scope.connections();
    let authorization =
        connections.start(StartConnection { services: Some(vec!["drive".into()]), ..start("google") }).await.unwrap();
    let callback = google.approve(authorization.url, "ada@gmail.example".into()).await.unwrap();
    let connection = connections.complete(callback).await.unwrap();
    google.revoke_grants().await.unwrap();
    assert_eq!(reason(connection.files().list(ListFiles::default()).await), "invalid_grant");

    let again = connection.reconnect().await.unwrap();
    assert!(
        again.url.contains("login_hint=ada%40gmail.example")
            && again.url.contains("drive")
            && !again.url.contains("gmail.modify")
    );
    let callback = google.approve(again.url, "other@gmail.example".into()).await.unwrap();
    assert_eq!(reason(connections.complete(callback).await), "other_account");
    assert_eq!(connections.list().await.unwrap().len(), 1);

    let again = connection.reconnect().await.unwrap();
    let callback = google.approve(again.url, "ada@gmail.example".into()).await.unwrap();
    assert_eq!(connections.complete(callback).await.unwrap().id(), connection.id());
    connection.files().list(ListFiles::default()).await.expect("it works again");
});

on_both!(a_short_lived_token_is_not_refreshed_at_every_call, |database| async move {
    let (atom, google) = database.with_google().await;
    google.set_token_lifetime(30).await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = connect(&scope, &google, "ada@gmail.example").await;
    for _ in 0..5 {
        connection.access_token().await.unwrap();
    }
    assert_eq!(google.hits("/token".into()).await.unwrap(), 1);
});

on_both!(p37_a_withdrawn_grant_is_noticed_once, |database| async move {
    let (atom, google) = database.with_google().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = connect(&scope, &google, "ada@gmail.example").await;
    google.revoke_grants().await.unwrap();
    let before = google.hits("/token".into()).await.unwrap();
    for _ in 0..3 {
        let error = connection.files().list(ListFiles::default()).await.err().unwrap();
        assert_eq!(
            (error.kind(), error.reason(), error.provider()),
            (ErrorKind::ReauthRequired, "invalid_grant", Some("google"))
        );
    }
    assert_eq!(google.hits("/token".into()).await.unwrap(), before + 1, "the provider is not asked again");
    let account = connection.account().await.unwrap();
    assert_eq!((account.state, account.state_reason.as_deref()), (ConnectionState::ReauthRequired, Some("invalid_grant")));

    let again = connect(&scope, &google, "ada@gmail.example").await;
    assert_eq!(again.id(), connection.id());
    connection.files().list(ListFiles::default()).await.expect("connecting again mends it");
});

on_both!(p41_a_token_leaves_only_where_that_was_allowed_and_is_audited_once, |database| async move {
    let (google, clock) = (GoogleStandIn::start().await.unwrap(), TestClock::new());
    let open = |app| database.builder().clock(clock.clone()).provider(app).open();
    let atom = open(ProviderApp { export_tokens: None, ..google.app() }).await.unwrap();
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = connect(&scope, &google, "ada@gmail.example").await;
    let error = connection.access_token().await.err().unwrap();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Forbidden, "token_export_not_allowed"));
    connection.files().list(ListFiles::default()).await.expect("it is used all the same");

    let other = open(google.app()).await.unwrap();
    let scope = other.act_as(session.user.id, session.workspace.id).await.unwrap();
    let connection = scope.connections().open(connection.id()).await.unwrap();
    for exported in 1..=2 {
        let callers: Vec<_> = (0..20)
            .map(|_| {
                let connection = connection.clone();
                tokio::spawn(async move { connection.access_token().await.map(drop) })
            })
            .collect();
        for caller in callers {
            caller.await.unwrap().unwrap();
        }
        let filter = AuditFilter { action: Some(AuditAction::TokenExported), ..Default::default() };
        let entries = scope.audit().list(filter).await.unwrap().items;
        assert_eq!(entries.len(), exported, "each token once");
        assert_eq!(entries[0].subject, Some(connection.id().to_string()));
        clock.advance(TimeDelta::hours(1));
    }
});

on_both!(p21_another_users_connection_is_not_there, |database| async move {
    let (atom, google) = database.with_google().await;
    let (_, ada) = sign_up(&atom, "ada@example.com").await;
    let (_, bob) = sign_up(&atom, "bob@example.com").await;
    let connection = connect(&ada, &google, "ada@gmail.example").await;
    assert_eq!(bob.connections().open(connection.id()).await.err().unwrap().kind(), ErrorKind::NotFound);
    assert!(bob.connections().list().await.unwrap().is_empty());
});

on_both!(raw_requests_carry_the_token_to_the_providers_hosts_only, |database| async move {
    let (atom, google) = database.with_google().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = connect(&scope, &google, "ada@gmail.example").await;
    let answer = connection.request(get("https://openidconnect.googleapis.com/v1/userinfo")).await.unwrap();
    assert_eq!((answer.status, &answer.json.unwrap().0["email"]), (200, &"ada@gmail.example".into()));
    let answer = connection.request(get("https://www.googleapis.com/drive/v3/files/none")).await.unwrap();
    assert_eq!(answer.status, 404, "an answer is an answer");

    for url in [
        "https://evil.example/drive/v3/files",
        "https://www.googleapis.com.evil.example/",
        "https://www.googleapis.com@evil.example/",
        "https://user:pass@www.googleapis.com/",
        "http://169.254.169.254/latest/meta-data",
    ] {
        assert_eq!(reason(connection.request(get(url)).await), "host_not_allowed", "{url}");
    }
    assert_eq!(reason(connection.request(get("/drive/v3/files")).await), "malformed_url");
    let mut smuggled = get("https://www.googleapis.com/drive/v3/files");
    smuggled.headers = Some([("Authorization".to_owned(), "Bearer x".to_owned())].into());
    assert_eq!(reason(connection.request(smuggled).await), "reserved_header");
});

on_both!(a_provider_that_is_down_is_a_clear_error, |database| async move {
    let (atom, google) = database.with_google().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = connect(&scope, &google, "ada@gmail.example").await;
    let port = google.url().rsplit_once(':').unwrap().1.parse::<u16>().unwrap();
    drop(google);
    // The port may still answer while the server winds down.
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let error = connection.request(get("https://www.googleapis.com/drive/v3/files")).await.err().unwrap();
    assert_eq!((error.kind(), error.provider()), (ErrorKind::Unavailable, Some("google")));
    // A kept connection breaks, a new one is refused.
    assert!(matches!(error.reason(), "unreachable" | "broken_answer"), "{error:?}");
});
