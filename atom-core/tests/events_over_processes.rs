//! Events over several processes, killed ones among them, and over many subscribers in one.

use crate::support::*;
use atom_core::*;
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

const EMAIL: &str = "ada@example.com";

async fn events_of_ada(database: &Database) -> Events {
    let atom = database.open().await;
    let credentials = Credentials { email: EMAIL.into(), password: PASSWORD.into(), ..Default::default() };
    let session = atom.accounts().sign_in(credentials).await.unwrap().signed_in().unwrap();
    atom.authenticate(session.access_token).await.unwrap().events()
}

/// What another process does: publishes events of Ada's workspace, signs people up, and prints each success once it is committed.
/// The tests below start it as a child; run among the others it has nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publisher() {
    let Ok(url) = std::env::var("ATOM_PUBLISH_URL") else { return };
    let count: usize = std::env::var("ATOM_PUBLISH_COUNT").unwrap().parse().unwrap();
    let database = Database { url, folder: tempfile::tempdir().unwrap() };
    let (atom, events) = (database.open().await, events_of_ada(&database).await);
    let say = |done: String| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "did {done}").and_then(|()| out.flush()).expect("the parent listens");
    };
    let publishers = (0..4).map(|_| {
        let events = events.clone();
        tokio::spawn(async move {
            for _ in 0..count {
                let event = events.publish(PublishEvent { name: "number.said".into(), ..Default::default() }).await.unwrap();
                say(format!("publish {}", event.id));
            }
        })
    });
    let signing_up = (0..2).map(|_| {
        let accounts = atom.accounts();
        tokio::spawn(async move {
            for _ in 0..count {
                let session = accounts.sign_up(account(&format!("{}@example.com", uuid::Uuid::new_v4()))).await.unwrap();
                say(format!("sign_up {}", session.user.id));
            }
        })
    });
    for task in publishers.chain(signing_up).collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

fn publish(database: &Database, count: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "events_over_processes::publisher", "--nocapture"])
        .envs([("ATOM_PUBLISH_URL", &database.url), ("ATOM_PUBLISH_COUNT", &count.to_string())])
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

/// The successes that a child prints. The test harness prints its own words before the first, on the same line.
fn done(out: ChildStdout) -> impl Iterator<Item = String> {
    let lines = BufReader::new(out).lines().map_while(Result::ok);
    lines.filter_map(|line| line.split_once("did ").map(|(_, done)| done.to_owned()))
}

on_both!(a_promise_events_are_emitted_iff_the_act_commits, |database| async move {
    let atom = database.open().await;
    let (_, scope) = sign_up(&atom, EMAIL).await;
    let mut told = Vec::new();
    for kill in 1..=10 {
        let mut child = publish(&database, 100_000);
        let mut lines = done(child.stdout.take().unwrap());
        // Killed after a few successes, at a different place each time.
        told.extend(lines.by_ref().take(kill * 3));
        child.kill().expect("SIGKILL");
        told.extend(lines);
        child.wait().unwrap();
    }

    let mut ids = HashSet::new();
    let mut expected = 1;
    let mut filter = EventFilter { page_size: Some(1000), ..Default::default() };
    loop {
        let page = scope.events().list(filter.clone()).await.unwrap();
        for event in &page.items {
            assert_eq!(event.sequence, expected, "no number was lost with its process");
            expected += 1;
            ids.insert(format!("publish {}", event.id));
        }
        filter.after = Some(page.cursor);
        if !page.has_more {
            break;
        }
    }
    assert_eq!(expected, scope.events().head().await.unwrap() + 1);
    let published: Vec<_> = told.iter().filter(|done| done.starts_with("publish")).collect();
    assert!(published.len() > 50 && published.iter().all(|done| ids.contains(*done)), "what was committed is in the log");

    // Each of these acts is a workspace with its owner, a session, an audit entry and two events: all of it or nothing.
    let [users, sessions, audit, events, heads] = [
        "SELECT count(*) FROM atom_users WHERE email <> 'ada@example.com'",
        "SELECT count(*) FROM atom_sessions s JOIN atom_users u ON u.id = s.user_id WHERE u.email <> 'ada@example.com'",
        "SELECT count(*) FROM atom_audit a JOIN atom_users u ON u.id = a.user_id WHERE u.email <> 'ada@example.com'",
        "SELECT count(*) FROM atom_events e JOIN atom_users u ON u.id = e.user_id WHERE u.email <> 'ada@example.com'
            AND (e.sequence = 1 AND e.name = 'user.signed_up' OR e.sequence = 2 AND e.name = 'session.started')",
        "SELECT count(*) FROM atom_event_heads WHERE sequence = 2",
    ];
    let count = |sql| count(&database, sql);
    let people = count(users).await;
    assert_eq!((count(sessions).await, count(audit).await, count(events).await), (people, people, people * 2));
    assert_eq!(count(heads).await, people);
    assert!(people >= told.len() as i64 - published.len() as i64);
});

