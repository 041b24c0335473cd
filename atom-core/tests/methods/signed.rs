//! Methods that sign: service accounts, OAuth 1.0a; and links.

use super::*;
use atom_core::testing::GoogleStandIn;
use chrono::TimeDelta;

fn robot(google: &GoogleStandIn) -> ConnectWith {
    ConnectWith {
        provider: "google".into(),
        fields: [("key_file".to_owned(), google.service_account())].into(),
        ..Default::default()
    }
}

on_both!(a_service_account_signs_for_its_tokens, |database| async move {
    let (google, clock) = (GoogleStandIn::start().await.unwrap(), TestClock::new());
    let atom = database.builder().clock(clock.clone()).provider(google.app()).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = scope.connections().connect(robot(&google)).await.unwrap();
    let account = connection.account().await.unwrap();
    assert_eq!(account.email.as_deref(), Some("robot@stand-in.iam.gserviceaccount.com"));
    assert!(account.method == "service_account" && account.scopes.iter().any(|scope| scope.ends_with("/auth/drive")));
    connection.files().list(ListFiles::default()).await.unwrap();
    for round in 2..5 {
        clock.advance(TimeDelta::hours(1));
        connection.files().list(ListFiles::default()).await.unwrap();
        assert_eq!(google.hits("/token".into()).await.unwrap(), round);
    }
    google.lose_next("/token".into(), 1).await.unwrap();
    clock.advance(TimeDelta::hours(1));
    assert_eq!(reason(connection.access_token().await), "broken_answer");
    clock.advance(TimeDelta::seconds(10));
    connection.access_token().await.expect("another document is signed");

    let mut for_ada = robot(&google);
    for_ada.fields.insert("subject".into(), "ada@work.example".into());
    let connection = scope.connections().connect(for_ada).await.unwrap();
    assert_eq!(
        connection.account().await.unwrap().email.as_deref(),
        Some("ada@work.example"),
        "it acts for a user of its domain"
    );
});

on_both!(a_key_file_that_is_not_one_is_refused, |database| async move {
    let (atom, google) = database.with_google().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let file: serde_json::Value = serde_json::from_str(google.service_account().expose()).unwrap();
    let altered = |name: &str, value: &str| {
        let mut file = file.clone();
        file[name] = value.into();
        file.to_string()
    };
    let pem = file["private_key"].as_str().unwrap();
    let cases = [
        ("not JSON".to_owned(), "malformed_field"),
        ("[1]".to_owned(), "malformed_field"),
        (altered("private_key", "x"), "malformed_private_key"),
        (altered("private_key", &pem.replace("PRIVATE", "PUBLIC").replace('M', "N")), "malformed_private_key"),
        (altered("client_email", "other@stand-in.iam.gserviceaccount.com"), "credentials_refused"),
        (altered("private_key_id", "0"), "credentials_refused"),
    ];
    for (key_file, expected) in cases {
        let request = ConnectWith { fields: [("key_file".to_owned(), key_file.into())].into(), ..robot(&google) };
        assert_eq!(reason(scope.connections().connect(request).await), expected);
    }
    assert!(scope.connections().list().await.unwrap().is_empty());
    let escaped = altered("private_key", &pem.replace('\n', "\\n"));
    let request = ConnectWith { fields: [("key_file".to_owned(), escaped.into())].into(), ..robot(&google) };
    scope.connections().connect(request).await.expect("line breaks that an environment wrote as two characters");
});

