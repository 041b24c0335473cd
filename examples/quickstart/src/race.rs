//! The race for a token: processes full of callers find the same token expired, and the provider is asked once.

#![allow(clippy::print_stderr)] // a racer whose caller got nothing says so

use crate::Outcome;
use atom_core::testing::GoogleStandIn;
use atom_core::{Atom, Clock, Connection, LocalKey, NewAccount, ProviderApp, StartConnection};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

const ROUNDS: i64 = 8;

/// Starts the processes, lets the token expire again and again, and says what came of it.
pub(crate) async fn run(processes: usize, callers: usize) -> Outcome {
    let folder = std::env::temp_dir().join(format!("atom-race-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let raced = race(&folder, processes, callers).await;
    std::fs::remove_dir_all(&folder)?;
    raced
}

async fn race(folder: &std::path::Path, processes: usize, callers: usize) -> Outcome {
    let google = GoogleStandIn::start().await?;
    // As most providers do: a refresh token works once, and one that comes back ends the whole grant.
    google.set_rotation(true).await?;
    google.set_delay(50).await?;
    let (url, key) = (format!("sqlite:{}", folder.join("atom.db").display()), LocalKey::generate()?);
    let key_text = key.to_base64();
    let atom = Atom::builder(&url).key(key).provider(google.app()).open().await?;
    let account = NewAccount { email: crate::EMAIL.into(), password: crate::PASSWORD.into(), ..Default::default() };
    let session = atom.accounts().sign_up(account).await?;
    let scope = atom.authenticate(session.access_token).await?;
    let authorization = scope.connections().start(StartConnection { provider: "google".into(), ..Default::default() }).await?;
    let connection = scope.connections().complete(google.approve(authorization.url, crate::EMAIL.into()).await?).await?;

    let mut racers = Vec::new();
    for _ in 0..processes {
        let child = Command::new(std::env::current_exe()?)
            .args(["--racer", &callers.to_string(), &url, &google.url()])
            .args([session.user.id.to_string(), session.workspace.id.to_string(), connection.id().to_string()])
            .env("ATOM_KEY", key_text.expose())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        racers.push(Racer::new(child)?);
    }
    println!(
        "{processes} processes of {callers} callers each, one SQLite file, and a provider that takes a refresh token once\n"
    );
    println!("expiry   callers   answered   different tokens   asked the provider   time");
    for round in 1..=ROUNDS {
        let (before, clock) = (google.hits("/token".into()).await?, Instant::now());
        for racer in &mut racers {
            racer.tell("expired")?;
        }
        let (mut tokens, mut answered) = (HashSet::new(), 0);
        for racer in &mut racers {
            let line = racer.hear()?;
            answered += line.split_whitespace().count();
            tokens.extend(line.split_whitespace().map(str::to_owned));
        }
        let asked = google.hits("/token".into()).await? - before;
        let millis = clock.elapsed().as_millis();
        println!("{round:>6} {:>9} {answered:>10} {:>18} {asked:>20} {millis:>4} ms", processes * callers, tokens.len());
    }
    drop(racers);
    connection.access_token().await?;
    println!("\nThe grant is alive: {}", connection.account().await?.state.as_str());
    Ok(atom.shut_down().await?)
}

/// One of the processes, as the first sees it.
struct Racer {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Racer {
    fn new(mut child: Child) -> Outcome<Self> {
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take().ok_or("no standard output")?);
        let mut racer = Self { child, stdin, stdout: BufReader::new(stdout) };
        racer.hear()?;
        Ok(racer)
    }

    fn tell(&mut self, what: &str) -> Outcome {
        Ok(writeln!(self.stdin.as_mut().ok_or("the process has ended")?, "{what}")?)
    }

    fn hear(&mut self) -> Outcome<String> {
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        if line.is_empty() { Err("a process ended early".into()) } else { Ok(line) }
    }
}

impl Drop for Racer {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // It ends with its input; a status is of no use any more.
        let _ = self.child.wait();
    }
}

/// A clock that goes on by an hour with each order.
struct Ahead(Arc<AtomicI64>);

impl Clock for Ahead {
    fn now(&self) -> DateTime<Utc> {
        Utc::now() + TimeDelta::hours(self.0.load(Ordering::Relaxed))
    }
}

/// What the other processes do: at each line of their input the token has expired, and all callers want it. They print what they got.
pub(crate) async fn racer(arguments: &[String]) -> Outcome {
    let [callers, url, google, user, workspace, connection] = arguments else { return Err("a racer has six arguments".into()) };
    let app = ProviderApp {
        provider: "google".into(),
        client_id: "stand-in.apps.googleusercontent.com".into(),
        client_secret: Some("stand-in-secret".into()),
        redirect_uri: "http://127.0.0.1/callback".into(),
        development_endpoint: Some(google.clone()),
        export_tokens: Some(true),
        ..Default::default()
    };
    let hours = Arc::<AtomicI64>::default();
    let atom = Atom::builder(url).clock(Ahead(Arc::clone(&hours))).provider(app).open().await?;
    let scope = atom.act_as(user.parse()?, workspace.parse()?).await?;
    let connection = scope.connections().open(connection.parse()?).await?;
    println!("ready");
    for _ in std::io::stdin().lines() {
        hours.fetch_add(1, Ordering::Relaxed);
        println!("{}", tokens(&connection, callers.parse()?).await.join(" "));
    }
    Ok(atom.shut_down().await?)
}

async fn tokens(connection: &Connection, callers: usize) -> Vec<String> {
    let callers: Vec<_> = (0..callers)
        .map(|_| {
            let connection = connection.clone();
            tokio::spawn(async move { connection.access_token().await })
        })
        .collect();
    let mut tokens = Vec::new();
    for caller in callers {
        match caller.await {
            Ok(Ok(token)) => tokens.push(token.token.expose().to_owned()),
            failed => eprintln!("a caller got no token: {:?}", failed.map(|refused| refused.err())),
        }
    }
    tokens
}
