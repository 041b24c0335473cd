//! Users, as their operator and they themselves see them: what is known of them, accounts that are disabled, exports, and the end.

mod disabling;
mod erasing;
mod exporting;
mod managing;
mod races;

use crate::support::*;
use atom_core::*;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _};

pub(super) fn metadata(value: serde_json::Value) -> Option<Json> {
    Some(Json(value))
}

/// The tables in which a text is, in small or capital letters.
pub(super) async fn tables_with(database: &Database, text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    let mut found = Vec::new();
    if database.url.starts_with("sqlite:") {
        let mut c = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
        let columns = "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table'";
        let columns: Vec<(String, String)> = sqlx::query_as(columns).fetch_all(&mut c).await.unwrap();
        assert!(columns.len() > 200, "{columns:?}");
        for (table, column) in columns {
            let query = format!("SELECT count(*) FROM {table} WHERE instr(lower(CAST(\"{column}\" AS TEXT)), '{text}') > 0");
            let count: i64 = sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&mut c).await.unwrap();
            if count > 0 {
                found.push(format!("{table}.{column}"));
            }
        }
    } else {
        let mut c = sqlx::PgConnection::connect(&database.url).await.unwrap();
        let tables = "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = 'public'";
        let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut c).await.unwrap();
        assert!(tables.len() > 30, "{tables:?}");
        for table in tables {
            let query = format!("SELECT count(*) FROM {table} t WHERE position('{text}' IN lower(CAST(t AS TEXT))) > 0");
            let count: i64 = sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&mut c).await.unwrap();
            if count > 0 {
                found.push(table);
            }
        }
    }
    found
}

/// What was done to a user, in a workspace.
pub(super) async fn acts_on(scope: &Scope, user: UserId) -> Vec<AuditAction> {
    let filter = AuditFilter { subject: Some(user.to_string()), ..Default::default() };
    let entries = scope.audit().list(filter).await.unwrap().items;
    entries.into_iter().rev().map(|entry| entry.action).collect()
}

/// The events of users in a workspace.
pub(super) async fn told_of(scope: &Scope) -> Vec<String> {
    let filter = EventFilter { names: Some(vec!["user.*".into()]), ..Default::default() };
    scope.events().list(filter).await.unwrap().items.into_iter().map(|event| event.name).collect()
}

pub(super) fn one_key() -> serde_json::Value {
    json!({ "theme": "dark" })
}
