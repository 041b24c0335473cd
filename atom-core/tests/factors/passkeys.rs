//! Passkeys.

use super::authenticator::*;
use super::*;
use serde_json::{Value, json};

async fn opened(database: &Database) -> (Atom, TestClock, Session, Scope) {
    let clock = TestClock::stopped();
    let atom = open(database, &clock).await;
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    (atom, clock, session, scope)
}

async fn open(database: &Database, clock: &TestClock) -> Atom {
    let builder = database.builder().app_name("Acme").app_url("https://acme.example/notes");
    builder.clock(clock.clone()).open().await.unwrap()
}

/// Adds a passkey of an authenticator.
async fn add(scope: &Scope, authenticator: &mut Authenticator) -> AddedFactor {
    let challenge = scope.factors().begin_passkey().await.unwrap();
    let answer = authenticator.create(&challenge.options.0);
    scope.factors().confirm_passkey(challenge.token, Json(answer), Some("laptop".into())).await.unwrap()
}

/// Signs in with a passkey alone.
async fn enter(atom: &Atom, authenticator: &mut Authenticator) -> Result<Session, Error> {
    enter_with(atom, |options| authenticator.get(options)).await
}

async fn enter_with(atom: &Atom, answer: impl FnOnce(&Value) -> Value) -> Result<Session, Error> {
    let challenge = atom.accounts().begin_passkey_sign_in().await.unwrap();
    let answer = Json(answer(&challenge.options.0));
    let credentials = PasskeyCredentials { token: challenge.token, answer, ..Default::default() };
    atom.accounts().sign_in_with_passkey(credentials).await?.signed_in()
}

on_both!(p08_a_passkey_alone_signs_in_whatever_its_algorithm, |database| async move {
    let (atom, clock, ada, scope) = opened(&database).await;
    for (i, key) in [Key::ed_dsa(), Key::es256(), Key::rs256()].into_iter().enumerate() {
        let mut laptop = Authenticator::new(key);
        let added = add(&scope, &mut laptop).await;
        assert_eq!((added.factor.kind, added.factor.name.as_deref()), (FactorKind::Passkey, Some("laptop")));
        assert_eq!(added.recovery_codes.len(), if i == 0 { 10 } else { 0 });
        clock.advance(TimeDelta::minutes(1));
        let session = enter(&atom, &mut laptop).await.unwrap();
        assert_eq!(session.user.id, ada.user.id);
        let scope = atom.authenticate(session.access_token).await.unwrap();
        assert!(scope.step_up().is_fresh().await.unwrap(), "a passkey is two factors");
        let listed = scope.factors().list().await.unwrap();
        assert_eq!(listed[i].last_used_at, Some(clock.now()));
    }
    let filter = AuditFilter { action: Some(AuditAction::SignedIn), ..Default::default() };
    let entries = scope.audit().list(filter).await.unwrap().items;
    assert!(entries.len() == 3 && entries.iter().all(|entry| entry.details["method"] == "passkey"));
});

on_both!(a_page_gets_its_options_in_the_shape_that_browsers_parse, |database| async move {
    let (atom, _, _, scope) = opened(&database).await;
    let mut laptop = Authenticator::new(Key::es256());
    add(&scope, &mut laptop).await;
    let created = scope.factors().begin_passkey().await.unwrap().options.0;
    let handle = created["user"]["id"].as_str().unwrap();
    assert_eq!(encode(laptop.handle.as_ref().unwrap()), handle, "one handle for all passkeys of a user");
    assert_eq!(decode(&created["challenge"]).len(), 32);
    let expected = json!({
        "rp": { "id": "acme.example", "name": "Acme" },
        "user": { "id": handle, "name": "ada@example.com", "displayName": "ada@example.com" },
        "challenge": created["challenge"],
        "pubKeyCredParams": [
            { "type": "public-key", "alg": -8 }, { "type": "public-key", "alg": -7 }, { "type": "public-key", "alg": -257 },
        ],
        "timeout": 300_000,
        "excludeCredentials": [{ "type": "public-key", "id": encode(&laptop.id), "transports": ["hybrid", "internal"] }],
        "authenticatorSelection": { "residentKey": "required", "requireResidentKey": true, "userVerification": "required" },
        "attestation": "none",
        "extensions": { "credProps": true },
    });
    assert_eq!(created, expected);
    let asked = atom.accounts().begin_passkey_sign_in().await.unwrap().options.0;
    let expected = json!({
        "challenge": asked["challenge"], "timeout": 300_000, "rpId": "acme.example", "allowCredentials": [], "userVerification": "required",
    });
    assert_eq!(asked, expected);
});

