//! The SQL of users.

use crate::Result;
use crate::accounts::User;
use crate::accounts::store::UserRow;
use crate::storage::{Timestamp, Tx, on};
use chrono::{DateTime, Utc};
use uuid::Uuid;

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
        "SELECT id, email, email_verified_at, display_name, locale, password_hash, created_at FROM atom_users
          WHERE email_canonical = $1")
        .bind(canonical).fetch_one(c).await)?)
}
