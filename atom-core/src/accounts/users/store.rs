//! The SQL of users.

use super::{UserAccount, UserFilter, UserPage, UserState};
use crate::accounts::store::{UserRow, users};
use crate::accounts::{User, email};
use crate::storage::{Db, Timestamp, Tx, on, row};
use crate::{Error, Json, Result, UserId, WorkspaceId};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json as Column;
use uuid::Uuid;

row! {
    struct AccountRow {
        id: Uuid,
        email: String,
        email_verified_at: Option<Timestamp>,
        display_name: Option<String>,
        locale: Option<String>,
        created_at: Timestamp,
        user_metadata: Column<Value>,
        app_metadata: Column<Value>,
        disabled_at: Option<Timestamp>,
        disabled_reason: Option<String>,
    }
}

impl AccountRow {
    fn into_account(self) -> UserAccount {
        UserAccount {
            user: User {
                id: UserId(self.id),
                email: self.email,
                email_verified: self.email_verified_at.is_some(),
                display_name: self.display_name,
                locale: self.locale,
                created_at: self.created_at.0,
            },
            user_metadata: Json(self.user_metadata.0),
            app_metadata: Json(self.app_metadata.0),
            disabled_at: self.disabled_at.map(|at| at.0),
            disabled_reason: self.disabled_reason,
        }
    }
}

/// Accounts of users who are not being erased.
macro_rules! accounts {
    ($rest:literal) => {
        concat!(
            "SELECT id, email, email_verified_at, display_name, locale, created_at, user_metadata, app_metadata, disabled_at, disabled_reason
               FROM atom_users WHERE erased_at IS NULL AND ",
            $rest
        )
    };
}

/// Stores a user, unless there is one with the address: then false.
pub(super) async fn insert(
    tx: &mut Tx,
    user: &User,
    canonical: &str,
    password_hash: Option<&str>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let verified_at = user.email_verified.then(|| Timestamp::from(now));
    let inserted: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "INSERT INTO atom_users (id, email, email_canonical, email_verified_at, display_name, locale, password_hash, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (email_canonical) DO NOTHING RETURNING id")
        .bind(user.id.0).bind(&user.email).bind(canonical).bind(verified_at).bind(&user.display_name).bind(&user.locale)
        .bind(password_hash).bind(Timestamp::from(user.created_at)).fetch_optional(c).await)?;
    Ok(inserted.is_some())
}

/// Whoever has an address, disabled or not.
pub(super) async fn by_email(tx: &mut Tx, canonical: &str) -> Result<UserRow> {
    Ok(on!(tx: tx, c => sqlx::query_as::<_, UserRow>(
        users!("WHERE email_canonical = $1"))
        .bind(canonical).fetch_one(c).await)?)
}

pub(in crate::accounts) async fn account(db: &Db, id: UserId) -> Result<UserAccount> {
    let row: Option<AccountRow> = on!(db, c => sqlx::query_as(accounts!("id = $1")).bind(id.0).fetch_optional(c).await)?;
    row.map(AccountRow::into_account).ok_or_else(|| Error::not_found("user"))
}

/// The same for an act on a user who is held.
pub(super) async fn account_in(tx: &mut Tx, id: UserId) -> Result<Option<UserAccount>> {
    let row: Option<AccountRow> = on!(tx: tx, c => sqlx::query_as(accounts!("id = $1")).bind(id.0).fetch_optional(c).await)?;
    Ok(row.map(AccountRow::into_account))
}

pub(super) async fn account_by_email(db: &Db, canonical: &str) -> Result<UserAccount> {
    let row: Option<AccountRow> =
        on!(db, c => sqlx::query_as(accounts!("email_canonical = $1")).bind(canonical).fetch_optional(c).await)?;
    row.map(AccountRow::into_account).ok_or_else(|| Error::not_found("user"))
}

