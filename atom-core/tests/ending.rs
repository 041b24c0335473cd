//! The end of a workspace, or of a member: what is connected ends with them, here and at the providers.

use crate::support::*;
use atom_core::testing::{GoogleStandIn, end_connections};
use atom_core::*;
use chrono::TimeDelta;
use std::time::{Duration, Instant};

struct Place {
    atom: Atom,
    google: GoogleStandIn,
    clock: TestClock,
    session: Session,
    scope: Scope,
}

impl Place {
    async fn new(database: &Database) -> Self {
        let (google, clock) = (GoogleStandIn::start().await.unwrap(), TestClock::new());
        let atom = database.builder().clock(clock.clone()).provider(google.app()).open().await.unwrap();
        let (session, scope) = sign_up(&atom, "ada@example.com").await;
        Self { atom, google, clock, session, scope }
    }

    async fn withdrawals(&self) -> i64 {
        self.google.hits("/revoke".into()).await.unwrap()
    }
}

on_both!(p38_what_is_to_be_withdrawn_outlives_the_workspace_and_its_keys, |database| async move {
    let place = Place::new(&database).await;
    let (_, bob) = sign_up(&place.atom, "bob@example.com").await;
    let bobs = connect(&bob, &place.google, "bob@gmail.example").await;
    for account in ["ada@gmail.example", "ada@work.example"] {
        connect(&place.scope, &place.google, account).await;
    }
    place.google.fail_next("/revoke".into(), 503, 2).await.unwrap();
    let workspace = place.session.workspace.id;
    assert_eq!(end_connections(&place.atom, workspace, None).await.unwrap(), 2);
    assert_eq!(end_connections(&place.atom, workspace, None).await.unwrap(), 0, "once more is no error");
    assert_eq!(place.withdrawals().await, 2);
    let keys = place.atom.keys().data_keys(Some(workspace)).await.unwrap();
    assert!(!keys.is_empty() && keys.iter().all(|key| key.state == DataKeyState::Destroyed), "{keys:?}");
    let status = place.atom.keys().status().await.unwrap();
    assert_eq!((status.retiring_data_keys, status.destroyed_data_keys), (0, 1));
    let refused = place.atom.accounts().refresh(place.session.refresh_token.clone()).await.err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::Sealed, "what it sealed opens no more");

    let delete = "DELETE FROM atom_workspaces WHERE name = 'ada'";
    if database.url.starts_with("sqlite:") {
        sql(&database, "PRAGMA foreign_keys = ON; DELETE FROM atom_workspaces WHERE name = 'ada'", delete).await;
    } else {
        sql(&database, delete, delete).await;
    }
    place.clock.advance(TimeDelta::minutes(5));
    // As after a restart, without anything in memory.
    let other = database.builder().clock(place.clock.clone()).provider(place.google.app()).open().await.unwrap();
    let options = WorkerOptions { poll_seconds: Some(0.1), ..Default::default() };
    let worker = other.start_worker(Default::default(), Some(options)).await.unwrap();
    let started = Instant::now();
    while place.withdrawals().await < 4 {
        assert!(started.elapsed() < Duration::from_secs(20), "the provider is asked");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    worker.stop().await.unwrap();
    bobs.files().list(ListFiles::default()).await.expect("another workspace goes on");
});

on_both!(p38_a_member_who_goes_takes_along_what_is_theirs, |database| async move {
    let place = Place::new(&database).await;
    let adas = connect(&place.scope, &place.google, "ada@gmail.example").await;
    let (bob, _) = sign_up(&place.atom, "bob@example.com").await;
    let joins = |now: &str| {
        format!(
            "INSERT INTO atom_memberships (workspace_id, user_id, role, created_at) SELECT w.id, u.id, 'member', {now} FROM atom_workspaces w, atom_users u \
              WHERE w.name = 'ada' AND u.email = 'bob@example.com'"
        )
    };
    sql(&database, joins("0").leak(), joins("now()").leak()).await;
    let workspace = place.session.workspace.id;
    let shared = place.atom.act_as(bob.user.id, workspace).await.unwrap();
    let bobs = connect(&shared, &place.google, "bob@gmail.example").await;
    assert_eq!(end_connections(&place.atom, workspace, Some(bob.user.id)).await.unwrap(), 1);
    assert_eq!(bobs.account().await.unwrap().state, ConnectionState::Revoked);
    assert_eq!(place.withdrawals().await, 1);
    adas.files().list(ListFiles::default()).await.expect("the workspace's keys are as they were");
});

on_both!(p38_a_connection_of_a_provider_that_is_no_longer_configured_ends_too, |database| async move {
    let place = Place::new(&database).await;
    let connection = connect(&place.scope, &place.google, "ada@gmail.example").await;
    let bare = database.open().await;
    assert_eq!(end_connections(&bare, place.session.workspace.id, None).await.unwrap(), 1);
    assert_eq!(connection.account().await.unwrap().state, ConnectionState::Revoked);
    assert_eq!(place.withdrawals().await, 0);
});
