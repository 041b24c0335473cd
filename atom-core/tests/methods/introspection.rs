//! Asking a vendor about a token.

use super::*;
use chrono::{TimeDelta, Utc};

/// Ada at a vendor whose manifest names the endpoint.
async fn asked(database: &Database) -> Place {
    let (vendor, clock) = (VendorStandIn::start().await.unwrap(), TestClock::new());
    let mut app = vendor.app();
    let endpoint = format!("introspection_url = \"{}/introspect\"\nbase_scopes =", vendor.url());
    app.manifest = app.manifest.map(|manifest| manifest.replacen("base_scopes =", &endpoint, 1));
    let atom = database.builder().clock(clock.clone()).provider(app).open().await.unwrap();
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    Place { atom, vendor, clock, session, scope }
}

on_both!(a_lifetime_that_no_answer_names_is_asked_for, |database| async move {
    let place = asked(&database).await;
    place.vendor.withhold_lifetimes();
    let connection = place.agree("oauth2", "ada").await.unwrap();
    let left = async || connection.account().await.unwrap().expires_at.unwrap() - Utc::now();
    assert!(left().await > TimeDelta::minutes(58) && left().await <= TimeDelta::hours(1), "{}", left().await);
    assert_eq!(connection.account().await.unwrap().scopes, ["read", "me"]);
    let asked = place.vendor.hits("/introspect");
    assert_eq!(asked, 2, "about the two tokens of the answer");
    let first = connection.access_token().await.unwrap();
    assert_eq!(place.vendor.hits("/introspect"), asked);

    place.clock.advance(TimeDelta::hours(1));
    let second = connection.access_token().await.unwrap();
    assert!(second.token != first.token && second.expires_at > Some(Utc::now()), "it is renewed by the clock, not by a 401");
    assert_eq!((place.vendor.hits("/token"), place.vendor.hits("/introspect")), (2, asked + 1));
});

on_both!(a_401_to_a_token_that_is_good_renews_nothing, |database| async move {
    let place = asked(&database).await;
    let connection = place.agree("oauth2", "ada").await.unwrap();
    assert_eq!(place.vendor.hits("/introspect"), 0, "the answer said how long it lives");
    let callers: Vec<_> = (0..20)
        .map(|_| {
            let (connection, request) = (connection.clone(), place.get("/guarded"));
            tokio::spawn(async move { connection.request(request).await.unwrap().status })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), 401);
    }
    assert_eq!((place.vendor.hits("/token"), place.vendor.hits("/guarded")), (1, 20), "no token is spent, no request repeated");
    assert!((1..=20).contains(&place.vendor.hits("/introspect")));
    assert_eq!(place.seen(&connection).await, ("ada-bot".into(), "bearer".into()));
});

on_both!(a_401_to_a_token_that_died_early_renews_it, |database| async move {
    let place = asked(&database).await;
    let connection = place.agree("oauth2", "ada").await.unwrap();
    place.vendor.expire_tokens();
    assert_eq!(place.seen(&connection).await, ("ada-bot".into(), "bearer".into()));
    assert_eq!((place.vendor.hits("/token"), place.vendor.hits("/introspect")), (2, 1));
});

on_both!(a_vendor_that_cannot_be_asked_leaves_everything_as_it_is, |database| async move {
    let place = asked(&database).await;
    place.vendor.withhold_lifetimes();
    place.vendor.lose_next("/introspect", 100);
    let connection = place.agree("oauth2", "ada").await.unwrap();
    assert_eq!(connection.account().await.unwrap().expires_at, None);
    place.vendor.expire_tokens();
    assert_eq!(place.seen(&connection).await, ("ada-bot".into(), "bearer".into()), "a 401 still renews it");
});
