//! The SQL of passwords.

use crate::storage::{Db, Timestamp, Tx, on};
use crate::{Result, UserId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Replaces the hash of a password by another one of the same; false if it is no longer there.
pub(super) async fn rehash(db: &Db, user: Uuid, old: &str, new: &str) -> Result<bool> {
    let replaced: Option<(Uuid,)> = on!(write: db, c => sqlx::query_as(
        "UPDATE atom_users SET password_hash = $3 WHERE id = $1 AND password_hash = $2 RETURNING id")
        .bind(user).bind(old).bind(new).fetch_optional(c).await)?;
    Ok(replaced.is_some())
}

/// Stores the hash of a new password; false if the user is not active, or has a password and must not.
pub(super) async fn set_hash(tx: &mut Tx, user: UserId, hash: &str, only_first: bool) -> Result<bool> {
    let set: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_users SET password_hash = $2
          WHERE id = $1 AND disabled_at IS NULL AND (password_hash IS NULL OR NOT $3) RETURNING id")
        .bind(user.0).bind(hash).bind(only_first).fetch_optional(c).await)?;
    Ok(set.is_some())
}

/// Stores the hash of a new password of whoever has proved that the address is theirs; false if they are not active, or it is no more.
pub(super) async fn reset_hash(tx: &mut Tx, user: UserId, email: &str, hash: &str) -> Result<bool> {
    let set: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_users SET password_hash = $3 WHERE id = $1 AND email = $2 AND disabled_at IS NULL RETURNING id")
        .bind(user.0).bind(email).bind(hash).fetch_optional(c).await)?;
    Ok(set.is_some())
}

/// Stores a link to reset a password, instead of the one before.
pub(super) async fn issue_reset(
    tx: &mut Tx,
    user: UserId,
    token_hash: &[u8],
    binding_hash: &[u8],
    expires_at: DateTime<Utc>,
) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query(
        "INSERT INTO atom_password_resets (user_id, token_hash, binding_hash, expires_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id) DO UPDATE SET token_hash = $2, binding_hash = $3, expires_at = $4")
        .bind(user.0).bind(token_hash).bind(binding_hash).bind(Timestamp::from(expires_at)).execute(c).await.map(drop))?)
}

/// Whose password a link resets.
pub(super) async fn reset_of(db: &Db, token_hash: &[u8], now: DateTime<Utc>) -> Result<Option<UserId>> {
    let row: Option<(Uuid,)> = on!(db, c => sqlx::query_as("SELECT user_id FROM atom_password_resets WHERE token_hash = $1 AND expires_at > $2")
        .bind(token_hash).bind(Timestamp::from(now)).fetch_optional(c).await)?;
    Ok(row.map(|(user,)| UserId(user)))
}

/// Takes a link: for exactly one of several callers, and for none if what it is bound to has changed.
pub(super) async fn take_reset(tx: &mut Tx, token_hash: &[u8], binding_hash: &[u8], now: DateTime<Utc>) -> Result<bool> {
    let taken: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "DELETE FROM atom_password_resets WHERE token_hash = $1 AND binding_hash = $2 AND expires_at > $3 RETURNING user_id")
        .bind(token_hash).bind(binding_hash).bind(Timestamp::from(now)).fetch_optional(c).await)?;
    Ok(taken.is_some())
}

/// Has the link of a user end.
pub(super) async fn forget_reset(tx: &mut Tx, user: UserId) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query("DELETE FROM atom_password_resets WHERE user_id = $1")
        .bind(user.0).execute(c).await.map(drop))?)
}

/// Deletes links that are over.
pub(in crate::accounts) async fn sweep(db: &Db, now: DateTime<Utc>) -> Result<()> {
    Ok(on!(write: db, c => sqlx::query("DELETE FROM atom_password_resets WHERE expires_at <= $1")
        .bind(Timestamp::from(now)).execute(c).await.map(drop))?)
}
