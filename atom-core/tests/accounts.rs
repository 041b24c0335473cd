//! Signing up and in, refreshing, signing out.

use crate::support::*;
use atom_core::{ErrorKind, Role, Secret};

on_both!(a_new_user_owns_a_workspace_and_signs_in_again, |database| async move {
    let atom = database.open().await;
    let (session, scope) = sign_up(&atom, "Ada@Example.com").await;
    assert_eq!((session.role, session.user.email.as_str()), (Role::Owner, "Ada@Example.com"));
    assert_eq!(scope.principal().workspace_id, session.workspace.id);

    let again = atom.accounts().sign_in(credentials(" ada@example.COM", PASSWORD)).await.unwrap();
    assert_eq!(again.user.id, session.user.id);
    assert_ne!(again.id, session.id);
});

on_both!(an_email_is_taken_once_however_it_is_spelled, |database| async move {
    let atom = database.open().await;
    let accounts = atom.accounts();
    let attempts = (0..10).map(|i| {
        let (accounts, email) = (accounts.clone(), if i % 2 == 0 { "ada@example.com" } else { "ADA@example.com" });
        tokio::spawn(async move { accounts.sign_up(account(email)).await })
    });
    let mut won = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        match attempt.await.unwrap() {
            Ok(_) => won += 1,
            Err(error) => assert_eq!((error.kind(), error.reason()), (ErrorKind::Conflict, "email_taken")),
        }
    }
    assert_eq!(won, 1);
});

on_both!(p04_a_wrong_password_and_an_unknown_user_look_alike, |database| async move {
    let atom = database.open().await;
    sign_up(&atom, "ada@example.com").await;
    let wrong = atom.accounts().sign_in(credentials("ada@example.com", "not the password at all")).await.err().unwrap();
    for unknown in ["eve@example.com", "not an address"] {
        let unknown = atom.accounts().sign_in(credentials(unknown, PASSWORD)).await.err().unwrap();
        assert_eq!(format!("{wrong:?}"), format!("{unknown:?}"));
    }
});

on_both!(p02_weak_passwords_and_malformed_addresses_are_refused, |database| async move {
    let atom = database.open().await;
    for (email, password, expected) in [
        ("ada@example.com", "fourteen chars", "weak_password"),
        ("ada@example.com", "", "weak_password"),
        ("ada", PASSWORD, "malformed_email"),
    ] {
        let mut account = account(email);
        account.password = password.into();
        assert_eq!(reason(atom.accounts().sign_up(account).await), expected);
    }
    let mut long = account("ada@example.com");
    long.password = "x".repeat(1001).into();
    assert_eq!(reason(atom.accounts().sign_up(long).await), "password_too_long");
});

on_both!(tokens_of_another_installation_and_garbage_are_refused, |database| async move {
    let atom = database.open().await;
    let (session, _) = sign_up(&atom, "ada@example.com").await;
    let elsewhere = Database::sqlite();
    let other = elsewhere.open().await;
    assert_eq!(reason(other.authenticate(session.access_token.clone()).await), "invalid_access_token");
    assert_eq!(reason(other.accounts().refresh(session.refresh_token.clone()).await), "invalid_refresh_token");
    let mut altered = session.refresh_token.expose().to_owned();
    let last = altered.pop().unwrap();
    altered.push(if last == 'A' { 'E' } else { 'A' });
    for garbage in ["", "atom_rt_", "atom_rt_!!", "a.b.c", "..", altered.as_str()] {
        assert_eq!(reason(atom.authenticate(Secret::from(garbage)).await), "invalid_access_token", "{garbage}");
        assert_eq!(reason(atom.accounts().refresh(Secret::from(garbage)).await), "invalid_refresh_token", "{garbage}");
    }
});

on_both!(p21_a_member_acts_only_in_their_own_workspace, |database| async move {
    let atom = database.open().await;
    let (ada, _) = sign_up(&atom, "ada@example.com").await;
    let (bob, _) = sign_up(&atom, "bob@example.com").await;
    let scope = atom.act_as(ada.user.id, ada.workspace.id).await.unwrap();
    assert_eq!(scope.principal().session_id, None);
    assert_eq!(reason(atom.act_as(ada.user.id, bob.workspace.id).await), "not_a_member");
    let mut credentials = credentials("ada@example.com", PASSWORD);
    credentials.workspace_id = Some(bob.workspace.id);
    assert_eq!(reason(atom.accounts().sign_in(credentials).await), "not_a_member");
});
