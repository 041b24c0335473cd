//! Each check of WebAuthn Level 3, sections 7.1 and 7.2: an answer that is wrong in one part is refused for that.

use super::*;

/// Something that is wrong about an authenticator, a browser or a page, and the reason to refuse it.
type Wrong = (Box<dyn Fn(&mut Authenticator)>, &'static str);

fn wrong(reason: &'static str, twist: impl Fn(&mut Authenticator) + 'static) -> Wrong {
    (Box::new(twist), reason)
}

/// What is checked in the same way for a new passkey and for a signature. `kind` is the one that is not asked for.
fn wrong_of_both(kind: &'static str) -> Vec<Wrong> {
    let origins = [
        "http://acme.example",
        "https://acme.example:8443",
        "https://acme.example.evil.example",
        "https://notes.acme.example",
        "",
    ];
    let parties = ["acme.example.", "example", "evil.example", ""];
    let said = [
        (json!({ "type": kind }), "passkey_wrong_ceremony"),
        (json!({ "type": "payment.get" }), "passkey_wrong_ceremony"),
        (json!({ "type": null }), "passkey_malformed"),
        (json!({ "challenge": encode([0; 32]) }), "passkey_wrong_challenge"),
        (json!({ "challenge": "" }), "passkey_wrong_challenge"),
        (json!({ "crossOrigin": true }), "passkey_framed"),
        (json!({ "topOrigin": "https://acme.example" }), "passkey_framed"),
        (json!({ "crossOrigin": "no" }), "passkey_malformed"),
        (json!({ "origin": ["https://acme.example"] }), "passkey_malformed"),
    ];
    let flags = [
        (0, "passkey_user_absent"),
        (VERIFIED, "passkey_user_absent"),
        (PRESENT, "passkey_user_unverified"),
        (PRESENT | VERIFIED | BACKED_UP, "passkey_backups_changed"),
    ];
    let origins = origins.map(|origin| wrong("passkey_wrong_origin", move |laptop| laptop.origin = origin.into()));
    let parties = parties.map(|id| wrong("passkey_wrong_relying_party", move |laptop| laptop.rp_id = id.into()));
    let said = said.map(|(said, reason)| wrong(reason, move |laptop| laptop.client_data = said.clone()));
    let flags = flags.map(|(flags, reason)| wrong(reason, move |laptop| laptop.flags = flags));
    origins.into_iter().chain(parties).chain(said).chain(flags).collect()
}

/// Alters a byte of a part of an answer.
fn alter(answer: &mut Value, part: &str, index: impl Fn(&[u8]) -> usize) {
    let mut bytes = decode(&answer["response"][part]);
    let index = index(&bytes);
    bytes[index] ^= 1;
    answer["response"][part] = json!(encode(bytes));
}

/// Where bytes are altered.
type Index = fn(&[u8]) -> usize;

on_both!(p08_a_signature_that_is_wrong_in_one_part_is_refused_for_that, |database| async move {
    let (atom, _, _, scope) = opened(&database).await;
    let mut laptop = Authenticator::new(Key::es256());
    add(&scope, &mut laptop).await;
    let mut all = wrong_of_both("webauthn.create");
    all.push(wrong("passkey_backups_changed", |laptop| laptop.flags = PRESENT | VERIFIED | BACKUP_ELIGIBLE));
    all.push(wrong("passkey_unknown", |laptop| laptop.handle = None));
    all.push(wrong("passkey_unknown", |laptop| laptop.handle = Some(vec![])));
    all.push(wrong("passkey_unknown", |laptop| laptop.handle = Some(vec![1; 32])));
    all.push(wrong("passkey_unknown", |laptop| laptop.id = vec![9; 32]));
    all.push(wrong("passkey_wrong_signature", |laptop| laptop.key = Key::es256().into()));
    all.push(wrong("passkey_wrong_signature", |laptop| laptop.key = Key::ed_dsa().into()));
    for (i, (twist, expected)) in all.into_iter().enumerate() {
        let mut twisted = laptop.clone();
        twist(&mut twisted);
        assert_eq!(reason(enter(&atom, &mut twisted).await), expected, "twist {i}");
    }
    let within = |bytes: &[u8]| bytes.windows(8).position(|part| part == b"template").unwrap();
    let alterations: [(&str, Index, &str); 6] = [
        ("clientDataJSON", |_| 0, "passkey_malformed"),
        ("clientDataJSON", within, "passkey_wrong_signature"),
        ("authenticatorData", |_| 0, "passkey_wrong_relying_party"),
        ("authenticatorData", |_| 32, "passkey_user_absent"),
        ("authenticatorData", |_| 36, "passkey_wrong_signature"),
        ("signature", |bytes| bytes.len() - 1, "passkey_wrong_signature"),
    ];
    for (part, index, expected) in alterations {
        let altered = enter_with(&atom, |options| {
            let mut answer = laptop.clone().get(options);
            alter(&mut answer, part, index);
            answer
        });
        assert_eq!(reason(altered.await), expected, "{part}");
    }
    let changes: [fn(&mut Value); 6] = [
        |answer| answer["id"] = json!(encode([1; 32])),
        |answer| answer["type"] = json!("password"),
        |answer| answer["response"]["signature"] = json!("=="),
        |answer| answer["response"]["signature"] = json!("A".repeat(100_000)),
        |answer| {
            let data = decode(&answer["response"]["authenticatorData"]);
            answer["response"]["authenticatorData"] = json!(encode([data, vec![0]].concat()));
        },
        |answer| *answer = json!([]),
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let changed = enter_with(&atom, |options| {
            let mut answer = laptop.clone().get(options);
            change(&mut answer);
            answer
        });
        assert_eq!(reason(changed.await), "passkey_malformed", "change {i}");
    }
    enter(&atom, &mut laptop).await.expect("and the right one is right still");
});

/// Answers a challenge with a new passkey.
async fn register(scope: &Scope, laptop: &mut Authenticator, change: impl Fn(&mut Value)) -> Result<AddedFactor, Error> {
    let challenge = scope.factors().begin_passkey().await.unwrap();
    let mut answer = laptop.create(&challenge.options.0);
    change(&mut answer);
    scope.factors().confirm_passkey(challenge.token, Json(answer), None).await
}

on_both!(p08_a_new_passkey_that_is_wrong_in_one_part_is_refused_for_that, |database| async move {
    let (_atom, _, _, scope) = opened(&database).await;
    let mut all = wrong_of_both("webauthn.get");
    all.push(wrong("passkey_malformed", |laptop| laptop.id = Vec::new()));
    all.push(wrong("passkey_malformed", |laptop| laptop.id = vec![1; 1024]));
    // ES384; ES256 with a point of P-384; an RSA key of 1024 bits; a coordinate that is too short; nothing.
    let keys: [(&[u8], usize, &str); 5] = [
        (&[0xa3, 1, 2, 3, 0x38, 0x22, 0x20, 2], 0, "passkey_wrong_algorithm"),
        (&[0xa3, 1, 2, 3, 0x26, 0x20, 2], 0, "passkey_wrong_algorithm"),
        (&[0xa4, 1, 3, 3, 0x39, 1, 0, 0x21, 0x43, 1, 0, 1, 0x20, 0x58, 0x80], 0x80, "passkey_malformed"),
        (&[0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 0x1f], 0x1f, "passkey_malformed"),
        (&[0xa0], 0, "passkey_wrong_algorithm"),
    ];
    for (key, rest, reason) in keys {
        let cose = [key, &vec![1; rest][..]].concat();
        all.push(wrong(reason, move |laptop| laptop.cose = Some(cose.clone())));
    }
    for (i, (twist, expected)) in all.into_iter().enumerate() {
        let mut laptop = Authenticator::new(Key::es256());
        twist(&mut laptop);
        let refused = register(&scope, &mut laptop, |_| ()).await.err().unwrap_or_else(|| panic!("twist {i}"));
        assert_eq!((refused.kind(), refused.reason()), (ErrorKind::Invalid, expected), "twist {i}");
    }
    let changes: [fn(&mut Value); 7] = [
        |answer| answer["id"] = json!(encode([1; 32])),
        |answer| answer["rawId"] = json!(encode([1; 32])),
        |answer| {
            answer["id"] = json!(encode([1; 32]));
            answer["rawId"] = json!(encode([1; 32]));
        },
        |answer| answer["type"] = json!("password"),
        |answer| answer["response"]["attestationObject"] = json!("oA"),
        |answer| answer["response"]["attestationObject"] = json!("=="),
        |answer| {
            let object = decode(&answer["response"]["attestationObject"]);
            answer["response"]["attestationObject"] = json!(encode([object, vec![0]].concat()));
        },
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let mut laptop = Authenticator::new(Key::es256());
        assert_eq!(reason(register(&scope, &mut laptop, change).await), "passkey_malformed", "change {i}");
    }
    assert!(scope.factors().list().await.unwrap().is_empty());
});

on_both!(p08_of_attestations_only_one_by_the_passkey_itself_is_taken, |database| async move {
    let (atom, _, _, scope) = opened(&database).await;
    let refused: [(Attest, &str); 5] = [
        (|_, _| ("none", map(&[("sig", bytes(b"x"))])), "passkey_attested"),
        (|_, _| ("fido-u2f", map(&[])), "passkey_attested"),
        (
            |key, signed| {
                let certificates = [&[0x81][..], &bytes(b"a certificate")].concat();
                let own = [("alg", negative(key.algorithm())), ("sig", bytes(&key.sign(signed))), ("x5c", certificates)];
                ("packed", map(&own))
            },
            "passkey_attested",
        ),
        (|key, _| ("packed", map(&[("alg", negative(-7)), ("sig", bytes(&key.sign(b"another")))])), "passkey_wrong_signature"),
        (|key, signed| ("packed", map(&[("alg", negative(-8)), ("sig", bytes(&key.sign(signed)))])), "passkey_wrong_algorithm"),
    ];
    for (i, (attest, expected)) in refused.into_iter().enumerate() {
        let mut laptop = Authenticator { attest, ..Authenticator::new(Key::es256()) };
        assert_eq!(reason(register(&scope, &mut laptop, |_| ()).await), expected, "attestation {i}");
    }
    let own: Attest = |key, signed| ("packed", map(&[("alg", negative(key.algorithm())), ("sig", bytes(&key.sign(signed)))]));
    let mut laptop = Authenticator { attest: own, ..Authenticator::new(Key::es256()) };
    register(&scope, &mut laptop, |_| ()).await.unwrap();
    enter(&atom, &mut laptop).await.unwrap();
});

on_both!(p08_a_passkey_has_one_user, |database| async move {
    let (atom, _, _, scope) = opened(&database).await;
    let (_, bob) = sign_up(&atom, "bob@example.com").await;
    let mut laptop = Authenticator::new(Key::es256());
    register(&scope, &mut laptop, |_| ()).await.unwrap();
    for scope in [&scope, &bob] {
        let mut again = Authenticator { id: laptop.id.clone(), ..Authenticator::new(Key::es256()) };
        let refused = register(scope, &mut again, |_| ()).await.err().expect("taken");
        assert_eq!((refused.kind(), refused.reason()), (ErrorKind::Conflict, "passkey_taken"));
    }
    assert!(bob.factors().list().await.unwrap().is_empty());
    enter(&atom, &mut laptop).await.unwrap();
});
