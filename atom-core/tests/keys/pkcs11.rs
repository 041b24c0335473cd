//! Keys in a hardware module, as SoftHSM plays one. It reads where its tokens are when it is loaded, and what one test does to its module all
//! sessions of the process feel: so each test has a process of its own.

use super::*;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, ObjectClass};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use std::path::{Path, PathBuf};
use std::process::Command;

const PIN: &str = "1234";
const OFFICER: &str = "security officer";

/// A folder of tokens, in the process that has it.
struct Module {
    path: String,
    folder: PathBuf,
}

impl Module {
    /// The one that this process was given.
    fn mine() -> Option<Self> {
        let folder = PathBuf::from(std::env::var_os("ATOM_TEST_TOKENS")?);
        Some(Self { path: std::env::var("ATOM_TEST_PKCS11").unwrap(), folder })
    }

    /// Has another process run a test with a folder of tokens.
    fn give_to(test: &str) {
        let Ok(path) = std::env::var("ATOM_TEST_PKCS11") else {
            return println!("skipped: ATOM_TEST_PKCS11 is not set to the library of SoftHSM");
        };
        assert!(Path::new(&path).is_file(), "{path}");
        let folder = tempfile::tempdir().unwrap();
        let tokens = folder.path().join("tokens");
        std::fs::create_dir(&tokens).unwrap();
        let recipe = format!("directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n", tokens.display());
        std::fs::write(folder.path().join("softhsm2.conf"), recipe).unwrap();
        run(folder.path(), test);
    }

    /// The module itself, beside Atom.
    fn load(&self) -> Pkcs11 {
        let module = Pkcs11::new(&self.path).unwrap();
        let _ = module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK));
        module
    }

    /// Makes a token that has no key.
    fn token(&self, label: &str) {
        let module = self.load();
        let is_free = |slot: &Slot| !module.get_token_info(*slot).unwrap().token_initialized();
        let slot = module.get_slots_with_token().unwrap().into_iter().find(is_free).unwrap();
        make(&module, slot, label);
    }

    fn slot(&self, module: &Pkcs11, label: &str) -> Slot {
        let has_label = |slot: &Slot| module.get_token_info(*slot).unwrap().label() == label;
        module.get_slots_with_token().unwrap().into_iter().find(has_label).unwrap()
    }

    /// A session of the host's own, logged in.
    fn session(&self, token: &str) -> Session {
        let module = self.load();
        let session = module.open_rw_session(self.slot(&module, token)).unwrap();
        let _ = session.login(UserType::User, Some(&AuthPin::new(PIN.into())));
        session
    }

    /// Where the key `main` of the token `atom` is; it is made if there is none.
    fn options(&self) -> Pkcs11Options {
        Pkcs11Options { module: self.path.clone(), token: "atom".into(), pin: PIN.into(), key: "main".into(), create: Some(true) }
    }
}

/// Initializes a token, which destroys what it held.
fn make(module: &Pkcs11, slot: Slot, label: &str) {
    module.init_token(slot, &AuthPin::new(OFFICER.into()), label).unwrap();
    // A new token is in a slot of its own.
    let has_label = |slot: &Slot| module.get_token_info(*slot).unwrap().label() == label;
    let slot = module.get_slots_with_token().unwrap().into_iter().find(has_label).unwrap();
    let session = module.open_rw_session(slot).unwrap();
    session.login(UserType::So, Some(&AuthPin::new(OFFICER.into()))).unwrap();
    session.init_pin(&AuthPin::new(PIN.into())).unwrap();
    session.logout().unwrap();
}

fn run(folder: &Path, test: &str) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env("ATOM_TEST_TOKENS", folder);
    let output = command.env("SOFTHSM2_CONF", folder.join("softhsm2.conf")).output().unwrap();
    let (said, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 passed"), "{said}\n{log}");
}

/// Writes a test once and runs it with a module of its own that has the token `atom`.
macro_rules! with_module {
    ($name:ident, |$module:ident| $body:expr) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let Some($module) = Module::mine() else {
                return Module::give_to(concat!("keys::pkcs11::", stringify!($name)));
            };
            $module.token("atom");
            $body.await
        }
    };
}

async fn databases() -> Vec<Database> {
    [Some(Database::sqlite()), Database::postgres().await].into_iter().flatten().collect()
}

async fn open(database: &Database, current: &Pkcs11Options, accepted: &[&str]) -> Result<Atom> {
    let accepted_keys = Some(accepted.iter().map(|key| Secret::from(*key)).collect());
    let database_url = database.url.clone();
    Atom::open(OpenOptions { database_url, pkcs11: Some(current.clone()), accepted_keys, ..Default::default() }).await
}

async fn refusal(options: Pkcs11Options) -> &'static str {
    refused(Pkcs11Key::open(&options).await).reason()
}

