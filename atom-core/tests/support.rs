//! Databases, installations and people to test with.

use atom_core::testing::GoogleStandIn;
use atom_core::{
    Atom, Builder, Clock, Connection, Credentials, Error, LocalKey, NewAccount, Role, Scope, Session, StartConnection,
};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use sqlx::{Connection as _, Executor, PgConnection, Row as _};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// The key of every test installation.
pub(crate) const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
pub(crate) const PASSWORD: &str = "an engine of brass and thought";

/// A database of a test's own.
pub(crate) struct Database {
    pub(crate) url: String,
    pub(crate) folder: TempDir,
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { url: format!("sqlite:{}", folder.path().join("atom.db").display()), folder }
    }

    /// A fresh database on the server of `ATOM_TEST_POSTGRES`, or nothing where there is none.
    pub(crate) async fn postgres() -> Option<Self> {
        Self::on_postgres("template1").await
    }

    async fn on_postgres(template: &str) -> Option<Self> {
        let server = std::env::var("ATOM_TEST_POSTGRES").ok()?;
        let name = format!("atom_{}", uuid::Uuid::now_v7().simple());
        let mut connection = PgConnection::connect(&server).await.unwrap();
        let sql = format!("CREATE DATABASE {name} TEMPLATE {template}");
        connection.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
        let (base, _) = server.rsplit_once('/').unwrap();
        Some(Self { url: format!("{base}/{name}"), folder: tempfile::tempdir().unwrap() })
    }

    /// The same data in another database, as a restored backup has it. Nothing may be connected to this one meanwhile.
    pub(crate) async fn copy(&self) -> Self {
        match self.url.strip_prefix("sqlite:") {
            Some(file) => {
                let copy = Self::sqlite();
                std::fs::copy(file, copy.folder.path().join("atom.db")).unwrap();
                copy
            }
            None => Self::on_postgres(self.url.rsplit_once('/').unwrap().1).await.unwrap(),
        }
    }

    pub(crate) fn builder(&self) -> Builder {
        Atom::builder(&self.url).key(LocalKey::from_base64(&KEY.into()).unwrap())
    }

    pub(crate) async fn open(&self) -> Atom {
        self.builder().open().await.unwrap()
    }

    /// An installation that knows a stand-in for Google.
    pub(crate) async fn with_google(&self) -> (Atom, GoogleStandIn) {
        let google = GoogleStandIn::start().await.unwrap();
        (self.builder().provider(google.app()).open().await.unwrap(), google)
    }
}

/// Removes the database of a test that passed; one of a test that failed is kept for whoever looks into it.
pub(crate) async fn drop_database(url: &str) {
    let (_, name) = url.rsplit_once('/').unwrap();
    let mut connection = PgConnection::connect(&std::env::var("ATOM_TEST_POSTGRES").unwrap()).await.unwrap();
    let sql = format!("DROP DATABASE {name} WITH (FORCE)");
    connection.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
}

/// Runs a statement behind Atom's back.
pub(crate) async fn sql(database: &Database, sqlite: impl Into<String>, postgres: impl Into<String>) {
    if database.url.starts_with("sqlite:") {
        let mut c = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(sqlite.into())).execute(&mut c).await.unwrap();
    } else {
        let mut c = sqlx::PgConnection::connect(&database.url).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(postgres.into())).execute(&mut c).await.unwrap();
    }
}

/// A number that the database has.
pub(crate) async fn number(database: &Database, query: impl Into<String>) -> i64 {
    let query = sqlx::AssertSqlSafe(query.into());
    if database.url.starts_with("sqlite:") {
        let mut c = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
        sqlx::query_scalar(query).fetch_one(&mut c).await.unwrap()
    } else {
        let mut c = sqlx::PgConnection::connect(&database.url).await.unwrap();
        sqlx::query_scalar(query).fetch_one(&mut c).await.unwrap()
    }
}

