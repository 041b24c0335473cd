//! Where keys come from.

use super::*;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A key management service of the host's that can be out of order.
struct Service {
    key: LocalKey,
    is_down: Arc<AtomicBool>,
}

impl KeyProvider for Service {
    fn fingerprint(&self) -> String {
        format!("service:{}", self.key.fingerprint())
    }

    fn wrap<'a>(&'a self, data_key: &'a [u8], context: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>>> {
        if self.is_down.load(Ordering::SeqCst) {
            return Box::pin(async { Err(Error::new(ErrorKind::Unavailable, "service_down", "the key service is down")) });
        }
        self.key.wrap(data_key, context)
    }

    fn unwrap<'a>(&'a self, wrapped: &'a [u8], context: &'a [u8]) -> BoxFuture<'a, Result<Zeroizing<Vec<u8>>>> {
        self.key.unwrap(wrapped, context)
    }
}

fn service() -> (HostKey, Arc<AtomicBool>) {
    let is_down = Arc::new(AtomicBool::new(false));
    (HostKey::new(Service { key: local(NEXT), is_down: Arc::clone(&is_down) }), is_down)
}

on_both!(p34_an_installation_moves_from_a_local_key_to_a_service_of_the_host_and_back, |database| async move {
    let (session, _) = sign_up(&database.open().await, "ada@example.com").await;
    let options = |keys: &[&str]| OpenOptions {
        database_url: database.url.clone(),
        accepted_keys: Some(keys.iter().map(|key| Secret::from(*key)).collect()),
        ..Default::default()
    };
    let (key, is_down) = service();
    let atom = Atom::open_with_keys(options(&[KEY]), Some(key.clone()), None).await.unwrap();
    let status = atom.keys().status().await.unwrap();
    assert!(status.current.starts_with("service:"));

    is_down.store(true, Ordering::SeqCst);
    assert_eq!(refused(atom.keys().rotate(None).await).reason(), "service_down");
    assert_eq!(refused(atom.accounts().sign_up(account("bob@example.com")).await).reason(), "service_down");
    let session = atom.accounts().refresh(session.refresh_token).await.expect("what is unwrapped needs no service");
    is_down.store(false, Ordering::SeqCst);
    assert_eq!(atom.keys().rotate(None).await.unwrap().remaining, 0);

    let alone = Atom::open_with_keys(options(&[]), Some(key.clone()), None).await.unwrap();
    let session = alone.accounts().refresh(session.refresh_token).await.unwrap();
    assert_eq!(refused(database.builder().open().await).reason(), "wrong_key");

    let back = OpenOptions { key: Some(KEY.into()), ..options(&[]) };
    let both = OpenOptions { key: Some(KEY.into()), ..options(&[]) };
    assert_eq!(refused(Atom::open_with_keys(both, Some(key.clone()), None).await).reason(), "malformed_option");
    let back = Atom::open_with_keys(back, None, Some(vec![key])).await.unwrap();
    assert_eq!(back.keys().rotate(None).await.unwrap().remaining, 0);
    database.open().await.accounts().refresh(session.refresh_token).await.unwrap();
});

#[tokio::test]
async fn p34_keys_come_from_files_too() {
    let database = Database::sqlite();
    let file = |name: &str, key: &str| {
        let path = database.folder.path().join(name);
        std::fs::write(&path, format!("{key}\n")).unwrap();
        path.display().to_string()
    };
    let (old, new) = (file("old.key", KEY), file("new.key", NEXT));
    let options = |key: &str, accepted: &[&String]| OpenOptions {
        database_url: database.url.clone(),
        key_file: Some(key.into()),
        accepted_key_files: Some(accepted.iter().map(|path| (*path).clone()).collect()),
        ..Default::default()
    };
    Atom::open(options(&old, &[])).await.unwrap();
    assert_eq!(refused(Atom::open(options(&new, &[])).await).reason(), "wrong_key");
    let atom = Atom::open(options(&new, &[&old])).await.unwrap();
    assert_eq!(atom.keys().rotate(None).await.unwrap().retired, [name(KEY)]);
    Atom::open(options(&new, &[])).await.unwrap();
    let gone = "/nowhere/old.key".to_owned();
    assert_eq!(refused(Atom::open(options(&new, &[&gone])).await).reason(), "no_key");
}

/// The environment belongs to a whole process, so each of these openings has one of its own.
#[tokio::test]
async fn p34_keys_come_from_the_environment_too() {
    let database = Database::sqlite();
    let opened = |variables: &[(&str, &str)]| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "keys::providers::opening", "--nocapture"]).env("ATOM_TEST_OPENING", &database.url);
        let output = command.env_remove("ATOM_KEY").envs(variables.iter().copied()).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        said.split_once("> ").unwrap_or_else(|| panic!("{said}")).1.lines().next().unwrap().to_owned()
    };
    assert_eq!(opened(&[]), "no_key");
    assert_eq!(opened(&[("ATOM_KEY", "short")]), "malformed_key");
    assert_eq!(opened(&[("ATOM_KEY", KEY)]), "0");
    assert_eq!(opened(&[("ATOM_KEY", NEXT)]), "wrong_key");
    let both = format!("{NEXT},{KEY}");
    assert_eq!(opened(&[("ATOM_KEY", NEXT), ("ATOM_ACCEPTED_KEYS", &both)]), "1");
    assert_eq!(opened(&[("ATOM_KEY", NEXT)]), "0");
}

/// Opens an installation with what the environment says and rotates its key. Run among the other tests it has nothing to do.
#[tokio::test]
async fn opening() {
    let Ok(database_url) = std::env::var("ATOM_TEST_OPENING") else { return };
    match Atom::open(OpenOptions { database_url, ..Default::default() }).await {
        Ok(atom) => println!("> {}", atom.keys().rotate(None).await.unwrap().rewrapped),
        Err(error) => println!("> {}", error.reason()),
    }
}