with_module!(p34_an_installation_moves_from_a_local_key_to_a_hardware_module_and_back, |module| async move {
    for database in databases().await {
        let (session, _) = sign_up(&database.open().await, "ada@example.com").await;
        let in_token = module.options();
        let atom = open(&database, &in_token, &[KEY]).await.unwrap();
        let rotation = atom.keys().rotate(None).await.unwrap();
        assert_eq!((rotation.rewrapped, rotation.remaining, rotation.retired), (2, 0, vec![name(KEY)]));
        assert!(rotation.current.starts_with("pkcs11:main:"), "{}", rotation.current);

        let found = Pkcs11Options { create: None, ..in_token };
        let alone = open(&database, &found, &[]).await.unwrap();
        sign_up(&alone, "bob@example.com").await;
        let session = alone.accounts().refresh(session.refresh_token).await.unwrap();
        assert_eq!(refused(database.builder().open().await).reason(), "wrong_key");

        let back = OpenOptions {
            database_url: database.url.clone(),
            key: Some(KEY.into()),
            accepted_pkcs11: Some(vec![found]),
            ..Default::default()
        };
        let back = Atom::open(back).await.unwrap();
        assert_eq!(back.keys().rotate(None).await.unwrap().remaining, 0);
        database.open().await.accounts().refresh(session.refresh_token).await.unwrap();
        if !database.url.starts_with("sqlite:") {
            drop_database(&database.url).await;
        }
    }
});

with_module!(p34_a_key_that_is_made_in_a_token_cannot_be_read_from_it, |module| async move {
    Pkcs11Key::open(&module.options()).await.unwrap();
    let session = module.session("atom");
    let found = session.find_objects(&[Attribute::Class(ObjectClass::SECRET_KEY)]).unwrap();
    assert_eq!(found.len(), 1);
    let asked = [AttributeType::Sensitive, AttributeType::Extractable, AttributeType::ValueLen];
    let attributes = session.get_attributes(found[0], &asked).unwrap();
    assert_eq!(attributes, [Attribute::Sensitive(true), Attribute::Extractable(false), Attribute::ValueLen(32.into())]);
    assert_eq!(session.get_attributes(found[0], &[AttributeType::Value]).unwrap(), []);
});

with_module!(p34_what_is_wrong_with_a_module_a_token_or_a_pin_is_said, |module| async move {
    let found = || Pkcs11Options { create: None, ..module.options() };
    assert_eq!(refusal(Pkcs11Options { module: "/nowhere/module.so".into(), ..found() }).await, "no_key");
    assert_eq!(refusal(Pkcs11Options { token: "another".into(), ..found() }).await, "no_key");
    let wrong = Pkcs11Options { pin: "4321".into(), ..module.options() };
    let error = refused(Pkcs11Key::open(&wrong).await);
    assert_eq!((error.code(), error.reason()), ("sealed", "wrong_pin"));
    assert!(!format!("{error:?}").contains("4321"), "{error:?}");
    assert_eq!(refusal(found()).await, "no_key", "nothing is made unless it is asked for");
    let spaced = Pkcs11Options { key: "two words".into(), ..module.options() };
    let options = OpenOptions { database_url: "memory:".into(), pkcs11: Some(spaced), ..Default::default() };
    assert_eq!(refused(Atom::open(options).await).reason(), "malformed_fingerprint");

    let session = module.session("atom");
    let generate = |label: &str, encrypts: bool, length: u8| {
        let label = Attribute::Label(label.as_bytes().to_vec());
        let length = Attribute::ValueLen(std::ffi::c_ulong::from(length).into());
        let template = [Attribute::Token(true), Attribute::Encrypt(encrypts), Attribute::Decrypt(true), length, label];
        session.generate_key(&Mechanism::AesKeyGen, &template).unwrap();
    };
    generate("twice", true, 32);
    generate("twice", true, 32);
    assert_eq!(refusal(Pkcs11Options { key: "twice".into(), ..found() }).await, "key_ambiguous");
    generate("short", true, 16);
    assert_eq!(refusal(Pkcs11Options { key: "short".into(), ..found() }).await, "key_unsuitable");
    generate("only-opens", false, 32);
    let key = Pkcs11Key::open(&Pkcs11Options { key: "only-opens".into(), ..found() }).await.unwrap();
    assert_eq!(refused(key.wrap(&[1; 32], b"context").await).reason(), "key_unsuitable");

    module.token("twin");
    module.token("twin");
    assert_eq!(refusal(Pkcs11Options { token: "twin".into(), ..found() }).await, "key_ambiguous");
});