on_both!(p08_an_answer_that_is_not_right_in_all_parts_is_refused, |database| async move {
    let (atom, _, _, scope) = opened(&database).await;
    let mut laptop = Authenticator::new(Key::es256());
    add(&scope, &mut laptop).await;
    let mut tried = 0;
    let mut wrong: Vec<(&str, Box<dyn Fn(&mut Authenticator)>)> = Vec::new();
    for origin in ["http://acme.example", "https://acme.example:8443", "https://acme.example.evil.example", "https://notes.acme.example", ""] {
        wrong.push(("origin", Box::new(move |laptop| laptop.origin = origin.into())));
    }
    for id in ["acme.example.", "example", "evil.example", ""] {
        wrong.push(("relying party", Box::new(move |laptop| laptop.rp_id = id.into())));
    }
    for flags in [0, PRESENT, VERIFIED, PRESENT | VERIFIED | BACKED_UP, PRESENT | VERIFIED | BACKUP_ELIGIBLE] {
        wrong.push(("flags", Box::new(move |laptop| laptop.flags = flags)));
    }
    for said in [
        json!({ "type": "webauthn.create" }),
        json!({ "type": "payment.get" }),
        json!({ "type": null }),
        json!({ "challenge": encode([0; 32]) }),
        json!({ "challenge": "" }),
        json!({ "crossOrigin": true }),
        json!({ "topOrigin": "https://evil.example" }),
        json!({ "origin": ["https://acme.example"] }),
    ] {
        wrong.push(("client data", Box::new(move |laptop| laptop.client_data = said.clone())));
    }
    wrong.push(("no handle", Box::new(|laptop| laptop.handle = None)));
    wrong.push(("another handle", Box::new(|laptop| laptop.handle = Some(vec![1; 32]))));
    wrong.push(("another key", Box::new(|laptop| laptop.key = Key::es256())));
    wrong.push(("another algorithm", Box::new(|laptop| laptop.key = Key::ed_dsa())));
    wrong.push(("another credential", Box::new(|laptop| laptop.id = vec![9; 32])));
    for (what, twist) in wrong {
        let mut twisted = Authenticator::new(Key::es256());
        std::mem::swap(&mut twisted.key, &mut laptop.key);
        (twisted.id, twisted.handle, twisted.count) = (laptop.id.clone(), laptop.handle.clone(), laptop.count);
        let key_before = matches!(what, "another key" | "another algorithm");
        let kept = key_before.then(|| std::mem::replace(&mut twisted.key, Key::es256()));
        twist(&mut twisted);
        assert_eq!(reason(enter(&atom, &mut twisted).await), "passkey_refused", "{what}");
        laptop.key = kept.unwrap_or(twisted.key);
        tried += 1;
    }
    assert!(tried > 25, "{tried}");
    for part in ["clientDataJSON", "authenticatorData", "signature"] {
        for index in [0, 5, 40] {
            let altered = enter_with(&atom, |options| {
                let mut answer = laptop.get(options);
                let mut bytes = decode(&answer["response"][part]);
                let index = index % bytes.len();
                bytes[index] ^= 1;
                answer["response"][part] = json!(encode(bytes));
                answer
            });
            assert_eq!(reason(altered.await), "passkey_refused", "{part} at {index}");
        }
    }
    for garbage in [json!(null), json!([]), json!({}), json!("x"), json!({ "id": 1 })] {
        assert_eq!(reason(enter_with(&atom, |_| garbage).await), "passkey_refused");
    }
    enter(&atom, &mut laptop).await.expect("and the right one is right still");
});

