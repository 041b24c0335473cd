//! Fresh proofs of who acts.

use crate::support::*;
use atom_core::*;
use chrono::TimeDelta;

on_both!(p12_a_proof_is_fresh_for_ten_minutes_and_a_password_renews_it, |database| async move {
    let clock = TestClock::stopped();
    let atom = database.builder().clock(clock.clone()).open().await.unwrap();
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    let step_up = scope.step_up();
    clock.advance(TimeDelta::seconds(599));
    assert!(step_up.is_fresh().await.unwrap());
    clock.advance(TimeDelta::seconds(1));
    assert!(!step_up.is_fresh().await.unwrap());
    assert_eq!(reason(step_up.require().await), "step_up_required");

    let refreshed = atom.accounts().refresh(session.refresh_token).await.unwrap();
    let scope = atom.authenticate(refreshed.access_token).await.unwrap();
    assert!(!scope.step_up().is_fresh().await.unwrap(), "a refresh proves nothing");
    assert_eq!(reason(scope.step_up().with_password("not the password".into()).await), "wrong_credentials");
    assert!(!scope.step_up().is_fresh().await.unwrap());
    scope.step_up().with_password(PASSWORD.into()).await.unwrap();
    assert!(step_up.is_fresh().await.unwrap(), "of the session, whichever token shows it");

    let other = atom.accounts().sign_in(credentials("ada@example.com", PASSWORD)).await.unwrap().signed_in().unwrap();
    clock.advance(TimeDelta::seconds(601));
    let other = atom.authenticate(other.access_token).await.unwrap();
    other.step_up().with_password(PASSWORD.into()).await.unwrap();
    assert!(!step_up.is_fresh().await.unwrap(), "one session proves nothing for another");

    let filter = AuditFilter { action: Some(AuditAction::SteppedUp), ..Default::default() };
    let entries = scope.audit().list(filter).await.unwrap().items;
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[1].details["method"], "password");
});

on_both!(p12_a_stolen_session_guesses_no_password_and_a_revoked_one_proves_nothing, |database| async move {
    let atom = database.open().await;
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    for _ in 0..6 {
        assert_eq!(reason(scope.step_up().with_password("not the password".into()).await), "wrong_credentials");
    }
    assert_eq!(reason(scope.step_up().with_password(PASSWORD.into()).await), "too_many_attempts");
    atom.accounts().sign_in(credentials("ada@example.com", PASSWORD)).await.expect("the owner elsewhere does not wait");

    let absent = atom.act_as(session.user.id, session.workspace.id).await.unwrap();
    assert_eq!(reason(absent.step_up().with_password(PASSWORD.into()).await), "no_session");
    let bound = Purpose { purpose: "sync".into(), tool: None };
    let bound = scope.for_purpose(bound).await.unwrap();
    assert_eq!(reason(bound.step_up().is_fresh().await), "purpose_fixed");
    atom.accounts().sign_out(session.refresh_token).await.unwrap();
    assert_eq!(reason(scope.step_up().with_password(PASSWORD.into()).await), "session_revoked");
});
