//! One exchange per expiry over many processes, whoever is killed.

#![allow(clippy::print_stdout)] // how a soak went

use crate::process::*;
use crate::support::*;
use atom_core::testing::GoogleStandIn;
use atom_core::*;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use sqlx::Connection as _;
use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

const PROCESS: &str = "refresh_over_processes::process";
const CALLERS: usize = 50;

/// A process that calls for one connection's token.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Part {
    url: String,
    folder: PathBuf,
    number: i64,
    user: UserId,
    workspace: WorkspaceId,
    connection: ConnectionId,
    provider: String,
    client_id: String,
    client_secret: String,
    redirect_uri: String,
    manifest: Option<String>,
    endpoint: Option<String>,
    /// How far its clock is ahead, in seconds, and how far it goes with each order.
    begun: i64,
    step: i64,
}

impl Part {
    pub(crate) fn new(
        database: &Database,
        session: &Session,
        connection: &Connection,
        app: ProviderApp,
        step: TimeDelta,
    ) -> Self {
        Self {
            url: database.url.clone(),
            folder: database.folder.path().into(),
            number: 0,
            user: session.user.id,
            workspace: session.workspace.id,
            connection: connection.id(),
            provider: app.provider,
            client_id: app.client_id,
            client_secret: app.client_secret.unwrap().expose().to_owned(),
            redirect_uri: app.redirect_uri,
            manifest: app.manifest,
            endpoint: app.development_endpoint,
            begun: 0,
            step: step.num_seconds(),
        }
    }

    async fn open(&self, clock: &TestClock) -> Connection {
        let app = ProviderApp {
            provider: self.provider.clone(),
            client_id: self.client_id.clone(),
            client_secret: Some(self.client_secret.as_str().into()),
            redirect_uri: self.redirect_uri.clone(),
            manifest: self.manifest.clone(),
            development_endpoint: self.endpoint.clone(),
            export_tokens: Some(true),
            ..Default::default()
        };
        let key = LocalKey::from_base64(&KEY.into()).unwrap();
        let atom = Atom::builder(&self.url).key(key).clock(clock.clone()).provider(app).open().await.unwrap();
        let scope = atom.act_as(self.user, self.workspace).await.unwrap();
        scope.connections().open(self.connection).await.unwrap()
    }
}

impl Assignment for Part {
    fn test(&self) -> &'static str {
        PROCESS
    }

    fn number(&self) -> i64 {
        self.number
    }

    fn log(&self) -> std::fs::File {
        let path = self.folder.join(format!("{}.log", self.number));
        std::fs::File::options().create(true).append(true).open(path).unwrap()
    }
}

/// The other process. The tests start it as a child; run among them it has nothing to do. With each order its clock goes on, and fifty
/// callers at once want a token.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn process() {
    let Some(part) = assignment::<Part>(PROCESS) else { return };
    let clock = TestClock::new();
    clock.advance(TimeDelta::seconds(part.begun));
    let connection = part.open(&clock).await;
    let mut orders = orders();
    say("ready");
    while orders.recv().await.is_some() {
        clock.advance(TimeDelta::seconds(part.step));
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                let connection = connection.clone();
                tokio::spawn(async move { connection.access_token().await.map(|token| token.token.expose().to_owned()) })
            })
            .collect();
        let (mut tokens, mut errors) = (HashSet::new(), Vec::new());
        for caller in callers {
            match caller.await.unwrap() {
                Ok(token) => drop(tokens.insert(token)),
                Err(error) => errors.push(error.reason()),
            }
        }
        say(serde_json::to_string(&(tokens, errors)).unwrap());
    }
}

/// Has processes call for the token of each expiry, and checks that all callers got the same one. Returns after `rounds` expiries.
pub(crate) async fn race(part: &Part, processes: i64, rounds: usize) {
    let mut processes: Vec<_> = (1..=processes).map(|number| Process::start(&Part { number, ..part.clone() })).collect();
    for process in &mut processes {
        process.ready().await;
    }
    let mut seen = HashSet::new();
    for round in 1..=rounds {
        for process in &mut processes {
            process.tell("expired").await;
        }
        let mut all = HashSet::new();
        for process in &mut processes {
            let (tokens, errors): (HashSet<String>, Vec<String>) = serde_json::from_str(&process.hear().await).unwrap();
            assert!(errors.is_empty(), "round {round}: {errors:?}");
            all.extend(tokens);
        }
        assert_eq!(all.len(), 1, "round {round}: all callers of all processes get the same token");
        seen.extend(all);
    }
    assert_eq!(seen.len(), rounds);
    for process in processes {
        process.stop().await;
    }
    assert_quiet(&part.folder);
}