async fn count(database: &Database, sql: &'static str) -> i64 {
    use sqlx::Connection as _;
    if database.url.starts_with("sqlite:") {
        let mut c = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
        sqlx::query_scalar(sql).fetch_one(&mut c).await.unwrap()
    } else {
        let mut c = sqlx::PgConnection::connect(&database.url).await.unwrap();
        sqlx::query_scalar(sql).fetch_one(&mut c).await.unwrap()
    }
}

on_both!(a_promise_a_stream_follows_what_two_other_processes_publish, |database| async move {
    let atom = database.open().await;
    let (_, scope) = sign_up(&atom, EMAIL).await;
    let names = Some(vec!["number.said".to_owned()]);
    let subscription = EventSubscription { names, ..Default::default() };
    let stream = scope.events().subscribe(subscription).await.unwrap();
    let mut children = [publish(&database, 10), publish(&database, 10)];
    let mut followed = Vec::new();
    while followed.len() < 80 {
        let event = tokio::time::timeout(Duration::from_secs(60), stream.next()).await.expect("in time");
        followed.push(event.unwrap().unwrap());
    }
    assert!(followed.windows(2).all(|pair| pair[0].sequence < pair[1].sequence));
    let mut told = HashSet::new();
    for child in &mut children {
        told.extend(done(child.stdout.take().unwrap()).filter(|done| done.starts_with("publish")));
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(followed.iter().map(|event| format!("publish {}", event.id)).collect::<HashSet<_>>(), told);
});

on_both!(an_event_of_another_process_arrives_without_waiting_for_the_next_poll, |database| async move {
    let atom = database.open().await;
    let (_, scope) = sign_up(&atom, EMAIL).await;
    let elsewhere = events_of_ada(&database).await;
    let stream = scope.events().subscribe(EventSubscription::default()).await.unwrap();
    let mut waits = Vec::new();
    for _ in 0..20 {
        let began = Instant::now();
        elsewhere.publish(PublishEvent { name: "number.said".into(), ..Default::default() }).await.unwrap();
        stream.next().await.unwrap().unwrap();
        waits.push(began.elapsed());
    }
    waits.sort_unstable();
    assert!(waits[10] < Duration::from_millis(250), "{waits:?}");
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_survives_the_loss_of_its_notifications() {
    const KILL: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
         WHERE datname = current_database() AND query LIKE 'LISTEN%' AND pid <> pg_backend_pid()";
    let Some(database) = Database::postgres().await else { return println!("skipped: ATOM_TEST_POSTGRES is not set") };
    let atom = database.open().await;
    let (_, scope) = sign_up(&atom, EMAIL).await;
    let elsewhere = events_of_ada(&database).await;
    let stream = scope.events().subscribe(EventSubscription::default()).await.unwrap();
    let mut killed = 0;
    for _ in 0..5 {
        let event = PublishEvent { name: "number.said".into(), ..Default::default() };
        let published = elsewhere.publish(event).await.unwrap();
        let began = Instant::now();
        assert_eq!(stream.next().await.unwrap(), Some(published));
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        killed += count(&database, KILL).await;
    }
    assert!(killed >= 2, "{killed}");
}

/// SQLite only: the connections to PostgreSQL end with the runtime that opened them.
#[test]
fn a_stream_goes_on_when_the_runtime_that_watched_for_it_has_ended() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let database = Database::sqlite();
    let publish = |events: Events| async move {
        events.publish(PublishEvent { name: "number.said".into(), ..Default::default() }).await.unwrap()
    };
    let (first, second) = (runtime(), runtime());
    let (events, stream) = first.block_on(async {
        let (_, scope) = sign_up(&database.open().await, EMAIL).await;
        let stream = scope.events().subscribe(EventSubscription::default()).await.unwrap();
        let published = publish(scope.events()).await;
        assert_eq!(stream.next().await.unwrap(), Some(published));
        (scope.events(), stream)
    });
    let waiting = {
        let stream = stream.clone();
        second.spawn(async move { stream.next().await.unwrap() })
    };
    drop(first);
    second.block_on(async {
        let published = publish(events).await;
        let next = tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("in time").unwrap();
        assert_eq!(next, Some(published));
    });
}

on_both!(ten_thousand_subscribers_hear_of_an_event_within_a_fifth_of_a_second, |database| async move {
    const SUBSCRIBERS: usize = 10_000;
    let atom = database.open().await;
    let (_, scope) = sign_up(&atom, EMAIL).await;
    let (heard, mut hearing) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..SUBSCRIBERS {
        let (stream, heard) = (scope.events().subscribe(EventSubscription::default()).await.unwrap(), heard.clone());
        tokio::spawn(async move {
            while let Some(event) = stream.next().await.unwrap() {
                heard.send(event.sequence).unwrap();
            }
        });
    }
    let mut waits = Vec::new();
    for _ in 0..10 {
        let event = PublishEvent { name: "number.said".into(), ..Default::default() };
        let sequence = scope.events().publish(event).await.unwrap().sequence;
        let committed = Instant::now();
        for _ in 0..SUBSCRIBERS {
            assert_eq!(hearing.recv().await.unwrap(), sequence);
        }
        waits.push(committed.elapsed());
    }
    // The best of ten: other tests share the machine.
    assert!(waits.iter().min().unwrap() < &Duration::from_millis(200), "{waits:?}");
});
