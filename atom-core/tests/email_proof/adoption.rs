//! Somebody signed up with an address that is not theirs, and waits for its owner.

use super::*;

/// What the attacker tries afterwards.
async fn assert_dead(post: &Post, attackers: &[Session]) {
    assert_eq!(reason(post.accounts().sign_in(credentials("ada@example.com", PASSWORD)).await), "wrong_credentials");
    for session in attackers {
        assert_eq!(reason(post.atom.authenticate_live(session.access_token.clone()).await), "session_revoked");
        assert_eq!(reason(post.accounts().refresh(session.refresh_token.clone()).await), "session_revoked");
        // Nor does its device count as one of the owner's.
        let scope = post.atom.authenticate(session.access_token.clone()).await.unwrap();
        assert_eq!(reason(scope.email().request_change("eve@example.com".into()).await), "session_revoked");
        assert_eq!(reason(scope.step_up().with_password(PASSWORD.into()).await), "session_revoked");
    }
}

async fn attackers(post: &Post) -> Vec<Session> {
    let (first, scope) = sign_up(&post.atom, "ada@example.com").await;
    let second = post.accounts().sign_in(credentials("ada@example.com", PASSWORD)).await.unwrap().signed_in().unwrap();
    // A change that is under way ends, too.
    scope.email().request_change("eve@example.com".into()).await.unwrap();
    vec![first, second]
}

on_both!(p11_the_owner_signs_in_with_a_code_and_whoever_signed_up_before_is_out, |database| async move {
    let post = Post::open(&database).await;
    let attackers = attackers(&post).await;
    let session = post.sign_in("ada@example.com").await;
    assert_eq!(session.user.id, attackers[0].user.id);
    assert!(session.user.email_verified);
    assert_dead(&post, &attackers).await;
    let scope = post.scope(&session).await;
    let filter = AuditFilter { action: Some(AuditAction::SessionRevoked), ..Default::default() };
    assert_eq!(scope.audit().list(filter).await.unwrap().items.len(), 2);
    let names = Some(vec!["session.ended".into(), "user.email_verified".into()]);
    let events = scope.events().list(EventFilter { names, ..Default::default() }).await.unwrap().items;
    assert_eq!(events.len(), 3, "{events:?}");
    assert_eq!(scope.audit().verify(None).await.unwrap().problem, None);
    assert_eq!(scope.sessions().list().await.unwrap().len(), 1);
});

on_both!(p11_the_same_with_a_link, |database| async move {
    let post = Post::open(&database).await;
    let attackers = attackers(&post).await;
    post.accounts().request_magic_link(at("ada@example.com")).await.unwrap();
    let token = post.inbox.token("ada@example.com", MailKind::MagicLink).await;
    let session = post.accounts().sign_in_with_link(LinkSignIn { token, ..Default::default() }).await.unwrap();
    assert_eq!(session.signed_in().unwrap().user.id, attackers[0].user.id);
    assert_dead(&post, &attackers).await;
});

on_both!(p11_whoever_was_verified_keeps_password_and_sessions, |database| async move {
    let post = Post::open(&database).await;
    sign_up(&post.atom, "ada@example.com").await;
    let first = post.sign_in("ada@example.com").await;
    let second = post.sign_in("ada@example.com").await;
    assert_eq!(post.scope(&second).await.sessions().list().await.unwrap().len(), 2);
    post.accounts().refresh(first.refresh_token).await.expect("it stands");

    // Somebody who has verified the address with their password keeps that.
    let (session, scope) = sign_up(&post.atom, "bob@example.com").await;
    let pending = scope.email().request_verification().await.unwrap();
    let code = post.inbox.code("bob@example.com", MailKind::VerifyEmail).await;
    assert!(scope.email().verify(code, Some(pending.flow_token)).await.unwrap().email_verified);
    post.sign_in("bob@example.com").await;
    post.accounts().sign_in(credentials("bob@example.com", PASSWORD)).await.unwrap().signed_in().unwrap();
    post.accounts().refresh(session.refresh_token).await.expect("it stands");
});

on_both!(p11_another_spelling_of_the_address_proves_nothing, |database| async move {
    let post = Post::open(&database).await;
    // Full-width letters are one account with the others, and may be another mailbox.
    let (_, scope) = sign_up(&post.atom, "ａda@example.com").await;
    scope.email().request_verification().await.unwrap();
    post.request_code("ａＤＡ@example.com").await;
    post.accounts().begin_sign_up(account("ＢＯＢ@example.com")).await.unwrap();
    post.inbox.next("ada@example.com", MailKind::VerifyEmail).await;
    post.inbox.next("ada@example.com", MailKind::SignInCode).await;
    post.inbox.next("bob@example.com", MailKind::VerifyEmail).await;
});

on_both!(p11_a_code_of_before_does_not_lead_into_the_account_of_another, |database| async move {
    let post = Post::open(&database).await;
    let (_, scope) = sign_up(&post.atom, "ada@example.com").await;
    let pending = post.request_code("ada@example.com").await;
    let code = post.inbox.code("ada@example.com", MailKind::SignInCode).await;
    // Ada goes to another address, and Bob takes hers.
    let change = scope.email().request_change("lovelace@example.com".into()).await.unwrap();
    let proof_of_new = post.inbox.code("lovelace@example.com", MailKind::VerifyEmail).await;
    scope.email().confirm_change(proof_of_new, Some(change.flow_token)).await.unwrap();
    sign_up(&post.atom, "ada@example.com").await;
    assert_eq!(refused(post.accounts().sign_in_with_code(proof(&pending.flow_token, &code)).await), SPENT);
});
