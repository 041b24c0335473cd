//! What only the inside can ask for: transactions over several logs, and long logs.

use super::*;
use crate::storage::{Db, testing};
use crate::{Json, WorkspaceId};
use chrono::{TimeDelta, Utc};
use std::time::Duration;

fn draft() -> Draft {
    Draft { name: "number.said".into(), subject: None, user_id: None, data: Json::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_over_the_same_logs_do_not_wait_for_each_other_in_a_circle() {
    let folder = tempfile::tempdir().expect("a folder");
    for url in testing::fresh(folder.path()).await {
        let db = Db::connect(&url).await.expect("connected");
        let logs: Vec<_> = (0..5).map(|_| WorkspaceId::generate()).collect();
        let writers: Vec<_> = (0..8)
            .map(|turn| {
                let (db, mut logs) = (db.clone(), logs.clone());
                logs.rotate_left(turn % 5);
                tokio::spawn(async move {
                    for _ in 0..20 {
                        let mut tx = db.begin().await.expect("begun");
                        let events = logs.iter().chain(&logs).map(|log| (*log, draft())).collect();
                        append_all(&mut tx, events, Utc::now()).await.expect("appended");
                        tx.commit().await.expect("committed");
                    }
                })
            })
            .collect();
        for writer in writers {
            tokio::time::timeout(Duration::from_secs(60), writer).await.expect("in time").expect("finished");
        }
        for log in logs {
            assert_eq!(head(&db, log).await.expect("a head"), 8 * 20 * 2, "{url}");
        }
    }
}

#[tokio::test]
async fn a_long_log_is_forgotten_bite_by_bite_and_only_from_its_beginning() {
    let folder = tempfile::tempdir().expect("a folder");
    for url in testing::fresh(folder.path()).await {
        let db = Db::connect(&url).await.expect("connected");
        let (log, now) = (WorkspaceId::generate(), Utc::now());
        let hour = |hours| now + TimeDelta::hours(hours);
        // A clock that went back for a moment leaves an old event between new ones.
        for (count, at) in [(10_500, hour(0)), (10, hour(2)), (1, hour(0)), (10, hour(3))] {
            let mut tx = db.begin().await.expect("begun");
            append_all(&mut tx, (0..count).map(|_| (log, draft())).collect(), at).await.expect("appended");
            tx.commit().await.expect("committed");
        }
        let kept = || async {
            let sight = Sight { user: None, common: true };
            let page = list(&db, log, sight, EventFilter { page_size: Some(1), ..Default::default() }).await.expect("a page");
            page.items.first().map(|event| event.sequence)
        };
        assert!(sweep(&db, hour(1)).await.expect("swept"), "{url}: there is more than it deletes at once");
        assert_eq!(kept().await, Some(10_001));
        assert!(!sweep(&db, hour(1)).await.expect("swept"));
        assert_eq!(kept().await, Some(10_501));
        assert!(!sweep(&db, hour(1)).await.expect("swept"), "what is old and not at the beginning stays");
        assert_eq!(kept().await, Some(10_501));
        assert!(!sweep(&db, hour(4)).await.expect("swept"));
        assert_eq!((kept().await, head(&db, log).await.expect("a head")), (None, 10_521));
    }
}
