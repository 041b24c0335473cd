//! Refresh tokens: safe to repeat, and deadly to steal.

use super::*;
use atom_core::Secret;

async fn refresh(atom: &Atom, token: &Secret) -> Result<Session, Error> {
    atom.accounts().refresh(token.clone()).await
}

on_both!(p13_twenty_callers_with_one_refresh_token_get_one_successor, |database| async move {
    let atom = database.open().await;
    let (session, _) = sign_up(&atom, "ada@example.com").await;
    let callers: Vec<_> = (0..20)
        .map(|_| {
            let (accounts, token) = (atom.accounts(), session.refresh_token.clone());
            tokio::spawn(async move { accounts.refresh(token).await.unwrap().refresh_token.expose().to_owned() })
        })
        .collect();
    let mut successors = std::collections::HashSet::new();
    for caller in callers {
        successors.insert(caller.await.unwrap());
    }
    assert_eq!(successors.len(), 1);
    assert!(!successors.contains(session.refresh_token.expose()));
    assert_eq!(number(&database, "SELECT refresh_counter FROM atom_sessions").await, 1);
});

on_both!(p13_a_lost_answer_can_be_asked_for_as_long_as_nobody_used_it, |database| async move {
    let clock = TestClock::new();
    let atom = database.builder().clock(clock.clone()).open().await.unwrap();
    let (first, _) = sign_up(&atom, "ada@example.com").await;
    let second = refresh(&atom, &first.refresh_token).await.unwrap();
    clock.advance(TimeDelta::days(20));
    let again = refresh(&atom, &first.refresh_token).await.unwrap();
    assert!(second.refresh_token == again.refresh_token, "the answer may have been lost");
    assert_eq!(again.refresh_expires_at, second.refresh_expires_at, "an answer that is given again prolongs nothing");
    assert!(again.access_expires_at > second.access_expires_at, "its access token is a new one");
});

on_both!(p13_two_callers_with_one_token_go_on_within_the_grace, |database| async move {
    let clock = TestClock::new();
    let atom = database.builder().clock(clock.clone()).open().await.unwrap();
    let (first, _) = sign_up(&atom, "ada@example.com").await;
    // One tab is three refreshes ahead when the answer for the other comes.
    let mut tokens = vec![first.refresh_token];
    for _ in 0..3 {
        tokens.push(refresh(&atom, tokens.last().unwrap()).await.unwrap().refresh_token);
        clock.advance(TimeDelta::seconds(9));
    }
    for (old, successor) in tokens.iter().zip(&tokens[1..]) {
        let given = refresh(&atom, old).await.unwrap().refresh_token;
        assert!(given == *successor, "the same successor, whatever came after it");
    }
    assert_eq!(number(&database, "SELECT refresh_counter FROM atom_sessions").await, 3);
    // 31 seconds after the first use of the first, and 22 after that of the second.
    clock.advance(TimeDelta::seconds(4));
    assert!(refresh(&atom, &tokens[1]).await.unwrap().refresh_token == tokens[2]);
    assert_eq!(reason(refresh(&atom, &tokens[0]).await), "refresh_token_reused");
});

on_both!(p13_an_old_token_ends_its_session_and_no_other, |database| async move {
    let clock = TestClock::new();
    let atom = database.builder().clock(clock.clone()).open().await.unwrap();
    let (first, scope) = sign_up(&atom, "ada@example.com").await;
    let other = device(&atom, Client::default()).await;
    let second = refresh(&atom, &first.refresh_token).await.unwrap();
    let third = refresh(&atom, &second.refresh_token).await.unwrap();
    clock.advance(TimeDelta::seconds(31));
    assert_eq!(reason(refresh(&atom, &first.refresh_token).await), "refresh_token_reused");
    for token in [&third.refresh_token, &second.refresh_token, &first.refresh_token] {
        assert_eq!(reason(refresh(&atom, token).await), "session_revoked");
    }
    assert_eq!(reason(atom.authenticate_live(third.access_token).await), "session_revoked");
    let next = refresh(&atom, &other.refresh_token).await.expect("the other device is unaffected");
    refresh(&atom, &next.refresh_token).await.expect("and goes on");
    let reused = (AuditAction::RefreshTokenReused, first.id.to_string());
    assert_eq!(acts(&scope).await.iter().filter(|act| **act == reused).count(), 1);
    assert_eq!(endings(&scope).await, [(first.id.to_string(), "refresh_token_reused".to_owned())]);
});

