//! Many who have one link.

use super::*;
use crate::accounts::NewAccount;
use crate::storage::testing;
use crate::{Atom, LocalKey, UserId};
use chrono::TimeDelta;

const ROUNDS: usize = 200;
const CALLERS: usize = 20;

/// Stores a link for a user.
async fn issue(inner: &Inner, row: &UserRow, token: &Secret) {
    let mut tx = inner.db().expect("open").begin().await.expect("begun");
    let expires_at = inner.now() + TimeDelta::hours(1);
    store::issue_reset(&mut tx, UserId(row.id), &hash(token), &binding(row), expires_at).await.expect("issued");
    tx.commit().await.expect("committed");
}

/// One link, and many who use it at the same moment, each with a password of their own: how many of them did, and what is stored then.
async fn round(installations: &[Atom], user: UserId, number: usize) -> (Vec<String>, Option<String>) {
    let inner = installations[0].inner();
    let stored = || async { people::user(inner.db().expect("open"), user).await.expect("read").expect("there") };
    let token = Secret::from(format!("link {number}"));
    issue(&inner, &stored().await, &token).await;
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (inner, token) = (installations[caller % installations.len()].inner(), token.clone());
            tokio::spawn(async move {
                let password_hash = format!("hash {number} of {caller}");
                let reset = Reset::find(&inner, &token).await?;
                reset.finish(&inner, &password_hash).await.map(|()| password_hash)
            })
        })
        .collect();
    let mut winners = Vec::new();
    for caller in callers {
        match caller.await.expect("finished") {
            Ok(password_hash) => winners.push(password_hash),
            Err(error) => assert_eq!(error.reason(), "invalid_reset_token"),
        }
    }
    (winners, stored().await.password_hash)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p12_of_twenty_who_use_one_link_at_once_exactly_one_does() {
    let folder = tempfile::tempdir().expect("a folder");
    for url in testing::fresh(folder.path()).await {
        let key = || LocalKey::from_base64(&"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".into()).expect("a key");
        let open = || Atom::builder(&url).key(key()).open();
        let installations = [open().await.expect("open"), open().await.expect("open")];
        let account = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
        let user = installations[0].accounts().sign_up(account).await.expect("signed up").user.id;
        for number in 0..ROUNDS {
            let (winners, stored) = round(&installations, user, number).await;
            assert_eq!((winners.len(), winners.first()), (1, stored.as_ref()), "round {number} on {url}");
        }
    }
}

#[tokio::test]
async fn a_password_that_was_changed_meanwhile_is_not_overwritten_by_a_new_hash_of_the_old_one() {
    let atom = Atom::builder("memory:").open().await.expect("open");
    let account = NewAccount { email: "ada@example.com".into(), password: "an engine of brass".into(), ..Default::default() };
    let user = atom.accounts().sign_up(account).await.expect("signed up").user.id;
    let inner = atom.inner();
    let db = inner.db().expect("open");
    let row = || async { people::user(db, user).await.expect("read").expect("there").password_hash };
    let before = row().await.expect("a hash");
    store::rehash(db, user.0, "the hash of another password", "new").await.expect("done");
    assert_eq!(row().await.as_ref(), Some(&before));
    store::rehash(db, user.0, &before, "new").await.expect("done");
    assert_eq!(row().await.as_deref(), Some("new"));
}
