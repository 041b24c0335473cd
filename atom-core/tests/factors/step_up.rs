//! A fresh proof of who acts, of users with a factor.

use super::*;

on_both!(p12_with_a_factor_the_password_alone_is_no_fresh_proof, |database| async move {
    let (atom, clock, session, scope) = opened(&database).await;
    let (app, codes) = add_app(&scope, &clock).await;
    clock.advance(TimeDelta::minutes(11));
    assert!(!scope.step_up().is_fresh().await.unwrap());
    assert_eq!(reason(scope.step_up().with_password(PASSWORD.into()).await), "factor_required");
    assert!(!scope.step_up().is_fresh().await.unwrap());
    assert_eq!(reason(scope.step_up().with_totp(wrong(&app.code())).await), "wrong_code");
    scope.step_up().with_totp(app.code()).await.unwrap();
    assert!(scope.step_up().is_fresh().await.unwrap());
    clock.advance(TimeDelta::minutes(11));
    scope.step_up().with_recovery_code(codes[0].clone()).await.unwrap();
    assert!(scope.step_up().is_fresh().await.unwrap());
    let filter = AuditFilter { action: Some(AuditAction::SteppedUp), ..Default::default() };
    let audit = atom.act_as(session.user.id, session.workspace.id).await.unwrap().audit();
    let entries = audit.list(filter).await.unwrap().items;
    let methods: Vec<_> = entries.iter().map(|entry| entry.details["method"].as_str()).collect();
    assert_eq!(methods, ["recovery_code", "totp"], "newest first");
});

on_both!(p12_a_session_from_before_the_factor_must_show_it, |database| async move {
    let (atom, clock, _, scope) = opened(&database).await;
    let tablet = atom.accounts().sign_in(credentials("ada@example.com", PASSWORD)).await.unwrap().signed_in().unwrap();
    let tablet = atom.authenticate(tablet.access_token).await.unwrap();
    assert!(tablet.step_up().is_fresh().await.unwrap());
    let (app, _) = add_app(&scope, &clock).await;
    assert!(scope.step_up().is_fresh().await.unwrap(), "the code that confirmed it was shown here");
    assert!(!tablet.step_up().is_fresh().await.unwrap());
    assert_eq!(reason(tablet.factors().remove(app.id).await), "step_up_required");
    tablet.step_up().with_totp(app.next_code()).await.unwrap();
    tablet.factors().remove(app.id).await.unwrap();
});

on_both!(p12_no_factor_changes_without_a_fresh_proof, |database| async move {
    let (atom, clock, session, scope) = opened(&database).await;
    let (app, _) = add_app(&scope, &clock).await;
    clock.advance(TimeDelta::minutes(11));
    let absent = atom.act_as(session.user.id, session.workspace.id).await.unwrap();
    let purpose = Purpose { purpose: "sync".into(), tool: None };
    let bound = scope.for_purpose(purpose).await.unwrap();
    for (scope, expected) in [(scope.clone(), "step_up_required"), (absent, "no_session"), (bound, "purpose_fixed")] {
        let factors = scope.factors();
        assert_eq!(reason(factors.begin_totp(None).await), expected);
        assert_eq!(reason(factors.confirm_totp(app.id, app.code()).await), expected);
        assert_eq!(reason(factors.remove(app.id).await), expected);
        assert_eq!(reason(factors.new_recovery_codes().await), expected);
    }
    atom.authenticate(session.access_token).await.unwrap().sessions().revoke_all().await.unwrap();
    for refused in [reason(scope.factors().remove(app.id).await), reason(scope.factors().list().await)] {
        assert_eq!(refused, "session_revoked");
    }
});

on_both!(p07_wrong_codes_of_a_session_delay_that_session_only, |database| async move {
    let (atom, clock, _, scope) = opened(&database).await;
    let (app, _) = add_app(&scope, &clock).await;
    clock.advance(TimeDelta::minutes(1));
    for _ in 0..6 {
        assert_eq!(reason(scope.step_up().with_totp(wrong(&app.code())).await), "wrong_code");
    }
    assert_eq!(reason(scope.step_up().with_totp(app.code()).await), "too_many_attempts");
    let waiting = pending(&atom).await;
    let other = atom.accounts().complete_with_totp(waiting.token, app.code()).await.unwrap().signed_in().unwrap();
    let other = atom.authenticate(other.access_token).await.unwrap();
    other.step_up().with_totp(app.next_code()).await.unwrap();
});
