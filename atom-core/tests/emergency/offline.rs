//! The offline key: who sets it, when it counts, and what it signs.

use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use std::path::Path;
use std::process::Command;

fn key_pair() -> Ed25519KeyPair {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap()
}

fn public(key: &Ed25519KeyPair) -> String {
    URL_SAFE_NO_PAD.encode(key.public_key())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sign(key: &Ed25519KeyPair, text: &str) -> String {
    STANDARD.encode(key.sign(text.as_bytes()))
}

fn challenge(request: &EmergencyRequest) -> &str {
    request.challenge.as_deref().unwrap()
}

/// A day after Ada has set a key.
async fn with_key(place: &Place<'_>) -> Ed25519KeyPair {
    let key = key_pair();
    place.ada.emergency_access().set_offline_key(public(&key)).await.unwrap();
    place.clock.advance(TimeDelta::days(1));
    key
}

on_both!(p41_the_offline_key_stands_in_for_one_of_two, |database| async move {
    let place = Place::open(&database).await;
    let bob = place.joins("bob", Role::Admin).await;
    let key = with_key(&place).await;
    let request = place.request(&bob).await;
    let signature = sign(&key, challenge(&request));
    let seen = bob.emergency_access().approve_offline(request.id, signature.clone()).await.unwrap();
    assert_eq!((seen.state, seen.approvals.len(), seen.approvals[0].user_id), (EmergencyState::Pending, 1, None));
    let again = bob.emergency_access().approve_offline(request.id, signature).await.unwrap();
    assert_eq!((again.state, again.approvals.len()), (EmergencyState::Pending, 1), "it counts once");
    assert_eq!(reason(bob.emergency_access().reveal(request.id).await), "not_granted");

    assert_eq!(place.ada.emergency_access().approve(request.id).await.unwrap().state, EmergencyState::Granted);
    bob.emergency_access().reveal(request.id).await.unwrap();
    assert_eq!(place.told().await, ["offline_key_set", "requested", "approved", "approved", "granted", "revealed"]);
    let filter = AuditFilter { action: Some(AuditAction::EmergencyApproved), ..Default::default() };
    let entries = place.ada.audit().list(filter).await.unwrap().items;
    assert_eq!((entries[0].details["by"].as_str(), entries[1].details["by"].as_str()), ("member", "offline_key"));
});

on_both!(p41_where_nobody_else_could_approve_the_offline_key_is_enough, |database| async move {
    let place = Place::open(&database).await;
    let key = with_key(&place).await;
    let request = place.request(&place.ada).await;
    let emergency = place.ada.emergency_access();
    let granted = emergency.approve_offline(request.id, sign(&key, challenge(&request))).await.unwrap();
    assert_eq!(granted.state, EmergencyState::Granted);
    // Somebody who can approve has come: now it takes two.
    place.joins("bob", Role::Admin).await;
    assert_eq!(reason(emergency.reveal(request.id).await), "approvals_lapsed");
    place.leaves("bob").await;
    emergency.reveal(request.id).await.unwrap();
});

on_both!(p41_a_signature_is_of_use_for_its_own_request_and_nothing_else, |database| async move {
    let place = Place::open(&database).await;
    let key = with_key(&place).await;
    let (request, other) = (place.request(&place.ada).await, place.request(&place.ada).await);
    let emergency = place.ada.emergency_access();
    let text = challenge(&request);
    let refused = async |signature: String| reason(emergency.approve_offline(request.id, signature).await);
    assert_eq!(refused(sign(&key, challenge(&other))).await, "wrong_signature");
    assert_eq!(refused(sign(&key_pair(), text)).await, "wrong_signature");
    assert_eq!(refused(sign(&key, &format!("{text}\n"))).await, "wrong_signature");
    assert_eq!(refused("0".repeat(128)).await, "wrong_signature");
    for (i, line) in text.lines().enumerate() {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        let last = if line.ends_with('0') { "1" } else { "0" };
        lines[i] = format!("{}{last}", &line[..line.len() - 1]);
        let altered = lines.join("\n");
        assert_ne!(altered, text);
        assert_eq!(refused(sign(&key, &altered)).await, "wrong_signature", "{line}");
    }
    let mut flipped = key.sign(text.as_bytes()).as_ref().to_vec();
    flipped[7] ^= 1;
    assert_eq!(refused(hex(&flipped)).await, "wrong_signature");
    for malformed in ["", "x", "not a signature", &hex(&flipped)[2..], &STANDARD.encode([0_u8; 63])] {
        assert_eq!(refused(malformed.into()).await, "malformed_signature", "{malformed}");
    }
    assert_eq!(emergency.get(request.id).await.unwrap().approvals, []);
    emergency.approve_offline(request.id, hex(key.sign(text.as_bytes()).as_ref())).await.unwrap();
    let again = emergency.approve_offline(request.id, sign(&key, text)).await.unwrap();
    assert_eq!((again.state, again.approvals.len()), (EmergencyState::Granted, 1), "twice is no error");
    assert_eq!(place.state(other.id).await, EmergencyState::Pending);
});

on_both!(p41_whoever_changes_what_is_stored_gets_no_approval, |database| async move {
    let place = Place::open(&database).await;
    let key = with_key(&place).await;
    let request = place.request(&place.ada).await;
    let signature = sign(&key, challenge(&request));
    // Another secret is put into the request that was signed.
    let new = NewServiceKey { service: "bank".into(), value: KEY.into(), exportable: Some(true), ..Default::default() };
    let other = place.ada.service_keys().create(new).await.unwrap();
    let sql = "UPDATE atom_emergency_requests SET service_key_id = (SELECT id FROM atom_service_keys WHERE service = 'bank')";
    place.run(sql.into()).await;
    let emergency = place.ada.emergency_access();
    assert_eq!(emergency.get(request.id).await.unwrap().service_key_id, Some(other.id));
    assert_eq!(reason(emergency.approve_offline(request.id, signature).await), "wrong_signature");
});

on_both!(p41_a_key_counts_a_day_after_it_was_set, |database| async move {
    let place = Place::open(&database).await;
    let emergency = place.ada.emergency_access();
    let (first, second, third) = (key_pair(), key_pair(), key_pair());
    assert_eq!(emergency.offline_key().await.unwrap(), OfflineKey { public_key: None, next_public_key: None, next_from: None });
    let set = emergency.set_offline_key(hex(first.public_key().as_ref())).await.unwrap();
    assert_eq!((set.public_key.as_ref(), set.next_public_key.clone()), (None, Some(hex(first.public_key().as_ref()))));
    let request = place.request(&place.ada).await;
    let by = async |key: &Ed25519KeyPair| emergency.approve_offline(request.id, sign(key, challenge(&request))).await;
    assert_eq!(reason(by(&first).await), "no_offline_key");
    place.clock.advance(TimeDelta::hours(23));
    assert_eq!(reason(by(&first).await), "no_offline_key");
    place.clock.advance(TimeDelta::hours(1));

    // A second one, which whoever has stolen a session might set: the first one goes on counting.
    let request = place.request(&place.ada).await;
    let by = async |key: &Ed25519KeyPair| emergency.approve_offline(request.id, sign(key, challenge(&request))).await;
    let set = emergency.set_offline_key(public(&second)).await.unwrap();
    assert_eq!(set.public_key, Some(hex(first.public_key().as_ref())));
    assert!(set.next_from.is_some());
    assert_eq!(reason(by(&second).await), "wrong_signature");
    // Ada sees the event, and sets the right one again.
    let kept = emergency.set_offline_key(public(&first)).await.unwrap();
    assert_eq!((kept.public_key, kept.next_public_key, kept.next_from), (Some(hex(first.public_key().as_ref())), None, None));
    // Or another one: the second never counts.
    emergency.set_offline_key(public(&second)).await.unwrap();
    place.clock.advance(TimeDelta::hours(12));
    emergency.set_offline_key(public(&third)).await.unwrap();
    place.clock.advance(TimeDelta::hours(11));
    assert_eq!(reason(by(&second).await), "wrong_signature");
    assert_eq!(by(&first).await.unwrap().state, EmergencyState::Granted);
    place.clock.advance(TimeDelta::hours(13));
    assert_eq!(emergency.offline_key().await.unwrap().public_key, Some(hex(third.public_key().as_ref())));
    let set: Vec<_> = place.told().await.into_iter().filter(|name| name == "offline_key_set").collect();
    assert_eq!(set.len(), 5);
});

on_both!(p41_what_a_removed_key_approved_does_not_count, |database| async move {
    let place = Place::open(&database).await;
    let key = with_key(&place).await;
    let emergency = place.ada.emergency_access();
    let request = place.request(&place.ada).await;
    emergency.approve_offline(request.id, sign(&key, challenge(&request))).await.unwrap();
    emergency.remove_offline_key().await.unwrap();
    emergency.remove_offline_key().await.expect("twice is no error");
    assert_eq!(reason(emergency.reveal(request.id).await), "approvals_lapsed");
    assert_eq!(emergency.offline_key().await.unwrap().public_key, None);
    assert_eq!(place.told().await.last().unwrap(), "offline_key_removed");
});

on_both!(only_owners_set_the_key_and_only_a_key, |database| async move {
    let place = Place::open(&database).await;
    let admin = place.joins("bob", Role::Admin).await;
    let member = place.joins("eve", Role::Member).await;
    let owner = place.joins("dan", Role::Owner).await;
    for scope in [&admin, &member] {
        assert_eq!(reason(scope.emergency_access().set_offline_key(public(&key_pair())).await), "not_an_owner");
        assert_eq!(reason(scope.emergency_access().remove_offline_key().await), "not_an_owner");
    }
    assert_eq!(reason(member.emergency_access().offline_key().await), "not_an_admin");
    admin.emergency_access().offline_key().await.unwrap();
    place.becomes("dan", Role::Admin).await;
    assert_eq!(reason(owner.emergency_access().set_offline_key(public(&key_pair())).await), "not_an_owner");
    for malformed in ["", "ed25519", &"0".repeat(63), &"g".repeat(64), &STANDARD.encode([0_u8; 31]), &STANDARD.encode([0_u8; 33])]
    {
        let refused = place.ada.emergency_access().set_offline_key(malformed.into()).await;
        assert_eq!(reason(refused), "malformed_public_key", "{malformed}");
    }
    assert_eq!(place.told().await, [] as [&str; 0]);
});

/// Runs openssl in a folder, and returns what it wrote.
fn openssl(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let done = Command::new("openssl").args(arguments).current_dir(folder).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p41_a_signature_that_openssl_makes_as_the_documentation_says_is_accepted() {
    if Command::new("openssl").arg("version").output().is_err() {
        return println!("skipped: there is no openssl here");
    }
    let database = Database::sqlite();
    let place = Place::open(&database).await;
    let folder = tempfile::tempdir().unwrap();
    openssl(folder.path(), &["genpkey", "-algorithm", "ed25519", "-out", "offline.pem"]);
    let der = openssl(folder.path(), &["pkey", "-in", "offline.pem", "-pubout", "-outform", "DER"]);
    let emergency = place.ada.emergency_access();
    emergency.set_offline_key(STANDARD.encode(&der[der.len() - 32..])).await.unwrap();
    place.clock.advance(TimeDelta::days(1));
    let request = place.request(&place.ada).await;
    std::fs::write(folder.path().join("challenge.txt"), challenge(&request)).unwrap();
    let signature = openssl(folder.path(), &["pkeyutl", "-sign", "-rawin", "-inkey", "offline.pem", "-in", "challenge.txt"]);
    std::fs::write(folder.path().join("signature.bin"), &signature).unwrap();
    let text = openssl(folder.path(), &["base64", "-A", "-in", "signature.bin"]);
    let granted = emergency.approve_offline(request.id, String::from_utf8(text).unwrap()).await.unwrap();
    assert_eq!(granted.state, EmergencyState::Granted);
}
