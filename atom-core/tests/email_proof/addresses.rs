//! Verifying and changing the address of a user who is signed in.

use super::*;

on_both!(a_user_verifies_the_address_that_they_have, |database| async move {
    let post = Post::open(&database).await;
    let (session, scope) = sign_up(&post.atom, "ada@example.com").await;
    assert!(!session.user.email_verified);
    let pending = scope.email().request_verification().await.unwrap();
    let mail = post.inbox.next("ada@example.com", MailKind::VerifyEmail).await;
    assert!(mail.text.contains("https://acme.example/verify-email?token=atom_link_"), "{}", mail.text);
    let code = code_of(&mail);
    // For nobody else, and in no other way.
    let (_, bob) = sign_up(&post.atom, "bob@example.com").await;
    for shown in [code.clone(), token_of(&mail)] {
        assert_eq!(reason(bob.email().verify(shown, Some(pending.flow_token.clone())).await), "proof_spent");
    }
    assert_eq!(reason(bob.email().verify(token_of(&mail), None).await), "proof_spent");
    for (flow_token, refusal) in [(None, "wrong_code"), (Some("atom_flow_elsewhere".into()), "proof_spent")] {
        assert_eq!(reason(scope.email().verify(code.clone(), flow_token).await), refusal, "a code needs its flow");
    }
    assert_eq!(refused(post.accounts().verify_email(proof(&pending.flow_token, &code)).await), SPENT, "it signs nobody in");
    let user = scope.email().verify(token_of(&mail), None).await.unwrap();
    assert!(user.email_verified);
    assert_eq!(reason(scope.email().request_verification().await), "email_verified");
    post.accounts().refresh(session.refresh_token).await.expect("the session stays");
    post.accounts().sign_in(credentials("ada@example.com", PASSWORD)).await.unwrap();
    let names = Some(vec!["user.email_verified".into()]);
    let events = scope.events().list(EventFilter { names, ..Default::default() }).await.unwrap().items;
    assert_eq!((events.len(), events[0].user_id), (1, Some(session.user.id)));
});

on_both!(p12_a_change_needs_a_fresh_proof_and_tells_the_address_before, |database| async move {
    let post = Post::open(&database).await;
    let (session, _) = sign_up(&post.atom, "ada@example.com").await;
    post.clock.advance(TimeDelta::minutes(10));
    let session = post.accounts().refresh(session.refresh_token).await.unwrap();
    let scope = post.scope(&session).await;
    assert_eq!(reason(scope.email().request_change("grace@example.com".into()).await), "step_up_required");
    let step = scope.step_up().request_code().await.unwrap();
    let code = post.inbox.code("ada@example.com", MailKind::SignInCode).await;
    scope.step_up().with_code(code, step.flow_token).await.unwrap();

    let pending = scope.email().request_change(" Grace@example.com ".into()).await.unwrap();
    let notice = post.inbox.next("ada@example.com", MailKind::EmailChangeRequested).await;
    assert!(notice.text.contains("***@example.com") && !notice.text.to_lowercase().contains("grace@"), "{}", notice.text);
    let mail = post.inbox.next("grace@example.com", MailKind::VerifyEmail).await;
    assert_eq!(
        reason(scope.email().confirm_change(another(&code_of(&mail)), Some(pending.flow_token.clone())).await),
        "wrong_code"
    );
    let user = scope.email().confirm_change(code_of(&mail), Some(pending.flow_token)).await.unwrap();
    assert_eq!((user.id, user.email.as_str(), user.email_verified), (session.user.id, "Grace@example.com", true));
    let notice = post.inbox.next("ada@example.com", MailKind::EmailChanged).await;
    assert!(notice.text.contains("***@example.com") && !notice.text.to_lowercase().contains("grace@"), "{}", notice.text);

    post.accounts().refresh(session.refresh_token).await.expect("the session stays");
    assert_eq!(reason(post.accounts().sign_in(credentials("ada@example.com", PASSWORD)).await), "wrong_credentials");
    let again = post.accounts().sign_in(credentials("grace@example.com", PASSWORD)).await.unwrap().signed_in().unwrap();
    assert_eq!(again.user.email, "Grace@example.com");
    let filter = AuditFilter { action: Some(AuditAction::EmailChanged), ..Default::default() };
    let entries = scope.audit().list(filter).await.unwrap().items;
    assert_eq!((entries.len(), entries[0].details.len()), (1, 0), "it names no address");
    let names = Some(vec!["user.email_changed".into()]);
    assert_eq!(scope.events().list(EventFilter { names, ..Default::default() }).await.unwrap().items.len(), 1);
    sign_up(&post.atom, "ada@example.com").await;
});

