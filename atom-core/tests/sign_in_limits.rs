//! Guessing passwords: slow, over all processes, and at nobody else's cost.

use crate::sessions::client;
use crate::support::*;
use atom_core::*;
use chrono::TimeDelta;
use std::time::Duration;

/// What a sign-in from an address comes to.
async fn attempt(atom: &Atom, email: &str, password: &str, ip: &str) -> Result<Session, Error> {
    atom.accounts()
        .sign_in(Credentials { client: Some(client(ip, "x")), ..credentials(email, password) })
        .await
        .and_then(SignIn::signed_in)
}

async fn guess(atom: &Atom, email: &str, ip: &str) -> Error {
    attempt(atom, email, "not the password", ip).await.err().expect("wrong")
}

fn wait(error: &Error) -> Duration {
    assert_eq!((error.kind(), error.reason()), (ErrorKind::RateLimited, "too_many_attempts"));
    error.retry_after().expect("it says how long")
}

async fn opened(database: &Database) -> (Atom, TestClock) {
    let clock = TestClock::stopped();
    let atom = database.builder().clock(clock.clone()).open().await.unwrap();
    sign_up(&atom, "ada@example.com").await;
    (atom, clock)
}

on_both!(p07_guesses_cost_more_and_more_time_and_never_lock_for_good, |database| async move {
    let (atom, clock) = opened(&database).await;
    for _ in 0..6 {
        assert_eq!(guess(&atom, "ada@example.com", "192.0.2.7").await.reason(), "wrong_credentials");
    }
    let mut waits = Vec::new();
    for _ in 0..12 {
        let refused = attempt(&atom, "ada@example.com", PASSWORD, "192.0.2.7").await.err().expect("too early");
        waits.push(wait(&refused).as_secs_f64());
        clock.advance(TimeDelta::from_std(wait(&refused)).unwrap() + TimeDelta::milliseconds(1));
        // Each that came too early counted, too.
        assert_eq!(guess(&atom, "ada@example.com", "192.0.2.7").await.reason(), "wrong_credentials");
    }
    assert_eq!(waits, [1., 4., 16., 64., 256., 900., 900., 900., 900., 900., 900., 900.]);
    clock.advance(TimeDelta::minutes(16));
    attempt(&atom, "ada@example.com", PASSWORD, "192.0.2.7").await.expect("who knows the password gets in in the end");
    for _ in 0..5 {
        assert_eq!(guess(&atom, "ada@example.com", "192.0.2.7").await.reason(), "wrong_credentials");
    }
    attempt(&atom, "ada@example.com", PASSWORD, "192.0.2.7").await.expect("and what was before is forgotten");
});

on_both!(p07_an_attacker_elsewhere_does_not_slow_the_owner, |database| async move {
    let (atom, _) = opened(&database).await;
    for _ in 0..20 {
        guess(&atom, "ada@example.com", "203.0.113.66").await;
    }
    wait(&guess(&atom, "ada@example.com", "203.0.113.66").await);
    attempt(&atom, "ada@example.com", PASSWORD, "192.0.2.7").await.expect("the owner, at home");
    wait(&guess(&atom, "ada@example.com", "203.0.113.66").await);
});

