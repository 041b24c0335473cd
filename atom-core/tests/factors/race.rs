//! What may happen once, twenty at a time.
#![allow(clippy::print_stdout)] // how the race went

use super::*;
use std::time::Instant;

const CALLERS: usize = 20;

/// How many of twenty callers succeed, in two processes' worth of connections.
async fn winners<F>(call: impl Fn(usize) -> F) -> usize
where
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let calls: Vec<_> = (0..CALLERS).map(|i| tokio::spawn(call(i))).collect();
    let mut won = 0;
    for call in calls {
        match call.await.unwrap() {
            Ok(()) => won += 1,
            Err(error) => assert!(
                matches!(error.reason(), "wrong_code" | "unknown_pending_factor" | "too_many_attempts"),
                "{}",
                error.reason()
            ),
        }
    }
    won
}

on_both!(p08_of_twenty_with_one_recovery_code_one_wins, |database| async move {
    let (atom, clock, session, scope) = opened(&database).await;
    let (app, mut codes) = add_app(&scope, &clock).await;
    let other = database.builder().clock(clock.clone()).open().await.unwrap();
    let other = other.authenticate(session.access_token).await.unwrap();
    let begun = Instant::now();
    for round in 0..200 {
        if codes.is_empty() {
            scope.step_up().with_totp(app.next_code()).await.unwrap();
            codes = scope.factors().new_recovery_codes().await.unwrap().codes;
        }
        let code = codes.pop().unwrap();
        let won = winners(|i| {
            let (step_up, code) = (if i % 2 == 0 { scope.step_up() } else { other.step_up() }, code.clone());
            async move { step_up.with_recovery_code(code).await }
        });
        assert_eq!(won.await, 1, "round {round}");
    }
    println!("200 rounds took {:?}", begun.elapsed());
    drop(atom);
});

on_both!(p08_of_twenty_with_one_code_of_an_app_one_wins, |database| async move {
    let (_atom, clock, session, scope) = opened(&database).await;
    let (app, _) = add_app(&scope, &clock).await;
    let other = database.builder().clock(clock.clone()).open().await.unwrap();
    let other = other.authenticate(session.access_token).await.unwrap();
    for round in 0..40 {
        let code = app.next_code();
        let won = winners(|i| {
            let (step_up, code) = (if i % 2 == 0 { scope.step_up() } else { other.step_up() }, code.clone());
            async move { step_up.with_totp(code).await }
        });
        assert_eq!(won.await, 1, "round {round}");
        // What the others did wrong is forgotten.
        clock.advance(TimeDelta::minutes(16));
        scope.step_up().with_totp(app.next_code()).await.unwrap();
    }
});

on_both!(p18_of_twenty_completions_of_one_sign_in_one_wins, |database| async move {
    let (atom, clock, _, scope) = opened(&database).await;
    let (_, codes) = add_app(&scope, &clock).await;
    let other = database.builder().clock(clock.clone()).open().await.unwrap();
    let before = scope.sessions().list().await.unwrap().len();
    for round in 1..=5 {
        let waiting = pending(&atom).await;
        // Each with a code of its own, as far as there are any: it is the sign-in that can be completed once.
        let won = winners(|i| {
            let accounts = if i % 2 == 0 { atom.accounts() } else { other.accounts() };
            let (token, code) = (waiting.token.clone(), codes[(round - 1) * 2 + i % 2].clone());
            async move { accounts.complete_with_recovery_code(token, code).await.map(drop) }
        });
        assert_eq!(won.await, 1, "round {round}");
        assert_eq!(scope.sessions().list().await.unwrap().len(), before + round);
    }
});
