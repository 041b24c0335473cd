//! Authenticator apps.

use super::*;

on_both!(a_user_with_an_app_signs_in_with_the_password_and_a_code, |database| async move {
    let (atom, clock, session, scope) = opened(&database).await;
    let (app, codes) = add_app(&scope, &clock).await;
    assert_eq!(codes.len(), 10);
    let listed = scope.factors().list().await.unwrap();
    let [factor] = listed.as_slice() else { panic!("one factor") };
    assert_eq!((factor.id, factor.kind, factor.name.as_deref()), (app.id, FactorKind::Totp, Some("phone")));
    assert_eq!(factor.last_used_at, None);

    let waiting = pending(&atom).await;
    assert_eq!(waiting.factors, [FactorKind::Totp, FactorKind::RecoveryCode]);
    assert_eq!(waiting.expires_at, clock.now() + TimeDelta::minutes(10));
    let code = app.next_code();
    let signed_in = atom.accounts().complete_with_totp(waiting.token, code).await.unwrap().signed_in().unwrap();
    assert_eq!((signed_in.user.id, signed_in.workspace.id), (session.user.id, session.workspace.id));
    let scope = atom.authenticate_live(signed_in.access_token).await.unwrap();
    assert_eq!(scope.factors().list().await.unwrap()[0].last_used_at, Some(clock.now()));
    let filter = AuditFilter { action: Some(AuditAction::SignedIn), ..Default::default() };
    let entry = scope.audit().list(filter).await.unwrap().items.remove(0);
    assert_eq!((entry.details["method"].as_str(), entry.details["factor"].as_str()), ("password", "totp"));
});

on_both!(p08_no_code_is_accepted_twice_however_it_is_typed, |database| async move {
    let (atom, clock, _, scope) = opened(&database).await;
    let (app, _) = add_app(&scope, &clock).await;
    let accounts = atom.accounts();
    // The one that confirmed the app, too.
    let waiting = pending(&atom).await;
    assert_eq!(reason(accounts.complete_with_totp(waiting.token.clone(), app.code()).await), "wrong_code");
    let code = app.next_code();
    accounts.complete_with_totp(waiting.token, code.clone()).await.unwrap();
    let (head, tail) = code.expose().split_at(3);
    for again in [code.clone(), format!(" {head} {tail} ").into(), format!("{head}-{tail}").into()] {
        let waiting = pending(&atom).await;
        assert_eq!(reason(accounts.complete_with_totp(waiting.token, again).await), "wrong_code");
    }
    // Nor one from before the last, which was never shown here.
    clock.advance(TimeDelta::minutes(20));
    let before = app.code();
    let waiting = pending(&atom).await;
    accounts.complete_with_totp(waiting.token, app.next_code()).await.unwrap();
    let waiting = pending(&atom).await;
    assert_eq!(reason(accounts.complete_with_totp(waiting.token, before).await), "wrong_code");
});

on_both!(p08_a_code_may_be_a_step_early_or_late, |database| async move {
    let (atom, clock, _, scope) = opened(&database).await;
    let (app, _) = add_app(&scope, &clock).await;
    let at = |seconds| totp_code(&app.secret, clock.now() + TimeDelta::seconds(seconds));
    clock.advance(TimeDelta::minutes(5));
    for (seconds, fine) in [(-60, false), (60, false), (-30, true), (0, true), (30, true)] {
        let waiting = pending(&atom).await;
        let done = atom.accounts().complete_with_totp(waiting.token, at(seconds)).await;
        assert_eq!(done.is_ok(), fine, "{seconds} s");
    }
});

on_both!(an_app_is_a_factor_once_it_has_shown_a_code, |database| async move {
    let (atom, clock, _, scope) = opened(&database).await;
    let factors = scope.factors();
    let first = factors.begin_totp(None).await.unwrap();
    assert!(factors.list().await.unwrap().is_empty());
    atom.accounts().sign_in(credentials("ada@example.com", PASSWORD)).await.unwrap().signed_in().expect("no factor yet");
    let code = totp_code(&first.secret, clock.now());
    assert_eq!(reason(factors.confirm_totp(first.id, wrong(&code)).await), "wrong_code");
    assert_eq!(reason(factors.confirm_totp(FactorId::generate(), code.clone()).await), "not_found");
    // Another beginning forgets the first.
    let second = factors.begin_totp(None).await.unwrap();
    assert_eq!(reason(factors.confirm_totp(first.id, code).await), "not_found");
    clock.advance(TimeDelta::minutes(61));
    scope.step_up().with_password(PASSWORD.into()).await.unwrap();
    assert_eq!(reason(factors.confirm_totp(second.id, totp_code(&second.secret, clock.now())).await), "not_found");
    let third = factors.begin_totp(None).await.unwrap();
    let code = totp_code(&third.secret, clock.now());
    assert_eq!(factors.confirm_totp(third.id, code.clone()).await.unwrap().factor.name, None);
    assert_eq!(reason(factors.confirm_totp(third.id, code).await), "not_found");
});

on_both!(what_an_app_reads_names_the_application_and_the_account, |database| async move {
    let atom = database.builder().app_name("Acme: Notes").open().await.unwrap();
    let (_, scope) = sign_up(&atom, "Ada+x@example.com").await;
    let setup = scope.factors().begin_totp(None).await.unwrap();
    let secret = setup.secret.expose();
    assert!(secret.len() == 32 && secret.bytes().all(|b| b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".contains(&b)));
    let expected = format!(
        "otpauth://totp/Acme%20%20Notes:Ada%2Bx%40example.com?secret={secret}&issuer=Acme%20%20Notes&algorithm=SHA1&digits=6&period=30"
    );
    assert_eq!(setup.otpauth_uri.expose(), expected);
});

on_both!(either_of_two_apps_is_enough, |database| async move {
    let (atom, clock, _, scope) = opened(&database).await;
    let (phone, codes) = add_app(&scope, &clock).await;
    let (tablet, none) = add_app(&scope, &clock).await;
    assert_eq!((codes.len(), none.len()), (10, 0), "those of the first are good still");
    for app in [&tablet, &phone] {
        let waiting = pending(&atom).await;
        atom.accounts().complete_with_totp(waiting.token, app.next_code()).await.unwrap();
    }
});

on_both!(p39_no_secret_of_a_factor_is_in_the_database_in_the_clear, |database| async move {
    let (atom, clock, _, scope) = opened(&database).await;
    let (app, codes) = add_app(&scope, &clock).await;
    let waiting = pending(&atom).await;
    let mut canaries: Vec<String> = codes.iter().map(|code| code.expose().to_owned()).collect();
    canaries.extend(codes.iter().map(|code| code.expose().replace('-', "")));
    canaries.extend([app.secret.expose().to_owned(), waiting.token.expose().to_owned()]);
    atom.shut_down().await.unwrap();
    for text in dump(&database).await {
        assert!(canaries.iter().all(|canary| !text.contains(canary.as_str())));
    }
});
