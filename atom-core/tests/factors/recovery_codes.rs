//! Recovery codes.

use super::*;

on_both!(p08_a_recovery_code_stands_in_for_a_lost_factor_once, |database| async move {
    let (atom, clock, _, scope) = opened(&database).await;
    let (_, codes) = add_app(&scope, &clock).await;
    assert_eq!(scope.factors().recovery_codes_left().await.unwrap(), 10);
    let accounts = atom.accounts();
    let loud = Secret::from(format!(" {} ", codes[0].expose().to_uppercase().replace('-', " ")));
    let waiting = pending(&atom).await;
    let session = accounts.complete_with_recovery_code(waiting.token, loud.clone()).await.unwrap().signed_in().unwrap();
    let waiting = pending(&atom).await;
    for again in [&loud, &codes[0], &"nonsense".into(), &"".into()] {
        assert_eq!(reason(accounts.complete_with_recovery_code(waiting.token.clone(), again.clone()).await), "wrong_code");
    }
    accounts.complete_with_recovery_code(waiting.token, codes[1].clone()).await.unwrap();
    let scope = atom.authenticate(session.access_token).await.unwrap();
    assert_eq!(scope.factors().recovery_codes_left().await.unwrap(), 8);
    let filter = EventFilter { names: Some(vec!["user.recovery_code_used".into()]), ..Default::default() };
    let told = scope.events().list(filter).await.unwrap();
    let left: Vec<_> = told.items.iter().map(|event| event.data.0["left"].as_i64().unwrap()).collect();
    assert_eq!(left, [9, 8]);
    let used = AuditFilter { action: Some(AuditAction::RecoveryCodeUsed), ..Default::default() };
    assert_eq!(scope.audit().list(used).await.unwrap().items.len(), 2);
});

on_both!(new_codes_end_those_before, |database| async move {
    let (atom, clock, _, scope) = opened(&database).await;
    assert_eq!(reason(scope.factors().new_recovery_codes().await), "no_factor");
    let (_, old) = add_app(&scope, &clock).await;
    let new = scope.factors().new_recovery_codes().await.unwrap().codes;
    assert_eq!((new.len(), scope.factors().recovery_codes_left().await.unwrap()), (10, 10));
    let waiting = pending(&atom).await;
    assert_eq!(reason(atom.accounts().complete_with_recovery_code(waiting.token.clone(), old[0].clone()).await), "wrong_code");
    atom.accounts().complete_with_recovery_code(waiting.token, new[0].clone()).await.unwrap();
});

on_both!(the_codes_go_with_the_last_factor, |database| async move {
    let (atom, clock, _, scope) = opened(&database).await;
    let (phone, codes) = add_app(&scope, &clock).await;
    let (tablet, _) = add_app(&scope, &clock).await;
    scope.factors().remove(phone.id).await.unwrap();
    assert_eq!(scope.factors().recovery_codes_left().await.unwrap(), 10);
    scope.factors().remove(tablet.id).await.unwrap();
    scope.factors().remove(tablet.id).await.expect("twice is no error");
    assert_eq!(scope.factors().recovery_codes_left().await.unwrap(), 0);
    atom.accounts().sign_in(credentials("ada@example.com", PASSWORD)).await.unwrap().signed_in().expect("no factor any more");
    let (_, fresh) = add_app(&scope, &clock).await;
    assert_eq!(fresh.len(), 10);
    let waiting = pending(&atom).await;
    assert_eq!(reason(atom.accounts().complete_with_recovery_code(waiting.token, codes[0].clone()).await), "wrong_code");
});

on_both!(codes_of_one_user_are_none_of_anothers, |database| async move {
    let (atom, clock, _, scope) = opened(&database).await;
    add_app(&scope, &clock).await;
    let (_, bob) = sign_up(&atom, "bob@example.com").await;
    let (bobs_app, bobs_codes) = add_app(&bob, &clock).await;
    clock.advance(TimeDelta::seconds(30));
    let waiting = pending(&atom).await;
    let accounts = atom.accounts();
    assert_eq!(reason(accounts.complete_with_recovery_code(waiting.token.clone(), bobs_codes[0].clone()).await), "wrong_code");
    assert_eq!(reason(accounts.complete_with_totp(waiting.token, bobs_app.code()).await), "wrong_code");
    // Nor is one's factor another's to remove.
    scope.factors().remove(bobs_app.id).await.expect("nothing that Ada could see");
    assert_eq!(bob.factors().list().await.unwrap().len(), 1);
});
