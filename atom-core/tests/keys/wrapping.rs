//! Rotation of the key-encryption key.

use super::*;

on_both!(p33_the_key_is_replaced_while_everything_goes_on, |database| async move {
    let before = with_keys(&database, &[KEY]).open().await.unwrap();
    let mut sessions = Vec::new();
    for i in 0..5 {
        sessions.push(sign_up(&before, &format!("user{i}@example.com")).await.0);
    }
    let status = before.keys().status().await.unwrap();
    assert_eq!((status.current.as_str(), status.current_data_keys), (name(KEY).as_str(), 6));
    assert_eq!(status.wrapping_keys.len(), 1);
    assert_eq!((status.wrapping_keys[0].data_keys, status.wrapping_keys[0].is_held), (6, true));

    let atom = with_keys(&database, &[NEXT, KEY]).open().await.unwrap();
    let (first, _) = sign_up(&atom, "first@example.com").await;
    let rotation = atom.keys().rotate(None).await.unwrap();
    assert_eq!((rotation.current, rotation.rewrapped, rotation.remaining), (name(NEXT), 6, 0));
    assert_eq!(rotation.retired, [name(KEY)]);
    let again = atom.keys().rotate(None).await.unwrap();
    assert_eq!((again.rewrapped, again.remaining, again.retired), (0, 0, vec![]));

    let status = atom.keys().status().await.unwrap();
    let count = |key: &str| status.wrapping_keys.iter().find(|held| held.fingerprint == name(key)).unwrap().clone();
    assert_eq!((count(KEY).data_keys, count(NEXT).data_keys), (0, 7));
    assert!(count(KEY).retired_at.is_some() && count(NEXT).retired_at.is_none());
    assert!(count(NEXT).is_current && count(NEXT).in_use_since.is_some());

    let audit = atom.keys().audit(AuditFilter::default()).await.unwrap().items;
    assert_eq!((audit[0].action, audit[0].subject.clone(), audit[0].user_id), (AuditAction::KeyRetired, Some(name(KEY)), None));
    assert_eq!(audit[0].details["successor"], name(NEXT));
    let events = atom.keys().events(EventFilter::default()).await.unwrap().items;
    assert_eq!(
        (events[0].name.as_str(), events[0].data.0["fingerprint"].as_str()),
        ("atom.key_retired", Some(name(KEY).as_str()))
    );

    let after = with_keys(&database, &[NEXT]).open().await.expect("the old key is not needed any more");
    for session in sessions.into_iter().chain([first]) {
        after.accounts().refresh(session.refresh_token).await.expect("every session is still there");
    }
});

on_both!(p33_a_rotation_goes_on_where_it_was, |database| async move {
    let before = with_keys(&database, &[KEY]).open().await.unwrap();
    for i in 0..7 {
        sign_up(&before, &format!("user{i}@example.com")).await;
    }
    let mut remaining = 8;
    while remaining > 0 {
        // Each step in a process of its own.
        let atom = with_keys(&database, &[NEXT, KEY]).open().await.unwrap();
        let step = atom.keys().rotate(Some(3)).await.unwrap();
        assert!(step.rewrapped <= 3 && step.remaining == remaining - step.rewrapped);
        assert_eq!(step.retired.is_empty(), step.remaining > 0);
        remaining = step.remaining;
    }
    assert_eq!(refused(before.keys().rotate(Some(0)).await).reason(), "malformed_option");
});

on_both!(p33_a_process_with_the_old_key_alone_is_told_which_key_it_lacks, |database| async move {
    let old = with_keys(&database, &[KEY]).open().await.unwrap();
    let (known, _) = sign_up(&old, "known@example.com").await;
    let known = old.accounts().refresh(known.refresh_token).await.unwrap();

    let new = with_keys(&database, &[NEXT, KEY]).open().await.unwrap();
    let (stranger, _) = sign_up(&new, "stranger@example.com").await;
    new.keys().rotate(None).await.unwrap();

    old.accounts().refresh(known.refresh_token).await.expect("its data key is unwrapped already");
    let error = refused(old.accounts().refresh(stranger.refresh_token.clone()).await);
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Sealed, "key_missing"));
    assert!(error.to_string().contains(&name(KEY)) && error.to_string().contains(&name(NEXT)), "{error}");
    let error = refused(old.accounts().sign_up(account("late@example.com")).await);
    assert_eq!(error.reason(), "key_retired", "nothing is wrapped any more by a key that is about to be taken away");
    assert!(error.to_string().contains(&name(KEY)), "{error}");
    new.accounts().refresh(stranger.refresh_token).await.expect("a process with both keys goes on");
});

