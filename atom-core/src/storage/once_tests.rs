//! The race suite: every caller of the two primitives rests on these tests. The racers are processes, not hopes.

use super::*;
use crate::storage::testing;
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

const KEYS: usize = 200;
const LIMIT: i64 = 150;
const TASKS: usize = 10;

fn what(key: &str) -> SingleUse<'_> {
    SingleUse { kind: "race", key: key.as_bytes(), binding: b"ada" }
}

/// What a racing process does: takes every key it can, or bumps one counter, and prints each success once it is committed.
/// The tests below start it as a child; run among the others it has no race to join.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racer() {
    let Ok(url) = std::env::var("ATOM_RACE_URL") else { return };
    let db = Db::connect(&url).await.expect("connected");
    let counting = std::env::var("ATOM_RACE").expect("a race") == "count";
    let tasks = (0..TASKS).map(|task| {
        let db = db.clone();
        tokio::spawn(async move {
            for i in 0..KEYS {
                // Each task starts elsewhere, so that all keys are fought over at once.
                let key = format!("key-{}", (i + task * KEYS / TASKS) % KEYS);
                let won = if counting {
                    bump_counter(&db, "race", LIMIT, Duration::hours(1), Utc::now()).await.is_ok()
                } else {
                    consume_once(&db, what(&key), Utc::now()).await.expect("an answer").is_some()
                };
                if won {
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "won {key}").and_then(|()| out.flush()).expect("the parent listens");
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("finished");
    }
}

fn race(url: &str, kind: &str) -> Child {
    Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "storage::once::tests::racer", "--nocapture"])
        .envs([("ATOM_RACE_URL", url), ("ATOM_RACE", kind)])
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("a child")
}

fn wins(child: &mut Child) -> Vec<String> {
    let out = BufReader::new(child.stdout.take().expect("piped"));
    // The test harness prints its own words before the first of ours, on the same line.
    out.lines().map_while(Result::ok).filter_map(|line| line.split_once("won ").map(|(_, key)| key.to_owned())).collect()
}

async fn issue_keys(url: &str) -> Db {
    let db = Db::connect(url).await.expect("connected");
    for i in 0..KEYS {
        issue(&db, what(&format!("key-{i}")), b"payload", Utc::now() + Duration::hours(1)).await.expect("issued");
    }
    db
}

#[tokio::test]
async fn two_processes_consume_each_of_two_hundred_credentials_exactly_once() {
    let folder = tempfile::tempdir().expect("a folder");
    for url in testing::fresh(folder.path()).await {
        issue_keys(&url).await.close().await;
        let mut children = [race(&url, "consume"), race(&url, "consume")];
        let won: Vec<_> = children.iter_mut().flat_map(wins).collect();
        assert!(children.iter_mut().all(|c| c.wait().expect("ended").success()), "{url}");
        let distinct: HashSet<_> = won.iter().collect();
        assert_eq!((won.len(), distinct.len()), (KEYS, KEYS), "{url}");
    }
}

#[tokio::test]
async fn two_processes_never_pass_a_limit_and_reach_it() {
    let folder = tempfile::tempdir().expect("a folder");
    for url in testing::fresh(folder.path()).await {
        let mut children = [race(&url, "count"), race(&url, "count")];
        let won = children.iter_mut().flat_map(wins).count();
        assert!(children.iter_mut().all(|c| c.wait().expect("ended").success()), "{url}");
        assert_eq!(won as i64, LIMIT, "{url}");
    }
}

#[tokio::test]
async fn a_killed_process_takes_nothing_twice_and_leaves_nothing_locked() {
    let folder = tempfile::tempdir().expect("a folder");
    for url in testing::fresh(folder.path()).await {
        let db = issue_keys(&url).await;
        let (mut won, kills) = (Vec::new(), 8);
        for kill in 0..kills {
            let mut child = race(&url, "consume");
            let out = BufReader::new(child.stdout.take().expect("piped"));
            let mut lines = out.lines().map_while(Result::ok);
            // Killed after a few wins, at a different place each time.
            for line in lines.by_ref() {
                won.extend(line.split_once("won ").map(|(_, key)| key.to_owned()));
                if won.len() >= (kill + 1) * 9 {
                    break;
                }
            }
            child.kill().expect("SIGKILL");
            won.extend(lines.filter_map(|line| line.split_once("won ").map(|(_, key)| key.to_owned())));
            child.wait().expect("reaped");
        }
        for i in 0..KEYS {
            let key = format!("key-{i}");
            if consume_once(&db, what(&key), Utc::now()).await.expect("nothing is locked").is_some() {
                won.push(key);
            }
        }
        let distinct: HashSet<_> = won.iter().collect();
        assert_eq!(distinct.len(), won.len(), "{url}: a key was taken twice");
        // A process may die between its commit and its word: such a key is spent, never handed out again.
        assert!(won.len() >= KEYS - kills * TASKS, "{url}: {} of {KEYS}", won.len());
    }
}

#[tokio::test]
async fn a_wrong_binding_does_not_spend_a_credential_and_an_expired_one_is_gone() {
    let folder = tempfile::tempdir().expect("a folder");
    for url in testing::fresh(folder.path()).await {
        let (db, now) = (Db::connect(&url).await.expect("connected"), Utc::now());
        issue(&db, what("a"), b"payload", now + Duration::minutes(10)).await.expect("issued");
        let stranger = SingleUse { binding: b"eve", ..what("a") };
        assert_eq!(consume_once(&db, stranger, now).await.expect("an answer"), None);
        let other_kind = SingleUse { kind: "other", ..what("a") };
        assert_eq!(consume_once(&db, other_kind, now).await.expect("an answer"), None);
        assert_eq!(consume_once(&db, what("a"), now + Duration::minutes(10)).await.expect("an answer"), None);
        assert_eq!(consume_once(&db, what("a"), now).await.expect("an answer").as_deref(), Some(&b"payload"[..]));
        assert_eq!(consume_once(&db, what("a"), now).await.expect("an answer"), None);
    }
}

#[tokio::test]
async fn p06_a_counter_says_how_long_to_wait_and_starts_again_after_its_window() {
    let folder = tempfile::tempdir().expect("a folder");
    for url in testing::fresh(folder.path()).await {
        let (db, now) = (Db::connect(&url).await.expect("connected"), Utc::now());
        let bump = |at, limit| bump_counter(&db, "sign-in", limit, Duration::minutes(5), at);
        assert_eq!((bump(now, 2).await.expect("one"), bump(now, 2).await.expect("two")), (1, 2));
        let error = bump(now + Duration::minutes(1), 2).await.expect_err("three");
        assert_eq!((error.kind(), error.retry_after().map(|d| d.as_secs().div_ceil(60))), (ErrorKind::RateLimited, Some(4)));
        assert_eq!(bump(now + Duration::minutes(5), 2).await.expect("a new window"), 1);
        assert_eq!(
            bump_counter(&db, "never", 0, Duration::minutes(5), now).await.expect_err("zero").kind(),
            ErrorKind::RateLimited
        );
    }
}

#[tokio::test]
async fn the_sweep_deletes_what_ran_out_a_day_ago_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    for url in testing::fresh(folder.path()).await {
        let (db, now) = (Db::connect(&url).await.expect("connected"), Utc::now());
        issue(&db, what("old"), b"", now - Duration::days(2)).await.expect("issued");
        issue(&db, what("recent"), b"", now - Duration::hours(2)).await.expect("issued");
        issue(&db, what("live"), b"", now + Duration::hours(2)).await.expect("issued");
        bump_counter(&db, "old", 5, Duration::hours(1), now - Duration::days(3)).await.expect("counted");
        bump_counter(&db, "live", 5, Duration::hours(1), now).await.expect("counted");
        sweep(&db, now).await.expect("swept");
        let left = |sql: &'static str| {
            let db = db.clone();
            async move { on!(&db, c => sqlx::query_as::<_, (i64,)>(sql).fetch_one(c).await).expect("a count").0 }
        };
        assert_eq!(left("SELECT count(*) FROM atom_single_use").await, 2);
        assert_eq!(left("SELECT count(*) FROM atom_counters").await, 1);
    }
}
