//! The list of a user's sessions, and ending them from it.

use super::*;

/// Bob's sessions: the first in his own workspace, and one in Ada's.
async fn guest(database: &Database, atom: &Atom, ada: &Session) -> (Session, Session) {
    let (home, _) = sign_up(atom, "bob@example.com").await;
    join(database, "bob@example.com", Role::Member).await;
    let credentials = Credentials { workspace_id: Some(ada.workspace.id), ..credentials("bob@example.com", PASSWORD) };
    (home, atom.accounts().sign_in(credentials).await.unwrap().signed_in().unwrap())
}

on_both!(a_user_sees_their_devices_and_which_of_them_asks, |database| async move {
    let clock = TestClock::new();
    let atom = database.builder().clock(clock.clone()).open().await.unwrap();
    let begun = clock.now();
    let account = NewAccount { client: Some(client("::ffff:192.0.2.7", " Ada's desk ")), ..account("ada@example.com") };
    let desk = atom.accounts().sign_up(account).await.unwrap();
    clock.advance(TimeDelta::hours(1));
    let phone = device(&atom, Client { user_agent: Some("Phone/1".into()), ..client("2001:db8::5", "Phone") }).await;
    clock.advance(TimeDelta::hours(1));
    let desk = atom.accounts().refresh_from(desk.refresh_token, client("198.51.100.9", "Ada's desk")).await.unwrap();
    let phone = atom.accounts().refresh(phone.refresh_token).await.unwrap();

    let sessions = atom.authenticate(desk.access_token).await.unwrap().sessions().list().await.unwrap();
    let [first, second] = &sessions[..] else { panic!("{sessions:?}") };
    assert_eq!((first.id, first.is_current, second.id, second.is_current), (phone.id, false, desk.id, true));
    let phones = Client { user_agent: Some("Phone/1".into()), ..client("2001:db8::5", "Phone") };
    assert_eq!(first.client, Some(phones), "a refresh that tells nothing leaves it as it was");
    assert_eq!(second.client, Some(client("198.51.100.9", "Ada's desk")), "as it was told last");
    assert_eq!(second.workspace_id, desk.workspace.id);
    assert!(second.created_at - begun < TimeDelta::minutes(1) && second.last_used_at - begun >= TimeDelta::hours(2));
    assert_eq!((first.expires_at, second.expires_at), (phone.refresh_expires_at, desk.refresh_expires_at));
});

on_both!(p39_what_is_known_of_a_client_is_sealed_and_in_no_log, |database| async move {
    let atom = database.open().await;
    let account = NewAccount { client: Some(client("203.0.113.77", "canary-device")), ..account("ada@example.com") };
    let session = atom.accounts().sign_up(account).await.unwrap();
    let wrong = Credentials {
        client: Some(client("203.0.113.77", "canary-device")),
        ..credentials("ada@example.com", "not the password")
    };
    assert_eq!(reason(atom.accounts().sign_in(wrong).await), "wrong_credentials");
    atom.accounts().refresh_from(session.refresh_token, client("203.0.113.77", "canary-device")).await.unwrap();
    for part in dump(&database).await {
        assert!(!part.contains("203.0.113.77") && !part.contains("canary-device"));
    }
});

on_both!(p21_nobody_sees_or_ends_the_sessions_of_another, |database| async move {
    let atom = database.open().await;
    let (ada, adas) = sign_up(&atom, "ada@example.com").await;
    let (_, bob) = guest(&database, &atom, &ada).await;
    let bobs = atom.authenticate(bob.access_token.clone()).await.unwrap();
    let ids = |sessions: Vec<ActiveSession>| sessions.into_iter().map(|session| session.id).collect::<Vec<_>>();
    assert_eq!(ids(adas.sessions().list().await.unwrap()), [ada.id], "an owner does not see those of members");
    let seen = bobs.sessions().list().await.unwrap();
    assert_eq!(seen.len(), 2, "his own in both workspaces");
    assert!(seen.iter().all(|session| session.id != ada.id));

    for (scope, foreign) in [(&adas, bob.id), (&bobs, ada.id), (&adas, SessionId::generate())] {
        assert_eq!(reason(scope.sessions().revoke(foreign).await), "not_found");
    }
    assert_eq!(bobs.sessions().revoke_others().await.unwrap(), 1);
    assert_eq!(adas.sessions().revoke_all().await.unwrap(), 1);
    atom.authenticate_live(bob.access_token).await.expect("what Ada ended was hers");
    assert_eq!(reason(atom.authenticate_live(ada.access_token).await), "session_revoked");
});

on_both!(a_session_is_ended_once_by_its_user, |database| async move {
    let atom = database.open().await;
    let (ada, scope) = sign_up(&atom, "ada@example.com").await;
    let phone = device(&atom, Client::default()).await;
    let sessions = scope.sessions();
    for _ in 0..2 {
        sessions.revoke(phone.id).await.expect("twice is no error");
    }
    assert_eq!(reason(atom.accounts().refresh(phone.refresh_token).await), "session_revoked");
    assert_eq!(sessions.list().await.unwrap().len(), 1);
    assert_eq!(endings(&scope).await, [(phone.id.to_string(), "session_revoked".to_owned())]);
    let acts =
        scope.audit().list(AuditFilter { action: Some(AuditAction::SessionRevoked), ..Default::default() }).await.unwrap().items;
    assert_eq!(acts.len(), 1);
    assert_eq!((acts[0].session_id, acts[0].user_id), (Some(ada.id), Some(ada.user.id)));

    sessions.revoke(ada.id).await.expect("the one that asks, too");
    assert_eq!(reason(sessions.list().await), "session_revoked", "an access token of it ends nothing more");
    assert_eq!(reason(sessions.revoke_all().await), "session_revoked");
});

