//! Signing up and in, refreshing, signing out.

use crate::mail::Letters;
use crate::support::*;
use atom_core::{Client, Credentials, ErrorKind, MailKind, NewAccount, Role, Secret};

on_both!(a_new_user_owns_a_workspace_and_signs_in_again, |database| async move {
    let atom = database.open().await;
    let (session, scope) = sign_up(&atom, "Ada@Example.com").await;
    assert_eq!((session.role, session.user.email.as_str()), (Role::Owner, "Ada@Example.com"));
    assert_eq!(scope.principal().workspace_id, session.workspace.id);

    let again = atom.accounts().sign_in(credentials(" ada@example.COM", PASSWORD)).await.unwrap().signed_in().unwrap();
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

on_both!(a_sign_in_on_a_new_device_is_told_by_mail_and_one_on_a_known_device_is_not, |database| async move {
    let letters = Letters::taking();
    let atom = letters.on(database.builder()).open().await.unwrap();
    let device = |name: &str| Client { ip: Some("192.0.2.7".into()), device_name: Some(name.into()), ..Default::default() };
    let home = NewAccount { client: Some(device("Desk")), ..account("ada@example.com") };
    let home = atom.accounts().sign_up(home).await.unwrap();
    let on = async |client, known_device| {
        let credentials = Credentials { client, known_device, ..credentials("ada@example.com", PASSWORD) };
        atom.accounts().sign_in(credentials).await.unwrap().signed_in().unwrap()
    };
    on(Some(device("Desk")), None).await;
    on(Some(device("Renamed")), Some(home.refresh_token)).await;
    on(None, None).await;
    on(Some(device("<b>Phone</b>")), None).await;
    let letter = letters.nth(MailKind::NewDevice, 1).await;
    assert_eq!((letter.to.as_str(), letters.taken().len()), ("ada@example.com", 1));
    assert!(letter.text.contains("Device: <b>Phone</b>") && letter.text.contains("Where: 192.0.2.7"), "{}", letter.text);
    assert!(!letter.html.unwrap().contains("<b>Phone"));
    on(Some(device("<b>Phone</b>")), None).await;
    assert_eq!(letters.taken().len(), 1);
});
