//! Second factors after a sign-in with an account at a provider.

use super::*;
use crate::email_proof::Inbox;
use crate::factors::{App, add_app};
use chrono::TimeDelta;

/// Somebody who signs in with an account at a provider, has an authenticator app, and comes again: what waits for it.
async fn waiting(atom: &Atom, issuer: &IssuerStandIn, clock: &TestClock) -> (Scope, App, PendingFactor) {
    let session = signed_in(atom, issuer, "house", verified("1", "ada@example.com")).await;
    let scope = scope_of(atom, &session).await;
    let (app, _) = add_app(&scope, clock).await;
    clock.advance(TimeDelta::seconds(30));
    let SignIn::FactorRequired { pending } = go(atom, issuer, "house", verified("1", "ada@example.com")).await.unwrap() else {
        panic!("the provider was enough")
    };
    (scope, app, pending)
}

async fn opened(database: &Database) -> (Atom, IssuerStandIn, TestClock) {
    let (issuer, clock) = (IssuerStandIn::start().await.unwrap(), TestClock::stopped());
    let provider = SignInProvider { trust_email: Some(true), ..issuer.provider() };
    let atom = database.builder().clock(clock.clone()).sign_in_provider(provider).open().await.unwrap();
    (atom, issuer, clock)
}

on_both!(p18_a_second_factor_is_asked_for_after_an_account_at_a_provider, |database| async move {
    let (atom, issuer, clock) = opened(&database).await;
    let (scope, app, pending) = waiting(&atom, &issuer, &clock).await;
    assert_eq!(number(&database, "SELECT count(*) FROM atom_sessions").await, 1, "none before the factor");
    let session = atom.accounts().complete_with_totp(pending.token, app.code()).await.unwrap().signed_in().unwrap();
    assert_eq!(session.user.id, scope.principal().user_id);
    let log = scope.audit().list(AuditFilter { action: Some(AuditAction::SignedIn), ..Default::default() }).await.unwrap().items;
    assert_eq!((log[0].details["method"].as_str(), log[0].details["factor"].as_str()), ("social", "totp"));
});

on_both!(p18_an_account_that_is_unlinked_while_a_factor_is_asked_for_lets_nobody_in, |database| async move {
    let (atom, issuer, clock) = opened(&database).await;
    let (scope, app, pending) = waiting(&atom, &issuer, &clock).await;
    let other = scope.identities().begin_link(at("house")).await.unwrap();
    let callback = issuer.decide(&other.url, Some(verified("2", "ada@other.example"))).unwrap();
    scope.identities().complete_link(other.flow_token, callback).await.unwrap();
    let first = scope.identities().list().await.unwrap()[0].id;
    scope.identities().unlink(first).await.unwrap();
    assert_eq!(reason(atom.accounts().complete_with_totp(pending.token, app.code()).await), "proof_outdated");
});

on_both!(p11_a_factor_of_whoever_made_the_account_does_not_keep_its_owner_out, |database| async move {
    let (atom, issuer, clock) = opened(&database).await;
    let (_, eve) = sign_up(&atom, "ada@example.com").await;
    let (app, codes) = add_app(&eve, &clock).await;
    let pending = match atom.accounts().sign_in(credentials("ada@example.com", PASSWORD)).await.unwrap() {
        SignIn::FactorRequired { pending } => pending,
        _ => panic!("the password was enough"),
    };
    clock.advance(TimeDelta::seconds(30));
    let ada = signed_in(&atom, &issuer, "house", verified("1", "ada@example.com")).await;
    assert!(scope_of(&atom, &ada).await.factors().list().await.unwrap().is_empty());
    for end in [
        atom.accounts().complete_with_totp(pending.token.clone(), app.code()).await,
        atom.accounts().complete_with_recovery_code(pending.token, codes[0].clone()).await,
    ] {
        assert_eq!(reason(end), "unknown_pending_factor");
    }
});

on_both!(an_installation_of_proved_addresses_asks_for_the_proof_that_a_provider_does_not_give, |database| async move {
    let (issuer, inbox) = (IssuerStandIn::start().await.unwrap(), Inbox::default());
    let provider = SignInProvider { trust_email: Some(true), ..issuer.provider() };
    let builder = inbox.on(database.builder()).require_verified_email(true).sign_in_provider(provider);
    let atom = builder.open().await.unwrap();
    let error = go(&atom, &issuer, "house", unverified("1", "ada@example.com")).await.err().unwrap();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Unsupported, "verification_required"));
    assert_eq!(number(&database, "SELECT count(*) FROM atom_users").await, 0);

    let ada = signed_in(&atom, &issuer, "house", verified("1", "ada@example.com")).await;
    let not_any_more = "UPDATE atom_users SET email_verified_at = NULL";
    sql(&database, not_any_more, not_any_more).await;
    let SignIn::VerificationRequired { pending } = go(&atom, &issuer, "house", unverified("1", "ada@example.com")).await.unwrap()
    else {
        panic!("the account at the provider was enough")
    };
    let code = inbox.code("ada@example.com", MailKind::VerifyEmail).await;
    let proof = EmailProof { flow_token: pending.flow_token, code, ..Default::default() };
    let session = atom.accounts().verify_email(proof).await.unwrap().signed_in().unwrap();
    assert_eq!((session.user.id, session.user.email_verified), (ada.user.id, true));
    let log = scope_of(&atom, &session).await.audit().list(AuditFilter::default()).await.unwrap().items;
    assert_eq!((log[0].action, log[0].details["method"].as_str()), (AuditAction::SignedIn, "social"));
});
