//! Opening an installation, and what stands in the way.

use crate::support::*;
use atom_core::{Atom, Error, ErrorKind, JobKind, LocalKey, NewJob, OpenOptions, ProviderApp, Schema};

fn refused(result: Result<Atom, Error>) -> Error {
    result.err().expect("refused")
}

fn other_key() -> LocalKey {
    LocalKey::generate().unwrap()
}

on_both!(an_installation_opens_again_with_its_key_and_no_other, |database| async move {
    let (session, _) = sign_up(&database.open().await, "ada@example.com").await;
    let again = database.open().await;
    again.authenticate(session.access_token).await.expect("the signing key was kept");

    let error = refused(database.builder().key(other_key()).open().await);
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Sealed, "wrong_key"));
    let ours = LocalKey::from_base64(&KEY.into()).unwrap();
    assert!(error.to_string().contains(&atom_core::KeyProvider::fingerprint(&ours)), "{error}");
});

on_both!(ten_processes_that_start_together_make_one_installation, |database| async move {
    let database = std::sync::Arc::new(database);
    let opening: Vec<_> = (0..10)
        .map(|_| {
            let database = std::sync::Arc::clone(&database);
            tokio::spawn(async move { database.open().await })
        })
        .collect();
    let mut installations = Vec::new();
    for atom in opening {
        installations.push(atom.await.unwrap());
    }
    let (session, _) = sign_up(&installations[0], "ada@example.com").await;
    for atom in &installations {
        atom.authenticate(session.access_token.clone()).await.expect("all of them share the signing keys");
    }
});

on_both!(migrations_are_shown_before_they_are_applied, |database| async move {
    let schema = Schema::connect(database.url.clone()).await.unwrap();
    let pending = schema.migrations().await.unwrap();
    assert!(pending.iter().all(|m| !m.applied && m.pending_sql.contains(" TABLE ")));
    assert!(pending[0].pending_sql.contains("atom_users"));
    let error = refused(database.builder().migrate(false).open().await);
    assert_eq!(error.reason(), "schema_older");
    assert!(schema.migrations().await.unwrap().iter().all(|m| !m.applied), "looking changes nothing");

    schema.migrate().await.unwrap();
    schema.migrate().await.expect("twice is no error");
    let atom = database.builder().migrate(false).open().await.expect("nothing is pending");
    assert!(atom.schema().migrations().await.unwrap().iter().all(|m| m.applied && m.pending_sql.is_empty()));
});

on_both!(a_newer_or_altered_schema_is_refused_and_nothing_is_changed, |database| async move {
    database.open().await.shut_down().await.unwrap();
    let newer_sqlite = "INSERT INTO atom_migrations VALUES (9999, '9999_future', x'00', 0)";
    let newer_pg = "INSERT INTO atom_migrations VALUES (9999, '9999_future', '\\x00', now())";
    sql(&database, newer_sqlite, newer_pg).await;
    assert_eq!(refused(database.builder().open().await).reason(), "schema_newer");
    let back = "DELETE FROM atom_migrations WHERE version = 9999";
    sql(&database, back, back).await;
    database.open().await.shut_down().await.unwrap();

    sql(&database, "UPDATE atom_migrations SET checksum = x'00'", "UPDATE atom_migrations SET checksum = '\\x00'").await;
    assert_eq!(refused(database.builder().open().await).reason(), "schema_differs");
});

on_both!(a_removed_data_key_is_a_clear_error, |database| async move {
    database.open().await.shut_down().await.unwrap();
    sql(&database, "DELETE FROM atom_data_keys", "DELETE FROM atom_data_keys").await;
    assert_eq!(refused(database.builder().open().await).reason(), "data_key_missing");
});

on_both!(after_close_calls_say_so, |database| async move {
    let atom = database.open().await;
    atom.shut_down().await.unwrap();
    let error = atom.accounts().sign_up(account("ada@example.com")).await.err().unwrap();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Cancelled, "closed"));
});

on_both!(the_last_handle_may_go_where_no_runtime_is, |database| async move {
    let atom = database.builder().job_kind(JobKind { name: "greet".into(), ..Default::default() }).open().await.unwrap();
    let job = NewJob { kind: "greet".into(), ..Default::default() };
    atom.jobs().enqueue(job).await.expect("a statement whose connection is kept at hand");
    let collector = std::thread::spawn(move || drop(atom));
    tokio::task::spawn_blocking(move || collector.join()).await.unwrap().expect("a host's collector drops it without a panic");
});

