//! Whose account a person gets into, for every word of a provider and every state of an account.

use super::*;

on_both!(a_person_nobody_knows_gets_an_account_and_comes_back_to_it, |database| async move {
    let (atom, issuer) = open(&database).await;
    let claims = json!({"sub": "1", "email": "Ada@example.com", "email_verified": true, "name": "Ada\u{7} Lovelace"});
    let first = signed_in(&atom, &issuer, "house", claims).await;
    assert_eq!((first.user.email.as_str(), first.user.email_verified), ("Ada@example.com", true));
    assert_eq!((first.user.display_name.as_deref(), first.workspace.name.as_str()), (Some("Ada Lovelace"), "Ada Lovelace"));
    assert_eq!(first.role, Role::Owner);
    let again = signed_in(&atom, &issuer, "house", verified("1", "ada@example.com")).await;
    assert_eq!((again.user.id, again.workspace.id), (first.user.id, first.workspace.id));
    assert_eq!(reason(atom.accounts().sign_in(credentials("ada@example.com", PASSWORD)).await), "wrong_credentials");

    let scope = scope_of(&atom, &first).await;
    let log = scope.audit().list(AuditFilter::default()).await.unwrap().items;
    let actions: Vec<_> = log.iter().rev().map(|entry| entry.action).collect();
    assert_eq!(actions, [AuditAction::SignedUp, AuditAction::IdentityLinked, AuditAction::SignedIn, AuditAction::SignedIn]);
    assert_eq!((log[1].details["method"].as_str(), log[2].details["provider"].as_str()), ("social", "house"));
    assert_eq!(scope.audit().verify(None).await.unwrap().problem, None);
});

on_both!(p09_an_identity_is_the_issuer_and_its_subject_and_never_an_address, |database| async move {
    let (one, other) = (IssuerStandIn::start().await.unwrap(), IssuerStandIn::start().await.unwrap());
    let second = SignInProvider {
        name: "other".into(),
        redirect_uri: "http://127.0.0.1/sign-in/other".into(),
        trust_email: Some(true),
        ..other.provider()
    };
    let first = SignInProvider { trust_email: Some(true), ..one.provider() };
    let atom = database.builder().sign_in_provider(first).sign_in_provider(second).open().await.unwrap();
    let ada = signed_in(&atom, &one, "house", verified("1", "ada@example.com")).await;

    let same_subject = signed_in(&atom, &other, "other", verified("1", "eve@example.com")).await;
    assert_ne!(same_subject.user.id, ada.user.id, "the same subject at another issuer");
    let moved = signed_in(&atom, &one, "house", verified("1", "ada@elsewhere.example")).await;
    assert_eq!((moved.user.id, moved.user.email.as_str()), (ada.user.id, "ada@example.com"), "the address changed there only");
    let pending = link_required(&atom, &one, "house", unverified("2", "ada@example.com")).await;
    assert_eq!(pending.email, "ada@example.com", "an address that somebody else has there now");
    let identities = scope_of(&atom, &ada).await.identities().list().await.unwrap();
    assert_eq!((identities.len(), identities[0].email.as_deref()), (1, Some("ada@elsewhere.example")));
});

on_both!(p10_both_sides_must_vouch_for_an_address, |database| async move {
    let (atom, issuer) = open(&database).await;
    for (case, (provider, account)) in [(true, true), (true, false), (false, true), (false, false)].into_iter().enumerate() {
        let email = format!("ada-{case}@example.com");
        let (before, _) = sign_up(&atom, &email).await;
        if account {
            verify(&database, &email).await;
        }
        let sub = format!("sub-{case}");
        let claims = if provider { verified(&sub, &email) } else { unverified(&sub, &email) };
        if provider {
            let session = signed_in(&atom, &issuer, "house", claims).await;
            assert_eq!(session.user.id, before.user.id, "case {case}");
            assert!(session.user.email_verified);
        } else {
            let pending = link_required(&atom, &issuer, "house", claims).await;
            assert_eq!((pending.provider.as_str(), pending.email.as_str()), ("house", email.as_str()));
        }
        let still = atom.accounts().sign_in(credentials(&email, PASSWORD)).await.is_ok();
        assert_eq!(still, !provider || account, "the password of case {case}");
    }
});

on_both!(p10_an_issuer_that_nobody_vouched_for_links_nothing, |database| async move {
    let issuer = IssuerStandIn::start().await.unwrap();
    let atom = database.builder().sign_in_provider(issuer.provider()).open().await.unwrap();
    sign_up(&atom, "ada@example.com").await;
    for is_verified in [false, true] {
        if is_verified {
            verify(&database, "ada@example.com").await;
        }
        link_required(&atom, &issuer, "house", verified("1", "ADA@example.com")).await;
    }
    let eve = signed_in(&atom, &issuer, "house", verified("2", "eve@example.com")).await;
    assert!(!eve.user.email_verified);
});

