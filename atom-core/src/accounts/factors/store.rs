//! The SQL of factors.

use super::{Factor, FactorKind};
use crate::storage::{Db, Timestamp, Tx, on, row};
use crate::{FactorId, Result, UserId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

row! {
    struct FactorRow { id: Uuid, kind: String, name: Option<String>, created_at: Timestamp, last_used_at: Option<Timestamp> }
}

row! {
    /// An authenticator app, with its sealed secret.
    pub(super) struct TotpRow { id: Uuid, secret: Vec<u8>, name: Option<String>, created_at: Timestamp }
}

/// The confirmed factors of a user, oldest first.
pub(in crate::accounts) async fn list(db: &Db, user: UserId) -> Result<Vec<Factor>> {
    let rows = on!(db, c => sqlx::query_as::<_, FactorRow>(
        "SELECT id, 'totp' AS kind, name, created_at, last_used_at FROM atom_totps
          WHERE user_id = $1 AND confirmed_at IS NOT NULL
         UNION ALL SELECT id, 'passkey', name, created_at, last_used_at FROM atom_passkeys WHERE user_id = $1 ORDER BY id")
        .bind(user.0).fetch_all(c).await)?;
    let into = |row: FactorRow| {
        Ok(Factor {
            id: FactorId(row.id),
            kind: row.kind.parse()?,
            name: row.name,
            created_at: row.created_at.0,
            last_used_at: row.last_used_at.map(|at| at.0),
        })
    };
    rows.into_iter().map(into).collect()
}

/// Whether a user has a confirmed factor.
pub(in crate::accounts) async fn has_any(db: &Db, user: UserId) -> Result<bool> {
    Ok(count(db, user).await? > 0)
}

/// What a user can complete a sign-in with; nothing if they have no factor, whatever codes may be left.
pub(super) async fn kinds(db: &Db, user: UserId) -> Result<Vec<FactorKind>> {
    let (totps, passkeys, codes): (i64, i64, i64) = on!(db, c => sqlx::query_as(
        "SELECT (SELECT count(*) FROM atom_totps WHERE user_id = $1 AND confirmed_at IS NOT NULL),
                (SELECT count(*) FROM atom_passkeys WHERE user_id = $1),
                (SELECT count(*) FROM atom_recovery_codes WHERE user_id = $1 AND used_at IS NULL)")
        .bind(user.0).fetch_one(c).await)?;
    let mut kinds = Vec::new();
    if totps > 0 {
        kinds.push(FactorKind::Totp);
    }
    if passkeys > 0 {
        kinds.push(FactorKind::Passkey);
    }
    if !kinds.is_empty() && codes > 0 {
        kinds.push(FactorKind::RecoveryCode);
    }
    Ok(kinds)
}

const COUNT: &str = "SELECT (SELECT count(*) FROM atom_totps WHERE user_id = $1 AND confirmed_at IS NOT NULL)
        + (SELECT count(*) FROM atom_passkeys WHERE user_id = $1)";

/// How many factors a user has.
pub(super) async fn count(db: &Db, user: UserId) -> Result<i64> {
    let (count,): (i64,) = on!(db, c => sqlx::query_as(COUNT).bind(user.0).fetch_one(c).await)?;
    Ok(count)
}

/// The same, as the transaction sees it.
pub(super) async fn count_in(tx: &mut Tx, user: UserId) -> Result<i64> {
    let (count,): (i64,) = on!(tx: tx, c => sqlx::query_as(COUNT).bind(user.0).fetch_one(c).await)?;
    Ok(count)
}

/// Stores the secret of an app that is to be confirmed, instead of one that was before.
pub(super) async fn set_up_totp(
    tx: &mut Tx,
    user: UserId,
    id: FactorId,
    name: Option<&str>,
    secret: &[u8],
    now: DateTime<Utc>,
) -> Result<()> {
    on!(tx: tx, c => sqlx::query("DELETE FROM atom_totps WHERE user_id = $1 AND confirmed_at IS NULL")
        .bind(user.0).execute(c).await.map(drop))?;
    Ok(on!(tx: tx, c => sqlx::query("INSERT INTO atom_totps (id, user_id, name, secret, created_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(id.0).bind(user.0).bind(name).bind(secret).bind(Timestamp::from(now)).execute(c).await.map(drop))?)
}

/// An app that waits to be confirmed.
pub(super) async fn unconfirmed_totp(db: &Db, user: UserId, id: FactorId) -> Result<Option<TotpRow>> {
    Ok(on!(db, c => sqlx::query_as::<_, TotpRow>(
        "SELECT id, secret, name, created_at FROM atom_totps WHERE user_id = $1 AND id = $2 AND confirmed_at IS NULL")
        .bind(user.0).bind(id.0).fetch_optional(c).await)?)
}

/// Confirms it, for one caller. The code that did is used up.
pub(super) async fn confirm_totp(tx: &mut Tx, user: UserId, id: FactorId, step: i64, now: DateTime<Utc>) -> Result<bool> {
    let confirmed: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_totps SET confirmed_at = $4, last_step = $3 WHERE user_id = $1 AND id = $2 AND confirmed_at IS NULL RETURNING id")
        .bind(user.0).bind(id.0).bind(step).bind(Timestamp::from(now)).fetch_optional(c).await)?;
    Ok(confirmed.is_some())
}

/// The confirmed apps of a user.
pub(super) async fn totps(db: &Db, user: UserId) -> Result<Vec<TotpRow>> {
    Ok(on!(db, c => sqlx::query_as::<_, TotpRow>(
        "SELECT id, secret, name, created_at FROM atom_totps WHERE user_id = $1 AND confirmed_at IS NOT NULL ORDER BY id")
        .bind(user.0).fetch_all(c).await)?)
}

/// Accepts the code of a step, for one caller, if no code of it or a later one was accepted.
pub(super) async fn accept_step(db: &Db, user: UserId, id: Uuid, step: i64, now: DateTime<Utc>) -> Result<bool> {
    let accepted: Option<(Uuid,)> = on!(durable: db, c => sqlx::query_as(
        "UPDATE atom_totps SET last_step = $3, last_used_at = $4
          WHERE user_id = $1 AND id = $2 AND confirmed_at IS NOT NULL AND last_step < $3 RETURNING id")
        .bind(user.0).bind(id).bind(step).bind(Timestamp::from(now)).fetch_optional(c).await)?;
    Ok(accepted.is_some())
}

/// Removes a factor, and says what it was; none if it is gone.
pub(super) async fn remove(tx: &mut Tx, user: UserId, id: FactorId) -> Result<Option<FactorKind>> {
    let removed: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "DELETE FROM atom_totps WHERE user_id = $1 AND id = $2 AND confirmed_at IS NOT NULL RETURNING id")
        .bind(user.0).bind(id.0).fetch_optional(c).await)?;
    if removed.is_some() {
        return Ok(Some(FactorKind::Totp));
    }
    let removed: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as("DELETE FROM atom_passkeys WHERE user_id = $1 AND id = $2 RETURNING id")
        .bind(user.0).bind(id.0).fetch_optional(c).await)?;
    Ok(removed.map(|_| FactorKind::Passkey))
}

/// Whether a user has a passkey.
pub(in crate::accounts) async fn has_passkey(tx: &mut Tx, user: UserId) -> Result<bool> {
    let (passkeys,): (i64,) = on!(tx: tx, c => sqlx::query_as("SELECT count(*) FROM atom_passkeys WHERE user_id = $1")
        .bind(user.0).fetch_one(c).await)?;
    Ok(passkeys > 0)
}

/// Whether a passkey is a user's.
pub(in crate::accounts) async fn is_passkey_of(tx: &mut Tx, user: UserId, id: FactorId) -> Result<bool> {
    let found: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as("SELECT id FROM atom_passkeys WHERE user_id = $1 AND id = $2")
        .bind(user.0).bind(id.0).fetch_optional(c).await)?;
    Ok(found.is_some())
}

/// Removes the recovery codes of whoever has no factor left.
pub(super) async fn drop_idle_recovery_codes(tx: &mut Tx, user: UserId) -> Result<()> {
    Ok(on!(tx: tx, c => sqlx::query(
        "DELETE FROM atom_recovery_codes WHERE user_id = $1
            AND NOT EXISTS (SELECT 1 FROM atom_totps WHERE user_id = $1 AND confirmed_at IS NOT NULL)
            AND NOT EXISTS (SELECT 1 FROM atom_passkeys WHERE user_id = $1)")
        .bind(user.0).execute(c).await.map(drop))?)
}

/// Stores recovery codes instead of those before.
pub(super) async fn replace_recovery_codes(tx: &mut Tx, user: UserId, hashes: &[[u8; 32]]) -> Result<()> {
    on!(tx: tx, c => sqlx::query("DELETE FROM atom_recovery_codes WHERE user_id = $1").bind(user.0).execute(c).await.map(drop))?;
    for hash in hashes {
        on!(tx: tx, c => sqlx::query("INSERT INTO atom_recovery_codes (user_id, code_hash) VALUES ($1, $2)")
            .bind(user.0).bind(&hash[..]).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// Uses a recovery code, for one caller.
pub(super) async fn use_recovery_code(tx: &mut Tx, user: UserId, hash: &[u8], now: DateTime<Utc>) -> Result<bool> {
    let used: Option<(Uuid,)> = on!(tx: tx, c => sqlx::query_as(
        "UPDATE atom_recovery_codes SET used_at = $3 WHERE user_id = $1 AND code_hash = $2 AND used_at IS NULL RETURNING user_id")
        .bind(user.0).bind(hash).bind(Timestamp::from(now)).fetch_optional(c).await)?;
    Ok(used.is_some())
}

const LEFT: &str = "SELECT count(*) FROM atom_recovery_codes WHERE user_id = $1 AND used_at IS NULL";

/// How many recovery codes are left.
pub(in crate::accounts) async fn recovery_codes_left(db: &Db, user: UserId) -> Result<i64> {
    let (left,): (i64,) = on!(db, c => sqlx::query_as(LEFT).bind(user.0).fetch_one(c).await)?;
    Ok(left)
}

/// The same, as the transaction sees it.
pub(super) async fn recovery_codes_left_in(tx: &mut Tx, user: UserId) -> Result<i64> {
    let (left,): (i64,) = on!(tx: tx, c => sqlx::query_as(LEFT).bind(user.0).fetch_one(c).await)?;
    Ok(left)
}

/// Removes all factors of a user, with their recovery codes.
pub(in crate::accounts) async fn remove_all(tx: &mut Tx, user: UserId) -> Result<()> {
    for sql in [
        "DELETE FROM atom_totps WHERE user_id = $1",
        "DELETE FROM atom_passkeys WHERE user_id = $1",
        "DELETE FROM atom_recovery_codes WHERE user_id = $1",
    ] {
        on!(tx: tx, c => sqlx::query(sql).bind(user.0).execute(c).await.map(drop))?;
    }
    Ok(())
}