on_both!(a_change_ends_what_was_mailed_to_the_address_before, |database| async move {
    let post = Post::open(&database).await;
    let (_, scope) = sign_up(&post.atom, "ada@example.com").await;
    let sign_in = post.request_code("ada@example.com").await;
    let sign_in_code = post.inbox.code("ada@example.com", MailKind::SignInCode).await;
    let step = scope.step_up().request_code().await.unwrap();
    let step_code = post.inbox.code("ada@example.com", MailKind::SignInCode).await;
    let verify = scope.email().request_verification().await.unwrap();
    let verify_code = post.inbox.code("ada@example.com", MailKind::VerifyEmail).await;
    post.accounts().request_magic_link(at("ada@example.com")).await.unwrap();
    let token = post.inbox.token("ada@example.com", MailKind::MagicLink).await;

    let pending = scope.email().request_change("grace@example.com".into()).await.unwrap();
    let code = post.inbox.code("grace@example.com", MailKind::VerifyEmail).await;
    scope.email().confirm_change(code, Some(pending.flow_token)).await.unwrap();
    assert_eq!(refused(post.accounts().sign_in_with_code(proof(&sign_in.flow_token, &sign_in_code)).await), SPENT);
    assert_eq!(reason(scope.step_up().with_code(step_code, step.flow_token).await), "proof_spent");
    assert_eq!(reason(scope.email().verify(verify_code, Some(verify.flow_token)).await), "proof_spent");
    assert_eq!(refused(post.accounts().sign_in_with_link(LinkSignIn { token, ..Default::default() }).await), SPENT);
});

on_both!(p04_a_taken_address_cannot_be_told_from_a_free_one, |database| async move {
    let post = Post::open(&database).await;
    let (_, scope) = sign_up(&post.atom, "ada@example.com").await;
    sign_up(&post.atom, "bob@example.com").await;
    let taken = scope.email().request_change("Bob@example.com".into()).await.unwrap();
    post.inbox.next("bob@example.com", MailKind::AccountExists).await;
    assert_eq!(reason(scope.email().confirm_change("00000000".into(), Some(taken.flow_token.clone())).await), "wrong_code");
    let free = scope.email().request_change("eve@example.com".into()).await.unwrap();
    assert_eq!(free.expires_at, taken.expires_at);
    assert_eq!(reason(scope.email().confirm_change("00000000".into(), Some(free.flow_token.clone())).await), "wrong_code");
    assert_eq!(post.mails(MailKind::EmailChangeRequested).await, 2);
    // Somebody else is faster.
    let code = post.inbox.code("eve@example.com", MailKind::VerifyEmail).await;
    sign_up(&post.atom, "eve@example.com").await;
    assert_eq!(reason(scope.email().confirm_change(code, Some(free.flow_token)).await), "email_taken");
});

on_both!(a_change_is_for_its_user_in_a_session_that_stands, |database| async move {
    let post = Post::open(&database).await;
    let (session, scope) = sign_up(&post.atom, "ada@example.com").await;
    let email = scope.email();
    assert_eq!(reason(email.request_change("ADA@example.com".into()).await), "same_email");
    assert_eq!(reason(email.request_change("grace".into()).await), "malformed_email");
    let first = email.request_change("grace@example.com".into()).await.unwrap();
    let first_code = post.inbox.code("grace@example.com", MailKind::VerifyEmail).await;
    let second = email.request_change("hopper@example.com".into()).await.unwrap();
    let mail = post.inbox.next("hopper@example.com", MailKind::VerifyEmail).await;
    assert_eq!(reason(email.confirm_change(first_code, Some(first.flow_token)).await), "proof_spent", "there is a newer one");
    let (_, bob) = sign_up(&post.atom, "bob@example.com").await;
    for shown in [code_of(&mail), token_of(&mail)] {
        assert_eq!(reason(bob.email().confirm_change(shown, Some(second.flow_token.clone())).await), "proof_spent");
    }
    // Somebody else who wants the same address does not end this.
    bob.email().request_change("hopper@example.com".into()).await.unwrap();

    let bound = scope.for_purpose(Purpose { purpose: "sync".into(), tool: None }).await.unwrap();
    assert_eq!(reason(bound.email().request_change("x@example.com".into()).await), "purpose_fixed");
    assert_eq!(reason(bound.email().request_verification().await), "purpose_fixed");
    let absent = post.atom.act_as(session.user.id, session.workspace.id).await.unwrap();
    assert_eq!(reason(absent.email().request_verification().await), "no_session");
    assert_eq!(reason(absent.email().confirm_change(code_of(&mail), Some(second.flow_token.clone())).await), "no_session");
    post.accounts().sign_out(session.refresh_token).await.unwrap();
    assert_eq!(reason(email.confirm_change(code_of(&mail), Some(second.flow_token.clone())).await), "session_revoked");
});

on_both!(requests_of_a_user_are_limited, |database| async move {
    let post = Post::open(&database).await;
    let (_, scope) = sign_up(&post.atom, "ada@example.com").await;
    for _ in 0..5 {
        scope.email().request_verification().await.unwrap();
    }
    assert_eq!(reason(scope.email().request_verification().await), "too_many_attempts");
    assert_eq!(reason(scope.step_up().request_code().await), "too_many_attempts");
    assert_eq!(reason(scope.email().request_change("grace@example.com".into()).await), "too_many_attempts");
    post.clock.advance(TimeDelta::minutes(11));
    scope.email().request_verification().await.unwrap();
});
