//! `oidc-provider` gives tokens to a client that acts for itself, and for a code that is typed elsewhere.

use super::browser::{Choice, forms, visit};
use super::oidc::{LIFETIME, Oidc};
use super::skipped;
use crate::support::*;
use atom_core::*;
use chrono::TimeDelta;

on_both!(the_app_itself_gets_a_token_and_the_next_one, |database| async move {
    let Some(oidc) = Oidc::client(LIFETIME).await else { return skipped() };
    let clock = TestClock::new();
    let atom = database.builder().clock(clock.clone()).provider(oidc.app()).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let fields = [("account".to_owned(), "the app".into())].into();
    let request = ConnectWith { provider: "oidc".into(), fields, ..Default::default() };
    let connection = scope.connections().connect(request).await.unwrap();
    let first = connection.access_token().await.unwrap().token;
    assert!(oidc.is_active(&first).await);
    clock.advance(TimeDelta::seconds(LIFETIME));
    let second = connection.access_token().await.unwrap().token;
    assert!(first != second && oidc.is_active(&second).await);
    assert_eq!(oidc.exchanges().await, ["client_credentials ok", "client_credentials ok"]);
});

on_both!(a_code_is_typed_at_the_provider, |database| async move {
    let Some(oidc) = Oidc::client(LIFETIME).await else { return skipped() };
    let clock = TestClock::new();
    let atom = database.builder().clock(clock.clone()).provider(oidc.app()).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let connections = scope.connections();
    let shown = connections.start_device(StartDevice { provider: "oidc".into(), ..Default::default() }).await.unwrap();
    assert_eq!(shown.verification_url, oidc.url("/device"));
    clock.advance(TimeDelta::seconds(5));
    assert_eq!(connections.poll_device(shown.id).await.unwrap().state, DeviceState::Pending);

    let code = shown.user_code.clone();
    let answer = move |page: &str| match forms(page).pop() {
        Some(form) if form.fields.contains_key("login") => Choice::Submit(form.fill("login", "ada").fill("password", "anything")),
        Some(form) if form.fields.contains_key("user_code") && form.fields["user_code"].is_empty() => {
            Choice::Submit(form.fill("user_code", &code))
        }
        Some(form) => Choice::Submit(form),
        None => Choice::Leave,
    };
    visit(&shown.verification_url, answer).await;
    clock.advance(TimeDelta::seconds(5));
    let done = connections.poll_device(shown.id).await.unwrap();
    assert_eq!(done.state, DeviceState::Connected);
    let connection = connections.open(done.connection_id.unwrap()).await.unwrap();
    assert_eq!(connection.request(oidc.me()).await.unwrap().status, 200);
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    assert_eq!(oidc.exchanges().await, [format!("{grant} authorization_pending"), format!("{grant} ok")]);

    let token = connection.access_token().await.unwrap().token;
    clock.advance(TimeDelta::seconds(LIFETIME));
    assert!(connection.access_token().await.unwrap().token != token, "it is renewed with its refresh token");
    connection.revoke().await.unwrap();
    assert!(!oidc.is_active(&token).await);
});
