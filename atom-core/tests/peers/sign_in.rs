//! Signing in with the Google, the GitHub and the Microsoft of `emulate`, with what is known of these in advance.

use super::browser::{Choice, forms, visit};
use super::server::{Server, Visit};
use super::skipped;
use crate::support::*;
use atom_core::*;
use std::sync::OnceLock;

const SECRET: &str = "a secret: 50% & more";
/// The directory of `emulate`.
const TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

fn provider(name: &str, client_id: &str, redirect_uri: &str, visit: &Visit) -> SignInProvider {
    SignInProvider {
        name: name.into(),
        client_id: client_id.into(),
        client_secret: Some(SECRET.into()),
        redirect_uri: redirect_uri.into(),
        development_endpoint: Some(visit.0.url.clone()),
        ..Default::default()
    }
}

/// The user picks an account on the provider's page, and comes back.
async fn go(atom: &Atom, provider: &str, who: &str) -> Result<SignIn> {
    let start = SocialStart { provider: provider.into(), ..Default::default() };
    let flow = atom.accounts().begin_social(start).await?;
    let answer = |page: &str| {
        let mine = forms(page).into_iter().find(|form| form.fields.values().any(|value| value == who));
        Choice::Submit(mine.unwrap_or_else(|| panic!("{who} is not among: {page}")))
    };
    let callback = visit(&flow.url, answer).await;
    let ended = atom.accounts().complete_social(flow.flow_token.clone(), callback.clone(), None).await;
    let again = atom.accounts().complete_social(flow.flow_token, callback, None).await;
    assert_eq!(reason(again), "state_unknown");
    ended
}

async fn verify(database: &Database, email: &str) {
    let verified = |now: &str| format!("UPDATE atom_users SET email_verified_at = {now} WHERE email = '{email}'");
    sql(database, verified("1"), verified("now()")).await;
}

on_both!(p10_google_leads_to_the_account_with_its_mailbox, |database| async move {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let Some(server) = SERVER.get_or_init(|| Server::start("google_sign_in.mjs")) else { return skipped() };
    let visit = Visit(server);
    let google = provider("google", "atom.apps.googleusercontent.com", "https://app.example.com/sign-in/google", &visit);
    let atom = database.builder().sign_in_provider(google).open().await.unwrap();
    let (ada, _) = sign_up(&atom, "ada@gmail.com").await;
    verify(&database, "ada@gmail.com").await;
    for _ in 0..2 {
        let session = go(&atom, "google", "ada@gmail.com").await.unwrap().signed_in().unwrap();
        assert_eq!(session.user.id, ada.user.id);
    }
    let eve = go(&atom, "google", "eve@gmail.com").await.unwrap().signed_in().unwrap();
    assert_eq!((eve.user.display_name.as_deref(), eve.user.email_verified), (Some("The eve"), true));
});

on_both!(p10_github_leads_to_the_account_with_its_verified_address, |database| async move {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let Some(server) = SERVER.get_or_init(|| Server::start("github.mjs")) else { return skipped() };
    let visit = Visit(server);
    let github = provider("github", "atom", "https://app.example.com/callback/github", &visit);
    let atom = database.builder().sign_in_provider(github).open().await.unwrap();
    let (ada, _) = sign_up(&atom, "ada@example.com").await;
    verify(&database, "ada@example.com").await;
    let session = go(&atom, "github", "ada").await.unwrap().signed_in().unwrap();
    assert_eq!(session.user.id, ada.user.id);
    let charles = go(&atom, "github", "charles").await.unwrap().signed_in().unwrap();
    assert_eq!(charles.user.display_name.as_deref(), Some("The charles"));
});

on_both!(p10_microsoft_leads_to_no_account_by_an_address_alone, |database| async move {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let Some(server) = SERVER.get_or_init(|| Server::start("microsoft_sign_in.mjs")) else { return skipped() };
    let visit = Visit(server);
    let client_id = "11111111-2222-3333-4444-555555555555";
    let microsoft = provider("microsoft", client_id, "https://app.example.com/sign-in/microsoft", &visit);
    let microsoft = SignInProvider { tenants: Some(vec![TENANT.into()]), ..microsoft };
    let atom = database.builder().sign_in_provider(microsoft.clone()).open().await.unwrap();
    sign_up(&atom, "ada@example.com").await;
    verify(&database, "ada@example.com").await;
    assert!(matches!(go(&atom, "microsoft", "ada@example.com").await.unwrap(), SignIn::LinkRequired { .. }));
    let eve = go(&atom, "microsoft", "eve@example.com").await.unwrap().signed_in().unwrap();
    assert!(!eve.user.email_verified);

    let other = SignInProvider { tenants: Some(vec!["72f988bf-86f1-41af-91ab-2d7cd011db47".into()]), ..microsoft };
    let atom = database.builder().sign_in_provider(other).open().await.unwrap();
    assert_eq!(reason(go(&atom, "microsoft", "ada@example.com").await), "tenant_not_allowed");
});
