//! Users of another system, and their passwords.

use super::*;
use chrono::{DateTime, TimeDelta, Utc};

/// What another system has stored of this password.
const OLD: &str = "correct horse battery staple";
const BCRYPT: &str = "$2b$06$fMUvhYpCcdMOU2VLwJYnyeYmzTAL6CiwDD99dkISkcqmYv2C2uJTG";
const PBKDF2: &str = "pbkdf2:sha1:1000$a5zxhr7M4uZqAA8K$52332a556b9c55737b70c17bce89d9cefc239040";

fn imported(email: &str, hash: &str) -> ImportedUser {
    ImportedUser { email: email.into(), password_hash: Some(hash.into()), ..Default::default() }
}

/// How many passwords are hashed as Atom does it.
async fn rehashed(database: &Database) -> i64 {
    number(database, "SELECT count(*) FROM atom_users WHERE password_hash LIKE '$argon2id$v=19$m=19456,t=2,p=1$%'").await
}

on_both!(p01_whoever_comes_from_another_system_signs_in_and_is_hashed_anew, |database| async move {
    let atom = database.open().await;
    let then = DateTime::from_timestamp(1_500_000_000, 0).unwrap();
    let ada = ImportedUser {
        email_verified: Some(true),
        display_name: Some("Ada".into()),
        workspace_name: Some("Engines".into()),
        locale: Some("de-AT".into()),
        created_at: Some(then),
        ..imported(" Ada@Example.com", BCRYPT)
    };
    let user = atom.users().import_user(ada).await.unwrap();
    assert_eq!((user.email.as_str(), user.email_verified, user.created_at), ("Ada@Example.com", true, then));
    assert_eq!(reason(sign_in(&atom, PASSWORD).await), "wrong_credentials");
    assert_eq!(rehashed(&database).await, 0);
    let session = sign_in(&atom, OLD).await.unwrap();
    assert_eq!((session.user, session.workspace.name.as_str(), session.role), (user.clone(), "Engines", Role::Owner));
    assert_eq!(rehashed(&database).await, 1);
    assert_eq!(reason(sign_in(&atom, PASSWORD).await), "wrong_credentials");
    sign_in(&atom, OLD).await.expect("by the new hash");

    let scope = atom.authenticate(session.access_token).await.unwrap();
    let first = scope.audit().list(AuditFilter::default()).await.unwrap().items.pop().unwrap();
    assert_eq!((first.action, first.subject, first.user_id), (AuditAction::UserImported, Some(user.id.to_string()), None));
    assert_eq!(scope.events().list(EventFilter::default()).await.unwrap().items[0].name, "user.imported");
});

on_both!(p01_a_proof_in_a_session_hashes_anew_and_a_weak_argon2_hash_is_replaced_too, |database| async move {
    let atom = database.open().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let weak = "$argon2id$v=19$m=512,t=1,p=1$7BsetwYNbiCNfMTKdoWiHg$qE4O6XkCUaF+4BIzYF9j+jfIiLrxgY2hudC5hYkFnYs";
    let weaken = format!("UPDATE atom_users SET password_hash = '{weak}'");
    sql(&database, weaken.clone(), weaken).await;
    assert_eq!(reason(scope.step_up().with_password(PASSWORD.into()).await), "wrong_credentials");
    assert_eq!(rehashed(&database).await, 0);
    scope.step_up().with_password(OLD.into()).await.unwrap();
    assert_eq!(rehashed(&database).await, 1);
});

on_both!(p01_many_first_sign_ins_at_once_hash_anew_and_all_get_in, |database| async move {
    let atom = database.open().await;
    atom.users().import_user(imported("ada@example.com", BCRYPT)).await.unwrap();
    let callers = [(); 8].map(|()| {
        let atom = atom.clone();
        tokio::spawn(async move { sign_in(&atom, OLD).await })
    });
    for caller in callers {
        caller.await.unwrap().expect("another hash of the same password is no other password");
    }
});

