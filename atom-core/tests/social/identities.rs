//! Linking and unlinking by the user.

use super::*;
use crate::mail::Letters;
use chrono::TimeDelta;

on_both!(a_user_links_what_was_pending_after_signing_in_in_another_way, |database| async move {
    let (atom, issuer) = open(&database).await;
    let (ada, scope) = sign_up(&atom, "ada@example.com").await;
    let (_, eve) = sign_up(&atom, "eve@example.com").await;
    let pending = link_required(&atom, &issuer, "house", unverified("1", "ada@example.com")).await;
    let refused = go(&atom, &issuer, "house", unverified("1", "ada@example.com")).await.unwrap().signed_in();
    assert_eq!(reason(refused), "link_required");
    assert_eq!(reason(eve.identities().link(pending.link_token.clone()).await), "link_unknown", "another account");
    assert_eq!(reason(scope.identities().link("guessed".into()).await), "link_unknown");
    let identity = scope.identities().link(pending.link_token.clone()).await.unwrap();
    assert_eq!((identity.user_id, identity.provider.as_str(), identity.last_used_at), (ada.user.id, "house", None));
    assert_eq!(reason(scope.identities().link(pending.link_token).await), "link_unknown", "used");
    let session = signed_in(&atom, &issuer, "house", unverified("1", "ada@example.com")).await;
    assert_eq!(session.user.id, ada.user.id);
    assert!(!session.user.email_verified, "nobody vouched for the address");
    assert!(scope.identities().list().await.unwrap()[0].last_used_at.is_some());
    let events = scope.events().list(EventFilter::default()).await.unwrap().items;
    assert!(events.iter().any(|event| event.name == "identity.linked" && event.data.0["provider"] == "house"));
});

on_both!(p25_a_link_ends_in_the_session_that_began_it, |database| async move {
    let (atom, issuer) = open(&database).await;
    let (_, ada) = sign_up(&atom, "ada@example.com").await;
    let (_, eve) = sign_up(&atom, "eve@example.com").await;
    let flow = eve.identities().begin_link(at("house")).await.unwrap();
    let callback = issuer.decide(&flow.url, Some(verified("ada", "ada@gmail.com"))).unwrap();
    let begun = flow.flow_token;
    assert_eq!(reason(ada.identities().complete_link(begun.clone(), callback.clone()).await), "state_unknown");
    let signing_in = atom.accounts().complete_social(begun.clone(), callback.clone(), None).await;
    assert_eq!(reason(signing_in), "state_unknown", "a link is no sign-in");
    let other = atom.accounts().sign_in(credentials("eve@example.com", PASSWORD)).await.unwrap().signed_in().unwrap();
    let other = scope_of(&atom, &other).await;
    assert_eq!(reason(other.identities().complete_link(begun.clone(), callback.clone()).await), "state_unknown");
    assert_eq!(issuer.hits("/token"), 0);

    let sign_in = atom.accounts().begin_social(at("house")).await.unwrap();
    let to_sign_in = issuer.decide(&sign_in.url, Some(verified("eve", "eve@gmail.com"))).unwrap();
    assert_eq!(reason(eve.identities().complete_link(sign_in.flow_token, to_sign_in).await), "state_unknown", "nor the reverse");
    eve.identities().complete_link(begun, callback).await.unwrap();
});

on_both!(p09_one_identity_is_of_one_account, |database| async move {
    let (atom, issuer) = open(&database).await;
    let (_, ada) = sign_up(&atom, "ada@example.com").await;
    let (_, eve) = sign_up(&atom, "eve@example.com").await;
    let link = |scope: Scope| {
        let issuer = &issuer;
        async move {
            let flow = scope.identities().begin_link(at("house")).await.unwrap();
            let callback = issuer.decide(&flow.url, Some(verified("1", "ada@gmail.com"))).unwrap();
            scope.identities().complete_link(flow.flow_token, callback).await
        }
    };
    let identity = link(ada.clone()).await.unwrap();
    assert_eq!(link(ada.clone()).await.unwrap().id, identity.id, "twice is no error");
    assert_eq!(reason(link(eve.clone()).await), "identity_taken");
    assert_eq!(reason(eve.identities().unlink(identity.id).await), "not_found");
    ada.identities().unlink(identity.id).await.unwrap();
    link(eve).await.unwrap();
});

on_both!(p12_changes_of_identities_ask_for_a_fresh_proof_and_tell_the_user, |database| async move {
    let (clock, issuer, letters) = (TestClock::stopped(), IssuerStandIn::start().await.unwrap(), Letters::taking());
    let builder = letters.on(database.builder()).clock(clock.clone()).sign_in_provider(issuer.provider());
    let atom = builder.open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let flow = scope.identities().begin_link(at("house")).await.unwrap();
    let callback = issuer.decide(&flow.url, Some(verified("1", "ada@gmail.com"))).unwrap();
    let identity = scope.identities().complete_link(flow.flow_token, callback).await.unwrap();
    let letter = letters.nth(MailKind::IdentityChanged, 1).await;
    assert!(letter.to == "ada@example.com" && letter.text.contains("house was added to your account"), "{}", letter.text);

    clock.advance(TimeDelta::minutes(11));
    let identities = scope.identities();
    assert_eq!(identities.list().await.unwrap().len(), 1);
    for refused in [
        identities.unlink(identity.id).await.err(),
        identities.begin_link(at("house")).await.err(),
        identities.link("token".into()).await.err(),
        identities.complete_link("token".into(), "https://app.example/?state=x".into()).await.err(),
    ] {
        assert_eq!(refused.unwrap().reason(), "step_up_required");
    }
    scope.step_up().with_password(PASSWORD.into()).await.unwrap();
    identities.unlink(identity.id).await.unwrap();
    let letter = letters.nth(MailKind::IdentityChanged, 2).await;
    assert!(letter.text.contains("house was removed from your account"), "{}", letter.text);
    assert!(identities.list().await.unwrap().is_empty());
});

on_both!(the_last_way_to_sign_in_cannot_be_unlinked, |database| async move {
    let (atom, issuer) = open(&database).await;
    let session = signed_in(&atom, &issuer, "house", verified("1", "ada@example.com")).await;
    let identities = scope_of(&atom, &session).await.identities();
    let only = identities.list().await.unwrap()[0].id;
    assert_eq!(reason(identities.unlink(only).await), "last_sign_in_method");
    let flow = identities.begin_link(at("house")).await.unwrap();
    let callback = issuer.decide(&flow.url, Some(verified("2", "ada@other.example"))).unwrap();
    let other = identities.complete_link(flow.flow_token, callback).await.unwrap().id;
    let both = [only, other].map(|id| {
        let identities = identities.clone();
        tokio::spawn(async move { identities.unlink(id).await })
    });
    let mut gone = 0;
    for one in both {
        match one.await.unwrap() {
            Ok(()) => gone += 1,
            Err(error) => assert_eq!(error.reason(), "last_sign_in_method"),
        }
    }
    assert_eq!((gone, identities.list().await.unwrap().len()), (1, 1));
});
