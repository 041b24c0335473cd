//! What a change of a factor leaves behind, and how many there may be.

use super::*;
use crate::mail::Letters;

on_both!(p12_every_change_is_logged_and_told_by_mail, |database| async move {
    let clock = TestClock::stopped();
    let atom = Letters::refusing(database.builder()).clock(clock.clone()).open().await.unwrap();
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    let (app, _) = add_app(&scope, &clock).await;
    scope.factors().new_recovery_codes().await.unwrap();
    scope.factors().remove(app.id).await.unwrap();

    let filter = EventFilter { names: Some(vec!["user.*".into()]), ..Default::default() };
    let events = scope.events().list(filter).await.unwrap().items;
    let names: Vec<_> = events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["user.signed_up", "user.factor_added", "user.recovery_codes_renewed", "user.factor_removed"]);
    assert_eq!(events[1].data.0["factor"], "totp");
    let audit = scope.audit().list(AuditFilter::default()).await.unwrap().items;
    let actions: Vec<_> = audit.iter().map(|entry| entry.action).filter(|action| *action != AuditAction::SteppedUp).collect();
    assert_eq!(
        actions[..3],
        [AuditAction::FactorRemoved, AuditAction::RecoveryCodesRenewed, AuditAction::FactorAdded],
        "newest first"
    );
    assert!(audit.iter().all(|entry| entry.session_id == Some(session.id)));
    let mails = atom.mail().list(MailDeliveryFilter::default()).await.unwrap().items;
    assert_eq!(mails.iter().filter(|mail| mail.kind == MailKind::FactorChanged).count(), 3);
});

on_both!(a_user_has_twenty_factors_at_most_and_names_are_short, |database| async move {
    let (_atom, clock, _, scope) = opened(&database).await;
    for _ in 0..20 {
        add_app(&scope, &clock).await;
    }
    assert_eq!(reason(scope.factors().begin_totp(None).await), "too_many_factors");
    let oldest = scope.factors().list().await.unwrap().remove(0);
    scope.factors().remove(oldest.id).await.unwrap();
    for name in ["x".repeat(101), "two\nlines".into()] {
        assert_eq!(reason(scope.factors().begin_totp(Some(name)).await), "malformed_factor_name");
    }
    scope.factors().begin_totp(Some("  ".into())).await.unwrap();
});
