//! Verifies access tokens and signs in by the protocol of `sessions/README.md`, and makes the file that all drivers read.

use crate::{Given, KEY, key, line};
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use atom_core::{Atom, Credentials, NewAccount, Result, Secret, Session};
use serde_json::{Value, json};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const PASSWORD: &str = "an engine of brass";
const AT_ONCE: usize = 64;
/// Verifications between two looks at the clock.
const BATCH: usize = 64;

pub(crate) async fn run(given: &Given) -> Result<()> {
    match given.text("mode") {
        "fill" => fill(given).await,
        "sign_in" => sign_in(given).await,
        "crowd" => crowd(given).await,
        mode => verify(given, mode == "many").await,
    }
}

fn email(number: usize) -> String {
    format!("user{number}@example.com")
}

async fn open(database: &str) -> Result<Atom> {
    Atom::builder(database).key(key()?).open().await
}

fn database(given: &Given) -> String {
    format!("sqlite:{}", given.text("db"))
}

async fn signed_in(atom: &Atom, number: usize) -> Session {
    let credentials = Credentials { email: email(number), password: PASSWORD.into(), ..Credentials::default() };
    atom.accounts().sign_in(credentials).await.and_then(|step| step.signed_in()).expect("the password is right")
}

/// Makes users, and tokens of the first.
async fn fill(given: &Given) -> Result<()> {
    let atom = open(&database(given)).await?;
    for number in 0..given.number("users").expect("--users") {
        let account = NewAccount { email: email(number), password: PASSWORD.into(), ..NewAccount::default() };
        atom.accounts().sign_up(account).await?;
    }
    let mut session = signed_in(&atom, 0).await;
    let mut tokens = Vec::new();
    for _ in 0..given.number("tokens").expect("--tokens") {
        session = atom.accounts().refresh(session.refresh_token).await?;
        tokens.push(session.access_token.expose().to_owned());
    }
    let jwks: Value = serde_json::from_str(&atom.signing_keys().jwks().await?).expect("JSON");
    let file = json!({
        "database": database(given), "key": KEY, "issuer": "atom", "user": session.user.id, "jwks": jwks, "tokens": tokens,
    });
    std::fs::write(given.text("file"), file.to_string()).expect("the file can be written");
    line(&json!({ "tokens": tokens.len() }).to_string());
    atom.shut_down().await
}

async fn verify(given: &Given, many: bool) -> Result<()> {
    let file: Value = serde_json::from_slice(&std::fs::read(given.text("file")).expect("the file")).expect("JSON");
    let atom = open(file["database"].as_str().expect("a text")).await?;
    let tokens: Vec<Secret> =
        file["tokens"].as_array().expect("a list").iter().map(|t| t.as_str().expect("a text").into()).collect();
    let user = file["user"].as_str().expect("a text");
    let time = Duration::from_secs_f64(given.number("seconds").expect("--seconds"));
    let mut turns = tokens.iter().cycle().cloned();
    let mut during = async |time: Duration| {
        let (clock, mut verified) = (Instant::now(), 0);
        while clock.elapsed() < time {
            if many {
                let tasks: Vec<_> = turns.by_ref().take(AT_ONCE).map(|token| tokio::spawn(who(atom.clone(), token))).collect();
                for task in tasks {
                    assert_eq!(task.await.expect("the task ends"), user);
                }
                verified += AT_ONCE;
            } else {
                for token in turns.by_ref().take(BATCH) {
                    assert_eq!(who(atom.clone(), token).await, user);
                }
                verified += BATCH;
            }
        }
        (verified, clock.elapsed().as_secs_f64())
    };
    during(time / 4).await;
    let (verified, seconds) = during(time).await;
    line(&json!({ "verified": verified, "seconds": seconds }).to_string());
    atom.shut_down().await
}

async fn who(atom: Atom, token: Secret) -> String {
    atom.authenticate(token).await.expect("a valid token").principal().user_id.to_string()
}

/// Times hashes and sign-ins by turns.
async fn sign_in(given: &Given) -> Result<()> {
    let atom = open(&database(given)).await?;
    // The library's parameters: 19 MiB, two passes, one lane.
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(19 * 1024, 2, 1, None).expect("parameters"));
    let hash = argon.hash_password(PASSWORD.as_bytes()).expect("a hash").to_string();
    let (mut hashes, mut whole) = (Vec::new(), Vec::new());
    for sample in 0..given.number::<usize>("samples").expect("--samples") + 1 {
        let hash = hash.clone();
        let clock = Instant::now();
        // Where the library hashes too: a thread of the blocking pool.
        let right = tokio::task::spawn_blocking(move || {
            Argon2::default().verify_password(PASSWORD.as_bytes(), &PasswordHash::new(&hash).expect("a hash")).is_ok()
        });
        assert!(right.await.expect("the hash ends"));
        let alone = clock.elapsed();
        let clock = Instant::now();
        black_box(signed_in(&atom, 0).await);
        // The first of both warms the caches.
        if sample > 0 {
            hashes.push(nanoseconds(alone));
            whole.push(nanoseconds(clock.elapsed()));
        }
    }
    line(&json!({ "hash": hashes, "whole": whole }).to_string());
    atom.shut_down().await
}

/// Times another call alone, and while many sign in.
async fn crowd(given: &Given) -> Result<()> {
    let atom = open(&database(given)).await?;
    let token = signed_in(&atom, 0).await.access_token;
    let calls = async |until: &dyn Fn(usize) -> bool| {
        let mut samples = Vec::new();
        while !until(samples.len()) {
            let clock = Instant::now();
            atom.authenticate_live(token.clone()).await.expect("the session stands");
            samples.push(nanoseconds(clock.elapsed()));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        samples
    };
    let alone = calls(&|count| count == 500).await;
    let over = Arc::new(AtomicBool::new(false));
    let users: usize = given.number("users").expect("--users");
    let everybody = tokio::spawn({
        let (atom, over) = (atom.clone(), Arc::clone(&over));
        async move {
            let tasks: Vec<_> = (0..users)
                .map(|number| {
                    let atom = atom.clone();
                    tokio::spawn(async move { drop(signed_in(&atom, number).await) })
                })
                .collect();
            for task in tasks {
                task.await.expect("everybody signs in");
            }
            over.store(true, Ordering::Relaxed);
        }
    });
    let beside = calls(&|_| over.load(Ordering::Relaxed)).await;
    everybody.await.expect("everybody signs in");
    line(&json!({ "alone": alone, "beside": beside }).to_string());
    atom.shut_down().await
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