on_both!(an_import_can_be_repeated_and_changes_nobody_who_is_there, |database| async move {
    let atom = database.open().await;
    let users = atom.users();
    sign_up(&atom, "ada@example.com").await;
    assert_eq!(reason(users.import_user(imported("ADA@example.com", BCRYPT)).await), "email_taken");
    let list =
        || vec![imported("bob@example.com", BCRYPT), imported("ada@example.com", BCRYPT), imported("BOB@example.com", PBKDF2)];
    let made = users.import_users(list()).await.unwrap();
    assert_eq!(made.iter().map(|import| import.is_new).collect::<Vec<_>>(), [true, false, false]);
    assert_eq!((made[0].user.id, made[2].user.email.as_str()), (made[2].user.id, "bob@example.com"));
    let again = users.import_users(list()).await.unwrap();
    assert!(again.iter().all(|import| !import.is_new));
    assert_eq!(
        again.iter().map(|import| import.user.id).collect::<Vec<_>>(),
        made.iter().map(|import| import.user.id).collect::<Vec<_>>()
    );
    sign_in(&atom, PASSWORD).await.expect("Ada has her own");
    assert_eq!(number(&database, "SELECT count(*) FROM atom_workspaces").await, 2);
    assert!(users.import_users(Vec::new()).await.unwrap().is_empty());
});

on_both!(two_who_import_the_same_users_make_each_once, |database| async move {
    let (one, other) = (database.open().await, database.open().await);
    let list = || (0..50).map(|i| imported(&format!("user{i}@example.com"), PBKDF2)).collect();
    let (ours, theirs) = (one.users(), other.users());
    let (ours, theirs) = tokio::join!(ours.import_users(list()), theirs.import_users(list()));
    let (ours, theirs) = (ours.unwrap(), theirs.unwrap());
    assert!(ours.iter().zip(&theirs).all(|(a, b)| a.user.id == b.user.id && a.is_new != b.is_new));
    assert_eq!(number(&database, "SELECT count(*) FROM atom_users").await, 50);
    assert_eq!(number(&database, "SELECT count(*) FROM atom_memberships").await, 50);
});

on_both!(an_import_that_cannot_be_stored_whole_stores_nobody, |database| async move {
    let atom = database.open().await;
    let users = atom.users();
    let heavy = "$argon2id$v=19$m=4194304,t=1,p=1$7BsetwYNbiCNfMTKdoWiHg$qE4O6XkCUaF+4BIzYF9j+jfIiLrxgY2hudC5hYkFnYs";
    let wrong = [
        (imported("nobody", BCRYPT), "malformed_email"),
        (imported("bob@example.com", "plain text"), "malformed_password_hash"),
        (imported("bob@example.com", ""), "malformed_password_hash"),
        (imported("bob@example.com", heavy), "malformed_password_hash"),
        (ImportedUser { locale: Some("German!".into()), ..imported("bob@example.com", BCRYPT) }, "malformed_locale"),
    ];
    for (user, expected) in wrong {
        let refused = users.import_users(vec![imported("ada@example.com", BCRYPT), user.clone()]).await.expect_err(expected);
        assert_eq!(refused.reason(), expected);
        let text = refused.to_string();
        assert!(text.contains("user 2 of the list") && !text.contains("bob") && !text.contains("plain text"), "{text}");
        assert_eq!(reason(users.import_user(user).await), expected);
    }
    let many = (0..1001).map(|i| imported(&format!("user{i}@example.com"), BCRYPT)).collect();
    assert_eq!(reason(users.import_users(many).await), "too_many_users");
    assert_eq!(number(&database, "SELECT count(*) FROM atom_users").await, 0);
});

on_both!(a_thousand_users_come_over_at_once, |database| async move {
    let atom = database.open().await;
    let began: DateTime<Utc> = Utc::now();
    let many = (0..1000).map(|i| imported(&format!("user{i}@example.com"), BCRYPT)).collect();
    let made = atom.users().import_users(many).await.unwrap();
    assert!(made.len() == 1000 && made.iter().all(|import| import.is_new));
    assert!(Utc::now() - began < TimeDelta::seconds(60));
    let last = credentials("user999@example.com", OLD);
    atom.accounts().sign_in(last).await.unwrap().signed_in().unwrap();
});
