//! The SQL of identities.

use super::Identity;
use super::person::Person;
use crate::storage::{Db, Timestamp, Tx, on, row};
use crate::{IdentityId, Result, UserId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

row! {
    struct IdentityRow {
        id: Uuid,
        user_id: Uuid,
        provider: String,
        email: Option<String>,
        created_at: Timestamp,
        last_used_at: Option<Timestamp>,
    }
}

impl From<IdentityRow> for Identity {
    fn from(row: IdentityRow) -> Self {
        Self {
            id: IdentityId(row.id),
            user_id: UserId(row.user_id),
            provider: row.provider,
            email: row.email,
            created_at: row.created_at.0,
            last_used_at: row.last_used_at.map(|at| at.0),
        }
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT id, user_id, provider, email, created_at, last_used_at FROM atom_identities WHERE ", $rest)
    };
}

/// The identity of a person; whether its user is active is not asked.
pub(super) async fn find(db: &Db, person: &Person) -> Result<Option<Identity>> {
    let row = on!(db, c => sqlx::query_as::<_, IdentityRow>(select!("issuer = $1 AND subject = $2"))
        .bind(&person.issuer).bind(&person.subject).fetch_optional(c).await)?;
    Ok(row.map(Identity::from))
}

pub(in crate::accounts) async fn list(db: &Db, user: UserId) -> Result<Vec<Identity>> {
    let rows = on!(db, c => sqlx::query_as::<_, IdentityRow>(select!("user_id = $1 ORDER BY id"))
        .bind(user.0).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Identity::from).collect())
}

pub(super) async fn list_in(tx: &mut Tx, user: UserId) -> Result<Vec<Identity>> {
    let rows = on!(tx: tx, c => sqlx::query_as::<_, IdentityRow>(select!("user_id = $1 ORDER BY id"))
        .bind(user.0).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Identity::from).collect())
}

/// Fails with `conflict` where somebody has it already.
pub(super) async fn insert(tx: &mut Tx, user: UserId, person: &Person, is_used: bool, now: DateTime<Utc>) -> Result<Identity> {
    let now = Timestamp::from(now);
    let identity = Identity {
        id: IdentityId::generate(),
        user_id: user,
        provider: person.provider.clone(),
        email: person.email.clone(),
        created_at: now.0,
        last_used_at: is_used.then_some(now.0),
    };
    on!(tx: tx, c => sqlx::query(
        "INSERT INTO atom_identities (id, user_id, provider, issuer, subject, email, created_at, last_used_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
        .bind(identity.id.0).bind(user.0).bind(&person.provider).bind(&person.issuer).bind(&person.subject).bind(&person.email)
        .bind(now).bind(is_used.then_some(now)).execute(c).await.map(drop))?;
    Ok(identity)
}

/// Keeps what the provider told now.
pub(super) async fn touch(db: &Db, id: IdentityId, person: &Person, now: DateTime<Utc>) -> Result<()> {
    Ok(on!(write: db, c => sqlx::query(
        "UPDATE atom_identities SET provider = $2, email = coalesce($3, email), last_used_at = $4 WHERE id = $1")
        .bind(id.0).bind(&person.provider).bind(&person.email).bind(Timestamp::from(now)).execute(c).await.map(drop))?)
}

/// False if it is gone.
pub(super) async fn delete(tx: &mut Tx, user: UserId, id: IdentityId) -> Result<bool> {
    let gone: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as("DELETE FROM atom_identities WHERE id = $1 AND user_id = $2 RETURNING id")
        .bind(id.0).bind(user.0).fetch_optional(c).await)?;
    Ok(gone.is_some())
}

/// Whether an identity is still the user's.
pub(in crate::accounts) async fn has(tx: &mut Tx, user: UserId, id: IdentityId) -> Result<bool> {
    let found: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as("SELECT id FROM atom_identities WHERE id = $1 AND user_id = $2")
        .bind(id.0).bind(user.0).fetch_optional(c).await)?;
    Ok(found.is_some())
}

/// Unlinks all that a user has.
pub(in crate::accounts) async fn delete_all(tx: &mut Tx, user: UserId) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query("DELETE FROM atom_identities WHERE user_id = $1").bind(user.0).execute(c).await.map(drop))?)
}