on_both!(p08_a_challenge_is_for_one_purpose_one_session_and_one_answer, |database| async move {
    let (atom, clock, _, scope) = opened(&database).await;
    let mut laptop = Authenticator::new(Key::es256());
    add(&scope, &mut laptop).await;
    let (other, bob) = sign_up(&atom, "bob@example.com").await;
    let accounts = atom.accounts();
    let unknown = "unknown_passkey_challenge";
    let sign_in = async |token: Secret, answer: Value| {
        let credentials = PasskeyCredentials { token, answer: Json(answer), ..Default::default() };
        accounts.sign_in_with_passkey(credentials).await
    };
    // Each challenge, answered rightly, at every other door.
    let step_up = scope.step_up().begin_passkey().await.unwrap();
    let answer = laptop.get(&step_up.options.0);
    assert_eq!(reason(sign_in(step_up.token.clone(), answer.clone()).await), unknown);
    assert_eq!(reason(scope.factors().confirm_passkey(step_up.token.clone(), Json(answer.clone()), None).await), unknown);
    assert_eq!(reason(bob.step_up().with_passkey(step_up.token.clone(), Json(answer.clone())).await), unknown);
    scope.step_up().with_passkey(step_up.token.clone(), Json(answer.clone())).await.unwrap();
    assert_eq!(reason(scope.step_up().with_passkey(step_up.token, Json(answer)).await), unknown);

    let registration = scope.factors().begin_passkey().await.unwrap();
    let asked = json!({ "challenge": registration.options.0["challenge"] });
    let answer = laptop.get(&asked);
    assert_eq!(reason(sign_in(registration.token.clone(), answer.clone()).await), unknown);
    assert_eq!(reason(scope.step_up().with_passkey(registration.token.clone(), Json(answer.clone())).await), unknown);
    // A signature is no registration, and the challenge is used up by it.
    let refused = scope.factors().confirm_passkey(registration.token.clone(), Json(answer), None).await;
    assert_eq!(reason(refused), "passkey_refused");
    let late = Authenticator::new(Key::es256()).create(&registration.options.0);
    assert_eq!(reason(scope.factors().confirm_passkey(registration.token, Json(late), None).await), unknown);

    let open = accounts.begin_passkey_sign_in().await.unwrap();
    let answer = laptop.get(&open.options.0);
    assert_eq!(reason(scope.step_up().with_passkey(open.token.clone(), Json(answer.clone())).await), unknown);
    for token in [other.access_token, other.refresh_token, open.options.0["challenge"].as_str().unwrap().into()] {
        assert_eq!(reason(sign_in(token, answer.clone()).await), unknown, "whoever saw the page cannot answer for it");
    }
    sign_in(open.token.clone(), answer.clone()).await.unwrap();
    assert_eq!(reason(sign_in(open.token, answer).await), unknown);
    let open = accounts.begin_passkey_sign_in().await.unwrap();
    let answer = laptop.get(&open.options.0);
    clock.advance(TimeDelta::minutes(5));
    assert_eq!(reason(sign_in(open.token, answer).await), unknown);
});

on_both!(p08_of_twenty_with_one_answer_one_signs_in, |database| async move {
    let (atom, clock, _, scope) = opened(&database).await;
    let other = open(&database, &clock).await;
    let mut laptop = Authenticator::new(Key::ed_dsa());
    add(&scope, &mut laptop).await;
    for round in 0..20 {
        let challenge = atom.accounts().begin_passkey_sign_in().await.unwrap();
        let answer = laptop.get(&challenge.options.0);
        let calls = (0..20).map(|i| {
            let accounts = if i % 2 == 0 { atom.accounts() } else { other.accounts() };
            let credentials =
                PasskeyCredentials { token: challenge.token.clone(), answer: Json(answer.clone()), ..Default::default() };
            tokio::spawn(async move { accounts.sign_in_with_passkey(credentials).await.is_ok() })
        });
        let mut won = 0;
        for call in calls.collect::<Vec<_>>() {
            won += i32::from(call.await.unwrap());
        }
        assert_eq!(won, 1, "round {round}");
    }
});

on_both!(p08_a_passkey_that_counts_from_an_earlier_number_is_refused, |database| async move {
    let (atom, _, _, scope) = opened(&database).await;
    let mut laptop = Authenticator::new(Key::es256());
    let added = add(&scope, &mut laptop).await;
    for _ in 0..3 {
        enter(&atom, &mut laptop).await.unwrap();
    }
    for earlier in [2, 1, 0] {
        laptop.count = Some(earlier);
        assert_eq!(reason(enter(&atom, &mut laptop).await), "passkey_copied", "one more than {earlier}");
    }
    let filter = AuditFilter { action: Some(AuditAction::PasskeyRefused), ..Default::default() };
    let entries = scope.audit().list(filter).await.unwrap().items;
    assert_eq!(entries.len(), 3);
    assert_eq!(entries[0].subject.as_deref(), Some(&*added.factor.id.to_string()));
    assert_eq!((entries[0].details["counted"].as_str(), entries[0].details["given"].as_str()), ("3", "1"));
    laptop.count = Some(3);
    enter(&atom, &mut laptop).await.expect("the one that was not copied");
    // Those on several devices do not count.
    let mut phone = Authenticator::new(Key::es256());
    phone.count = None;
    add(&scope, &mut phone).await;
    for _ in 0..3 {
        enter(&atom, &mut phone).await.unwrap();
    }
});

