//! Many at once, in two processes' worth of connections: what may happen once happens once.

use super::*;

/// How often a race is run.
const ROUNDS: usize = 200;

async fn two(database: &Database) -> (Post, Atom) {
    let post = Post::open(database).await;
    sign_up(&post.atom, "ada@example.com").await;
    let other = post.inbox.on(database.builder().clock(post.clock.clone())).open().await.unwrap();
    (post, other)
}

/// What so many callers get who show a code at the same moment, every other one in the other installation.
async fn all_show(post: &Post, other: &Atom, shown: impl Fn(usize) -> EmailProof, callers: usize) -> Vec<&'static str> {
    let start = Arc::new(tokio::sync::Barrier::new(callers));
    let callers: Vec<_> = (0..callers)
        .map(|i| {
            let atom = if i % 2 == 0 { post.atom.clone() } else { other.clone() };
            let (shown, start) = (shown(i), Arc::clone(&start));
            tokio::spawn(async move {
                start.wait().await;
                match atom.accounts().sign_in_with_code(shown).await {
                    Ok(_) => "signed in",
                    Err(error) => error.reason(),
                }
            })
        })
        .collect();
    let mut outcomes = Vec::new();
    for caller in callers {
        outcomes.push(caller.await.unwrap());
    }
    outcomes
}

fn count(outcomes: &[&str], outcome: &str) -> usize {
    outcomes.iter().filter(|one| **one == outcome).count()
}

on_both!(p05_of_twenty_who_show_the_right_code_at_once_one_is_signed_in, |database| async move {
    let (post, other) = two(&database).await;
    for round in 0..ROUNDS {
        post.clock.advance(TimeDelta::minutes(11));
        let pending = post.request_code("ada@example.com").await;
        let code = post.inbox.code("ada@example.com", MailKind::SignInCode).await;
        let outcomes = all_show(&post, &other, |_| proof(&pending.flow_token, &code), 20).await;
        assert_eq!((count(&outcomes, "signed in"), count(&outcomes, "proof_spent")), (1, 19), "round {round}: {outcomes:?}");
    }
    // The one who signed up was there before the address was proved.
    let rounds = i64::try_from(ROUNDS).unwrap();
    assert_eq!(number(&database, "SELECT count(*) FROM atom_sessions WHERE revoked_at IS NULL").await, rounds);
});

on_both!(p06_of_fifty_guesses_at_once_five_are_looked_at, |database| async move {
    let (post, other) = two(&database).await;
    for round in 0..20 {
        post.clock.advance(TimeDelta::minutes(11));
        let pending = post.request_code("ada@example.com").await;
        let code = post.inbox.code("ada@example.com", MailKind::SignInCode).await;
        let wrong = another(&code);
        let outcomes = all_show(&post, &other, |_| proof(&pending.flow_token, &wrong), 50).await;
        assert_eq!((count(&outcomes, "wrong_code"), count(&outcomes, "proof_spent")), (5, 45), "round {round}");
        assert_eq!(refused(post.accounts().sign_in_with_code(proof(&pending.flow_token, &code)).await), SPENT);
    }
    assert_eq!(number(&database, "SELECT max(tries) FROM atom_email_proofs").await, 5);
});

on_both!(p06_a_guess_counts_whatever_becomes_of_whoever_made_it, |database| async move {
    let (post, _) = two(&database).await;
    let pending = post.request_code("ada@example.com").await;
    let code = post.inbox.code("ada@example.com", MailKind::SignInCode).await;
    let wrong = proof(&pending.flow_token, &another(&code));
    let mut told = 0;
    while number(&database, "SELECT max(tries) FROM atom_email_proofs").await < 5 {
        let (accounts, wrong) = (post.accounts(), wrong.clone());
        let guess = tokio::spawn(async move { accounts.sign_in_with_code(wrong).await });
        tokio::time::sleep(Duration::from_micros(300)).await;
        guess.abort();
        told += usize::from(guess.await.is_ok());
        assert!(told <= 5);
    }
    assert_eq!(refused(post.accounts().sign_in_with_code(proof(&pending.flow_token, &code)).await), SPENT);
});

on_both!(p05_the_link_and_the_code_of_one_mail_work_once_together, |database| async move {
    let post = Post::open(&database).await;
    let (_, scope) = sign_up(&post.atom, "ada@example.com").await;
    let names = ["grace@example.com", "ada@example.com"];
    // Two passwords would cost more than the races: the session stays, and its proof is fresh for ten minutes.
    for round in 0..5 {
        let to = names[round % 2];
        let pending = scope.email().request_change(to.into()).await.unwrap();
        let mail = post.inbox.next(to, MailKind::VerifyEmail).await;
        let both = [code_of(&mail), token_of(&mail)].map(|shown| {
            let (email, flow) = (scope.email(), pending.flow_token.clone());
            tokio::spawn(async move { email.confirm_change(shown, Some(flow)).await.is_ok() })
        });
        let mut done = 0;
        for one in both {
            done += i32::from(one.await.unwrap());
        }
        assert_eq!(done, 1, "round {round}");
    }
});
