//! What a challenge is good for, and how often.

use super::*;

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
    assert_eq!(reason(refused), "passkey_malformed");
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

on_both!(one_factor_too_many_is_refused_however_many_are_begun, |database| async move {
    let (_atom, clock, _, scope) = opened(&database).await;
    for _ in 0..19 {
        add_app(&scope, &clock).await;
    }
    let challenge = scope.factors().begin_passkey().await.unwrap();
    let app = scope.factors().begin_totp(None).await.unwrap();
    let answer = Json(Authenticator::new(Key::es256()).create(&challenge.options.0));
    scope.factors().confirm_passkey(challenge.token, answer, None).await.expect("the twentieth");
    let code = totp_code(&app.secret, clock.now());
    assert_eq!(reason(scope.factors().confirm_totp(app.id, code).await), "too_many_factors");
    assert_eq!(reason(scope.factors().begin_passkey().await), "too_many_factors");
    assert_eq!(scope.factors().list().await.unwrap().len(), 20);
});
