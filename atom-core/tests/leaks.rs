//! Secrets stay inside: not in a log of any level, not in an error, an audit entry, an event or the database, and no key in memory
//! afterwards.

use crate::process::*;
use crate::support::*;
use atom_core::testing::GoogleStandIn;
use atom_core::*;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt::Write as _;
#[cfg(target_os = "linux")]
use std::path::Path;
use std::path::PathBuf;

const PROCESS: &str = "leaks::process";
const PASSWORDS: [&str; 3] = ["canary-password-5d2c71", "canary-wrong-password-90ab", "canary-short"];

/// A process in which everything is called and everything fails, with all logs on.
#[derive(Serialize, Deserialize)]
struct Part {
    url: String,
    folder: PathBuf,
    endpoint: String,
}

impl Part {
    fn key_file(&self) -> PathBuf {
        self.folder.join("atom.key")
    }
}

impl Assignment for Part {
    fn test(&self) -> &'static str {
        PROCESS
    }

    fn number(&self) -> i64 {
        1
    }

    fn log(&self) -> std::fs::File {
        std::fs::File::options().create(true).append(true).open(self.folder.join("everything.log")).unwrap()
    }

    fn logs_everything(&self) -> bool {
        true
    }
}

/// What the host may print: it is printed here, and read by the test.
struct Printed(String);

impl Printed {
    fn show(&mut self, what: &impl std::fmt::Debug) {
        writeln!(self.0, "{what:?}").unwrap();
    }