on_both!(p33_a_key_that_still_wraps_something_cannot_be_taken_away, |database| async move {
    let atom = with_keys(&database, &[KEY]).open().await.unwrap();
    sign_up(&atom, "ada@example.com").await;
    let both = with_keys(&database, &[NEXT, KEY]).open().await.unwrap();
    both.keys().rotate(Some(1)).await.unwrap();
    for only in [KEY, NEXT] {
        let missing = if only == KEY { NEXT } else { KEY };
        let error = refused(with_keys(&database, &[only]).open().await);
        assert_eq!(error.reason(), "key_missing");
        assert!(error.to_string().contains(&name(missing)), "{error}");
    }
    let stranger = LocalKey::generate().unwrap();
    let error = refused(Atom::builder(&database.url).key(stranger).open().await);
    assert_eq!(error.reason(), "wrong_key");
    assert!(error.to_string().contains(&name(KEY)) && error.to_string().contains(&name(NEXT)), "{error}");
});

on_both!(an_installation_goes_back_to_a_retired_key, |database| async move {
    with_keys(&database, &[KEY]).open().await.unwrap();
    with_keys(&database, &[NEXT, KEY]).open().await.unwrap().keys().rotate(None).await.unwrap();
    let back = with_keys(&database, &[KEY, NEXT]).open().await.unwrap();
    assert_eq!(refused(back.accounts().sign_up(account("early@example.com")).await).reason(), "key_retired");
    assert_eq!(back.keys().rotate(None).await.unwrap().retired, [name(NEXT)]);
    sign_up(&back, "ada@example.com").await;
    let actions: Vec<_> = back.keys().audit(AuditFilter::default()).await.unwrap().items.iter().map(|e| e.action).collect();
    assert_eq!(actions, [AuditAction::KeyRetired, AuditAction::KeyTakenIntoUse, AuditAction::KeyRetired]);
    with_keys(&database, &[KEY]).open().await.expect("the first key suffices again");
});

on_both!(a_key_that_was_given_in_advance_is_not_retired, |database| async move {
    let atom = with_keys(&database, &[KEY, NEXT]).open().await.unwrap();
    let rotation = atom.keys().rotate(None).await.unwrap();
    assert_eq!((rotation.rewrapped, rotation.retired), (0, vec![]));
    let status = atom.keys().status().await.unwrap();
    let next = status.wrapping_keys.iter().find(|key| key.fingerprint == name(NEXT)).unwrap();
    assert!(next.is_held && !next.is_current && next.in_use_since.is_none() && next.retired_at.is_none());
});

on_both!(p33_a_data_key_that_was_altered_does_not_keep_the_others_from_their_new_key, |database| async move {
    let before = with_keys(&database, &[KEY]).open().await.unwrap();
    let (ada, _) = sign_up(&before, "ada@example.com").await;
    let (bob, _) = sign_up(&before, "bob@example.com").await;
    let first = "UPDATE atom_data_keys SET wrapped = substr(wrapped, 1, 60) WHERE generation = 1 AND
                 workspace_id = (SELECT min(id) FROM atom_workspaces)";
    let first_pg = "UPDATE atom_data_keys SET wrapped = substr(wrapped, 1, 60) WHERE
                    workspace_id = (SELECT id FROM atom_workspaces ORDER BY id LIMIT 1)";
    sql(&database, first, first_pg).await;
    let atom = with_keys(&database, &[NEXT, KEY]).open().await.unwrap();
    assert_eq!(refused(atom.keys().rotate(None).await).reason(), "record_altered");
    let status = atom.keys().status().await.unwrap();
    let left = status.wrapping_keys.iter().find(|key| key.fingerprint == name(KEY)).unwrap();
    assert_eq!((left.data_keys, left.retired_at), (1, None));
    assert!(atom.accounts().refresh(ada.refresh_token).await.is_err());
    atom.accounts().refresh(bob.refresh_token).await.expect("the other workspace is as it was");
});

on_both!(p33_a_backup_opens_with_the_key_of_its_time, |database| async move {
    let before = with_keys(&database, &[KEY]).open().await.unwrap();
    let (session, _) = sign_up(&before, "ada@example.com").await;
    before.shut_down().await.unwrap();
    let backup = database.copy().await;

    let atom = with_keys(&database, &[NEXT, KEY]).open().await.unwrap();
    atom.keys().rotate(None).await.unwrap();
    let workspace = Some(session.workspace.id);
    atom.keys().rotate_workspace(workspace).await.unwrap();
    hurry(&atom, 0);
    atom.keys().reseal(workspace, None).await.unwrap();
    let keys = atom.keys().data_keys(workspace).await.unwrap();
    assert_eq!(states(&keys), [DataKeyState::Current, DataKeyState::Destroyed]);

    assert_eq!(refused(with_keys(&backup, &[NEXT]).open().await).reason(), "wrong_key");
    let restored = with_keys(&backup, &[KEY]).open().await.expect("the archived key opens the old backup");
    restored.accounts().refresh(session.refresh_token.clone()).await.expect("with all that was in it");
    restored.shut_down().await.unwrap();
    let taken_over = with_keys(&backup, &[NEXT, KEY]).open().await.unwrap();
    assert_eq!(taken_over.keys().rotate(None).await.unwrap().remaining, 0);
    taken_over.shut_down().await.unwrap();
    with_keys(&backup, &[NEXT]).open().await.unwrap().shut_down().await.unwrap();
    if !backup.url.starts_with("sqlite:") {
        drop_database(&backup.url).await;
    }
});