on_both!(p07_a_known_device_is_not_slowed_by_others_on_its_own_network, |database| async move {
    let (atom, clock) = opened(&database).await;
    let phone = attempt(&atom, "ada@example.com", PASSWORD, "192.0.2.7").await.unwrap();
    let stolen = attempt(&atom, "ada@example.com", PASSWORD, "192.0.2.7").await.unwrap();
    let (bobs, _) = sign_up(&atom, "bob@example.com").await;
    for i in 0..80 {
        guess(&atom, if i % 2 == 0 { "ada@example.com" } else { "eve@example.com" }, "192.0.2.7").await;
    }
    wait(&attempt(&atom, "ada@example.com", PASSWORD, "192.0.2.7").await.err().expect("the network is slowed"));
    let from = |device: &Secret, password: &str| Credentials {
        client: Some(client("192.0.2.7", "phone")),
        known_device: Some(device.clone()),
        ..credentials("ada@example.com", password)
    };
    let accounts = atom.accounts();
    let sign_in = |credentials| accounts.sign_in(credentials);
    sign_in(from(&phone.refresh_token, PASSWORD)).await.expect("signed in before");
    atom.accounts().sign_out(phone.refresh_token.clone()).await.unwrap();
    sign_in(from(&phone.refresh_token, PASSWORD)).await.expect("signed out, and still Ada's");
    clock.advance(TimeDelta::days(29));
    clock.advance(TimeDelta::days(2));
    for i in 0..80 {
        guess(&atom, if i % 2 == 0 { "ada@example.com" } else { "eve@example.com" }, "192.0.2.7").await;
    }
    sign_in(from(&phone.refresh_token, PASSWORD)).await.expect("expired, and still Ada's");

    // What proves nothing.
    let session = atom.accounts().sign_in(from(&phone.refresh_token, PASSWORD)).await.unwrap().signed_in().unwrap();
    atom.authenticate(session.access_token).await.unwrap().sessions().revoke(stolen.id).await.unwrap();
    let mut forged = phone.refresh_token.expose().to_owned();
    forged.replace_range(60..62, "zz");
    for device in [stolen.refresh_token, bobs.refresh_token, forged.as_str().into(), "nonsense".into()] {
        wait(&sign_in(from(&device, PASSWORD)).await.err().expect("no device of Ada's"));
    }
    // A stolen device guesses at its own pace, too.
    for _ in 0..6 {
        assert_eq!(reason(sign_in(from(&phone.refresh_token, "not the password")).await), "wrong_credentials");
    }
    wait(&sign_in(from(&phone.refresh_token, PASSWORD)).await.err().expect("too early"));
});

on_both!(p07_spellings_of_a_name_and_an_address_share_one_count, |database| async move {
    let (atom, _) = opened(&database).await;
    let names =
        ["ada@example.com", " ADA@Example.com", "ａｄａ@example.com", "Ada@EXAMPLE.COM\t", "ada@example.com ", "aDa@example.com"];
    let ips = ["192.0.2.7", "::ffff:192.0.2.7", "::FFFF:c000:0207", " 192.0.2.7", "[::ffff:c000:207]", "64:ff9b::c000:207"];
    for (name, ip) in names.into_iter().zip(ips) {
        assert_eq!(guess(&atom, name, ip).await.reason(), "wrong_credentials", "{name} {ip}");
    }
    wait(&guess(&atom, "ada@example.com", "192.0.2.7").await);
    for i in 0..6 {
        assert_eq!(guess(&atom, "eve@example.com", &format!("2001:db8:0:7:{i}::{i}")).await.reason(), "wrong_credentials");
    }
    wait(&guess(&atom, "eve@example.com", "2001:DB8:0:7:ffff::").await);
    assert_eq!(guess(&atom, "eve@example.com", "2001:db8:0:8::1").await.reason(), "wrong_credentials", "another network");
});

on_both!(p07_one_name_after_the_other_is_no_way_around, |database| async move {
    let (atom, clock) = opened(&database).await;
    for i in 0..51 {
        assert_eq!(guess(&atom, &format!("user-{i}@example.com"), "203.0.113.66").await.reason(), "wrong_credentials");
    }
    let refused = guess(&atom, "user-99@example.com", "203.0.113.66").await;
    assert!(wait(&refused) <= Duration::from_secs(60));
    // An account of the attacker's own does not clear the record of the network.
    clock.advance(TimeDelta::seconds(61));
    attempt(&atom, "ada@example.com", PASSWORD, "203.0.113.66").await.expect("in time");
    guess(&atom, "user-100@example.com", "203.0.113.66").await;
    wait(&guess(&atom, "user-101@example.com", "203.0.113.66").await);
    clock.advance(TimeDelta::hours(25));
    for i in 0..10 {
        assert_eq!(
            guess(&atom, &format!("user-{i}@example.com"), "203.0.113.66").await.reason(),
            "wrong_credentials",
            "forgotten"
        );
    }
});

on_both!(p06_a_burst_of_fifty_guesses_is_counted_as_fifty, |database| async move {
    let (atom, clock) = opened(&database).await;
    let other = database.builder().clock(clock).open().await.unwrap();
    let guesses: Vec<_> = (0..50)
        .map(|i| {
            let atom = if i % 2 == 0 { atom.clone() } else { other.clone() };
            tokio::spawn(async move { guess(&atom, "ada@example.com", "203.0.113.66").await.reason() })
        })
        .collect();
    let mut checked = 0;
    for guess in guesses {
        match guess.await.unwrap() {
            "wrong_credentials" => checked += 1,
            reason => assert_eq!(reason, "too_many_attempts"),
        }
    }
    assert_eq!(checked, 6, "five are free, and the sixth makes the next one wait");
    assert_eq!(number(&database, "SELECT min(attempts) FROM atom_throttles").await, 50);
    assert_eq!(number(&database, "SELECT max(attempts) FROM atom_throttles").await, 50);
});