on_both!(a_passkey_completes_a_pending_sign_in, |database| async move {
    let (atom, _, ada, scope) = opened(&database).await;
    let (_, bob) = sign_up(&atom, "bob@example.com").await;
    let (mut laptop, mut bobs) = (Authenticator::new(Key::es256()), Authenticator::new(Key::es256()));
    add(&scope, &mut laptop).await;
    add(&bob, &mut bobs).await;
    let accounts = atom.accounts();
    let waiting = pending(&atom).await;
    assert_eq!(waiting.factors, [FactorKind::Passkey, FactorKind::RecoveryCode]);
    assert_eq!(reason(accounts.complete_with_totp(waiting.token.clone(), "123456".into()).await), "factor_unavailable");
    let other = pending(&atom).await;
    let challenge = accounts.begin_passkey_factor(waiting.token.clone()).await.unwrap();
    assert_eq!(challenge.options.0["allowCredentials"][0]["id"], encode(&laptop.id));
    let answer = Json(bobs.get(&challenge.options.0));
    let refused = accounts.complete_with_passkey(waiting.token.clone(), challenge.token, answer).await;
    assert_eq!(reason(refused), "passkey_refused");
    let challenge = accounts.begin_passkey_factor(waiting.token.clone()).await.unwrap();
    // Authenticators need not say whose it is where that is known.
    laptop.handle = None;
    let answer = Json(laptop.get(&challenge.options.0));
    let elsewhere = accounts.complete_with_passkey(other.token, challenge.token.clone(), answer.clone()).await;
    assert_eq!(reason(elsewhere), "unknown_passkey_challenge");
    let session = accounts.complete_with_passkey(waiting.token, challenge.token, answer).await.unwrap().signed_in().unwrap();
    assert_eq!(session.user.id, ada.user.id);
});

on_both!(p12_a_passkey_is_a_fresh_proof, |database| async move {
    let (_atom, clock, _, scope) = opened(&database).await;
    assert_eq!(reason(scope.step_up().begin_passkey().await), "no_factor");
    let mut laptop = Authenticator::new(Key::es256());
    let added = add(&scope, &mut laptop).await;
    clock.advance(TimeDelta::minutes(11));
    for refused in [
        reason(scope.factors().begin_passkey().await),
        reason(scope.factors().confirm_passkey("x".into(), Json(json!({})), None).await),
        reason(scope.factors().remove(added.factor.id).await),
    ] {
        assert_eq!(refused, "step_up_required");
    }
    let challenge = scope.step_up().begin_passkey().await.unwrap();
    let answer = Json(laptop.get(&challenge.options.0));
    scope.step_up().with_passkey(challenge.token, answer).await.unwrap();
    scope.factors().remove(added.factor.id).await.unwrap();
    assert_eq!(scope.factors().recovery_codes_left().await.unwrap(), 0);
});

