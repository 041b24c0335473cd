//! Another process of the installation, which does what the test tells it; and races with it.

use super::*;
use crate::process::*;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::path::PathBuf;

const PROCESS: &str = "sessions::processes::process";
/// How often a race is run.
const ROUNDS: usize = 200;

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Part {
    url: String,
    folder: PathBuf,
    number: i64,
}

impl Part {
    pub(crate) fn new(database: &Database, number: i64) -> Self {
        Self { url: database.url.clone(), folder: database.folder.path().into(), number }
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

/// What the process is told to do.
#[derive(Serialize, Deserialize)]
pub(crate) enum Order {
    /// Says the role of a token's principal, or why it is refused.
    Authenticate { token: String },
    /// The same, with a look into the database.
    Live { token: String },
    /// Has ten callers refresh with one token, and says what they got.
    Refresh { token: String },
    /// Says a new pair of tokens.
    Renew { token: String },
    /// Moves its clock.
    Advance { seconds: i64 },
    /// Rotates the signing keys.
    Rotate { lead_seconds: i64 },
    /// Guesses passwords, each from an address of its own, and says when one was wrong.
    Guess { email: String, times: u8 },
}

/// The other process. Run among the other tests it has nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn process() {
    let Some(part) = assignment::<Part>(PROCESS) else { return };
    let clock = TestClock::new();
    let key = LocalKey::from_base64(&KEY.into()).unwrap();
    let atom = Atom::builder(&part.url).key(key).clock(clock.clone()).open().await.unwrap();
    let mut orders = orders();
    say("ready");
    while let Some(order) = orders.recv().await {
        match serde_json::from_str(&order).unwrap() {
            Order::Authenticate { token } => say(judged(atom.authenticate(token.as_str().into()).await)),
            Order::Live { token } => say(judged(atom.authenticate_live(token.as_str().into()).await)),
            Order::Refresh { token } => say(serde_json::to_string(&refresh_ten(&atom, &token).await).unwrap()),
            Order::Renew { token } => {
                let session = atom.accounts().refresh(token.as_str().into()).await.unwrap();
                let pair = (session.access_token.expose(), session.refresh_token.expose());
                say(serde_json::to_string(&pair).unwrap());
            }
            Order::Advance { seconds } => {
                clock.advance(TimeDelta::seconds(seconds));
                say("done");
            }
            Order::Rotate { lead_seconds } => {
                say(atom.signing_keys().rotate(Some(lead_seconds)).await.map_or_else(|error| error.reason(), |_| "done"));
            }
            Order::Guess { email, times } => {
                for i in 0..times {
                    let (atom, mut credentials) = (atom.clone(), credentials(&email, "not the password"));
                    credentials.client = Some(client(&format!("192.0.2.{i}"), "guess"));
                    tokio::spawn(async move { say(reason(atom.accounts().sign_in(credentials).await)) });
                }
            }
        }
    }
}

fn judged(result: Result<Scope, Error>) -> String {
    match result {
        Ok(scope) => serde_json::to_value(scope.principal().role).unwrap().as_str().unwrap().to_owned(),
        Err(error) => error.reason().to_owned(),
    }
}

/// The tokens that ten callers get for one.
async fn refresh_ten(atom: &Atom, token: &str) -> HashSet<String> {
    let callers: Vec<_> = (0..10)
        .map(|_| {
            let (accounts, token) = (atom.accounts(), Secret::from(token));
            tokio::spawn(async move { accounts.refresh(token).await.unwrap().refresh_token.expose().to_owned() })
        })
        .collect();
    let mut given = HashSet::new();
    for caller in callers {
        given.insert(caller.await.unwrap());
    }
    given
}

on_both!(p13_two_processes_race_two_hundred_times_and_each_token_has_one_successor, |database| async move {
    let _alone = alone().await;
    let atom = database.open().await;
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    let mut other = Process::start(&Part::new(&database, 1));
    other.ready().await;
    let mut token = session.refresh_token.expose().to_owned();
    for round in 1..=ROUNDS {
        other.tell(&serde_json::to_string(&Order::Refresh { token: token.clone() }).unwrap()).await;
        let mut given = refresh_ten(&atom, &token).await;
        given.extend(serde_json::from_str::<HashSet<String>>(&other.hear().await).unwrap());
        assert_eq!(given.len(), 1, "round {round}");
        let successor = given.into_iter().next().unwrap();
        assert_ne!(successor, token);
        token = successor;
    }
    let rounds = i64::try_from(ROUNDS).unwrap();
    assert_eq!(number(&database, "SELECT refresh_counter FROM atom_sessions").await, rounds, "one step for twenty callers");
    assert_eq!(endings(&scope).await, []);
    other.stop().await;
    assert_quiet(database.folder.path());
});

on_both!(p17_keys_are_rotated_under_load_in_two_processes_and_no_token_is_refused, |database| async move {
    let _alone = alone().await;
    let atom = database.open().await;
    let (session, _) = sign_up(&atom, "ada@example.com").await;
    let theirs = device(&atom, Client::default()).await;
    let mut other = Process::start(&Part::new(&database, 1));
    other.ready().await;
    let tell = |order: Order| serde_json::to_string(&order).unwrap();

    let keys = atom.signing_keys();
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let rotating = tokio::spawn(async move {
        let mut count = 0;
        while stopped.try_recv().is_err() {
            match keys.rotate(Some(count % 2)).await {
                Ok(_) => count += 1,
                Err(error) => assert_eq!(error.reason(), "rotated_meanwhile"),
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        count
    });
    let (mut mine, mut yours) = (session.refresh_token, theirs.refresh_token.expose().to_owned());
    let (mut old, mut kids) = (None, HashSet::new());
    for round in 0..ROUNDS {
        // A token of this process in the other one, and the other way round; each is used as soon as it is made.
        let made = atom.accounts().refresh(mine).await.unwrap();
        let shown = Order::Authenticate { token: made.access_token.expose().to_owned() };
        other.tell(&tell(shown)).await;
        atom.authenticate(made.access_token.clone()).await.expect("our own");
        assert_eq!(other.hear().await, "owner", "round {round}");
        mine = made.refresh_token;
        if round % 50 == 49 {
            other.tell(&tell(Order::Rotate { lead_seconds: 0 })).await;
            let _ = other.hear().await;
        }
        other.tell(&tell(Order::Renew { token: yours })).await;
        let (access, refresh): (String, String) = serde_json::from_str(&other.hear().await).unwrap();
        atom.authenticate(access.as_str().into()).await.expect("theirs");
        kids.insert(access.split('.').next().unwrap().to_owned());
        yours = refresh;
        old.get_or_insert(made.access_token);
    }
    stop.send(()).unwrap();
    let count = rotating.await.unwrap();
    assert!(count > 10 && kids.len() > 3, "{count} rotations, {} keys signed in the other process", kids.len());

    // The key of the first token is taken away: it is refused here at once, and there as soon as the process looks.
    let old = old.unwrap();
    atom.authenticate(old.clone()).await.expect("its key was followed, and not retired");
    atom.signing_keys().retire(signing_keys::kid(&old)).await.unwrap();
    assert_eq!(reason(atom.authenticate(old.clone()).await), "invalid_access_token");
    other.tell(&tell(Order::Advance { seconds: 31 })).await;
    other.hear().await;
    other.tell(&tell(Order::Authenticate { token: old.expose().to_owned() })).await;
    assert_eq!(other.hear().await, "invalid_access_token");
    other.stop().await;
    assert_quiet(database.folder.path());
});

on_both!(p06_attempts_are_counted_though_the_process_is_killed_before_it_knows, |database| async move {
    let atom = database.open().await;
    sign_up(&atom, "ada@example.com").await;
    let mut other = Process::start(&Part::new(&database, 1));
    other.ready().await;
    other.tell(&serde_json::to_string(&Order::Guess { email: "ada@example.com".into(), times: 60 }).unwrap()).await;
    let all = "SELECT CAST(coalesce(sum(attempts), 0) AS BIGINT) FROM atom_throttles WHERE attempts = 1";
    // Sixty hashes take seconds, and their counts do not.
    let started = std::time::Instant::now();
    while number(&database, all).await < 120 {
        assert!(started.elapsed() < std::time::Duration::from_secs(60), "sixty attempts of a pair, and sixty of a network");
    }
    let said = other.kill_and_listen().await;
    assert!(said.len() < 60, "it was killed before it knew: {said:?}");
    assert_eq!(number(&database, all).await, 120);
    for i in [0, 59] {
        let from = client(&format!("192.0.2.{i}"), "x");
        let guess = Credentials { client: Some(from), ..credentials("ada@example.com", "wrong again and again") };
        assert_eq!(reason(atom.accounts().sign_in(guess).await), "wrong_credentials");
    }
    let twice = "SELECT count(*) FROM atom_throttles WHERE attempts = 2";
    assert_eq!(number(&database, twice).await, 4, "the count goes on where the killed process left it");
});