/// Everything in the database as text.
pub(crate) async fn dump(database: &Database) -> Vec<String> {
    if database.url.starts_with("sqlite:") {
        let files = std::fs::read_dir(database.folder.path()).unwrap();
        let read = |path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        return files.map(|file| read(file.unwrap().path())).collect();
    }
    let mut c = sqlx::PgConnection::connect(&database.url).await.unwrap();
    let tables = "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = 'public'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut c).await.unwrap();
    let mut all = Vec::new();
    for table in tables {
        let rows = sqlx::AssertSqlSafe(format!("SELECT CAST(t AS TEXT) FROM {table} t"));
        let rows = sqlx::query(rows).fetch_all(&mut c).await.unwrap();
        all.extend(rows.iter().map(|row| row.get::<String, _>(0)));
    }
    all
}

/// Makes somebody a member of Ada's workspace.
pub(crate) async fn join(database: &Database, email: &str, role: Role) {
    let role = role.as_str();
    let joined = |now: &str| {
        format!(
            "INSERT INTO atom_memberships (workspace_id, user_id, role, created_at) SELECT w.id, u.id, '{role}', {now} FROM atom_workspaces w, atom_users u WHERE w.name = 'ada' AND u.email = '{email}'"
        )
    };
    sql(database, joined("0"), joined("now()")).await;
}

/// Somebody who has signed up, in Ada's workspace.
pub(crate) async fn member(database: &Database, atom: &Atom, ada: &Session, email: &str, role: Role) -> Scope {
    let (session, _) = sign_up(atom, email).await;
    join(database, email, role).await;
    atom.act_as(session.user.id, ada.workspace.id).await.unwrap()
}

/// Writes a test once and runs it on both databases: `on_both!(name, |database| async move { … });`
macro_rules! on_both {
    ($(#[$meta:meta])* $name:ident, |$database:ident| $body:expr) => {
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn run($database: crate::support::Database) {
                $body.await
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                run(crate::support::Database::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                match crate::support::Database::postgres().await {
                    Some(database) => {
                        let url = database.url.clone();
                        run(database).await;
                        crate::support::drop_database(&url).await;
                    }
                    None => println!("skipped: ATOM_TEST_POSTGRES is not set"),
                }
            }
        }
    };
}
pub(crate) use on_both;

pub(crate) fn account(email: &str) -> NewAccount {
    NewAccount { email: email.into(), password: PASSWORD.into(), ..Default::default() }
}

pub(crate) async fn sign_up(atom: &Atom, email: &str) -> (Session, Scope) {
    let session = atom.accounts().sign_up(account(email)).await.unwrap();
    let scope = atom.authenticate(session.access_token.clone()).await.unwrap();
    (session, scope)
}

pub(crate) fn reason<T>(result: Result<T, Error>) -> &'static str {
    result.err().expect("refused").reason()
}

pub(crate) fn credentials(email: &str, password: &str) -> Credentials {
    Credentials { email: email.into(), password: password.into(), ..Default::default() }
}

pub(crate) fn start(provider: &str) -> StartConnection {
    StartConnection { provider: provider.into(), ..Default::default() }
}

/// Connects an account through the whole consent.
pub(crate) async fn connect(scope: &Scope, google: &GoogleStandIn, email: &str) -> Connection {
    let authorization = scope.connections().start(start("google")).await.unwrap();
    let callback = google.approve(authorization.url, email.into()).await.unwrap();
    scope.connections().complete(callback).await.unwrap()
}

/// A clock that a test moves.
#[derive(Clone)]
pub(crate) struct TestClock {
    ahead: Arc<Mutex<TimeDelta>>,
    /// Where it stands, if it does not go by itself.
    stopped_at: Option<DateTime<Utc>>,
}

impl TestClock {
    pub(crate) fn new() -> Self {
        Self { ahead: Arc::default(), stopped_at: None }
    }

    /// One that only the test moves.
    pub(crate) fn stopped() -> Self {
        Self { stopped_at: Some(Utc::now().trunc_subsecs(3)), ..Self::new() }
    }

    pub(crate) fn advance(&self, by: TimeDelta) {
        *self.ahead.lock().unwrap() += by;
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        self.stopped_at.unwrap_or_else(Utc::now) + *self.ahead.lock().unwrap()
    }
}