on_both!(p13_without_a_grace_only_the_unused_answer_is_given_again, |database| async move {
    let atom = database.builder().refresh_grace_seconds(0).open().await.unwrap();
    let (first, _) = sign_up(&atom, "ada@example.com").await;
    let second = refresh(&atom, &first.refresh_token).await.unwrap();
    refresh(&atom, &first.refresh_token).await.expect("nobody used the answer");
    refresh(&atom, &second.refresh_token).await.unwrap();
    assert_eq!(reason(refresh(&atom, &first.refresh_token).await), "refresh_token_reused");
});

on_both!(p13_a_client_that_refreshes_in_a_loop_is_remembered_so_far_and_no_further, |database| async move {
    let atom = database.open().await;
    let (first, _) = sign_up(&atom, "ada@example.com").await;
    let mut tokens = vec![first.refresh_token];
    for _ in 0..40 {
        tokens.push(refresh(&atom, tokens.last().unwrap()).await.unwrap().refresh_token);
    }
    assert!(refresh(&atom, &tokens[40 - 32]).await.unwrap().refresh_token == tokens[40 - 31]);
    assert_eq!(reason(refresh(&atom, &tokens[40 - 33]).await), "refresh_token_reused");
});

on_both!(p14_sessions_end_when_idle_and_in_the_end_anyway, |database| async move {
    let clock = TestClock::new();
    let atom = database.builder().clock(clock.clone()).open().await.unwrap();
    let (mut session, _) = sign_up(&atom, "ada@example.com").await;
    clock.advance(TimeDelta::minutes(16));
    assert_eq!(reason(atom.authenticate(session.access_token.clone()).await), "access_token_expired");
    for _ in 0..6 {
        clock.advance(TimeDelta::days(29));
        session = refresh(&atom, &session.refresh_token).await.unwrap();
        atom.authenticate(session.access_token.clone()).await.unwrap();
    }
    clock.advance(TimeDelta::days(29));
    assert_eq!(reason(refresh(&atom, &session.refresh_token).await), "session_expired");

    let idle = device(&atom, Client::default()).await;
    clock.advance(TimeDelta::days(31));
    assert_eq!(reason(refresh(&atom, &idle.refresh_token).await), "session_expired");
});

on_both!(p14_how_long_sessions_last_is_an_option, |database| async move {
    let clock = TestClock::new();
    let builder = || database.builder().clock(clock.clone()).session_idle_days(2).session_max_days(5);
    let atom = builder().open().await.unwrap();
    let (mut session, _) = sign_up(&atom, "ada@example.com").await;
    let begun = clock.now();
    assert!(session.refresh_expires_at - begun <= TimeDelta::days(2));
    for _ in 0..4 {
        clock.advance(TimeDelta::days(1));
        session = refresh(&atom, &session.refresh_token).await.unwrap();
    }
    assert!(session.refresh_expires_at - begun <= TimeDelta::days(5), "the longest life bounds the last one");
    clock.advance(TimeDelta::hours(25));
    assert_eq!(reason(refresh(&atom, &session.refresh_token).await), "session_expired");
    let idle = device(&atom, Client::default()).await;
    clock.advance(TimeDelta::hours(49));
    assert_eq!(reason(atom.accounts().refresh(idle.refresh_token).await), "session_expired");
    for wrong in [
        database.builder().session_idle_days(0),
        database.builder().session_max_days(4000),
        database.builder().refresh_grace_seconds(601),
        database.builder().signing_key_days(-1),
    ] {
        assert_eq!(reason(wrong.open().await), "malformed_option");
    }
});

on_both!(signing_out_ends_the_session_and_only_it, |database| async move {
    let atom = database.open().await;
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    let other = device(&atom, Client::default()).await;
    atom.accounts().sign_out(session.refresh_token.clone()).await.unwrap();
    atom.accounts().sign_out(session.refresh_token.clone()).await.expect("twice is no error");
    assert_eq!(reason(refresh(&atom, &session.refresh_token).await), "session_revoked");
    refresh(&atom, &other.refresh_token).await.unwrap();
    assert_eq!(endings(&scope).await, [(session.id.to_string(), "signed_out".to_owned())]);
});
