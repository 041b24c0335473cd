//! Databases for the tests inside the crate.

use super::Db;
use sqlx::{Connection, Executor, PgConnection};

/// The URLs of fresh, migrated databases: SQLite in `folder`, and PostgreSQL where `ATOM_TEST_POSTGRES` names a server.
pub(crate) async fn fresh(folder: &std::path::Path) -> Vec<String> {
    let mut urls = vec![format!("sqlite:{}", folder.join("atom.db").display())];
    match std::env::var("ATOM_TEST_POSTGRES") {
        Ok(server) => {
            let name = format!("atom_{}", uuid::Uuid::now_v7().simple());
            let mut connection = PgConnection::connect(&server).await.expect("the server");
            connection.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.expect("created");
            urls.push(format!("{}/{name}", server.rsplit_once('/').expect("a path").0));
        }
        Err(_) => println!("PostgreSQL skipped: ATOM_TEST_POSTGRES is not set"),
    }
    for url in &urls {
        let db = Db::connect(url).await.expect("connected");
        db.migrate().await.expect("migrated");
        db.close().await;
    }
    urls
}
