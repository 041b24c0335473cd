//! Passkeys.

mod adoption;
mod challenges;
mod checks;

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
    assert_eq!(reason(refused), "passkey_unknown");
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
    assert_eq!(reason(enter(&atom, &mut laptop).await), "passkey_unknown");
    let set = |value: &str| format!("UPDATE atom_users SET {value} WHERE email = 'ada@example.com'");
    sql(&database, set("disabled_at = 1"), set("disabled_at = now()")).await;
    assert_eq!(reason(enter(&atom, &mut phone).await), "passkey_unknown");
});

on_both!(without_a_relying_party_there_are_no_passkeys, |database| async move {
    let atom = database.open().await;
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    for refused in [scope.factors().begin_passkey().await.err(), atom.accounts().begin_passkey_sign_in().await.err()] {
        let refused = refused.expect("not configured");
        assert_eq!((refused.kind(), refused.reason()), (ErrorKind::Unsupported, "passkeys_not_configured"));
    }
    let own =
        database.builder().passkey_rp_id("acme.example").passkey_origins(["https://notes.acme.example"]).open().await.unwrap();
    let scope = own.act_as(scope.principal().user_id, scope.principal().workspace_id).await.unwrap();
    assert_eq!(reason(scope.factors().begin_passkey().await), "no_session");
    let options = own.accounts().begin_passkey_sign_in().await.unwrap().options.0;
    assert_eq!(options["rpId"], "acme.example");
});
