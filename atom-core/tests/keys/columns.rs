//! Every column of sealed records is on the list of what a rotation takes over.

use super::*;
use atom_core::testing::sealed_columns;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use std::collections::BTreeSet;
use std::str::FromStr as _;

/// What the records of format 1 begin with.
const HEAD: &[u8] = &[b'A', b'T', 1, 1];

/// A column that holds bytes, with all that it holds and whose it is.
struct Column {
    table: String,
    name: String,
    values: Vec<Vec<u8>>,
}

impl Column {
    fn sealed(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.values.iter().filter(|value| value.starts_with(HEAD))
    }
}

/// The columns of bytes of every table of Atom. On SQLite, ids are bytes too.
async fn columns(database: &Database) -> Vec<Column> {
    let mut found = Vec::new();
    if database.url.starts_with("sqlite:") {
        let mut c = SqliteConnection::connect(&database.url).await.unwrap();
        let names: Vec<(String, String)> = sqlx::query_as(
            "SELECT t.name, c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND c.type = 'BLOB'")
            .fetch_all(&mut c).await.unwrap();
        for (table, name) in names {
            let sql = format!("SELECT {name} FROM {table} WHERE {name} IS NOT NULL");
            let values: Vec<(Vec<u8>,)> = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut c).await.unwrap();
            found.push(Column { table, name, values: values.into_iter().map(|(value,)| value).collect() });
        }
    } else {
        let mut c = PgConnection::connect(&database.url).await.unwrap();
        let names: Vec<(String, String)> = sqlx::query_as(
            "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = 'public' AND data_type = 'bytea'")
            .fetch_all(&mut c).await.unwrap();
        for (table, name) in names {
            let sql = format!("SELECT {name} FROM {table} WHERE {name} IS NOT NULL");
            let values: Vec<(Vec<u8>,)> = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut c).await.unwrap();
            assert!(
                !values.is_empty(),
                "nothing is in {table}.{name}: have the scenario of this test fill it, if it is sealed or not"
            );
            found.push(Column { table, name, values: values.into_iter().map(|(value,)| value).collect() });
        }
    }
    found
}

