//! Rotation of the data key of a workspace.

use super::*;
use atom_core::testing::fill_sessions;

on_both!(p33_a_workspace_gets_a_new_data_key_and_its_records_follow, |database| async move {
    let (atom, google) = database.with_google().await;
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = connect(&scope, &google, "ada@gmail.example").await;
    let tokens = fill_sessions(&atom, &scope, 250).await.unwrap();
    let (keys, workspace) = (atom.keys(), Some(session.workspace.id));
    let first = keys.data_keys(workspace).await.unwrap().remove(0);
    assert_eq!((first.generation, first.state), (1, DataKeyState::Current));

    let second = keys.rotate_workspace(workspace).await.unwrap();
    assert_eq!((second.generation, second.state), (2, DataKeyState::Current));
    assert_eq!(states(&keys.data_keys(workspace).await.unwrap()), [DataKeyState::Current, DataKeyState::Retiring]);

    let part = keys.reseal(workspace, Some(100)).await.unwrap();
    assert_eq!((part.resealed, part.is_done, part.next_at), (100, false, None));
    let rest = keys.reseal(workspace, None).await.unwrap();
    assert_eq!((rest.resealed, rest.damaged, rest.is_done), (152, 0, true));
    assert!(rest.next_at.is_some(), "the older key is kept for a day");
    assert_eq!(keys.reseal(workspace, None).await.unwrap().resealed, 0);

    let other = database.builder().provider(google.app()).open().await.unwrap();
    for token in tokens.into_iter().chain([session.refresh_token]) {
        other.accounts().refresh(token).await.expect("every record opens in another process");
    }
    connection.access_token().await.unwrap();

    hurry(&atom, 0);
    keys.reseal(workspace, None).await.unwrap();
    let after = keys.data_keys(workspace).await.unwrap();
    assert_eq!(states(&after), [DataKeyState::Current, DataKeyState::Destroyed]);
    assert_eq!(after[1].id, first.id);
    assert_eq!(keys.status().await.unwrap().destroyed_data_keys, 1);
    let fresh = database.builder().provider(google.app()).open().await.unwrap();
    let scope = fresh.act_as(session.user.id, session.workspace.id).await.unwrap();
    scope.connections().open(connection.id()).await.unwrap().access_token().await.expect("without the destroyed key");

    let entries = scope.audit().list(AuditFilter::default()).await.unwrap().items;
    let by_nobody: Vec<_> = entries.into_iter().filter(|e| e.user_id.is_none()).map(|e| (e.action, e.user_id)).collect();
    assert_eq!(by_nobody, [(AuditAction::DataKeyDestroyed, None), (AuditAction::DataKeyRotated, None)]);
    assert_eq!(scope.audit().verify(None).await.unwrap().problem, None);
    let names = Some(vec!["workspace.*".to_owned()]);
    let events = scope.events().list(EventFilter { names, ..Default::default() }).await.unwrap().items;
    let told: Vec<_> = events.iter().map(|e| (e.name.as_str(), e.subject.clone().unwrap())).collect();
    assert_eq!(told, [("workspace.key_rotated", second.id.to_string()), ("workspace.key_destroyed", first.id.to_string())]);
});

on_both!(p33_another_process_seals_under_the_old_key_for_a_moment_and_nothing_is_lost, |database| async move {
    let (atom, other) = (database.open().await, database.open().await);
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    let workspace = Some(session.workspace.id);
    // It has looked just now, and will not look again for a while.
    pace_keys(&other, &KeyPace { look: Duration::from_secs(3600), ..Default::default() });
    fill_sessions(&other, &scope, 1).await.unwrap();
    atom.keys().rotate_workspace(workspace).await.unwrap();
    let done = atom.keys().reseal(workspace, None).await.unwrap();
    assert!(done.is_done && done.next_at.is_some());
    let late = fill_sessions(&other, &scope, 20).await.unwrap();

    hurry(&atom, 0);
    let again = atom.keys().reseal(workspace, None).await.unwrap();
    assert_eq!(again.resealed, 20, "what was sealed late is found, although the key had been idle");
    let keys = atom.keys().data_keys(workspace).await.unwrap();
    assert_eq!(states(&keys), [DataKeyState::Current, DataKeyState::Destroyed]);
    let fresh = database.open().await;
    for token in late {
        fresh.accounts().refresh(token).await.expect("sealed under a key that is destroyed by now");
    }
});

