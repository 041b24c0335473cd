use super::*;
use crate::clock::SystemClock;
use crate::crypto::{LocalKey, Tuning, WrappingKeys};
use crate::storage::testing::fresh;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

async fn ring(db: &Db, key: &LocalKey, worn: OnWorn) -> Arc<KeyRing> {
    let key = LocalKey::from_base64(&key.to_base64()).expect("it");
    let wrapping = WrappingKeys::new(Arc::new(key), vec![]).expect("keys");
    Arc::new(KeyRing::open(db, wrapping, Arc::new(SystemClock), worn).await.expect("a ring"))
}

fn silent(_: &mut Tx, _: Worn, _: DateTime<Utc>) -> BoxFuture<'_, Result<()>> {
    Box::pin(async { Ok(()) })
}

async fn newest(db: &Db, ring: &KeyRing) -> Arc<DataKey> {
    let id = ring.newest(db, crate::crypto::INSTALLATION).await.expect("a key");
    ring.data_key(db, crate::crypto::INSTALLATION, id).await.expect("it")
}

async fn counted(db: &Db, key: &DataKey) -> i64 {
    let (seals,): (i64,) =
        on!(db, c => sqlx::query_as("SELECT seals FROM atom_data_keys WHERE id = $1").bind(key.id).fetch_one(c).await)
            .expect("a count");
    seals
}

/// Two rings stand for two processes; each takes its numbers from many tasks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p32_no_number_is_given_twice_and_none_is_uncounted() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = LocalKey::generate().expect("a key");
    for url in fresh(folder.path()).await {
        let db = Db::connect(&url).await.expect("connected");
        let mut tasks = Vec::new();
        for _ in 0..2 {
            let ring = ring(&db, &key, silent).await;
            let data_key = newest(&db, &ring).await;
            for _ in 0..4 {
                let (db, ring, data_key) = (db.clone(), Arc::clone(&ring), Arc::clone(&data_key));
                tasks.push(tokio::spawn(async move {
                    let mut numbers = Vec::new();
                    for _ in 0..500 {
                        numbers.push(next(&db, &ring, &data_key).await.expect("counted").expect("a number"));
                    }
                    numbers
                }));
            }
        }
        let mut all = HashSet::new();
        for task in tasks {
            for number in task.await.expect("done") {
                assert!(all.insert(number), "{number} was given twice");
            }
        }
        assert_eq!(all.len(), 4000);
        let ring = ring(&db, &key, silent).await;
        let seals = counted(&db, &*newest(&db, &ring).await).await;
        assert!(all.iter().all(|number| (1..seals).contains(number)), "the first was the key check's");
        db.close().await;
    }
}

static TOLD: AtomicI64 = AtomicI64::new(0);

fn tell(_: &mut Tx, worn: Worn, _: DateTime<Utc>) -> BoxFuture<'_, Result<()>> {
    TOLD.fetch_add(worn.seals, Ordering::Relaxed);
    Box::pin(async { Ok(()) })
}

#[tokio::test]
async fn p32_a_worn_key_is_told_once_and_an_exhausted_one_gives_no_number() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = LocalKey::generate().expect("a key");
    for url in fresh(folder.path()).await {
        TOLD.store(0, Ordering::Relaxed);
        let db = Db::connect(&url).await.expect("connected");
        let ring = ring(&db, &key, tell).await;
        ring.tune(Tuning { bounds: Bounds { warning: 20, refusal: 60, first_block: 4, largest_block: 8 }, ..Tuning::default() });
        let data_key = newest(&db, &ring).await;
        let mut given = 0;
        while next(&db, &ring, &data_key).await.expect("counted").is_some() {
            given += 1;
        }
        assert!((50..60).contains(&given), "{given}");
        // The key check was one; then come blocks of 4, 8, 8.
        assert_eq!(TOLD.load(Ordering::Relaxed), 21);
        let seals = counted(&db, &data_key).await;
        assert!((given + 1..=60).contains(&seals), "{given} of {seals}");
        db.close().await;
    }
}
