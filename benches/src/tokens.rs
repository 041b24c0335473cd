//! Reads the library's own tokens by the line protocol of `tokens/README.md`, and fills the databases of its other drivers.

use crate::{Given, key, line};
use atom_core::testing::GoogleStandIn;
use atom_core::{Atom, Connection, Credentials, NewAccount, ProviderApp, Result, StartConnection};
use std::time::{Duration, Instant};

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "an engine of brass";
/// Seconds: longer than a run.
const LIFETIME: i64 = 12 * 3600;
const AT_ONCE: usize = 64;

pub(crate) async fn run(given: &Given) -> Result<()> {
    let builder = Atom::builder(format!("sqlite:{}", given.text("db"))).key(key()?);
    if given.text("mode") == "fill" {
        let google = GoogleStandIn::start().await?;
        google.set_token_lifetime(LIFETIME).await?;
        return fill(&builder.provider(google.app()).open().await?, &google, given.number("accounts").expect("--accounts")).await;
    }

    // No provider is asked: the tokens are valid.
    let app = ProviderApp {
        provider: "google".into(),
        client_id: "client".into(),
        redirect_uri: "http://127.0.0.1/callback".into(),
        export_tokens: Some(true),
        ..ProviderApp::default()
    };
    let builder = builder.provider(app);
    let builder = if given.text("variant") == "stored" { builder.token_cache_seconds(0.0) } else { builder };
    let atom = builder.open().await?;
    let accounts = accounts(&atom).await?;
    let time = Duration::from_secs_f64(given.number("seconds").expect("--seconds"));
    if given.text("mode") == "many" {
        let mut turns = accounts.iter().cycle().cloned();
        during(time / 4, || many(turns.by_ref().take(AT_ONCE).collect())).await;
        let (reads, seconds) = during(time, || many(turns.by_ref().take(AT_ONCE).collect())).await;
        line(&format!("{{\"reads\":{reads},\"seconds\":{seconds}}}"));
    } else {
        during(time / 4, || one(&accounts)).await;
        let (reads, seconds) = during(time, || one(&accounts)).await;
        let mut samples = Vec::new();
        for connection in accounts.iter().cycle().take(given.number("samples").expect("--samples")) {
            let clock = Instant::now();
            read(connection).await;
            samples.push(clock.elapsed().as_nanos());
        }
        line(&format!("{{\"reads\":{reads},\"seconds\":{seconds},\"samples_ns\":{samples:?}}}"));
    }
    atom.shut_down().await
}

/// Signs somebody up and connects many accounts.
async fn fill(atom: &Atom, google: &GoogleStandIn, count: usize) -> Result<()> {
    let account = NewAccount { email: EMAIL.into(), password: PASSWORD.into(), ..NewAccount::default() };
    let session = atom.accounts().sign_up(account).await?;
    let connections = atom.authenticate(session.access_token).await?.connections();
    for number in 0..count {
        let authorization =
            connections.start(StartConnection { provider: "google".into(), ..StartConnection::default() }).await?;
        connections.complete(google.approve(authorization.url, format!("ada{number}@gmail.example")).await?).await?;
    }
    line(&format!("{{\"accounts\":{count}}}"));
    atom.shut_down().await
}

pub(crate) async fn accounts(atom: &Atom) -> Result<Vec<Connection>> {
    let credentials = Credentials { email: EMAIL.into(), password: PASSWORD.into(), ..Credentials::default() };
    let session = atom.accounts().sign_in(credentials).await?.signed_in()?;
    let connections = atom.authenticate(session.access_token).await?.connections();
    let mut found = Vec::new();
    for account in connections.list().await? {
        found.push(connections.open(account.id).await?);
    }
    Ok(found)
}

async fn read(connection: &Connection) {
    let token = connection.access_token().await.expect("a valid token").token;
    assert!(token.expose().starts_with("ya29.") && token.expose().len() == 37, "this is not the token that was stored");
}

async fn one(accounts: &[Connection]) -> usize {
    for connection in accounts {
        read(connection).await;
    }
    accounts.len()
}

/// Each in a task of its own, as in a server.
async fn many(accounts: Vec<Connection>) -> usize {
    let tasks: Vec<_> = accounts.into_iter().map(|connection| tokio::spawn(async move { read(&connection).await })).collect();
    let count = tasks.len();
    for task in tasks {
        task.await.expect("the task ends");
    }
    count
}

async fn during<F: Future<Output = usize>>(time: Duration, mut some: impl FnMut() -> F) -> (usize, f64) {
    let (clock, mut reads) = (Instant::now(), 0);
    while clock.elapsed() < time {
        reads += some().await;
    }
    (reads, clock.elapsed().as_secs_f64())
}