/// How many exchanges have been stored for a connection.
async fn revision(url: &str) -> i64 {
    let sql = "SELECT revision FROM atom_token_sets";
    if url.starts_with("sqlite:") {
        let mut c = sqlx::SqliteConnection::connect(url).await.unwrap();
        sqlx::query_scalar(sql).fetch_one(&mut c).await.unwrap()
    } else {
        let mut c = sqlx::PgConnection::connect(url).await.unwrap();
        sqlx::query_scalar(sql).fetch_one(&mut c).await.unwrap()
    }
}

/// Ada with an account at a Google that rotates refresh tokens and ends the family of one that comes back.
async fn ada(database: &Database, clock: &TestClock) -> (GoogleStandIn, Scope, Session, Connection) {
    let google = GoogleStandIn::start().await.unwrap();
    google.set_rotation(true).await.unwrap();
    let atom = database.builder().clock(clock.clone()).provider(google.app()).open().await.unwrap();
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = connect(&scope, &google, "ada@gmail.example").await;
    (google, scope, session, connection)
}

on_both!(p35_four_processes_of_fifty_callers_make_one_exchange_per_expiry, |database| async move {
    let _alone = alone().await;
    let (google, _, session, connection) = ada(&database, &TestClock::new()).await;
    google.set_delay(20).await.unwrap();
    let rounds = sized(10, 100);
    race(&Part::new(&database, &session, &connection, google.app(), TimeDelta::hours(1)), 4, rounds).await;
    assert_eq!(google.hits("/token".into()).await.unwrap(), 1 + rounds as i64, "one exchange per expiry");
});

on_both!(p36_no_kill_at_any_moment_loses_a_chain_but_the_one_whose_answer_was_lost, |database| async move {
    let _alone = alone().await;
    let clock = TestClock::new();
    let (google, scope, session, connection) = ada(&database, &clock).await;
    google.set_delay(8).await.unwrap();
    let part = Part::new(&database, &session, &connection, google.app(), TimeDelta::hours(1));
    let (mut lost, mut untouched, mut stored) = (0, 0, 0);
    // Microseconds from the first statement to the last commit; how many these are is learnt from where the kills fall.
    let mut span = 35_000;
    let kills = sized(25, 400);
    for number in 1..=kills {
        let begun = number * 2 * 3600;
        let mut process = Process::start(&Part { number, begun, ..part.clone() });
        process.ready().await;
        let exchanged = google.hits("/token".into()).await.unwrap();
        let before = revision(&database.url).await;
        process.tell("expired").await;
        tokio::time::sleep(Duration::from_micros(random(span))).await;
        process.kill().await;
        // What was sent arrives: the provider waits before it acts.
        tokio::time::sleep(Duration::from_millis(30)).await;
        // A lease of 25 seconds has run out.
        sql(&database, "UPDATE atom_token_sets SET lease_until = 0", "UPDATE atom_token_sets SET lease_until = '1970-01-01Z'")
            .await;
        let asked = google.hits("/token".into()).await.unwrap() - exchanged;
        let saved = revision(&database.url).await - before;
        assert!(saved <= asked && asked <= 1, "kill {number}: asked {asked}, stored {saved}");

        clock.advance(TimeDelta::hours(2));
        match (connection.access_token().await, asked > saved) {
            (Ok(_), false) if saved == 1 => {
                stored += 1;
                span = span * 3 / 4;
            }
            (Ok(_), false) => {
                untouched += 1;
                span = (span * 21 / 20).min(500_000);
            }
            (Err(error), true) => {
                assert_eq!((error.kind(), error.reason()), (ErrorKind::ReauthRequired, "refresh_lost"), "kill {number}");
                lost += 1;
                assert_eq!(connect(&scope, &google, "ada@gmail.example").await.id(), connection.id());
            }
            (Ok(_), true) => panic!("kill {number}: a spent token cannot have worked"),
            (Err(error), false) => panic!("kill {number}: a chain was lost: {error:?}"),
        }
    }
    println!("{kills} kills: {untouched} before the request, {lost} with the answer, {stored} after it was stored");
    assert_quiet(&part.folder);
    if kills > 100 {
        assert!(untouched > 0 && lost > 0 && stored > 0, "every step was hit");
    }
});
