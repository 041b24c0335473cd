//! Keys are rotated by processes that are killed at any moment, while others read and write what these keys seal.

use super::processes::Part;
use super::*;
use crate::process::{Process, alone, assert_quiet, random, sized};
use atom_core::testing::{GoogleStandIn, fill_sessions};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;
use tokio::task::JoinHandle;

const WORKSPACES: usize = 4;
const QUIET_MS: i64 = 5000;

/// What the readers have done.
#[derive(Default)]
struct Tally {
    is_over: AtomicBool,
    refreshes: AtomicUsize,
    exchanges: AtomicUsize,
    sign_ins: AtomicUsize,
}

impl Tally {
    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }
}

/// Uses sessions, each of which is a sealed record: opens its key and moves its counter on.
async fn use_sessions(atom: Atom, mut tokens: Vec<Secret>, tally: Arc<Tally>) -> Vec<Secret> {
    while tally.goes_on() {
        let at = usize::try_from(random(tokens.len() as u64)).unwrap();
        tokens[at] = atom.accounts().refresh(tokens[at].clone()).await.expect("a session is read").refresh_token;
        tally.refreshes.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokens
}

/// Uses connections whose tokens keep expiring: opens each, exchanges it and seals the next.
async fn use_connections(connections: Vec<Connection>, google: GoogleStandIn, tally: Arc<Tally>) {
    while tally.goes_on() {
        google.expire_access_tokens().await.unwrap();
        for connection in &connections {
            let before = connection.access_token().await.expect("a token is read").token;
            connection.files().list(ListFiles::default()).await.expect("a token is exchanged");
            assert!(connection.access_token().await.expect("a token is read").token != before);
            tally.exchanges.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Makes new records all the time.
async fn sign_in(atom: Atom, tally: Arc<Tally>) -> Vec<Secret> {
    let mut tokens = Vec::new();
    while tally.goes_on() {
        let credentials = Credentials { email: "user0@example.com".into(), password: PASSWORD.into(), ..Default::default() };
        tokens.push(
            atom.accounts().sign_in(credentials).await.and_then(SignIn::signed_in).expect("a session is sealed").refresh_token,
        );
        tally.sign_ins.fetch_add(1, Ordering::Relaxed);
    }
    tokens
}

on_both!(p33_keys_are_rotated_by_processes_that_are_killed_and_no_read_fails, |database| async move {
    let _alone = alone().await;
    let google = GoogleStandIn::start().await.unwrap();
    let open = |keys: &[&str]| with_keys(&database, keys).provider(google.app()).open();
    let atom = open(&[KEY, NEXT]).await.unwrap();
    hurry(&atom, QUIET_MS);
    let (each, kills) = sized((600, 40), (25_000, 150));
    let tally = Arc::new(Tally::default());
    let (mut tasks, mut connections, mut workspaces, mut members) = (vec![], vec![], vec![], vec![]);
    for i in 0..WORKSPACES {
        let (session, scope) = sign_up(&atom, &format!("user{i}@example.com")).await;
        let connection = connect(&scope, &google, &format!("user{i}@gmail.example")).await;
        workspaces.push(session.workspace.id);
        members.push((session.user.id, session.workspace.id, connection.id()));
        let tokens = fill_sessions(&atom, &scope, each).await.unwrap();
        tasks.push(tokio::spawn(use_sessions(atom.clone(), tokens, Arc::clone(&tally))));
        connections.push(connection);
    }
    let exchanges = tokio::spawn(use_connections(connections, google.clone(), Arc::clone(&tally)));
    tasks.push(tokio::spawn(sign_in(atom.clone(), Arc::clone(&tally))));

    let began = Instant::now();
    // Now and then two processes want different keys in use.
    let part = |number: usize| {
        let keys = if number % 5 < 3 { [NEXT, KEY] } else { [KEY, NEXT] }.map(str::to_owned);
        let (number, folder) = (i64::try_from(number).unwrap(), database.folder.path().into());
        Part { number, folder, url: database.url.clone(), keys, workspaces: workspaces.clone(), quiet_ms: QUIET_MS }
    };
    let mut processes = [Process::start(&part(0)), Process::start(&part(1))];
    for kill in 0..kills {
        let victim = kill % processes.len();
        processes[victim].ready().await;
        tokio::time::sleep(Duration::from_millis(random(sized(300, 1000)))).await;
        std::mem::replace(&mut processes[victim], Process::start(&part(kill + 2))).kill().await;
        let has_failed = exchanges.is_finished() || tasks.iter().any(JoinHandle::is_finished);
        assert!(!has_failed, "a reader failed after {} kills", kill + 1);
    }
    drop(processes);
    assert_quiet(database.folder.path());
    tally.is_over.store(true, Ordering::Relaxed);
    let mut tokens = Vec::new();
    for task in tasks {
        tokens.extend(task.await.expect("no read failed"));
    }
    exchanges.await.expect("no exchange failed");
    let killing = began.elapsed();
    atom.shut_down().await.unwrap();

    // Whatever the dead have left behind is finished by the next one.
    let last = open(&[NEXT, KEY]).await.unwrap();
    hurry(&last, 0);
    // States of consents keep the installation's own key alive for ten minutes.
    sql(&database, "UPDATE atom_single_use SET expires_at = 0", "UPDATE atom_single_use SET expires_at = 'epoch'").await;
    let began = Instant::now();
    let rotation = last.keys().rotate(None).await.unwrap();
    assert_eq!(rotation.remaining, 0);
    let (mut generations, mut resealed) = (0, 0);
    for workspace in workspaces.iter().copied().map(Some).chain([None]) {
        last.keys().rotate_workspace(workspace).await.unwrap();
        let done = last.keys().reseal(workspace, None).await.unwrap();
        assert!(done.is_done && done.damaged == 0, "{done:?}");
        resealed += done.resealed;
        let keys = last.keys().data_keys(workspace).await.unwrap();
        assert_eq!(keys.iter().filter(|key| key.state != DataKeyState::Destroyed).count(), 1, "{keys:?}");
        generations += keys.len();
    }
    let last_rotation = began.elapsed();
    last.shut_down().await.unwrap();

    let alone = open(&[NEXT]).await.expect("the old key is not needed any more");
    let (began, count) = (Instant::now(), tokens.len());
    for token in tokens {
        alone.accounts().refresh(token).await.expect("no session is lost");
    }
    for (user, workspace, connection) in members {
        let scope = alone.act_as(user, workspace).await.unwrap();
        scope.connections().open(connection).await.unwrap().access_token().await.expect("no token is lost");
    }
    println!(
        "{count} sessions, {kills} kills in {killing:.0?}: {} refreshes, {} exchanges, {} sign-ins, 0 failed; {generations} data keys; \
         the last rotation of {resealed} records took {last_rotation:.1?}; all read again in {:.1?}, 0 lost",
        tally.refreshes.load(Ordering::Relaxed),
        tally.exchanges.load(Ordering::Relaxed),
        tally.sign_ins.load(Ordering::Relaxed),
        began.elapsed(),
    );
});
