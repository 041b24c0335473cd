//! Keys in the system's keychain, as GNOME Keyring keeps them on a desktop, over a D-Bus that has nothing else. Which bus a process has stands in
//! its environment, so what is done with it is done by a process of its own.

use super::*;
use secret_service::{EncryptionType, SecretService};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A desktop session of a test: its bus, its keyring and its home.
struct Desktop {
    home: TempDir,
    address: String,
    bus: Child,
    keyring: Option<Child>,
}

impl Desktop {
    /// One without a keyring, or nothing where there is no D-Bus.
    fn start() -> Option<Self> {
        let home = tempfile::tempdir().unwrap();
        // Nothing is started for those who ask for it.
        let recipe = format!(
            "<busconfig><type>session</type><listen>unix:path={}/bus</listen><auth>EXTERNAL</auth><policy context=\"default\">\
             <allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
            home.path().display()
        );
        std::fs::write(home.path().join("bus.conf"), recipe).unwrap();
        let mut command = Command::new("dbus-daemon");
        command.arg("--config-file").arg(home.path().join("bus.conf")).args(["--nofork", "--nopidfile", "--print-address"]);
        let Ok(mut bus) = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn() else {
            println!("skipped: dbus-daemon is not installed");
            return None;
        };
        let mut address = String::new();
        BufReader::new(bus.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Some(Self { home, address: address.trim().into(), bus, keyring: None })
    }

    /// One with a keyring that is unlocked, or nothing where there is none.
    fn with_keyring() -> Option<Self> {
        let mut desktop = Self::start()?;
        desktop.log_in(Some("a login password")).then_some(desktop)
    }

    /// Starts the keyring. Without a password it stays locked.
    fn log_in(&mut self, password: Option<&str>) -> bool {
        self.log_out();
        let mut command = self.command(Path::new("gnome-keyring-daemon"));
        command.args(["--foreground", "--components=secrets"]).args(password.map(|_| "--unlock"));
        let Ok(mut keyring) = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
            println!("skipped: gnome-keyring-daemon is not installed");
            return false;
        };
        keyring.stdin.take().unwrap().write_all(password.unwrap_or_default().as_bytes()).unwrap();
        self.keyring = Some(keyring);
        true
    }

    fn log_out(&mut self) {
        if let Some(mut keyring) = self.keyring.take() {
            let _ = keyring.kill();
            let _ = keyring.wait();
        }
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .env("HOME", self.home.path())
            .env("XDG_RUNTIME_DIR", self.home.path());
        command
            .env_remove("XDG_DATA_HOME")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("GNOME_KEYRING_CONTROL")
            .env_remove("DISPLAY");
        command
    }

    /// Does a part of a test in this session.
    fn play(&self, part: &str) {
        let mut command = self.command(&std::env::current_exe().unwrap());
        command.args(["--exact", "keys::keychain::part", "--nocapture"]).env("ATOM_TEST_KEYCHAIN", part);
        let output = command.env("ATOM_TEST_DATABASE", self.home.path().join("atom.db")).env_remove("ATOM_KEY").output().unwrap();
        let (said, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && said.contains(&format!("> {part}")), "{said}\n{log}");
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        self.log_out();
        let _ = self.bus.kill();
        let _ = self.bus.wait();
    }
}

#[test]
fn p34_the_keychain_keeps_the_key_of_an_installation_over_restarts() {
    let Some(mut desktop) = Desktop::with_keyring() else { return };
    desktop.play("absent");
    desktop.play("made");
    desktop.play("found");
    desktop.log_in(Some("a login password"));
    desktop.play("found");
    desktop.play("rotated");
}

#[test]
fn p34_a_machine_without_a_keychain_gives_a_typed_error_and_no_key() {
    let Some(mut desktop) = Desktop::start() else { return };
    desktop.play("unavailable");
    desktop.address = "unix:path=/nowhere/bus".into();
    desktop.play("unavailable");
}

#[test]
fn p34_a_locked_keychain_is_not_an_absent_key() {
    let Some(mut desktop) = Desktop::with_keyring() else { return };
    desktop.play("made");
    desktop.log_in(None);
    desktop.play("locked");
    desktop.log_in(Some("a login password"));
    desktop.play("found");
}