    fn refused<T>(&mut self, result: Result<T>) {
        let error = result.err().expect("refused");
        writeln!(self.0, "{error} {error:?} {error:#?} {:?}", std::error::Error::source(&error)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn process() {
    let Some(part) = assignment::<Part>(PROCESS) else { return };
    let mut printed = Printed(String::new());
    let clock = TestClock::new();
    let mut orders = orders();
    story(&part, &clock, &mut printed, &mut orders).await;
    std::fs::write(part.folder.join("printed.txt"), printed.0).unwrap();
    say("done");
    // Everything has been dropped: the test looks into the memory of this process now.
    orders.recv().await;
}

/// The other side of the consent is the test, which has the provider.
async fn consent(connections: &Connections, orders: &mut tokio::sync::mpsc::UnboundedReceiver<String>) -> String {
    let start = StartConnection { provider: "google".into(), ..Default::default() };
    say(format!("approve {}", connections.start(start).await.unwrap().url));
    orders.recv().await.expect("a callback")
}

async fn story(part: &Part, clock: &TestClock, printed: &mut Printed, orders: &mut tokio::sync::mpsc::UnboundedReceiver<String>) {
    let key = LocalKey::from_file(part.key_file()).unwrap();
    let app = ProviderApp {
        provider: "google".into(),
        client_id: "stand-in.apps.googleusercontent.com".into(),
        client_secret: Some("stand-in-secret".into()),
        redirect_uri: "http://127.0.0.1/callback".into(),
        development_endpoint: Some(part.endpoint.clone()),
        export_tokens: Some(true),
        ..Default::default()
    };
    let atom = Atom::builder(&part.url).key(key).clock(clock.clone()).provider(app).open().await.unwrap();
    let accounts = atom.accounts();
    let new = |password: &str| NewAccount { email: "ada@example.com".into(), password: password.into(), ..Default::default() };
    printed.refused(accounts.sign_up(new(PASSWORDS[2])).await);
    let session = accounts.sign_up(new(PASSWORDS[0])).await.unwrap();
    printed.refused(accounts.sign_up(new(PASSWORDS[1])).await);
    let wrong = Credentials { email: "ada@example.com".into(), password: PASSWORDS[1].into(), ..Default::default() };
    printed.refused(accounts.sign_in(wrong).await);
    std::fs::write(
        part.folder.join("session.secrets"),
        [session.access_token.expose(), session.refresh_token.expose()].join("\n"),
    )
    .unwrap();
    let mut forged = session.access_token.expose().to_owned();
    forged.pop();
    printed.refused(atom.authenticate(forged.as_str().into()).await.map(drop));
    printed.refused(accounts.refresh(format!("{}x", session.refresh_token.expose()).as_str().into()).await);
    printed.show(&(&session.user, &session.workspace));

    let scope = atom.authenticate(session.access_token).await.unwrap();
    let connections = scope.connections();
    let callback = consent(&connections, orders).await;
    printed.refused(connections.complete(callback.replace("state=", "state=x")).await.map(drop));
    let connection = connections.complete(callback.clone()).await.unwrap();
    printed.refused(connections.complete(callback).await.map(drop));
    let callback = consent(&connections, orders).await;
    printed.refused(connections.complete(callback.replace("code=", "code=x")).await.map(drop));
    printed.show(&connection.account().await.unwrap());
    printed.show(&connections.status().await.unwrap());

    for fault in ["none", "401", "500", "lost", "garbage"] {
        say(format!("fault {fault}"));
        orders.recv().await.unwrap();
        clock.advance(TimeDelta::hours(2));
        match connection.access_token().await {
            Ok(_) => {}
            refused => printed.refused(refused.map(drop)),
        }
        let request =
            RawRequest { method: "GET".into(), url: "https://www.googleapis.com/drive/v3/files".into(), ..Default::default() };
        match connection.request(request).await {
            Ok(answer) => printed.show(&answer),
            refused => printed.refused(refused),
        }
        let elsewhere = RawRequest { method: "GET".into(), url: "https://evil.example/".into(), ..Default::default() };
        printed.refused(connection.request(elsewhere).await);
    }
    connection.revoke().await.unwrap();
    printed.refused(connection.access_token().await.map(drop));
    printed.show(&connections.list().await.unwrap());
    printed.show(&scope.audit().list(AuditFilter { page_size: Some(1000), ..Default::default() }).await.unwrap());
    printed.show(&scope.events().list(EventFilter { page_size: Some(1000), ..Default::default() }).await.unwrap());
    atom.shut_down().await.unwrap();
}

/// Where a text stands, or its form-encoded, hexadecimal or base64 shape.
fn found(place: &[u8], secret: &str) -> bool {
    use base64::Engine;
    let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let hex = secret.bytes().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    let base64 = base64::engine::general_purpose::STANDARD_NO_PAD.encode(secret);
    // Where the text stands within what was encoded decides about its ends.
    [secret, &encoded, &hex, &base64[..base64.len() - 2]].iter().any(|form| contains(place, form.as_bytes()))
}

fn contains(place: &[u8], what: &[u8]) -> bool {
    place.windows(what.len()).any(|window| window == what)
}

fn assert_clean(name: &str, place: &[u8], secrets: &HashMap<String, &str>) {
    for (secret, what) in secrets {
        assert!(!found(place, secret), "{what} is readable in {name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p39_no_secret_is_in_a_log_an_error_the_audit_log_an_event_or_the_database() {
    let database = Database::sqlite();
    let google = GoogleStandIn::start().await.unwrap();
    google.set_rotation(true).await.unwrap();
    let part = Part { url: database.url.clone(), folder: database.folder.path().into(), endpoint: google.url() };
    let key = LocalKey::create_file(part.key_file()).unwrap().to_base64();
    let mut process = Process::start(&part);
    loop {
        let said = process.hear().await;
        match said.split_once(' ') {
            Some(("approve", url)) => {
                let callback = google.approve(url.into(), "ada@gmail.example".into()).await.unwrap();
                process.tell(&callback).await;
            }
            Some(("fault", fault)) => {
                match fault {
                    "401" => google.expire_access_tokens().await.unwrap(),
                    "500" => google.fail_next("/".into(), 500, 2).await.unwrap(),
                    "lost" => google.lose_next("/token".into(), 1).await.unwrap(),
                    "garbage" => google.fail_next("/token".into(), 418, 1).await.unwrap(),
                    _ => {}
                }
                process.tell("go").await;
            }
            _ => break,
        }
    }
    let tokens: Vec<String> = google.secrets().iter().map(|secret| secret.expose().to_owned()).collect();
    assert!(tokens.len() > 6, "codes, access tokens and refresh tokens were handed out");
    let session = std::fs::read_to_string(part.folder.join("session.secrets")).unwrap();
    let mut secrets: HashMap<String, &str> = HashMap::new();
    secrets.extend(tokens.iter().map(|token| (token.clone(), "a provider's code or token")));
    secrets.extend(session.lines().map(|token| (token.to_owned(), "a token of our own")));
    secrets.extend(PASSWORDS.map(|password| (password.to_owned(), "a password")));
    secrets.insert(google.client_secret().expose().to_owned(), "the client secret");
    secrets.insert(key.expose().to_owned(), "the key");

    let read = |name: &str| std::fs::read(part.folder.join(name)).unwrap();
    let log = read("everything.log");
    assert!(contains(&log, b"refreshed a token") && log.len() > 20_000, "the log has everything: {} bytes", log.len());
    let printed = read("printed.txt");
    assert!(contains(&printed, b"wrong_credentials") && contains(&printed, b"Disconnected"), "everything was printed");
    assert_clean("the log", &log, &secrets);
    assert_clean("what a host would print", &printed, &secrets);
    for file in ["atom.db", "atom.db-wal"] {
        if part.folder.join(file).exists() {
            assert_clean(file, &read(file), &secrets);
        }
    }
    #[cfg(target_os = "linux")]
    {
        let id = process.id();
        let memory = tokio::task::spawn_blocking(move || memory(id)).await.unwrap();
        use base64::Engine;
        let raw = base64::engine::general_purpose::STANDARD.decode(key.expose()).unwrap();
        let marker = part.folder.display().to_string();
        assert!(memory.iter().any(|region| contains(region, marker.as_bytes())), "the memory is readable");
        for (shape, what) in [(&raw[..], "the key"), (key.expose().as_bytes(), "the text of the key")] {
            let left = memory.iter().filter(|region| contains(region, shape)).count();
            assert_eq!(left, 0, "{what} is still in the memory of a process that closed its installation");
        }
    }
    process.stop().await;
}

/// What a process has in its memory, region by region.
#[cfg(target_os = "linux")]
fn memory(id: u32) -> Vec<Vec<u8>> {
    use std::io::{Read, Seek, SeekFrom};
    let maps = std::fs::read_to_string(Path::new("/proc").join(id.to_string()).join("maps")).unwrap();
    let mut memory = std::fs::File::open(Path::new("/proc").join(id.to_string()).join("mem")).unwrap();
    let mut regions = Vec::new();
    for line in maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|mode| mode.starts_with("rw"))) {
        let (from, to) = line.split(' ').next().and_then(|range| range.split_once('-')).unwrap();
        let (from, to) = (u64::from_str_radix(from, 16).unwrap(), u64::from_str_radix(to, 16).unwrap());
        let mut region = vec![0; usize::try_from(to - from).unwrap()];
        // Some regions cannot be read, such as those of the kernel.
        if memory.seek(SeekFrom::Start(from)).is_ok() && memory.read_exact(&mut region).is_ok() {
            regions.push(region);
        }
    }
    regions
}
