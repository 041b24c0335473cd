//! How much a data key may seal.

use super::*;
use atom_core::testing::fill_sessions;

on_both!(p32_a_worn_data_key_is_announced_an_exhausted_one_refuses_and_a_rotation_mends_it, |database| async move {
    let atom = database.open().await;
    pace_keys(&atom, &KeyPace { worn_at: 64, exhausted_at: 200, ..Default::default() });
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    let error = loop {
        match fill_sessions(&atom, &scope, 1).await {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Sealed, "data_key_exhausted"));
    let workspace = session.workspace.id;
    assert!(error.to_string().contains("rotate_workspace") && error.to_string().contains(&workspace.to_string()), "{error}");

    let names = Some(vec!["workspace.key_worn".to_owned()]);
    let events = scope.events().list(EventFilter { names, ..Default::default() }).await.unwrap().items;
    assert_eq!(events.len(), 1, "it is told once");
    let key = atom.keys().data_keys(Some(workspace)).await.unwrap().remove(0);
    assert_eq!(events[0].subject, Some(key.id.to_string()));
    assert!(key.seals > 100 && key.seals <= 200, "{}", key.seals);

    let elsewhere = database.open().await;
    atom.keys().rotate_workspace(Some(workspace)).await.unwrap();
    fill_sessions(&atom, &scope, 1).await.expect("the new key seals");
    fill_sessions(&elsewhere, &scope, 1).await.expect("in other processes too");
});

on_both!(p32_a_process_that_dies_only_overcounts, |database| async move {
    let mut sealed = 0;
    let atom = database.open().await;
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    for process in 0..5 {
        // A handle of its own stands for a process that ends without a word.
        let atom = database.open().await;
        sealed += fill_sessions(&atom, &scope, 10 * process).await.unwrap().len();
    }
    let seals = atom.keys().data_keys(Some(session.workspace.id)).await.unwrap()[0].seals;
    let sealed = i64::try_from(sealed).unwrap() + 1;
    assert!(seals >= sealed && seals <= sealed + 5 * 64, "{seals} of {sealed}");
});
