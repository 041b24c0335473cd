//! What happens when a user is disabled or erased at the moment in which they come in.

use super::*;

/// How many sessions stand.
const STANDING: &str = "SELECT count(*) FROM atom_sessions WHERE revoked_at IS NULL";
/// The hash of another system's, which is quick to verify.
const BCRYPT: &str = "$2b$06$fMUvhYpCcdMOU2VLwJYnyeYmzTAL6CiwDD99dkISkcqmYv2C2uJTG";
const OLD: &str = "correct horse battery staple";

on_both!(p15_no_session_survives_a_disabling_or_an_erasure_at_the_same_moment_a_hundred_times, |database| async move {
    // Two installations, as two processes have them.
    let (atom, other) = (database.open().await, database.open().await);
    let mut came_first = 0;
    for round in 0..100 {
        let email = format!("ada{round}@example.com");
        let user = ImportedUser { email: email.clone(), password_hash: Some(BCRYPT.into()), ..Default::default() };
        let id = atom.users().import_user(user).await.unwrap().id;
        let first = atom.accounts().sign_in(credentials(&email, OLD)).await.unwrap().signed_in().unwrap();
        let comes_in = {
            let (other, token, email) = (other.clone(), first.refresh_token.clone(), email.clone());
            tokio::spawn(async move {
                if round % 2 == 0 {
                    other.accounts().sign_in(credentials(&email, OLD)).await.and_then(SignIn::signed_in)
                } else {
                    other.accounts().refresh(token).await
                }
            })
        };
        // The hash takes its time: let it be verified in some rounds before the end, and in others after it.
        tokio::time::sleep(std::time::Duration::from_millis(if round % 2 == 0 { round % 50 } else { 0 })).await;
        let goes = async {
            match round / 2 % 2 {
                0 => atom.users().erase(id).await,
                _ => atom.users().disable(id, None).await.map(drop),
            }
        };
        goes.await.unwrap();
        let came_in = comes_in.await.unwrap();
        assert_eq!(number(&database, STANDING).await, 0, "round {round}");
        match came_in {
            Ok(session) => {
                came_first += 1;
                assert_eq!(atom.authenticate_live(session.access_token).await.err().unwrap().code(), "unauthenticated");
                assert_eq!(atom.accounts().refresh(session.refresh_token).await.err().unwrap().code(), "unauthenticated");
            }
            Err(error) => {
                let known = [
                    "user_disabled",
                    "wrong_credentials",
                    "session_revoked",
                    "invalid_refresh_token",
                    "not_a_member",
                    "not_found",
                ];
                // Or the workspace's keys were destroyed meanwhile.
                let is_known = error.kind() == ErrorKind::Sealed || known.contains(&error.reason());
                assert!(is_known, "round {round}: {error:?}");
            }
        }
    }
    assert!(came_first < 100, "some came too late");
});

on_both!(p38_of_ten_who_erase_a_user_at_once_one_does_and_nobody_fails, |database| async move {
    let (atom, other) = (database.open().await, database.open().await);
    for round in 0..10 {
        let (session, _) = sign_up(&atom, &format!("ada{round}@example.com")).await;
        let id = session.user.id;
        let tries = (0..10).map(|i| {
            let atom = if i % 2 == 0 { atom.clone() } else { other.clone() };
            tokio::spawn(async move { atom.users().erase(id).await })
        });
        for result in tries.collect::<Vec<_>>() {
            // Whoever comes when all is done finds nobody.
            assert!(result.await.unwrap().map_or_else(|error| error.code() == "not_found", |()| true), "round {round}");
        }
        assert_eq!(number(&database, "SELECT count(*) FROM atom_users").await, 0);
    }
    let log = atom.keys().audit(AuditFilter { action: Some(AuditAction::UserErased), ..Default::default() }).await.unwrap();
    assert_eq!(log.items.len(), 10, "each once");
});

on_both!(a_user_who_makes_workspaces_while_they_are_erased_leaves_none_behind, |database| async move {
    let (atom, other) = (database.open().await, database.open().await);
    for round in 0..20 {
        let (session, _) = sign_up(&atom, &format!("ada{round}@example.com")).await;
        let makes = {
            let (other, token) = (other.clone(), session.access_token.clone());
            tokio::spawn(async move {
                let scope = other.authenticate(token).await.unwrap();
                while scope.workspaces().create(NewWorkspace { name: "Engines".into() }).await.is_ok() {}
            })
        };
        tokio::time::sleep(std::time::Duration::from_millis(round)).await;
        atom.users().erase(session.user.id).await.unwrap();
        makes.await.unwrap();
        assert_eq!(number(&database, "SELECT count(*) FROM atom_workspaces").await, 0, "round {round}");
        assert_eq!(number(&database, "SELECT count(*) FROM atom_users").await, 0, "round {round}");
    }
});
