//! The Microsoft of `emulate`: signing in only. It demands the PKCE verifier, and its refresh tokens are good once.
//!
//! | where it does less than Microsoft | what is done |
//! | --- | --- |
//! | the directory is not in its paths | the script takes it out |
//! | of Graph there is `/me` only | mail, calendar, files and chat are tested elsewhere |
//! | an unknown token counts as the first user's | nothing is tested with a wrong one |

use super::*;
use crate::peers::skipped;
use chrono::TimeDelta;

const CLIENT: &str = "11111111-2222-3333-4444-555555555555";

fn me() -> RawRequest {
    RawRequest { method: "GET".into(), url: "https://graph.microsoft.com/v1.0/me".into(), ..Default::default() }
}

on_both!(an_account_is_connected_and_its_token_rotates, |database| async move {
    let Some(place) = Place::start("microsoft", "microsoft.mjs", CLIENT) else { return skipped() };
    let clock = TestClock::new();
    let atom = database.builder().clock(clock.clone()).provider(place.app()).open().await.unwrap();
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = place.consent(&scope, "charles@example.com").await;
    let account = connection.account().await.unwrap();
    assert_eq!((account.label.as_deref(), account.email.as_deref()), (Some("The charles"), Some("charles@example.com")));
    assert_eq!(account.facts["user_principal_name"], "charles@example.com");
    assert!(account.scopes.iter().any(|scope| scope == "offline_access"), "{:?}", account.scopes);
    let id = connection.id();
    atom.shut_down().await.unwrap();

    let backup = database.copy().await;
    let [atom, restored] = [&database, &backup].map(|d| d.builder().clock(clock.clone()).provider(place.app()).open());
    let (atom, restored) = (atom.await.unwrap(), restored.await.unwrap());
    let open = async |atom: &Atom| {
        let scope = atom.act_as(session.user.id, session.workspace.id).await.unwrap();
        scope.connections().open(id).await.unwrap()
    };
    let (connection, copy) = (open(&atom).await, open(&restored).await);
    let mut seen = BTreeSet::new();
    for _ in 0..3 {
        clock.advance(TimeDelta::hours(2));
        seen.insert(connection.access_token().await.unwrap().token.expose().to_owned());
        let me = connection.request(me()).await.unwrap();
        assert_eq!(me.json.unwrap().0["mail"], "charles@example.com");
    }
    assert_eq!(seen.len(), 3);
    assert_eq!(copy.access_token().await.err().unwrap().reason(), "invalid_grant", "a refresh token is good once");
});

on_both!(a_code_is_of_no_use_to_whoever_began_another_consent, |database| async move {
    let Some(place) = Place::start("microsoft", "microsoft.mjs", CLIENT) else { return skipped() };
    let (_atom, scope) = place.scope(&database).await;
    let consent = async || {
        let authorization = scope.connections().start(start("microsoft")).await.unwrap();
        visit(&authorization.url, |page| Choice::Submit(forms(page).pop().unwrap())).await
    };
    let code = |callback: &str| callback.split(['?', '&']).find(|part| part.starts_with("code=")).unwrap().to_owned();
    let (one, other) = (consent().await, consent().await);
    let injected = other.replace(&code(&other), &code(&one));
    assert_eq!(scope.connections().complete(injected).await.err().unwrap().reason(), "code_refused");
    scope.connections().complete(one).await.unwrap();
});

on_both!(an_app_gets_a_token_without_a_user, |database| async move {
    let Some(place) = Place::start("microsoft", "microsoft.mjs", CLIENT) else { return skipped() };
    let (_atom, scope) = place.scope(&database).await;
    let tenant = "99999999-2222-3333-4444-555555555555";
    let fields = [("tenant_id", tenant), ("client_id", CLIENT), ("client_secret", SECRET)];
    let connection = place.connect(&scope, "client_credentials", &fields).await.unwrap();
    assert_eq!(connection.account().await.unwrap().account_id, tenant);
    assert!(connection.access_token().await.unwrap().token.expose().starts_with("microsoft_"));
    let wrong = [("tenant_id", tenant), ("client_id", CLIENT), ("client_secret", "guessed")];
    let refused = place.connect(&scope, "client_credentials", &wrong).await.err().unwrap();
    assert_eq!((refused.kind(), refused.reason()), (ErrorKind::Invalid, "credentials_refused"));
});
