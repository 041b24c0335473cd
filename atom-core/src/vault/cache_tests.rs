use super::*;
use crate::vault::TokenSet;
use chrono::Utc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::oneshot;
use tokio::time::sleep;
use uuid::Uuid;

const LONG: Duration = Duration::from_secs(60);

fn stored(token: &str) -> Stored {
    let tokens = TokenSet { access_token: Some(token.into()), ..Default::default() };
    Stored { tokens, revision: 1, obtained_at: Utc::now(), retry_at: None }
}

type Key = (WorkspaceId, ConnectionId);

fn key() -> Key {
    (WorkspaceId(Uuid::now_v7()), ConnectionId(Uuid::now_v7()))
}

async fn read(cache: &TokenCache, key: Key, from_database: &str) -> String {
    let read = cache.read(key, async { Ok(stored(from_database)) }).await.expect("a token set");
    read.tokens.access_token.expect("a token").expose().to_owned()
}

fn count(cache: &TokenCache) -> usize {
    let entries = lock(&cache.entries);
    entries.young.len() + entries.old.len()
}

/// Begins a read whose answer comes when it is told.
async fn slow_read(cache: &TokenCache, key: Key) -> (oneshot::Sender<Stored>, tokio::task::JoinHandle<()>) {
    let (answer, answered) = oneshot::channel();
    let (begin, begun) = oneshot::channel();
    let cache = cache.clone();
    let reader = tokio::spawn(async move {
        let load = async {
            begin.send(()).expect("the test waits");
            Ok(answered.await.expect("an answer"))
        };
        cache.read(key, load).await.map(drop).expect("a token set");
    });
    begun.await.expect("it begins");
    (answer, reader)
}

#[tokio::test]
async fn a_set_is_read_once_within_its_time_and_again_after_it() {
    let (cache, key) = (TokenCache::new(Duration::from_millis(100)), key());
    let began = Instant::now();
    assert_eq!(read(&cache, key, "first").await, "first");
    let again = read(&cache, key, "second").await;
    assert!(again == "first" || began.elapsed() >= Duration::from_millis(100));
    sleep(Duration::from_millis(110)).await;
    assert_eq!(read(&cache, key, "third").await, "third");
}

#[tokio::test]
async fn a_read_that_began_before_a_write_does_not_put_the_older_set_back() {
    let (cache, key) = (TokenCache::new(LONG), key());
    let (answer, reader) = slow_read(&cache, key).await;
    cache.forget(key);
    assert!(answer.send(stored("older")).is_ok());
    reader.await.expect("it ends");
    assert_eq!(read(&cache, key, "newer").await, "newer");
    assert_eq!(read(&cache, key, "unread").await, "newer");
}

#[tokio::test]
async fn a_slow_read_does_not_replace_a_later_one() {
    let (cache, key) = (TokenCache::new(LONG), key());
    let (answer, reader) = slow_read(&cache, key).await;
    assert_eq!(read(&cache, key, "later").await, "later");
    assert!(answer.send(stored("earlier")).is_ok());
    reader.await.expect("it ends");
    assert_eq!(read(&cache, key, "unread").await, "later");
}

#[tokio::test]
async fn another_tenant_s_connection_of_the_same_id_is_another_one() {
    let (cache, key) = (TokenCache::new(LONG), key());
    read(&cache, key, "ours").await;
    assert_eq!(read(&cache, (WorkspaceId(Uuid::now_v7()), key.1), "theirs").await, "theirs");
}

#[tokio::test]
async fn an_error_is_not_kept() {
    let (cache, key) = (TokenCache::new(LONG), key());
    assert!(cache.read(key, async { Err(crate::Error::not_found("connection")) }).await.is_err());
    assert_eq!(read(&cache, key, "found").await, "found");
}

#[tokio::test]
async fn zero_keeps_nothing() {
    let (cache, key) = (TokenCache::new(Duration::ZERO), key());
    assert_eq!(read(&cache, key, "first").await, "first");
    assert_eq!(read(&cache, key, "second").await, "second");
    assert_eq!(count(&cache), 0);
}

#[tokio::test]
async fn it_never_holds_more_than_its_bound_and_keeps_the_newer_half() {
    let cache = TokenCache::new(LONG);
    let keys: Vec<_> = (0..3 * HALF).map(|_| key()).collect();
    for key in &keys {
        read(&cache, *key, "kept").await;
        assert!(count(&cache) <= 2 * HALF);
    }
    for key in &keys[2 * HALF..] {
        assert_eq!(read(&cache, *key, "read again").await, "kept");
    }
    assert_eq!(read(&cache, keys[0], "read again").await, "read again");
}

#[tokio::test]
async fn secrets_that_nobody_asks_for_leave_memory() {
    let cache = TokenCache::new(Duration::from_millis(50));
    for round in 0..2 {
        read(&cache, key(), "secret").await;
        let began = Instant::now();
        while count(&cache) > 0 {
            assert!(began.elapsed() < Duration::from_secs(20), "round {round}: they are still there");
            sleep(Duration::from_millis(50)).await;
        }
    }
    read(&cache, key(), "secret").await;
    cache.clear();
    assert_eq!(count(&cache), 0, "and at once when the process shuts down");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_reader_sees_an_older_set_than_one_whose_write_has_ended() {
    let (cache, key) = (TokenCache::new(LONG), key());
    // What the database holds, and the newest of it that a writer has returned from.
    let (database, written) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (cache, database, written) = (cache.clone(), Arc::clone(&database), Arc::clone(&written));
            tokio::spawn(async move {
                while written.load(Ordering::SeqCst) < 2_000 {
                    let known = written.load(Ordering::SeqCst);
                    let load = async {
                        let found = database.load(Ordering::SeqCst);
                        tokio::task::yield_now().await;
                        Ok(stored(&found.to_string()))
                    };
                    let found = cache.read(key, load).await.expect("a token set").tokens.access_token;
                    let found: usize = found.expect("a token").expose().parse().expect("a number");
                    assert!(found >= known, "{found} after {known}");
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for number in 1..=2_000 {
        database.store(number, Ordering::SeqCst);
        tokio::task::yield_now().await;
        cache.forget(key);
        written.store(number, Ordering::SeqCst);
        tokio::task::yield_now().await;
    }
    for reader in readers {
        reader.await.expect("no reader is surprised");
    }
}
