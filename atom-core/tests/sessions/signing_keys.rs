//! The keys that sign access tokens, and how they take turns.

use super::*;
use SigningKeyState::{Current, Retired, Retiring, Upcoming};
use base64::Engine;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::Value;

fn decoded(part: &str) -> Vec<u8> {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap()
}

/// The key that signed a token.
pub(super) fn kid(token: &Secret) -> SigningKeyId {
    let header: Value = serde_json::from_slice(&decoded(token.expose().split('.').next().unwrap())).unwrap();
    header["kid"].as_str().unwrap().parse().unwrap()
}

async fn states(atom: &Atom) -> Vec<SigningKeyState> {
    atom.signing_keys().list().await.unwrap().iter().map(|key| key.state).collect()
}

async fn published(atom: &Atom) -> Vec<Value> {
    let set: Value = serde_json::from_str(&atom.signing_keys().jwks().await.unwrap()).unwrap();
    set["keys"].as_array().unwrap().clone()
}

/// Whether somebody who has the published keys and nothing else believes a token: RFC 7515 and 8037, by another library.
async fn believed(atom: &Atom, token: &Secret) -> bool {
    let id = kid(token).to_string();
    let (signed, signature) = token.expose().rsplit_once('.').unwrap();
    published(atom).await.iter().any(|key| {
        assert_eq!(
            (&key["kty"], &key["crv"], &key["use"], &key["alg"]),
            (&"OKP".into(), &"Ed25519".into(), &"sig".into(), &"EdDSA".into())
        );
        let x = decoded(key["x"].as_str().unwrap());
        key["kid"] == *id && UnparsedPublicKey::new(&ED25519, x).verify(signed.as_bytes(), &decoded(signature)).is_ok()
    })
}

on_both!(p17_a_key_is_published_before_it_signs_and_until_its_tokens_are_over, |database| async move {
    let clock = TestClock::new();
    let open = || database.builder().clock(clock.clone()).open();
    let (atom, other) = (open().await.unwrap(), open().await.unwrap());
    let (session, _) = sign_up(&atom, "ada@example.com").await;
    let first = kid(&session.access_token);
    let next = atom.signing_keys().rotate(None).await.unwrap();
    assert_eq!((next.state, next.signs_from - next.created_at), (Upcoming, TimeDelta::hours(1)));
    assert_eq!(states(&atom).await, [Current, Upcoming]);
    assert_eq!(published(&other).await.len(), 2, "whoever keeps a copy has it by the time it signs");

    clock.advance(TimeDelta::minutes(59));
    let last = atom.accounts().refresh(session.refresh_token).await.unwrap();
    assert_eq!(kid(&last.access_token), first);
    clock.advance(TimeDelta::minutes(2));
    let new = other.accounts().refresh(last.refresh_token).await.unwrap();
    assert_eq!(kid(&new.access_token), next.id, "a process that did not rotate knows whose turn it is");
    assert_eq!(states(&atom).await, [Retiring, Current]);
    for atom in [&atom, &other] {
        for token in [&last.access_token, &new.access_token] {
            atom.authenticate(token.clone()).await.unwrap();
            assert!(believed(atom, token).await);
        }
    }

    clock.advance(TimeDelta::minutes(20));
    assert_eq!(
        reason(atom.authenticate(last.access_token).await),
        "invalid_access_token",
        "its key is over, and it was long before"
    );
    let new = other.accounts().refresh(new.refresh_token).await.unwrap();
    assert_eq!(states(&atom).await, [Retired, Current], "whoever makes a token notices");
    assert_eq!(published(&atom).await.len(), 1);
    assert_eq!(
        number(&database, "SELECT count(*) FROM atom_signing_keys WHERE private_key IS NULL").await,
        1,
        "its private half is gone"
    );
    atom.authenticate(new.access_token).await.unwrap();

    let acts = atom.keys().audit(AuditFilter::default()).await.unwrap().items;
    let acts: Vec<_> = acts.iter().map(|act| (act.action, act.subject.clone().unwrap(), act.user_id)).collect();
    let (added, retired) = (AuditAction::SigningKeyAdded, AuditAction::SigningKeyRetired);
    assert_eq!(acts, [(retired, first.to_string(), None), (added, next.id.to_string(), None)]);
    let events = atom.keys().events(EventFilter::default()).await.unwrap().items;
    assert!(events.iter().map(|event| event.name.as_str()).eq(["atom.signing_key_added", "atom.signing_key_retired"]));
});