on_both!(all_sessions_of_a_user_end_at_once_in_all_their_workspaces, |database| async move {
    let atom = database.open().await;
    let (ada, adas) = sign_up(&atom, "ada@example.com").await;
    let (home, here) = guest(&database, &atom, &ada).await;
    let bobs = atom.authenticate(here.access_token.clone()).await.unwrap();
    let phone = Credentials { workspace_id: Some(home.workspace.id), ..credentials("bob@example.com", PASSWORD) };
    atom.accounts().sign_in(phone).await.unwrap();
    let at_home = atom.authenticate(home.access_token.clone()).await.unwrap();
    assert_eq!(bobs.sessions().revoke_all().await.unwrap(), 3);
    for token in [here.refresh_token, home.refresh_token] {
        assert_eq!(reason(atom.accounts().refresh(token).await), "session_revoked");
    }
    // Each workspace has its own part of it, and none names a session of the other.
    assert_eq!(endings(&adas).await, [(here.id.to_string(), "session_revoked".to_owned())]);
    let ended = endings(&at_home).await;
    assert_eq!(ended.len(), 2, "{ended:?}");
    let filter = AuditFilter { action: Some(AuditAction::SessionRevoked), ..Default::default() };
    let acts = at_home.audit().list(filter).await.unwrap().items;
    assert!(acts.len() == 2 && acts.iter().all(|act| act.session_id.is_none()), "{acts:?}");
    atom.authenticate_live(ada.access_token).await.expect("Ada's goes on");
});

on_both!(kill_all_from_many_sides_at_once_ends_each_session_once, |database| async move {
    let atom = database.open().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let principal = scope.principal();
    atom_core::testing::fill_sessions(&atom, &scope, 30).await.unwrap();
    let scope = atom.act_as(principal.user_id, principal.workspace_id).await.unwrap();
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let sessions = scope.sessions();
            tokio::spawn(async move { sessions.revoke_all().await.unwrap() })
        })
        .collect();
    let mut ended = 0;
    for caller in callers {
        ended += caller.await.unwrap();
    }
    assert_eq!(ended, 31);
    assert_eq!(endings(&scope).await.len(), 31);
    assert_eq!(scope.audit().verify(None).await.unwrap().problem, None);
});

on_both!(a_scope_for_a_purpose_or_without_a_session_is_told_so, |database| async move {
    let atom = database.open().await;
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    let bound = scope.for_purpose(Purpose { purpose: "sync".into(), tool: None }).await.unwrap().sessions();
    assert_eq!(reason(bound.list().await), "purpose_fixed");
    assert_eq!(reason(bound.revoke_all().await), "purpose_fixed");
    let absent = atom.act_as(session.user.id, session.workspace.id).await.unwrap().sessions();
    assert!(!absent.list().await.unwrap()[0].is_current);
    assert_eq!(reason(absent.revoke_others().await), "no_session");
    assert_eq!(absent.revoke_all().await.unwrap(), 1, "a host can end them for its user");
});

on_both!(what_a_client_is_said_to_be_is_checked_and_cut, |database| async move {
    let atom = database.open().await;
    let account = NewAccount { client: Some(client("not an address", "x")), ..account("ada@example.com") };
    assert_eq!(reason(atom.accounts().sign_up(account).await), "malformed_client");
    let (session, _) = sign_up(&atom, "ada@example.com").await;
    let refused = atom.accounts().refresh_from(session.refresh_token.clone(), client("1.2.3.4:80", "x")).await;
    assert_eq!(reason(refused), "malformed_client");
    let loud = client("192.0.2.7", &"x".repeat(10_000));
    let session = atom.accounts().refresh_from(session.refresh_token, loud).await.unwrap();
    let listed = atom.authenticate(session.access_token).await.unwrap().sessions().list().await.unwrap().remove(0);
    assert_eq!(listed.client.unwrap().device_name.unwrap().len(), 100);
});

on_both!(sessions_that_ended_long_ago_are_forgotten, |database| async move {
    let clock = TestClock::new();
    let atom = database.builder().clock(clock.clone()).open().await.unwrap();
    let (session, _) = sign_up(&atom, "ada@example.com").await;
    clock.advance(TimeDelta::days(209));
    let later = database.builder().clock(clock.clone()).open().await.unwrap();
    assert_eq!(reason(later.accounts().refresh(session.refresh_token.clone()).await), "session_expired");
    clock.advance(TimeDelta::days(2));
    let later = database.builder().clock(clock).open().await.unwrap();
    assert_eq!(reason(later.accounts().refresh(session.refresh_token).await), "invalid_refresh_token");
});
