//! A new password for a user who is signed in.

use super::*;
use chrono::TimeDelta;

on_both!(p12_a_new_password_ends_the_other_sessions_and_tells_its_user, |database| async move {
    let letters = Letters::taking();
    let atom = letters.on(database.builder()).open().await.unwrap();
    let (desk, scope) = sign_up(&atom, "ada@example.com").await;
    let phone = sign_in(&atom, PASSWORD).await.unwrap();
    let request = PasswordResetRequest { email: "ada@example.com".into(), ..Default::default() };
    atom.accounts().request_password_reset(request).await.unwrap();
    let link = letters.nth(MailKind::ResetPassword, 1).await;

    assert!(scope.password().is_set().await.unwrap());
    scope.password().change(PASSWORD.into(), NEW.into()).await.unwrap();
    assert_eq!(reason(sign_in(&atom, PASSWORD).await), "wrong_credentials");
    sign_in(&atom, NEW).await.expect("the new one");
    atom.authenticate_live(desk.access_token).await.expect("the session in which it was done");
    assert_eq!(reason(atom.authenticate_live(phone.access_token).await), "session_revoked");
    assert_eq!(reason(atom.accounts().refresh(phone.refresh_token).await), "session_revoked");
    let token = reset::token(&link);
    assert_eq!(reason(atom.accounts().reset_password(token, "a third password of hers".into()).await), "invalid_reset_token");

    let notice = letters.nth(MailKind::PasswordChanged, 1).await;
    assert_eq!(notice.to, "ada@example.com");
    assert_eq!(told(&scope).await, (vec!["changed".to_owned()], vec!["changed".to_owned()]));
    let filter = AuditFilter { action: Some(AuditAction::SessionRevoked), ..Default::default() };
    let ended = scope.audit().list(filter).await.unwrap().items;
    let [ended] = &ended[..] else { panic!("{ended:?}") };
    assert_eq!((ended.subject.clone(), ended.session_id), (Some(phone.id.to_string()), Some(desk.id)));
    assert_eq!(scope.audit().verify(None).await.unwrap().problem, None);
});

on_both!(p12_whoever_does_not_know_the_password_does_not_change_it, |database| async move {
    let atom = database.builder().clock(TestClock::stopped()).open().await.unwrap();
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    let phone = sign_in(&atom, PASSWORD).await.unwrap();
    let phone = atom.authenticate(phone.access_token).await.unwrap();
    for _ in 0..6 {
        assert_eq!(reason(scope.password().change("a guess that is wrong".into(), NEW.into()).await), "wrong_credentials");
    }
    assert_eq!(reason(scope.password().change(PASSWORD.into(), NEW.into()).await), "too_many_attempts");
    let absent = atom.act_as(session.user.id, session.workspace.id).await.unwrap();
    assert_eq!(reason(absent.password().change(PASSWORD.into(), NEW.into()).await), "no_session");
    assert_eq!(reason(absent.password().set(NEW.into()).await), "no_session");
    let bound = phone.for_purpose(Purpose { purpose: "sync".into(), tool: None }).await.unwrap();
    assert_eq!(reason(bound.password().change(PASSWORD.into(), NEW.into()).await), "purpose_fixed");
    assert_eq!(reason(phone.password().set(NEW.into()).await), "password_exists");
    phone.password().change(PASSWORD.into(), NEW.into()).await.expect("the guesses elsewhere are not the owner's");
    assert_eq!(reason(scope.password().change(NEW.into(), PASSWORD.into()).await), "session_revoked");
});

on_both!(p12_who_has_no_password_sets_one_with_a_fresh_proof, |database| async move {
    let clock = TestClock::stopped();
    let atom = database.builder().clock(clock.clone()).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    let none = "UPDATE atom_users SET password_hash = NULL";
    sql(&database, none, none).await;
    let password = scope.password();
    assert!(!password.is_set().await.unwrap());
    assert_eq!(reason(password.change(PASSWORD.into(), NEW.into()).await), "wrong_credentials");
    clock.advance(TimeDelta::minutes(10));
    assert_eq!(reason(password.set(NEW.into()).await), "step_up_required");
    clock.advance(TimeDelta::minutes(-1));
    assert_eq!(reason(password.set("short".into()).await), "weak_password");
    password.set(NEW.into()).await.unwrap();
    assert!(password.is_set().await.unwrap());
    assert_eq!(reason(password.set(PASSWORD.into()).await), "password_exists");
    sign_in(&atom, NEW).await.expect("without mail, too");
    assert_eq!(told(&scope).await.0, ["set"]);
});