#[tokio::test]
async fn unusable_urls_and_servers_are_named() {
    for url in ["", "atom.db", "mysql://host/db", "sqlite:", "sqlite::memory:", "postgres://host:notaport/db"] {
        assert_eq!(refused(Atom::builder(url).key(other_key()).open().await).reason(), "malformed_database_url", "{url}");
    }
    let error = refused(Atom::builder("sqlite:/nowhere/at/all/atom.db").key(other_key()).open().await);
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Invalid, "database_unreadable"));

    // A port that was free a moment ago refuses connections.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = refused(Atom::builder(format!("postgres://atom@127.0.0.1:{port}/atom")).key(other_key()).open().await);
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Unavailable, "database_unreachable"));
}

#[tokio::test]
async fn a_damaged_sqlite_file_is_named_and_left_alone() {
    let database = Database::sqlite();
    let path = database.folder.path().join("atom.db");
    let garbage = b"this is no database, but somebody's letter. ".repeat(200);
    std::fs::write(&path, &garbage).unwrap();
    let error = refused(database.builder().open().await);
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Sealed, "database_damaged"));
    assert_eq!(std::fs::read(&path).unwrap(), garbage);
}

#[tokio::test]
async fn a_page_that_was_overwritten_is_an_error_and_not_a_wrong_answer() {
    let database = Database::sqlite();
    let atom = database.open().await;
    for i in 0..50 {
        let mut account = account(&format!("user{i}@example.com"));
        account.display_name = Some("x".repeat(500));
        atom.accounts().sign_up(account).await.unwrap();
    }
    atom.shut_down().await.unwrap();
    let path = database.folder.path().join("atom.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let length = bytes.len();
    bytes[4096..length].fill(0xAB);
    std::fs::write(&path, bytes).unwrap();
    let error = refused(database.builder().open().await);
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Sealed, "database_damaged"));
}

#[tokio::test]
async fn without_a_key_nothing_starts() {
    let database = Database::sqlite();
    let options = || OpenOptions { database_url: database.url.clone(), ..Default::default() };
    assert_eq!(refused(Atom::open(options()).await).reason(), "no_key");
    assert!(!database.folder.path().join("atom.db").exists(), "nothing was written");

    let file = database.folder.path().join("atom.key").display().to_string();
    let with_file = |create| OpenOptions { key_file: Some(file.clone()), create_key_file: create, ..options() };
    assert_eq!(refused(Atom::open(with_file(None)).await).reason(), "no_key");
    Atom::open(with_file(Some(true))).await.expect("made on request");
    Atom::open(with_file(None)).await.expect("and read again");
    let both = OpenOptions { key: Some(KEY.into()), ..with_file(None) };
    assert_eq!(refused(Atom::open(both).await).reason(), "malformed_option");
    let malformed = OpenOptions { key: Some("c2hvcnQ=".into()), ..options() };
    assert_eq!(refused(Atom::open(malformed).await).reason(), "malformed_key");
}

#[tokio::test]
async fn providers_that_cannot_work_are_refused_before_anything_starts() {
    let database = Database::sqlite();
    let app = |change: fn(&mut ProviderApp)| {
        let mut app = ProviderApp {
            provider: "google".into(),
            client_id: "id".into(),
            redirect_uri: "http://127.0.0.1/callback".into(),
            ..Default::default()
        };
        change(&mut app);
        app
    };
    type Change = fn(&mut ProviderApp);
    let cases: [(Change, &str); 5] = [
        (|a| a.provider = "gogle".into(), "unknown_provider"),
        (|a| a.redirect_uri = "/callback".into(), "malformed_redirect_uri"),
        (|a| a.development_endpoint = Some("https://evil.example".into()), "endpoint_not_loopback"),
        (|a| a.manifest = Some("schema = 1".into()), "provider_is_built_in"),
        (|a| (a.provider, a.manifest) = ("mine".into(), Some("schema = 1".into())), "malformed_manifest"),
    ];
    for (change, expected) in cases {
        assert_eq!(refused(database.builder().provider(app(change)).open().await).reason(), expected);
    }
    let twice = database.builder().provider(app(|_| ())).provider(app(|_| ()));
    assert_eq!(refused(twice.open().await).reason(), "provider_twice");
}