#[test]
fn processes_that_start_together_make_one_key() {
    let Some(desktop) = Desktop::with_keyring() else { return };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| desktop.play("made"));
        }
    });
    desktop.play("found");
}

#[test]
fn p34_an_entry_that_is_no_key_or_one_of_two_is_refused() {
    let Some(desktop) = Desktop::with_keyring() else { return };
    desktop.play("malformed");
    desktop.play("ambiguous");
}

/// Does what the test asks for. Run among the other tests it has nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn part() {
    let Ok(part) = std::env::var("ATOM_TEST_KEYCHAIN") else { return };
    let entry = |create| KeychainOptions { service: "com.example.notes".into(), account: "test".into(), create };
    let open = async |create| {
        let database_url = format!("sqlite:{}", std::env::var("ATOM_TEST_DATABASE").unwrap());
        let accepted_keys = Some(vec![KEY.into()]);
        Atom::open(OpenOptions { database_url, keychain: Some(entry(create)), accepted_keys, ..Default::default() }).await
    };
    if part != "unavailable" {
        wait_for_the_keyring().await;
    }
    match part.as_str() {
        "absent" => {
            assert_eq!(refused(open(None).await).reason(), "no_key");
            let nameless = KeychainOptions { service: String::new(), ..entry(Some(true)) };
            assert_eq!(refused(LocalKey::from_keychain(&nameless).await).reason(), "malformed_option");
        }
        "made" => drop(open(Some(true)).await.unwrap()),
        "found" => {
            let current = open(None).await.unwrap().keys().status().await.unwrap().current;
            let written_down = LocalKey::from_base64(&value().await.into()).unwrap();
            assert_eq!(written_down.fingerprint(), current, "a copy of the entry opens the installation without the keychain");
        }
        "rotated" => {
            let atom = open(None).await.unwrap();
            sign_up(&atom, "ada@example.com").await;
            atom.shut_down().await.unwrap();
            let database_url = format!("sqlite:{}", std::env::var("ATOM_TEST_DATABASE").unwrap());
            let (key, accepted_keychains) = (Some(KEY.into()), Some(vec![entry(Some(true))]));
            let back = Atom::open(OpenOptions { database_url, key, accepted_keychains, ..Default::default() }).await.unwrap();
            assert_eq!(back.keys().rotate(None).await.unwrap().remaining, 0);
            assert_eq!(open(None).await.unwrap().keys().rotate(None).await.unwrap().retired, [name(KEY)]);
        }
        "unavailable" => {
            for create in [None, Some(true)] {
                let error = refused(open(create).await);
                assert_eq!((error.code(), error.reason()), ("sealed", "keychain_unavailable"));
                assert!(error.to_string().contains("`key_file`"), "it says what to do: {error}");
            }
        }
        "locked" => {
            for create in [None, Some(true)] {
                assert_eq!(refused(open(create).await).reason(), "keychain_locked");
            }
        }
        "malformed" => {
            store("canary").await;
            let error = refused(open(Some(true)).await);
            assert_eq!(error.reason(), "malformed_key");
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
        "ambiguous" => {
            store("canary").await;
            assert_eq!(refused(open(Some(true)).await).reason(), "key_ambiguous");
        }
        _ => unreachable!("{part}"),
    }
    println!("> {part}");
}

async fn service() -> Result<SecretService<'static>, secret_service::Error> {
    SecretService::connect(EncryptionType::Dh).await
}

async fn wait_for_the_keyring() {
    for _ in 0..200 {
        if service().await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the keyring does not start");
}

fn attributes() -> HashMap<&'static str, &'static str> {
    HashMap::from([("service", "com.example.notes"), ("username", "test")])
}

/// The value of the entry, as a person reads it.
async fn value() -> String {
    let service = service().await.unwrap();
    let found = service.search_items(attributes()).await.unwrap();
    assert_eq!(found.unlocked.len(), 1);
    String::from_utf8(found.unlocked[0].get_secret().await.unwrap()).unwrap()
}

/// Adds an entry beside those that are there.
async fn store(value: &str) {
    let service = service().await.unwrap();
    let collection = service.get_default_collection().await.unwrap();
    collection.create_item("of a test", attributes(), value.as_bytes(), false, "text/plain").await.unwrap();
}
