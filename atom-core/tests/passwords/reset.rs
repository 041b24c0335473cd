//! A new password for whoever has forgotten theirs.

use super::*;
use crate::sessions::client;
use chrono::TimeDelta;
use std::time::{Duration, Instant};

/// The token in a mail's link.
pub(super) fn token(mail: &OutgoingMail) -> Secret {
    let (_, rest) = mail.text.split_once("https://acme.example/reset-password?token=").expect("a link");
    rest.split_whitespace().next().expect("a token").into()
}

/// Ada's installation, its clock and its mail.
async fn opened(database: &Database) -> (Atom, TestClock, Letters, Scope) {
    let (letters, clock) = (Letters::taking(), TestClock::stopped());
    let atom = letters.on(database.builder()).clock(clock.clone()).open().await.unwrap();
    let (_, scope) = sign_up(&atom, "ada@example.com").await;
    (atom, clock, letters, scope)
}

async fn ask(atom: &Atom, email: &str, ip: &str) -> Result<(), Error> {
    let request = PasswordResetRequest { email: email.into(), locale: None, client: Some(client(ip, "phone")) };
    atom.accounts().request_password_reset(request).await
}

/// Asks for a link, which is the `count`th.
async fn link(atom: &Atom, letters: &Letters, count: usize) -> Secret {
    ask(atom, " ADA@example.com", &format!("192.0.2.{count}")).await.unwrap();
    token(&letters.nth(MailKind::ResetPassword, count).await)
}

async fn reset(atom: &Atom, token: &Secret, password: &str) -> Result<(), Error> {
    atom.accounts().reset_password(token.clone(), password.into()).await
}

on_both!(p11_a_link_sets_a_password_once_proves_the_address_and_ends_every_session, |database| async move {
    let (atom, _, letters, scope) = opened(&database).await;
    // Whoever signed up may not be the owner of the address: what they have ends.
    let earlier = sign_in(&atom, PASSWORD).await.unwrap();
    assert!(!earlier.user.email_verified);
    let token = link(&atom, &letters, 1).await;
    assert!(dump(&database).await.iter().all(|text| !text.contains(token.expose())), "only its hash is stored");
    assert_eq!(reason(reset(&atom, &token, "short").await), "weak_password");
    reset(&atom, &token, NEW).await.expect("a refused password has not spent it");
    assert_eq!(reason(reset(&atom, &token, PASSWORD).await), "invalid_reset_token");

    assert_eq!(reason(sign_in(&atom, PASSWORD).await), "wrong_credentials");
    assert_eq!(reason(atom.authenticate_live(earlier.access_token).await), "session_revoked");
    assert_eq!(reason(scope.sessions().list().await), "session_revoked");
    let session = sign_in(&atom, NEW).await.unwrap();
    assert!(session.user.email_verified);
    letters.nth(MailKind::PasswordChanged, 1).await;
    let scope = atom.authenticate(session.access_token).await.unwrap();
    assert_eq!(told(&scope).await, (vec!["reset".to_owned()], vec!["reset".to_owned()]));
});

on_both!(p11_a_link_takes_factors_from_whoever_signed_up_with_an_address_that_is_not_theirs, |database| async move {
    let (atom, clock, letters, scope) = opened(&database).await;
    crate::factors::add_app(&scope, &clock).await;
    let token = link(&atom, &letters, 1).await;
    reset(&atom, &token, NEW).await.unwrap();
    let session = sign_in(&atom, NEW).await.expect("the owner is not asked for a factor of somebody else's");

    // From now on the address is verified, and a link is no way around a factor.
    let scope = atom.authenticate(session.access_token).await.unwrap();
    crate::factors::add_app(&scope, &clock).await;
    let token = link(&atom, &letters, 2).await;
    reset(&atom, &token, PASSWORD).await.unwrap();
    assert_eq!(reason(sign_in(&atom, PASSWORD).await), "factor_required");
});

on_both!(p11_a_link_goes_to_the_address_that_it_proves_and_to_no_other_spelling, |database| async move {
    let (atom, _, letters, _) = opened(&database).await;
    sign_up(&atom, "\u{ff22}OB@example.com").await;
    ask(&atom, "\u{ff22}OB@example.com", "192.0.2.1").await.unwrap();
    assert_eq!(letters.nth(MailKind::ResetPassword, 1).await.to, "bob@example.com");
});

