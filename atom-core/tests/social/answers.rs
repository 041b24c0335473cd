//! Answers of a provider that are not to be believed, through the whole sign-in. What a token alone can get wrong stands beside `oauth/id_token.rs`.

use super::*;
use chrono::{TimeDelta, Utc};

on_both!(p26_an_answer_without_a_token_signs_nobody_in, |database| async move {
    let (atom, issuer) = open(&database).await;
    for (answer, expected) in [
        (json!({"id_token": null}), "id_token_missing"),
        (json!({"id_token": "a.b.c"}), "id_token_malformed"),
        (json!({"id_token": 1}), "token_answer_malformed"),
        (json!({"error": "invalid_client"}), "token_refused"),
        (json!({"error": "invalid_grant"}), "code_refused"),
    ] {
        issuer.behave(|manners| manners.answer = answer.clone());
        assert_eq!(reason(go(&atom, &issuer, "house", verified("1", "ada@example.com")).await), expected, "{answer}");
    }
});

on_both!(p26_a_new_key_is_found_at_once_and_unknown_ones_are_looked_for_so_often_only, |database| async move {
    let (clock, issuer) = (TestClock::stopped(), IssuerStandIn::start().await.unwrap());
    let atom = database.builder().clock(clock.clone()).sign_in_provider(issuer.provider()).open().await.unwrap();
    let come = |sub: &'static str| go(&atom, &issuer, "house", verified(sub, "ada@example.com"));
    come("1").await.unwrap();
    come("1").await.unwrap();
    assert_eq!(issuer.hits("/keys"), 1);
    issuer.rotate_key();
    come("1").await.expect("the key is new since a moment");
    assert_eq!(issuer.hits("/keys"), 2);

    issuer.behave(|manners| manners.header = json!({"kid": "nobody's"}));
    for _ in 0..10 {
        assert_eq!(reason(come("1").await), "id_token_key_unknown");
    }
    assert_eq!(issuer.hits("/keys"), 6, "five in a minute, one of them before");
    clock.advance(TimeDelta::seconds(61));
    assert_eq!(reason(come("1").await), "id_token_key_unknown");
    assert_eq!(issuer.hits("/keys"), 7);
    issuer.behave(|manners| manners.header = json!({}));
    clock.advance(TimeDelta::hours(1));
    let later = Utc::now() + TimeDelta::hours(1);
    let mut claims = verified("1", "ada@example.com");
    claims["iat"] = later.timestamp().into();
    claims["exp"] = (later.timestamp() + 300).into();
    go(&atom, &issuer, "house", claims).await.unwrap();
    assert_eq!(issuer.hits("/keys"), 8, "keys are read anew after an hour");
});

on_both!(p26_a_token_without_kid_is_believed_if_one_key_can_be_meant, |database| async move {
    let (atom, issuer) = open(&database).await;
    issuer.behave(|manners| manners.header = json!({"kid": null}));
    signed_in(&atom, &issuer, "house", verified("1", "ada@example.com")).await;
    let other = json!({"kty": "EC", "crv": "P-256", "kid": "other", "x": "A".repeat(43), "y": "A".repeat(43)});
    issuer.behave(|manners| manners.more_keys = vec![other]);
    let fresh = database.builder().sign_in_provider(issuer.provider()).open().await.unwrap();
    assert_eq!(reason(go(&fresh, &issuer, "house", verified("1", "ada@example.com")).await), "id_token_key_ambiguous");
});

on_both!(p26_a_discovery_document_of_another_issuer_begins_nothing, |database| async move {
    let (atom, issuer) = open(&database).await;
    for (document, expected) in [
        (json!({"issuer": "https://evil.example"}), "discovery_issuer_mismatch"),
        (json!({"issuer": format!("{}/", issuer.url())}), "discovery_issuer_mismatch"),
        (json!({"jwks_uri": null}), "discovery_malformed"),
        (json!({"token_endpoint": "http://evil.example/token"}), "discovery_malformed"),
    ] {
        issuer.behave(|manners| manners.discovery = document.clone());
        assert_eq!(reason(atom.accounts().begin_social(at("house")).await), expected, "{document}");
    }
    issuer.behave(|manners| manners.discovery = json!({}));
    signed_in(&atom, &issuer, "house", verified("1", "ada@example.com")).await;
});

on_both!(p26_userinfo_of_another_person_signs_nobody_in, |database| async move {
    let (atom, issuer) = open(&database).await;
    for told in [json!({"sub": "2", "email": "ada@example.com"}), json!({"email": "ada@example.com"})] {
        issuer.behave(|manners| manners.userinfo = Some(told));
        assert_eq!(reason(go(&atom, &issuer, "house", json!({"sub": "1"})).await), "userinfo_of_another");
    }
    issuer.behave(|manners| manners.userinfo = Some(verified("1", "ada@example.com")));
    let session = signed_in(&atom, &issuer, "house", json!({"sub": "1"})).await;
    assert_eq!((session.user.email.as_str(), session.user.email_verified), ("ada@example.com", true));
});

on_both!(p27_an_issuer_in_the_hosts_network_is_reached_only_if_the_host_says_so, |database| async move {
    let issuer = IssuerStandIn::start().await.unwrap();
    let provider = SignInProvider { private_network: None, ..issuer.provider() };
    let atom = database.builder().sign_in_provider(provider).open().await.unwrap();
    assert!(["https_only", "address_not_public"].contains(&reason(atom.accounts().begin_social(at("house")).await)));
    assert_eq!(issuer.hits("/.well-known/openid-configuration"), 0);
});