on_both!(p07_right_passwords_at_the_same_moment_do_not_refuse_each_other, |database| async move {
    let (atom, _) = opened(&database).await;
    let callers: Vec<_> = (0..20)
        .map(|i| {
            let atom = atom.clone();
            // From one place, and from who knows where.
            let client = (i % 2 == 0).then(|| client("192.0.2.7", "x"));
            let credentials = Credentials { client, ..credentials("ada@example.com", PASSWORD) };
            tokio::spawn(async move { atom.accounts().sign_in(credentials).await.map(drop) })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap().expect("each is right");
    }
    assert_eq!(number(&database, "SELECT CAST(coalesce(sum(attempts), 0) AS BIGINT) FROM atom_throttles").await, 0);
});

on_both!(p07_a_crowd_on_one_network_signs_in_and_its_guesses_count, |database| async move {
    let (atom, _) = opened(&database).await;
    let callers: Vec<_> = (0..60)
        .map(|i| {
            let atom = atom.clone();
            tokio::spawn(async move { guess(&atom, &format!("user-{i}@example.com"), "203.0.113.66").await.reason() })
        })
        .collect();
    let mut checked = 0;
    for caller in callers {
        checked += i64::from(caller.await.unwrap() == "wrong_credentials");
    }
    assert!(checked >= 50, "{checked}");
    assert_eq!(number(&database, "SELECT max(attempts) FROM atom_throttles").await, 60, "every one of them is counted");
    wait(&attempt(&atom, "ada@example.com", PASSWORD, "203.0.113.66").await.err().expect("the network must wait now"));
});

on_both!(p04_whether_a_name_is_known_shows_neither_in_the_answer_nor_in_the_count, |database| async move {
    let (atom, _) = opened(&database).await;
    let names = ["ada@example.com", "nobody@example.com", "not an address"];
    for round in 0..8 {
        let mut answers = Vec::new();
        for (i, name) in names.iter().enumerate() {
            let error = guess(&atom, name, &format!("192.0.2.{i}")).await;
            answers.push(format!("{error:?} {error} {:?}", error.retry_after()));
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "round {round}: {answers:?}");
        assert_eq!(answers[0].contains("too_many_attempts"), round > 5, "{}", answers[0]);
    }
    let counts = "SELECT count(DISTINCT attempts) FROM atom_throttles";
    assert_eq!(number(&database, counts).await, 1, "as often for each");
});

on_both!(attempts_from_who_knows_where_delay_for_half_a_minute_at_most, |database| async move {
    let (atom, clock) = opened(&database).await;
    for _ in 0..40 {
        let _ = atom.accounts().sign_in(credentials("ada@example.com", "not the password")).await.err().expect("wrong");
    }
    clock.advance(TimeDelta::seconds(2));
    let _ = atom.accounts().sign_in(credentials("ada@example.com", "not the password")).await.err().expect("wrong");
    let refused = atom.accounts().sign_in(credentials("ada@example.com", PASSWORD)).await.err().expect("too early");
    assert!(wait(&refused) <= Duration::from_secs(30));
    clock.advance(TimeDelta::seconds(31));
    atom.accounts().sign_in(credentials("ada@example.com", PASSWORD)).await.expect("the owner waits so long, and no longer");
});

on_both!(a_right_password_is_no_failure_whatever_comes_after, |database| async move {
    let (atom, _) = opened(&database).await;
    let (bob, _) = sign_up(&atom, "bob@example.com").await;
    for _ in 0..20 {
        let elsewhere = Credentials {
            workspace_id: Some(bob.workspace.id),
            client: Some(client("192.0.2.7", "x")),
            ..credentials("ada@example.com", PASSWORD)
        };
        assert_eq!(reason(atom.accounts().sign_in(elsewhere).await), "not_a_member");
    }
    assert_eq!(number(&database, "SELECT CAST(coalesce(sum(attempts), 0) AS BIGINT) FROM atom_throttles").await, 0);
});