on_both!(p33_a_worker_takes_over_the_records_and_destroys_the_older_key_a_day_later, |database| async move {
    let clock = TestClock::new();
    let atom = database.builder().clock(clock.clone()).open().await.unwrap();
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    fill_sessions(&atom, &scope, 300).await.unwrap();
    let workspace = Some(session.workspace.id);
    hurry(&atom, 86_400_000);
    atom.keys().rotate_workspace(workspace).await.unwrap();

    let options = WorkerOptions { poll_seconds: Some(0.05), ..Default::default() };
    let worker = atom.start_worker([].into(), Some(options)).await.unwrap();
    let older = async || atom.keys().data_keys(workspace).await.unwrap().remove(1);
    let until = async |is_so: fn(&DataKey) -> bool| {
        for _ in 0..400 {
            if is_so(&older().await) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{:?}, {:?}", older().await, atom.jobs().list(JobFilter::default()).await.unwrap().items);
    };
    until(|key| key.idle_since.is_some()).await;
    assert_eq!(older().await.state, DataKeyState::Retiring);
    clock.advance(TimeDelta::hours(25));
    until(|key| key.state == DataKeyState::Destroyed).await;
    worker.stop().await.unwrap();
    let jobs = atom.jobs().list(JobFilter::default()).await.unwrap().items;
    assert_eq!((jobs.len(), jobs[0].kind.as_str()), (1, "atom.reseal"));
});

on_both!(p33_the_installations_own_key_is_rotated_too, |database| async move {
    let (atom, google) = database.with_google().await;
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    // Its state is sealed under the installation's key, at a place that nobody can know again: it keeps the key alive while it is valid.
    let pending = scope.connections().start(start("google")).await.unwrap();
    hurry(&atom, 0);
    let second = atom.keys().rotate_workspace(None).await.unwrap();
    let done = atom.keys().reseal(None, None).await.unwrap();
    assert_eq!((done.workspace_id, done.resealed, done.is_done), (None, 2, true), "the key check and the signing key");
    let keys = atom.keys().data_keys(None).await.unwrap();
    assert_eq!((keys[0].id, states(&keys)), (second.id, vec![DataKeyState::Current, DataKeyState::Retiring]));
    assert_eq!(keys[1].idle_since, None, "the pending consent needs it");

    let other = database.builder().provider(google.app()).open().await.expect("the key check opens");
    let scope = other.authenticate(session.access_token).await.expect("the signing key opens");
    let callback = google.approve(pending.url, "ada@gmail.example".into()).await.unwrap();
    scope.connections().complete(callback).await.expect("the consent from before");

    // A consent that is over is none any more, taken or not.
    let expired = "UPDATE atom_single_use SET expires_at = 0";
    sql(&database, expired, "UPDATE atom_single_use SET expires_at = 'epoch'").await;
    atom.keys().reseal(None, None).await.unwrap();
    let keys = atom.keys().data_keys(None).await.unwrap();
    assert_eq!(states(&keys), [DataKeyState::Current, DataKeyState::Destroyed]);
    database.open().await;
});

on_both!(a_record_that_was_altered_stays_and_keeps_its_data_key, |database| async move {
    let atom = database.open().await;
    let (session, _) = sign_up(&atom, "ada@example.com").await;
    let bob = atom
        .accounts()
        .sign_in(Credentials { email: "ada@example.com".into(), password: PASSWORD.into(), ..Default::default() })
        .await
        .and_then(SignIn::signed_in)
        .unwrap();
    let cut = "UPDATE atom_sessions SET refresh_key = substr(refresh_key, 1, 100) WHERE id = (SELECT min(id) FROM atom_sessions)";
    let cut_pg = "UPDATE atom_sessions SET refresh_key = substr(refresh_key, 1, 100) WHERE id = (SELECT id FROM atom_sessions ORDER BY id LIMIT 1)";
    sql(&database, cut, cut_pg).await;
    let workspace = Some(session.workspace.id);
    hurry(&atom, 0);
    atom.keys().rotate_workspace(workspace).await.unwrap();
    let done = atom.keys().reseal(workspace, None).await.unwrap();
    assert_eq!((done.resealed, done.damaged, done.is_done, done.next_at), (1, 1, true, None));
    let keys = atom.keys().data_keys(workspace).await.unwrap();
    assert_eq!(states(&keys), [DataKeyState::Current, DataKeyState::Retiring]);
    atom.accounts().refresh(bob.refresh_token).await.unwrap();
});

on_both!(rotations_at_once_make_one_key_after_the_other_or_say_so, |database| async move {
    let atom = database.open().await;
    let (session, _) = sign_up(&atom, "ada@example.com").await;
    let workspace = Some(session.workspace.id);
    let rotations = (0..8).map(|_| {
        let keys = atom.keys();
        tokio::spawn(async move { keys.rotate_workspace(workspace).await })
    });
    let mut generations = Vec::new();
    for rotation in rotations.collect::<Vec<_>>() {
        match rotation.await.unwrap() {
            Ok(key) => generations.push(key.generation),
            Err(error) => assert_eq!(error.reason(), "rotated_meanwhile"),
        }
    }
    generations.sort_unstable();
    let expected: Vec<i64> = (2..).take(generations.len()).collect();
    assert_eq!(generations, expected);
    atom.keys().reseal(workspace, None).await.unwrap();
    database.open().await.accounts().refresh(session.refresh_token).await.unwrap();
});

on_both!(a_workspace_that_is_not_there_has_no_key_to_rotate, |database| async move {
    let keys = database.open().await.keys();
    let nowhere = Some(WorkspaceId::generate());
    assert_eq!(refused(keys.rotate_workspace(nowhere).await).kind(), ErrorKind::NotFound);
    assert_eq!(refused(keys.reseal(nowhere, None).await).kind(), ErrorKind::NotFound);
    assert_eq!(refused(keys.data_keys(nowhere).await).kind(), ErrorKind::NotFound);
    assert_eq!(refused(keys.reseal(None, Some(0)).await).reason(), "malformed_option");
});
