//! Methods whose tokens are asked for again: the credentials of a client, and the installation of an app.

use super::*;
use chrono::TimeDelta;
use std::collections::HashSet;

fn client(place: &Place) -> [(&'static str, Secret); 2] {
    [("client_id", "ada's client: 1".into()), ("client_secret", place.vendor.password())]
}

fn installation(place: &Place) -> [(&'static str, Secret); 3] {
    [("app_id", "12".into()), ("private_key", place.vendor.app_key()), ("installation_id", "77".into())]
}

const INSTALLATION: &str = "/app/installations/77/access_tokens";

on_both!(a_client_gets_a_token_and_gets_the_next_one_as_it_got_the_first, |database| async move {
    let place = Place::new(&database).await;
    let connection = place.connect("client", client(&place)).await.unwrap();
    let account = connection.account().await.unwrap();
    assert_eq!((account.account_id.as_str(), account.method.as_str()), ("ada's client: 1", "client"));
    assert_eq!(account.scopes, ["read", "write"]);
    let first = connection.access_token().await.unwrap().token;
    for round in 2..5 {
        place.clock.advance(TimeDelta::hours(1));
        let callers: Vec<_> = (0..50)
            .map(|_| {
                let connection = connection.clone();
                tokio::spawn(async move { connection.access_token().await.unwrap().token.expose().to_owned() })
            })
            .collect();
        let mut tokens = HashSet::new();
        for caller in callers {
            tokens.insert(caller.await.unwrap());
        }
        assert!(tokens.len() == 1 && !tokens.contains(first.expose()));
        assert_eq!(place.vendor.hits("/token"), round, "one exchange per expiry");
    }
    assert_eq!(place.seen(&connection).await.1, "bearer");
});

on_both!(a_token_that_dies_early_is_asked_for_again_after_the_401, |database| async move {
    let place = Place::new(&database).await;
    for (method, connection) in [
        ("client", place.connect("client", client(&place)).await.unwrap()),
        ("installation", place.connect("installation", installation(&place)).await.unwrap()),
    ] {
        place.vendor.expire_tokens();
        assert_eq!(place.seen(&connection).await.1, "bearer", "{method}");
    }
});

on_both!(p36_a_lost_answer_is_no_doubt_where_nothing_was_spent, |database| async move {
    let place = Place::new(&database).await;
    let connections = [
        (place.connect("client", client(&place)).await.unwrap(), "/token"),
        (place.connect("installation", installation(&place)).await.unwrap(), INSTALLATION),
    ];
    for (connection, path) in connections {
        place.clock.advance(TimeDelta::hours(1));
        place.vendor.lose_next(path, 1);
        let error = connection.access_token().await.err().unwrap();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::Unavailable, "broken_answer"));
        assert_eq!(reason(connection.access_token().await), "refresh_paused");
        place.clock.advance(TimeDelta::seconds(10));
        connection.access_token().await.expect("it is simply asked for again");
        let health = connection.account().await.unwrap().health;
        assert_eq!((health.failures, health.failed_because.as_deref()), (0, Some("broken_answer")));
    }
});

on_both!(p37_credentials_that_were_withdrawn_are_noticed_once_and_said_to_be_that, |database| async move {
    let place = Place::new(&database).await;
    let connections = [
        (place.connect("client", client(&place)).await.unwrap(), "/token"),
        (place.connect("installation", installation(&place)).await.unwrap(), INSTALLATION),
    ];
    place.vendor.withdraw_credentials();
    for (connection, path) in connections {
        let before = place.vendor.hits(path);
        for _ in 0..3 {
            let error = connection.request(place.get("/me")).await.err().unwrap();
            assert_eq!((error.kind(), error.reason()), (ErrorKind::ReauthRequired, "credentials_refused"));
        }
        assert_eq!(place.vendor.hits(path), before + 1);
        let account = connection.account().await.unwrap();
        assert_eq!(account.state, ConnectionState::ReauthRequired);
        assert_eq!(account.state_reason.as_deref(), Some("credentials_refused"));
    }
    let events = place.scope.events().list(EventFilter::default()).await.unwrap().items;
    let required: Vec<_> = events.iter().filter(|event| event.name == "connection.reauth_required").collect();
    assert!(required.len() == 2 && required.iter().all(|event| event.data.0["reason"] == "credentials_refused"));
});

on_both!(another_process_goes_on_with_what_the_first_was_given, |database| async move {
    let place = Place::new(&database).await;
    let connection = place.connect("client", client(&place)).await.unwrap();
    let other = database.builder().clock(place.clock.clone()).provider(place.vendor.app()).open().await.unwrap();
    let scope = other.act_as(place.session.user.id, place.session.workspace.id).await.unwrap();
    let same = scope.connections().open(connection.id()).await.unwrap();
    for round in 2..5 {
        place.clock.advance(TimeDelta::hours(1));
        let (a, b) = tokio::join!(connection.access_token(), same.access_token());
        assert!(a.unwrap().token == b.unwrap().token);
        assert_eq!(place.vendor.hits("/token"), round);
    }
});

on_both!(wrong_credentials_of_a_client_or_an_app_are_not_stored, |database| async move {
    let place = Place::new(&database).await;
    let key = || place.vendor.app_key();
    let cases: [Refused; 6] = [
        ("client", vec![("client_id", "x".into()), ("client_secret", "wrong".into())], "credentials_refused"),
        (
            "installation",
            vec![("app_id", "13".into()), ("private_key", key()), ("installation_id", "77".into())],
            "credentials_refused",
        ),
        (
            "installation",
            vec![("app_id", "12".into()), ("private_key", key()), ("installation_id", "78".into())],
            "credentials_refused",
        ),
        (
            "installation",
            vec![("app_id", "12".into()), ("private_key", "no key".into()), ("installation_id", "77".into())],
            "malformed_private_key",
        ),
        (
            "installation",
            vec![("app_id", "12".into()), ("private_key", key()), ("installation_id", "../77".into())],
            "malformed_field",
        ),
        ("installation", vec![("app_id", "12".into()), ("private_key", key())], "missing_field"),
    ];
    for (method, fields, expected) in cases {
        assert_eq!(reason(place.connect(method, fields).await), expected);
    }
    place.nothing_is_stored().await;
});