/// The accounts that fit, newest first.
pub(super) async fn list(db: &Db, filter: &UserFilter) -> Result<UserPage> {
    let size = filter.page_size.unwrap_or(100);
    if !(1..=1000).contains(&size) {
        return Err(Error::invalid("malformed_page_size", "page_size is between 1 and 1000"));
    }
    let malformed = |_| Error::invalid("malformed_cursor", "pass the cursor as the last page returned it");
    let before: Option<UserId> = filter.cursor.as_deref().map(str::parse).transpose().map_err(malformed)?;
    let search = filter.search.as_deref().map(str::trim).filter(|search| !search.is_empty());
    // Nobody has such a name, and PostgreSQL would take it for an error of ours.
    if search.is_some_and(|search| search.contains('\0')) {
        return Ok(UserPage { items: Vec::new(), next_cursor: None });
    }
    let begins = search.map(|search| format!("{}%", literal(&email::identifier(search))));
    let has = search.map(|search| format!("%{}%", literal(&search.to_lowercase())));
    let is_disabled = filter.state.map(|state| state == UserState::Disabled);
    let rows: Vec<AccountRow> = on!(db, c => sqlx::query_as(accounts!(
        "($1 IS NULL OR id < $1) AND ($2 IS NULL OR email_canonical LIKE $2 ESCAPE '!' OR lower(display_name) LIKE $3 ESCAPE '!')
            AND ($4 IS NULL OR (disabled_at IS NOT NULL) = $4) AND ($5 IS NULL OR created_at > $5)
          ORDER BY id DESC LIMIT $6"))
        .bind(before.map(|id| id.0)).bind(begins).bind(has).bind(is_disabled).bind(filter.created_after.map(Timestamp::from))
        .bind(i64::from(size) + 1).fetch_all(c).await)?;
    let more = rows.len() > usize::try_from(size).unwrap_or_default();
    let mut items: Vec<_> = rows.into_iter().map(AccountRow::into_account).collect();
    if more {
        items.pop();
    }
    let next_cursor = items.last().filter(|_| more).map(|last| last.user.id.to_string());
    Ok(UserPage { items, next_cursor })
}

/// A text in which no character means anything to `LIKE`.
fn literal(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

/// Stores what can be changed of an account.
pub(super) async fn update(tx: &mut Tx, account: &UserAccount) -> Result<()> {
    let UserAccount { user, user_metadata, app_metadata, .. } = account;
    Ok(on!(tx: tx, c => sqlx::query(
        "UPDATE atom_users SET display_name = $2, locale = $3, user_metadata = $4, app_metadata = $5 WHERE id = $1")
        .bind(user.id.0).bind(&user.display_name).bind(&user.locale).bind(Column(&user_metadata.0)).bind(Column(&app_metadata.0))
        .execute(c).await.map(drop))?)
}

/// Disables an account; false if it was disabled, or there is none.
pub(super) async fn disable(tx: &mut Tx, user: UserId, reason: Option<&str>, now: DateTime<Utc>) -> Result<bool> {
    let disabled: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_users SET disabled_at = $2, disabled_reason = $3 WHERE id = $1 AND disabled_at IS NULL RETURNING id")
        .bind(user.0).bind(Timestamp::from(now)).bind(reason).fetch_optional(c).await)?;
    Ok(disabled.is_some())
}

/// Enables an account; false if it was enabled, or there is none.
pub(super) async fn enable(tx: &mut Tx, user: UserId) -> Result<bool> {
    let enabled: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_users SET disabled_at = NULL, disabled_reason = NULL
          WHERE id = $1 AND disabled_at IS NOT NULL AND erased_at IS NULL RETURNING id")
        .bind(user.0).fetch_optional(c).await)?;
    Ok(enabled.is_some())
}

/// The workspaces that a user is a member of, in the order of their ids.
pub(super) async fn workspaces(tx: &mut Tx, user: UserId) -> Result<Vec<WorkspaceId>> {
    let rows: Vec<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "SELECT m.workspace_id FROM atom_memberships m JOIN atom_workspaces w ON w.id = m.workspace_id
          WHERE m.user_id = $1 AND m.leaving_at IS NULL AND w.closing_at IS NULL ORDER BY m.workspace_id")
        .bind(user.0).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(id,)| WorkspaceId(id)).collect())
}

/// The canonical form of the address of a user who is held and not being erased.
pub(super) async fn address(tx: &mut Tx, user: UserId) -> Result<Option<String>> {
    let row: Option<(String,)> = on!(tx: tx, c => sqlx::query_as("SELECT email_canonical FROM atom_users WHERE id = $1 AND erased_at IS NULL")
        .bind(user.0).fetch_optional(c).await)?;
    Ok(row.map(|(canonical,)| canonical))
}

/// Takes everything personal from a user's row, and their password. The address is free from then on.
pub(super) async fn empty(tx: &mut Tx, user: UserId, now: DateTime<Utc>) -> Result<()> {
    // No address: it has no `@`.
    let nobody = user.to_string();
    Ok(on!(tx: tx, c => sqlx::query(
        "UPDATE atom_users SET erased_at = $2, disabled_at = coalesce(disabled_at, $2), disabled_reason = NULL, email = $3, email_canonical = $3,
                email_verified_at = NULL, display_name = NULL, locale = NULL, password_hash = NULL, user_metadata = '{}', app_metadata = '{}'
          WHERE id = $1")
        .bind(user.0).bind(Timestamp::from(now)).bind(nobody).execute(c).await.map(drop))?)
}

/// Where somebody who is being erased is still leaving, or the workspace is still closing.
pub(super) async fn remains(db: &Db, user: UserId) -> Result<Vec<(WorkspaceId, bool)>> {
    let rows: Vec<(Uuid, Option<Timestamp>)> = on!(db, c => sqlx::query_as(
        "SELECT m.workspace_id, w.closing_at FROM atom_memberships m JOIN atom_workspaces w ON w.id = m.workspace_id
          WHERE m.user_id = $1 ORDER BY m.workspace_id")
        .bind(user.0).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(id, closing_at)| (WorkspaceId(id), closing_at.is_some())).collect())
}

/// The users who are being erased and not gone yet.
pub(super) async fn erased(db: &Db) -> Result<Vec<UserId>> {
    let rows: Vec<(Uuid,)> = on!(db, c => sqlx::query_as(
        "SELECT id FROM atom_users WHERE erased_at IS NOT NULL ORDER BY erased_at LIMIT 100").fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(id,)| UserId(id)).collect())
}

/// Deletes the row of a user who was erased, and with it whatever hangs on it.
pub(super) async fn delete(tx: &mut Tx, user: UserId) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query(
        "DELETE FROM atom_users WHERE id = $1 AND erased_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM atom_memberships WHERE user_id = $1)")
        .bind(user.0).execute(c).await.map(drop))?)
}

/// Whether somebody was erased, and is not gone yet.
pub(super) async fn is_erased(db: &Db, user: UserId) -> Result<bool> {
    let found: Option<(Uuid,)> = on!(db, c => sqlx::query_as("SELECT id FROM atom_users WHERE id = $1 AND erased_at IS NOT NULL")
        .bind(user.0).fetch_optional(c).await)?;
    Ok(found.is_some())
}