on_both!(an_account_is_connected_by_oauth_1_and_every_request_is_signed, |database| async move {
    let place = Place::new(&database).await;
    let connection = place.agree("oauth1", "ada").await.unwrap();
    let account = connection.account().await.unwrap();
    assert_eq!((account.method.as_str(), account.account_id.as_str()), ("oauth1", "ada"));
    assert_eq!((account.label.as_deref(), account.expires_at), (Some("ada the great"), None));
    assert_eq!(place.seen(&connection).await, ("ada".into(), "oauth1".into()));
    assert_eq!(reason(connection.access_token().await), "no_bearer_token");

    let mut tricky = place.get("/me?b5=%3D%253D&a3=a&c%40=&a2=r%20b&plus=1+1&star=*&tilde=~&uml=%C3%BC");
    assert_eq!(
        connection.request(tricky.clone()).await.unwrap().status,
        200,
        "whatever is in the address is signed as it is sent"
    );
    tricky.headers = Some([("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())].into());
    tricky.content = Some(Bytes::from("c2&a3=2+q".as_bytes()));
    assert_eq!(connection.request(tricky).await.unwrap().status, 200, "and so is a form");

    let again = connection.reconnect().await.unwrap();
    let callback = place.vendor.decide(&again.url, Some("ada")).unwrap();
    assert_eq!(place.scope.connections().complete(callback).await.unwrap().id(), connection.id());
});

on_both!(p25_an_oauth_1_callback_works_once_and_for_whoever_began_it, |database| async move {
    let place = Place::new(&database).await;
    let (_, bob) = sign_up(&place.atom, "bob@example.com").await;
    let connections = place.scope.connections();
    let begin = async || {
        let start = StartConnection { method: Some("oauth1".into()), ..start("vendor") };
        connections.start(start).await.unwrap().url
    };
    let callback = place.vendor.decide(&begin().await, Some("ada")).unwrap();
    assert_eq!(reason(bob.connections().complete(callback.clone()).await), "state_unknown");
    assert_eq!(place.vendor.hits("/oauth1/access"), 0);
    connections.complete(callback.clone()).await.unwrap();
    assert_eq!(reason(connections.complete(callback).await), "state_unknown");

    let declined = place.vendor.decide(&begin().await, None).unwrap();
    assert_eq!(reason(connections.complete(declined).await), "consent_declined");
    let callback = place.vendor.decide(&begin().await, Some("ada")).unwrap();
    assert_eq!(reason(connections.complete(callback.replace("oauth_verifier=", "oauth_verifier=x")).await), "code_refused");
    let callback = place.vendor.decide(&begin().await, Some("ada")).unwrap();
    assert_eq!(reason(connections.complete(callback.replace("/vendor?", "/other?")).await), "wrong_redirect_uri");
});

on_both!(a_wrong_client_secret_signs_nothing, |database| async move {
    let vendor = VendorStandIn::start().await.unwrap();
    let app = ProviderApp { client_secret: Some("guessed".into()), ..vendor.app() };
    let atom = database.builder().provider(app).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let start = StartConnection { method: Some("oauth1".into()), ..start("vendor") };
    let error = scope.connections().start(start).await.err().unwrap();
    assert_eq!((error.kind(), error.reason(), error.status()), (ErrorKind::Provider, "token_refused", Some(401)));
});

on_both!(a_link_is_opened_in_a_widget_and_closed_with_its_token, |database| async move {
    let place = Place::new(&database).await;
    let connections = place.scope.connections();
    let begin = async || {
        let start = StartConnection { method: Some("link".into()), ..start("vendor") };
        connections.start(start).await.unwrap().link_token.unwrap()
    };
    let link_token = begin().await;
    let public_token = place.vendor.finish_link(&link_token).unwrap();
    let (_, bob) = sign_up(&place.atom, "bob@example.com").await;
    assert_eq!(reason(bob.connections().complete_link(link_token.clone(), public_token.clone()).await), "state_unknown");
    assert_eq!(place.vendor.hits("/link/exchange"), 0);
    let connection = connections.complete_link(link_token.clone(), public_token.clone()).await.unwrap();
    assert_eq!(reason(connections.complete_link(link_token, public_token).await), "state_unknown");
    let account = connection.account().await.unwrap();
    assert_eq!((account.method.as_str(), account.account_id.as_str()), ("link", "item-9"));
    assert_eq!(reason(connection.access_token().await), "no_bearer_token");

    let url = format!("{}/accounts", place.vendor.url());
    let mut request = RawRequest { method: "POST".into(), url, ..Default::default() };
    assert_eq!(connection.request(request.clone()).await.unwrap().status, 200, "the credential makes the document");
    request.json = Some(Json(serde_json::json!({"count": 3, "access_token": "another"})));
    let answer = connection.request(request.clone()).await.unwrap();
    assert_eq!((answer.status, &answer.json.unwrap().0["count"]), (200, &3.into()), "or becomes a part of it");
    request.json = Some(Json(serde_json::json!([1])));
    assert_eq!(reason(connection.request(request).await), "malformed_body");

    let link_token = begin().await;
    assert_eq!(reason(connections.complete_link(link_token, "public-guessed".into()).await), "code_refused");
});
