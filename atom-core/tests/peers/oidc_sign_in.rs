//! `oidc-provider` as an issuer to sign in with: found by discovery, strict about PKCE, with an ID token that has no address in it.

use super::oidc::{LIFETIME, Oidc, approve};
use super::skipped;
use crate::support::*;
use atom_core::*;

async fn go(atom: &Atom, login: &str) -> (Secret, String) {
    let start = SocialStart { provider: "oidc".into(), ..Default::default() };
    let flow = atom.accounts().begin_social(start).await.unwrap();
    (flow.flow_token, approve(&flow.url, login).await)
}

on_both!(p26_a_person_signs_in_with_a_certified_issuer_and_comes_back, |database| async move {
    let Some(oidc) = Oidc::client(LIFETIME).await else { return skipped() };
    let atom = database.builder().sign_in_provider(oidc.sign_in_provider()).open().await.unwrap();
    let mut users = Vec::new();
    for _ in 0..2 {
        let (flow_token, callback) = go(&atom, "ada").await;
        assert!(callback.contains("iss="), "{callback}");
        let answer = atom.accounts().complete_social(flow_token, callback, None).await.unwrap();
        users.push(answer.signed_in().unwrap().user);
    }
    assert_eq!((users[0].id, users[0].email.as_str()), (users[1].id, "ada@example.com"));
    assert!(!users[0].email_verified, "the issuer does not say so");
    let (flow_token, callback) = go(&atom, "eve").await;
    let eve = atom.accounts().complete_social(flow_token, callback, None).await.unwrap().signed_in().unwrap();
    assert_ne!(eve.user.id, users[0].id);
    assert_eq!(oidc.exchanges().await, vec!["authorization_code ok"; 3]);
});

on_both!(p25_a_certified_issuer_refuses_a_code_of_another_flow, |database| async move {
    let Some(oidc) = Oidc::client(LIFETIME).await else { return skipped() };
    let atom = database.builder().sign_in_provider(oidc.sign_in_provider()).open().await.unwrap();
    let code = |callback: &str| callback.split(['?', '&']).find(|p| p.starts_with("code=")).unwrap().to_owned();
    let ((_, adas), (flow_token, eves)) = (go(&atom, "ada").await, go(&atom, "eve").await);
    let injected = eves.replace(&code(&eves), &code(&adas));
    assert_eq!(reason(atom.accounts().complete_social(flow_token, injected, None).await), "code_refused");
    let (flow_token, callback) = go(&atom, "ada").await;
    let nameless = callback.split('&').filter(|part| !part.starts_with("iss=")).collect::<Vec<_>>().join("&");
    assert_eq!(reason(atom.accounts().complete_social(flow_token, nameless, None).await), "wrong_issuer");
});
