//! Signing in with a link.

use super::*;

/// A link for Ada: its flow and its token.
async fn link(post: &Post) -> (Secret, Secret) {
    let pending = post.accounts().request_magic_link(at("ada@example.com")).await.unwrap();
    assert_eq!(pending.expires_at, post.clock.now() + TimeDelta::minutes(15));
    (pending.flow_token, post.inbox.token("ada@example.com", MailKind::MagicLink).await)
}

fn shown(token: &Secret, flow_token: Option<&Secret>) -> LinkSignIn {
    LinkSignIn { token: token.clone(), flow_token: flow_token.cloned(), ..Default::default() }
}

on_both!(a_link_is_looked_at_as_often_as_one_likes_and_used_once, |database| async move {
    let post = Post::open(&database).await;
    let (ada, _) = sign_up(&post.atom, "ada@example.com").await;
    let (flow, token) = link(&post).await;
    for _ in 0..3 {
        let looked = post.accounts().magic_link(token.clone()).await.unwrap();
        assert_eq!((looked.email.as_str(), looked.expires_at), ("a***@example.com", post.clock.now() + TimeDelta::minutes(15)));
    }
    let session = post.accounts().sign_in_with_link(shown(&token, Some(&flow))).await.unwrap().signed_in().unwrap();
    assert_eq!(session.user.id, ada.user.id);
    let filter = AuditFilter { action: Some(AuditAction::SignedIn), ..Default::default() };
    let entries = post.scope(&session).await.audit().list(filter).await.unwrap();
    assert_eq!(entries.items[0].details["method"], "magic_link");
    assert_eq!(reason(post.accounts().magic_link(token.clone()).await), "proof_spent");
    assert_eq!(refused(post.accounts().sign_in_with_link(shown(&token, Some(&flow))).await), SPENT);
});

on_both!(a_link_of_another_browser_is_refused_where_the_host_says_which_browser_it_is, |database| async move {
    let post = Post::open(&database).await;
    sign_up(&post.atom, "ada@example.com").await;
    let (flow, token) = link(&post).await;
    let other = post.request_code("ada@example.com").await;
    for elsewhere in ["atom_flow_elsewhere".into(), other.flow_token, Secret::default()] {
        assert_eq!(refused(post.accounts().sign_in_with_link(shown(&token, Some(&elsewhere))).await), SPENT);
    }
    post.accounts().sign_in_with_link(shown(&token, Some(&flow))).await.expect("it was not used up");
    let (_, token) = link(&post).await;
    post.accounts().sign_in_with_link(shown(&token, None)).await.expect("where the host does not say");
});

on_both!(a_link_is_over_after_its_minutes_and_when_there_is_a_newer_one, |database| async move {
    let post = Post::open(&database).await;
    sign_up(&post.atom, "ada@example.com").await;
    let (_, first) = link(&post).await;
    let (_, second) = link(&post).await;
    assert_eq!(refused(post.accounts().sign_in_with_link(shown(&first, None)).await), SPENT);
    post.clock.advance(TimeDelta::minutes(15));
    assert_eq!(reason(post.accounts().magic_link(second.clone()).await), "proof_spent");
    assert_eq!(refused(post.accounts().sign_in_with_link(shown(&second, None)).await), SPENT);
});

on_both!(a_link_signs_in_and_does_nothing_else, |database| async move {
    let post = Post::open(&database).await;
    let (_, scope) = sign_up(&post.atom, "ada@example.com").await;
    let (flow, token) = link(&post).await;
    for result in [
        post.accounts().sign_in_with_code(proof(&flow, &token)).await,
        post.accounts().verify_email(proof(&flow, &token)).await,
        post.accounts().confirm_sign_up(proof(&flow, &token)).await,
    ] {
        assert_eq!(refused(result), SPENT);
    }
    assert_eq!(reason(scope.email().verify(token.clone(), Some(flow.clone())).await), "proof_spent");
    assert_eq!(reason(scope.step_up().with_code(token.clone(), flow.clone()).await), "proof_spent");
    // The link that verifies an address signs nobody in.
    scope.email().request_verification().await.unwrap();
    let verifies = post.inbox.token("ada@example.com", MailKind::VerifyEmail).await;
    assert_eq!(refused(post.accounts().sign_in_with_link(shown(&verifies, None)).await), SPENT);
    post.accounts().sign_in_with_link(shown(&token, Some(&flow))).await.unwrap();
});

on_both!(p18_what_is_pending_authenticates_nothing, |database| async move {
    let post = Post::open_with(&database, |builder| builder.require_verified_email(true)).await;
    let begun = post.accounts().begin_sign_up(account("bob@example.com")).await.unwrap();
    let flow = post.accounts().request_magic_link(at("ada@example.com")).await.unwrap().flow_token;
    let pending = post.request_code("ada@example.com").await;
    for token in [begun.flow_token, flow, pending.flow_token] {
        assert_eq!(reason(post.atom.authenticate(token.clone()).await), "invalid_access_token");
        assert_eq!(reason(post.atom.authenticate_live(token.clone()).await), "invalid_access_token");
        assert_eq!(reason(post.accounts().refresh(token.clone()).await), "invalid_refresh_token");
        assert_eq!(reason(post.accounts().magic_link(token.clone()).await), "proof_spent");
        assert_eq!(reason(post.atom.use_lease(token.clone()).await), "lease_unknown");
        for proof in [proof(&token, &token), proof(&token, &Secret::default())] {
            for result in [
                post.accounts().sign_in_with_code(proof.clone()).await,
                post.accounts().verify_email(proof.clone()).await,
                post.accounts().confirm_sign_up(proof).await,
            ] {
                assert_eq!(refused(result), WRONG);
            }
        }
    }
});
