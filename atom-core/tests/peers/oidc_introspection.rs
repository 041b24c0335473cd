//! `oidc-provider` is asked about its tokens (RFC 7662).

use super::oidc::{ALMOST, LIFETIME, Oidc, repeat};
use super::skipped;
use crate::support::*;
use atom_core::*;
use chrono::{TimeDelta, Utc};

on_both!(a_lifetime_that_no_answer_names_is_learned, |database| async move {
    let Some(oidc) = Oidc::kept_in_the_dark(LIFETIME).await else { return skipped() };
    let clock = TestClock::new();
    let atom = database.builder().clock(clock.clone()).provider(oidc.app()).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = oidc.connect(&scope, "ada").await;
    let mut last = None;
    for round in 0..2 {
        let token = connection.access_token().await.unwrap();
        let left = token.expires_at.expect("the provider was asked") - Utc::now();
        assert!(left > TimeDelta::seconds(LIFETIME - 60) && left <= TimeDelta::seconds(LIFETIME), "{left}");
        assert!(last.replace(token.token.clone()) != Some(token.token), "it is renewed by the clock, not by a 401");
        assert_eq!(oidc.exchanges().await, repeat("refresh_token ok", round));
        clock.advance(ALMOST);
    }
});

on_both!(a_401_that_is_not_about_the_token_spends_no_refresh_token, |database| async move {
    let Some(oidc) = Oidc::client(LIFETIME).await else { return skipped() };
    let atom = database.builder().provider(oidc.app()).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = oidc.connect(&scope, "ada").await;
    let guarded = || RawRequest { method: "GET".into(), url: oidc.url("/guarded"), ..Default::default() };
    for _ in 0..3 {
        assert_eq!(connection.request(guarded()).await.unwrap().status, 401);
    }
    assert_eq!(oidc.exchanges().await, ["authorization_code ok"]);

    oidc.expire(&connection.access_token().await.unwrap().token).await;
    assert_eq!(connection.request(guarded()).await.unwrap().status, 401);
    assert_eq!(oidc.exchanges().await, repeat("refresh_token ok", 1), "one that is dead is renewed");
    assert_eq!(connection.request(oidc.me()).await.unwrap().status, 200);
});