with_module!(a_wrapped_key_opens_in_its_context_and_unaltered_only, |module| async move {
    let key = Pkcs11Key::open(&module.options()).await.unwrap();
    let wrapped = key.wrap(&[7; 32], b"context").await.unwrap();
    assert_eq!(wrapped.len(), 1 + 12 + 32 + 16);
    assert_eq!(key.unwrap(&wrapped, b"context").await.unwrap()[..], [7; 32]);
    assert_ne!(wrapped, key.wrap(&[7; 32], b"context").await.unwrap(), "each has a nonce of its own");
    assert_eq!(refused(key.unwrap(&wrapped, b"another").await).reason(), "record_altered");
    for i in 0..wrapped.len() {
        let mut altered = wrapped.clone();
        altered[i] ^= 1;
        assert_eq!(refused(key.unwrap(&altered, b"context").await).reason(), "record_altered", "byte {i}");
        assert_eq!(refused(key.unwrap(&wrapped[..i], b"context").await).reason(), "record_altered", "{i} bytes");
    }
    assert_eq!(key.unwrap(&wrapped, b"context").await.unwrap()[..], [7; 32], "the session goes on");
});

with_module!(a_session_that_is_lost_is_begun_again, |module| async move {
    let database = Database::sqlite();
    let atom = open(&database, &module.options(), &[]).await.unwrap();
    for (i, how) in ["logged out", "finalized", "finalized and initialized again"].into_iter().enumerate() {
        match how {
            "logged out" => module.session("atom").logout().unwrap(),
            "finalized" => module.load().finalize().unwrap(),
            _ => {
                module.load().finalize().unwrap();
                module.load();
            }
        }
        let signing_up = atom.accounts().sign_up(account(&format!("user{i}@example.com"))).await;
        assert!(signing_up.is_ok(), "{how}: {:?}", signing_up.err());
    }
    let many = (0..20).map(|i| {
        let atom = atom.clone();
        tokio::spawn(async move { sign_up(&atom, &format!("together{i}@example.com")).await })
    });
    for signing_up in many.collect::<Vec<_>>() {
        signing_up.await.unwrap();
    }
});

with_module!(p34_a_pin_that_was_refused_is_not_shown_again, |module| async move {
    let key = Pkcs11Key::open(&module.options()).await.unwrap();
    let change = |from: &str, to: &str| {
        let loaded = module.load();
        let session = loaded.open_rw_session(module.slot(&loaded, "atom")).unwrap();
        let _ = session.login(UserType::User, Some(&AuthPin::new(from.into())));
        session.set_pin(&AuthPin::new(from.into()), &AuthPin::new(to.into())).unwrap();
        session.logout().unwrap();
    };
    change(PIN, "another");
    assert_eq!(refused(key.wrap(&[7; 32], b"context").await).reason(), "wrong_pin");
    change("another", PIN);
    let again = refused(key.wrap(&[7; 32], b"context").await);
    assert_eq!(again.reason(), "wrong_pin", "the token would have taken it now, so it was not asked");
    Pkcs11Key::open(&module.options()).await.unwrap().wrap(&[7; 32], b"context").await.expect("whoever opens anew asks it");
});

with_module!(p34_a_token_that_was_made_anew_holds_another_key, |module| async move {
    let database = Database::sqlite();
    let before = open(&database, &module.options(), &[]).await.unwrap();
    let fingerprint = before.keys().status().await.unwrap().current;
    let loaded = module.load();
    loaded.clone().finalize().unwrap();
    module.load();
    make(&loaded, module.slot(&loaded, "atom"), "atom");

    let gone = refused(before.accounts().sign_up(account("late@example.com")).await);
    assert_eq!(gone.reason(), "no_key", "a process that lost its key makes no other one");
    let error = refused(open(&database, &module.options(), &[]).await);
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Sealed, "wrong_key"));
    assert!(error.to_string().contains(&fingerprint), "{error}");
    let late = refused(before.accounts().sign_up(account("late@example.com")).await);
    assert_eq!(late.reason(), "wrong_key", "and takes no other one that has the same label");
});

with_module!(another_process_uses_the_same_key, |module| async move {
    let database = Database::sqlite();
    let there = database.folder.path().join("atom.db");
    let atom = open(&database, &module.options(), &[]).await.unwrap();
    sign_up(&atom, "ada@example.com").await;
    std::fs::write(module.folder.join("database"), format!("sqlite:{}", there.display())).unwrap();
    tokio::task::block_in_place(|| run(&module.folder, "keys::pkcs11::elsewhere"));
    atom.accounts().sign_in(credentials("bob@example.com")).await.expect("what the other one sealed opens here");
});

/// What the other process does. Run among the other tests it has nothing to do.
#[tokio::test]
async fn elsewhere() {
    let Some(module) = Module::mine() else { return };
    let database_url = std::fs::read_to_string(module.folder.join("database")).unwrap();
    let pkcs11 = Some(Pkcs11Options { create: None, ..module.options() });
    let atom = Atom::open(OpenOptions { database_url, pkcs11, ..Default::default() }).await.unwrap();
    let session = atom.accounts().sign_in(credentials("ada@example.com")).await.unwrap().signed_in().unwrap();
    atom.accounts().refresh(session.refresh_token).await.expect("what was sealed there opens here");
    sign_up(&atom, "bob@example.com").await;
}

fn credentials(email: &str) -> Credentials {
    Credentials { email: email.into(), password: PASSWORD.into(), ..Default::default() }
}