on_both!(p33_every_column_of_sealed_records_is_taken_over, |database| async move {
    // Everything that stores bytes. A new table that does so belongs here.
    let google = atom_core::testing::GoogleStandIn::start().await.unwrap();
    let greet = JobKind { name: "greet".into(), ..Default::default() };
    let open = || crate::mail::Letters::refusing(database.builder()).provider(google.app()).job_kind(greet.clone()).open();
    let atom = open().await.unwrap();
    let (session, scope) = sign_up(&atom, "ada@example.com").await;
    let connection = connect(&scope, &google, "ada@gmail.example").await;
    let client = Client { ip: Some("192.0.2.7".into()), ..Default::default() };
    let phone = Credentials { client: Some(client.clone()), ..credentials("ada@example.com", PASSWORD) };
    atom.accounts().sign_in(phone).await.unwrap();
    let pending = scope.connections().start(start("google")).await.unwrap();
    let endpoint = NewWebhookEndpoint { url: "https://hooks.example.com/atom".into(), ..Default::default() };
    let endpoint = scope.webhooks().create(endpoint).await.unwrap();
    scope.webhooks().rotate_key(endpoint.id, None, None).await.unwrap();
    let verification_key = scope.webhooks().verification_key(endpoint.id).await.unwrap();
    let unique = NewJob {
        kind: "greet".into(),
        unique: Some(UniqueJob { key: None, on_duplicate: None, until: None, for_seconds: None }),
        ..Default::default()
    };
    scope.jobs().enqueue(unique).await.unwrap();

    let new = NewServiceKey {
        service: "openai".into(),
        value: "sk-canary-0123456789abcdef".into(),
        hosts: Some(vec!["api.openai.com".into()]),
        exportable: Some(true),
        ..Default::default()
    };
    let service_key = scope.service_keys().create(new).await.unwrap();
    let needed = "the vendor asks for the key";
    let needed = NewEmergencyAccess { service_key_id: Some(service_key.id), reason: needed.into(), ..Default::default() };
    let emergency = scope.emergency_access().request(needed).await.unwrap();
    // Of the token of a lease there is only a hash.
    let purpose = Purpose { purpose: "sync".into(), tool: None };
    let lease = NewSecretLease { service_key_id: Some(service_key.id), purpose, ..Default::default() };
    scope.secret_leases().create(lease).await.unwrap();
    let device = StartDevice { provider: "google".into(), ..Default::default() };
    scope.connections().start_device(device).await.unwrap();
    let own = crate::workspace_providers::ACME.replace("acme", "own");
    let own = NewWorkspaceProvider { manifest: own, client_secret: Some("canary".into()), ..Default::default() };
    let own = scope.providers().register(own).await.unwrap();
    // An account that waits for its address to be proved.
    atom.accounts().begin_sign_up(account("grace@example.com")).await.unwrap();
    let clock = crate::support::TestClock::new();
    let (app, codes) = crate::factors::add_app(&scope, &clock).await;
    crate::factors::add_passkey(&scope).await;
    // A mail that nobody has taken yet.
    atom.mail().send_test("ada@example.com".into(), MailKind::SignInCode, None).await.unwrap();
    // A link to reset a password, of which there is only a hash.
    let forgotten = PasswordResetRequest { email: "ada@example.com".into(), ..Default::default() };
    atom.accounts().request_password_reset(forgotten).await.unwrap();
    while number(&database, "SELECT count(*) FROM atom_password_resets").await == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    // Of the token of an invitation there is only a hash.
    let invitation = NewInvitation { email: "bob@example.com".into(), role: Role::Member, locale: None };
    scope.invitations().create(invitation).await.unwrap();
    // A grant that the provider has not withdrawn yet.
    let ended = connect(&scope, &google, "ada@work.example").await;
    google.fail_next("/revoke".into(), 503, 1).await.unwrap();
    ended.revoke().await.unwrap();

    let columns_before = columns(&database).await;
    let with_records = columns_before.iter().filter(|column| column.sealed().next().is_some());
    let found: BTreeSet<(&str, &str)> = with_records.map(|column| (column.table.as_str(), column.name.as_str())).collect();
    // Wrapped data keys are not sealed by a data key.
    let listed: BTreeSet<_> = sealed_columns().into_iter().chain([("atom_data_keys", "wrapped")]).collect();
    assert_eq!(found, listed, "the list is in src/keys/columns.rs; the scenario of this test fills each of them");

    let (keys, workspace) = (atom.keys(), Some(session.workspace.id));
    let mut newest = BTreeSet::new();
    for owner in [None, workspace] {
        newest.insert(keys.rotate_workspace(owner).await.unwrap().id.to_string());
        let done = keys.reseal(owner, None).await.unwrap();
        assert!(done.is_done && done.damaged == 0 && done.resealed >= 2, "{done:?}");
    }
    for column in columns(&database)
        .await
        .iter()
        .filter(|c| !["atom_data_keys", "atom_single_use", "atom_email_proofs"].contains(&c.table.as_str()))
    {
        for record in column.sealed() {
            let key = uuid::Uuid::from_slice(&record[4..20]).unwrap().to_string();
            assert!(newest.contains(&key), "{}.{} was left under an older data key", column.table, column.name);
        }
    }
    let fresh = open().await.unwrap();
    let scope = fresh.authenticate(session.access_token).await.unwrap();
    fresh.accounts().refresh(session.refresh_token).await.unwrap();
    assert!(scope.sessions().list().await.unwrap().iter().any(|session| session.client.as_ref() == Some(&client)));
    scope.connections().open(connection.id()).await.unwrap().access_token().await.unwrap();
    assert!(scope.service_keys().reveal(service_key.id).await.unwrap().value == "sk-canary-0123456789abcdef".into());
    assert!(scope.webhooks().verification_key(endpoint.id).await.unwrap() == verification_key);
    assert_eq!(scope.providers().get("own".into()).await.unwrap(), own);
    assert_eq!(scope.emergency_access().get(emergency.id).await.unwrap(), emergency);
    clock.advance(chrono::TimeDelta::seconds(30));
    scope.step_up().with_totp(app.code()).await.unwrap();
    scope.step_up().with_recovery_code(codes[0].clone()).await.unwrap();
    let callback = google.approve(pending.url, "ada@gmail.example".into()).await.unwrap();
    scope.connections().complete(callback).await.unwrap();
    assert!(DataKeyId::from_str(newest.first().unwrap()).is_ok());
});