on_both!(p17_an_old_key_gets_a_successor_once_by_whoever_notices, |database| async move {
    let clock = TestClock::new();
    let open = || database.builder().clock(clock.clone()).open();
    let atoms = [open().await.unwrap(), open().await.unwrap(), open().await.unwrap()];
    let (session, _) = sign_up(&atoms[0], "ada@example.com").await;
    clock.advance(TimeDelta::days(89));
    let credentials = || credentials("ada@example.com", PASSWORD);
    atoms[0].accounts().sign_in(credentials()).await.unwrap();
    assert_eq!(states(&atoms[0]).await, [Current]);
    clock.advance(TimeDelta::days(1));
    let callers: Vec<_> = (0..12)
        .map(|i| {
            let accounts = atoms[i % 3].accounts();
            tokio::spawn(async move {
                accounts.sign_in(self::credentials("ada@example.com", PASSWORD)).await.unwrap().signed_in().unwrap()
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(states(&atoms[0]).await, [Current, Upcoming], "twelve notice, one does it");
    clock.advance(TimeDelta::minutes(61));
    let after = atoms[2].accounts().sign_in(credentials()).await.unwrap().signed_in().unwrap();
    assert_ne!(kid(&after.access_token), kid(&session.access_token));
    for atom in &atoms {
        atom.authenticate(after.access_token.clone()).await.unwrap();
    }

    let never = database.builder().clock(clock.clone()).signing_key_days(0).open().await.unwrap();
    clock.advance(TimeDelta::days(3000));
    never.accounts().sign_in(credentials()).await.unwrap();
    assert_eq!(states(&never).await, [Retired, Current], "where only people rotate");
});

on_both!(p17_a_worker_looks_after_the_keys_where_nobody_signs_in, |database| async move {
    let clock = TestClock::new();
    let atom = database.builder().clock(clock.clone()).open().await.unwrap();
    atom.signing_keys().rotate(Some(0)).await.unwrap();
    clock.advance(TimeDelta::minutes(21));
    let worker = atom.start_worker(Default::default(), None).await.unwrap();
    let started = std::time::Instant::now();
    while states(&atom).await != [Retired, Current] {
        assert!(started.elapsed() < std::time::Duration::from_secs(20));
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    worker.stop().await.unwrap();
});

on_both!(p17_a_leaked_key_is_replaced_and_retired_at_once, |database| async move {
    let atom = database.open().await;
    let (session, _) = sign_up(&atom, "ada@example.com").await;
    let (keys, leaked) = (atom.signing_keys(), kid(&session.access_token));
    assert_eq!(reason(keys.retire(leaked).await), "signing_key_in_use");
    let pending = keys.rotate(None).await.unwrap();
    let next = keys.rotate(Some(0)).await.unwrap();
    assert_eq!(states(&atom).await, [Retiring, Current, Upcoming], "the one that has begun is before the one that waits");
    for _ in 0..2 {
        keys.retire(leaked).await.expect("twice is no error");
    }
    assert_eq!(reason(atom.authenticate(session.access_token).await), "invalid_access_token");
    assert!(published(&atom).await.iter().all(|key| key["kid"] != leaked.to_string()));
    let session = atom.accounts().refresh(session.refresh_token).await.expect("the session itself is as it was");
    assert_eq!(kid(&session.access_token), next.id);
    atom.authenticate(session.access_token).await.unwrap();
    keys.retire(pending.id).await.expect("one that has not signed yet, too");
    keys.rotate(Some(0)).await.expect("another one follows");
    assert_eq!(reason(keys.retire(SigningKeyId::generate()).await), "not_found");
});

on_both!(a_key_that_waited_and_was_taken_away_does_not_end_the_line, |database| async move {
    let atom = database.open().await;
    let keys = atom.signing_keys();
    let waiting = keys.rotate(None).await.unwrap();
    keys.retire(waiting.id).await.unwrap();
    let next = keys.rotate(Some(0)).await.unwrap();
    let (session, _) = sign_up(&atom, "ada@example.com").await;
    assert_eq!(kid(&session.access_token), next.id);
});

on_both!(of_many_who_rotate_at_once_each_is_told_what_became_of_it, |database| async move {
    let (atom, other) = (database.open().await, database.open().await);
    let callers: Vec<_> = (0..16)
        .map(|i| {
            let keys = if i % 2 == 0 { atom.signing_keys() } else { other.signing_keys() };
            tokio::spawn(async move { keys.rotate(Some(0)).await })
        })
        .collect();
    let mut made = 1;
    for caller in callers {
        match caller.await.unwrap() {
            Ok(_) => made += 1,
            Err(error) => assert_eq!((error.kind(), error.reason()), (ErrorKind::Conflict, "rotated_meanwhile")),
        }
    }
    let keys = atom.signing_keys().list().await.unwrap();
    assert_eq!(keys.len(), made, "no key that nobody was told of");
    assert!(made > 1);
    for lead in [-1, 2_592_001] {
        assert_eq!(reason(atom.signing_keys().rotate(Some(lead)).await), "malformed_option");
    }
});

on_both!(p40_a_checkpoint_outlives_the_key_that_signed_it, |database| async move {
    let atom = database.open().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let kept = scope.audit().checkpoint().await.unwrap();
    let first = kid(&kept.as_str().into());
    atom.signing_keys().rotate(Some(0)).await.unwrap();
    atom.signing_keys().retire(first).await.unwrap();
    let later = scope.audit().checkpoint().await.unwrap();
    assert_ne!(kid(&later.as_str().into()), first);
    let report = database.open().await;
    let principal = scope.principal();
    let audit = report.act_as(principal.user_id, principal.workspace_id).await.unwrap().audit();
    assert_eq!(audit.verify(Some(vec![kept.clone(), later])).await.unwrap().problem, None);
    let forged = kept.replace('.', "x.");
    assert_eq!(reason(audit.verify(Some(vec![forged])).await), "unknown_checkpoint");
});

on_both!(p17_unknown_keys_of_somebodys_invention_are_refused_beside_good_ones, |database| async move {
    let (atom, other) = (database.open().await, database.open().await);
    let (session, _) = sign_up(&atom, "ada@example.com").await;
    let signed = session.access_token.expose().split_once('.').unwrap().1.to_owned();
    let forged = || {
        let header = serde_json::json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": uuid::Uuid::new_v4().to_string() }).to_string();
        format!("{}.{signed}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header))
    };
    let noise: Vec<_> = (0..300)
        .map(|_| {
            let (other, token) = (other.clone(), forged());
            tokio::spawn(async move { reason(other.authenticate(token.as_str().into()).await) })
        })
        .collect();
    let mut token = session.refresh_token;
    for _ in 0..5 {
        atom.signing_keys().rotate(Some(0)).await.unwrap();
        let session = atom.accounts().refresh(token).await.unwrap();
        other.authenticate(session.access_token).await.expect("a key that it has never seen");
        token = session.refresh_token;
    }
    for forged in noise {
        assert_eq!(forged.await.unwrap(), "invalid_access_token");
    }
});