on_both!(p10_a_host_may_turn_implicit_linking_off, |database| async move {
    let issuer = IssuerStandIn::start().await.unwrap();
    let provider = SignInProvider { trust_email: Some(true), ..issuer.provider() };
    let atom = database.builder().sign_in_provider(provider).implicit_linking(false).open().await.unwrap();
    sign_up(&atom, "ada@example.com").await;
    verify(&database, "ada@example.com").await;
    link_required(&atom, &issuer, "house", verified("1", "ada@example.com")).await;
});

on_both!(p11_whoever_made_an_account_for_somebody_elses_address_loses_it, |database| async move {
    let (atom, issuer) = open(&database).await;
    // Eve waits in an account with Ada's address, with a password, a session and an identity of her own.
    let (eves, eve) = sign_up(&atom, "ada@example.com").await;
    let flow = eve.identities().begin_link(at("house")).await.unwrap();
    let callback = issuer.decide(&flow.url, Some(verified("eve", "eve@example.com"))).unwrap();
    eve.identities().complete_link(flow.flow_token, callback).await.unwrap();

    let adas = signed_in(&atom, &issuer, "house", verified("ada", "ada@example.com")).await;
    assert_eq!(adas.user.id, eves.user.id);
    assert_eq!(reason(atom.accounts().sign_in(credentials("ada@example.com", PASSWORD)).await), "wrong_credentials");
    assert_eq!(reason(atom.accounts().refresh(eves.refresh_token).await), "session_revoked");
    assert_eq!(reason(atom.authenticate_live(eves.access_token).await), "session_revoked");
    let eve = signed_in(&atom, &issuer, "house", verified("eve", "eve@example.com")).await;
    assert_ne!(eve.user.id, adas.user.id, "Eve's identity is nobody's now, so she is somebody new");

    let scope = scope_of(&atom, &adas).await;
    assert_eq!(scope.identities().list().await.unwrap().len(), 1);
    for action in [AuditAction::EmailVerified, AuditAction::SessionRevoked] {
        let filter = AuditFilter { action: Some(action), ..Default::default() };
        assert_eq!(scope.audit().list(filter).await.unwrap().items.len(), 1, "{action:?}");
    }
    assert!(!scope.password().is_set().await.unwrap());
    let again = signed_in(&atom, &issuer, "house", verified("ada", "ada@example.com")).await;
    assert_eq!(again.user.id, adas.user.id);
    atom.authenticate_live(adas.access_token).await.expect("Ada's own session is not among those that ended");
});

on_both!(an_installation_may_take_only_people_who_have_an_account, |database| async move {
    let issuer = IssuerStandIn::start().await.unwrap();
    let provider = SignInProvider { trust_email: Some(true), ..issuer.provider() };
    let atom = database.builder().sign_in_provider(provider).sign_up_by_social(false).open().await.unwrap();
    assert_eq!(reason(go(&atom, &issuer, "house", verified("1", "ada@example.com")).await), "sign_up_closed");
    let (session, _) = sign_up(&atom, "ada@example.com").await;
    verify(&database, "ada@example.com").await;
    assert_eq!(signed_in(&atom, &issuer, "house", verified("1", "ada@example.com")).await.user.id, session.user.id);
});

on_both!(a_person_without_an_address_or_with_a_malformed_one_is_told_so, |database| async move {
    let (atom, issuer) = open(&database).await;
    for claims in [json!({"sub": "1"}), verified("1", "not an address"), verified("1", "")] {
        assert_eq!(reason(go(&atom, &issuer, "house", claims).await), "email_missing");
    }
});

on_both!(a_disabled_account_stays_closed_to_its_identities, |database| async move {
    let (atom, issuer) = open(&database).await;
    signed_in(&atom, &issuer, "house", verified("1", "ada@example.com")).await;
    let disable = |now: &str| format!("UPDATE atom_users SET disabled_at = {now}");
    sql(&database, disable("1"), disable("now()")).await;
    assert_eq!(reason(go(&atom, &issuer, "house", verified("1", "ada@example.com")).await), "account_disabled");
    assert_eq!(reason(go(&atom, &issuer, "house", verified("2", "ada@example.com")).await), "account_disabled");
});

on_both!(twenty_first_sign_ins_of_one_person_at_once_make_one_account, |database| async move {
    let (atom, issuer) = open(&database).await;
    let mut callbacks = Vec::new();
    for _ in 0..20 {
        let flow = atom.accounts().begin_social(at("house")).await.unwrap();
        let callback = issuer.decide(&flow.url, Some(verified("1", "ada@example.com"))).unwrap();
        callbacks.push((flow.flow_token, callback));
    }
    let comers = callbacks.into_iter().map(|(flow_token, callback)| {
        let accounts = atom.accounts();
        tokio::spawn(
            async move { accounts.complete_social(flow_token, callback, None).await.unwrap().signed_in().unwrap().user.id },
        )
    });
    let mut users = std::collections::HashSet::new();
    for comer in comers.collect::<Vec<_>>() {
        users.insert(comer.await.unwrap());
    }
    assert_eq!(users.len(), 1);
    assert_eq!(number(&database, "SELECT count(*) FROM atom_users").await, 1);
    assert_eq!(number(&database, "SELECT count(*) FROM atom_identities").await, 1);
});