on_both!(p08_a_registration_that_is_not_right_in_all_parts_is_refused, |database| async move {
    let (_atom, _, _, scope) = opened(&database).await;
    let factors = scope.factors();
    let register = async |twist: &dyn Fn(&mut Authenticator), change: &dyn Fn(&mut Value)| {
        let mut laptop = Authenticator::new(Key::es256());
        twist(&mut laptop);
        let challenge = factors.begin_passkey().await.unwrap();
        let mut answer = laptop.create(&challenge.options.0);
        change(&mut answer);
        factors.confirm_passkey(challenge.token, Json(answer), None).await
    };
    let as_it_is = |_: &mut Value| {};
    let twists: [&dyn Fn(&mut Authenticator); 9] = [
        &|laptop| laptop.origin = "https://evil.example".into(),
        &|laptop| laptop.rp_id = "evil.example".into(),
        &|laptop| laptop.flags = PRESENT,
        &|laptop| laptop.flags = VERIFIED,
        &|laptop| laptop.attestation = "packed",
        &|laptop| laptop.client_data = json!({ "type": "webauthn.get" }),
        &|laptop| laptop.client_data = json!({ "challenge": encode([1; 32]) }),
        &|laptop| laptop.id = Vec::new(),
        &|laptop| laptop.id = vec![1; 1024],
    ];
    for (i, twist) in twists.into_iter().enumerate() {
        assert_eq!(reason(register(twist, &as_it_is).await), "passkey_refused", "twist {i}");
    }
    let changes: [&dyn Fn(&mut Value); 6] = [
        &|answer| answer["id"] = json!(encode([1; 32])),
        &|answer| answer["rawId"] = json!(encode([1; 32])),
        &|answer| answer["type"] = json!("password"),
        &|answer| answer["response"]["attestationObject"] = json!("oA"),
        &|answer| answer["response"]["attestationObject"] = json!("=="),
        &|answer| {
            let object = decode(&answer["response"]["attestationObject"]);
            answer["response"]["attestationObject"] = json!(encode([object, vec![0]].concat()));
        },
    ];
    for (i, change) in changes.into_iter().enumerate() {
        assert_eq!(reason(register(&|_| {}, change).await), "passkey_refused", "change {i}");
    }
    assert!(factors.list().await.unwrap().is_empty());
    register(&|laptop| laptop.id = vec![3; 16], &as_it_is).await.unwrap();
    assert_eq!(reason(register(&|laptop| laptop.id = vec![3; 16], &as_it_is).await), "passkey_taken");
});

on_both!(p07_guesses_at_codes_do_not_keep_a_passkey_out, |database| async move {
    let (atom, clock, _, scope) = opened(&database).await;
    let (app, _) = add_app(&scope, &clock).await;
    let mut laptop = Authenticator::new(Key::es256());
    add(&scope, &mut laptop).await;
    let accounts = atom.accounts();
    for _ in 0..2 {
        let waiting = pending(&atom).await;
        for _ in 0..4 {
            accounts.complete_with_totp(waiting.token.clone(), wrong(&app.code())).await.err().expect("a wrong guess");
        }
    }
    let waiting = pending(&atom).await;
    assert_eq!(reason(accounts.complete_with_totp(waiting.token.clone(), app.code()).await), "too_many_attempts");
    let challenge = accounts.begin_passkey_factor(waiting.token.clone()).await.unwrap();
    let answer = Json(laptop.get(&challenge.options.0));
    accounts.complete_with_passkey(waiting.token, challenge.token, answer).await.unwrap().signed_in().unwrap();
    enter(&atom, &mut laptop).await.unwrap();
});

on_both!(a_passkey_that_was_removed_or_whose_user_is_gone_opens_nothing, |database| async move {
    let (atom, _, _, scope) = opened(&database).await;
    let (mut laptop, mut phone) = (Authenticator::new(Key::es256()), Authenticator::new(Key::es256()));
    let added = add(&scope, &mut laptop).await;
    add(&scope, &mut phone).await;
    scope.factors().remove(added.factor.id).await.unwrap();
    assert_eq!(reason(enter(&atom, &mut laptop).await), "passkey_refused");
    let set = |value: &str| format!("UPDATE atom_users SET {value} WHERE email = 'ada@example.com'");
    sql(&database, set("disabled_at = 1"), set("disabled_at = now()")).await;
    assert_eq!(reason(enter(&atom, &mut phone).await), "passkey_refused");
});

on_both!(without_a_relying_party_there_are_no_passkeys, |database| async move {
    let atom = database.open().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    for refused in [scope.factors().begin_passkey().await.err(), atom.accounts().begin_passkey_sign_in().await.err()] {
        let refused = refused.expect("not configured");
        assert_eq!((refused.kind(), refused.reason()), (ErrorKind::Unsupported, "passkeys_not_configured"));
    }
    let own = database.builder().passkey_rp_id("acme.example").passkey_origins(["https://notes.acme.example"]).open().await.unwrap();
    let scope = own.act_as(scope.principal().user_id, scope.principal().workspace_id).await.unwrap();
    assert_eq!(reason(scope.factors().begin_passkey().await), "no_session");
    let options = own.accounts().begin_passkey_sign_in().await.unwrap().options.0;
    assert_eq!(options["rpId"], "acme.example");
});