on_both!(p12_a_link_dies_with_time_a_newer_link_a_new_password_or_another_address, |database| async move {
    let (atom, clock, letters, scope) = opened(&database).await;
    let first = link(&atom, &letters, 1).await;
    let second = link(&atom, &letters, 2).await;
    assert_eq!(reason(reset(&atom, &first, NEW).await), "invalid_reset_token");
    clock.advance(TimeDelta::minutes(60));
    assert_eq!(reason(reset(&atom, &second, NEW).await), "invalid_reset_token");

    let third = link(&atom, &letters, 3).await;
    scope.password().change(PASSWORD.into(), NEW.into()).await.unwrap();
    assert_eq!(reason(reset(&atom, &third, PASSWORD).await), "invalid_reset_token");

    let fourth = link(&atom, &letters, 4).await;
    let moved = "UPDATE atom_users SET email = 'countess@example.com', email_canonical = 'countess@example.com'";
    sql(&database, moved, moved).await;
    assert_eq!(reason(reset(&atom, &fourth, PASSWORD).await), "invalid_reset_token");
    let back = "UPDATE atom_users SET email = 'ada@example.com', email_canonical = 'ada@example.com'";
    sql(&database, back, back).await;

    // Whoever takes a password away, without a thought of links, ends them, too.
    let gone = "UPDATE atom_users SET password_hash = NULL";
    sql(&database, gone, gone).await;
    assert_eq!(reason(reset(&atom, &fourth, PASSWORD).await), "invalid_reset_token");
    let disabled = "UPDATE atom_users SET disabled_at = created_at";
    let fifth = link(&atom, &letters, 5).await;
    sql(&database, disabled, disabled).await;
    assert_eq!(reason(reset(&atom, &fifth, PASSWORD).await), "invalid_reset_token");
    for garbage in ["", "x", "a.b.c", first.expose()] {
        assert_eq!(reason(reset(&atom, &garbage.into(), PASSWORD).await), "invalid_reset_token");
    }
});

on_both!(p04_whether_there_is_somebody_shows_neither_in_the_answer_nor_in_its_time, |database| async move {
    let (atom, clock, letters, _) = opened(&database).await;
    for email in ["eve@example.com", "not an address", ""] {
        ask(&atom, email, "192.0.2.7").await.expect("the same answer");
    }
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for round in 1..=40_usize {
        for (email, times) in [("eve@example.com", &mut unknown), ("ada@example.com", &mut known)] {
            let began = Instant::now();
            ask(&atom, email, &format!("198.51.100.{round}")).await.unwrap();
            times.push(began.elapsed());
        }
        letters.nth(MailKind::ResetPassword, round).await;
        clock.advance(TimeDelta::minutes(61));
    }
    let median = |times: &mut Vec<Duration>| {
        times.sort();
        times[times.len() / 2].as_secs_f64()
    };
    let (known, unknown) = (median(&mut known), median(&mut unknown));
    // What is done for a mail takes several times as long as the answer.
    assert!(known < 2.0 * unknown && unknown < 2.0 * known, "{known} s for one who is there, {unknown} s for nobody");
    assert!(letters.taken().iter().all(|mail| mail.to == "ada@example.com"));
});

on_both!(p07_links_are_asked_for_slowly_and_a_flood_does_not_keep_the_owner_out, |database| async move {
    let (atom, _, letters, _) = opened(&database).await;
    for email in ["ada@example.com", "eve@example.com"] {
        for _ in 0..5 {
            ask(&atom, email, "203.0.113.66").await.unwrap();
        }
        let refused = ask(&atom, email, "203.0.113.66").await.expect_err("too many");
        assert_eq!((refused.reason(), refused.retry_after().is_some()), ("too_many_attempts", true));
    }
    letters.nth(MailKind::ResetPassword, 5).await;
    for i in 0..30 {
        ask(&atom, "ada@example.com", &format!("203.0.113.{i}")).await.expect("each network counts by itself");
    }
    let last = letters.nth(MailKind::ResetPassword, 5).await;
    atom.shut_down().await.unwrap();
    assert_eq!(letters.taken().len(), 5, "an address gets no more than five");
    let atom = letters.on(database.builder()).open().await.unwrap();
    reset(&atom, &token(&last), NEW).await.expect("and the last is good");
});

on_both!(who_has_no_password_gets_one_by_a_link, |database| async move {
    let letters = Letters::taking();
    let atom = letters.on(database.builder()).open().await.unwrap();
    let ada = ImportedUser { email: "ada@example.com".into(), ..Default::default() };
    atom.users().import_user(ada).await.unwrap();
    assert_eq!(reason(sign_in(&atom, PASSWORD).await), "wrong_credentials");
    let token = link(&atom, &letters, 1).await;
    reset(&atom, &token, PASSWORD).await.unwrap();
    sign_in(&atom, PASSWORD).await.unwrap();
});

on_both!(without_mail_there_are_no_links, |database| async move {
    let atom = database.open().await;
    sign_up(&atom, "ada@example.com").await;
    assert_eq!(reason(ask(&atom, "ada@example.com", "192.0.2.7").await), "mail_not_configured");
    assert_eq!(reason(ask(&atom, "eve@example.com", "192.0.2.7").await), "mail_not_configured");
});
