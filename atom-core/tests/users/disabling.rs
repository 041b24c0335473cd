//! Accounts that are disabled: nothing of theirs goes on, and only whoever proves who they are is told.

use super::*;
use crate::email_proof::Inbox;
use crate::factors::add_app;

on_both!(a_disabled_user_is_out_at_once_and_told_why_only_after_a_right_proof, |database| async move {
    let (inbox, clock) = (Inbox::default(), TestClock::new());
    let atom = inbox.on(database.builder()).clock(clock.clone()).open().await.unwrap();
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    let second = atom.accounts().sign_in(credentials("ada@example.com", PASSWORD)).await.unwrap().signed_in().unwrap();
    let id = session.user.id;
    assert_eq!(reason(atom.users().disable(UserId::generate(), None).await), "not_found");
    assert_eq!(reason(atom.users().disable(id, Some("x".repeat(501))).await), "malformed_reason");

    let disabled = atom.users().disable(id, Some(" Ada asked for it ".into())).await.unwrap();
    assert!(disabled.disabled_at.is_some());
    assert_eq!(disabled.disabled_reason.as_deref(), Some("Ada asked for it"));
    let again = atom.users().disable(id, Some("another reason".into())).await.unwrap();
    assert_eq!(again, disabled, "the first stays");
    for session in [&session, &second] {
        assert_eq!(reason(atom.accounts().refresh(session.refresh_token.clone()).await), "session_revoked");
        assert_eq!(reason(atom.authenticate_live(session.access_token.clone()).await), "session_revoked");
    }
    assert_eq!(reason(atom.act_as(id, session.workspace.id).await), "not_a_member");
    assert_eq!(reason(scope.profile().get().await), "session_revoked");

    // By every way to sign in: like nobody's account to strangers, and a reason to whoever has proved who they are.
    let wrong = atom.accounts().sign_in(credentials("ada@example.com", "not the password")).await;
    let unknown = atom.accounts().sign_in(credentials("eve@example.com", "not the password")).await;
    let (wrong, unknown) = (wrong.err().unwrap(), unknown.err().unwrap());
    assert_eq!((wrong.reason(), wrong.to_string()), (unknown.reason(), unknown.to_string()));
    assert_eq!(reason(atom.accounts().sign_in(credentials("ada@example.com", PASSWORD)).await), "user_disabled");
    let request = || EmailSignIn { email: "ada@example.com".into(), ..Default::default() };
    let flow_token = atom.accounts().request_code(request()).await.unwrap().flow_token;
    let code = inbox.code("ada@example.com", MailKind::SignInCode).await;
    let proof = EmailProof { flow_token, code, workspace_id: None, client: None };
    assert_eq!(reason(atom.accounts().sign_in_with_code(proof).await), "user_disabled");
    atom.accounts().request_magic_link(request()).await.unwrap();
    let token = inbox.token("ada@example.com", MailKind::MagicLink).await;
    let link = LinkSignIn { token, flow_token: None, workspace_id: None, client: None };
    assert_eq!(reason(atom.accounts().sign_in_with_link(link).await), "user_disabled");
    assert_eq!(reason(atom.accounts().sign_up(account("ada@example.com")).await), "email_taken");

    let enabled = atom.users().enable(id).await.unwrap();
    assert_eq!((enabled.disabled_at, &enabled.disabled_reason), (None, &None));
    atom.users().enable(id).await.expect("once more is no error");
    assert_eq!(reason(atom.accounts().refresh(second.refresh_token).await), "session_revoked", "they sign in anew");
    let request = PasswordResetRequest { email: "ada@example.com".into(), ..Default::default() };
    clock.advance(chrono::TimeDelta::hours(1));
    atom.accounts().request_password_reset(request).await.unwrap();
    let token = inbox.token("ada@example.com", MailKind::ResetPassword).await;
    atom.accounts().reset_password(token, "a loom of leaves and flowers".into()).await.unwrap();
    let session = atom.accounts().sign_in(credentials("ada@example.com", "a loom of leaves and flowers")).await;
    let scope = atom.authenticate(session.unwrap().signed_in().unwrap().access_token).await.unwrap();
    let acts = acts_on(&scope, id).await;
    assert!(acts.contains(&AuditAction::UserDisabled) && acts.contains(&AuditAction::UserEnabled), "{acts:?}");
    assert_eq!(acts.iter().filter(|act| **act == AuditAction::UserDisabled).count(), 1, "once");
    let told = told_of(&scope).await;
    assert!(told.contains(&"user.disabled".to_owned()) && told.contains(&"user.enabled".to_owned()), "{told:?}");
});

on_both!(a_reason_is_with_the_account_and_in_no_log, |database| async move {
    let atom = database.open().await;
    let (session, _) = sign_up(&atom, "ada@example.com").await;
    atom.users().disable(session.user.id, Some("Bob complained of her".into())).await.unwrap();
    let found = tables_with(&database, "Bob complained of her").await;
    assert!(found.len() == 1 && found[0].starts_with("atom_users"), "{found:?}");
});

on_both!(p18_a_pending_factor_of_a_disabled_user_is_worth_nothing, |database| async move {
    let clock = TestClock::stopped();
    let atom = database.builder().clock(clock.clone()).open().await.unwrap();
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    let (app, codes) = add_app(&scope, &clock).await;
    clock.advance(chrono::TimeDelta::minutes(1));
    let sign_in = async || atom.accounts().sign_in(credentials("ada@example.com", PASSWORD)).await;
    let SignIn::FactorRequired { pending } = sign_in().await.unwrap() else { panic!("the password was enough") };
    atom.users().disable(session.user.id, None).await.unwrap();
    let completed = atom.accounts().complete_with_totp(pending.token.clone(), app.code()).await;
    assert_eq!(reason(completed), "unknown_pending_factor");
    let completed = atom.accounts().complete_with_recovery_code(pending.token, codes[0].clone()).await;
    assert_eq!(reason(completed), "unknown_pending_factor");
    assert_eq!(reason(sign_in().await), "user_disabled", "and no other one begins");
});
